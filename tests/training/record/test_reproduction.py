"""A run with many acts, trained once more from configuration, seeds and ledger alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from tempfile import TemporaryDirectory, gettempdir
from unittest.mock import patch

import pytest
from support.acts.held_run import BASE, FREE, held_run

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.oversight.signers import Signers
from tacit.training import cli
from tacit.training.acts.changing import Change
from tacit.training.acts.client import send
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.runtime_folder import socket_path
from tacit.training.acts.schedule import changes_of
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs import worker_pool
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

FRESH, FORGET, NONE = {"fresh_stream": True}, {"forget": True}, {"redirect": "none"}
LOW = {"seed": 0, "action": "bid 0.05"}


def ten_acts(run):
    """Acts of each kind on two seeds that are held at 2,500."""
    run.step(2_500)
    run.do("ask", reason="why so low?")
    run.do("override", seat="bidder_0", **LOW)
    run.do("step", rounds=3)
    run.do("reweight", redirect=FREE)
    run.step(1_600)
    run.do("rollback", seed=0, redirect=FRESH, to="-2")
    run.do("rollback", seed=1, **NONE)
    run.step(777)
    run.do("redirect", redirect={"market": {"reserve": 0.3}})
    run.do("override", seat="bidder_1", **LOW)
    run.step(1_000)
    run.do("rollback", seed=1, redirect=FORGET, to="r2503")
    run.do("resume")
    run.do("pause", reason="once more")
    run.do("pace", pace=1e6)


def reproduced(run):
    return reproduce_run(run, [], NoProgress())


def records(run, seeds=2):
    return [checkpoint.load(run.checkpoint("base", k)) for k in range(seeds)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with held_run(tmp_path_factory.mktemp("acts"), ["seeds=2"], seeds=2) as run:
        ten_acts(run)
    return run.run


def test_a_run_with_ten_acts_is_reproduced_from_configuration_seeds_and_ledger(run):
    branches = [[trip["into"] for trip in record["trips"]] for _, record in records(run)]
    assert branches == [[1, 2, 3], [1, 2, 3, 4]]
    assert reproduced(run) == (2, 7, (), ())
    found = verify(run, Signers(None), EVERY)
    assert found.altered == []


@pytest.mark.slow
def test_what_the_ledger_does_not_say_does_not_come_out(run, tmp_path):
    """The same with one act fewer, or at another round."""
    entries = ledgers.read(run.ledger)
    changing = [entry for entry in entries if changes_of(entry)]
    for number in range(len(changing)):
        other = RunFolder(tmp_path / str(number))
        other.path.mkdir()
        for file in run.path.rglob("*"):
            if file.is_file() and file != run.ledger:
                path = other.path / file.relative_to(run.path)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read_bytes())
        for entry in changing[:number] + changing[number + 1 :]:
            Ledger(other.ledger).append(entry["act"], changes=entry["changes"])
        if number in (0, 1, len(changing) - 1):  # each costs a training
            assert reproduced(other).differing != ()
        assert verify(other, Signers(None)).altered != []


def test_a_forged_act_in_the_ledger_is_found(run, tmp_path):
    other = RunFolder(tmp_path / "mine")
    other.path.mkdir()
    other.config.write_bytes(run.config.read_bytes())
    for entry in ledgers.read(run.ledger):
        for change in changes_of(entry):
            change["round"] += 1
        if changes_of(entry):
            Ledger(other.ledger).append(entry["act"], changes=entry["changes"])
    with pytest.raises(ConfigError, match="is missing"):
        train_experiment(read_experiment(other), other, NoProgress())


@pytest.mark.slow
def test_an_act_between_ledger_and_effect_is_neither_lost_nor_repeated(run, tmp_path, monkeypatch):
    """The process ends in between, at each of the changes in turn; a later one goes on."""
    apply, done = Change.apply, []

    def cut(change):
        done.append(change)
        if len(done) == dies_at:
            control.stop("nobody: it dies")
        else:
            apply(change)

    monkeypatch.setattr(Change, "apply", cut)
    for dies_at in (1, 2, 3):
        results = tmp_path / str(dies_at)
        done.clear()
        with held_run(results, ["seeds=2"], seeds=2) as first:
            control = first.acts.control
            first.step(2_500)
            first.do("override", seat="bidder_0", **LOW)
            if dies_at > 1:
                first.step(2)
                first.do("reweight", redirect=FREE)
            if dies_at > 2:
                first.step(1_600)
                first.do("rollback", redirect=FRESH, to="-2")
        assert isinstance(first.ended[0], Interrupted)
        with held_run(results, seeds=2) as second:
            second.step(100)
            second.do("reweight", redirect={"kpi": {"bidder_0": {"price_change": 3}}})
        assert len([e for e in ledgers.read(first.run.ledger) if changes_of(e)]) == dies_at + 1
        assert reproduced(first.run) == (2, dies_at + 1, (), ())
        assert verify(first.run, Signers(None), EVERY).altered == []


def test_no_act_falls_before_one_that_is_still_to_be_carried_out(tmp_path, monkeypatch):
    def cut(change):
        run.acts.control.stop("nobody: it dies")

    with held_run(tmp_path) as run:
        run.step(2_500)
        monkeypatch.setattr(Change, "apply", cut)
        run.do("reweight", redirect=FREE)
        monkeypatch.undo()
    for path in run.run.seed("base", 0).glob("partial.*"):
        path.unlink()  # so that it begins at round 0
    with held_run(tmp_path) as later:
        later.step(10)
        line = later.refused("rollback", to="r0", **NONE)
        assert "on its way to round 2500" in line
    assert len(records(run.run, 1)[0][1]["trips"]) == 1


# --- networks and processes -----------------------------------------------------------------------

PPO = (
    "agents.bidder=ippo", "train.rounds=6000", "train.evaluate_every=1000",
    "train.measure_last=2000", "seeds=2", "kpi.bidder.price_change=-1",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("has_processes", [False, True])
def test_with_networks_in_this_process_and_in_others(tmp_path, monkeypatch, has_processes):
    monkeypatch.setattr(worker_pool, "WORTH_IT", 0 if has_processes else 10**12)
    with held_run(tmp_path, seeds=2, base=PPO) as run:
        run.step(2_050)  # within a batch
        run.do("override", seat="bidder_0", **LOW)
        run.step(7)
        done = run.do("reweight", redirect=FREE)
        assert done.round == {"base/s0": 2_057, "base/s1": 2_057}
        assert done.screen["seeds"]["base/s1"]["branch"] == 1
        run.step(500)
        back = run.do("rollback", seed=1, redirect=FRESH, to="-1")
        assert back.round["base/s1"] < 2_557
        assert "was not" not in run.refused("rollback", seed=1, branch=1, **NONE)
        run.do("pace", pace=5_000.0)
        run.step(400)
    assert [len(record["trips"]) for _, record in records(run.run)] == [1, 2]
    assert reproduced(run.run) == (2, 3, (), ())
    assert verify(run.run, Signers(None), EVERY).altered == []


HELD = """
import sys
from functools import partial
from pathlib import Path
from tacit.training.acts.control import RunControl
from tacit.training.acts.server import serving
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.run_folder import RunFolder

run = RunFolder(Path(sys.argv[1]))
control = RunControl(partial(serving, run))
control.hold("person")
train_experiment(load("ad_auction", sys.argv[2:]), run, NoProgress(), control=control)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_neither_loses_nor_repeats_an_act(tmp_path, monkeypatch):
    """A process of its own behind its socket, SIGKILL after the last act, and `resume`."""
    run = RunFolder(tmp_path / "mine")

    def act(name, **options):
        request = {"id": name, "act": name, "by": "alice", "reason": "a look", **options}
        return send(run, ActRequest(**request))

    with TemporaryDirectory(dir=gettempdir()) as short:  # pytest's paths are too long for sockets
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        process = subprocess.Popen([sys.executable, "-c", HELD, str(run.path), *BASE])
        try:
            deadline = time.monotonic() + 60
            while not socket_path(run).exists() or not act("status").screen["seeds"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert act("step", rounds=2_500).applied
            assert act("override", seat="bidder_0", **LOW).applied
            assert act("reweight", redirect=FREE).applied
            assert "done already" not in act("reweight", redirect=FREE).detail
        finally:
            process.kill()
            process.wait()
    train_experiment(read_experiment(run), run, NoProgress())
    assert len(records(run, 1)[0][1]["trips"]) == 1
    assert reproduced(run) == (1, 2, (), ())


def test_the_command_tells_what_differs(run, tmp_path, capsys):
    main = ["tacit", "audit", "reproduce", "mine", "--results"]
    with patch.object(sys, "argv", [*main, str(run.path.parent)]):
        assert cli.app(standalone_mode=False) is None
    assert "2 of 2 seeds are the same, bit for bit" in capsys.readouterr().out
    other = RunFolder(tmp_path / "mine")
    shutil.copytree(run.path, other.path)
    other.ledger.unlink()
    with patch.object(sys, "argv", [*main, str(tmp_path)]), pytest.raises(SystemExit) as ended:
        cli.app(standalone_mode=False)
    assert ended.value.code == 1
    assert "WRONG  base/s0: rounds" not in (told := capsys.readouterr().out)
    assert "WRONG  base/s0: " in told
