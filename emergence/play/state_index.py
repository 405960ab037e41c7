"""States numbered by content: equal rows of numbers get one number, in order of appearance.

Rows are compared by a 64-bit hash, since a chain may hold 65,536 states and looks up millions of
successors; `find` compares the rows themselves afterwards, so a collision cannot pass unnoticed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Bools, Floats, Ints


class StateIndex:
    """N distinct rows of W numbers.

    Attributes:
        count: N, the number of rows so far.
        states: the rows in order of their numbers, float64 `[N, W]`.
    """

    def __init__(self, width: int) -> None:
        """An index of rows of `width` numbers, empty."""
        self.count = 0
        self.states = np.empty((0, width))
        self._hashes = np.empty(0, np.uint64)  # sorted
        self._ids = np.empty(0, np.int64)  # the number of each row of `_hashes`

    def add(self, rows: Floats) -> None:
        """Number those of `rows` `[K, W]` that are new."""
        hashes = hash_rows(rows)
        _, first = np.unique(hashes, return_index=True)
        first = np.sort(first)
        new = first[~self._contains(hashes[first])]
        if not new.size:
            return
        self.states = np.concatenate([self.states, rows[new]])
        ids = np.concatenate([self._ids, np.arange(self.count, self.count + len(new))])
        every = np.concatenate([self._hashes, hashes[new]])
        order = np.argsort(every)
        self._hashes, self._ids, self.count = every[order], ids[order], self.count + len(new)

    def find(self, rows: Floats) -> Ints:
        """Numbers int64 `[K]` of `rows` `[K, W]`, all of which were added.

        Raises:
            RuntimeError: a row was not added, or two states have the same hash.
        """
        ids: Ints = self._ids[np.searchsorted(self._hashes, hash_rows(rows))]
        if not np.array_equal(self.states[ids], rows):
            raise RuntimeError("two states share a hash of 64 bits")
        return ids

    def _contains(self, hashes: NDArray[np.uint64]) -> Bools:
        if not self.count:
            return np.zeros(len(hashes), bool)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self.count - 1)
        known: Bools = self._hashes[at] == hashes
        return known


def hash_rows(rows: Floats) -> NDArray[np.uint64]:
    """A 64-bit hash of each row of `rows` float64 `[K, W]`, uint64 `[K]`.

    The finaliser is that of `tacit.envs.rng.mix`.
    """
    # Adding 0.0 turns -0.0 into 0.0: the two are equal, but differ in their bits.
    words = np.ascontiguousarray(rows + 0.0).view(np.uint64)
    hashes = np.zeros(len(rows), np.uint64)
    for column in words.T:
        hashes = (hashes ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashes ^= hashes >> np.uint64(27)
    return hashes
