"""One writer a run, and what another one is told."""

from __future__ import annotations

import threading

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.storage import run_lock
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing, writing_seed


def in_a_thread(do):
    """What came of it: None, or the mistake."""
    found = []

    def run():
        try:
            do()
            found.append(None)
        except ConfigError as error:
            found.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def take(run):
    with writing(run):
        pass


def test_the_holder_may_take_it_again_and_another_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/tacit", "train", "x"])
    run = RunFolder(tmp_path / "x")
    with writing(run):
        take(run)
        told = in_a_thread(lambda: take(run))
        assert told.startswith(f"{run.path}: 'tacit train x' (process ")
        assert told.endswith("Nothing was changed. Wait until it has ended, or stop it.")
    assert in_a_thread(lambda: take(run)) is None


def test_two_ways_to_one_folder_meet_one_lock(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with writing(RunFolder(tmp_path / "x")):
        assert "is writing to this run" in in_a_thread(lambda: take(RunFolder(tmp_path / "link")))


def test_a_holder_that_left_no_name_is_another_process(tmp_path):
    run = RunFolder(tmp_path / "x")
    with writing(run):
        (run.path / ".locks/holder.json").write_text("{")
        assert "another process is writing" in in_a_thread(lambda: take(run))


def test_what_a_killed_writer_left_half_written_is_removed(tmp_path):
    run = RunFolder(tmp_path / "x")
    names = [".config.yaml.123.tmp", "calm/s0/.checkpoint.json.9.tmp", ".locks/.holder.json.9.tmp"]
    left = [run.path / name for name in names]
    kept = run.path / "calm/s0/notes.tmp"
    for path in (*left, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    take(run)
    assert not any(path.exists() for path in left)
    assert kept.exists()


def test_a_seed_waits_for_a_process_that_still_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "PATIENCE", 0.1)
    run = RunFolder(tmp_path / "x")

    def again():
        with writing_seed(run, "calm", 3):
            pass

    with writing_seed(run, "calm", 3):
        assert in_a_thread(again) == (
            f"{run.path}: seed 3 of arm calm is still being written by a process of an earlier "
            "command. Stop it and try again."
        )
        with writing_seed(run, "calm", 4):
            pass
    assert in_a_thread(again) is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"results: .*file/x cannot be written"):
        take(RunFolder(tmp_path / "file" / "x"))
