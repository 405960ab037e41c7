"""Reproductions in processes side by side: the same tables, in groups that share a run."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.terminal import Terminal
from support.training_fixtures import write

from tacit.envs.errors import ConfigError
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted
from tacit.training.studies import reproduce, reproduce_worker, side_by_side
from tacit.training.studies.side_by_side import in_groups, reproduce_side_by_side, seconds_of

pytestmark = pytest.mark.full_mirror  # processes of their own have no short one
FILE = """
question: Does it hold here?
market: ad_auction
train: {{rounds: {rounds}, measure_last: 5000}}
seeds: 2
references:
  - {{kind: prediction, quantity: revenue, arm: base, versus: 0, measure: revenue, expected: above}}
compute: {compute}
"""


# Answers as a worker does, without what it imports and trains; `slow` is not answered.
ANSWERS = """
import json, os, sys, time
for name in sys.stdin:
    name = name.strip()
    if name == "none":
        sys.exit(3)
    if name == "refused":
        print(json.dumps({"mistakes": ["refused.yaml: train.rounds: 0"]}), flush=True)
        continue
    if name == "slow":
        print(json.dumps({"mistakes": ["never read"]}), file=sys.stderr)
        time.sleep(60)
    cells = [[name, str(os.getpid()), os.environ["TACIT_THREADS"], sys.argv[1]]]
    print(json.dumps({"name": name, "cells": cells, **json.loads(sys.argv[2])}), flush=True)
"""


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")


def experiment(folder, name, rounds=20_000, compute="1 s"):
    return write(folder / f"{name}.yaml", FILE.format(rounds=rounds, compute=compute))


def test_shared_runs_are_one_group_and_the_longest_comes_first():
    groups = in_groups(["calvano_baseline", "unheard", "calvano_punishment", "calvano_grids"])
    assert groups == [["calvano_grids"], ["calvano_baseline", "calvano_punishment"], ["unheard"]]
    assert [seconds_of(text) for text in ("90 s", "2 min", "", "some")] == [90, 120, 0, 0]


@pytest.fixture
def processes(monkeypatch):
    """Processes that only answer, in the order of their start."""
    started, popen = [], subprocess.Popen
    rest = {"question": "", "folder": "", "written": [], "is_good": True, "needs_seeds": False}

    def start(words, **options):
        assert words[1:4] == ["-P", "-m", "tacit.training.studies.reproduce_worker"]
        answer = [sys.executable, "-S", "-c", ANSWERS, *words[4:], json.dumps(rest)]
        started.append(popen(answer, **options))
        return started[-1]

    monkeypatch.setattr(side_by_side.subprocess, "Popen", start)
    monkeypatch.setattr(side_by_side, "in_groups", lambda names: [n.split() for n in names])
    return started


def test_processes_have_their_share_of_threads_and_take_one_group_after_the_other(
    processes, tmp_path, monkeypatch
):
    monkeypatch.setenv("TACIT_THREADS", "5")
    monkeypatch.setattr(side_by_side, "MOST_PROCESSES", 2)
    found = []
    reproduce_side_by_side(["a b", "c", "d", "e"], tmp_path, found.append)
    cells = {outcome.name: outcome.cells[0] for outcome in found}
    assert sorted(cells) == ["a", "b", "c", "d", "e"]
    assert {(threads, folder) for _, _, threads, folder in cells.values()} == {("2", str(tmp_path))}
    assert {int(pid) for _, pid, *_ in cells.values()} == {p.pid for p in processes}
    assert cells["a"][1] == cells["b"][1]  # a group stays in one process
    assert len(processes) == 2
    assert [process.returncode for process in processes] == [0, 0]


def test_a_process_that_ends_without_an_answer_ends_the_others(processes, tmp_path):
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"none: .* ended with exit code 3\. What was saved"):
        reproduce_side_by_side(["slow", "none"], tmp_path, lambda _: None)
    assert time.monotonic() - began < 30
    assert sorted(p.returncode for p in processes) == [-signal.SIGTERM, 3]


def test_a_process_that_is_refused_ends_the_others(processes, tmp_path):
    with pytest.raises(ConfigError) as refused:
        reproduce_side_by_side(["slow", "refused"], tmp_path, lambda _: None)
    assert refused.value.mistakes == ["refused.yaml: train.rounds: 0"]
    assert processes[0].returncode == -signal.SIGTERM


def test_a_signal_ends_all_processes(processes, tmp_path):
    def stop():
        end = time.monotonic() + 60
        while len(processes) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=stop, daemon=True).start()
    try:
        with pytest.raises(Interrupted) as stopped:
            reproduce_side_by_side(["slow", "slow"], tmp_path, lambda _: None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    assert [p.returncode for p in processes] == [-signal.SIGTERM] * 2


def test_a_worker_answers_with_the_outcome_or_the_mistakes(tmp_path):
    name, answers = experiment(tmp_path, "one"), io.StringIO()
    reproduce_worker._reproduce(name, tmp_path / "worker", answers)
    reproduce_worker._reproduce(str(tmp_path / "two.yaml"), tmp_path / "worker", answers)
    outcome, refused = map(json.loads, answers.getvalue().splitlines())
    here = reproduce.outcome(load(name), (), tmp_path / "alone", NoProgress())
    answer = reproduce.Reproduction(**outcome)
    assert answer == here._replace(folder=answer.folder)
    (mistake,) = refused["mistakes"]
    assert "two.yaml" in mistake
    tables = [(tmp_path / run / "reproduce/one/table.csv") for run in ("worker", "alone")]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_what_is_reproduced_side_by_side_is_shown_as_it_ends(tmp_path, monkeypatch, capsys):
    outcome = reproduce.Reproduction(
        name="one", question="Does it hold here?", cells=[], folder="f", written=["table.csv"],
        is_good=True, needs_seeds=False,
    )  # fmt: skip
    given = []

    def told(names, results, tell):
        given.append((names, results.name))
        tell(outcome)
        tell(outcome._replace(name="two", is_good=False))

    monkeypatch.setattr(reproduce, "reproducible", lambda: ["one", "two"])
    monkeypatch.setattr(side_by_side, "reproduce_side_by_side", told)
    result = Terminal(tmp_path, monkeypatch, capsys)("reproduce", "--all")
    assert given == [(["one", "two"], "results")]
    assert result.code == 1  # one of them is not within
    assert "2 experiments side by side; each is shown when it ends" in result.err
    assert result.out.count("Does it hold here?") == 2
    assert "one: 1 of 2" in result.out
    assert "two: 2 of 2" in result.out


@pytest.mark.slow
def test_two_processes_write_the_tables_that_one_writes(tmp_path):
    names = [experiment(tmp_path, name) for name in ("one", "two", "three")]
    found = []
    reproduce_side_by_side(names, tmp_path / "both", found.append)
    assert sorted(outcome.name for outcome in found) == ["one", "three", "two"]
    for name, label in zip(names, ("one", "two", "three"), strict=True):
        here = reproduce.outcome(load(name), (), tmp_path / "alone", NoProgress())
        (other,) = (outcome for outcome in found if outcome.name == label)
        assert other == here._replace(folder=other.folder)
        tables = [
            (tmp_path / run / "reproduce" / label / "table.csv").read_bytes()
            for run in ("both", "alone")
        ]
        assert tables[0] == tables[1]


@pytest.mark.slow
def test_all_of_them_side_by_side_from_the_command_line(tmp_path, monkeypatch, capsys):
    names = [experiment(tmp_path, name) for name in ("one", "two")]
    monkeypatch.setattr(reproduce, "reproducible", lambda: names)
    result = Terminal(tmp_path, monkeypatch, capsys)("reproduce", "--all")
    assert result.code == 0
    assert "2 experiments side by side; each is shown when it ends" in result.err
    assert result.out.count("Does it hold here?") == 2
    assert "two: 2 of 2" in result.out or "one: 2 of 2" in result.out


@pytest.mark.slow
def test_what_is_refused_ends_the_others(tmp_path):
    names = [experiment(tmp_path, "one", 20_000_000), str(tmp_path / "two.yaml")]
    write(tmp_path / "two.yaml", FILE.format(rounds=0, compute="1 s"))
    with pytest.raises(ConfigError, match="rounds"):
        reproduce_side_by_side(names, tmp_path / "results", lambda _: None)
    assert not (tmp_path / "results/reproduce").exists()


@pytest.mark.slow
def test_stopped_it_keeps_what_was_learned_and_goes_on(tmp_path, monkeypatch):
    started, popen = [], subprocess.Popen

    def start(*words, **options):
        started.append(popen(*words, **options))
        return started[-1]

    monkeypatch.setattr(side_by_side.subprocess, "Popen", start)
    names = [experiment(tmp_path, name, 300_000_000) for name in ("one", "two")]
    results = tmp_path / "results"

    def begun(name):
        return any(results.glob(f"{name}/**/s0"))

    def stop():
        end = time.monotonic() + 60
        while not (begun("one") and begun("two")) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=stop, daemon=True).start()
    try:
        with pytest.raises(Interrupted) as stopped:
            reproduce_side_by_side(names, results, lambda _: None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    assert [process.poll() is not None for process in started] == [True, True]
    assert list(results.glob("**/s0/partial.json"))
