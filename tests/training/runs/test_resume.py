"""Runs that were cut: what is finished stays, the rest is trained anew, bit for bit alike."""

from __future__ import annotations

import json
import threading
import time

import pytest
from support.training_fixtures import InterruptAfter, files_of, small

from tacit.oversight import ledger
from tacit.training.runs import partial, seed_run
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

SEEDS = "seeds=4"


def finished(folder):
    """Names of the seeds that are whole."""
    return sorted(p.parent.name for p in folder.rglob("checkpoint.json"))


def resume(folder, listener=None):
    run = RunFolder(folder)
    return train_experiment(read_experiment(run), run, listener or NoProgress())["measures"]


def acts(folder):
    """What is recorded of training, without the acts that seal files."""
    every = [entry["act"] for entry in ledger.read(folder / "ledger.jsonl")]
    return [act for act in every if act.startswith("training")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: its measures, checkpoints and bands."""
    results = tmp_path_factory.mktemp("whole")
    return small(results, SEEDS)["measures"], files_of(results)


class Counts(NoProgress):
    """Rounds that are really trained."""

    def __init__(self):
        self.total = self.finished = self.trained = 0

    def begin(self, total_rounds, finished_rounds):
        self.total, self.finished = total_rounds, finished_rounds

    def advance(self, arm, progress):
        self.trained += progress.rounds


# --- Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reports", [1, 10, 27, 50])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_an_interrupted_run_goes_on_as_if_nothing_had_been(
    reports, threads, tmp_path, monkeypatch, whole
):
    monkeypatch.setenv("TACIT_THREADS", threads)
    folder = tmp_path / "ad_auction"
    with pytest.raises(Interrupted, match="ad_auction"):
        small(tmp_path, SEEDS, listener=InterruptAfter(reports))
    kept = files_of(tmp_path, ["checkpoint.safetensors"])
    assert len(kept) < 4
    assert {name: whole[1][name] for name in kept} == kept
    assert acts(folder) == ["training started", "training interrupted"]
    assert ledger.read(folder / "ledger.jsonl")[-1]["finished"] == len(kept)
    assert not (folder / "summary.json").exists()
    counts = Counts()
    assert resume(folder, counts) == whole[0]
    assert files_of(tmp_path) == whole[1]
    assert (counts.total, counts.finished) == (4 * 20_000, len(kept) * 20_000)
    assert counts.trained == counts.total - counts.finished
    assert acts(folder)[2:] == ["training started", "training finished"]
    assert ledger.first_broken(folder / "ledger.jsonl") is None


@pytest.mark.parametrize("rounds", [7, 333])
def test_where_a_stretch_ends_changes_no_bit(rounds, tmp_path, monkeypatch, whole):
    """Stretches follow the clock, so they are never the same twice."""
    monkeypatch.setattr(seed_run, "FIRST_STRETCH", rounds)
    monkeypatch.setattr(seed_run, "_next_stretch", lambda rounds, seconds: rounds + 1)
    assert small(tmp_path, SEEDS)["measures"] == whole[0]
    assert files_of(tmp_path) == whole[1]


def test_a_stretch_grows_while_it_is_short_and_shrinks_when_it_is_long():
    assert seed_run._next_stretch(100, 0.49) == 200
    assert seed_run._next_stretch(100, 0.5) == seed_run._next_stretch(100, 1.0) == 100
    assert seed_run._next_stretch(100, 1.01) == 50


def test_a_seed_is_saved_between_evaluation_points(tmp_path, monkeypatch):
    """A long way lies between two points; a save may not wait for the next one."""
    monkeypatch.setattr(partial, "EVERY", 0.0)
    monkeypatch.setattr(seed_run, "FIRST_STRETCH", 1_000)
    monkeypatch.setattr(seed_run, "_next_stretch", lambda rounds, seconds: rounds)
    rounds = []
    save = partial.SeedSaver.save

    def noted(self, group, state):
        rounds.append(group.rounds)
        save(self, group, state)

    monkeypatch.setattr(partial.SeedSaver, "save", noted)
    small(tmp_path, "seeds=1", "train.evaluate_every=10000")
    assert rounds == list(range(1_000, 20_001, 1_000))


def test_the_next_stretch_is_judged_by_the_time_of_the_last(tmp_path, monkeypatch):
    seconds = []

    def next_stretch(rounds, took):
        seconds.append(took)
        return rounds

    monkeypatch.setattr(seed_run, "FIRST_STRETCH", 500)
    monkeypatch.setattr(seed_run, "_next_stretch", next_stretch)
    small(tmp_path, "seeds=1", "train.rounds=5000")
    assert len(seconds) > 3
    assert all(0 <= took < 600 for took in seconds)


def test_finished_seeds_are_kept_when_it_is_stopped_late(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "1")
    with pytest.raises(Interrupted):
        small(tmp_path, SEEDS, listener=InterruptAfter(40))
    assert finished(tmp_path) == ["s0", "s1"]


class InterruptAtAnEnd(NoProgress):
    """Ctrl-C of one seed while another is in its last stretch of rounds, which it ends."""

    def __init__(self):
        self.rounds, self.interrupted = 0, None
        self.at_the_end = threading.Event()

    def advance(self, arm, progress):
        if self.interrupted is None:
            self.interrupted = threading.get_ident()
        if self.interrupted == threading.get_ident():
            self.at_the_end.wait()
            raise KeyboardInterrupt
        self.rounds += progress.rounds
        if self.rounds == 20_000:
            self.at_the_end.set()
            time.sleep(0.3)  # until after the other one was stopped


@pytest.mark.slow
def test_a_seed_that_ends_while_the_others_stop_is_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")
    with pytest.raises(Interrupted):
        small(tmp_path, listener=InterruptAtAnEnd())
    assert len(finished(tmp_path)) == 1
    last = ledger.read(tmp_path / "ad_auction/ledger.jsonl")[-1]
    assert (last["act"], last["finished"], last["of"]) == ("training interrupted", 1, 2)


def test_a_mistake_in_a_listener_is_not_swallowed(tmp_path):
    class Broken(NoProgress):
        def advance(self, arm, progress):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small(tmp_path, listener=Broken())


# --- half written --------------------------------------------------------------------------------


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))


def stray(path):
    path.with_name(f".{path.name}.123.tmp").write_bytes(b"half")


SPOILS = {
    "a record is missing": ("base/s1/checkpoint.json", lambda p: p.unlink()),
    "a record is cut": ("base/s1/checkpoint.json", cut),
    "a record is no table": ("base/s1/checkpoint.json", lambda p: p.write_text("[]")),
    "a checkpoint is missing": ("base/s2/checkpoint.safetensors", lambda p: p.unlink()),
    "a checkpoint is cut": ("base/s2/checkpoint.safetensors", cut),
    "a bit is flipped": ("base/s2/checkpoint.safetensors", flip),
    "a temporary file is left": ("base/s3/checkpoint.safetensors", stray),
    "the summary is missing": ("summary.json", lambda p: p.unlink()),
    "incentives are missing": ("incentives.json", lambda p: p.unlink()),
}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A finished run, spoilt and mended again and again."""
    results = tmp_path_factory.mktemp("spoilt")
    small(results, SEEDS)
    return results / "ad_auction"


@pytest.mark.parametrize("case", SPOILS)
def test_a_half_written_run_is_completed(case, spoilt, whole):
    path, spoil = SPOILS[case]
    before = files_of(spoilt, ["summary.json", "incentives.json"])
    spoil(spoilt / path)
    assert resume(spoilt) == whole[0]
    assert files_of(spoilt.parent) == whole[1]
    assert files_of(spoilt, ["incentives.json"])["incentives.json"] == before["incentives.json"]
    measures = json.loads((spoilt / "summary.json").read_text())["measures"]
    assert measures == json.loads(before["summary.json"])["measures"]


def test_a_cut_line_of_the_ledger_is_dropped_and_the_chain_goes_on(spoilt):
    path = spoilt / "ledger.jsonl"
    cut(path)
    (spoilt / "base/s0/checkpoint.json").unlink()
    resume(spoilt)
    assert ledger.first_broken(path) is None
    assert acts(spoilt)[-1] == "training finished"


def test_resuming_a_finished_run_trains_nothing(spoilt, whole):
    counts = Counts()
    assert resume(spoilt, counts) == whole[0]
    assert counts.trained == 0
