"""A finished run that is trained again: nothing is made anew, and damage is found as before."""

from __future__ import annotations

import json
import shutil

import pytest
from support.training_fixtures import SMALL, small

from tacit.emergence.registry import PROBES
from tacit.envs.jit import kept
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.load_run import load_run
from tacit.training.storage.run_folder import RunFolder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TACIT_CACHE", str(folder / "cache"))
        summary = small(folder / "results")
    return folder, summary


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    return RunFolder(tmp_path / "results" / "ad_auction")


class Told(NoProgress):
    def __init__(self):
        self.lines, self.finishing_steps = [], 0

    def note(self, text):
        self.lines.append(text)

    def finishing(self, what, done, steps):
        self.finishing_steps += 1


def again(run, *settings):
    """Train once more; returns the summary, the notes, and whether results were made."""
    told = Told()
    experiment = load("ad_auction", [*SMALL, *settings])
    summary = train_experiment(experiment, run, told)
    return summary, told.lines, told.finishing_steps > 0


def bytes_of(run):
    return {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}


def test_nothing_is_made_anew_and_the_summary_is_the_same(run, trained):
    before = bytes_of(run)
    summary, notes, made = again(run)
    assert not made
    assert json.dumps(summary) == json.dumps(trained[1])
    assert notes == [f"{run.path}: trained already; nothing to do"]
    assert bytes_of(run) == before


def test_without_a_mark_the_same_is_made_again(run, trained, tmp_path):
    shutil.rmtree(tmp_path / "cache" / "completed")
    before = bytes_of(run)
    summary, notes, made = again(run)
    assert made
    assert json.dumps(summary) == json.dumps(trained[1])
    assert notes == [f"{run.path}: trained already; nothing to do"]
    assert bytes_of(run) == before
    assert not again(run)[2]


@pytest.mark.parametrize("name", ["summary.json", "base/_band/controls.json", "incentives.json"])
def test_what_was_altered_is_told_and_made_anew(run, name):
    path = run.path / name
    if not path.exists():
        pytest.skip("this market has none")
    text = path.read_bytes()
    path.write_bytes(text.replace(b"1", b"2", 1))
    _, notes, _ = again(run)
    assert notes[0].startswith(f"{path}: was altered since it was sealed")
    assert path.read_bytes() == text
    load_run(run.path)


def test_a_damaged_seed_is_trained_again(run):
    path = run.checkpoint("base", 1)
    arrays = path.read_bytes()
    path.write_bytes(arrays[:-1] + bytes([arrays[-1] ^ 1]))
    _, notes, made = again(run)
    assert made
    assert any("trained again" in note or "damaged" in note for note in notes), notes
    assert path.read_bytes() == arrays


def test_other_sources_other_probes_and_plugins_make_everything_anew(run, monkeypatch):
    def mine(population):
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(kept, "_sources_hash", lambda: "edited")
        assert again(run)[2]
    with monkeypatch.context() as patch:
        patch.setenv("TACIT_PLUGINS", "mine.py")
        assert again(run)[2]
    with monkeypatch.context() as patch:
        probe = PROBES["index"]
        patch.setitem(PROBES, "index", type(probe)("index", mine, probe.why_not, probe.figures))
        assert again(run)[2]
    assert not again(run)[2]
