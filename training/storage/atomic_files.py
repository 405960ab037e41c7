"""Files that are written all or not at all, and JSON in them, sealed where a run relies on it.

A *seal* is the SHA-256 of a JSON file's own text, kept in its last key. It is taken over the bytes,
not over the data that they stand for, so that no altered byte passes, in a number's spelling or in
a blank either. It shows damage and careless edits; whoever edits a file may also seal it again,
which is why the ledger of a run keeps the hashes of its files besides.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError

TEMPORARY = ".tmp"  # ends the name of a file that is being written
SEAL = "seal"
BLANK = "0" * 64  # stands in the seal's place while the seal is computed


# --- bytes ---------------------------------------------------------------------------------------


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name in the same folder, sync it, rename it, sync the folder.

    Whatever interrupts this, the path holds either the old contents or the new.

    Raises:
        ConfigError: the system refuses: the disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)  # of a process that had the same number and was killed
        # "x": whatever else may lie at the temporary name, a link say, is not followed
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable, where the system can do that."""
    with suppress(OSError):  # not on Windows, and not on every network disk
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_file(path: Path) -> bytes:
    """The contents of an ordinary file.

    Raises:
        FileNotFoundError: there is none.
        ConfigError: it is no ordinary file (to open a pipe would wait for ever), or the system
            refuses.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: cannot be read: it is not an ordinary file.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None


def file_hash(path: Path) -> str | None:
    """The SHA-256 of an ordinary file, as hexadecimal digits; None where there is none.

    Raises:
        ConfigError: the system refuses to read it.
    """
    try:
        return hashlib.sha256(read_file(path)).hexdigest()
    except FileNotFoundError:
        return None


# --- JSON ----------------------------------------------------------------------------------------


def as_json(data: Any) -> str:
    """JSON that people can read.

    Raises:
        ValueError: `data` holds a number that JSON has no word for, such as NaN.
    """
    return _indented(data, 0) + "\n"


def _indented(data: Any, level: int) -> str:
    """`json.dumps` with an indent of 1, whose text it is, within so many tables and lists.

    Python's own indents in Python, half a second for hundreds of records. Here its compiled encoder
    writes whatever holds no further table or list: only separators differ between levels.
    """
    encode = _encoder(level + 1)
    if not isinstance(data, dict | list | tuple) or not data:
        return encode(data)
    inside = list(data.values() if isinstance(data, dict) else data)
    space, end = "\n" + " " * (level + 1), "\n" + " " * level
    if not any(isinstance(each, dict | list | tuple) and each for each in inside):
        text = encode(data)
        return f"{text[0]}{space}{text[1:-1]}{end}{text[-1]}"
    parts = [_indented(each, level + 1) for each in inside]
    if not isinstance(data, dict):
        return f"[{space}{f',{space}'.join(parts)}{end}]"
    keys = [encode({key: 0})[1:-1].removesuffix("0") for key in data]
    entries = map("".join, zip(keys, parts, strict=True))
    return f"{{{space}{f',{space}'.join(entries)}{end}}}"


@cache
def _encoder(level: int) -> Callable[[Any], str]:
    """Writes a table or a list on lines that are indented so far, all but the first."""
    separators = (",\n" + " " * level, ": ")
    return json.JSONEncoder(separators=separators, allow_nan=False, ensure_ascii=False).encode


def write_json(path: Path, data: Any) -> None:
    """Write JSON that people can read.

    Raises:
        ValueError: `data` holds a number that JSON has no word for, such as NaN.
        ConfigError: the system refuses.
    """
    write_atomically(path, as_json(data).encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON table; empty where there is no file yet.

    Raises:
        ConfigError: there is a file, and it is not one.
    """
    try:
        data = parse_json(read_file(path))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold a table of keys, got {type(data).__name__}.")
    return data


def parse_json(text: bytes) -> Any:
    """What a JSON text stands for.

    Raises:
        ValueError: it is no JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_keys(text: bytes, keys: Sequence[str]) -> dict[str, Any]:
    """Some values of a table that `as_json` has written, without parsing the others.

    A line that begins with one space and a quotation mark begins a key of the table itself: keys
    within its values have more spaces, and a line break in a string is written as `\\n`.

    Raises:
        ValueError: it is no JSON.
    """
    found = {}
    for key in keys:
        head = f'\n "{key}": '.encode()
        start = text.find(head)
        if start >= 0:
            end = text.find(b'\n "', start + len(head))
            value = text[start + len(head) : end if end >= 0 else text.rfind(b"\n}")]
            found[key] = parse_json(value.rstrip(b","))
    return found


# --- sealed JSON ---------------------------------------------------------------------------------


def write_sealed(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON table with its seal.

    Raises:
        ValueError: `data` holds a number that JSON has no word for, such as NaN.
        ConfigError: the system refuses.
    """
    table = {key: value for key, value in data.items() if key != SEAL}
    text = as_json({**table, SEAL: BLANK}).encode()
    before, after = _around_seal(text)
    write_atomically(path, before + hashlib.sha256(text).hexdigest().encode() + after)


def seal_holds(text: bytes) -> bool:
    """Whether the text of a sealed JSON file is as it was written."""
    before, after = _around_seal(text)
    seal = text[len(before) : len(text) - len(after)]
    digest = hashlib.sha256(before + BLANK.encode() + after).hexdigest()
    return bool(before) and seal == digest.encode()


def _around_seal(text: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind the seal of a file; nothing before it if it has none."""
    tail = b'"\n}\n'
    start = len(text) - len(tail) - len(BLANK)
    if start < 0 or not text.endswith(tail) or not text[:start].endswith(f'"{SEAL}": "'.encode()):
        return b"", text
    return text[:start], tail
