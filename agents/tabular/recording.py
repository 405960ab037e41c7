"""Rounds as they were played, kept for those who ask about them later.

The loops of training take a `Recording` or None. They are the same loops: where it is None, Numba
leaves the lines that record out (as None is a type), and training costs nothing more. A recording
changes no draw and no update, so a round that is played again with one is the round that training
played, bit for bit.

Letters in shapes: R rounds, N copies, P phases, S seats, M measures, T KPI terms, W numbers of
market state.
"""

from __future__ import annotations

from math import exp
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular.arrays import (
    BOLTZMANN,
    EPISODE,
    EPISODE_ROUND,
    LEARNS,
    RANDOM_TIES,
    SCHEDULE,
    TEMPERATURE,
    TEMPERATURE_DECAY,
    TRAINED_ROUNDS,
    QArrays,
)
from tacit.agents.tabular.exploration import epsilon_at
from tacit.agents.tabular.q_values import rank
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, row
from tacit.envs.jit.decorators import inlined, kernel
from tacit.envs.types import Floats, Ints

NOTHING = -1  # the observation and the action of a seat that does not decide in a phase


class Recording(NamedTuple):
    """Room for R rounds of N copies, filled in the order in which they are played.

    Attributes:
        recorded: how many rounds are recorded, int64 `[1]`.
        clock: rounds since training began, episode, and round of the episode, int64 `[R, 3]`.
        states: the market's state before the round, float64 `[R, N, W]`.
        observations: what each seat saw when it decided, int32 `[R, N, P, S]`; NOTHING where it
            does not decide.
        actions: what it did, int32 `[R, N, P, S]`.
        probabilities: with which probability its policy did that, exploration included, float64
            `[R, N, P, S]`; 1 where it does not decide.
        measures: of the finished round, float64 `[R, N, S + 1, M]`; row S is the market's.
        scores: unweighted KPI terms, then rewards, float64 `[R, N, T + S]`.
        forced: actions that replace those that seats choose, int32 `[R, N, P, S]`; NOTHING where a
            seat does as it chooses. What would have followed from another action is asked so: every
            draw is the same.
        values: Q values of all actions at what the seat saw when it decided, float64
            `[R, N, P, S, largest A]`; `[R, N, P, S, 0]` where they are not asked for. NaN of a seat
            that has none.
    """

    recorded: Ints
    clock: Ints
    states: Floats
    observations: NDArray[np.int32]
    actions: NDArray[np.int32]
    probabilities: Floats
    measures: Floats
    scores: Floats
    forced: NDArray[np.int32]
    values: Floats


def build_recording(
    game: GameArrays, rows: CopyRows, rounds: int, with_values: bool = False
) -> Recording:
    """Room for so many rounds of all copies, with or without Q values."""
    copies, phases = len(rows.state), len(game.acts)
    shape = (rounds, copies, phases, game.acts.shape[1])
    return Recording(
        recorded=np.zeros(1, np.int64),
        clock=np.zeros((rounds, 3), np.int64),
        states=np.zeros((rounds, *rows.state.shape)),
        observations=np.full(shape, NOTHING, np.int32),
        actions=np.full(shape, NOTHING, np.int32),
        probabilities=np.ones(shape),
        measures=np.zeros((rounds, *rows.measures.shape)),
        scores=np.zeros((rounds, *rows.scores.shape)),
        forced=np.full(shape, NOTHING, np.int32),
        values=np.full(
            (*shape, int(game.per_seat[:, ACTION_COUNT].max()) if with_values else 0), np.nan
        ),
    )


def recording_bytes(game: GameArrays, rows: CopyRows) -> int:
    """Memory that one recorded round takes, in bytes."""
    return sum(array.nbytes for array in build_recording(game, rows, 1))


# --- compiled parts of the loops -----------------------------------------------------------------


@inlined
def record_beginning(recording: Recording, rows: CopyRows, clock: Any) -> None:
    """Record when a round is played, and from which state; `clock` int64 `[5]`."""
    n = recording.recorded[0]
    recording.clock[n, 0] = clock[TRAINED_ROUNDS]
    recording.clock[n, 1] = clock[EPISODE]
    recording.clock[n, 2] = clock[EPISODE_ROUND]
    for r in range(len(rows.state)):
        for k in range(rows.state.shape[1]):
            recording.states[n, r, k] = rows.state[r, k]


@inlined
def record_decisions(
    recording: Recording,
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    r: Any,
    phase: Any,
    t: Any,
) -> None:
    """Record what every acting seat of copy r has just decided in a phase of round t.

    A forced action takes the place of what the seat decided.
    """
    n = recording.recorded[0]
    for s in range(game.acts.shape[1]):
        if game.acts[at(phase), at(s)]:
            if recording.forced[n, r, phase, s] >= 0:
                rows.actions[r, s] = recording.forced[n, r, phase, s]
            o, action = rows.observations[r, s], rows.actions[r, s]
            table_row = at(game.per_seat[at(s), FIRST_ROW] + o)
            first, count = game.legal[table_row, 0], game.legal[table_row, 1]
            cell = q_arrays.first_cell[s] + o * game.per_seat[at(s), ACTION_COUNT]
            probability = 1.0
            if recording.values.shape[4] > 0 and q_arrays.settings[s, LEARNS] == 1.0:
                for a in range(first, first + count):
                    recording.values[n, r, phase, s, a] = q_arrays.q[cell + a]
            if count > 1 and q_arrays.settings[s, LEARNS] == 1.0:
                probability = learner_probability(
                    q_arrays.q, cell, first, count, q_arrays.greedy[table_row],
                    row(q_arrays.settings, s), t, action,
                )  # fmt: skip
            elif count > 1:
                below = q_arrays.cumulative[cell + action - 1] if action > first else 0.0
                probability = q_arrays.cumulative[cell + action] - below
            recording.observations[n, r, phase, s] = o
            recording.actions[n, r, phase, s] = action
            recording.probabilities[n, r, phase, s] = probability


@inlined
def record_end(recording: Recording, rows: CopyRows) -> None:
    """Record the measures and scores of a round that is finished in all copies."""
    n = recording.recorded[0]
    for r in range(len(rows.state)):
        for s in range(rows.measures.shape[1]):
            for k in range(rows.measures.shape[2]):
                recording.measures[n, r, s, k] = rows.measures[r, s, k]
        for k in range(rows.scores.shape[1]):
            recording.scores[n, r, k] = rows.scores[r, k]
    recording.recorded[0] = n + 1


@kernel
def learner_probability(
    q: Any,
    cell: Any,
    first: Any,
    count: Any,
    greedy: Any,
    settings: Any,
    t: Any,
    action: Any,
) -> Any:
    """With which probability `exploration.explore` takes an action.

    Args:
        q: Q values, float64 `[C]`; the row is the stretch from `cell` on.
        cell: where the row begins.
        first: its first legal action.
        count: how many legal actions it has.
        greedy: its greedy action.
        settings: the seat's settings, float64 `[17]`.
        t: rounds since training began.
        action: the action.
    """
    if int(settings[SCHEDULE]) == BOLTZMANN:
        temperature = settings[TEMPERATURE] * exp(-settings[TEMPERATURE_DECAY] * t)
        highest = q[cell + rank(q, cell, first, count)[0]]
        total = 0.0
        for a in range(first, first + count):
            total += exp((q[cell + a] - highest) / temperature)
        return exp((q[cell + action] - highest) / temperature) / total
    epsilon = epsilon_at(settings, t)
    if settings[RANDOM_TIES] == 0.0:
        return epsilon / count + (1.0 - epsilon if action == greedy else 0.0)
    ties = 0
    for a in range(first, first + count):
        if q[cell + a] == q[cell + greedy]:
            ties += 1
    chosen = (1.0 - epsilon) / ties if q[cell + action] == q[cell + greedy] else 0.0
    return epsilon / count + chosen
