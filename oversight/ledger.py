"""The ledger of a run: rare acts, one JSON line each, chained by hashes.

    {"n": 3, "time": "...", "act": "training finished", "arms": [...],
     "previous": "<hash of line 2>", "hash": "<sha256>"}

`hash` is the SHA-256 of the line's canonical JSON without the key `hash`. As every line holds the
hash of the line before, a line that is changed, removed or inserted breaks the chain from there on.
Whoever can write the file can also forge a whole chain: the chain shows tampering only to someone
who kept an earlier hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError

FIRST = "0" * 64  # `previous` of the first entry


def _seal(entry: dict[str, Any]) -> str:
    """SHA-256 of an entry that has no `hash` yet, as hexadecimal digits."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """Appends to a ledger file; safe to use from several threads of one process.

    Attributes:
        path: the file; it is created by the first entry.
        count: entries so far.
        head: hash of the last entry, or `FIRST`.
    """

    def __init__(self, path: Path) -> None:
        """Continue the ledger at `path`, or begin one.

        Raises:
            ConfigError: a line of the file is no entry.
        """
        self.path = path
        self._lock = threading.Lock()
        entries = []
        if path.exists():
            _drop_cut_line(path)
            entries = read(path)
        self.count = len(entries)
        self.head = entries[-1]["hash"] if entries else FIRST

    def append(self, act: str, **details: Any) -> None:
        """Record an act. The entry is on disk before this returns.

        Args:
            act: what was done, in a few words.
            details: whatever belongs to it, as JSON can hold it.
        """
        with self._lock:
            entry = {
                "n": self.count,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "act": act,
                **details,
                "previous": self.head,
            }
            entry["hash"] = _seal(entry)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self.count, self.head = self.count + 1, entry["hash"]


def read(path: Path) -> list[dict[str, Any]]:
    """All entries of a ledger, in order; a last line that was cut by a crash is left out.

    The chain is not checked here, see `first_broken`.

    Raises:
        ConfigError: a line is no entry.
    """
    entries = []
    for number, line in enumerate(_complete_part(path).splitlines(), start=1):
        entry = _parse(line)
        if entry is None:
            raise ConfigError(f"{path}: line {number} is not a ledger entry; it was altered.")
        entries.append(entry)
    return entries


def first_broken(path: Path) -> int | None:
    """The number (from 0) of the first entry that breaks the chain, or None."""
    head = FIRST
    for n, line in enumerate(_complete_part(path).splitlines()):
        entry = _parse(line)
        if entry is None:
            return n
        body = {key: value for key, value in entry.items() if key != "hash"}
        if entry.get("n") != n or entry.get("previous") != head or entry["hash"] != _seal(body):
            return n
        head = entry["hash"]
    return None


def _parse(line: bytes) -> dict[str, Any] | None:
    """A line as an entry; None if it is none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("hash"), str) else None


def _complete_part(path: Path) -> bytes:
    """The file up to its last line feed.

    `append` writes an entry and its line feed in one go, so a last line without one was cut by a
    crash: its act was never recorded.
    """
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def _drop_cut_line(path: Path) -> None:
    """Remove a last line that was cut, so that the next entry begins on a line of its own."""
    complete = len(_complete_part(path))
    if complete < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(complete)
