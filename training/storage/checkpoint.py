"""Checkpoints: one safetensors file a save, beside it a sealed JSON record with its SHA-256.

A flipped bit loads silently without the hash, so hash and seal are checked before anything is used.
No pickle is read or written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.envs.errors import ConfigError

from .atomic_files import SEAL, parse_json, read_file, seal_holds, write_atomically, write_sealed
from .legacy import UNSEALED_KEYS, upgrade_arrays, upgrade_record


def save(path: Path, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any]) -> None:
    """Write a checkpoint.

    Args:
        path: the .safetensors file.
        arrays: of any shape and type, by name.
        record: what the .json beside it holds, together with the hash.

    Raises:
        ConfigError: the system refuses.
    """
    data = save_tensors({name: contiguous(a) for name, a in arrays.items()})
    # The record is written last: without it, or with another hash in it, the save is unfinished.
    write_atomically(path, data)
    write_sealed(path.with_suffix(".json"), {**record, "sha256": _sha256(data)})


def contiguous(array: NDArray[Any]) -> NDArray[Any]:
    """The array as it can be saved, in its own shape: NumPy's function gives a number the shape
    `[1]`."""
    return np.ascontiguousarray(array).reshape(array.shape)


def read_record(path: Path) -> dict[str, Any] | None:
    """The record beside a checkpoint; None where either is missing, or the record was altered.

    The arrays' hash is not checked. A record without a seal is one of a version that sealed none:
    it has no key that such versions did not write.
    """
    found = _read(path)
    return upgrade_record(found[0]) if found else None


def _read(path: Path) -> tuple[dict[str, Any], bytes] | None:
    """`read_record` under the names that it was written with, and the text of its file."""
    try:
        text = read_file(path.with_suffix(".json"))
        record = parse_json(text)
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not path.is_file():
        return None
    if not (seal_holds(text) if SEAL in record else record.keys() <= UNSEALED_KEYS):
        return None
    return record, text


def rewrite_record(path: Path, record: Mapping[str, Any]) -> None:
    """Put another record beside a checkpoint whose arrays stay.

    Raises:
        ConfigError: the system refuses.
    """
    write_sealed(path.with_suffix(".json"), record)


def finished(path: Path) -> dict[str, Any] | None:
    """The record of a checkpoint that is whole; None where it is missing, cut or altered."""
    found = finished_as_written(path)
    return upgrade_record(found[0]) if found else None


def finished_as_written(path: Path) -> tuple[dict[str, Any], str] | None:
    """`finished` under the names that it was written with, and the SHA-256 of its file."""
    found = _read(path)
    if found is None or _sha256(read_file(path)) != found[0].get("sha256"):
        return None
    return found[0], _sha256(found[1])


def damaged_file(path: Path) -> Path:
    """Which of the two files of a checkpoint that is not whole was cut or altered: the record, or
    the arrays, which then do not match it."""
    return path.with_suffix(".json") if read_record(path) is None and path.is_file() else path


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and record of a checkpoint.

    Raises:
        ConfigError: it is missing, cut or altered, or its arrays cannot be read.
    """
    record = read_record(path)
    if record is None:
        raise ConfigError(f"{path}: there is no finished checkpoint here.")
    data = read_file(path)
    if _sha256(data) != record.get("sha256"):
        raise ConfigError(f"{path}: does not match its SHA-256; it was cut or altered.")
    try:
        # Sorted: safetensors gives another order in every process.
        arrays = dict(sorted(load_tensors(data).items()))
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: holds no arrays that can be read ({error}).") from None
    return upgrade_arrays(arrays), record


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
