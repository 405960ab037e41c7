"""Template: rounds in which learners with fixed tables play, and write their decisions down.

Scripted seats and learners of batches draw from `q_arrays.cumulative`; Q-learners beside them go on
learning after every round, as `tacit.agents.tabular.q_learning_loop` has it.

A sample is an own decision with at least two legal actions. It is open until the seat reaches its
next one; rewards of rounds that end in between are summed. Where an episode or the batch ends, one
more round is played on a scratch copy with the tables as they are, and its rewards do not count: it
only shows the next decision, whose value the sample needs.

Arguments have the names of that template; `buffer` is the `RolloutBuffer`, k a learning seat in it,
n a sample.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.arrays import RolloutBuffer
from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    EPISODE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    LEARNS,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    ROUNDS_SINCE_READ,
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
from tacit.agents.tabular.q_learning_loop import (
    add_to_sums,
    any_synchronous,
    begin_episode,
    flat_views,
    learn_synchronously,
    look_ahead,
)
from tacit.agents.tabular.recording import record_beginning, record_decisions, record_end
from tacit.envs.engine.engine_loop import (
    draw_actions,
    start,
    step_copy,
)
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold, u
from tacit.envs.rules import observe, play, reset

# --- samples -------------------------------------------------------------------------------------


@inlined
def close_reached_samples(
    game: GameArrays,
    rows: CopyRows,
    buffer: RolloutBuffer,
    r: Any,
    copy: Any,
    phase: Any,
    t: Any,
) -> None:
    """Close the open samples of seats whose next decision is reached in this phase.

    `r` is the row of `rows` that is played, `copy` the copy whose samples they are.
    """
    for k in range(len(buffer.seats)):
        s = buffer.seats[k]
        if buffer.open[k, copy] and game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            if game.legal[game.per_seat[at(s), FIRST_ROW] + o, 1] > 1:
                n = buffer.counts[k, copy] - 1
                buffer.next_observation[k, n, copy] = o
                buffer.rounds_between[k, n, copy] = t - buffer.last_round[k, copy]
                buffer.open[k, copy] = 0


@inlined
def open_samples(
    game: GameArrays, rows: CopyRows, buffer: RolloutBuffer, r: Any, phase: Any, t: Any
) -> None:
    """Open a sample for every learning seat that has just decided in copy r."""
    for k in range(len(buffer.seats)):
        s = buffer.seats[k]
        if game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            if game.legal[game.per_seat[at(s), FIRST_ROW] + o, 1] > 1:
                n = buffer.counts[k, r]
                buffer.observation[k, n, r] = o
                buffer.action[k, n, r] = rows.actions[r, s]
                buffer.truncated[k, n, r] = 0
                for h in range(buffer.reward.shape[3]):
                    buffer.reward[k, n, r, h] = 0.0
                buffer.counts[k, r] = n + 1
                buffer.last_round[k, r], buffer.open[k, r] = t, 1


@inlined
def add_rewards(rows: CopyRows, buffer: RolloutBuffer, r: Any) -> None:
    """Add the KPI terms of copy r's finished round to its open samples."""
    for k in range(len(buffer.seats)):
        if buffer.open[k, r]:
            n = buffer.counts[k, r] - 1
            for h in range(buffer.terms.shape[1]):
                if buffer.terms[k, h] >= 0:
                    buffer.reward[k, n, r, h] += rows.scores[r, buffer.terms[k, h]]


@inlined
def mark_truncated(buffer: RolloutBuffer, copy: Any) -> Any:
    """Mark the open samples of a copy as truncated; returns 1 if there are any, else 0."""
    found = 0
    for k in range(len(buffer.seats)):
        if buffer.open[k, copy]:
            buffer.truncated[k, buffer.counts[k, copy] - 1, copy] = 1
            found = 1
    return found


@inlined
def drop_open_samples(buffer: RolloutBuffer, copy: Any) -> None:
    """Drop samples whose next decision was not reached within the round that was looked ahead.

    The sample before a dropped one is then the last before the cut, and truncated instead.
    """
    for k in range(len(buffer.seats)):
        if buffer.open[k, copy]:
            buffer.counts[k, copy] -= 1
            buffer.open[k, copy] = 0
            if buffer.counts[k, copy] > 0:
                buffer.truncated[k, buffer.counts[k, copy] - 1, copy] = 1


# --- looking ahead -------------------------------------------------------------------------------


@inlined
def act_greedy(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    episode_keys: Any,
    copy: Any,
    phase: Any,
    round_: Any,
) -> None:
    """Choose the actions of the scratch copy in row 0: Q-learners act greedily, others by table."""
    phases, seats = game.acts.shape
    # The stream LOOKAHEAD serves three purposes, distinguished by phase: actions of Q-learners that
    # look ahead themselves, nature, and these actions.
    key = fold(fold(episode_keys[LOOKAHEAD_KEYS, copy], round_), 2 * phases + phase)
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            o = rows.observations[0, s]
            table_row = game.per_seat[at(s), FIRST_ROW] + o
            first, count = game.legal[table_row, 0], game.legal[table_row, 1]
            action = first
            if count > 1 and q_arrays.settings[s, LEARNS] == 1.0:
                action = q_arrays.greedy[table_row]
            elif count > 1:
                cell = q_arrays.first_cell[s] + o * game.per_seat[at(s), ACTION_COUNT]
                draw = u(key, s)
                for a in range(cell + first, cell + first + count - 1):
                    action += draw >= q_arrays.cumulative[a]
            rows.actions[0, s] = action


@inlined
def close_without_next(buffer: RolloutBuffer, copy: Any) -> None:
    """Close the open samples of a copy whose next decision is worth nothing to anybody.

    Their own observation stands in for the next one, in the next round.
    """
    for k in range(len(buffer.seats)):
        if buffer.open[k, copy]:
            n = buffer.counts[k, copy] - 1
            buffer.next_observation[k, n, copy] = buffer.observation[k, n, copy]
            buffer.rounds_between[k, n, copy] = 1
            buffer.open[k, copy] = 0


@inlined
def cut_samples(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    episode_keys: Any,
    scratch: CopyRows,
    buffer: RolloutBuffer,
    copy: Any,
    t: Any,
    round_: Any,
    looks_ahead: Any,
) -> None:
    """Truncate the open samples of a copy: look ahead until each reaches its next decision."""
    phases = game.acts.shape[0]
    if mark_truncated(buffer, copy) == 0:
        return
    if not looks_ahead:
        close_without_next(buffer, copy)
        return
    # (entry by entry: an assignment of whole rows takes several times as long)
    for k in range(rows.state.shape[1]):
        scratch.state[0, k] = rows.state[copy, k]
    for s in range(rows.observations.shape[1]):
        scratch.observations[0, s] = rows.observations[copy, s]
    for phase in range(phases):
        close_reached_samples(game, scratch, buffer, 0, copy, phase, t)
        any_open = 0
        for k in range(len(buffer.seats)):
            any_open |= buffer.open[k, copy]
        if any_open == 0:
            break
        act_greedy(game, scratch, q_arrays, episode_keys, copy, phase, round_)
        key = fold(fold(episode_keys[LOOKAHEAD_KEYS, copy], round_), phases + phase)
        step_copy(game, scratch, 0, key, phase)
    drop_open_samples(buffer, copy)


@inlined
def cut_all(
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    episode_keys: Any,
    scratch: CopyRows,
    buffer: RolloutBuffer,
    t: Any,
    round_: Any,
    looks_ahead: Any,
) -> None:
    """`cut_samples` of every copy, after round `round_` at time `t`."""
    later, next_round = t + 1, round_ + 1
    for r in range(len(rows.state)):
        cut_samples(
            game, rows, q_arrays, episode_keys, scratch, buffer, r, later, next_round, looks_ahead
        )


# --- rounds --------------------------------------------------------------------------------------


@inlined
def end_round_of_all(
    rows: CopyRows,
    q_arrays: QArrays,
    buffer: RolloutBuffer,
    flat_measures: Any,
    measure_sums: Any,
    t: Any,
) -> None:
    """Add every copy's finished round to what samples and Q-learners have earned, and to sums."""
    for r in range(len(rows.state)):
        add_rewards(rows, buffer, r)
        add_to_sums(rows, q_arrays, flat_measures, measure_sums, r)
        add_pending_rewards(rows, q_arrays, r, t)


@inlined
def count_round(clock: Any, t: Any, round_: Any) -> None:
    """Count a finished round in the clock int64 `[5]`."""
    clock[TRAINED_ROUNDS] = t + 1
    clock[ROUNDS_SINCE_READ] += 1
    clock[EPISODE_ROUND] = round_ + 1


@loop
def rollout(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    episode_keys: Any,
    q_arrays: QArrays,
    scratch: CopyRows,
    buffer: RolloutBuffer,
    rounds: Any,
    episode_rounds: Any,
    ends_batch: Any,
    looks_ahead: Any,
    q_learners: Any,
    recording: Any,
) -> Any:
    """Play so many rounds in all copies, and write the learning seats' decisions into `buffer`.

    Returns how many were played: fewer if it is told to halt. `keys` and `episode_keys` are uint64
    `[streams, N]`; `episode_rounds` may be 0 (endless); `ends_batch`: the last round ends a batch;
    `looks_ahead`: samples that are cut need their next decision.
    `q_learners` and `recording` may be None, a type: Numba then compiles the loop without them.
    """
    game, rows, q_arrays, scratch = borrow(game), borrow(rows), borrow(q_arrays), borrow(scratch)
    buffer, keys, episode_keys = borrow(buffer), borrow(keys), borrow(episode_keys)
    flat_measures, measure_sums = flat_views(rows, q_arrays)
    clock, synchronous = q_arrays.clock, any_synchronous(q_arrays)
    phases, seats = game.acts.shape
    begin_episode(keys, clock[EPISODE], episode_keys)
    for n in range(rounds):
        t, episode, round_ = clock[TRAINED_ROUNDS], clock[EPISODE], clock[EPISODE_ROUND]
        if q_learners is not None:
            renew_exploration_bounds(q_arrays, n, t)
        if recording is not None:
            record_beginning(recording, rows, clock)
        if q_learners is None:
            # Tables are fixed, so a copy plays its whole round while its rows lie in the cache.
            for r in range(len(rows.state)):
                action_key = fold(episode_keys[ACTION_KEYS, r], round_)
                nature_key = fold(episode_keys[NATURE_KEYS, r], round_)
                for phase in range(phases):
                    close_reached_samples(game, rows, buffer, r, r, phase, t)
                    phase_key = fold(action_key, phase)
                    draw_actions(game, rows, r, phase_key, q_arrays.cumulative, phase)
                    if recording is not None:
                        record_decisions(recording, game, rows, q_arrays, r, phase, t)
                    open_samples(game, rows, buffer, r, phase, t)
                    step_copy(game, rows, r, fold(nature_key, phase), phase)
                add_rewards(rows, buffer, r)
                add_to_sums(rows, q_arrays, flat_measures, measure_sums, r)
        else:
            for phase in range(phases):
                td_update_phase(game, rows, q_arrays, phase, t)
                for r in range(len(rows.state)):
                    close_reached_samples(game, rows, buffer, r, r, phase, t)
                    key = fold(fold(episode_keys[NATURE_KEYS, r], round_), phase)
                    act(game, rows, q_arrays, episode_keys, r, phase, t, EXPLORATION_KEYS, round_)
                    for s in range(seats * synchronous):
                        if q_arrays.settings[s, SYNCHRONOUS] == 1.0:
                            learn_synchronously(game, rows, q_arrays, scratch, r, s, key)
                    if recording is not None:
                        record_decisions(recording, game, rows, q_arrays, r, phase, t)
                    open_samples(game, rows, buffer, r, phase, t)
                    step_copy(game, rows, r, key, phase)
            end_round_of_all(rows, q_arrays, buffer, flat_measures, measure_sums, t)
        if recording is not None:
            record_end(recording, rows)
        count_round(clock, t, round_)
        ends_episode = episode_rounds > 0 and clock[EPISODE_ROUND] == episode_rounds
        if ends_episode or (ends_batch and n == rounds - 1):
            cut_all(game, rows, q_arrays, episode_keys, scratch, buffer, t, round_, looks_ahead)
        if ends_episode:
            if q_learners is not None:
                look_ahead(game, rows, q_arrays, episode_keys, t + 1, round_ + 1)
            start(game, row(keys, NATURE_KEYS), rows, episode + 1)
            clock[EPISODE], clock[EPISODE_ROUND] = episode + 1, 0
            begin_episode(keys, episode + 1, episode_keys)
        if q_arrays.halt[0] != 0:
            return n + 1
    return rounds
