"""Training one cell, and all of a small sweep in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.terminal import Terminal
from support.training_fixtures import files_of

from tacit.training.sweep import cell as cells
from tacit.training.sweep import processes
from tacit.training.sweep.cell import train_cell
from tacit.training.sweep.processes import Processes
from tacit.training.sweep.sweep_folder import CellState, SweepFolder
from tacit.training.sweep.sweeping import make_plan, sweep_folder

SMALL = ["train.rounds=20000", "train.measure_last=5000", "seeds=2"]
GRID = ["kpi.bidder.price_change=0,-1", "market.price_mix=0,1"]
WORDS = ["volatility_kpi", *SMALL, "--arm", "first_0", "--grid", GRID[0], "--grid", GRID[1]]


class Listener:
    """Keeps what it is told."""

    def __init__(self):
        self.outcomes, self.notes = [], []

    def share(self, k, share): ...

    def note(self, text):
        self.notes.append(text)

    def ended(self, outcome):
        self.outcomes.append(outcome)


@pytest.fixture
def terminal(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def planned(tmp_path):
    plan, raw = make_plan("volatility_kpi", GRID, settings=SMALL, arms=["first_0"])
    folder = sweep_folder(tmp_path, "mine")
    folder.write_plan(plan, raw)
    return folder, plan


def test_a_cell_is_trained_once(planned, monkeypatch):
    folder, plan = planned
    shares = []
    assert train_cell(folder, plan, 1, shares.append).failure is None
    assert folder.is_done(plan, 1)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    config = folder.cell(plan, 1).read_config()
    assert config["arms"]["first_0"]["market"]["price_mix"] == 1
    monkeypatch.setattr(cells, "train_experiment", lambda *_: pytest.fail("trained again"))
    assert train_cell(folder, plan, 1, shares.append).failure is None


def test_a_cell_whose_settings_do_not_fit_has_failed(tmp_path):
    plan, raw = make_plan("ad_auction", ["market.bidders=2,3"], settings=SMALL)
    plan = plan.with_added([(("market.bidders", 99),)])
    folder = SweepFolder(tmp_path / "mine")
    folder.write_plan(plan, raw)
    outcome = train_cell(folder, plan, 2, lambda share: None)
    assert "market.bidders" in outcome.failure
    assert "market.bidders" in folder.failure_log(plan, 2).read_text()
    assert folder.states(plan)[2] == CellState.FAILED


def test_an_error_of_the_program_is_kept_in_the_log(planned, monkeypatch):
    folder, plan = planned

    def broken(*_):
        raise RuntimeError("of a plugin")

    monkeypatch.setattr(cells, "train_experiment", broken)
    outcome = train_cell(folder, plan, 0, lambda share: None)
    assert outcome.failure == "RuntimeError: of a plugin"
    assert "Traceback" in folder.failure_log(plan, 0).read_text()
    monkeypatch.undo()
    assert train_cell(folder, plan, 0, lambda share: None).failure is None
    assert not folder.failure_log(plan, 0).exists()


def test_a_cell_that_somebody_else_trains_is_left_to_him(planned, monkeypatch):
    folder, plan = planned
    folder.cell(plan, 0).path.mkdir(parents=True)
    monkeypatch.setattr(cells, "told_holder", lambda run: "somebody")
    monkeypatch.setattr(cells, "train_experiment", lambda *_: pytest.fail("trained beside him"))
    assert train_cell(folder, plan, 0, lambda share: None).is_elsewhere


# --- processes, with a stub for what they train ---------------------------------------------------

STUB = """
import json, os, sys, time
for line in sys.stdin:
    k = int(line)
    if k == 1 and not os.path.exists(sys.argv[1] + "/second"):
        open(sys.argv[1] + "/second", "w").close()
        os.kill(os.getpid(), 9)
    if k == 2:
        os.kill(os.getpid(), 9)
    if k == 9:
        time.sleep(60)
    print(json.dumps({"cell": k, "share": 0.5}), flush=True)
    failure = "no" if k == 3 else None
    print(json.dumps({"cell": k, "failure": failure, "is_elsewhere": k == 4}), flush=True)
"""


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr(processes, "WORKER", (sys.executable, "-c", STUB))


def test_a_killed_process_is_replaced_and_a_cell_that_kills_two_has_failed(planned, stub):
    folder, plan = planned
    plan = plan.with_added([(("kpi.bidder.price_change", -k),) for k in range(4)])
    listener = Listener()
    Processes(2).train(folder, plan, range(6), listener)
    outcomes = {o.k: (o.failure, o.is_elsewhere) for o in listener.outcomes}
    killed = "its process ended with exit code -9"
    assert outcomes == {
        0: (None, False), 1: (None, False), 2: (killed, False), 3: ("no", False),
        4: (None, True), 5: (None, False),
    }  # fmt: skip
    assert folder.failure_log(plan, 2).read_text().startswith(killed)
    assert listener.notes.count(f"cell 1: {killed}; another one goes on with it") == 1


def test_ctrl_c_ends_the_processes(planned, stub):
    from tacit.training.runs.runner import Interrupted

    folder, plan = planned
    # (tests that a shell runs in the background ignore Ctrl-C, and what is ignored stays ignored)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    try:
        with pytest.raises(Interrupted) as stopped:
            Processes(2).train(folder, plan, [9, 9], Listener())
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.value.exit_code == 130
    assert time.monotonic() - start < 30


# --- whole sweeps ---------------------------------------------------------------------------------


def learned(folder):
    return files_of(folder / "cells", ("checkpoint.safetensors",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sweep of four cells that was trained in this process."""
    plan, raw = make_plan("volatility_kpi", GRID, settings=SMALL, arms=["first_0"])
    folder = sweep_folder(tmp_path_factory.mktemp("whole"), "mine")
    folder.write_plan(plan, raw)
    for k in range(4):
        train_cell(folder, plan, k, lambda share: None)
    return folder, plan


@pytest.mark.slow
def test_processes_learn_the_same(terminal, whole, tmp_path):
    folder, _ = whole
    told = terminal("sweep", *WORDS, "--name", "mine", "--results", str(tmp_path))
    assert "4 of 4 cells done" in told.out
    assert learned(tmp_path / "mine") == learned(folder.path)


@pytest.mark.slow
def test_a_killed_parent_and_a_killed_worker_lose_nothing(whole, tmp_path):
    folder, _ = whole
    words = [sys.executable, "-P", "-m", "tacit", "sweep", *WORDS, "--name", "mine",
             "--results", str(tmp_path)]  # fmt: skip
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = tmp_path / "mine" / "cells" / "0000"
    while not list(done.glob("*/cell.json")):
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    before = {path: path.stat().st_mtime_ns for path in done.glob("*/cell.json")}
    assert before
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert learned(tmp_path / "mine") == learned(folder.path)
    # What was done was not trained again.
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
def test_tasks_of_an_array_learn_the_same(whole, tmp_path):
    folder, _ = whole
    words = [sys.executable, "-P", "-m", "tacit"]
    script = subprocess.run(
        [*words, "sweep", *WORDS, "--name", "mine", "--results", str(tmp_path), "--engine",
         "slurm"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for task in (2, 0):  # in any order
        code = subprocess.run(
            ["bash", "-c", script],
            env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task)},
            check=False,
            capture_output=True,
        ).returncode
        assert code == 0
    trained = learned(tmp_path / "mine")
    assert len(trained) == 4
    assert trained.items() <= learned(folder.path).items()


@pytest.mark.slow
def test_a_cell_by_hand(terminal, whole, tmp_path):
    folder, _ = whole
    told = terminal("train", str(folder.path), "--cell", "2")
    assert "cell 2: done" in told.out
    told = terminal("train", str(folder.path), "--cell", "4")
    assert "has cells 0 to 3, got 4" in told.err
    told = terminal("train", str(folder.path), "seeds=3", "--cell", "2")
    assert "a cell is trained as its sweep plans it" in told.err


@pytest.mark.slow
def test_what_is_done_is_told_and_compared(terminal, whole):
    folder, _ = whole
    told = terminal("sweep", str(folder.path), "--dry-run", "--json")
    assert json.loads(told.out) == {
        "cells": 4, "waiting": 0, "begun": 0, "done": 4, "failed": 0, "core_seconds": 0.0,
    }  # fmt: skip
    told = terminal("sweep", str(folder.path))
    assert "4 of 4 cells done" in told.out
    told = terminal("compare", str(folder.path), "--where", "market.price_mix=0")
    assert "cell 0" in told.out
    assert "cell 1" not in told.out
    assert "cell 2" in told.out
    told = terminal("compare", str(folder.path), "--by", "market.price_mix")
    assert told.out.count("2 cells") == 2


@pytest.mark.slow
def test_options_that_do_not_fit(terminal, whole):
    folder, _ = whole
    for words, told in (
        (["sweep", str(folder.path), "--grid", "seeds=1,2"], "is a sweep that has its plan"),
        (["sweep", "ad_auction"], "what is varied"),
        (["sweep", "ad_auction", "--grid", "seeds=1,2", "--engine", "slrm"],
         "unknown engine 'slrm'. Did you mean 'slurm'?"),
        (["sweep", "ad_auction", "--grid", "seeds=1,2", "--address", "here:1"],
         "belong to --engine ray"),
        (["compare", str(folder.path), str(folder.path)], "a sweep is compared alone"),
    ):  # fmt: skip
        assert told in terminal(*words).err


@pytest.mark.slow
def test_an_altered_summary_is_not_compared(terminal, whole, tmp_path):
    import shutil

    folder, plan = whole
    shutil.copytree(folder.path, tmp_path / "copy")
    copy = SweepFolder(tmp_path / "copy")
    summary = copy.cell(plan, 1).summary
    summary.write_text(summary.read_text().replace("0.", "1.", 1))
    told = terminal("compare", str(copy.path))
    assert "is not what was written when cell 1 was done" in told.err
