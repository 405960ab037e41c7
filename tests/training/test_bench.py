"""A repetition on the bench: the same bits at any pace, a folder of its own, frozen agents."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import partial
from tempfile import TemporaryDirectory, gettempdir

import numpy as np
import pytest
from support.acts.held_run import BASE, FREE, held_run
from support.attend.under_way import COMMAND
from support.training_fixtures import arm, files_of, small

from tacit.envs.errors import ConfigError
from tacit.oversight.signers import Signers
from tacit.training.acts.acts import Acts
from tacit.training.acts.client import send
from tacit.training.acts.control import RunControl
from tacit.training.acts.protocol import ActRequest
from tacit.training.bench.making import Wanted, make_bench
from tacit.training.bench.trainer import train_bench, training_process, wait_for
from tacit.training.outcome.linting import preview
from tacit.training.record.replay import SeedReplay, differing_arrays
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import learned_tables, read_experiment
from tacit.training.storage.run_folder import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two seeds; seed 1 was redirected at 2,500, in other draws."""
    results = tmp_path_factory.mktemp("bench")
    with held_run(results, ["seeds=2"], seeds=2) as run:
        run.step(2_500)
        run.do("redirect", seed=1, redirect={**FREE, "fresh_stream": True})
    return run.run


def benched(run, tmp_path, **options):
    wanted = Wanted(str(run.path), "base", **options)
    return make_bench(wanted, tmp_path)


def trained(bench):
    train_bench(bench, None, NoProgress())
    return checkpoint.load(bench.checkpoint("base", 0))


@pytest.mark.parametrize(("k", "round_"), [(0, 0), (0, 3_000), (0, 3_333), (1, 2_000), (1, 7_001)])
def test_the_bench_goes_on_as_the_run_did(run, tmp_path, k, round_):
    before = files_of(run.path, ["*"])
    bench = benched(run, tmp_path, seed=k, round=round_)
    own = read_experiment(bench).arms["base"]
    assert (own.bench.run, own.bench.seed, own.bench.round) == ("mine", k, round_)
    arrays, record = trained(bench)
    if (k, round_) != (1, 2_000):  # before the redirect, which the bench does not know
        assert differing_arrays(arrays, checkpoint.load(run.checkpoint("base", k))[0]) == []
    assert record["agent_steps"] == 2 * (12_000 - round_)
    assert files_of(run.path, ["*"]) == before
    assert verify(bench, Signers(None), EVERY).altered == []
    assert reproduce_run(bench, [], NoProgress()) == (1, 0, (), ())


def test_round_by_round_with_acts(run, tmp_path):
    """At a pace, held and stepped; back to a state before and one behind the bench's beginning."""
    bench = benched(run, tmp_path, seed=0, round=3_333)
    experiment, control = read_experiment(bench), RunControl()
    control.hold("person")
    control.pace = 400.0
    thread = threading.Thread(
        target=partial(train_experiment, experiment, bench, NoProgress(), control=control)
    )
    thread.start()
    while not control.seeds() or not all(g.is_held for g in control.seeds().values()):
        time.sleep(0.01)
    acts = Acts("bench", control)

    def act(name, **options):
        return acts.do(
            ActRequest(id=f"{time.monotonic_ns()}", act=name, by="a", reason="b", **options)
        )

    try:
        for _ in range(3):
            act("step")
        assert act("status").round == {"base/s0": 3_336}
        assert act("status").screen["seeds"]["base/s0"]["pace"] == 400.0
        act("step", rounds=20)
        act("pace", pace=None)
        act("step", rounds=1_500)
        with pytest.raises(ConfigError, match="the first state is at round 3,333, got r0"):
            act("rollback", to="r0", redirect="none")
        assert act("rollback", to="r3333", redirect="none").round == {"base/s0": 3_333}
    finally:
        control.release("person")
        thread.join(60)
    arrays, record = checkpoint.load(bench.checkpoint("base", 0))
    assert differing_arrays(arrays, checkpoint.load(run.checkpoint("base", 0))[0]) == []
    assert [(b["start"], b["end"]) for b in record["branches"]] == [(3_333, 4_856), (3_333, 12_000)]
    assert verify(bench, Signers(None), EVERY).altered == []
    assert reproduce_run(bench, [], NoProgress()) == (1, 1, (), ())


def test_frozen_agents_neither_explore_nor_learn(run, tmp_path):
    bench = benched(run, tmp_path, seed=0, round=12_000, frozen=True)
    arrays, record = trained(bench)
    assert record["rounds"] == 24_000
    own, plain = read_experiment(bench).arms["base"], arm(*BASE)
    learned = learned_tables(run, plain, 0)
    frozen = learned_tables(bench, own, 0)
    assert all((frozen[seat] == learned[seat]).all() for seat in learned)
    known = checkpoint.load(run.checkpoint("base", 0))[0]
    assert (arrays["q_arrays.q"] == known["q_arrays.q"]).all()
    replay = SeedReplay(bench, own, 0)
    recording = replay.record(50)
    assert (recording.probabilities == 1).all()
    for seat, table in enumerate(learned.values()):
        seen = recording.observations[:, 0, 0, seat]
        assert (recording.actions[:, 0, 0, seat] == table[seen].argmax(axis=1)).all()
    assert verify(bench, Signers(None), EVERY).altered == []


@pytest.mark.slow
def test_frozen_networks(tmp_path):
    small(tmp_path / "r", "agents.bidder=ippo", "train.rounds=4000", "train.evaluate_every=500",
          "train.measure_last=1000", "seeds=1")  # fmt: skip
    run = RunFolder(tmp_path / "r" / "ad_auction")
    bench = benched(run, tmp_path, seed=0, round=2_050, frozen=True)  # within a batch
    first = SeedReplay(run, read_experiment(run).arms["base"], 0)
    first.go_to(2_050)
    trained(bench)
    own = read_experiment(bench).arms["base"]
    tables = learned_tables(bench, own, 0)
    for table, known in zip(tables.values(), first.group.tables(), strict=True):
        assert np.array_equal(table, known)
    assert verify(bench, Signers(None), EVERY).altered == []


def test_a_configuration_on_the_bench(tmp_path):
    wanted = Wanted("ad_auction", None, 2)
    bench = make_bench(wanted, tmp_path)
    assert bench.name == "ad_auction_bench_base_s2"
    own = read_experiment(bench).arms["base"]
    assert (own.seeds, own.seed, own.bench.round) == (1, 2, 0)
    assert differing_arrays(own.group(0).state(), arm().group(2).state()) == []
    assert make_bench(wanted, tmp_path).path == bench.path  # it stays as it is


REFUSED = [
    ({"seed": 2}, "--seed: arm base has seeds 0 to 1, got 2"),
    ({"seed": 0, "round": 12_000}, "something must be left to play, got 12,000"),
    ({"seed": 0, "round": 12_001, "frozen": True}, "has rounds up to 12,000, got 12,001"),
    ({"seed": 0, "arm": "bas"}, "--arm: unknown arm 'bas'"),
    ({"seed": 0, "target": "min"}, "there is no run 'min'"),
    ({"seed": 0, "target": "ad_auction", "round": 3}, "only a run has rounds"),
]


@pytest.mark.parametrize(("options", "line"), REFUSED)
def test_what_cannot_be_put_on_the_bench(run, tmp_path, options, line):
    wanted = Wanted(**{"target": str(run.path), "arm": None, **options})
    with pytest.raises(ConfigError, match=line):
        make_bench(wanted, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_was_altered_is_not_played(run, tmp_path):
    bench = benched(run, tmp_path, seed=0, round=3_000)
    path = bench.seed("base", 0) / "bench.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigError, match="does not match its SHA-256"):
        trained(bench)


@pytest.mark.slow
def test_the_command_serves_a_bench_without_a_page(run, tmp_path, monkeypatch):
    words = ["attend", str(run.path), "--seed", "0", "--from", "3000", "--pace", "50", "--no-page"]
    bench = RunFolder(tmp_path / "mine_bench_base_s0_r3000")

    def act(name, **options):
        return send(bench, ActRequest(id=name, act=name, by="alice", reason="x", **options))

    with TemporaryDirectory(dir=gettempdir()) as short:  # pytest's paths are too long for sockets
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        command = [sys.executable, "-c", COMMAND, *words, "--results", str(tmp_path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            wait_for(process, bench)
            assert act("pause").screen["seeds"]["base/s0"]["pace"] == 50.0
            before = act("status").round["base/s0"]
            assert 3_000 <= before < 6_000
            assert act("step", rounds=2).round == {"base/s0": before + 2}
            assert act("stop").applied
            assert process.wait(30) == 130
        finally:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_the_process_of_a_bench_ends_with_the_one_that_started_it(run, tmp_path, monkeypatch):
    bench = benched(run, tmp_path, seed=0, round=3_000)
    with TemporaryDirectory(dir=gettempdir()) as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        with training_process(bench, 20.0) as process:
            process.stdin.close()  # as when the process at the other end is killed
            assert process.wait(60) == 143
    assert (bench.seed("base", 0) / "partial.json").exists()  # it saved


@pytest.mark.slow
def test_lint_of_a_new_kpi_is_given_up_in_time():
    own = arm(*BASE)
    (line,) = preview(own, 0.01)
    assert line == "not examined, because lint takes more than 0.01 seconds here"
    assert preview(own, 60.0)[0].startswith("high: stable play: ")


def test_behind_a_breaker_s_redirect_the_breaker_stops(tmp_path):
    """It has rolled back as often as it may, and what it redirects is in force."""
    settings = (
        "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=12000",
        "train.measure_last=5000", "seeds=1",
        "breakers.calm={watch: clearing_price, low: .99, points: 3, action: rollback, "
        "redirect: {kpi: {bidder: {price_change: -0.5}}}}",
    )  # fmt: skip
    small(tmp_path, *settings, name="mine")
    run = RunFolder(tmp_path / "mine")
    record = checkpoint.read_record(run.checkpoint("base", 0))
    rolled_back, stopped = record["trips"]
    assert (rolled_back["action"], stopped["action"]) == ("rollback", "stop")
    bench = make_bench(Wanted(str(run.path), "base", seed=0, round=rolled_back["to"] + 1), tmp_path)
    own = read_experiment(bench).arms["base"]
    assert own.kpi["bidder_0"]["price_change"].weight == -0.5
    assert (own.breakers["calm"].action, own.breakers["calm"].redirect) == ("stop", None)
    arrays, ended = trained(bench)
    assert ended["trips"][0]["round"] == stopped["round"]
    assert differing_arrays(arrays, checkpoint.load(run.checkpoint("base", 0))[0]) == []
