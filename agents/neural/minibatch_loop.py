"""Template: the samples of an epoch, dealt into minibatches and summed by cell.

Letters in shapes: n samples, B minibatches, R rows (observations that the update met), H value
heads, A actions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.agents.neural.arrays import NEGATIVE, POSITIVE, MinibatchCells
from tacit.envs.jit.array_views import borrow
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import below


@inlined
def shuffle_block(order: Any, key: Any, block: Any) -> None:
    """Fill `order` int64 `[B]` with the minibatches in random order (Fisher and Yates)."""
    parts = len(order)
    for b in range(parts):
        order[b] = b
    for b in range(parts - 1, 0, -1):
        other = below(key, block * parts + b, b + 1)
        order[b], order[other] = order[other], order[b]


@loop
def sum_by_cell(
    rows: Any, actions: Any, advantages: Any, returns: Any, key: Any, cells: MinibatchCells
) -> None:
    """Fill the parts of `cells` that depend on the epoch; `digits`, `legal`, `old_policy` stay.

    Takes the n samples: `rows` and `actions` int32 `[n]`, `advantages` float64 `[n]`, `returns`
    float64 `[n, H]`. They are dealt in blocks of B, one to each minibatch in random order, so that
    every minibatch holds samples from all parts of the batch.
    """
    rows, actions, advantages = borrow(rows), borrow(actions), borrow(advantages)
    returns, sizes, row_counts, met = borrow(returns), cells.sizes, cells.row_counts, cells.rows
    sizes[:], cells.visits[:] = 0, 0.0
    cells.return_sums[:], cells.advantage_sums[:] = 0.0, 0.0
    visits, return_sums = borrow(cells.visits), borrow(cells.return_sums)
    advantage_sums = borrow(cells.advantage_sums)
    parts, heads = len(sizes), returns.shape[1]
    order = np.empty(parts, np.int64)
    n = len(rows)
    for block in range((n + parts - 1) // parts):
        shuffle_block(order, key, block)
        for i in range(block * parts, min(n, (block + 1) * parts)):
            b, o, a, advantage = order[i - block * parts], rows[i], actions[i], advantages[i]
            sizes[b] += 1
            visits[b, o] += 1.0
            for h in range(heads):
                return_sums[b, o, h] += returns[i, h]
            # The sign chooses an index: a branch would be mispredicted half the time.
            sign = POSITIVE if advantage > 0.0 else NEGATIVE
            advantage_sums[sign, b, o, a] += advantage
    for b in range(parts):
        row_counts[b] = 0
        for o in range(visits.shape[1]):
            if visits[b, o] > 0.0:
                met[b, row_counts[b]] = o
                row_counts[b] += 1
