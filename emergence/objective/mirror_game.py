"""A round's tree in the form that fictitious play runs on (see
`tacit.emergence.objective.mirror`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.tree.payoff_history import Pasts
from tacit.emergence.tree.tree import Array, Indices, Layer


class FictitiousPlayGame(NamedTuple):
    """A *sight* is what a seat with a choice sees in a phase; a *cell* is a sight and an action.

    first_node, first_edge, first_sight int64 `[P + 1]`, first_cell `[sights + 1]`; origin `[N]` (an
    edge; in the first phase a root), chance float64 `[N]`, sight `[N, S]` and cell `[E, S]` (-1: no
    choice), node `[E]`; of the L leaves payoff float64 `[L, S, G]` by past and following `[L]`, the
    past that it makes; span int64 `[S, 2]`: the first and the last phase in which a seat has a
    choice (P and -1: in none); largest: |payoff|.
    """

    first_node: Indices
    first_edge: Indices
    first_sight: Indices
    first_cell: Indices
    origin: Indices
    chance: Array
    sight: Indices
    node: Indices
    cell: Indices
    payoff: Array
    following: Indices
    span: Indices
    largest: float


def build(found: Pasts) -> FictitiousPlayGame:
    """Where nobody sees the past, all pasts share the tree of the first one, and a leaf has a
    payoff for each of them."""
    tree, shared = found.tree, 1 if found.seen else found.count
    seats = tree.market.seats
    nodes = [len(layer.origin) // shared for layer in tree.layers]
    edges = [len(layer.node) // shared for layer in tree.layers]
    first_node, first_edge = np.cumsum([0, *nodes]), np.cumsum([0, *edges])
    first_sight, cells = [0], [0]
    span = np.tile([len(tree.layers), -1], (len(seats), 1))
    origin, sight, node, cell = [], [], [], []
    root = np.arange(found.count // shared)
    for p, layer in enumerate(tree.layers):
        root = root[layer.origin[: nodes[p]]]
        begins = layer.node[: edges[p]]
        seen = np.full((nodes[p], len(seats)), -1)
        done = np.full((edges[p], len(seats)), -1)
        for seat in seats:
            sizes, index = _sights(layer, root, seat.index, seat.role.legal[:, 1])
            chosen = index >= 0
            if chosen.any():
                span[seat.index] = min(span[seat.index, 0], p), p
            starts = cells[-1] + np.cumsum([0, *sizes])
            seen[chosen, seat.index] = len(cells) - 1 + index[chosen]
            first = seat.role.legal[layer.observations[: nodes[p], seat.index], 0]
            own = layer.actions[: edges[p], seat.index] - first[begins]
            done[:, seat.index] = np.where(chosen[begins], starts[index[begins]] + own, -1)
            cells += [int(start) for start in starts[1:]]
        origin.append(layer.origin[: nodes[p]] + (first_edge[p - 1] if p else 0))
        sight.append(seen)
        node.append(begins + first_node[p])
        cell.append(done)
        first_sight.append(len(cells) - 1)
        root = root[begins]
    chance = np.concatenate([la.chance[:n] for la, n in zip(tree.layers, nodes, strict=True)])
    chance[: nodes[0]] *= found.count  # (one root, or each of its own)
    payoff = tree.rewards.reshape(shared, edges[-1], len(seats)).transpose(1, 2, 0).copy()
    return FictitiousPlayGame(
        first_node, first_edge, np.array(first_sight), np.array(cells), np.concatenate(origin),
        chance, np.concatenate(sight), np.concatenate(node), np.concatenate(cell), payoff,
        found.following[: edges[-1]], span, float(np.abs(payoff).max()),
    )  # fmt: skip


def _sights(
    layer: Layer, root: Indices, seat: int, legal: NDArray[np.int32]
) -> tuple[Indices, Indices]:
    """How many actions every sight of a seat has, and the sight of each node (-1: no choice)."""
    observed = layer.observations[: len(root), seat]
    chosen = legal[observed] > 1
    index = np.full(len(root), -1)
    if not layer.acts[seat] or not chosen.any():
        return np.zeros(0, np.int64), index
    pairs = np.stack([root[chosen], observed[chosen]], axis=1)
    known, inverse = np.unique(pairs, axis=0, return_inverse=True)
    index[chosen] = inverse.ravel()
    return legal[known[:, 1]].astype(np.int64), index
