"""One writer a run: a lock that every command takes before it writes to a run's folder.

The lock is the operating system's (`filelock`), so it ends with the process that holds it, however
that ends. Who holds it is written beside it, for the message that another command gets. What
several commands share (config.yaml, incentives.json, summary.json, the ledger) is read after the
lock is taken and written before it is given back.

Worker processes outlive a parent that is killed by some milliseconds. So whoever trains a seed also
holds a lock of that seed, and a resumed run waits for it.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tacit.envs.errors import ConfigError

from .atomic_files import TEMPORARY, read_json, write_json
from .run_folder import RunFolder

FOLDER = ".locks"
PATIENCE = 30.0  # seconds that a seed waits for a process that still writes it


@contextmanager
def writing(run: RunFolder, clean: bool = True) -> Iterator[None]:
    """Hold a run's lock; the same thread may take it again within.

    Args:
        run: the run.
        clean: remove temporary files that an interrupted writer left behind. Not in a folder of
            runs, each of which has writers of its own.

    Raises:
        ConfigError: another process or thread holds the lock, or the folder cannot be written.
    """
    holder = run.inside(FOLDER, "holder.json")
    lock = _lock(run, "run.lock")
    if not _taken(run, lock, 0.0):
        raise ConfigError(
            f"{run.path}: {_told(holder)} is writing to this run. Nothing was changed. Wait until "
            "it has ended, or stop it."
        )
    try:
        if lock.lock_counter == 1:  # not a second time within the same thread
            write_json(holder, _this_process())
            if clean:
                _remove_temporary_files(run)
        yield
    finally:
        if lock.lock_counter == 1:
            with suppress(OSError):
                holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def writing_seed(run: RunFolder, arm: str, k: int) -> Iterator[None]:
    """Hold the lock of repetition k of an arm.

    Raises:
        ConfigError: another process still holds it after half a minute.
    """
    lock = _lock(run, f"{arm}.s{k}.lock")
    if not _taken(run, lock, PATIENCE):
        raise ConfigError(
            f"{run.path}: seed {k} of arm {arm} is still being written by a process of an earlier "
            "command. Stop it and try again."
        )
    try:
        yield
    finally:
        lock.release()


def told_holder(run: RunFolder) -> str | None:
    """Who writes to a run now, in words; None if nobody does, or this thread."""
    try:
        lock = _lock(run, "run.lock")
        if _taken(run, lock, 0.0):
            lock.release()
            return None
    except ConfigError:
        return None  # a disk that can only be read has no writer
    return _told(run.inside(FOLDER, "holder.json"))


def _lock(run: RunFolder, name: str) -> FileLock:
    """A lock file of a run; the same object within a process, so that it counts how often."""
    path = run.inside(FOLDER, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"results: {run.path} cannot be written: {error.strerror}.") from None
    # The real path: two ways to the same folder must meet the same lock. Not a file that only marks
    # the lock where the disk has none: it would outlive a process that is killed.
    return FileLock(os.path.realpath(path), is_singleton=True, fallback_to_soft=False)


def _taken(run: RunFolder, lock: FileLock, seconds: float) -> bool:
    """Take a lock, waiting so long for it; False if another process still holds it then.

    Raises:
        ConfigError: the disk has no locks, or the lock's file cannot be opened.
    """
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    except (OSError, NotImplementedError) as error:
        raise ConfigError(f"{run.path}: cannot be locked: {error}.") from None
    return True


def _this_process() -> dict[str, str | int]:
    """What another command is told of this process."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return {
        "command": " ".join([program, *sys.argv[1:]])[:200],
        "process": os.getpid(),
        "host": platform.node(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _told(holder: Path) -> str:
    """Who holds a lock, in words."""
    try:
        known = read_json(holder)
    except ConfigError:
        known = {}
    if not known:
        return "another process"
    return (
        f"'{known.get('command')}' (process {known.get('process')} on {known.get('host')}, since "
        f"{known.get('since')})"
    )


def _remove_temporary_files(run: RunFolder) -> None:
    """Remove files that a killed writer was in the middle of; only the lock's holder may."""
    for folder, _, names in os.walk(run.path):  # does not follow links
        for name in names:
            if name.startswith(".") and name.endswith(TEMPORARY):
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))
