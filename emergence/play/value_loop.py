"""Template: value iteration on arrays; it knows no market (see `tacit.emergence.play.chain`)."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import loop


@loop
def iterate(successor: Any, chance: Any, payoff: Any, discount: Any, tolerance: Any,
            sweeps: Any, values: Any) -> Any:  # fmt: skip
    """Value iteration in place until a sweep changes less than `tolerance`; returns sweeps left.

    successor int32 [N, A, R], chance float64 [N, R], payoff float64 [N, A] (-inf: illegal).
    """
    change = tolerance
    while sweeps > 0 and change >= tolerance:
        change = 0.0
        sweeps -= 1
        for n in range(payoff.shape[0]):
            best = -1e300
            for a in range(payoff.shape[1]):
                value = payoff[n, a]
                if value > -1e300:
                    for j in range(chance.shape[1]):
                        value += discount * chance[n, j] * values[successor[n, a, j]]
                    best = max(best, value)
            change = max(change, abs(best - values[n]))
            values[n] = best
    return sweeps
