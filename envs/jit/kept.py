"""Answers that one process has found, kept in the cache folder for the next one.

An answer is a small JSON file. Its name is a hash of the question, of the sources of tacit and of
the versions that it was found with, so that an edit or an update asks anew. Whatever goes wrong
with the files (a folder that is full or read-only, a file that was cut), the answer is found anew.
Only answers that come from tacit's own code are to be kept: code from elsewhere may change unseen.
"""

from __future__ import annotations

import hashlib
import json
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .loops import cache_folder_name

OWN = "tacit."  # how the names of tacit's own modules begin
SOURCES = ("agents", "emergence", "envs", "oversight", "training")
LIBRARIES = ("numpy", "numba", "llvmlite", "scipy")
MOST = 400  # answers of a kind that are kept


def is_own(thing: object) -> bool:
    """Whether a class or a function is defined in tacit."""
    return str(getattr(thing, "__module__", "")).startswith(OWN)


def read_kept(kind: str, question: Any) -> Any:
    """The answer that was kept; None where there is none.

    Args:
        kind: what the question is about; names a folder within the cache folder.
        question: whatever the answer depends on, as JSON can hold it.
    """
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(_place(kind, question).read_text(encoding="utf-8"))
    return None


def keep(kind: str, question: Any, answer: Any) -> None:
    """Keep an answer, which JSON can hold, under what `read_kept` is asked with."""
    with suppress(OSError):
        path = _place(kind, question)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_oldest(path.parent)
        path.write_text(json.dumps(answer), encoding="utf-8")


def _place(kind: str, question: Any) -> Path:
    text = json.dumps([question, _sources_hash(), _versions()], sort_keys=True)
    return cache_folder_name() / kind / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def _forget_oldest(folder: Path) -> None:
    """Remove the older half of the answers once there are `MOST`."""
    answers = list(folder.iterdir())
    if len(answers) < MOST:
        return
    for answer in sorted(answers, key=lambda path: path.stat().st_mtime)[: len(answers) // 2]:
        answer.unlink(missing_ok=True)


@cache
def _sources_hash() -> str:
    """SHA-256 of every source file of tacit, as hexadecimal digits."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def _versions() -> list[str | None]:
    return [platform.python_version(), platform.machine(), *map(_version, LIBRARIES)]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
