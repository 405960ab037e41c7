"""Arrays that keep their memory between updates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
MOST_KEPT = 64  # sets of arrays that a thread keeps


class WorkArrays:
    """Arrays by name whose contents mean nothing between two uses.

    An update needs tens of arrays whose sizes change a little each time; to allocate them anew
    costs more than to fill them.
    """

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[Any]] = {}
        self._kept: dict[Hashable, Any] = {}

    def get(self, name: str, *shape: int, dtype: Any = np.float64) -> NDArray[Any]:
        """An uninitialised array `[*shape]`; it replaces the last one of this name."""
        size = prod(shape)
        memory = self._memory.get(name)
        if memory is None or len(memory) < size:
            self._memory[name] = memory = np.empty(size, dtype)
        return memory[:size].reshape(shape)

    def kept(self, key: Hashable, make: Callable[[WorkArrays], T]) -> T:
        """A set of such arrays that is made once for each key, which says all their sizes."""
        found: T | None = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found = make(self)
        return found


_OF_THREADS = threading.local()


def of_this_thread() -> WorkArrays:
    """Arrays that all learners of a thread use in turns: they stay in the processor's cache.

    What is in them counts within one call only.
    """
    if not hasattr(_OF_THREADS, "arrays"):
        _OF_THREADS.arrays = WorkArrays()
    arrays: WorkArrays = _OF_THREADS.arrays
    return arrays
