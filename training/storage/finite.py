"""Numbers that ran away: a seed whose arrays hold NaN or infinity has learned nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError

# The best action but one of an observation with one legal action has the value minus infinity.
MINUS_INFINITE = ("q_arrays.runner_up",)


def not_finite(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names of arrays that hold a NaN, or an infinity that does not belong there."""
    return [
        name
        for name, array in arrays.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all() and not _may(name, array)
    ]


def _may(name: str, array: NDArray[Any]) -> bool:
    """Whether the infinities of an array belong there."""
    return name in MINUS_INFINITE and bool((np.isfinite(array) | (array == -np.inf)).all())


def check_finite(arrays: Mapping[str, NDArray[Any]], arm: str, k: int, rounds: int) -> None:
    """Check that a repetition's arrays hold finite numbers.

    Args:
        arrays: its state, by name.
        arm: its arm's name.
        k: its number.
        rounds: played so far.

    Raises:
        ConfigError: some do not.
    """
    if wrong := not_finite(arrays):
        raise ConfigError(
            f"arm {arm}, seed {k}: after {rounds:,} rounds {', '.join(wrong)} held numbers that "
            "are not finite (NaN or infinity). KPI weights or a learning rate are too large; "
            "nothing is judged of this seed."
        )
