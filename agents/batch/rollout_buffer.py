"""Rollout buffers: room for the samples of a batch, and one seat's part of them.

Source of the advantages made from them: Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016. A
sample has a factor of its own, discount^(rounds to the next decision), and lambda counts once per
decision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Seat

from .arrays import RolloutBuffer, SeatSamples

FROM_CONFIG = ("seats", "terms")  # fields of a `RolloutBuffer` that follow from the configuration


def decisions_per_round(market: Market, seat: Seat) -> int:
    """In how many phases of a round the seat may have something to decide."""
    return sum(market.acts(seat, phase) for phase in range(len(market.phases)))


def decides_every_round(market: Market, seat: Seat) -> bool:
    """Whether there is a phase in which the seat has a choice, whatever it observes there."""
    legal, blocks = seat.role.legal, list(enumerate(seat.role.blocks))

    def is_free(index: int) -> bool:
        first = seat.role.block_start(index)
        return bool((legal[first : first + seat.role.blocks[index].size, 1] > 1).all())

    return any(
        market.acts(seat, phase) and all(is_free(i) for i, b in blocks if b.phase == phase)
        for phase in range(len(market.phases))
    )


def build_rollout_buffer(
    market: Market, kpi: kpis.KpiTable, learners: Sequence[Seat], copies: int, rounds: int
) -> RolloutBuffer:
    """An empty buffer for these seats, with room for so many rounds of so many copies."""
    per_round = max((decisions_per_round(market, seat) for seat in learners), default=0)
    heads = max((len(kpi[seat.name]) for seat in learners), default=1) or 1
    terms = np.full((len(learners), heads), -1, np.int64)
    for k, seat in enumerate(learners):
        first = sum(len(kpi[s.name]) for s in market.seats[: seat.index])
        terms[k, : len(kpi[seat.name])] = first + np.arange(len(kpi[seat.name]))
    samples = (len(learners), rounds * per_round, copies)
    by_copy = (len(learners), copies)
    return RolloutBuffer(
        seats=np.array([seat.index for seat in learners], np.int64),
        terms=terms,
        observation=np.zeros(samples, np.int32),
        action=np.zeros(samples, np.int32),
        next_observation=np.zeros(samples, np.int32),
        rounds_between=np.zeros(samples, np.int32),
        truncated=np.zeros(samples, np.uint8),
        reward=np.zeros((*samples, heads)),
        counts=np.zeros(by_copy, np.int64),
        last_round=np.zeros(by_copy, np.int64),
        open=np.zeros(by_copy, np.int64),
    )


def samples_of(buffer: RolloutBuffer, k: int) -> SeatSamples:
    """Samples of the k-th learning seat: views of the buffer."""
    return SeatSamples(*(getattr(buffer, name)[k] for name in SeatSamples._fields))
