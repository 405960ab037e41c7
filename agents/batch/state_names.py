"""Names of saved arrays: `part.array`, where a part may have parts of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray


def join_parts(parts: Mapping[str, Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Arrays of several parts in one table, named `part.array`."""
    return {f"{part}.{name}": array for part, own in parts.items() for name, array in own.items()}


def part_of(state: Mapping[str, NDArray[Any]], part: str) -> dict[str, NDArray[Any]]:
    """Arrays of one part of such a table, by their names within the part."""
    prefix = f"{part}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
