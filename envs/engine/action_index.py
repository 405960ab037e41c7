"""What counts as an action, by one rule for every environment and the engine.

An action is an integer of Python or NumPy, a 0-d array of one, or a scalar of torch: what
`operator.index` takes. All else (floats, NaN, None, text, lists) is refused with the seat's name,
as `Discrete.contains` refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Ints


def as_integer(action: Any) -> int | None:
    """An action as an int; None: it is no integer."""
    try:
        return index(action)
    except TypeError:
        return None


def as_integers(actions: Any, shape: tuple[int, int], seats: Sequence[str]) -> NDArray[Any]:
    """Actions of many copies as integers.

    Args:
        actions: anything that NumPy makes an array `[N, K]` of.
        shape: (N, K).
        seats: the names of the K seats.

    Returns:
        Integers of NumPy `[N, K]`; what has a dtype of integers is returned as it is.

    Raises:
        ValueError: another shape, or something that is no integer, with its seat and row.
    """
    try:
        given = np.asarray(actions)
    except ValueError:  # rows of different lengths
        raise ValueError(f"actions must be integers of shape {shape}, got a ragged list") from None
    if given.shape == shape and given.dtype.kind in "iu":
        return given
    if given.shape != shape:
        raise ValueError(
            f"actions must be integers of shape {shape}, got {given.dtype} {given.shape}"
        )
    found: Ints = np.zeros(shape, np.int64)
    for (r, k), action in np.ndenumerate(given):
        number = as_integer(action)
        if number is None or abs(number) >= 2**63:
            shown = action.item() if isinstance(action, np.generic) else action
            raise ValueError(f"{seats[k]} (row {r}): an action must be an integer, got {shown!r}")
        found[r, k] = number
    return found
