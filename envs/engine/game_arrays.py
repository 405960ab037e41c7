"""How games lie in memory: `GameArrays` is what never changes, `CopyRows` what moves.

Letters: N copies, P phases, S seats, T KPI terms of all seats, M measures, W numbers of a state
row, O observations and A actions of a seat.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.market.check import kernel_mistakes
from tacit.envs.types import Floats, Ints

# Columns of `GameArrays.per_seat`. One array with three columns, not three arrays: every array that
# a loop takes costs it seven words of stack.
FIRST_ROW = 0  # the seat's first row of `legal`; in row S, the end of the last seat's
ACTION_COUNT = 1  # its number of actions A
FIRST_TERM = 2  # its first KPI term; in row S, the end of the last seat's


class GameArrays(NamedTuple):
    """What compiled loops know of a market under a KPI; every array is read-only.

    Arrays of all seats are laid end to end, so that one array serves seats of any size: seat s has
    the rows `per_seat[s, FIRST_ROW] .. per_seat[s + 1, FIRST_ROW] - 1` of `legal`.

    Attributes:
        params: the market's own constants, float64 `[.]`.
        terms: the compiled KPI, float64 `[T, 7 + S]` (see `tacit.envs.kpi.compile_kpi`).
        acts: 1 where a seat decides in a phase, int64 `[P, S]`.
        per_seat: the columns FIRST_ROW, ACTION_COUNT and FIRST_TERM, int64 `[S + 1, 3]`.
        legal: first legal action and how many there are, int32 `[sum of O, 2]`.
    """

    params: Floats
    terms: Floats
    acts: Ints
    per_seat: Ints
    legal: NDArray[np.int32]


class CopyRows(NamedTuple):
    """N copies of a game, one row each: copying a copy is copying its rows.

    Attributes:
        state: the market's own, float64 `[N, W]`.
        measures: of the round so far, float64 `[N, S + 1, M]`; row S is the market's.
        scores: of the last finished round, float64 `[N, T + S]`: KPI terms unweighted, then
            rewards.
        actions: what each seat does in this phase, int64 `[N, S]`.
        observations: what each seat sees in the coming phase, int64 `[N, S]`.
    """

    state: Floats
    measures: Floats
    scores: Floats
    actions: Ints
    observations: Ints

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
    """The constant arrays of a market under a resolved KPI; they cannot be written to.

    Probes of a seed ask for the same ones dozens of times, so the last few are kept.

    Raises:
        ConfigError: the market's module lacks a kernel, or one takes other arguments.
    """
    known = _KNOWN.get(market, ())
    for kept in known:
        if kept.is_of(market, table):
            return kept.game
    game = _build_game(market, table)
    _KNOWN[market] = (_Kept(table, market.params, market.view_params, game), *known[: KEPT - 1])
    return game


class _Kept(NamedTuple):
    """Arrays, and what they were made of."""

    table: kpis.KpiTable
    params: Floats
    view_params: Floats | None
    game: GameArrays

    def is_of(self, market: Market, table: kpis.KpiTable) -> bool:
        """Whether they were made of these very objects."""
        same = self.table is table and self.params is market.params
        return same and self.view_params is market.view_params


KEPT = 4  # games of one market
_KNOWN: WeakKeyDictionary[Market, tuple[_Kept, ...]] = WeakKeyDictionary()


def _build_game(market: Market, table: kpis.KpiTable) -> GameArrays:
    """`build_game`, made anew."""
    if mistakes := kernel_mistakes(market.kernels):
        raise ConfigError(mistakes)
    seats, phases = market.seats, range(len(market.phases))
    per_seat = np.zeros((len(seats) + 1, 3), np.int64)
    per_seat[1:, FIRST_ROW] = np.cumsum([seat.role.observations for seat in seats])
    per_seat[:-1, ACTION_COUNT] = [seat.role.actions for seat in seats]
    per_seat[1:, FIRST_TERM] = np.cumsum([len(table[seat.name]) for seat in seats])
    game = GameArrays(
        params=market.kernel_params,
        terms=kpis.compile_kpi(market, table),
        acts=np.array([[market.acts(seat, p) for seat in seats] for p in phases], np.int64),
        per_seat=per_seat,
        legal=np.concatenate([seat.role.legal for seat in seats]),
    )
    for array in game:
        array.flags.writeable = False
    return game


def build_rows(market: Market, game: GameArrays, copies: int) -> CopyRows:
    """Rows of zeros for so many copies; `start` of the engine's loop fills them."""
    seats = len(market.seats)
    return CopyRows(
        state=np.zeros((copies, market.state_width)),
        measures=np.zeros((copies, seats + 1, len(market.measures))),
        scores=np.zeros((copies, len(game.terms) + seats)),
        actions=np.zeros((copies, seats), np.int64),
        observations=np.zeros((copies, seats), np.int64),
    )
