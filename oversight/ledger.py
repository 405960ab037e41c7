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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from tacit.envs.errors import ConfigError

FIRST = "0" * 64  # `previous` of the first entry
OF_A_LINE = ("n", "time", "previous", "hash")  # keys of every entry, that say where it stands
LOCKS = ".locks"  # the folder beside a ledger in which locks lie
PATIENCE = 30.0  # seconds that an entry waits for another process to append its own


def _seal(entry: dict[str, Any]) -> str:
    """SHA-256 of an entry that has no `hash` yet, as hexadecimal digits."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """Appends to a ledger file; safe to use from several threads and processes at once.

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
        self.count, self.head, self._size = 0, FIRST, 0
        if path.exists():
            with _alone(path):  # a line that somebody else is writing must not look cut
                self._catch_up()

    def _catch_up(self) -> None:
        """Read what others have appended.

        Raises:
            ConfigError: a line of the file is no entry.
        """
        entries = []
        if self.path.exists():
            entries = read(self.path)
            _end_last_line(self.path)
        self.count = len(entries)
        self.head = entries[-1]["hash"] if entries else FIRST
        self._size = self._size_now()

    def _size_now(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, act: str, **details: Any) -> None:
        """Record an act. The entry is on disk before this returns.

        Args:
            act: what was done, in a few words.
            details: whatever belongs to it, as JSON can hold it.

        Raises:
            ConfigError: the system refuses; the file is as it was.
        """
        # A worker process appends what it does itself, so the head may have moved.
        with self._lock, _alone(self.path):
            if self._size_now() != self._size:
                self._catch_up()
            entry = {
                "n": self.count,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "act": act,
                **details,
                "previous": self.head,
            }
            entry["hash"] = _seal(entry)
            _append_line(self.path, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            self.count, self.head = self.count + 1, entry["hash"]
            self._size = self._size_now()

    def append_once(self, act: str, **details: Any) -> None:
        """`append`, unless there is an entry of the same act with the same details.

        Raises:
            ConfigError: as for `append`.
        """
        wanted = {"act": act, **details}
        for entry in read(self.path) if self.path.exists() else []:
            if {key: x for key, x in entry.items() if key not in OF_A_LINE} == wanted:
                return
        self.append(act, **details)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While no other process appends to a ledger.

    Raises:
        ConfigError: the lock is a link, or the system refuses it.
    """
    lock = path.parent / LOCKS / "ledger.lock"
    if lock.is_symlink() or lock.parent.is_symlink():
        raise ConfigError(f"{lock}: is a link; nothing was written.")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        taken = FileLock(lock, fallback_to_soft=False)
        taken.acquire(timeout=PATIENCE)
    except (OSError, NotImplementedError) as error:
        raise ConfigError(f"{path}: cannot be locked: {error}.") from None
    try:
        yield
    finally:
        taken.release()


def read(path: Path) -> list[dict[str, Any]]:
    """All entries of a ledger, in order; a last line that was cut by a crash is left out.

    The chain is not checked here, see `first_broken`.

    Raises:
        ConfigError: a line is no entry.
    """
    entries = []
    for number, line in enumerate(_lines(path), start=1):
        entry = _parse(line)
        if entry is None:
            raise ConfigError(f"{path}: line {number} is not a ledger entry; it was altered.")
        entries.append(entry)
    return entries


def first_broken(path: Path) -> int | None:
    """The number (from 0) of the first entry that breaks the chain, or None.

    Raises:
        ConfigError: it is not an ordinary file.
    """
    head = FIRST
    for n, line in enumerate(_lines(path)):
        entry = _parse(line)
        if entry is None:
            return n
        if entry.get("n") != n or entry.get("previous") != head or not _is_sealed(entry, line):
            return n
        head = entry["hash"]
    return None


def _is_sealed(entry: dict[str, Any], line: bytes) -> bool:
    """Whether a line is, byte for byte, what `append` wrote of an entry with this hash."""
    body = {key: value for key, value in entry.items() if key != "hash"}
    return entry["hash"] == _seal(body) and line == json.dumps(entry, ensure_ascii=False).encode()


def _parse(line: bytes) -> dict[str, Any] | None:
    """A line as an entry; None if it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("hash"), str) else None


# --- the file ------------------------------------------------------------------------------------


def _lines(path: Path) -> list[bytes]:
    """The lines of the file, without one that was cut by a crash.

    `append` writes an entry and its line feed in one go, so a last line without a line feed was
    cut: its act was never recorded. A last line that lacks only the line feed is whole. If it has
    another byte in its place, no crash did that: the line is kept, and `first_broken` finds it.

    Raises:
        ConfigError: it is not an ordinary file.
    """
    if not path.is_file():  # to open a pipe would wait for ever
        raise ConfigError(f"{path}: cannot be read: it is not an ordinary file.")
    *lines, rest = path.read_bytes().split(b"\n")
    is_whole = (entry := _parse(rest)) is not None and _is_sealed(entry, rest)
    is_altered = (entry := _parse(rest[:-1])) is not None and _is_sealed(entry, rest[:-1])
    return [*lines, rest] if is_whole or is_altered else lines


def _end_last_line(path: Path) -> None:
    """Complete or remove a last line that was cut, so that the next entry has a line of its own."""
    data = path.read_bytes()
    kept = sum(len(line) + 1 for line in _lines(path))
    if kept == len(data):
        return
    with path.open("r+b") as file:
        if kept > len(data):
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        else:
            file.truncate(kept)


def _append_line(path: Path, line: bytes) -> None:
    """Append a line and sync the file; where that fails, the file is as it was.

    Raises:
        ConfigError: the system refuses.
    """
    size = path.stat().st_size if path.exists() else 0
    try:
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            os.truncate(path, size)
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None
