"""Files that are written all or not at all, and JSON in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name in the same folder, sync it, rename it.

    Whatever interrupts this, the path holds either the old contents or the new.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, data: Any) -> None:
    """Write JSON that people can read.

    Raises:
        ValueError: `data` holds a number that JSON has no word for, such as NaN.
    """
    text = json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON table; empty where there is no file yet.

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
