"""Template: rounds of one seed, looked up in a
`tacit.agents.tabular.transition_table.TransitionTable`
instead of played.

The same rounds as `tacit.agents.tabular.q_learning_loop.learn` plays in one copy, bit for bit: the
same draws
of the learners, the same sums in the same order. No market's kernel is called, so one compiled
copy serves all markets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tacit.agents.tabular.group import (
    ALPHA,
    BOUND,
    COUNTED,
    DISCOUNT,
    LEARNS,
    OWED,
    ROUND,
    SINCE,
    STABLE,
    SYNCHRONOUS,
    TAKEN,
    QArrays,
    T,
)
from tacit.agents.tabular.q_learning_loop import (
    BOUND_ROUNDS,
    bound_at,
    explore,
    rank,
    update,
)
from tacit.agents.tabular.transition_table import LANES, TransitionArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop
from tacit.envs.rng import fold, u

BEFORE, NOW = range(2)  # entries of where
STATE, JOINT = range(2)  # columns of visited
LINE, CELL, ACTION = range(3)  # columns of owed: line of `greedy`, first cell of its Q, action


class Scratch(NamedTuple):
    """What a call works on beside a group's own tables.

    keys uint64 `[S]`: of every seat's draws in the running episode (EXPLORATION, or ACTION where a
    fixed table acts); draws float64 `[BOUND_ROUNDS, S]` of the coming rounds; visited int64
    `[BOUND_ROUNDS, 2]`: their states and joint actions; owed int64 `[S, 3]`: every seat's last
    decision; sums float64 `[K + L]`: running sums in the memo's order; where int64 `[2]`: the
    states before and after the last round; actions int64 `[S]`: what was done in it.
    """

    keys: Any
    draws: Any
    visited: Any
    owed: Any
    sums: Any
    where: Any
    actions: Any


@kernel
def draw_ahead(keys: Any, round_: Any, count: Any, draws: Any) -> None:
    """Every seat's draw in `count` rounds from `round_` on."""
    for s in range(len(keys)):
        for k in range(count):
            draws[at(k), at(s)] = u(fold(fold(keys[at(s)], round_ + k), 0), s)


@inlined
def settle(memo: TransitionArrays, pop: QArrays, owed: Any, s: Any, line: Any, cell: Any) -> Any:
    """Pay seat s for its last action, now that it is at `line`. Returns 1 if its policy changed."""
    value = pop.q[at(cell + pop.greedy[at(line)])]
    target = pop.reward[0, at(s)] + pop.settings[at(s), DISCOUNT] * value
    then = at(owed[at(s), LINE])
    old = pop.greedy[then]
    new, pop.runner[then] = update(
        pop.q, owed[at(s), CELL], owed[at(s), ACTION], pop.settings[at(s), ALPHA], target, 0,
        memo.widths[at(s)], old, pop.runner[then],
    )  # fmt: skip
    if new == old:
        return 0
    pop.greedy[then] = new
    return 1


@inlined
def choose(
    memo: TransitionArrays, pop: QArrays, s: Any, line: Any, cell: Any, draw: Any, t: Any
) -> Any:
    """Seat s's action at `line`."""
    width = memo.widths[at(s)]
    if pop.settings[at(s), LEARNS] == 1.0:
        action = pop.greedy[at(line)]
        if draw < pop.settings[at(s), BOUND]:
            action = explore(pop.q, cell, 0, width, action, row(pop.settings, s), draw, t)
        return action
    action = 0
    while action < width - 1 and draw >= pop.fixed[at(cell + action)]:
        action += 1
    return action


@inlined
def learn_synchronously(
    memo: TransitionArrays, pop: QArrays, s: Any, state: Any, joint: Any, action: Any
) -> Any:
    """All own actions of seat s against the others' actual ones, targets from the old Q.

    Returns 1 if the greedy policy changed.
    """
    setting, stride, width = row(pop.settings, s), memo.strides[s], memo.widths[s]
    following = row(memo.following, state if len(memo.following) > 1 else 0)
    rewards = row(memo.rewards, state if len(memo.rewards) > 1 else 0)
    o = memo.observations[state, s]
    line, cell = memo.offsets[s] + o, pop.cells[s] + o * width
    tried = joint - action * stride
    for a in range(width):
        now = memo.observations[at(following[at(tried)]), at(s)]
        best = pop.greedy[at(memo.offsets[at(s)] + now)]
        value = pop.q[at(pop.cells[at(s)] + now * width + best)]
        pop.targets[at(a)] = rewards[at(tried), at(s)] + setting[DISCOUNT] * value
        tried += stride
    for a in range(cell, cell + width):
        pop.q[at(a)] += setting[ALPHA] * (pop.targets[at(a - cell)] - pop.q[at(a)])
    old = pop.greedy[line]
    pop.greedy[line], pop.runner[line] = rank(pop.q, cell, 0, width)
    return 1 if pop.greedy[line] != old else 0


@kernel
def add_eight(table: Any, visited: Any, count: Any, sums: Any, c: Any) -> None:
    """Add columns c .. c + 7 of the visited rounds, in registers: eight at once cost as one."""
    s0, s1, s2, s3 = sums[at(c)], sums[at(c + 1)], sums[at(c + 2)], sums[at(c + 3)]
    s4, s5, s6, s7 = sums[at(c + 4)], sums[at(c + 5)], sums[at(c + 6)], sums[at(c + 7)]
    for i in range(count):
        joint = at(visited[at(i), JOINT])
        s0 += table[joint, at(c)]
        s1 += table[joint, at(c + 1)]
        s2 += table[joint, at(c + 2)]
        s3 += table[joint, at(c + 3)]
        s4 += table[joint, at(c + 4)]
        s5 += table[joint, at(c + 5)]
        s6 += table[joint, at(c + 6)]
        s7 += table[joint, at(c + 7)]
    sums[at(c)], sums[at(c + 1)], sums[at(c + 2)], sums[at(c + 3)] = s0, s1, s2, s3
    sums[at(c + 4)], sums[at(c + 5)], sums[at(c + 6)], sums[at(c + 7)] = s4, s5, s6, s7


@kernel
def add_up(memo: TransitionArrays, visited: Any, count: Any, sums: Any) -> None:
    """Add the visited rounds to the running sums, each sum in the order of rounds."""
    steady = memo.steady.shape[1]
    for c in range(0, steady, LANES):
        add_eight(memo.steady, visited, count, sums, c)
    for k in range(memo.moving.shape[2]):
        total = sums[at(steady + k)]
        for i in range(count):
            state, joint = at(visited[at(i), STATE]), at(visited[at(i), JOINT])
            total += memo.moving[state, joint, at(k)]
        sums[at(steady + k)] = total


@inlined
def play_block(
    memo: TransitionArrays,
    pop: QArrays,
    work: Scratch,
    count: Any,
    synchronous: Any,
    stop_after: Any,
) -> Any:
    """Up to `count` rounds whose draws are at hand; returns how many were played."""
    settings, clock, actions = pop.settings, pop.clock, work.actions
    seats = len(memo.strides)
    now, t, still = work.where[NOW], clock[T], clock[STABLE]
    for n in range(count):
        changed, joint = 0, 0
        for s in range(seats):
            o = memo.observations[at(now), at(s)]
            line, cell = memo.offsets[at(s)] + o, pop.cells[at(s)] + o * memo.widths[at(s)]
            asynchronous = settings[at(s), LEARNS] > settings[at(s), SYNCHRONOUS]
            if asynchronous:
                changed |= settle(memo, pop, work.owed, s, line, cell)
            action = choose(memo, pop, s, line, cell, work.draws[at(n), at(s)], t + n)
            if asynchronous:
                owed = row(work.owed, s)
                owed[LINE], owed[CELL], owed[ACTION] = line, cell, action
                pop.reward[0, at(s)] = 0.0
            actions[at(s)] = action
            joint += action * memo.strides[at(s)]
        if synchronous:
            for s in range(seats):
                if settings[s, SYNCHRONOUS] == 1.0:
                    changed |= learn_synchronously(memo, pop, s, now, joint, actions[s])
        visited = row(work.visited, n)
        visited[STATE], visited[JOINT] = now, joint
        paid = now if len(memo.rewards) > 1 else 0
        for s in range(seats):
            pop.reward[0, at(s)] += memo.rewards[at(paid), at(joint), at(s)]
        now = memo.following[at(now if len(memo.following) > 1 else 0), at(joint)]
        still = 0 if changed else still + 1
        if stop_after > 0 and still >= stop_after:
            count = n + 1
            break
    work.where[BEFORE], work.where[NOW] = work.visited[count - 1, STATE], now
    clock[STABLE] = still
    return count


@loop
def learn(memo: TransitionArrays, pop: QArrays, work: Scratch, rounds: Any, stop_after: Any) -> Any:
    """Play up to `rounds` rounds; returns how many. Learners must owe the round before them."""
    memo, pop, work = borrow(memo), borrow(pop), borrow(work)
    clock, settings, debts = pop.clock, pop.settings, row(pop.debts, 0)
    seats, synchronous, played = len(memo.strides), 0, 0
    for s in range(seats):
        synchronous |= int(settings[s, SYNCHRONOUS])
        o, owed = max(0, debts[s, OWED]), row(work.owed, s)
        owed[LINE], owed[CELL] = memo.offsets[s] + o, pop.cells[s] + o * memo.widths[s]
        owed[ACTION] = debts[s, TAKEN]
    while played < rounds:
        begin = clock[T] - clock[T] % BOUND_ROUNDS
        for s in range(seats):
            settings[s, BOUND] = bound_at(row(settings, s), begin)
        count = min(rounds - played, begin + BOUND_ROUNDS - clock[T])
        draw_ahead(work.keys, clock[ROUND], count, work.draws)
        count = play_block(memo, pop, work, count, synchronous, stop_after)
        add_up(memo, work.visited, count, work.sums)
        played += count
        clock[T] += count
        clock[ROUND] += count
        clock[COUNTED] += count
        if stop_after > 0 and clock[STABLE] >= stop_after:
            break
    for s in range(seats):
        if settings[s, LEARNS] > settings[s, SYNCHRONOUS]:
            debts[s, OWED] = memo.observations[work.where[BEFORE], s]
            debts[s, TAKEN], debts[s, SINCE] = work.actions[s], clock[T] - 1
    return played
