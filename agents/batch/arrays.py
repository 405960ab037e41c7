"""Arrays of samples that compiled loops write and read.

A loop's entry in the compile cache depends on every module that the loop imports. So this module
imports nothing of tacit but names of array types.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Floats, Ints


class RolloutBuffer(NamedTuple):
    """Samples of L learning seats in N copies, at most D in each between two updates.

    A sample is an own decision with at least two legal actions. It is open until the seat reaches
    its next one. H is the largest number of KPI terms of a learning seat.

    Attributes:
        seats: the learning seats, int64 `[L]`.
        terms: columns of `CopyRows.scores` with each seat's KPI terms (-1: none), int64 `[L, H]`.
        observation: int32 `[L, D, N]`.
        action: int32 `[L, D, N]`.
        next_observation: the observation of the seat's next decision, int32 `[L, D, N]`.
        rounds_between: rounds until that decision (0: within the same round), int32 `[L, D, N]`.
        truncated: 1 if an episode or the batch ended before it, uint8 `[L, D, N]`.
        reward: unweighted KPI terms, summed until then, float64 `[L, D, N, H]`.
        counts: samples so far, int64 `[L, N]`.
        last_round: rounds since training began when the last sample was opened, int64 `[L, N]`.
        open: 1 while the last sample is open, int64 `[L, N]`.
    """

    seats: Ints
    terms: Ints
    observation: NDArray[np.int32]
    action: NDArray[np.int32]
    next_observation: NDArray[np.int32]
    rounds_between: NDArray[np.int32]
    truncated: NDArray[np.uint8]
    reward: Floats
    counts: Ints
    last_round: Ints
    open: Ints


class SeatSamples(NamedTuple):
    """One seat's part of a `RolloutBuffer`: its arrays without their first axis.

    Attributes:
        observation: int32 `[D, N]`.
        action: int32 `[D, N]`.
        next_observation: int32 `[D, N]`.
        rounds_between: int32 `[D, N]`.
        truncated: uint8 `[D, N]`.
        reward: unweighted KPI terms, float64 `[D, N, H]`.
        counts: samples of each copy, int64 `[N]`; entries behind them mean nothing.
    """

    observation: NDArray[np.int32]
    action: NDArray[np.int32]
    next_observation: NDArray[np.int32]
    rounds_between: NDArray[np.int32]
    truncated: NDArray[np.uint8]
    reward: Floats
    counts: Ints

    @property
    def total(self) -> int:
        """Samples of all copies."""
        return int(self.counts.sum())


class Replay(NamedTuple):
    """A ring of K samples: the oldest is overwritten first.

    Attributes:
        observation: int32 `[K]`.
        action: int32 `[K]`.
        next_observation: int32 `[K]`.
        rounds_between: int32 `[K]`.
        reward: weighted by the KPI, float64 `[K]`.
    """

    observation: NDArray[np.int32]
    action: NDArray[np.int32]
    next_observation: NDArray[np.int32]
    rounds_between: NDArray[np.int32]
    reward: Floats
