"""Compiled: the usual game, two learners that update what they did, looked up in a table.

It plays the rounds that `transition_table_loop.play_block` plays, bit for bit. What never changes
within a block stands in local variables here: a compiler cannot know that a store of a Q value
leaves settings and strides as they are, so it would load all of them again in every round.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION,
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
from tacit.envs.jit.array_views import at, row, unlikely
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


@kernel
def bounds_of(settings: Any) -> Any:
    """What `quick_choice` needs of a seat's settings `[17]`, as four numbers."""
    return (
        settings[EXPLORATION_BOUND],
        settings[EXPLORATION_FLOOR],
        settings[LEAST_SCALE],
        settings[MOST_SCALE],
    )


@kernel
def act_in_row(
    q: Any, greedy: Any, highest: Any, runner_up: Any, own_row: Any, cell: Any, width: Any,
    settings: Any, bounds: Any, draws_ties: Any, draw: Any, t: Any,
) -> Any:  # fmt: skip
    """`exploration.choose` in `own_row`, whose Q values are `q` `[C]` from `cell` on.

    `greedy`, `highest` and `runner_up` `[sum of O]` are those of every row, `settings` `[17]` the
    seat's; `bounds` and `draws_ties` are taken from it.
    """
    best = greedy[at(own_row)]
    is_clear = draws_ties == 0 or runner_up[at(own_row)] < highest[at(own_row)]
    action = quick_choice(draw, bounds[0], bounds[1], bounds[2], bounds[3], width, best, is_clear)
    if unlikely(action < 0):
        action = explore(q, cell, 0, width, best, settings, draw, t)
    return action


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
    highest, kinds, lots = work.highest, table.kinds, work.lots
    joints = table.rewards.shape[2]
    next_state, next_rows = table.next_state.reshape(-1), table.next_rows.reshape(-1)
    by_state = joints if len(table.next_state) > 1 else 0
    rewards_0, rewards_1 = row(table.rewards, 0).reshape(-1), row(table.rewards, 1).reshape(-1)
    by_kind = joints if table.rewards.shape[1] > 1 else 0
    visited_joints, visited_cells = (
        row(work.visited, VISITED_JOINT),
        row(work.visited, VISITED_CELL),
    )
    draws_0, draws_1 = row(work.draws, 0), row(work.draws, 1)
    settings_0, settings_1 = row(settings, 0), row(settings, 1)
    rate_0, rate_1 = settings_0[LEARNING_RATE], settings_1[LEARNING_RATE]
    discount_0, discount_1 = settings_0[DISCOUNT], settings_1[DISCOUNT]
    bounds_0, bounds_1 = bounds_of(settings_0), bounds_of(settings_1)
    ties_0, ties_1 = int(settings_0[RANDOM_TIES]), int(settings_1[RANDOM_TIES])
    width_0, width_1 = table.actions[0], table.actions[1]
    stride_0, stride_1 = table.strides[0], table.strides[1]
    # Rows of seat 1 are numbered on from those of seat 0. Cell `offset_1 + row * width_1` is the
    # first one of its row; seat 0's is `row * width_0`.
    offset_1 = q_arrays.first_cell[1] - table.first_row[1] * width_1
    pending_0, pending_1 = row(work.pending, 0), row(work.pending, 1)
    row_0, did_0 = pending_0[ROW], pending_0[ACTION]
    row_1, did_1 = pending_1[ROW], pending_1[ACTION]
    earned_0, earned_1 = q_arrays.pending_reward[0, 0], q_arrays.pending_reward[0, 1]
    t, stable = clock[TRAINED_ROUNDS], clock[STABLE_ROUNDS]
    most_stable = stop_after if stop_after > 0 else stable + count + 1
    now = before = work.state_numbers[STATE_NOW]
    seen_0, seen_1 = table.observations[0, now], table.first_row[1] + table.observations[1, now]
    for n in range(count):
        target = earned_0 + discount_0 * highest[at(seen_0)]
        changed = td_update(
            q, greedy, highest, runner_up, row_0, row_0 * width_0, did_0, width_0, rate_0, target
        )
        target = earned_1 + discount_1 * highest[at(seen_1)]
        cell = offset_1 + row_1 * width_1
        changed |= td_update(
            q, greedy, highest, runner_up, row_1, cell, did_1, width_1, rate_1, target
        )
        row_0, row_1 = seen_0, seen_1
        did_0 = act_in_row(
            q, greedy, highest, runner_up, row_0, row_0 * width_0, width_0, settings_0, bounds_0,
            ties_0, draws_0[at(n)], t + n,
        )  # fmt: skip
        cell = offset_1 + row_1 * width_1
        did_1 = act_in_row(
            q, greedy, highest, runner_up, row_1, cell, width_1, settings_1, bounds_1, ties_1,
            draws_1[at(n)], t + n,
        )  # fmt: skip
        joint = lots[at(n)] + did_0 * stride_0 + did_1 * stride_1
        kind = kinds[at(now)]
        visited_joints[at(n)], visited_cells[at(n)] = joint, kind * joints + joint
        paid = at(kind * by_kind + joint)
        # (0.0 is added because the kernels' loop sums rewards: -0.0 becomes 0.0)
        earned_0, earned_1 = 0.0 + rewards_0[paid], 0.0 + rewards_1[paid]
        before = now
        cell = now * by_state + joint
        now = next_state[at(cell)]
        seen_0, seen_1 = next_rows[at(2 * cell)], next_rows[at(2 * cell + 1)]
        stable = 0 if changed else stable + 1
        if unlikely(stable >= most_stable or halt[0] != 0):
            count = n + 1
            break
    pending_0[ROW], pending_0[ACTION] = row_0, did_0
    pending_1[ROW], pending_1[ACTION] = row_1, did_1
    q_arrays.pending_reward[0, 0], q_arrays.pending_reward[0, 1] = earned_0, earned_1
    work.actions[0], work.actions[1] = did_0, did_1
    work.state_numbers[STATE_BEFORE] = before
    work.state_numbers[STATE_NOW] = now
    clock[STABLE_ROUNDS] = stable
    return count
