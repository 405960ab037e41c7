"""Arrays that keep their memory between updates."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WorkArrays:
    """Arrays by name whose contents mean nothing between two uses.

    An update needs tens of arrays whose sizes change a little each time; to allocate them anew
    costs more than to fill them.
    """

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[Any]] = {}

    def get(self, name: str, *shape: int, dtype: Any = np.float64) -> NDArray[Any]:
        """An uninitialised array `[*shape]`; it replaces the last one of this name."""
        size = prod(shape)
        memory = self._memory.get(name)
        if memory is None or len(memory) < size:
            self._memory[name] = memory = np.empty(size, dtype)
        return memory[:size].reshape(shape)
