"""Reproductions in processes side by side: the same tables, in groups that share a run."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest
from support.terminal import Terminal
from support.training_fixtures import write

from tacit.envs.errors import ConfigError
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted
from tacit.training.studies import reproduce, side_by_side
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


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")


def experiment(folder, name, rounds=20_000, compute="1 s"):
    return write(folder / f"{name}.yaml", FILE.format(rounds=rounds, compute=compute))


def test_shared_runs_are_one_group_and_the_longest_comes_first():
    groups = in_groups(["calvano_baseline", "unheard", "calvano_punishment", "calvano_grids"])
    assert groups == [["calvano_grids"], ["calvano_baseline", "calvano_punishment"], ["unheard"]]
    assert [seconds_of(text) for text in ("90 s", "2 min", "", "some")] == [90, 120, 0, 0]


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


def test_all_of_them_side_by_side_from_the_command_line(tmp_path, monkeypatch, capsys):
    names = [experiment(tmp_path, name) for name in ("one", "two")]
    monkeypatch.setattr(reproduce, "reproducible", lambda: names)
    result = Terminal(tmp_path, monkeypatch, capsys)("reproduce", "--all")
    assert result.code == 0
    assert "2 experiments side by side; each is shown when it ends" in result.err
    assert result.out.count("Does it hold here?") == 2
    assert "two: 2 of 2" in result.out or "one: 2 of 2" in result.out


def test_what_is_refused_ends_the_others(tmp_path):
    names = [experiment(tmp_path, "one", 20_000_000), str(tmp_path / "two.yaml")]
    write(tmp_path / "two.yaml", FILE.format(rounds=0, compute="1 s"))
    with pytest.raises(ConfigError, match="rounds"):
        reproduce_side_by_side(names, tmp_path / "results", lambda _: None)
    assert not (tmp_path / "results/reproduce").exists()


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
