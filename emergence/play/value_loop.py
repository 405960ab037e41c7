"""Template: value iteration on arrays; it imports no rules (see `tacit.emergence.play.chain`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import inlined, loop

LOOK_AGAIN = 0.5  # actions are left out anew when changes have become so much smaller
ROUNDING = 1e-9  # of a value: what rounding may add to a bound, and much more
LEGAL = -1e300  # below every payoff, and above the -inf of an illegal action


@inlined
def action_value(
    successor: Any, probability: Any, payoff: Any, discount: Any, values: Any, n: Any, a: Any
) -> Any:
    """What action a is worth in node n."""
    value = payoff[n, a]
    for j in range(probability.shape[1]):
        value += discount * probability[n, j] * values[successor[n, a, j]]
    return value


@inlined
def leave_out(
    successor: Any,
    probability: Any,
    payoff: Any,
    discount: Any,
    values: Any,
    change: Any,
    kept: Any,
    count: Any,
) -> None:
    """Leave out actions that cannot become the best of their node any more.

    A sweep changes no value by more than `discount` times what the sweep before it did, so from now
    on no value changes by more than d / (1 - d) times the last change, and what an action is worth
    by no more than d times that. The first `count[n]` entries of `kept` `[N, A]` are the actions
    that are left in node n, in order.
    """
    drift = 2.0 * discount * change * discount / (1.0 - discount)
    for n in range(len(count)):
        if count[n] < 2:
            continue
        best = LEGAL
        for i in range(count[n]):
            value = action_value(successor, probability, payoff, discount, values, n, kept[n, i])
            best = max(best, value)
        least = best - drift - ROUNDING * (1.0 + abs(best))
        left = 0
        for i in range(count[n]):
            a = kept[n, i]
            value = action_value(successor, probability, payoff, discount, values, n, a)
            if value >= least:
                kept[n, left] = a
                left += 1
        count[n] = left


@loop
def iterate(successor: Any, probability: Any, payoff: Any, discount: Any, tolerance: Any,
            sweeps: Any, values: Any) -> Any:  # fmt: skip
    """Value iteration in place (Gauss-Seidel) until a sweep changes less than `tolerance`.

    Actions that cannot be the best of their node any more are left out, which changes no bit of the
    values.

    Args:
        successor: the node that follows, int32 [N, A, R].
        probability: probability of each of R joint actions of the others, float64 [N, R].
        payoff: expected payoff of a round, float64 [N, A]; -inf where the action is illegal.
        discount: weight of the next round.
        tolerance: the largest change of a value at which iteration ends.
        sweeps: the most sweeps.
        values: the values to start from, float64 [N]; overwritten.

    Returns:
        The number of sweeps left; 0 if the tolerance was not reached.
    """
    nodes, actions = payoff.shape
    kept, count = np.empty((nodes, actions), np.int32), np.zeros(nodes, np.int64)
    for n in range(nodes):
        for a in range(actions):
            if payoff[n, a] > LEGAL:
                kept[n, count[n]] = a
                count[n] += 1
    change, looked = tolerance, np.inf
    while sweeps > 0 and change >= tolerance:
        change = 0.0
        sweeps -= 1
        for n in range(nodes):
            best = LEGAL
            for i in range(count[n]):
                value = action_value(
                    successor, probability, payoff, discount, values, n, kept[n, i]
                )
                best = max(best, value)
            change = max(change, abs(best - values[n]))
            values[n] = best
        if actions > 1 and discount < 1.0 and change < looked * LOOK_AGAIN:
            looked = change
            leave_out(successor, probability, payoff, discount, values, change, kept, count)
    return sweeps
