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

from tacit.envs.errors import ConfigError

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
            _drop_cut_line(path)
            entries = read(path)
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
    for k, line in enumerate(_whole(path).splitlines()):
        entry = _entry(line)
        if entry is None:
            raise ConfigError(f"{path}: line {k + 1} is not a ledger entry; it was altered.")
        entries.append(entry)
    return entries


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("hash"), str) else None


def _whole(path: Path) -> bytes:
    """The file without a last line that was cut: it was never recorded."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def _drop_cut_line(path: Path) -> None:
    whole = len(_whole(path))
    if whole < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(whole)


def first_broken(path: Path) -> int | None:
    """The number of the first entry that breaks the chain, or None."""
    head = FIRST
    for n, line in enumerate(_whole(path).splitlines()):
        entry = _entry(line)
        if entry is None:
            return n
        body = {k: v for k, v in entry.items() if k != "hash"}
        if entry.get("n") != n or entry.get("previous") != head or entry["hash"] != _seal(body):
            return n
        head = entry["hash"]
    return None
