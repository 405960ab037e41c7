"""Template: rounds of one seed that are looked up in `TransitionArrays` instead of played.

These are the rounds that `tacit.agents.tabular.q_learning_loop.learn` plays in one copy, bit for
bit: learners make the same draws, and every sum adds the same numbers in the same order. No kernel
of a market is called, so one compiled copy of this loop serves all markets.

Common arguments: `table` is what is looked up, `work` the working memory of a call, s a seat, t the
number of rounds since training began. `table_row` is one observation of one seat, `cell` the first
cell of its Q values (see `tacit.agents.tabular.arrays`).
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION,
    BOUND_ROUNDS,
    CELL,
    COLUMNS_AT_ONCE,
    DISCOUNT,
    EPISODE_ROUND,
    LEARNING_RATE,
    LEARNS,
    PENDING_ACTION,
    PENDING_OBSERVATION,
    PENDING_ROUND,
    ROUNDS_SINCE_READ,
    ROW,
    STABLE_ROUNDS,
    STATE_BEFORE,
    STATE_COLUMNS_AT_ONCE,
    STATE_NOW,
    SUMS,
    SYNCHRONOUS,
    TRAINED_ROUNDS,
    VISITED_CELL,
    VISITED_JOINT,
    LookupScratch,
    QArrays,
    TransitionArrays,
)
from tacit.agents.tabular.exploration import choose, renew_bounds
from tacit.agents.tabular.lookup.coming_draws import (
    add_outcomes,
    draw_slot,
    fold_phase,
    fold_rounds,
)
from tacit.agents.tabular.lookup.two_learners import find_highest, is_pair, play_pair
from tacit.agents.tabular.q_values import rank, update
from tacit.envs.jit.array_views import add_rows, at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop

# --- one seat ------------------------------------------------------------------------------------


@inlined
def draw_ahead(table: TransitionArrays, work: LookupScratch, round_: Any, count: Any) -> None:
    """Fill `work.draws` and `work.lots` for the next `count` rounds, from `round_` on."""
    draws, keys, moments, lots = work.draws, work.keys, work.moments, work.lots
    seats = len(keys)
    for s in range(seats):
        if s == 0 or keys[at(s)] != keys[at(s - 1)]:
            fold_rounds(keys[at(s)], round_, count, moments)
            fold_phase(moments, 0, count, moments)
        draw_slot(moments, s, count, row(draws, s))
    if len(table.lot_slots):
        fold_rounds(work.nature[0], round_, count, moments)
        fold_phase(moments, 0, count, moments)
        lots[:count] = 0
    own = row(draws, seats)
    for d in range(len(table.lot_slots)):
        draw_slot(moments, table.lot_slots[d], count, own)
        add_outcomes(own, row(table.lot_edges, d), table.lot_counts[d], count, lots)


@inlined
def td_update(
    table: TransitionArrays, q_arrays: QArrays, pending: Any, s: Any, table_row: Any, cell: Any
) -> Any:
    """TD update of seat s's last decision, now that its next one is at `table_row`.

    `pending` int64 `[S, 3]` holds the last decisions. Returns 1 if the greedy policy changed.
    """
    value = q_arrays.q[at(cell + q_arrays.greedy[at(table_row)])]
    target = q_arrays.pending_reward[0, at(s)] + q_arrays.settings[at(s), DISCOUNT] * value
    last_row = at(pending[at(s), ROW])
    old = q_arrays.greedy[last_row]
    new, _, q_arrays.runner_up[last_row] = update(
        q_arrays.q, pending[at(s), CELL], pending[at(s), ACTION],
        q_arrays.settings[at(s), LEARNING_RATE], target, 0, table.actions[at(s)], old,
        q_arrays.q[at(pending[at(s), CELL] + old)], q_arrays.runner_up[last_row],
    )  # fmt: skip
    if new == old:
        return 0
    q_arrays.greedy[last_row] = new
    return 1


@inlined
def choose_action(
    table: TransitionArrays,
    q_arrays: QArrays,
    s: Any,
    table_row: Any,
    cell: Any,
    draw: Any,
    t: Any,
) -> Any:
    """Seat s's action at `table_row`."""
    width = table.actions[at(s)]
    if q_arrays.settings[at(s), LEARNS] == 1.0:
        return choose(
            q_arrays.q, cell, 0, width, q_arrays.greedy[at(table_row)],
            q_arrays.runner_up[at(table_row)], row(q_arrays.settings, s), draw, t,
        )  # fmt: skip
    action = 0
    while action < width - 1 and draw >= q_arrays.cumulative[at(cell + action)]:
        action += 1
    return action


@inlined
def learn_synchronously(
    table: TransitionArrays, q_arrays: QArrays, s: Any, state_number: Any, joint: Any, action: Any
) -> Any:
    """Update all own actions of seat s, each against the others' actual actions.

    All targets are computed before any Q value changes. Multiplicative weights add a target to
    their sum, where a Q value moves towards it. Returns 1 if the greedy policy changed.
    """
    settings, stride, width = row(q_arrays.settings, s), table.strides[s], table.actions[s]
    next_states = row(table.next_state, state_number if len(table.next_state) > 1 else 0)
    kind = table.kinds[state_number] if table.rewards.shape[1] > 1 else 0
    rewards, observations = row(row(table.rewards, s), kind), row(table.observations, s)
    o = observations[state_number]
    table_row, cell = table.first_row[s] + o, q_arrays.first_cell[s] + o * width
    tried = joint - action * stride
    for a in range(width):
        now = observations[at(next_states[at(tried)])]
        greedy = q_arrays.greedy[at(table.first_row[at(s)] + now)]
        value = q_arrays.q[at(q_arrays.first_cell[at(s)] + now * width + greedy)]
        q_arrays.targets[at(a)] = rewards[at(tried)] + settings[DISCOUNT] * value
        tried += stride
    forgets = 1.0 - settings[SUMS]
    for a in range(cell, cell + width):
        q_arrays.q[at(a)] += settings[LEARNING_RATE] * (
            q_arrays.targets[at(a - cell)] - forgets * q_arrays.q[at(a)]
        )
    old = q_arrays.greedy[table_row]
    q_arrays.greedy[table_row], _, q_arrays.runner_up[table_row] = rank(q_arrays.q, cell, 0, width)
    return 1 if q_arrays.greedy[table_row] != old else 0


# --- sums of figures -----------------------------------------------------------------------------


@inlined
def add_figures(table: TransitionArrays, visited: Any, count: Any, sums: Any) -> None:
    """Add the visited rounds' figures to the running sums, each sum in the order of rounds."""
    joints, cells = row(visited, VISITED_JOINT), row(visited, VISITED_CELL)
    begin = 0
    for block in range(len(table.joint_figures)):
        end = begin + COLUMNS_AT_ONCE
        add_rows(row(table.joint_figures, block), joints, count, sums[begin:end], COLUMNS_AT_ONCE)
        begin = end
    for block in range(len(table.state_figures)):
        end = begin + STATE_COLUMNS_AT_ONCE
        figures = row(table.state_figures, block)
        add_rows(figures, cells, count, sums[begin:end], STATE_COLUMNS_AT_ONCE)
        begin = end


# --- rounds --------------------------------------------------------------------------------------


@inlined
def play_block(
    table: TransitionArrays,
    q_arrays: QArrays,
    work: LookupScratch,
    count: Any,
    synchronous: Any,
    stop_after: Any,
) -> Any:
    """Look up to `count` rounds up, whose draws are in `work`; returns how many were played.

    `synchronous` is 1 if any seat makes synchronous updates. It ends early once greedy policies
    have been unchanged for `stop_after` rounds (0: never), or when it is told to halt.
    """
    settings, clock, actions = q_arrays.settings, q_arrays.clock, work.actions
    seats = len(table.strides)
    now, t, stable = work.state_numbers[STATE_NOW], clock[TRAINED_ROUNDS], clock[STABLE_ROUNDS]
    before, joints = now, table.rewards.shape[2]
    for n in range(count):
        changed, joint = 0, work.lots[at(n)]
        for s in range(seats):
            o = table.observations[at(s), at(now)]
            table_row = table.first_row[at(s)] + o
            cell = q_arrays.first_cell[at(s)] + o * table.actions[at(s)]
            asynchronous = settings[at(s), LEARNS] > settings[at(s), SYNCHRONOUS]
            if asynchronous:
                changed |= td_update(table, q_arrays, work.pending, s, table_row, cell)
            draw = work.draws[at(s), at(n)]
            action = choose_action(table, q_arrays, s, table_row, cell, draw, t + n)
            if asynchronous:
                pending = row(work.pending, s)
                pending[ROW], pending[CELL], pending[ACTION] = table_row, cell, action
                q_arrays.pending_reward[0, at(s)] = 0.0
            actions[at(s)] = action
            joint += action * table.strides[at(s)]
        if synchronous:
            for s in range(seats):
                if settings[s, SYNCHRONOUS] == 1.0:
                    changed |= learn_synchronously(table, q_arrays, s, now, joint, actions[s])
        kind = table.kinds[at(now)]
        work.visited[VISITED_JOINT, at(n)] = joint
        work.visited[VISITED_CELL, at(n)] = kind * joints + joint
        rewarded = kind if table.rewards.shape[1] > 1 else 0
        for s in range(seats):
            q_arrays.pending_reward[0, at(s)] += table.rewards[at(s), at(rewarded), at(joint)]
        before = now
        now = table.next_state[at(now if len(table.next_state) > 1 else 0), at(joint)]
        stable = 0 if changed else stable + 1
        if (stop_after > 0 and stable >= stop_after) or q_arrays.halt[0] != 0:
            count = n + 1
            break
    work.state_numbers[STATE_BEFORE] = before
    work.state_numbers[STATE_NOW] = now
    clock[STABLE_ROUNDS] = stable
    return count


@loop
def learn(
    table: TransitionArrays, q_arrays: QArrays, work: LookupScratch, rounds: Any, stop_after: Any
) -> Any:
    """Play and learn up to `rounds` rounds; returns how many were played.

    Every learner's decision of the round before must be pending: play one round with the market's
    kernels first.
    """
    table, q_arrays, work = borrow(table), borrow(q_arrays), borrow(work)
    clock, settings, pending = q_arrays.clock, q_arrays.settings, row(q_arrays.pending, 0)
    seats, synchronous, played = len(table.strides), 0, 0
    for s in range(seats):
        synchronous |= int(settings[s, SYNCHRONOUS])
        o, last = max(0, pending[s, PENDING_OBSERVATION]), row(work.pending, s)
        last[ROW] = table.first_row[s] + o
        last[CELL] = q_arrays.first_cell[s] + o * table.actions[s]
        last[ACTION] = pending[s, PENDING_ACTION]
    pair = is_pair(settings)
    if pair:
        find_highest(table, q_arrays, work.highest)
    while played < rounds:
        # Blocks end at multiples of BOUND_ROUNDS, where the kernels' loop renews its bounds too.
        begin = clock[TRAINED_ROUNDS] - clock[TRAINED_ROUNDS] % BOUND_ROUNDS
        for s in range(seats):
            renew_bounds(row(settings, s), begin)
        count = min(rounds - played, begin + BOUND_ROUNDS - clock[TRAINED_ROUNDS])
        draw_ahead(table, work, clock[EPISODE_ROUND], count)
        if pair:
            count = play_pair(table, q_arrays, work, count, stop_after)
        else:
            count = play_block(table, q_arrays, work, count, synchronous, stop_after)
        add_figures(table, work.visited, count, work.sums)
        played += count
        clock[TRAINED_ROUNDS] += count
        clock[EPISODE_ROUND] += count
        clock[ROUNDS_SINCE_READ] += count
        if (stop_after > 0 and clock[STABLE_ROUNDS] >= stop_after) or q_arrays.halt[0] != 0:
            break
    before = work.state_numbers[STATE_BEFORE]
    for s in range(seats):
        if settings[s, LEARNS] > settings[s, SYNCHRONOUS]:
            pending[s, PENDING_OBSERVATION] = table.observations[s, before]
            pending[s, PENDING_ACTION] = work.actions[s]
            pending[s, PENDING_ROUND] = clock[TRAINED_ROUNDS] - 1
    return played
