"""One safetensors file a save, beside it a JSON that names its SHA-256. No pickle, ever.

A flipped bit loads silently without the hash, so the hash is checked before anything is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.envs.errors import ConfigError

from .legacy import upgrade_arrays, upgrade_record


def write_atomically(path: Path, data: bytes) -> None:
    """All of it or nothing: a temporary name in the same folder, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, data: Any) -> None:
    """JSON that people can read; NaN is refused."""
    text = json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON table; empty where there is none yet.

    Raises:
        ConfigError: there is a file, and it is not one.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold a table of keys, got {type(data).__name__}.")
    return data


def save(path: Path, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any]) -> None:
    """Write `path` (.safetensors) and the record beside it (.json), which seals it."""
    data = save_tensors({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    write_atomically(path, data)
    sealed = {**record, "sha256": hashlib.sha256(data).hexdigest()}
    write_json(path.with_suffix(".json"), sealed)


def read_record(path: Path) -> dict[str, Any] | None:
    """The record beside a checkpoint; None where the save was not finished."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return upgrade_record(record) if isinstance(record, dict) and path.is_file() else None


def finished(path: Path) -> dict[str, Any] | None:
    """The record of a checkpoint that is whole; None where it is missing, cut or altered."""
    record = read_record(path)
    if record is None or hashlib.sha256(path.read_bytes()).hexdigest() != record.get("sha256"):
        return None
    return record


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and record of a checkpoint.

    Raises:
        ConfigError: it is missing, cut or altered.
    """
    record = read_record(path)
    if record is None:
        raise ConfigError(f"{path}: there is no finished checkpoint here.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != record.get("sha256"):
        raise ConfigError(f"{path}: does not match its SHA-256; it was cut or altered.")
    return upgrade_arrays(load_tensors(data)), record
