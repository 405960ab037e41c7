"""Template: value iteration on arrays; it imports no rules (see `tacit.emergence.play.chain`)."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import loop


@loop
def iterate(successor: Any, probability: Any, payoff: Any, discount: Any, tolerance: Any,
            sweeps: Any, values: Any) -> Any:  # fmt: skip
    """Value iteration in place (Gauss-Seidel) until a sweep changes less than `tolerance`.

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
    change = tolerance
    while sweeps > 0 and change >= tolerance:
        change = 0.0
        sweeps -= 1
        for n in range(payoff.shape[0]):
            best = -1e300  # below every payoff, and above the -inf of an illegal action
            for a in range(payoff.shape[1]):
                value = payoff[n, a]
                if value > -1e300:
                    for j in range(probability.shape[1]):
                        value += discount * probability[n, j] * values[successor[n, a, j]]
                    best = max(best, value)
            change = max(change, abs(best - values[n]))
            values[n] = best
    return sweeps
