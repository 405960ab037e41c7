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


def check_action(action: Any, seat: str, count: int) -> int:
    """An action of one seat as an int.

    Args:
        action: whatever was given.
        seat: its name.
        count: how many actions it has.

    Raises:
        ValueError: it is no integer, or outside 0 .. count - 1.
    """
    number = as_integer(action)
    if number is not None and 0 <= number < count:
        return number
    raise ValueError(f"{seat}: {_what_is_wrong(action, number, count)}")


def _what_is_wrong(action: Any, number: int | None, count: int) -> str:
    """Why an action is refused, with the space that it should have been in."""
    shown = action.item() if isinstance(action, np.generic) else action
    kind = "no integer; its space is" if number is None else "outside its space"
    return f"action {shown!r} is {kind} 0 .. {count - 1}"


def as_integers(
    actions: Any, shape: tuple[int, int], seats: Sequence[str], counts: Sequence[int]
) -> NDArray[Any]:
    """Actions of many copies as integers.

    Args:
        actions: anything that NumPy makes an array `[N, K]` of.
        shape: (N, K).
        seats: the names of the K seats.
        counts: how many actions each of them has.

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
    for r, k in _suspects_first(given):
        action = given[r, k]
        number = as_integer(action)
        if number is None or abs(number) >= 2**63:
            wrong = _what_is_wrong(action, number, counts[k])
            raise ValueError(f"{seats[k]} (row {r}): {wrong}")
        found[r, k] = number
    return found


def _suspects_first(given: NDArray[Any]) -> list[list[int]]:
    """All positions `[N * K, 2]` of an array; those that are no whole number come first.

    One NaN makes all others floats too, and it is the one to be named.
    """
    positions = np.argwhere(np.ones(given.shape, np.bool_))
    if given.dtype.kind == "f":
        odd = ~(np.isfinite(given) & (given == np.floor(given)))
        positions = np.concatenate([np.argwhere(odd), np.argwhere(~odd)])
    found: list[list[int]] = positions.tolist()
    return found


def check_inside(actions: NDArray[Any], seats: Sequence[str], count: int) -> None:
    """Check integers `[N, K]` of K seats that have `count` actions each.

    Raises:
        ValueError: an action is outside its seat's space.
    """
    outside = (actions < 0) | (actions >= count)
    if outside.any():
        r, k = np.argwhere(outside)[0].tolist()
        number = int(actions[r, k])
        raise ValueError(f"{seats[k]} (row {r}): {_what_is_wrong(number, number, count)}")
