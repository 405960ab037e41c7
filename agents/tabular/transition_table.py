"""Rounds to look up: a market by state and joint action, enumerated from its kernels.

Where a market declares that `play` makes no draws (`Market.play_draws`), a round is a function of
the state before it and of everybody's action. All states that play can lead to are found by
playing every joint action in every state found so far; if states x joint actions stay within
MOST_CELLS, rounds are looked up from then on. What is looked up are the kernels' own results,
added up in the same order: trajectories, measures and scores are the same to the bit.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import TEMPLATE as ENGINE
from tacit.envs.engine.game_arrays import CopyRows, build_game, build_rows
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

MOST_CELLS = 2**20  # states x joint actions
MOST_NUMBERS = 2**22  # that are kept for all of them
BATCH = 2**14  # cells played at once
LANES = 8  # steady sums come in multiples of it, see `memo_loop.add_eight`

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


class TransitionArrays(NamedTuple):
    """What a compiled loop reads: N states, J joint actions (the last seat's fastest), S seats.

    observations int64 `[N, S]`; offsets, widths, strides int64 `[S]`: each seat's first line of
    `Game.legal`, its number of actions, their step in the joint action; following int32 `[., J]`:
    the next state; rewards float64 `[., J, S]` (a first axis of 1: the same in all states);
    steady float64 `[J, K]` and moving `[N, J, L]`: measures and scores that the joint action
    determines, and those that depend on the state too; columns int64 `[K + L]`: their places in
    all of them laid end to end (-1: padding). Those that are always 0 are left out.
    """

    observations: Whole
    offsets: Whole
    widths: Whole
    strides: Whole
    following: NDArray[np.int32]
    rewards: Array
    steady: Array
    moving: Array
    columns: Whole


class TransitionTable(NamedTuple):
    """TransitionArrays, the rows of market state `[N, W]` that they number, and the numbers by
    row.
    """

    states: Array
    numbers: dict[bytes, int]
    tables: TransitionArrays

    def holds(self, state: Array) -> bool:
        """Whether rounds from this row of state can be looked up."""
        return state.tobytes() in self.numbers


def fits(market: Market) -> bool:
    """Whether a round is one decision of every seat, always the same actions legal, no draws."""
    alike = all(r.actions > 1 and len(np.unique(r.legal, axis=0)) == 1 for r in market.roles)
    return alike and len(market.phases) == 1 and not market.play_draws


# --- memos that are shared ----------------------------------------------------------------------


@dataclass
class _Known:
    """Of a market under a KPI: the last memo made, rounds asked for, cells that a memo has."""

    memo: TransitionTable | None = None
    asked: int = 0
    cells: int = 0


_KNOWN: WeakKeyDictionary[Market, dict[str, _Known]] = WeakKeyDictionary()
_BUILDING = threading.Lock()


def memo_of(
    market: Market, table: kpis.KpiTable, rows: CopyRows, rounds: int
) -> TransitionTable | None:
    """A memo that holds the state of copy 0, which is about to play so many rounds.

    None if there are more than MOST_CELLS, or more than all groups of this market and KPI together
    have asked for as yet: to enumerate a cell costs more than to play a round.
    """
    with _BUILDING:
        known = _KNOWN.setdefault(market, {}).setdefault(kpis.kpi_hash(table), _Known())
        known.asked += rounds
        if known.memo is not None and known.memo.holds(rows.state[0]):
            return known.memo
        limit = min(known.asked, MOST_CELLS)
        if known.cells > limit:
            return None
        found = _Exploration(market, table, rows)
        known.cells = found.explore(limit)
        known.memo = found.memo() if known.cells <= limit else None
        return known.memo


# --- how one is made -----------------------------------------------------------------------------


class _Exploration:
    """Cells (state x J + joint action) in order; states that they lead to join at the end."""

    def __init__(self, market: Market, table: kpis.KpiTable, rows: CopyRows) -> None:
        self.market, self.game = market, build_game(market, table)
        self.step = compiled(ENGINE, market.kernels).step
        widths = [seat.role.actions for seat in market.seats]
        self.widths = np.array(widths, np.int64)
        self.joint = np.indices(widths).reshape(len(widths), -1).T
        self.states, self.observations = rows.state[:1].copy(), rows.observations[:1].copy()
        self.numbers = {self.states.tobytes(): 0}
        self.following = np.zeros(0, np.int32)
        figures = rows.measures[0].size + rows.scores[0].size
        self.first = np.zeros((len(self.joint), figures))  # measures and scores in state 0
        self.varies = np.zeros(figures, bool)  # which of them are others in other states

    @property
    def cells(self) -> int:
        return len(self.states) * len(self.joint)

    def play(self, begin: int) -> tuple[Whole, CopyRows, Array]:
        """The cells from `begin` on, rows after them, and their measures and scores [n, F]."""
        cells = np.arange(begin, min(begin + BATCH, self.cells))
        rows = build_rows(self.market, self.game, len(cells))
        at, joint = np.divmod(cells, len(self.joint))
        rows.state[:], rows.actions[:] = self.states[at], self.joint[joint]
        self.step(self.game, np.zeros(len(cells), np.uint64), rows, 0, 0, 0)  # no draws: any key
        return cells, rows, np.hstack([rows.measures.reshape(len(cells), -1), rows.scores])

    def explore(self, limit: int) -> int:
        """Find all states; returns the number of cells, or some number above `limit`."""
        joints = len(self.joint)
        while len(self.following) < self.cells <= limit:
            cells, rows, figures = self.play(len(self.following))
            self.following = np.append(self.following, self._number(cells % joints, rows))
            begin = cells < joints
            self.first[cells[begin]] = figures[begin]
            same = self.first[cells % joints].view(np.int64) == figures.view(np.int64)
            self.varies |= ~same.all(axis=0)
            if self.cells * int(self.varies.sum()) > MOST_NUMBERS:
                return MOST_CELLS + 1
        return self.cells

    def _number(self, joint: Whole, rows: CopyRows) -> NDArray[np.int32]:
        """The states that rows are in after these joint actions; new ones are added."""
        numbers = np.full(len(joint), -1, np.int32)
        if len(self.following) >= len(self.joint):  # mostly what follows in the first state
            usual = self.following[joint]
            same = self.states[usual].view(np.int64) == rows.state.view(np.int64)
            numbers = np.where(same.all(axis=1), usual, numbers)
        fresh: list[int] = []
        for i in np.flatnonzero(numbers < 0).tolist():
            numbers[i] = self.numbers.setdefault(rows.state[i].tobytes(), len(self.numbers))
            if numbers[i] == len(self.states) + len(fresh):
                fresh.append(i)
        self.states = np.concatenate([self.states, rows.state[fresh]])
        self.observations = np.concatenate([self.observations, rows.observations[fresh]])
        return numbers

    def memo(self) -> TransitionTable:
        """What was found, as tables; measures and scores that vary are played once more."""
        seats, joints = len(self.widths), len(self.joint)
        steady = np.flatnonzero(self.first.any(axis=0) & ~self.varies)
        moving = np.flatnonzero(self.varies)
        rewards = self.first[None, :, -seats:]
        kept = np.zeros((self.cells, len(moving)))
        if len(moving):
            paid = np.zeros((self.cells, seats))
            for begin in range(0, self.cells, BATCH):
                cells, _, figures = self.play(begin)
                kept[cells], paid[cells] = figures[:, moving], figures[:, -seats:]
            if self.varies[-seats:].any():
                rewards = paid.reshape(-1, joints, seats)
        following = self.following.reshape(-1, joints)
        padding = -len(steady) % LANES
        tables = TransitionArrays(
            observations=self.observations,
            offsets=np.cumsum([0, *(s.role.observations for s in self.market.seats)])[:-1],
            widths=self.widths,
            strides=np.cumprod([1, *self.widths[:0:-1]])[::-1],
            following=following[: 1 if (following == following[0]).all() else None],
            rewards=rewards,
            steady=np.pad(self.first[:, steady], ((0, 0), (0, padding))),
            moving=kept.reshape(-1, joints, len(moving)),
            columns=np.concatenate([steady, np.full(padding, -1), moving]),
        )
        tables = tables._replace(
            **{k: np.ascontiguousarray(v) for k, v in tables._asdict().items()}
        )
        for array in tables:
            array.flags.writeable = False
        return TransitionTable(self.states, self.numbers, tables)
