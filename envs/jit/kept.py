"""Answers that one process has found, kept in the cache folder for the next one.

An answer is a small JSON file. Its name is a hash of the question, of the sources of tacit, of the
versions and of the processor that it was found with, so that an edit or an update asks anew. It
holds its own hash. Whatever goes wrong with the files (a folder that is full or read-only, a file
that was cut or altered), the answer is found anew.
Only answers that come from tacit's own code are to be kept: code from elsewhere may change unseen.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .loops import cache_folder_name
from .processor import processor

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
        digest, _, text = _place(kind, question).read_text(encoding="utf-8").partition("\n")
        if digest == _hash(text):
            return json.loads(text)
    return None


def keep(kind: str, question: Any, answer: Any) -> None:
    """Keep an answer, which JSON can hold, under what `read_kept` is asked with."""
    with suppress(OSError):
        path = _place(kind, question)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_oldest(path.parent)
        text = json.dumps(answer)
        _write(path, f"{_hash(text)}\n{text}")


def _place(kind: str, question: Any) -> Path:
    text = json.dumps([question, _sources_hash(), _versions()], sort_keys=True)
    return cache_folder_name() / kind / f"{_hash(text)}.json"


def _hash(text: str) -> str:
    """SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    """Write a file all or not at all: another process may be reading it.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")  # with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


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
def _versions() -> list[Any]:
    """What an answer was found with, beside the sources."""
    return [
        platform.python_version(), platform.machine(), processor(), *map(_version, LIBRARIES)
    ]  # fmt: skip


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
