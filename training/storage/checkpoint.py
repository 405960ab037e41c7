"""Checkpoints: one safetensors file a save, beside it a JSON record with its SHA-256. No pickle.

A flipped bit loads silently without the hash, so the hash is checked before anything is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.envs.errors import ConfigError

from .atomic_files import write_atomically, write_json
from .legacy import upgrade_arrays, upgrade_record


def save(path: Path, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any]) -> None:
    """Write a checkpoint.

    Args:
        path: the .safetensors file.
        arrays: of any shape and type, by name.
        record: what the .json beside it holds, together with the hash.
    """
    data = save_tensors({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    # The record is written last: without it, or with another hash in it, the save is unfinished.
    write_atomically(path, data)
    write_json(path.with_suffix(".json"), {**record, "sha256": _sha256(data)})


def read_record(path: Path) -> dict[str, Any] | None:
    """The record beside a checkpoint, whose hash is not checked; None where either is missing."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return upgrade_record(record) if isinstance(record, dict) and path.is_file() else None


def finished(path: Path) -> dict[str, Any] | None:
    """The record of a checkpoint that is whole; None where it is missing, cut or altered."""
    record = read_record(path)
    if record is None or _sha256(path.read_bytes()) != record.get("sha256"):
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
    if _sha256(data) != record.get("sha256"):
        raise ConfigError(f"{path}: does not match its SHA-256; it was cut or altered.")
    return upgrade_arrays(load_tensors(data)), record


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
