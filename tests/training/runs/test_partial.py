"""Seeds that were cut on their way: they go on, and end in the same weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

import numpy as np
import pytest
from support.training_fixtures import InterruptAfter, files_of

from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.training import train
from tacit.training.runs import partial
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage import checkpoint, machine
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

ROUNDS = 384
KEYS = (
    "agents.bidder_0=ippo",
    "agents.bidder_0.rounds_per_update=16",
    "agents.bidder_0.hidden=[8]",
    "train.copies=4",
    "market.bids=5",  # so that what is measured at the end takes little
    f"train.rounds={ROUNDS}",
    "train.measure_last=100",
    "seeds=2",
)


def go(results, listener=None):
    """One seat learns by PPO, the other by Q-learning; two seeds."""
    return train("ad_auction", KEYS, results=results, listener=listener)


class Notes(NoProgress):
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)


@pytest.fixture(autouse=True, scope="module")
def _saves_often():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial, "EVERY", 0.0)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: its measures and checkpoints."""
    results = tmp_path_factory.mktemp("whole") / "results"
    return go(results)["measures"], files_of(results), results


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A run that was stopped with both seeds on their way."""
    results = tmp_path_factory.mktemp("cut") / "results"
    with pytest.raises(Interrupted):
        go(results, InterruptAfter(30))
    return results


@pytest.fixture
def stopped(cut, tmp_path):
    """A copy of that run, to change and to go on with."""
    return shutil.copytree(cut, tmp_path / "results")


def saved(results):
    """The saves of seeds that are on their way."""
    return sorted(results.rglob(partial.NAME))


@pytest.mark.slow
def test_a_cut_seed_goes_on_where_it_was(stopped, whole):
    counts = [checkpoint.finished(path)["rounds"] for path in saved(stopped)]
    assert any(0 < rounds < ROUNDS for rounds in counts)
    assert go(stopped)["measures"] == whole[0]
    assert files_of(stopped) == whole[1]
    assert saved(stopped) == []


@pytest.mark.slow
def test_events_of_a_cut_seed_are_written_once(stopped):
    from support.boards import Board

    for folder in {path.parent for path in saved(stopped)}:  # written after the save, then killed
        (event,) = folder.glob("events.out.tfevents.*")
        with event.open("ab") as file:
            file.write(b"half a rec")
    go(stopped)
    board = Board(stopped / "ad_auction" / "base")
    for run in ("s0", "s1"):
        steps = [event.step for event in board.events.Tensors(run, "reward/bidder_0")]
        assert steps == sorted(set(steps))
        assert steps[-1] == ROUNDS


@pytest.mark.slow
def test_killed_twenty_times_it_ends_in_the_same_weights(tmp_path, whole):
    """SIGKILL at random moments: whatever stands on disk then is enough, and never wrong."""
    began = time.monotonic()
    go(tmp_path / "timed")
    length = time.monotonic() - began
    for n in range(20):
        child = os.fork()
        if child == 0:
            try:
                go(tmp_path / "killed")
            finally:
                os._exit(0)
        time.sleep(length * rng.u(np.uint64(7), n))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert go(tmp_path / "killed")["measures"] == whole[0]
    assert files_of(tmp_path / "killed") == whole[1]


@pytest.mark.slow
def test_a_flipped_bit_is_reported_and_the_seed_trained_again(stopped, whole):
    path = saved(stopped)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    notes = Notes()
    assert go(stopped, notes)["measures"] == whole[0]
    assert any("cut or altered" in text and str(path) in text for text in notes.lines)


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "checkpoint.json"])
def test_a_cut_checkpoint_of_a_finished_seed_is_reported(name, tmp_path, whole):
    results = shutil.copytree(whole[2], tmp_path / "results")
    path = results / "ad_auction" / "base" / "s1" / name
    path.write_bytes(path.read_bytes()[:-7])
    notes = Notes()
    assert go(results, notes)["measures"] == whole[0]
    assert any("cut or altered" in text and str(path) in text for text in notes.lines)


def change(path, **values):
    """A save whose record says something else."""
    record = json.loads(path.with_suffix(".json").read_text())
    checkpoint.rewrite_record(path, record | values)


def refused(results, path, match):
    before = path.read_bytes(), path.with_suffix(".json").read_bytes()
    with pytest.raises(ConfigError, match=match):
        go(results)
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == before


def test_a_save_of_another_version_is_refused_and_kept(stopped):
    path = saved(stopped)[0]
    versions = machine.machine()["versions"] | {"tacit": "0.0.1"}
    change(path, machine=machine.machine() | {"versions": versions})
    refused(stopped, path, r"saved with tacit 0\.0\.1 \(here ")


def test_a_save_of_another_configuration_is_refused_and_kept(stopped):
    path = saved(stopped)[0]
    arm = json.loads(path.with_suffix(".json").read_text())["arm"]
    change(path, arm=arm | {"seeds": 3})
    refused(stopped, path, "another configuration")


@pytest.mark.slow
def test_a_save_of_another_processor_goes_on_with_a_note(stopped, whole):
    path = saved(stopped)[0]
    change(path, machine=machine.machine() | {"flags": ["avx9"]})
    notes = Notes()
    assert go(stopped, notes)["measures"] == whole[0]
    assert any("not bit for bit" in text for text in notes.lines)


@pytest.mark.slow
def test_a_run_on_disk_resumes_from_its_saves(stopped, whole):
    run = RunFolder(stopped / "ad_auction")
    assert train_experiment(read_experiment(run), run, NoProgress())["measures"] == whole[0]


def test_a_loss_that_diverges_names_seat_seed_and_update_and_keeps_the_last_save(tmp_path):
    keys = [k for k in KEYS if "hidden" not in k] + ["agents.bidder_0.learning_rate=1e25"]
    with pytest.raises(ConfigError, match=r"bidder_0.*seed \d.*update \d"):
        train("ad_auction", keys, results=tmp_path)
    for path in saved(tmp_path):
        assert checkpoint.finished(path)
