"""The ledger: a chain of entries, in which every change is found."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.oversight.ledger import Ledger


@pytest.fixture
def path(tmp_path):
    log = Ledger(tmp_path / "ledger.jsonl")
    for k in range(5):
        log.append("seed finished", seed=k, note="Pr\u00fcfung\u2028\x85 'quoted'")
    return log.path


def rewrite(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def test_the_chain_is_whole(path):
    entries = ledger.read(path)
    assert ledger.first_broken(path) is None
    assert [e["n"] for e in entries] == list(range(5))
    assert entries[0]["previous"] == ledger.FIRST
    assert [e["previous"] for e in entries[1:]] == [e["hash"] for e in entries[:-1]]
    assert set(entries[0]) == {"n", "time", "act", "seed", "note", "previous", "hash"}


def test_it_goes_on_where_it_ended(path):
    log = Ledger(path)
    assert (log.count, log.head) == (5, ledger.read(path)[-1]["hash"])
    log.append("training finished")
    assert ledger.first_broken(path) is None
    assert len(ledger.read(path)) == 6


def test_a_changed_line_is_found(path):
    def change(lines):
        lines[2] = lines[2].replace(b'"seed": 2', b'"seed": 7')

    rewrite(path, change)
    assert ledger.first_broken(path) == 2


def test_a_line_changed_and_sealed_anew_breaks_the_next_one(path):
    def change(lines):
        entry = json.loads(lines[2]) | {"seed": 7}
        del entry["hash"]
        sealed = entry | {"hash": ledger._seal(entry)}
        lines[2] = json.dumps(sealed, ensure_ascii=False).encode() + b"\n"

    rewrite(path, change)
    assert ledger.first_broken(path) == 3


@pytest.mark.parametrize("n", [0, 3])
def test_a_removed_line_is_found(path, n):
    rewrite(path, lambda lines: lines.pop(n))
    assert ledger.first_broken(path) == n


def test_an_inserted_line_is_found(path):
    rewrite(path, lambda lines: lines.insert(2, lines[1]))
    assert ledger.first_broken(path) == 2


def test_lines_that_changed_places_are_found(path):
    rewrite(path, lambda lines: lines.insert(1, lines.pop(3)))
    assert ledger.first_broken(path) == 1


@pytest.mark.parametrize("line", [b"what\n", b"[1]\n", b'{"act": "x"}\n', b"\xff\n", b"\n"])
def test_a_line_that_is_no_entry_is_found_and_refused(path, line):
    rewrite(path, lambda lines: lines.insert(4, line))
    assert ledger.first_broken(path) == 4
    with pytest.raises(ConfigError, match=r"ledger\.jsonl: line 5 is not a ledger entry"):
        Ledger(path)


def test_the_same_entry_written_in_another_way_is_found(path):
    rewrite(path, lambda lines: lines.insert(2, lines.pop(2).replace(b'"n": 2', b'"n":  2')))
    assert ledger.first_broken(path) == 2


def test_a_last_line_that_lacks_only_its_end_is_whole(path):
    def change(lines):
        lines[-1] = lines[-1][:-1]

    rewrite(path, change)
    assert len(ledger.read(path)) == 5
    assert ledger.first_broken(path) is None
    Ledger(path).append("training finished")
    assert [entry["n"] for entry in ledger.read(path)] == list(range(6))
    assert ledger.first_broken(path) is None


@pytest.mark.parametrize("bit", range(8))
def test_an_altered_end_of_the_last_line_is_found(path, bit):
    def change(lines):
        lines[-1] = lines[-1][:-1] + bytes([ord("\n") ^ 1 << bit])

    rewrite(path, change)
    assert ledger.first_broken(path) == 4
    with pytest.raises(ConfigError, match=r"ledger\.jsonl: line 5 is not a ledger entry"):
        Ledger(path)


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_cut_last_line_is_dropped(path, kept):
    """What was never whole was never recorded."""

    def change(lines):
        lines[-1] = lines[-1][:kept]

    rewrite(path, change)
    assert len(ledger.read(path)) == 4
    assert ledger.first_broken(path) is None
    log = Ledger(path)
    log.append("training finished")
    entries = ledger.read(path)
    assert [e["n"] for e in entries] == list(range(5))
    assert entries[-1]["act"] == "training finished"
    assert ledger.first_broken(path) is None


def test_an_empty_file_is_an_empty_ledger(tmp_path):
    (tmp_path / "ledger.jsonl").write_text("")
    log = Ledger(tmp_path / "ledger.jsonl")
    assert (log.count, log.head) == (0, ledger.FIRST)


def test_threads_may_write_together(tmp_path):
    log = Ledger(tmp_path / "ledger.jsonl")
    threads = [
        threading.Thread(target=lambda k=k: [log.append("act", by=k) for _ in range(5)])
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.first_broken(log.path) is None
    assert len(ledger.read(log.path)) == 40


def test_several_ledgers_of_one_file_write_one_chain(tmp_path):
    """Threads that each open the file, while an older one goes on: as breakers of seeds do."""
    path = tmp_path / "ledger.jsonl"
    older = Ledger(path)
    older.append("begun")

    def write(name):
        for k in range(12):
            Ledger(path).append("tripped", thread=name, k=k)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for k in range(12):
        older.append("training", k=k)
    for thread in threads:
        thread.join()
    assert ledger.first_broken(path) is None
    assert len(ledger.read(path)) == 1 + 6 * 12 + 12
    older.append("ended")
    assert older.count == len(ledger.read(path)) == 86


def test_other_processes_write_into_the_same_chain(tmp_path):
    path = tmp_path / "ledger.jsonl"
    own = Ledger(path)
    code = (
        "import sys; from pathlib import Path; from tacit.oversight.ledger import Ledger\n"
        "for k in range(20): Ledger(Path(sys.argv[1])).append('tripped', k=k)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    for k in range(40):
        own.append("training", k=k)
    assert process.wait() == 0
    assert ledger.first_broken(path) is None
    assert len(ledger.read(path)) == 60


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (tmp_path / ".locks").mkdir()
    (tmp_path / ".locks" / "ledger.lock").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="is a link"):
        Ledger(tmp_path / "ledger.jsonl").append("begun")
    assert elsewhere.read_text() == "kept"
    assert not (tmp_path / "ledger.jsonl").exists()


# --- where it cannot be written -------------------------------------------------------------------


def test_a_lock_that_the_system_refuses_is_said(path, monkeypatch):
    def refuse(self, timeout):
        raise OSError("no locks here")

    monkeypatch.setattr(ledger.FileLock, "acquire", refuse)
    with pytest.raises(ConfigError, match="cannot be locked: no locks here"):
        Ledger(path).append("x")


def test_what_could_not_be_written_leaves_the_file_as_it_was(path, monkeypatch):
    """The disk is full after some bytes: they are taken back, and the next entry follows on."""
    before, log, plain = path.read_bytes(), Ledger(path), ledger.os.fsync

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger.os, "fsync", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        log.append("lost")
    assert path.read_bytes() == before
    assert log.count == 5
    monkeypatch.setattr(ledger.os, "fsync", plain)
    log.append("kept")
    assert [entry["act"] for entry in ledger.read(path)][4:] == ["seed finished", "kept"]
    assert ledger.first_broken(path) is None


def test_a_folder_is_no_ledger(tmp_path):
    (tmp_path / "ledger.jsonl").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: it is not an ordinary file"):
        ledger.read(tmp_path / "ledger.jsonl")
