"""The ledger: rare acts of a run, one JSON line each, every line sealed by the hash of the last.

    {"n": 3, "time": "...", "act": "arm finished", ..., "previous": "<sha256>", "hash": "<sha256>"}

`hash` is SHA-256 of the line's canonical JSON without itself, so no line can be changed, left out
or put in without breaking the chain behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIRST = "0" * 64


def _seal(entry: dict[str, Any]) -> str:
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """Appends to a ledger file; safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        entries = []
        if path.exists():
            entries = read(path)
            _drop_cut_line(path)
        self.count = len(entries)
        self.head = entries[-1]["hash"] if entries else FIRST

    def append(self, act: str, **details: Any) -> None:
        """Record an act, on disk before this returns."""
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
    """All entries; a last line that was cut by a crash is dropped."""
    entries = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for k, line in enumerate(lines):
        try:
            entries.append(json.loads(line))
        except ValueError:
            if k < len(lines) - 1:
                raise ValueError(f"{path}:{k + 1}: not a ledger entry") from None
    return entries


def _drop_cut_line(path: Path) -> None:
    """A crash can cut the last line; what was never whole was never recorded."""
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        with path.open("r+b") as file:
            file.truncate(len(whole))


def first_broken(path: Path) -> int | None:
    """The number of the first entry that breaks the chain, or None."""
    head = FIRST
    for n, entry in enumerate(read(path)):
        body = {k: v for k, v in entry.items() if k != "hash"}
        if entry.get("n") != n or entry.get("previous") != head or entry["hash"] != _seal(body):
            return n
        head = entry["hash"]
    return None
