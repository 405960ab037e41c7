"""Template: rounds of one seed in which Q-learners and fixed policy tables play and learn.

A learner's step is an own decision with at least two legal actions. Its decision is *pending* until
the seat reaches its next one; rewards in between are summed (each discounted by the rounds since
the decision, if the seat's settings say so), and the next value is discounted by
discount^(rounds between). In every phase all copies first make the due TD updates, in ascending
order, because one table of Q values serves all copies of a seat; then they act.

Common arguments: `game` and `rows` are the market and its N copies (`GameArrays`, `CopyRows`), r is
a copy, s a seat, t the number of rounds since training began. `keys` uint64 `[4, N]` has each
copy's keys of the streams NATURE, EXPLORATION, ACTION and LOOKAHEAD, `episode_keys` the same keys
folded with the running episode. `scratch` has rows of one copy, for trying actions out. A table row
is one observation of one seat, counted over all seats (see `tacit.agents.tabular.arrays`).
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    DISCOUNT,
    EPISODE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    LEARNING_RATE,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    PENDING_OBSERVATION,
    PENDING_ROUND,
    ROUNDS_SINCE_READ,
    STABLE_ROUNDS,
    SUMS,
    SYNCHRONOUS,
    TRAINED_ROUNDS,
    QArrays,
)
from tacit.agents.tabular.decisions import (
    act,
    add_pending_rewards,
    renew_exploration_bounds,
    td_update_phase,
)
from tacit.agents.tabular.q_values import rank
from tacit.agents.tabular.recording import record_beginning, record_decisions, record_end
from tacit.envs.engine.engine_loop import start, step_copy
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, FIRST_TERM, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop
from tacit.envs.kpi import reward
from tacit.envs.rng import fold, u
from tacit.envs.rules import observe, play, reset

# --- the beginning -------------------------------------------------------------------------------


@loop
def draw_initial_q(q: Any, key: Any, low: Any, high: Any) -> None:
    """Fill `q` float64 `[O * A]` with uniform draws from [low, high)."""
    for k in range(len(q)):
        q[k] = low + (high - low) * u(key, k)


@loop
def begin_training(game: GameArrays, rows: CopyRows, keys: Any, q_arrays: QArrays) -> None:
    """Find the greedy actions of the initial Q values, and start the first episode."""
    seats = game.acts.shape[1]
    for s in range(seats):
        width = game.per_seat[at(s), ACTION_COUNT]
        for table_row in range(
            game.per_seat[at(s), FIRST_ROW], game.per_seat[at(s + 1), FIRST_ROW]
        ):
            cell = q_arrays.first_cell[s] + (table_row - game.per_seat[at(s), FIRST_ROW]) * width
            first, count = game.legal[table_row, 0], game.legal[table_row, 1]
            q_arrays.greedy[table_row], _, q_arrays.runner_up[table_row] = rank(
                q_arrays.q, cell, first, count
            )
    start(game, keys[NATURE_KEYS], rows, 0)


@kernel
def begin_episode(keys: Any, episode: Any, episode_keys: Any) -> None:
    """Fill `episode_keys` uint64 `[4, N]`: `rng.moment` without its last two folds, by round and
    phase, which are all that changes within an episode."""
    for stream in range(keys.shape[0]):
        for r in range(keys.shape[1]):
            episode_keys[stream, r] = fold(keys[stream, r], episode)


# --- synchronous updates ------------------------------------------------------------------------


@inlined
def learn_synchronously(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    scratch: CopyRows,
    r: Any,
    s: Any,
    key: Any,
) -> Any:
    """Update all own actions of seat s, each against the others' actual actions, with one key.

    All targets are computed before any Q value changes. Multiplicative weights add a target to
    their sum, where a Q value moves towards it. Returns 1 if the greedy policy changed.
    """
    seats = game.acts.shape[1]
    width, first_row = game.per_seat[at(s), ACTION_COUNT], game.per_seat[at(s), FIRST_ROW]
    settings = row(q_arrays.settings, s)
    o = rows.observations[r, s]
    first, count = game.legal[first_row + o, 0], game.legal[first_row + o, 1]
    state, before = row(scratch.state, 0), row(rows.state, r)
    actions, measures = row(scratch.actions, 0), row(scratch.measures, 0)
    for j in range(seats):
        actions[j] = rows.actions[r, j]
    for a in range(first, first + count):
        for k in range(len(state)):
            state[k] = before[k]
        actions[s] = a
        measures[:] = 0.0
        play(game.params, state, 0, actions, measures, key)
        payoff = reward(
            game.terms,
            game.per_seat[at(s), FIRST_TERM],
            game.per_seat[at(s + 1), FIRST_TERM],
            measures,
        )
        now = observe(game.params, state, 0, s)
        next_cell = q_arrays.first_cell[s] + now * width + q_arrays.greedy[first_row + now]
        q_arrays.targets[a] = payoff + settings[DISCOUNT] * q_arrays.q[next_cell]
    cell = q_arrays.first_cell[s] + o * width
    old = q_arrays.greedy[first_row + o]
    forgets = 1.0 - settings[SUMS]
    for a in range(first, first + count):
        q_arrays.q[cell + a] += settings[LEARNING_RATE] * (
            q_arrays.targets[a] - forgets * q_arrays.q[cell + a]
        )
    q_arrays.greedy[first_row + o], _, q_arrays.runner_up[first_row + o] = rank(
        q_arrays.q, cell, first, count
    )
    return 1 if q_arrays.greedy[first_row + o] != old else 0


# --- the end of an episode -----------------------------------------------------------------------


@inlined
def look_ahead(
    game: GameArrays, rows: CopyRows, q_arrays: QArrays, episode_keys: Any, t: Any, round_: Any
) -> Any:
    """At truncation, play one more round whose rewards do not count, so that each seat reaches the
    next decision whose value its pending one needs. Returns 1 if a greedy policy changed.

    What is decided in this round is not learned from, so nothing is pending afterwards.
    """
    changed = 0
    phases = game.acts.shape[0]
    for phase in range(phases):
        changed |= td_update_phase(game, rows, q_arrays, phase, t)
        for r in range(len(rows.state)):
            act(game, rows, q_arrays, episode_keys, r, phase, t, LOOKAHEAD_KEYS, round_)
            # Actions and nature draw from one stream here, so nature's phases are numbered behind.
            key = fold(fold(episode_keys[LOOKAHEAD_KEYS, r], round_), phases + phase)
            step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            for s in range(game.acts.shape[1]):
                if q_arrays.pending[r, s, PENDING_ROUND] == t:
                    q_arrays.pending[r, s, PENDING_OBSERVATION] = -1
    q_arrays.pending[:, :, PENDING_OBSERVATION] = -1
    return changed


# --- rounds --------------------------------------------------------------------------------------


@inlined
def any_synchronous(q_arrays: QArrays) -> Any:
    """1 if a seat updates all its actions every round, else 0."""
    found = 0
    for s in range(len(q_arrays.settings)):
        found |= int(q_arrays.settings[s, SYNCHRONOUS])
    return found


@inlined
def flat_views(rows: CopyRows, q_arrays: QArrays) -> Any:
    """Measures float64 `[N, (S + 1) M]` and their sums `[(S + 1) M]`, for `add_to_sums`."""
    flat_measures = borrow(rows.measures.reshape((len(rows.state), -1)))
    return flat_measures, borrow(q_arrays.measure_sums.reshape(-1))


@inlined
def add_to_sums(
    rows: CopyRows, q_arrays: QArrays, flat_measures: Any, measure_sums: Any, r: Any
) -> None:
    """Add copy r's finished round to the sums of measures and scores.

    `flat_measures` `[N, (S + 1) M]` and `measure_sums` `[(S + 1) M]` are flat views: one loop over
    30 numbers is faster than three over 10.
    """
    for k in range(len(measure_sums)):
        measure_sums[k] += flat_measures[r, k]
    for k in range(rows.scores.shape[1]):
        q_arrays.score_sums[k] += rows.scores[r, k]


@loop
def learn(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    episode_keys: Any,
    q_arrays: QArrays,
    scratch: CopyRows,
    rounds: Any,
    episode_rounds: Any,
    stop_after: Any,
    recording: Any,
) -> Any:
    """Play and learn up to `rounds` rounds in all copies; returns how many were played.

    `episode_rounds` is the length of an episode (0: endless). It stops earlier once all greedy
    policies have been unchanged for `stop_after` rounds (0: never), or when it is told to halt.
    `recording` is a `Recording`
    with room for these rounds, or None.

    The caller holds every array, so references are not counted here (`tacit.envs.jit.array_views`).
    """
    game, rows, q_arrays = borrow(game), borrow(rows), borrow(q_arrays)
    scratch, keys, episode_keys = borrow(scratch), borrow(keys), borrow(episode_keys)
    flat_measures, measure_sums = flat_views(rows, q_arrays)
    clock = q_arrays.clock
    phases, seats = game.acts.shape
    synchronous = any_synchronous(q_arrays)
    begin_episode(keys, clock[EPISODE], episode_keys)
    for n in range(rounds):
        t, episode, round_ = clock[TRAINED_ROUNDS], clock[EPISODE], clock[EPISODE_ROUND]
        renew_exploration_bounds(q_arrays, n, t)
        if recording is not None:
            record_beginning(recording, rows, clock)
        changed = 0
        for phase in range(phases):
            changed |= td_update_phase(game, rows, q_arrays, phase, t)
            for r in range(len(rows.state)):
                act(game, rows, q_arrays, episode_keys, r, phase, t, EXPLORATION_KEYS, round_)
                if recording is not None:
                    record_decisions(recording, game, rows, q_arrays, r, phase, t)
                key = fold(fold(episode_keys[NATURE_KEYS, r], round_), phase)
                for s in range(seats * synchronous):
                    if q_arrays.settings[s, SYNCHRONOUS] == 1.0:
                        changed |= learn_synchronously(game, rows, q_arrays, scratch, r, s, key)
                step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            add_to_sums(rows, q_arrays, flat_measures, measure_sums, r)
            add_pending_rewards(rows, q_arrays, r, t)
        if recording is not None:
            record_end(recording, rows)
        clock[TRAINED_ROUNDS] = t + 1
        clock[ROUNDS_SINCE_READ] += 1
        clock[EPISODE_ROUND] = round_ + 1
        if episode_rounds > 0 and clock[EPISODE_ROUND] == episode_rounds:
            changed |= look_ahead(game, rows, q_arrays, episode_keys, t + 1, round_ + 1)
            start(game, row(keys, NATURE_KEYS), rows, episode + 1)
            clock[EPISODE], clock[EPISODE_ROUND] = episode + 1, 0
            begin_episode(keys, episode + 1, episode_keys)
        clock[STABLE_ROUNDS] = 0 if changed else clock[STABLE_ROUNDS] + 1
        if (stop_after > 0 and clock[STABLE_ROUNDS] >= stop_after) or q_arrays.halt[0] != 0:
            return n + 1
    return rounds
