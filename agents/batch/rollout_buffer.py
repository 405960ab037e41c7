"""What neural seats write down while they play: their own decisions, in their own time.

Source of advantages: Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016, with a sample's own
factor discount^(rounds to the next decision), and lambda once per decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Seat


class RolloutBuffer(NamedTuple):
    """Decisions of L learning seats in N copies, at most D in each between two updates.

    seats int64 `[L]`; terms int64 `[L, H]`: columns of scores, -1: none;
    of every decision: seen, did and following (the observation of the next one) int32 `[L, D, N]`;
    gap int32: rounds until then; cut uint8: an episode or the batch ended before it;
    reward float64 `[L, D, N, H]`: unweighted KPI terms, summed until then;
    of every copy: counts int64 `[L, N]` decisions so far, since: round of the last one,
    open: whether its next one is not met yet.
    """

    seats: NDArray[np.int64]
    terms: NDArray[np.int64]
    seen: NDArray[np.int32]
    did: NDArray[np.int32]
    following: NDArray[np.int32]
    gap: NDArray[np.int32]
    cut: NDArray[np.uint8]
    reward: NDArray[np.float64]
    counts: NDArray[np.int64]
    since: NDArray[np.int64]
    open: NDArray[np.int64]


class SeatSamples(NamedTuple):
    """One seat's part of a `RolloutBuffer`: its arrays without their first axis."""

    seen: NDArray[np.int32]
    did: NDArray[np.int32]
    following: NDArray[np.int32]
    gap: NDArray[np.int32]
    cut: NDArray[np.uint8]
    reward: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Decisions in all copies."""
        return int(self.counts.sum())


def decisions_per_round(market: Market, seat: Seat) -> int:
    """In how many phases of a round the seat may have something to decide."""
    return sum(market.acts(seat, phase) for phase in range(len(market.phases)))


def build_book(
    market: Market, table: kpis.KpiTable, learners: Sequence[Seat], copies: int, rounds: int
) -> RolloutBuffer:
    """An empty book for these seats: room for so many rounds."""
    per_round = max((decisions_per_round(market, seat) for seat in learners), default=0)
    heads = max((len(table[seat.name]) for seat in learners), default=1) or 1
    terms = np.full((len(learners), heads), -1, np.int64)
    for k, seat in enumerate(learners):
        first = sum(len(table[s.name]) for s in market.seats[: seat.index])
        terms[k, : len(table[seat.name])] = first + np.arange(len(table[seat.name]))
    shape = (len(learners), rounds * per_round, copies)
    own = (len(learners), copies)
    return RolloutBuffer(
        np.array([seat.index for seat in learners], np.int64),
        terms,
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.uint8),
        np.zeros((*shape, heads)),
        np.zeros(own, np.int64),
        np.zeros(own, np.int64),
        np.zeros(own, np.int64),
    )


def of_seat(book: RolloutBuffer, k: int) -> SeatSamples:
    """Samples of the k-th learner."""
    return SeatSamples(
        book.seen[k], book.did[k], book.following[k], book.gap[k], book.cut[k], book.reward[k],
        book.counts[k],
    )  # fmt: skip
