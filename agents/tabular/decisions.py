"""Compiled: what a seat does in one round, whoever plays that round.

`q_learning_loop` and its like step a market with its rules; `lookup.phase_table_loop` looks steps
up. Seats decide and learn by the functions of this module in both. It calls no rules.

Arguments as in `tacit.agents.tabular.q_learning_loop`.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    BOUND_ROUNDS,
    DISCOUNT,
    DISCOUNT_BETWEEN,
    LEARNING_RATE,
    LEARNS,
    PENDING_ACTION,
    PENDING_OBSERVATION,
    PENDING_ROUND,
    SYNCHRONOUS,
    QArrays,
)
from tacit.agents.tabular.exploration import choose, renew_bounds
from tacit.agents.tabular.q_values import update
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, row
from tacit.envs.jit.decorators import inlined
from tacit.envs.rng import fold, u

# --- one phase -----------------------------------------------------------------------------------


@inlined
def td_update(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    r: Any,
    s: Any,
    first_row: Any,
    width: Any,
    t: Any,
) -> Any:
    """TD update of the pending decision of copy r's seat s, if its next decision is reached.

    `first_row` is the seat's first table row, `width` its number of actions. Returns 1 if the
    seat's greedy policy changed, else 0.
    """
    pending, now = row(row(q_arrays.pending, r), s), rows.observations[r, s]
    o = pending[PENDING_OBSERVATION]
    if o < 0 or game.legal[at(first_row + now), 1] < 2:
        return 0
    pending[PENDING_OBSERVATION] = -1
    settings = row(q_arrays.settings, s)
    next_cell = q_arrays.first_cell[s] + now * width + q_arrays.greedy[at(first_row + now)]
    rounds_between = t - pending[PENDING_ROUND]
    # (a power costs more than the whole update, and nearly always one round lies between)
    factor = settings[DISCOUNT] if rounds_between == 1 else settings[DISCOUNT] ** rounds_between
    target = q_arrays.pending_reward[r, s] + factor * q_arrays.q[at(next_cell)]
    cell, table_row = q_arrays.first_cell[s] + o * width, at(first_row + o)
    first, count = game.legal[table_row, 0], game.legal[table_row, 1]
    old = q_arrays.greedy[table_row]
    new, _, q_arrays.runner_up[table_row] = update(
        q_arrays.q, cell, pending[PENDING_ACTION], settings[LEARNING_RATE], target, first, count,
        old, q_arrays.q[at(cell + old)], q_arrays.runner_up[table_row],
    )  # fmt: skip
    if new == old:
        return 0
    q_arrays.greedy[table_row] = new
    return 1


@inlined
def td_update_phase(game: GameArrays, rows: CopyRows, q_arrays: QArrays, phase: Any, t: Any) -> Any:
    """TD updates of every seat that acts in this phase, in all copies.

    Returns 1 if a greedy policy changed, else 0.
    """
    seats = game.acts.shape[1]
    changed = 0
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            first_row, width = game.per_seat[at(s), FIRST_ROW], game.per_seat[at(s), ACTION_COUNT]
            for r in range(len(rows.state)):
                changed |= td_update(game, rows, q_arrays, r, s, first_row, width, t)
    return changed


@inlined
def decide(
    game: GameArrays, rows: CopyRows, q_arrays: QArrays, r: Any, s: Any, draw: Any, t: Any
) -> Any:
    """The action of copy r's seat s, which has at least two; a learner's decision is then pending.

    `draw` is from the stream that `draws_action` names.
    """
    o = rows.observations[r, s]
    table_row = at(game.per_seat[at(s), FIRST_ROW] + o)
    first, count = game.legal[table_row, 0], game.legal[table_row, 1]
    cell = q_arrays.first_cell[s] + o * game.per_seat[at(s), ACTION_COUNT]
    if draws_action(q_arrays, s):
        action = first
        for a in range(cell + first, cell + first + count - 1):
            # (a sum of comparisons: a branch would be mispredicted half the time)
            action += draw >= q_arrays.cumulative[at(a)]
        return action
    action = choose(
        q_arrays.q, cell, first, count, q_arrays.greedy[table_row],
        q_arrays.runner_up[table_row], row(q_arrays.settings, s), draw, t,
    )  # fmt: skip
    if q_arrays.settings[s, SYNCHRONOUS] == 0.0:
        pending = row(row(q_arrays.pending, r), s)
        pending[PENDING_OBSERVATION], pending[PENDING_ACTION] = o, action
        pending[PENDING_ROUND] = t
        q_arrays.pending_reward[r, s] = 0.0
    return action


@inlined
def draws_action(q_arrays: QArrays, s: Any) -> Any:
    """Whether seat s plays a fixed table, which draws from the stream ACTION; learners draw from
    EXPLORATION (and LOOKAHEAD)."""
    return q_arrays.settings[at(s), LEARNS] != 1.0


@inlined
def act(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    episode_keys: Any,
    r: Any,
    phase: Any,
    t: Any,
    stream: Any,
    round_: Any,
) -> None:
    """Choose the action of every acting seat of copy r.

    `stream` is the row of `episode_keys` that learners draw from, `round_` the episode's round.
    """
    seats = game.acts.shape[1]
    key = fold(fold(episode_keys[stream, r], round_), phase)
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            table_row = at(game.per_seat[at(s), FIRST_ROW] + rows.observations[r, s])
            action = game.legal[table_row, 0]
            if game.legal[table_row, 1] > 1:
                own = key
                if draws_action(q_arrays, s):
                    own = fold(fold(episode_keys[ACTION_KEYS, r], round_), phase)
                action = decide(game, rows, q_arrays, r, s, u(own, s), t)
            rows.actions[r, s] = action


# --- rounds -------------------------------------------------------------------------------------


@inlined
def add_pending_rewards(rows: CopyRows, q_arrays: QArrays, r: Any, t: Any) -> None:
    """Add copy r's rewards of round t, just played, to what its pending decisions have earned."""
    seats = len(q_arrays.settings)
    first = rows.scores.shape[1] - seats  # rewards lie behind the KPI's terms
    for s in range(seats):
        earned = rows.scores[r, at(first + s)]
        if q_arrays.settings[s, DISCOUNT_BETWEEN] == 1.0:
            since = t - q_arrays.pending[r, s, PENDING_ROUND]
            earned *= q_arrays.settings[s, DISCOUNT] ** since
        q_arrays.pending_reward[r, s] += earned


@inlined
def renew_exploration_bounds(q_arrays: QArrays, n: Any, t: Any) -> None:
    """Bound every seat's epsilon in the first round of a call, and now and then.

    The bounds are a function of t alone, so they do not depend on where a run is cut into calls.
    """
    if n == 0 or t % BOUND_ROUNDS == 0:
        for s in range(len(q_arrays.settings)):
            renew_bounds(row(q_arrays.settings, s), t - t % BOUND_ROUNDS)
