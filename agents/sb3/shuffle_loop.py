"""Template: a random order of samples."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import loop
from tacit.envs.rng import below


@loop
def shuffle(order: Any, key: Any) -> None:
    """Fill `order` int64 `[n]` with 0 .. n-1 in random order by key (Fisher and Yates)."""
    for i in range(len(order)):
        order[i] = i
    for i in range(len(order) - 1, 0, -1):
        other = below(key, i, i + 1)
        order[i], order[other] = order[other], order[i]
