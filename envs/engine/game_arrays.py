"""How games lie in memory: `Game` is what stands still, `Rows` what moves, one row a copy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.market import Market

# entries of Game.layout; behind them acts [P, S], then each seat's first row of `legal` [S + 1],
# then each seat's number of actions [S], then its first KPI term [S + 1]
SEATS, PHASES, HEADER = range(3)


class Game(NamedTuple):
    """What compiled loops know of a market under a KPI; every array is read-only.

    params float64 `[.]`; terms float64 `[T, 7 + S]` (see `kpi.compile_kpi`); layout int64 `[.]`;
    legal int32 `[sum of O, 2]`: first legal action and count, seats' tables end to end.
    """

    params: NDArray[np.float64]
    terms: NDArray[np.float64]
    layout: NDArray[np.int64]
    legal: NDArray[np.int32]


class Rows(NamedTuple):
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

    def copy(self) -> Rows:
        """Equal rows that share no memory."""
        return Rows(
            self.state.copy(),
            self.measures.copy(),
            self.scores.copy(),
            self.actions.copy(),
            self.observations.copy(),
        )


def build_game(market: Market, table: kpis.Table) -> Game:
    """The constant part of a market under a resolved KPI."""
    seats, phases = market.seats, len(market.phases)
    acts = [int(market.acts(seat, phase)) for phase in range(phases) for seat in seats]
    offsets = np.cumsum([0, *(seat.role.observations for seat in seats)])
    actions = [seat.role.actions for seat in seats]
    own_terms = np.cumsum([0, *(len(table[seat.name]) for seat in seats)])
    layout = np.array([len(seats), phases, *acts, *offsets, *actions, *own_terms], np.int64)
    legal = np.concatenate([seat.role.legal for seat in seats])
    game = Game(market.params, kpis.compile_kpi(market, table), layout, legal)
    for array in game:
        array.flags.writeable = False
    return game


def build_rows(market: Market, game: Game, copies: int) -> Rows:
    """Empty rows for so many copies; `start` of the engine loop fills them."""
    seats = len(market.seats)
    return Rows(
        np.zeros((copies, market.state_width)),
        np.zeros((copies, seats + 1, len(market.measures))),
        np.zeros((copies, len(game.terms) + seats)),
        np.zeros((copies, seats), np.int64),
        np.zeros((copies, seats), np.int64),
    )
