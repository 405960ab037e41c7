"""Compiled arithmetic on one row of Q values: its best action, and one update of it.

A row is the stretch of `q` float64 `[C]` from `cell` on; its legal actions are `first` ..
`first + count - 1`.
"""

from __future__ import annotations

from math import inf
from typing import Any

from tacit.envs.jit.array_views import at, unlikely
from tacit.envs.jit.decorators import kernel


@kernel
def rank(q: Any, cell: Any, first: Any, count: Any) -> Any:
    """The first action of highest Q, that Q, and the second highest (-inf: there is one action).

    It selects instead of branching: where the next maximum lies is as good as random, so a
    processor would mispredict every other branch.
    """
    best, highest, runner_up = first, q[at(cell + first)], -inf
    for a in range(first + 1, first + count):
        value = q[at(cell + a)]
        is_better = value > highest
        lower = highest if is_better else value
        runner_up = lower if lower > runner_up else runner_up
        best = a if is_better else best
        highest = value if is_better else highest
    return best, highest, runner_up


@kernel
def update(
    q: Any,
    cell: Any,
    action: Any,
    learning_rate: Any,
    target: Any,
    first: Any,
    count: Any,
    greedy: Any,
    highest: Any,
    runner_up: Any,
) -> Any:
    """Move Q(action) towards its target.

    `greedy` is the row's greedy action, `highest` its Q and `runner_up` at least every other Q, so
    that most updates need no search. Returns the three as they are afterwards.
    """
    old = q[at(cell + action)]
    new = old + learning_rate * (target - old)
    q[at(cell + action)] = new
    if action == greedy:
        if unlikely(not (new > runner_up or new >= old)):
            return rank(q, cell, first, count)
        return greedy, new, runner_up
    if new > highest or (new == highest and action < greedy):
        return action, new, max(runner_up, highest)
    return greedy, highest, max(runner_up, new)
