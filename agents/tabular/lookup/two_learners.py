"""Compiled: the usual game, two learners that update what they did, looked up in a table.

It plays the rounds that `transition_table_loop.play_block` plays, bit for bit. What never changes
within a block stands in local variables here: a compiler cannot know that a store of a Q value
leaves settings and strides as they are, so it would load all of them again in every round.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION,
    CELL,
    DISCOUNT,
    EXPLORATION_BOUND,
    EXPLORATION_FLOOR,
    LEARNING_RATE,
    LEARNS,
    LEAST_SCALE,
    MOST_SCALE,
    RANDOM_TIES,
    ROW,
    STABLE_ROUNDS,
    STATE_BEFORE,
    STATE_NOW,
    SYNCHRONOUS,
    TRAINED_ROUNDS,
    VISITED_CELL,
    VISITED_JOINT,
    LookupScratch,
    QArrays,
    TransitionArrays,
)
from tacit.agents.tabular.exploration import explore, quick_choice
from tacit.agents.tabular.q_values import update
from tacit.envs.jit.array_views import at, row
from tacit.envs.jit.decorators import inlined, kernel


@kernel
def is_pair(settings: Any) -> Any:
    """Whether two seats play, and both are learners that update the action they took."""
    if len(settings) != 2:
        return False
    one = settings[0, LEARNS] > settings[0, SYNCHRONOUS]
    return one and settings[1, LEARNS] > settings[1, SYNCHRONOUS]


@kernel
def td_update(
    q: Any, greedy: Any, highest: Any, runner_up: Any, last_row: Any, last_cell: Any, action: Any,
    width: Any, learning_rate: Any, target: Any,
) -> Any:  # fmt: skip
    """TD update of a decision in `last_row`, whose Q values are `q` `[C]` from `last_cell` on.

    `greedy`, `highest` and `runner_up` `[sum of O]` are those of every row. Returns 1 if the greedy
    policy changed.
    """
    old = greedy[at(last_row)]
    new, highest[at(last_row)], runner_up[at(last_row)] = update(
        q, last_cell, action, learning_rate, target, 0, width, old, highest[at(last_row)],
        runner_up[at(last_row)],
    )  # fmt: skip
    if new == old:
        return 0
    greedy[at(last_row)] = new
    return 1


@inlined
def find_highest(table: TransitionArrays, q_arrays: QArrays, highest: Any) -> None:
    """Fill `highest` `[sum of O]` with the greedy action's Q of every row."""
    for s in range(2):
        width, cell, end = table.actions[s], q_arrays.first_cell[s], len(highest)
        for k in range(table.first_row[s], table.first_row[1] if s == 0 else end):
            highest[at(k)] = q_arrays.q[at(cell + q_arrays.greedy[at(k)])]
            cell += width


@inlined
def play_pair(
    table: TransitionArrays, q_arrays: QArrays, work: LookupScratch, count: Any, stop_after: Any
) -> Any:
    """`play_block` of a pair: look up to `count` rounds up; returns how many were played."""
    settings, clock, halt = q_arrays.settings, q_arrays.clock, q_arrays.halt
    q, greedy, runner_up = q_arrays.q, q_arrays.greedy, q_arrays.runner_up
    highest = work.highest
    observations, kinds, rewards = table.observations, table.kinds, table.rewards
    next_state, lots, joints = table.next_state, work.lots, table.rewards.shape[1]
    visited_joints, visited_cells = (
        row(work.visited, VISITED_JOINT),
        row(work.visited, VISITED_CELL),
    )
    draws_0, draws_1 = row(work.draws, 0), row(work.draws, 1)
    settings_0, settings_1 = row(settings, 0), row(settings, 1)
    rate_0, rate_1 = settings_0[LEARNING_RATE], settings_1[LEARNING_RATE]
    discount_0, discount_1 = settings_0[DISCOUNT], settings_1[DISCOUNT]
    bound_0, bound_1 = settings_0[EXPLORATION_BOUND], settings_1[EXPLORATION_BOUND]
    floor_0, floor_1 = settings_0[EXPLORATION_FLOOR], settings_1[EXPLORATION_FLOOR]
    least_0, least_1 = settings_0[LEAST_SCALE], settings_1[LEAST_SCALE]
    most_0, most_1 = settings_0[MOST_SCALE], settings_1[MOST_SCALE]
    draws_ties_0, draws_ties_1 = settings_0[RANDOM_TIES] != 0.0, settings_1[RANDOM_TIES] != 0.0
    width_0, width_1 = table.actions[0], table.actions[1]
    stride_0, stride_1 = table.strides[0], table.strides[1]
    first_row_1, first_cell_1 = table.first_row[1], q_arrays.first_cell[1]
    pending_0, pending_1 = row(work.pending, 0), row(work.pending, 1)
    row_0, cell_0, did_0 = pending_0[ROW], pending_0[CELL], pending_0[ACTION]
    row_1, cell_1, did_1 = pending_1[ROW], pending_1[CELL], pending_1[ACTION]
    earned_0, earned_1 = q_arrays.pending_reward[0, 0], q_arrays.pending_reward[0, 1]
    by_state, by_kind = len(next_state) > 1, len(rewards) > 1
    t, stable = clock[TRAINED_ROUNDS], clock[STABLE_ROUNDS]
    now = before = work.state_numbers[STATE_NOW]
    for n in range(count):
        # seat 0, then seat 1: the update of the last decision, then the next one
        seen = observations[at(now), 0]
        cell = seen * width_0
        target = earned_0 + discount_0 * highest[at(seen)]
        changed = td_update(
            q, greedy, highest, runner_up, row_0, cell_0, did_0, width_0, rate_0, target
        )
        best, draw = greedy[at(seen)], draws_0[at(n)]
        is_clear = not draws_ties_0 or runner_up[at(seen)] < highest[at(seen)]
        did_0 = quick_choice(draw, bound_0, floor_0, least_0, most_0, width_0, best, is_clear)
        if did_0 < 0:
            did_0 = explore(q, cell, 0, width_0, best, settings_0, draw, t + n)
        row_0, cell_0 = seen, cell
        seen = observations[at(now), 1]
        cell = first_cell_1 + seen * width_1
        seen += first_row_1
        target = earned_1 + discount_1 * highest[at(seen)]
        changed |= td_update(
            q, greedy, highest, runner_up, row_1, cell_1, did_1, width_1, rate_1, target
        )
        best, draw = greedy[at(seen)], draws_1[at(n)]
        is_clear = not draws_ties_1 or runner_up[at(seen)] < highest[at(seen)]
        did_1 = quick_choice(draw, bound_1, floor_1, least_1, most_1, width_1, best, is_clear)
        if did_1 < 0:
            did_1 = explore(q, cell, 0, width_1, best, settings_1, draw, t + n)
        row_1, cell_1 = seen, cell
        joint = lots[at(n)] + did_0 * stride_0 + did_1 * stride_1
        kind = kinds[at(now)]
        visited_joints[at(n)], visited_cells[at(n)] = joint, kind * joints + joint
        paid = kind if by_kind else 0
        # (0.0 is added because the kernels' loop sums rewards: -0.0 becomes 0.0)
        earned_0 = 0.0 + rewards[at(paid), at(joint), 0]
        earned_1 = 0.0 + rewards[at(paid), at(joint), 1]
        before = now
        now = next_state[at(now if by_state else 0), at(joint)]
        stable = 0 if changed else stable + 1
        if (stop_after > 0 and stable >= stop_after) or halt[0] != 0:
            count = n + 1
            break
    pending_0[ROW], pending_0[CELL], pending_0[ACTION] = row_0, cell_0, did_0
    pending_1[ROW], pending_1[CELL], pending_1[ACTION] = row_1, cell_1, did_1
    q_arrays.pending_reward[0, 0], q_arrays.pending_reward[0, 1] = earned_0, earned_1
    work.actions[0], work.actions[1] = did_0, did_1
    work.state_numbers[STATE_BEFORE] = before
    work.state_numbers[STATE_NOW] = now
    clock[STABLE_ROUNDS] = stable
    return count
