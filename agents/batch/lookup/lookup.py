"""Rollouts of a market without draws, looked up: which markets, and what stands in the table.

Where a round is a function of the state before it and of the joint action, and there are few
enough of both (`tacit.agents.tabular.lookup.transition_table`), a rollout looks rounds up. What it
leaves behind has the bits of played rounds; so a group may look some rounds up and play others.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import numpy as np

from tacit.agents.batch.arrays import RolloutBuffer
from tacit.agents.tabular.arrays import (
    COLUMNS_AT_ONCE,
    STATE_COLUMNS_AT_ONCE,
    TransitionArrays,
)
from tacit.agents.tabular.lookup.shared_tables import last_table
from tacit.agents.tabular.lookup.transition_table import (
    TransitionTable,
    allows_lookup,
    transition_table_for,
)
from tacit.agents.tabular.seed_state import SeedState
from tacit.envs import kpi as kpis
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .arrays import RolloutTable

TEMPLATE = "tacit.agents.batch.lookup.lookup_loop"
MOST_NUMBERS = 2**22  # of rewards in a table

_TABLES: WeakKeyDictionary[
    Market, dict[tuple[str, tuple[int, ...]], tuple[TransitionTable, RolloutTable | None]]
] = WeakKeyDictionary()
_MAKING = threading.Lock()  # seeds are threads of one process: the others wait for the table


class LookupRollout:
    """Looks rounds of one group up, where that can be done.

    Attributes:
        table: what is looked up; None: not yet, or never.
    """

    def __init__(self, market: Market, kpi: kpis.KpiTable, state: SeedState,
                 buffer: RolloutBuffer) -> None:  # fmt: skip
        self.market, self.kpi, self.state, self.buffer = market, kpi, state, buffer
        self.table: RolloutTable | None = None
        self._source: TransitionTable | None = None
        self._numbers: Ints = np.zeros(0, np.int64)
        roles = market.roles
        # Where nature draws lots there is a table, too, but this loop draws none.
        self.allowed = (
            allows_lookup(market)
            and not market.play_draws
            and all((role.legal == (0, role.actions)).all() for role in roles)
        )

    def play(
        self, rounds: int, wanted: int, ends_batch: bool, looks_ahead: bool, makes: bool = True
    ) -> int:
        """Play rounds, none of which ends an episode, by looking them up.

        A single round is left to the kernels: finding the states would cost as much.

        Args:
            rounds: how many.
            wanted: how many would be looked up from here on if there were a table: a table is made
                once its market has been asked for as many as it has cells.
            ends_batch: whether the last of them ends a batch.
            looks_ahead: whether samples that are cut there need their next decision.
            makes: whether a table is made where there is none for these states.

        Returns:
            How many were looked up: none, or fewer if told to halt.
        """
        if rounds <= 1 or not self.allowed or not self._finds_states(wanted, makes):
            return 0
        if self.table is None or not self._are_in_step():
            return 0
        state, table, source = self.state, self.table, self._source
        q_arrays = state.q_arrays
        figures = np.concatenate([q_arrays.measure_sums.ravel(), q_arrays.score_sums])
        sums = source.columns.sums_of(figures) if source else None
        if source is None or sums is None:
            return 0
        done: int = compiled(TEMPLATE).rollout(
            table, source.columns.column_of, state.rows, state.keys, q_arrays.cumulative,
            q_arrays.clock, q_arrays.halt, self.buffer, self._numbers, sums, rounds, ends_batch,
            looks_ahead,
        )  # fmt: skip
        q_arrays.measure_sums.flat[:], q_arrays.score_sums[:] = np.split(
            source.columns.figures_of(sums, figures), [q_arrays.measure_sums.size]
        )
        np.take(source.states, self._numbers, axis=0, out=state.rows.state)
        return done

    def _are_in_step(self) -> bool:
        """Whether all copies have as many samples, opened in one round, all open or none."""
        arrays = (self.buffer.counts, self.buffer.open, self.buffer.last_round)
        return all((array == array[0, 0]).all() for array in arrays)

    def _finds_states(self, wanted: int, makes: bool) -> bool:
        """Whether the table holds the states of all copies, whose numbers are then known."""
        rows = self.state.rows
        copies = len(rows.state)
        if self._source is None or not self._source.holds(rows.state[0]):
            made = None if makes else last_table(self.market, self.kpi)
            if not makes and not (made and made.holds(rows.state[0])):
                return False
            self._source, self.table = _table_for(self, wanted * copies)
            self._numbers = np.zeros(0, np.int64)
        if self._source is None or self.table is None:
            return False
        known = self._numbers
        if len(known) == copies and np.array_equal(
            self._source.states[known].view(np.int64), rows.state.view(np.int64)
        ):
            return True  # the kernels have played nothing since the last call
        found = [self._source.numbers.get(row.tobytes(), -1) for row in rows.state]
        self._numbers = np.array(found if min(found) >= 0 else [], np.int64)
        return len(self._numbers) == copies


def _table_for(
    own: LookupRollout, rounds: int
) -> tuple[TransitionTable | None, RolloutTable | None]:
    """The table of a group's market that holds the state of copy 0; groups share it.

    `rounds`: that all copies would look up.
    """
    seats = tuple(own.buffer.seats.tolist())
    with _MAKING:
        source = transition_table_for(own.market, own.kpi, own.state.rows, rounds, wait=True)
        if source is None:
            return None, None
        kept = _TABLES.setdefault(own.market, {})
        key = kpis.kpi_hash(own.kpi), seats
        if key not in kept or kept[key][0] is not source:
            kept[key] = source, _rollout_table(own, source)
        return kept[key]


def _rollout_table(own: LookupRollout, source: TransitionTable) -> RolloutTable | None:
    """The table of a rollout from a transition table; None: it is too large."""
    buffer, arrays = own.buffer, source.arrays
    begin = own.state.rows.measures[0].size
    columns = np.where(buffer.terms >= 0, source.columns.column_of[begin + buffer.terms], -1)
    kinds, joints = int(arrays.kinds.max()) + 1, arrays.next_state.shape[1]
    varies = (columns >= len(arrays.joint_figures) * COLUMNS_AT_ONCE).any()
    cells = kinds * joints if varies else joints
    if columns.size * cells > MOST_NUMBERS:
        return None
    rewards = np.zeros((*columns.shape, cells))
    for place in zip(*np.nonzero(columns >= 0), strict=True):
        rewards[place] = np.resize(_column(arrays, int(columns[place])), cells)
    made = RolloutTable(
        observations=arrays.observations.astype(np.int32),
        first_row=arrays.first_row,
        actions=arrays.actions,
        strides=arrays.strides,
        next_state=arrays.next_state,
        first_cell=arrays.kinds.astype(np.int64) * joints,
        rewards=np.moveaxis(rewards, 1, 2),
        joint_figures=arrays.joint_figures,
        state_figures=arrays.state_figures,
    )
    return made._replace(
        **{name: np.ascontiguousarray(array) for name, array in made._asdict().items()}
    )


def _column(arrays: TransitionArrays, column: int) -> Floats:
    """A figure of every joint action, float64 `[J]`, or of every kind of state too, `[R * J]`."""
    blocks, at_once = arrays.joint_figures, COLUMNS_AT_ONCE
    if column >= len(blocks) * at_once:
        column -= len(blocks) * at_once
        blocks, at_once = arrays.state_figures, STATE_COLUMNS_AT_ONCE
    return blocks[column // at_once, :, column % at_once]
