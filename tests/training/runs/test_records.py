"""Checkpoints and the ledger: exact, sealed, and told when they were altered."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.oversight.ledger import Ledger
from tacit.training.runs import checkpoint

# --- checkpoints ---------------------------------------------------------------------------------

ARRAYS = {
    "q": np.linspace(-1e300, 1e300, 7),
    "nothing": np.array([np.nan, np.inf, -0.0, 5e-324]),
    "counts": np.arange(-3, 3, dtype=np.int64).reshape(2, 3),
    "greedy": np.array([[1], [2]], np.int32),
    "keys": np.array([2**64 - 1, 0], np.uint64),
    "none": np.zeros((0, 4)),
    "turned": np.arange(6.0).reshape(2, 3).T,  # not contiguous
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "new/folder/checkpoint.safetensors"
    checkpoint.save(path, ARRAYS, {"seed": 3, "measures": {"profit": 0.1}})
    return path


def test_a_round_trip_is_exact(saved):
    arrays, record = checkpoint.load(saved)
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == np.ascontiguousarray(array).tobytes()
    assert (record["seed"], record["measures"]["profit"]) == (3, 0.1)
    assert sorted(p.name for p in saved.parent.iterdir()) == [
        "checkpoint.json", "checkpoint.safetensors",
    ]  # fmt: skip


def test_any_flipped_bit_is_refused(saved):
    whole = saved.read_bytes()
    for where in (0, 9, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[where] ^= 0b100
        saved.write_bytes(bytes(data))
        assert checkpoint.finished(saved) is None
        with pytest.raises(ConfigError, match="does not match its SHA-256; it was cut or altered"):
            checkpoint.load(saved)
    saved.write_bytes(whole)
    assert checkpoint.finished(saved) is not None


@pytest.mark.parametrize("gone", ["checkpoint.json", "checkpoint.safetensors"])
def test_half_a_save_is_none(saved, gone):
    (saved.parent / gone).unlink()
    assert checkpoint.finished(saved) is None
    with pytest.raises(ConfigError, match="there is no finished checkpoint here"):
        checkpoint.load(saved)


def test_a_new_save_replaces_the_old_one_whole(saved):
    checkpoint.save(saved, {"q": np.zeros(2)}, {"seed": 4})
    arrays, record = checkpoint.load(saved)
    assert (list(arrays), record["seed"]) == (["q"], 4)


def test_json_refuses_what_json_has_no_word_for(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        checkpoint.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


# --- ledger --------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for k in range(5):
        book.append("seed finished", seed=k, note="Pr\u00fcfung\u2028\x85 'quoted'")
    return book.path


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
    book = Ledger(path)
    assert (book.count, book.head) == (5, ledger.read(path)[-1]["hash"])
    book.append("training finished")
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
        lines[2] = json.dumps(entry | {"hash": ledger._seal(entry)}).encode() + b"\n"

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


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_cut_last_line_is_dropped(path, kept):
    """Also one that lacks only its line end: what was never whole was never recorded."""

    def change(lines):
        lines[-1] = lines[-1][:kept]

    rewrite(path, change)
    assert len(ledger.read(path)) == 4
    assert ledger.first_broken(path) is None
    book = Ledger(path)
    book.append("training finished")
    entries = ledger.read(path)
    assert [e["n"] for e in entries] == list(range(5))
    assert entries[-1]["act"] == "training finished"
    assert ledger.first_broken(path) is None


def test_an_empty_file_is_an_empty_ledger(tmp_path):
    (tmp_path / "ledger.jsonl").write_text("")
    book = Ledger(tmp_path / "ledger.jsonl")
    assert (book.count, book.head) == (0, ledger.FIRST)


def test_threads_may_write_together(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    threads = [
        threading.Thread(target=lambda k=k: [book.append("act", by=k) for _ in range(5)])
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.first_broken(book.path) is None
    assert len(ledger.read(book.path)) == 40
