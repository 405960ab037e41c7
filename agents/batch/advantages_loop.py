"""Template: from the samples of one seat to advantages, and from those to cells of a table.

n samples, R rows (visited observations), H value heads, B minibatches, A actions.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.neural.ppo import Cells
from tacit.envs.jit.array_views import borrow
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import below


@loop
def visited(samples: SeatSamples, number: Any) -> Any:
    """Number the observations that were seen or come next, in ascending order.

    `number` int32 `[O]` is filled (-1: not met). Returns the observations, int64 `[R]`.
    """
    seen, following, counts = borrow(samples.seen), borrow(samples.following), samples.counts
    for o in range(len(number)):
        number[o] = -1
    for n in range(counts.max()):
        for r in range(len(counts)):
            if n < counts[r]:
                number[seen[n, r]] = 0
                number[following[n, r]] = 0
    rows = 0
    for o in range(len(number)):
        if number[o] == 0:
            number[o] = rows
            rows += 1
    result = np.empty(rows, np.int64)
    for o in range(len(number)):
        if number[o] >= 0:
            result[number[o]] = o
    return result


@loop
def advantages(
    samples: SeatSamples,
    number: Any,
    values: Any,
    weights: Any,
    discount: Any,
    lam: Any,
    row_of: Any,
    did: Any,
    advantage: Any,
    returns: Any,
) -> Any:
    """Generalised advantages, seat-time; `values` float64 `[R, H]` of unweighted terms.

    Fills, for all n samples, the latest first, row_of and did int32, advantage float64 (heads
    weighted by `weights` [H]) and returns float64 `[n, H]`. Returns the sums of squares of these,
    float64 `[H]`.
    """
    seen, action, following = borrow(samples.seen), borrow(samples.did), borrow(samples.following)
    gap, cut, reward = borrow(samples.gap), borrow(samples.cut), borrow(samples.reward)
    counts, heads = samples.counts, len(weights)
    trace, squares = np.zeros((len(counts), heads)), np.zeros(heads)
    i = 0
    for n in range(counts.max() - 1, -1, -1):
        for r in range(len(counts)):
            if n < counts[r]:
                o, after = number[seen[n, r]], number[following[n, r]]
                factor = discount if gap[n, r] == 1 else discount ** gap[n, r]
                carry = 0.0 if cut[n, r] else factor * lam
                total = 0.0
                for h in range(heads):
                    value = values[o, h]
                    delta = reward[n, r, h] + factor * values[after, h] - value
                    trace[r, h] = delta + carry * trace[r, h]
                    total += weights[h] * trace[r, h]
                    returns[i, h] = trace[r, h] + value
                    squares[h] += returns[i, h] ** 2
                row_of[i], did[i], advantage[i] = o, action[n, r], total
                i += 1
    return squares


@loop
def normalise(advantage: Any) -> None:
    """Mean 0, standard deviation 1."""
    total, squares = 0.0, 0.0
    for i in range(len(advantage)):
        total += advantage[i]
    mean = total / max(1, len(advantage))
    for i in range(len(advantage)):
        squares += (advantage[i] - mean) ** 2
    scale = 1.0 / (sqrt(squares / max(1, len(advantage))) + 1e-8)
    for i in range(len(advantage)):
        advantage[i] = (advantage[i] - mean) * scale


@inlined
def deal(order: Any, key: Any, block: Any) -> None:
    """A random order of the minibatches for one block of as many samples."""
    parts = len(order)
    for b in range(parts):
        order[b] = b
    for b in range(parts - 1, 0, -1):
        other = below(key, block * parts + b, b + 1)
        order[b], order[other] = order[other], order[b]


@loop
def fill(row_of: Any, did: Any, advantage: Any, returns: Any, key: Any, cells: Cells) -> None:
    """What one epoch's minibatches need of their samples: all that changes in `ppo.Cells`.

    Samples are dealt in blocks of B, one to each minibatch in random order, so that each holds
    every part of the batch. The rows that a minibatch met stand in ascending order.
    """
    row_of, did, advantage = borrow(row_of), borrow(did), borrow(advantage)
    returns, size, found, met = borrow(returns), cells.size, cells.found, cells.met
    size[:], cells.visits[:], cells.total[:], cells.sides[:] = 0, 0.0, 0.0, 0.0
    count, total, sides = borrow(cells.visits), borrow(cells.total), borrow(cells.sides)
    parts, heads = len(size), returns.shape[1]
    order = np.empty(parts, np.int64)
    n = len(row_of)
    for block in range((n + parts - 1) // parts):
        deal(order, key, block)
        for i in range(block * parts, min(n, (block + 1) * parts)):
            b, o, a, x = order[i - block * parts], row_of[i], did[i], advantage[i]
            size[b] += 1
            count[b, o] += 1.0
            for h in range(heads):
                total[b, o, h] += returns[i, h]
            side = 0 if x > 0.0 else 1  # (a branch would be guessed wrong half the time)
            sides[side, b, o, a] += x
    for b in range(parts):
        found[b] = 0
        for o in range(count.shape[1]):
            if count[b, o] > 0.0:
                met[b, found[b]] = o
                found[b] += 1
