"""Rows of arrays without a reference count, for inner loops; sums of rows in vectors.

Numba counts references of every slice that a loop hands to a kernel, with atomic instructions:
three slices per copy cost more than the auction itself (176 against 34 ns a step at 4,096 copies,
`python -m benchmarks.engine --rows`). `row(a, i)` is `a[i]` and `borrow(a)` is `a`, but as views
that keep no reference to the memory; they are valid only while the caller holds the array.

In plain Python `row`, `borrow`, `unlikely` and `add_rows` are the functions below. In compiled code
Numba replaces them by the intrinsics of `compiled_views.py`. That file imports Numba and this one
does not, so that a command which compiles nothing does not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Ints

from .decorators import kernel


def row(array: Any, index: Any) -> Any:
    """`array[index]` of a C-contiguous array `[N, ...]`: a view `[...]` without a reference."""
    return array[index]


def borrow(value: Any) -> Any:
    """An array `[...]`, or a tuple of arrays, as views without references."""
    return value


@kernel
def at(index: Any) -> Any:
    """An index that is known not to be negative.

    A signed index costs a test, because Python counts negative ones from the end.
    """
    return np.uint64(index)


def unlikely(condition: Any) -> Any:
    """A bool as it is, for a branch that is seldom taken.

    LLVM then keeps variables of a loop in registers at the expense of that branch.
    """
    return condition


# --- sums of rows -----------------------------------------------------------------------------


def add_rows(table: Any, chosen: Any, count: Any, sums: Any, lanes: Any) -> None:
    """Add `table[chosen[i], :lanes]`, i = 0 .. count - 1, to `sums[:lanes]`, in this order.

    Args:
        table: float64 `[J, K]`, K >= lanes, C-contiguous, like the others.
        chosen: int64 `[.]`, with `count` entries at least.
        count: how many rows.
        sums: float64 `[K]`, which stay in registers meanwhile.
        lanes: a literal number: LLVM adds so many at once, and left to itself one by one.
    """
    for i in range(count):
        for k in range(lanes):
            sums[k] += table[chosen[i], k]


# --- one call with one argument ---------------------------------------------------------------


def bind(arrays: Sequence[NDArray[Any]]) -> Ints:
    """Addresses and shapes of arrays in one int64 array `[4 * arrays]`, for `pointer`.

    Every array that Python hands to a compiled function costs time: fifteen take two microseconds,
    more than a round of one copy. The caller must keep the arrays alive and never replace them.

    Args:
        arrays: C-contiguous, with one to three axes.

    Returns:
        Four words for each array: its address and three sizes, 1 for axes that it lacks.

    Raises:
        ValueError: an array is not C-contiguous.
    """
    words: list[int] = []
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError("only C-contiguous arrays can be bound")
        words += [array.ctypes.data, *(*array.shape, 1, 1)[:3]]
    return np.array(words, np.int64)
