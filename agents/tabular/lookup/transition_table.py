"""Transition tables: rounds of a market of one phase by state and joint action, enumerated from its
kernels.

Where `play` makes no draws, or only draws with a few outcomes (`Market.play_lots`), a round is a
function of the state before it, of the joint action, and of the *lot*: all outcomes that nature
draws. A lot is one more digit of the joint action. All states that play can lead to are found by
playing every joint action with every lot in every state found so far. If states x joint actions x
lots are at most MOST_CELLS, rounds are looked up from then on. They are counted before any array
is made for them: four seats of 100 actions have 10^8. States that pay alike share their rows of
rewards and figures. What is looked up are the kernels' own results, added up in the same order:
trajectories, measures and scores are the same to the bit.

Groups of one market and KPI share a table; `shared_tables` says when it is worth making one.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular.arrays import COLUMNS_AT_ONCE, STATE_COLUMNS_AT_ONCE, TransitionArrays
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import TEMPLATE as ENGINE_TEMPLATE
from tacit.envs.engine.game_arrays import CopyRows, build_game, build_rows
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .figure_columns import FigureColumns, distinct_columns
from .lots import count_lots, lot_arrays, lot_keys, lots_by_phase
from .shared_tables import MOST_CELLS, shared_table

MOST_NUMBERS = 2**22  # of figures that are kept for all cells
MOST_FIRST_FIGURES = 2**26  # of all joint actions in the first state: half a GiB
BATCH = 2**12  # cells played at once


class TransitionTable(NamedTuple):
    """`TransitionArrays`, and which states of the market their numbers mean.

    Attributes:
        states: rows of market state, float64 `[N, W]`.
        numbers: a state's number, by the bytes of its row.
        arrays: what a compiled loop reads.
        columns: the columns of `arrays` in which figures stand.
    """

    states: Floats
    numbers: dict[bytes, int]
    arrays: TransitionArrays
    columns: FigureColumns

    @property
    def cells(self) -> int:
        """States x joint actions x lots."""
        joints: int = self.arrays.rewards.shape[2]
        return len(self.states) * joints

    def holds(self, state: Floats) -> bool:
        """Whether rounds from this row of state, float64 `[W]`, can be looked up."""
        return state.tobytes() in self.numbers


def allows_lookup(market: Market) -> bool:
    """Whether a round is one decision of every seat, always among the same actions, and all draws
    of `play` are declared."""
    alike = all(r.actions > 1 and len(np.unique(r.legal, axis=0)) == 1 for r in market.roles)
    return alike and len(market.phases) == 1 and market.play_lots is not None


def least_cells(market: Market, rows: CopyRows) -> int:
    """Cells that a table has at least: those of one state, counted without making any array.

    More than MOST_CELLS also where the figures of that one state would be too many.

    Args:
        market: whose seats act at once.
        rows: any copies of it, which say how many figures a round has.
    """
    joints = prod(seat.role.actions for seat in market.seats) * count_lots(lots_by_phase(market)[0])
    figures = rows.measures[0].size + rows.scores[0].size
    return joints if joints * figures <= MOST_FIRST_FIGURES else max(joints, MOST_CELLS + 1)


def estimated_cells(market: Market) -> int:
    """About how many cells the table of a market of one phase has, counted without its rules.

    As many states as somebody can observe, or as there are joint actions (what was done last is
    mostly kept, also where nobody sees it), times all joint actions and lots.
    """
    joints = prod(seat.role.actions for seat in market.seats)
    states = max(joints, *(role.observations for role in market.roles))
    return states * joints * count_lots(lots_by_phase(market)[0])


# --- how a table is made -------------------------------------------------------------------------


def transition_table_for(
    market: Market, kpi: kpis.KpiTable, rows: CopyRows, rounds: int, wait: bool = False
) -> TransitionTable | None:
    """A table that holds the state of copy 0, or None where it is not worth it: `shared_table`."""
    least = least_cells(market, rows)
    return shared_table(market, kpi, rows, rounds, wait, least, 1, _make)


def _make(
    market: Market, kpi: kpis.KpiTable, rows: CopyRows, limit: int
) -> tuple[int, TransitionTable | None]:
    """How many cells the table has, and the table unless they are more than `limit`."""
    keys = lot_keys(lots_by_phase(market)[0])
    if keys is None:
        return MOST_CELLS + 1, None
    enumeration = _Enumeration(market, kpi, rows, keys)
    cells = enumeration.explore(limit)
    return cells, enumeration.table() if cells <= limit else None


class _Enumeration:
    """Plays cells (state x J + joint action) in order; states they lead to are numbered behind.

    Joint actions are counted with every lot, J = actions of all seats x L.

    Attributes:
        actions: each seat's number of actions, int64 `[S]`.
        joint: every joint action, int64 `[J, S]`.
        keys: for each of them a key that draws its lot, uint64 `[J]`.
        states: rows of market state found so far, float64 `[N, W]`.
        observations: what each seat observes in them, int64 `[N, S]`.
        numbers: a state's number, by the bytes of its row.
        next_state: the state behind every cell played so far, int32 `[cells]`.
        first_figures: figures of all joint actions in state 0, float64 `[J, F]`.
        varies: which figures differ between states, bool `[F]`.
    """

    def __init__(
        self, market: Market, kpi: kpis.KpiTable, rows: CopyRows, lot_keys: NDArray[np.uint64]
    ) -> None:
        self.market, self.game = market, build_game(market, kpi)
        self.step = compiled(ENGINE_TEMPLATE, market.kernels).step
        actions = [seat.role.actions for seat in market.seats]
        self.actions = np.array(actions, np.int64)
        joint = np.indices(actions).reshape(len(actions), -1).T
        self.joint = joint.repeat(len(lot_keys), axis=0)
        self.keys = np.tile(lot_keys, len(joint))
        self.states, self.observations = rows.state[:1].copy(), rows.observations[:1].copy()
        self.numbers = {self.states.tobytes(): 0}
        self.next_state = np.zeros(0, np.int32)
        figures = rows.measures[0].size + rows.scores[0].size
        self.first_figures = np.zeros((len(self.joint), figures))
        self.varies = np.zeros(figures, bool)

    @property
    def cells(self) -> int:
        """Cells of all states found so far."""
        return len(self.states) * len(self.joint)

    def play(self, begin: int) -> tuple[Ints, CopyRows, Floats]:
        """The cells of one batch from `begin` on, the rows after them, and figures `[n, F]`."""
        cells = np.arange(begin, min(begin + BATCH, self.cells))
        rows = build_rows(self.market, self.game, len(cells))
        states, joint = np.divmod(cells, len(self.joint))
        rows.state[:], rows.actions[:] = self.states[states], self.joint[joint]
        self.step(self.game, self.keys[joint], rows, 0, 0, 0)
        return cells, rows, np.hstack([rows.measures.reshape(len(cells), -1), rows.scores])

    def explore(self, limit: int) -> int:
        """Find all states; returns the number of cells, or some number above `limit`."""
        joints = len(self.joint)
        while len(self.next_state) < self.cells <= limit:
            cells, rows, figures = self.play(len(self.next_state))
            self.next_state = np.append(self.next_state, self._number(cells % joints, rows))
            begin = cells < joints
            self.first_figures[cells[begin]] = figures[begin]
            # Compared as integers, so that 0.0 and -0.0 differ: sums must be the same to the bit.
            same = self.first_figures[cells % joints].view(np.int64) == figures.view(np.int64)
            self.varies |= ~same.all(axis=0)
            if self.cells * int(self.varies.sum()) > MOST_NUMBERS:
                return MOST_CELLS + 1
        return self.cells

    def _number(self, joint: Ints, rows: CopyRows) -> NDArray[np.int32]:
        """The numbers of the states in `rows`, after these joint actions; new states are added.

        Mostly a joint action leads where it led from state 0. That is compared first, for all rows
        at once, because looking bytes up is done row by row in Python.
        """
        numbers = np.full(len(joint), -1, np.int32)
        if len(self.next_state) >= len(self.joint):
            usual = self.next_state[joint]
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

    def table(self) -> TransitionTable:
        """What was found, as a table; figures that vary between states are played once more."""
        joints = len(self.joint)
        # (as integers: -0.0 is not nothing, for the kernels leave it in their rows)
        by_joint = np.flatnonzero(self.first_figures.view(np.int64).any(axis=0) & ~self.varies)
        by_state = np.flatnonzero(self.varies)
        kinds, state_figures, rewards = self._varying_figures(by_state)
        joint_figures, own = distinct_columns(self.first_figures[:, by_joint], COLUMNS_AT_ONCE)
        state_figures, varying = distinct_columns(
            np.concatenate(list(state_figures)), STATE_COLUMNS_AT_ONCE
        )
        column_of = np.full(len(self.varies), -1)
        column_of[by_joint] = own
        column_of[by_state] = len(joint_figures) * COLUMNS_AT_ONCE + varying
        next_state = self.next_state.reshape(-1, joints)
        if (next_state == next_state[0]).all():
            next_state = next_state[:1]
        observations = [seat.role.observations for seat in self.market.seats]
        first_row = np.cumsum([0, *observations])[:-1]
        lots = lot_arrays(lots_by_phase(self.market)[0])
        strides = np.cumprod([1, *self.actions[:0:-1]])[::-1] * int(lots.counts.prod())
        arrays = TransitionArrays(
            observations=self.observations.T,
            first_row=first_row,
            actions=self.actions,
            strides=strides,
            next_state=next_state,
            next_rows=(self.observations[next_state] + first_row).astype(np.int32),
            kinds=kinds,
            rewards=np.moveaxis(rewards, -1, 0),
            joint_figures=joint_figures,
            state_figures=state_figures,
            lot_slots=lots.slots,
            lot_edges=lots.edges,
            lot_counts=lots.counts,
        )
        arrays = arrays._replace(
            **{name: np.ascontiguousarray(array) for name, array in arrays._asdict().items()}
        )
        for array in arrays:
            array.flags.writeable = False
        blocks = (joint_figures, state_figures)
        columns = FigureColumns(column_of, sum(len(each) * each.shape[-1] for each in blocks))
        return TransitionTable(self.states, self.numbers, arrays, columns)

    def _varying_figures(self, columns: Ints) -> tuple[NDArray[np.int32], Floats, Floats]:
        """Kinds of states by their varying figures.

        Returns:
            Each state's kind, int32 `[N]`; these figures of every kind and joint action, float64
            `[R, J, L]`; rewards, `[R or 1, J, S]`.
        """
        seats, joints = len(self.actions), len(self.joint)
        kinds = np.zeros(len(self.states), np.int32)
        if not len(columns):
            return kinds, np.zeros((1, joints, 0)), self.first_figures[None, :, -seats:]
        known: dict[bytes, int] = {}
        first: list[int] = []
        figures = np.zeros((self.cells, len(columns)))
        for begin in range(0, self.cells, BATCH):
            cells, _, played = self.play(begin)
            figures[cells] = played[:, columns]
        by_states = figures.reshape(-1, joints, len(columns))
        for state, own in enumerate(by_states):
            kinds[state] = known.setdefault(own.tobytes(), len(known))
            if kinds[state] == len(first):
                first.append(state)
        by_kind: Floats = by_states[first]
        rewards = self.first_figures[None, :, -seats:].copy()
        if not self.varies[-seats:].any():
            return kinds, by_kind, rewards
        rewards = np.repeat(rewards, len(first), axis=0)
        for s in np.flatnonzero(self.varies[-seats:]):
            rewards[:, :, s] = by_kind[:, :, columns == len(self.varies) - seats + s][:, :, 0]
        return kinds, by_kind, rewards
