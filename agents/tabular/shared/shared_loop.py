"""Template: rounds in which Q-learners of one vendor learn from each other's experience.

These are the rounds of `tacit.agents.tabular.q_learning_loop.learn`, with two differences. A TD
update of seat s is made in the tables of all seats that s teaches, each at the observations that
this seat would see in the place of s. And a seat explores by the draw of its slot. Shared weights
are tables that begin equal and get the same updates: they stay equal, to the bit, so no table has
to be stored once for several seats.

Updates are asynchronous: others are refused (`tacit.agents.vendors`). Arguments are those of
`q_learning_loop`, and `sharing`, the `SharingArrays`.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    DISCOUNT,
    EPISODE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    LEARNING_RATE,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    PENDING_ACTION,
    PENDING_OBSERVATION,
    PENDING_ROUND,
    ROUNDS_SINCE_READ,
    STABLE_ROUNDS,
    TRAINED_ROUNDS,
    QArrays,
)
from tacit.agents.tabular.decisions import (
    add_pending_rewards,
    decide,
    draws_action,
    renew_exploration_bounds,
)
from tacit.agents.tabular.q_learning_loop import (
    add_to_sums,
    begin_episode,
    flat_views,
)
from tacit.agents.tabular.q_values import update
from tacit.agents.tabular.recording import record_beginning, record_decisions, record_end
from tacit.agents.tabular.shared.arrays import SharingArrays
from tacit.envs.engine.engine_loop import start, step_copy
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold, u
from tacit.envs.rules import observe, play, reset


@inlined
def td_update_from(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    sharing: SharingArrays,
    r: Any,
    s: Any,
    t: Any,
) -> Any:
    """TD updates by the pending decision of copy r's seat s, if its next decision is reached.

    Every table that s teaches is updated towards its own estimate of the next value, with its own
    learning rate and discount. Returns 1 if a greedy policy changed, else 0.
    """
    pending, now = row(row(q_arrays.pending, r), s), rows.observations[r, s]
    o = pending[PENDING_OBSERVATION]
    if o < 0 or game.legal[at(game.per_seat[at(s), FIRST_ROW] + now), 1] < 2:
        return 0
    pending[PENDING_OBSERVATION] = -1
    rounds_between, changed = t - pending[PENDING_ROUND], 0
    for j in range(game.acts.shape[1]):
        if sharing.teaches[at(s), at(j)] == 1:
            settings = row(q_arrays.settings, j)
            first_row, width = game.per_seat[at(j), FIRST_ROW], game.per_seat[at(j), ACTION_COUNT]
            last, seen = sharing.seen_by[s, j, o], sharing.seen_by[s, j, now]
            next_cell = q_arrays.first_cell[j] + seen * width + q_arrays.greedy[first_row + seen]
            factor = settings[DISCOUNT]
            if rounds_between != 1:
                factor = factor**rounds_between
            target = q_arrays.pending_reward[r, s] + factor * q_arrays.q[next_cell]
            cell, table_row = q_arrays.first_cell[j] + last * width, first_row + last
            first, count = game.legal[table_row, 0], game.legal[table_row, 1]
            old = q_arrays.greedy[table_row]
            new, _, q_arrays.runner_up[table_row] = update(
                q_arrays.q, cell, pending[PENDING_ACTION], settings[LEARNING_RATE], target, first,
                count, old, q_arrays.q[cell + old], q_arrays.runner_up[table_row],
            )  # fmt: skip
            if new != old:
                q_arrays.greedy[table_row] = new
                changed = 1
    return changed


@inlined
def td_updates_of_phase(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    sharing: SharingArrays,
    phase: Any,
    t: Any,
) -> Any:
    """TD updates by every seat that acts in this phase, in all copies; 1 if a policy changed."""
    changed = 0
    for s in range(game.acts.shape[1]):
        if game.acts[at(phase), at(s)]:
            for r in range(len(rows.state)):
                changed |= td_update_from(game, rows, q_arrays, sharing, r, s, t)
    return changed


@inlined
def act_by_slots(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    sharing: SharingArrays,
    episode_keys: Any,
    r: Any,
    phase: Any,
    t: Any,
    stream: Any,
    round_: Any,
) -> None:
    """`q_learning_loop.act`, where learners draw from `sharing.slots`."""
    key = fold(fold(episode_keys[stream, r], round_), phase)
    for s in range(game.acts.shape[1]):
        if game.acts[at(phase), at(s)]:
            table_row = at(game.per_seat[at(s), FIRST_ROW] + rows.observations[r, s])
            action = game.legal[table_row, 0]
            if game.legal[table_row, 1] > 1:
                own, slot = key, sharing.slots[s]
                if draws_action(q_arrays, s):
                    own, slot = fold(fold(episode_keys[ACTION_KEYS, r], round_), phase), s
                action = decide(game, rows, q_arrays, r, s, u(own, slot), t)
            rows.actions[r, s] = action


@inlined
def look_ahead_sharing(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    sharing: SharingArrays,
    episode_keys: Any,
    t: Any,
    round_: Any,
) -> Any:
    """`q_learning_loop.look_ahead`: one more round, whose rewards do not count."""
    changed, phases = 0, game.acts.shape[0]
    for phase in range(phases):
        changed |= td_updates_of_phase(game, rows, q_arrays, sharing, phase, t)
        for r in range(len(rows.state)):
            act_by_slots(
                game, rows, q_arrays, sharing, episode_keys, r, phase, t, LOOKAHEAD_KEYS, round_
            )
            key = fold(fold(episode_keys[LOOKAHEAD_KEYS, r], round_), phases + phase)
            step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            for s in range(game.acts.shape[1]):
                if q_arrays.pending[r, s, PENDING_ROUND] == t:
                    q_arrays.pending[r, s, PENDING_OBSERVATION] = -1
    q_arrays.pending[:, :, PENDING_OBSERVATION] = -1
    return changed


@loop
def learn_sharing(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    episode_keys: Any,
    q_arrays: QArrays,
    sharing: SharingArrays,
    rounds: Any,
    episode_rounds: Any,
    stop_after: Any,
    recording: Any,
) -> Any:
    """Play and learn up to `rounds` rounds in all copies; returns how many were played.

    `keys` and `episode_keys` uint64 `[4, N]`; the other arguments are those of `learn`.
    """
    game, rows, q_arrays = borrow(game), borrow(rows), borrow(q_arrays)
    sharing, keys, episode_keys = borrow(sharing), borrow(keys), borrow(episode_keys)
    flat_measures, measure_sums = flat_views(rows, q_arrays)
    clock, phases = q_arrays.clock, game.acts.shape[0]
    begin_episode(keys, clock[EPISODE], episode_keys)
    for n in range(rounds):
        t, episode, round_ = clock[TRAINED_ROUNDS], clock[EPISODE], clock[EPISODE_ROUND]
        renew_exploration_bounds(q_arrays, n, t)
        if recording is not None:
            record_beginning(recording, rows, clock)
        changed = 0
        for phase in range(phases):
            changed |= td_updates_of_phase(game, rows, q_arrays, sharing, phase, t)
            for r in range(len(rows.state)):
                act_by_slots(
                    game, rows, q_arrays, sharing, episode_keys, r, phase, t, EXPLORATION_KEYS,
                    round_,
                )  # fmt: skip
                if recording is not None:
                    record_decisions(recording, game, rows, q_arrays, r, phase, t)
                key = fold(fold(episode_keys[NATURE_KEYS, r], round_), phase)
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
            changed |= look_ahead_sharing(
                game, rows, q_arrays, sharing, episode_keys, t + 1, round_ + 1
            )
            start(game, row(keys, NATURE_KEYS), rows, episode + 1)
            clock[EPISODE], clock[EPISODE_ROUND] = episode + 1, 0
            begin_episode(keys, episode + 1, episode_keys)
        clock[STABLE_ROUNDS] = 0 if changed else clock[STABLE_ROUNDS] + 1
        if (stop_after > 0 and clock[STABLE_ROUNDS] >= stop_after) or q_arrays.halt[0] != 0:
            return n + 1
    return rounds
