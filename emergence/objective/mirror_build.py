"""Builds the arrays of fictitious play from the tree of a round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.tree.payoff_history import PayoffHistories
from tacit.emergence.tree.round_tree import PhaseLayer
from tacit.envs.types import Ints

from .mirror_game import FictitiousPlayGame


def build_fictitious_play(histories: PayoffHistories) -> FictitiousPlayGame:
    """The game of a market under a KPI.

    Where nobody observes the payoff history, all G histories share the tree of the first one, and
    each leaf has a payoff for every history. Where it is observed, each history keeps its own tree,
    information sets are told apart by history, and each leaf has one payoff.
    """
    tree, shared = histories.tree, 1 if histories.seen else histories.count
    seats = tree.market.seats
    # Roots come one behind the other in every layer, so the first history's part is a slice.
    nodes = [len(layer.origin) // shared for layer in tree.layers]
    edges = [len(layer.node) // shared for layer in tree.layers]
    first_node, first_edge = np.cumsum([0, *nodes]), np.cumsum([0, *edges])
    first_set, first_cell = [0], [0]
    span = np.tile([len(tree.layers), -1], (len(seats), 1))
    origin, set_at, node, cell = [], [], [], []
    root = np.arange(histories.count // shared)  # of each node, carried along the phases
    for p, layer in enumerate(tree.layers):
        root = root[layer.origin[: nodes[p]]]
        begins = layer.node[: edges[p]]
        phase_sets = np.full((nodes[p], len(seats)), -1)
        phase_cells = np.full((edges[p], len(seats)), -1)
        # Cells are numbered phase by phase, seat by seat, information set by information set.
        for seat in seats:
            sizes, index = _information_sets(layer, root, seat.index, seat.role.legal[:, 1])
            chosen = index >= 0
            if chosen.any():
                span[seat.index] = min(span[seat.index, 0], p), p
            starts = first_cell[-1] + np.cumsum([0, *sizes])
            phase_sets[chosen, seat.index] = len(first_cell) - 1 + index[chosen]
            first_action = seat.role.legal[layer.observations[: nodes[p], seat.index], 0]
            # Legal actions are a contiguous range: a cell is its set's first cell plus an offset.
            own = layer.actions[: edges[p], seat.index] - first_action[begins]
            own_cell = starts[index[begins]] + own
            phase_cells[:, seat.index] = np.where(chosen[begins], own_cell, -1)
            first_cell += [int(start) for start in starts[1:]]
        origin.append(layer.origin[: nodes[p]] + (first_edge[p - 1] if p else 0))
        set_at.append(phase_sets)
        node.append(begins + first_node[p])
        cell.append(phase_cells)
        first_set.append(len(first_cell) - 1)
        root = root[begins]
    probability = np.concatenate(
        [layer.probability[:count] for layer, count in zip(tree.layers, nodes, strict=True)]
    )
    # In the tree roots are equally likely; here play begins in one root, or in each on its own.
    probability[: nodes[0]] *= histories.count
    # [G or 1, L, S] -> [L, S, G or 1]
    payoff = tree.rewards.reshape(shared, edges[-1], len(seats)).transpose(1, 2, 0).copy()
    return FictitiousPlayGame(
        first_node=first_node,
        first_edge=first_edge,
        first_set=np.array(first_set),
        first_cell=np.array(first_cell),
        origin=np.concatenate(origin),
        probability=probability,
        set_at=np.concatenate(set_at),
        node=np.concatenate(node),
        cell=np.concatenate(cell),
        payoff=payoff,
        following=histories.following[: edges[-1]],
        span=span,
        largest=float(np.abs(payoff).max()),
    )


def _information_sets(
    layer: PhaseLayer, root: Ints, seat: int, legal_count: NDArray[np.int32]
) -> tuple[Ints, Ints]:
    """The information sets of a seat in a phase.

    Args:
        layer: the phase; only its first nodes, as many as `root` has, are used.
        root: the root of each of these nodes, int64 `[N]`.
        seat: the index of the seat.
        legal_count: how many actions are legal at each observation, int32 `[O]`.

    Returns:
        How many actions each information set has, int64 `[I]`, and the information set of each
        node, int64 `[N]`; -1: no choice.
    """
    observed = layer.observations[: len(root), seat]
    chosen = legal_count[observed] > 1
    index = np.full(len(root), -1)
    if not layer.acts[seat] or not chosen.any():
        return np.zeros(0, np.int64), index
    pairs = np.stack([root[chosen], observed[chosen]], axis=1)
    known, inverse = np.unique(pairs, axis=0, return_inverse=True)
    index[chosen] = inverse.ravel()
    return legal_count[known[:, 1]].astype(np.int64), index
