"""How games lie in memory: `GameArrays` is what stands still, `CopyRows` what moves, one row a
copy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.market import Market


class GameArrays(NamedTuple):
    """What compiled loops know of a market under a KPI; every array is read-only.

    P phases, S seats, T KPI terms; the policy tables `[O, A]` of all seats lie end to end.

    Attributes:
        params: the market's own numbers, float64 `[.]`.
        terms: the compiled KPI, float64 `[T, 7 + S]` (see `kpi.compile_kpi`).
        acts: 1 where a seat decides in a phase, int64 `[P, S]`.
        first_row: each seat's first row of `legal`, and the end of the last, int64 `[S + 1]`.
        actions: each seat's number of actions A, int64 `[S]`.
        first_term: each seat's first KPI term, and the end of the last, int64 `[S + 1]`.
        legal: first legal action and how many there are, int32 `[sum of O, 2]`.
    """

    params: NDArray[np.float64]
    terms: NDArray[np.float64]
    acts: NDArray[np.int64]
    first_row: NDArray[np.int64]
    actions: NDArray[np.int64]
    first_term: NDArray[np.int64]
    legal: NDArray[np.int32]


class CopyRows(NamedTuple):
    """N copies of a game: copying a copy is copying its rows.

    state float64 `[N, W]`, the market's own; measures float64 `[N, S + 1, M]`, row S the market's;
    scores float64 `[N, T + S]`: KPI terms unweighted, then rewards; actions and observations
    int64 `[N, S]`: what each seat does in this phase, and what it sees.
    """

    state: NDArray[np.float64]
    measures: NDArray[np.float64]
    scores: NDArray[np.float64]
    actions: NDArray[np.int64]
    observations: NDArray[np.int64]

    def copy(self) -> CopyRows:
        """Equal rows that share no memory."""
        return CopyRows(
            self.state.copy(),
            self.measures.copy(),
            self.scores.copy(),
            self.actions.copy(),
            self.observations.copy(),
        )


def build_game(market: Market, table: kpis.KpiTable) -> GameArrays:
    """The constant part of a market under a resolved KPI."""
    seats, phases = market.seats, range(len(market.phases))
    game = GameArrays(
        params=market.params,
        terms=kpis.compile_kpi(market, table),
        acts=np.array([[market.acts(seat, p) for seat in seats] for p in phases], np.int64),
        first_row=np.cumsum([0, *(seat.role.observations for seat in seats)]),
        actions=np.array([seat.role.actions for seat in seats], np.int64),
        first_term=np.cumsum([0, *(len(table[seat.name]) for seat in seats)]),
        legal=np.concatenate([seat.role.legal for seat in seats]),
    )
    for array in game:
        array.flags.writeable = False
    return game


def build_rows(market: Market, game: GameArrays, copies: int) -> CopyRows:
    """Empty rows for so many copies; `start` of the engine loop fills them."""
    seats = len(market.seats)
    return CopyRows(
        np.zeros((copies, market.state_width)),
        np.zeros((copies, seats + 1, len(market.measures))),
        np.zeros((copies, len(game.terms) + seats)),
        np.zeros((copies, seats), np.int64),
        np.zeros((copies, seats), np.int64),
    )
