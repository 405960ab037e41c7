"""Template: rounds of many copies that are looked up in a `RolloutTable` instead of played.

These are the rounds of `tacit.agents.batch.rollout_loop.rollout`, bit for bit: seats make the same
draws, samples are the same, and every sum adds the same numbers in the same order. No kernel of a
market is called, so one compiled copy of this loop serves all markets. A round is made of short
loops over all copies, most of which LLVM turns into vectors.

Letters in shapes: C copies, S seats, L of which learn, O observations of a seat, W >= actions of
any seat, F figures of a round. Those of a table are `RolloutTable`'s, in which N are states; those
of a buffer are `RolloutBuffer`'s, in which N are copies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.agents.batch.arrays import RolloutBuffer
from tacit.agents.batch.lookup.arrays import RolloutTable
from tacit.agents.batch.lookup.search import ENTRIES_AT_ONCE, entries_at_most
from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    COLUMNS_AT_ONCE,
    EPISODE,
    EPISODE_ROUND,
    ROUNDS_SINCE_READ,
    STATE_COLUMNS_AT_ONCE,
    TRAINED_ROUNDS,
)
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.jit.array_views import add_rows, at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop
from tacit.envs.rng import fold, u

ABOVE_ALL_DRAWS = 2.0


@inlined
def padded(table: RolloutTable, cumulative: Any) -> Any:
    """Cumulative rows of all seats, filled up to W entries, float64 `[sum of O, W]`.

    Of the last seat only as far as there are states of the table in which they are read.
    """
    width = (table.actions.max() + ENTRIES_AT_ONCE - 1) // ENTRIES_AT_ONCE * ENTRIES_AT_ONCE
    seats = len(table.actions)
    rows, at_cell = 0, 0
    for s in range(seats):
        rows = max(rows, table.first_row[s] + table.observations[s].max() + 1)
    out = np.full((rows, width), ABOVE_ALL_DRAWS)
    for s in range(seats):
        end = table.first_row[s + 1] if s + 1 < seats else rows
        for o in range(table.first_row[s], end):
            for a in range(table.actions[s]):
                out[o, a] = cumulative[at_cell + a]
            at_cell += table.actions[s]
    return out


@kernel
def draw_all(keys: Any, round_: Any, moments: Any, draws: Any) -> None:
    """Fill `draws` `[S, C]` with what every seat draws in a round of every copy.

    `moments` uint64 `[C]` is working memory: keys of the round, which all seats share.
    """
    for r in range(len(keys)):
        moments[r] = fold(fold(keys[r], round_), 0)
    for s in range(len(draws)):
        own = row(draws, s)
        for r in range(len(keys)):
            own[r] = u(moments[r], s)


@inlined
def act_all(
    table: RolloutTable,
    lines: Any,
    numbers: Any,
    draws: Any,
    seen: Any,
    taken: Any,
    joints: Any,
    cells: Any,
) -> None:
    """Every seat's action in every copy.

    Fills `seen` and `taken` int32 `[S, C]` with observations and actions, `joints` int64 `[C]`, and
    `cells` int64 `[C]`, the places in tables by kind of state and joint action.
    """
    for r in range(len(numbers)):
        joints[r] = 0
    for s in range(len(draws)):
        observations, first, stride = table.observations[s], table.first_row[s], table.strides[s]
        for r in range(len(numbers)):
            o = observations[at(numbers[r])]
            action = entries_at_most(row(lines, first + o), draws[s, r])
            seen[s, r], taken[s, r] = o, action
            joints[r] += action * stride
    for r in range(len(numbers)):
        cells[r] = table.first_cell[at(numbers[r])] + joints[r]


@inlined
def write_samples(
    table: RolloutTable,
    buffer: RolloutBuffer,
    seen: Any,
    taken: Any,
    cells: Any,
    begin: Any,
    t: Any,
) -> None:
    """Close the samples of the round before, and open those of round t, with their rewards.

    `begin` is the number of samples in every copy so far; `cells` `[C]` are places in
    `table.rewards`.
    """
    copies, heads = seen.shape[1], table.rewards.shape[2]
    for k in range(len(buffer.seats)):
        s = buffer.seats[k]
        own, actions = row(seen, s), row(taken, s)
        if buffer.open[k, 0]:
            following, between = buffer.next_observation[k, begin - 1], t - buffer.last_round[k, 0]
            rounds_between = buffer.rounds_between[k, begin - 1]
            for r in range(copies):
                following[r], rounds_between[r] = own[r], between
        observation, action = buffer.observation[k, begin], buffer.action[k, begin]
        reward = buffer.reward[k, begin].reshape(-1)
        for r in range(copies):
            observation[r], action[r] = own[r], actions[r]
        buffer.truncated[k, begin, :] = 0
        rewards = table.rewards[k].reshape(-1)
        for r in range(copies):
            for h in range(heads):
                # (added to 0.0 as the kernels' loop does, which makes 0.0 of -0.0)
                reward[at(r * heads + h)] = 0.0 + rewards[at(cells[r] * heads + h)]
        buffer.open[k, :], buffer.last_round[k, 0] = 1, t


@inlined
def add_figures(table: RolloutTable, joints: Any, cells: Any, sums: Any) -> None:
    """Add every copy's figures to `sums` `[16 B + 2 D]`, each sum in the order of copies."""
    begin = 0
    for block in range(len(table.joint_figures)):
        end, figures = begin + COLUMNS_AT_ONCE, row(table.joint_figures, block)
        add_rows(figures, joints, len(joints), sums[begin:end], COLUMNS_AT_ONCE)
        begin = end
    for block in range(len(table.state_figures)):
        end, figures = begin + STATE_COLUMNS_AT_ONCE, row(table.state_figures, block)
        add_rows(figures, cells, len(cells), sums[begin:end], STATE_COLUMNS_AT_ONCE)
        begin = end


@inlined
def cut_samples(
    table: RolloutTable, buffer: RolloutBuffer, numbers: Any, last: Any, looks_ahead: Any
) -> None:
    """Truncate the open samples of all copies, which are number `last` of each.

    Every seat decides in every round, so looking ahead shows the next decision at once; where it
    is worth nothing, the sample's own observation stands in for it.
    """
    for k in range(len(buffer.seats)):
        following, own = buffer.next_observation[k, last], buffer.observation[k, last]
        observations = table.observations[buffer.seats[k]]
        for r in range(len(numbers)):
            following[r] = observations[at(numbers[r])] if looks_ahead else own[r]
        buffer.rounds_between[k, last, :], buffer.truncated[k, last, :] = 1, 1
        buffer.open[k, :] = 0


@inlined
def write_rows(
    table: RolloutTable, columns: Any, taken: Any, joints: Any, cells: Any, numbers: Any,
    rows: CopyRows,
) -> None:  # fmt: skip
    """Leave all rows but states as the kernels leave them after the round of these actions.

    `numbers` `[C]` are states after it.
    """
    measures, scores = rows.measures.reshape((len(rows.measures), -1)), rows.scores
    width, joint_columns = measures.shape[1], len(table.joint_figures) * COLUMNS_AT_ONCE
    for f in range(len(columns)):
        c = columns[f]
        out, k = (measures, f) if f < width else (scores, f - width)
        if c < 0:
            out[:, k] = 0.0
        elif c < joint_columns:
            figures, lane = table.joint_figures[c // COLUMNS_AT_ONCE], c % COLUMNS_AT_ONCE
            for r in range(len(joints)):
                out[r, k] = figures[joints[r], lane]
        else:
            block, lane = divmod(c - joint_columns, STATE_COLUMNS_AT_ONCE)
            for r in range(len(cells)):
                out[r, k] = table.state_figures[block, cells[r], lane]
    for s in range(len(taken)):
        for r in range(len(numbers)):
            rows.actions[r, s] = taken[s, r]
            rows.observations[r, s] = table.observations[s, numbers[r]]


@loop
def rollout(
    table: RolloutTable,
    columns: Any,
    rows: CopyRows,
    keys: Any,
    cumulative: Any,
    clock: Any,
    halt: Any,
    buffer: RolloutBuffer,
    numbers: Any,
    sums: Any,
    rounds: Any,
    ends_batch: Any,
    looks_ahead: Any,
) -> Any:
    """Play rounds of C copies by looking them up, and write the learning seats' decisions down.

    All copies must have as many samples, all open or none, and no episode may end.

    Args:
        table: what is looked up.
        columns: the column of each figure, int64 `[F]`, as `FigureColumns.column_of`.
        rows: the copies; all of a row but its state is moved on.
        keys: of the copies, uint64 `[streams, C]`.
        cumulative: policy tables, float64 `[sum of O * A]`.
        clock: of the seed, int64 `[5]`.
        halt: not 0: stop behind the round under way, int64 `[1]`.
        buffer: the samples.
        numbers: the state of every copy, int64 `[C]`; moved on.
        sums: running sums of figures, float64 `[16 B + 2 D]`; moved on.
        rounds: how many at most, at least one.
        ends_batch: whether the last of them ends a batch.
        looks_ahead: whether samples that are cut need their next decision.

    Returns:
        Rounds that were looked up: fewer if told to halt.
    """
    table, buffer, cumulative = borrow(table), borrow(buffer), borrow(cumulative)
    seats, copies = len(table.actions), len(numbers)
    own_keys = np.empty(copies, np.uint64)
    for r in range(copies):
        own_keys[r] = fold(keys[ACTION_KEYS, r], clock[EPISODE])
    lines = padded(table, cumulative)
    moments, draws = np.empty(copies, np.uint64), np.empty((seats, copies))
    seen, taken = np.empty((seats, copies), np.int32), np.empty((seats, copies), np.int32)
    joints, cells = np.empty(copies, np.int64), np.empty(copies, np.int64)
    moves = len(table.next_state) > 1
    rewarded = cells if table.rewards.shape[1] > table.next_state.shape[1] else joints
    begin, played = buffer.counts[0, 0], 0
    while played < rounds:
        t = clock[TRAINED_ROUNDS]
        draw_all(own_keys, clock[EPISODE_ROUND], moments, draws)
        act_all(table, lines, numbers, draws, seen, taken, joints, cells)
        write_samples(table, buffer, seen, taken, rewarded, begin + played, t)
        add_figures(table, joints, cells, sums)
        for r in range(copies):
            numbers[r] = table.next_state[at(numbers[r] if moves else 0), at(joints[r])]
        clock[TRAINED_ROUNDS], clock[EPISODE_ROUND] = t + 1, clock[EPISODE_ROUND] + 1
        clock[ROUNDS_SINCE_READ] += 1
        played += 1
        if halt[0] != 0:
            break
    buffer.counts[:, :] += played
    for k in range(len(buffer.seats)):
        buffer.last_round[k, :] = clock[TRAINED_ROUNDS] - 1
    write_rows(table, columns, taken, joints, cells, numbers, rows)
    if ends_batch and played == rounds:
        cut_samples(table, buffer, numbers, begin + played - 1, looks_ahead)
    return played
