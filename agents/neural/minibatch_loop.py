"""Template: the samples of an epoch, dealt into minibatches and summed by cell.

Letters in shapes: n samples, B minibatches, R rows (observations that the update met), H value
heads, A actions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.agents.neural.arrays import NEGATIVE, MinibatchCells
from tacit.agents.neural.simd.pairs import add_to_pair
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold

# Of `shuffle_block`: after eight places of at most 64 minibatches 16 bits of a hash are left.
DRAWS_OF_A_HASH = 8
HALF, LOWER = np.uint64(32), np.uint64(2**32 - 1)
SAMPLES_AT_ONCE = 512
MOST_IN_A_TABLE = 4  # minibatches whose orders are all written down: at most 24
FOUR, BLOCKS_AT_ONCE = 4, 256  # minibatches of which a block fits into 32 bits


@inlined
def share(bits: Any, m: Any) -> Any:
    """floor(f m) of the fraction f = bits / 2^64, uint64; `bits` and `m` < 2^32 are uint64."""
    return ((bits >> HALF) * m + ((bits & LOWER) * m >> HALF)) >> HALF


@inlined
def shuffle_block(order: Any, key: Any, block: Any) -> None:
    """Fill `order` int64 `[B]` with the minibatches in random order (Fisher and Yates).

    64 bits are drawn for eight places: read as a fraction f, they give floor(f m) to the place for
    which m are left, and f m - floor(f m) to the next.
    """
    parts = len(order)
    for b in range(parts):
        order[b] = b
    bits = key
    for b in range(parts - 1, 0, -1):
        if (parts - 1 - b) % DRAWS_OF_A_HASH == 0:
            bits = np.uint64(fold(key, block * parts + b))
        left = np.uint64(b + 1)
        other = share(bits, left)
        bits = bits * left
        order[b], order[other] = order[other], order[b]


@inlined
def all_orders(parts: Any) -> Any:
    """Every order of so many minibatches, uint8 `[B!, B]`: row w is that of a fraction of which
    `shuffle_block` makes w = floor(f B!)."""
    count = 1
    for b in range(2, parts + 1):
        count *= b
    orders, order = np.empty((count, parts), np.uint8), np.empty(parts, np.int64)
    for w in range(count):
        for b in range(parts):
            order[b] = b
        rest, of = w, count
        for b in range(parts - 1, 0, -1):
            of //= b + 1
            other = rest // of
            rest -= other * of
            order[b], order[other] = order[other], order[b]
        for b in range(parts):
            orders[w, b] = order[b]
    return orders


@inlined
def deal_four(key: Any, blocks: Any, whole: Any) -> None:
    """`deal` of so many blocks of four: `whole` uint32 `[blocks]` holds a block in an entry."""
    orders = all_orders(FOUR).reshape(-1).view(np.uint32)
    count, whole = np.uint64(len(orders)), borrow(whole)
    chosen = np.empty(BLOCKS_AT_ONCE, np.int64)
    for begin in range(0, blocks, BLOCKS_AT_ONCE):
        size = min(BLOCKS_AT_ONCE, blocks - begin)
        for k in range(size):  # becomes vectors, which a look into the table would prevent
            chosen[at(k)] = share(fold(key, (begin + k) * FOUR + FOUR - 1), count)
        for k in range(size):
            whole[at(begin + k)] = orders[at(chosen[at(k)])]


@inlined
def deal_last(key: Any, parts: Any, whose: Any) -> None:
    """`deal` of the samples behind the last full block, of few minibatches."""
    begin = len(whose) // parts * parts
    if begin < len(whose):
        orders = all_orders(parts)
        w = share(fold(key, begin + parts - 1), np.uint64(len(orders)))
        for k in range(begin, len(whose)):
            whose[at(k)] = orders[w, at(k - begin)]


@inlined
def deal(key: Any, parts: Any, whose: Any) -> None:
    """Fill `whose` uint8 `[n]` with the minibatch of every sample.

    In blocks of B, one to each in random order, so that every minibatch holds samples from all
    parts of the batch.
    """
    n = len(whose)
    blocks = n // parts
    if parts == 1:
        whose[:] = 0
    elif parts == FOUR:
        deal_four(key, blocks, whose[: blocks * parts].view(np.uint32))
        deal_last(key, parts, whose)
    elif parts <= MOST_IN_A_TABLE:
        orders = all_orders(parts)
        count = np.uint64(len(orders))
        for block in range(blocks):
            w = share(fold(key, block * parts + parts - 1), count)
            for k in range(parts):
                whose[at(block * parts + k)] = orders[w, at(k)]
        deal_last(key, parts, whose)
    else:
        order = np.empty(parts, np.int64)
        for block in range((n + parts - 1) // parts):
            shuffle_block(order, key, block)
            first = block * parts
            for k in range(min(n - first, parts)):
                whose[at(first + k)] = order[k]


@inlined
def rows_met(cells: MinibatchCells, visits: Any) -> None:
    """List the rows that each minibatch met."""
    met = borrow(cells.rows)
    for b in range(visits.shape[0]):
        count = 0
        for o in range(visits.shape[1]):
            met[b, count] = o
            count += visits[b, o] > 0.0
        cells.row_counts[b] = count


@inlined
def count_dealt(whose: Any, sizes: Any) -> None:
    """Fill `sizes` int64 `[B]` with the numbers of samples that were dealt."""
    n, parts = len(whose), len(sizes)
    last = n // parts * parts  # the block behind it is not full
    sizes[:] = n // parts
    for i in range(last, n):
        sizes[whose[i]] += 1


@inlined
def add_samples(
    rows: Any, actions: Any, advantages: Any, returns: Any, whose: Any, cells: MinibatchCells
) -> None:
    """Add every sample to the sums of its cell: `sum_by_cell`, with `returns` flat.

    `rows`, `actions` int32 `[n]`, `advantages` float64 `[n]`, `returns` float64 `[n * H]`, `whose`
    uint8 `[n]` as `deal` fills it.
    """
    visits = borrow(cells.visits.reshape(-1))
    return_sums = borrow(cells.return_sums.reshape(-1))
    advantage_sums = borrow(cells.advantage_sums.reshape(-1))
    heads, (met, count) = cells.return_sums.shape[2], cells.old_policy.shape
    side = np.int32(NEGATIVE * len(cells.sizes) * met * count)
    places = np.empty((2, SAMPLES_AT_ONCE), np.int32)
    pairs = np.zeros(2 * len(visits) if heads == 1 else 0)  # visits and sums of returns by turns
    # These loops see every sample in every epoch. One loop that made indices and all sums took
    # twice as long: the first of these becomes vectors, and the others wait for one sum each.
    for begin in range(0, len(rows), SAMPLES_AT_ONCE):
        size = min(SAMPLES_AT_ONCE, len(rows) - begin)
        row_places, cell_places = row(places, 0), row(places, 1)
        for k in range(size):
            i = at(begin + k)
            place = np.int32(whose[i]) * np.int32(met) + rows[i]
            row_places[at(k)] = place
            # (the sign of an advantage chooses a place: a branch would be mispredicted)
            cell_places[at(k)] = (
                place * np.int32(count)
                + actions[i]
                + (side if advantages[i] <= 0.0 else np.int32(0))
            )
        if heads == 1:
            for k in range(size):
                add_to_pair(pairs, row_places[at(k)], returns[at(begin + k)])
        else:
            for k in range(size):
                visits[at(row_places[at(k)])] += 1.0
            for h in range(heads):
                for k in range(size):
                    place = at(row_places[at(k)] * heads + h)
                    return_sums[place] += returns[at((begin + k) * heads + h)]
        for k in range(size):
            advantage_sums[at(cell_places[at(k)])] += advantages[at(begin + k)]
    if heads == 1:
        for place in range(len(visits)):
            visits[at(place)] = pairs[at(2 * place)]
            return_sums[at(place)] = pairs[at(2 * place + 1)]


@inlined
def deal_and_sum(
    rows: Any, actions: Any, advantages: Any, returns: Any, key: Any, whose: Any,
    cells: MinibatchCells,
) -> None:  # fmt: skip
    """`sum_by_cell` with `whose` uint8 `[n]` as working memory."""
    rows, actions, advantages = borrow(rows), borrow(actions), borrow(advantages)
    cells.visits[:], cells.return_sums[:], cells.advantage_sums[:] = 0.0, 0.0, 0.0
    deal(key, len(cells.sizes), whose)
    count_dealt(whose, cells.sizes)
    add_samples(rows, actions, advantages, borrow(returns.reshape(-1)), borrow(whose), cells)
    rows_met(cells, cells.visits)


@loop
def sum_by_cell(
    rows: Any, actions: Any, advantages: Any, returns: Any, key: Any, cells: MinibatchCells
) -> None:
    """Fill the parts of `cells` that depend on the epoch; `digits`, `legal`, `old_policy` stay.

    Takes the n samples: `rows` and `actions` int32 `[n]`, `advantages` float64 `[n]`, `returns`
    float64 `[n, H]`. `deal` says which minibatch gets which.
    """
    whose = np.empty(len(rows), np.uint8)
    deal_and_sum(rows, actions, advantages, returns, key, whose, cells)
    whose[:1] = 0  # `deal_and_sum` borrows it, so it must be held until here
