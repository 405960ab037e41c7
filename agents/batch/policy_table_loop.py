"""Template: policy tables, from values and for play.

Legal actions of row i are `legal[i, 0]` .. `legal[i, 0] + legal[i, 1] - 1`, int32 `[O, 2]`.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import loop


@loop
def cumulate(table: Any, legal: Any, cumulative: Any) -> None:
    """Fill `cumulative` float64 `[O * A]` with the cumulative rows of `table` `[O, A]`.

    The last legal entry of a row is exactly 1, so that no draw below 1 falls outside.
    """
    actions = table.shape[1]
    for i in range(len(table)):
        total, end = 0.0, legal[i, 0] + legal[i, 1]
        for a in range(actions):
            total += table[i, a]
            cumulative[i * actions + a] = 1.0 if a >= end - 1 else total


@loop
def epsilon_greedy(values: Any, legal: Any, epsilon: Any, table: Any) -> None:
    """Fill `table` float64 `[O, A]` with the policy that takes the first action of highest value,
    `values` `[O, A]`, or any legal action with probability epsilon."""
    for i in range(len(values)):
        first, count = legal[i, 0], legal[i, 1]
        best = first
        for a in range(table.shape[1]):
            inside = first <= a < first + count
            table[i, a] = epsilon / count if inside else 0.0
            if inside and values[i, a] > values[i, best]:
                best = a
        table[i, best] += 1.0 - epsilon
