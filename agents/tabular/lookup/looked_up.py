"""Rounds of a seed that are looked up: in a transition table where all seats act at once, in a
phase table where a round has several phases.

Either leaves behind what the kernels leave behind, bit for bit.
"""

from __future__ import annotations

import numpy as np

from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    BOUND_ROUNDS,
    EPISODE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    LEARNS,
    NATURE_KEYS,
    STATE_BEFORE,
    LookupScratch,
)
from tacit.agents.tabular.seed_state import SeedState
from tacit.envs.engine.engine import TEMPLATE as ENGINE_TEMPLATE
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .arrays import PhaseScratch
from .phase_table import PhaseTable, allows_phase_lookup, phase_table_for
from .transition_table import TransitionTable, allows_lookup, transition_table_for

TRANSITION_LOOP = "tacit.agents.tabular.lookup.transition_table_loop"
PHASE_LOOP = "tacit.agents.tabular.lookup.phase_table_loop"

AnyTable = TransitionTable | PhaseTable


def can_be_looked_up(market: Market) -> bool:
    """Whether rounds of a market can be looked up, if its table is not too large."""
    return allows_lookup(market) or allows_phase_lookup(market)


def table_for(state: SeedState, rounds: int, wait: bool) -> AnyTable | None:
    """A table that holds the present state of a seed, which is about to play so many rounds.

    Returns:
        None where it is not worth it (`shared_tables.shared_table`).
    """
    find = transition_table_for if len(state.market.phases) == 1 else phase_table_for
    return find(state.market, state.kpi, state.rows, rounds, wait)


def look_up(table: AnyTable, state: SeedState, rounds: int, stop_after: int) -> int:
    """Play and learn up to `rounds` rounds of a seed; every learner has decided before.

    Args:
        table: what is looked up; it holds the present state.
        state: the seed's copy and its learners; changed.
        rounds: how many, at least 1.
        stop_after: rounds of unchanged greedy policies after which it stops; 0: never.

    Returns:
        Rounds played; 0 if running sums of figures that share a column differ, as they may where
        they were begun under another KPI.
    """
    q_arrays = state.q_arrays
    figures = np.concatenate([q_arrays.measure_sums.ravel(), q_arrays.score_sums])
    sums = table.columns.sums_of(figures)
    if sums is None:
        return 0
    begin = table.numbers[state.rows.state[0].tobytes()]
    if isinstance(table, TransitionTable):
        played = _look_up_rounds(table, state, sums, begin, rounds, stop_after)
    else:
        played = _look_up_phases(table, state, sums, begin, rounds, stop_after)
    done, before, actions = played
    figures = table.columns.figures_of(sums, figures)
    q_arrays.measure_sums.flat[:], q_arrays.score_sums[:] = np.split(
        figures, [q_arrays.measure_sums.size]
    )
    _replay(state, table.states[before], actions)
    return done


def _look_up_rounds(
    table: TransitionTable,
    state: SeedState,
    sums: Floats,
    begin: int,
    rounds: int,
    stop_after: int,
) -> tuple[int, int, Ints]:
    """Rounds of one phase from state number `begin` on; `sums` are those of the table's columns.

    Returns:
        Rounds played; the state before the last one; what was done in it, int64 `[1, S]`.
    """
    q_arrays, seats = state.q_arrays, len(state.market.seats)
    streams = [EXPLORATION_KEYS if x else ACTION_KEYS for x in q_arrays.settings[:, LEARNS]]
    work = LookupScratch(
        keys=state.episode_keys[streams, 0],
        nature=state.episode_keys[NATURE_KEYS, :1].copy(),
        moments=np.zeros(BOUND_ROUNDS, np.uint64),
        draws=np.zeros((seats + 1, BOUND_ROUNDS)),
        lots=np.zeros(BOUND_ROUNDS, np.int64),
        visited=np.zeros((2, BOUND_ROUNDS), np.int64),
        pending=np.zeros((seats, 3), np.int64),
        highest=np.zeros(len(q_arrays.greedy)),
        sums=sums,
        state_numbers=np.array([-1, begin]),
        actions=np.zeros(seats, np.int64),
    )
    done = compiled(TRANSITION_LOOP).learn(table.arrays, q_arrays, work, rounds, stop_after)
    return done, int(work.state_numbers[STATE_BEFORE]), work.actions[None]


def _look_up_phases(
    table: PhaseTable, state: SeedState, sums: Floats, begin: int, rounds: int, stop_after: int
) -> tuple[int, int, Ints]:
    """Rounds of several phases from node `begin` on; `sums` are those of the table's columns.

    Returns:
        Rounds played; the node before the last one; what was done in its phases, int64 `[P, S]`.
    """
    phases, seats = len(state.market.phases), len(state.market.seats)
    work = PhaseScratch(
        moments=np.zeros((2, BOUND_ROUNDS), np.uint64),
        draws=np.zeros((len(table.arrays.deciders) + 1, BOUND_ROUNDS)),
        lots=np.zeros((phases, BOUND_ROUNDS), np.int64),
        visited=np.zeros(BOUND_ROUNDS, np.int64),
        sums=sums,
        nodes=np.array([-1, begin]),
        actions=np.zeros((phases, seats), np.int64),
    )
    done = compiled(PHASE_LOOP).learn(
        table.arrays, state.game, state.rows, state.episode_keys, state.q_arrays, work, rounds,
        stop_after,
    )  # fmt: skip
    return done, int(work.nodes[STATE_BEFORE]), work.actions


def _replay(state: SeedState, before: Floats, actions: Ints) -> None:
    """Play the last round once more with the kernels, which leaves `rows` as they leave it.

    Args:
        state: the seed; its clock says which round.
        before: the state before that round, float64 `[W]`.
        actions: what was done in its phases, int64 `[P, S]`.
    """
    rows, clock = state.rows, state.q_arrays.clock
    step, nature = compiled(ENGINE_TEMPLATE, state.market.kernels).step, state.keys[NATURE_KEYS]
    rows.state[0] = before
    for phase, acts in enumerate(state.game.acts == 1):
        rows.actions[0, acts] = actions[phase, acts]
        step(state.game, nature, rows, clock[EPISODE], clock[EPISODE_ROUND] - 1, phase)
