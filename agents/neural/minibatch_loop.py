"""Template: the samples of an epoch, dealt into minibatches and summed by cell.

Letters in shapes: n samples, E epochs, B minibatches of each, R rows (observations that the update
met), H value heads, A actions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.agents.neural.arrays import CELLS_AT_ONCE, NEGATIVE, MinibatchCells
from tacit.agents.neural.simd.pairs import add_to_pair
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold

# Of `shuffle_block`: after eight places of at most 64 minibatches 16 bits of a hash are left.
DRAWS_OF_A_HASH = 8
HALF, LOWER = np.uint64(32), np.uint64(2**32 - 1)
MOST_IN_A_TABLE = 4  # minibatches whose orders are all written down: at most 24
IN_A_WORD = 4  # minibatches: an order of four bytes is read and written as one uint32
SAMPLES_AT_ONCE = 512


@inlined
def share(bits: Any, m: Any) -> Any:
    """floor(f m) of the fraction f = bits / 2^64, uint64. Takes uint64; m is below 2^32."""
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
    """Every order of so many minibatches, uint8 `[B!, B]`: row w is what `shuffle_block` fills in
    where w = floor(f B!), f being the fraction that its first 64 bits are."""
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
def deal_four(key: Any, orders: Any, first: Any, blocks: Any, chosen: Any, whole: Any) -> None:
    """`deal` of so many full blocks of four: `orders` and `whole` uint32 hold one in an entry.

    `chosen` int64 `[blocks]` is working memory.
    """
    count = np.uint64(24)
    for k in range(blocks):  # becomes vectors, which a look into the table would prevent
        chosen[at(k)] = share(fold(key, first + k * IN_A_WORD + IN_A_WORD - 1), count)
    for k in range(blocks):
        whole[at(k)] = orders[at(chosen[at(k)])]


@inlined
def deal(key: Any, orders: Any, first: Any, n: Any, chosen: Any, whose: Any) -> None:
    """Fill `whose` uint8 `[n]` with the minibatches of n samples, `first` and those behind it.

    In blocks of B, one to each in random order, so that every minibatch holds samples from all
    parts of the batch; `first` begins a block. `orders` are `all_orders`, or without entries where
    B is large; `chosen` int64 `[n]` is working memory.
    """
    count, parts = orders.shape
    for begin in range(0, n, parts):
        size, block = min(parts, n - begin), (first + begin) // parts
        if count > 0:
            w = share(fold(key, block * parts + parts - 1), np.uint64(count))
            for b in range(size):
                whose[at(begin + b)] = orders[w, at(b)]
        else:
            shuffle_block(chosen[:parts], key, block)
            for b in range(size):
                whose[at(begin + b)] = chosen[at(b)]


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
def epochs_at_once(epochs: Any, parts: Any, cell_count: Any, samples: Any) -> Any:
    """How many of so many epochs of so many minibatches are summed in one pass: all or one.

    All, where their sums are fewer than the samples, which a pass saves from being read again.
    """
    return epochs if epochs * parts * cell_count <= min(CELLS_AT_ONCE, samples) else 1


@inlined
def find_cells(
    rows: Any, actions: Any, advantages: Any, begin: Any, n: Any, count: Any, side: Any, cells: Any
) -> None:
    """Fill `cells` int32 `[n]` with cells of the n samples from `begin` on, in minibatch 0.

    `count` actions make a row; advantages that are not positive are counted `side` further on.
    """
    for k in range(n):
        i = at(begin + k)
        # (the sign of an advantage chooses a place: a branch would be mispredicted)
        further = np.int32(side) if advantages[i] <= 0.0 else np.int32(0)
        cells[at(k)] = rows[i] * np.int32(count) + actions[i] + further


@inlined
def find_places(
    rows: Any, begin: Any, n: Any, cells: Any, whose: Any, part: Any, shape: Any, places: Any
) -> None:
    """Fill `places` int32 `[2, n]` with rows and cells of n samples among those of all minibatches.

    Of those from `begin` on: `rows` are of all samples, `cells` as `find_cells` has them; `whose`
    counts minibatches from `part` on. A table has `shape`.
    """
    in_rows, in_cells = row(places, 0), row(places, 1)
    met, size = np.int32(shape[0]), np.int32(shape[0] * shape[1])
    for k in range(n):
        b = np.int32(whose[at(k)]) + np.int32(part)
        in_rows[at(k)] = b * met + rows[at(begin + k)]
        in_cells[at(k)] = b * size + cells[at(k)]


@inlined
def add_of_one_head(
    places: Any, advantages: Any, returns: Any, begin: Any, n: Any, pairs: Any, sums: Any
) -> None:
    """Add the n samples from `begin` on to `sums` of advantages, and to `pairs`, visits and sums of
    returns by turns."""
    in_rows, in_cells = row(places, 0), row(places, 1)
    # (both in one loop: while one waits for its last addition, the other goes on)
    for k in range(n):
        add_to_pair(pairs, in_rows[at(k)], returns[at(begin + k)])
        sums[at(in_cells[at(k)])] += advantages[at(begin + k)]


@inlined
def add_of_heads(
    places: Any, advantages: Any, returns: Any, begin: Any, n: Any, heads: Any, visits: Any,
    return_sums: Any, sums: Any,
) -> None:  # fmt: skip
    """The same of any number of heads; all arrays are flat."""
    in_rows, in_cells = row(places, 0), row(places, 1)
    for k in range(n):
        visits[at(in_rows[at(k)])] += 1.0
        sums[at(in_cells[at(k)])] += advantages[at(begin + k)]
    for h in range(heads):
        for k in range(n):
            place = at(in_rows[at(k)] * heads + h)
            return_sums[place] += returns[at((begin + k) * heads + h)]


@inlined
def deal_and_sum(
    rows: Any, actions: Any, advantages: Any, returns: Any, keys: Any, cells: MinibatchCells
) -> None:
    """Deal n samples into the minibatches of E epochs, and sum them by cell.

    Takes `rows` and `actions` int32 `[n]`, `advantages` float64 `[n]`, `returns` float64 `[n, H]`,
    and `keys` uint64 `[E]`, by which `deal` deals. Fills all of `cells`, which has E B minibatches,
    but `digits`, `legal` and `old_policy`.

    All epochs in one pass: the samples of a large batch come from slower memory than the sums.
    """
    n, heads, shape = len(rows), cells.return_sums.shape[2], cells.old_policy.shape
    parts = len(cells.sizes) // len(keys)
    rows, actions, advantages = borrow(rows), borrow(actions), borrow(advantages)
    returns = borrow(returns.reshape(-1))
    cells.visits[:], cells.return_sums[:], cells.advantage_sums[:] = 0.0, 0.0, 0.0
    cells.sizes[:] = n // parts
    visits, return_sums = cells.visits.reshape(-1), cells.return_sums.reshape(-1)
    sums = borrow(cells.advantage_sums.reshape(-1))
    side = NEGATIVE * len(cells.sizes) * cells.old_policy.size
    orders = all_orders(parts) if parts <= MOST_IN_A_TABLE else np.empty((0, parts), np.uint8)
    whole_orders = orders.reshape(-1)[: orders.size // IN_A_WORD * IN_A_WORD].view(np.uint32)
    at_once = SAMPLES_AT_ONCE // parts * parts
    in_first, places = np.empty(at_once, np.int32), np.empty((2, at_once), np.int32)
    whose, chosen = np.empty(SAMPLES_AT_ONCE, np.uint8), np.empty(at_once, np.int64)
    whole = whose.view(np.uint32)
    pairs = np.zeros(2 * cells.visits.size if heads == 1 else 0)
    for begin in range(0, n, at_once):
        size = min(at_once, n - begin)
        find_cells(rows, actions, advantages, begin, size, shape[1], side, borrow(in_first))
        for e in range(len(keys)):
            if parts == IN_A_WORD and size % IN_A_WORD == 0:
                deal_four(
                    keys[e], borrow(whole_orders), begin, size // IN_A_WORD, borrow(chosen),
                    borrow(whole),
                )  # fmt: skip
            else:
                deal(keys[e], borrow(orders), begin, size, borrow(chosen), borrow(whose))
            for k in range(size // parts * parts, size):  # (of a last block that is not full)
                cells.sizes[e * parts + whose[k]] += 1
            part = e * parts
            find_places(rows, begin, size, borrow(in_first), borrow(whose), part, shape, places)
            if heads == 1:
                add_of_one_head(places, advantages, returns, begin, size, borrow(pairs), sums)
            else:
                add_of_heads(
                    places, advantages, returns, begin, size, heads, borrow(visits),
                    borrow(return_sums), sums,
                )  # fmt: skip
    if heads == 1:
        for place in range(len(visits)):
            visits[place], return_sums[place] = pairs[2 * place], pairs[2 * place + 1]
    rows_met(cells, cells.visits)


@loop
def sum_by_cell(
    rows: Any, actions: Any, advantages: Any, returns: Any, key: Any, cells: MinibatchCells
) -> None:
    """`deal_and_sum` of one epoch: `rows` and `actions` int32 `[n]`, `advantages` float64 `[n]`,
    `returns` float64 `[n, H]`; `cells` has B minibatches."""
    keys = np.empty(1, np.uint64)
    keys[0] = key
    deal_and_sum(rows, actions, advantages, returns, keys, cells)
