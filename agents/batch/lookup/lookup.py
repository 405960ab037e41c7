"""Rollouts of a market without draws, looked up: which markets, and what stands in the table.

Where a round is a function of the state before it and of the joint action, and there are few
enough of both (`tacit.agents.tabular.transition_table`), a rollout looks rounds up. What it leaves
behind has the bits of played rounds; so a group may look some rounds up and play others.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from tacit.agents.batch.arrays import RolloutBuffer
from tacit.agents.tabular.seed_state import SeedState
from tacit.agents.tabular.transition_table import (
    TransitionTable,
    allows_lookup,
    transition_table_for,
)
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import TEMPLATE as ENGINE_TEMPLATE
from tacit.envs.engine.game_arrays import build_game, build_rows
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .arrays import RolloutTable

TEMPLATE = "tacit.agents.batch.lookup.lookup_loop"
MOST_NUMBERS = 2**22  # of rewards and figures in a table
BATCH = 2**14  # cells played at once

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

    def play(self, rounds: int) -> int:
        """Look up to `rounds` rounds up, none of which ends an episode; returns how many were."""
        if rounds <= 0 or not self.allowed or not self._finds_states(rounds) or self.table is None:
            return 0
        if not self._is_even():
            return 0
        state, table = self.state, self.table
        q_arrays = state.q_arrays
        sums = np.concatenate([q_arrays.measure_sums.ravel(), q_arrays.score_sums])
        own = sums[table.columns]
        done: int = compiled(TEMPLATE).rollout(
            table, state.episode_keys, q_arrays.cumulative, q_arrays.clock, q_arrays.halt,
            self.buffer, self._numbers, own, rounds,
        )  # fmt: skip
        sums[table.columns] = own
        q_arrays.measure_sums.flat[:], q_arrays.score_sums[:] = np.split(
            sums, [q_arrays.measure_sums.size]
        )
        assert self._source is not None
        np.take(self._source.states, self._numbers, axis=0, out=state.rows.state)
        state.rows.observations[:] = table.observations[:, self._numbers].T
        return done

    def _is_even(self) -> bool:
        """Whether all copies have as many samples, opened in one round, all open or none."""
        arrays = (self.buffer.counts, self.buffer.open, self.buffer.last_round)
        return all((array == array[0, 0]).all() for array in arrays)

    def _finds_states(self, rounds: int) -> bool:
        """Whether the table holds the states of all copies, whose numbers are then known."""
        rows = self.state.rows
        copies = len(rows.state)
        if self._source is None or not self._source.holds(rows.state[0]):
            self._source, self.table = _table_for(self, rounds * copies)
            self._numbers = np.zeros(0, np.int64)
        if self._source is None or self.table is None:
            return False
        if len(self._numbers) == copies:
            # One round was played since: mostly the one that ends a batch.
            joints = rows.actions @ self.table.strides
            moves = self._numbers if len(self.table.next_state) > 1 else 0
            for numbers in (self.table.next_state[moves, joints].astype(np.int64), self._numbers):
                if np.array_equal(self._source.states[numbers], rows.state):
                    self._numbers = numbers
                    return True
        found = [self._source.numbers.get(row.tobytes(), -1) for row in rows.state]
        self._numbers = np.array(found if min(found) >= 0 else [], np.int64)
        return len(self._numbers) == copies


def _table_for(
    own: LookupRollout, rounds: int
) -> tuple[TransitionTable | None, RolloutTable | None]:
    """The table of a group's market that holds the state of copy 0; groups share it."""
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
    """All cells of a transition table, played once more; None: it is too large."""
    market, buffer, arrays = own.market, own.buffer, source.arrays
    actions = [seat.role.actions for seat in market.seats]
    joints = int(np.prod(actions))
    states = len(source.states)
    figures = _figures(own, source.states, actions)
    if figures is None:
        return None
    first = figures[0]
    # Compared as integers, so that 0.0 and -0.0 differ: sums must be the same to the bit.
    varies = (figures.view(np.int64) != first.view(np.int64)).any(axis=(0, 1))
    by_joint = np.flatnonzero(first.any(axis=0) & ~varies)
    by_state = np.flatnonzero(varies)
    begin = own.state.rows.measures[0].size
    wanted = np.where(buffer.terms >= 0, begin + buffer.terms, 0)
    rewards = np.where(buffer.terms[:, None, None, :] >= 0,
                       np.moveaxis(figures[:, :, wanted], 2, 0), 0.0)  # fmt: skip
    if not varies[wanted].any():
        rewards = rewards[:, :1]
    if rewards.size > MOST_NUMBERS or states * joints * len(by_state) > MOST_NUMBERS:
        return None
    starts = np.cumsum([0, *(seat.role.observations for seat in market.seats)])[:-1]
    strides = np.cumprod([1, *actions[:0:-1]])[::-1]
    made = RolloutTable(
        observations=arrays.observations.T.astype(np.int32),
        first_row=starts,
        actions=np.array(actions, np.int64),
        strides=strides.astype(np.int64),
        next_state=arrays.next_state,
        rewards=rewards,
        joint_figures=first[:, by_joint],
        state_figures=figures[:, :, by_state],
        columns=np.concatenate([by_joint, by_state]),
    )
    return made._replace(
        **{name: np.ascontiguousarray(array) for name, array in made._asdict().items()}
    )


def _figures(own: LookupRollout, states: Floats, actions: Sequence[int]) -> Floats | None:
    """Figures of every joint action in every state, float64 `[N, J, F]`; None: too many."""
    rows = own.state.rows
    joint = np.indices(actions).reshape(len(actions), -1).T
    size = rows.measures[0].size + rows.scores[0].size
    cells = len(states) * len(joint)
    if cells * size > MOST_NUMBERS:
        return None
    game, found = build_game(own.market, own.kpi), np.zeros((cells, size))
    step = compiled(ENGINE_TEMPLATE, own.market.kernels).step
    for begin in range(0, cells, BATCH):
        numbers, which = np.divmod(np.arange(begin, min(begin + BATCH, cells)), len(joint))
        played = build_rows(own.market, game, len(which))
        played.state[:], played.actions[:] = states[numbers], joint[which]
        step(game, np.zeros(len(which), np.uint64), played, 0, 0, 0)
        found[begin : begin + len(which)] = np.hstack(
            [played.measures.reshape(len(which), -1), played.scores]
        )
    return found.reshape(len(states), len(joint), size)
