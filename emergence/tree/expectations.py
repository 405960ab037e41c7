"""How likely the edges of a round's tree are under policy tables, and what they lead to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.envs.types import Floats, Ints

from .round_tree import PhaseLayer, RoundTree


def action_probability(
    layer: PhaseLayer, tables: Sequence[PolicyTable], without_seat: int | None = None
) -> Floats:
    """Probability of each edge's joint action given its node, float64 `[E]`.

    Args:
        layer: one phase of the tree.
        tables: one policy table per seat, float64 `[O, A]` each.
        without_seat: the index of a seat whose own probability is left out.
    """
    probability = np.ones(len(layer.node))
    for s, table in enumerate(tables):
        if layer.acts[s] and s != without_seat:
            probability *= table[layer.observations[layer.node, s], layer.actions[:, s]]
    return probability


def edge_probability(
    tree: RoundTree, tables: Sequence[PolicyTable], without_seat: int | None = None
) -> list[Floats]:
    """Probability that play passes each edge, phase by phase.

    Args:
        tree: the tree of a round.
        tables: one policy table per seat, float64 `[O, A]` each.
        without_seat: the index of a seat whose own probability is left out.

    Returns:
        One array float64 `[E]` per phase. At the leaves they add up to 1; without a seat, to the
        number of leaves among which that seat can choose.
    """
    result: list[Floats] = []
    for layer in tree.layers:
        # The first layer's nodes come from roots, whose probability `layer.probability` includes.
        before = result[-1][layer.origin] if result else 1.0
        reached = before * layer.probability
        result.append(reached[layer.node] * action_probability(layer, tables, without_seat))
    return result


def expected_outcome(tree: RoundTree, tables: Sequence[PolicyTable], values: Floats) -> Floats:
    """The mean of some values over the leaves.

    Args:
        tree: the tree of a round.
        tables: one policy table per seat, float64 `[O, A]` each.
        values: numbers at each leaf, float64 `[L, ...]`.

    Returns:
        Float64 `[...]`.
    """
    return np.tensordot(edge_probability(tree, tables)[-1], values, axes=1)


def expected_value(tree: RoundTree, tables: Sequence[PolicyTable], values: Floats) -> list[Floats]:
    """What every edge leads to in expectation if all play their tables from there on.

    Args:
        tree: the tree of a round.
        tables: one policy table per seat, float64 `[O, A]` each.
        values: K numbers at each leaf, float64 `[L, K]`.

    Returns:
        One array float64 `[E, K]` per phase.
    """
    result = [values]
    # Backwards: from the edges of a phase over its nodes to the edges of the phase before.
    for p in range(len(tree.layers) - 1, 0, -1):
        layer = tree.layers[p]
        weighted = action_probability(layer, tables)[:, None] * result[0]
        at_node = sum_by_index(layer.node, weighted, len(layer.origin))
        edges = len(tree.layers[p - 1].node)
        drawn = layer.probability[:, None] * at_node
        result.insert(0, sum_by_index(layer.origin, drawn, edges))
    return result


def sum_by_index(index: Ints, values: Floats, size: int) -> Floats:
    """Rows of `values` `[N, K]` added up by `index` int64 `[N]`: float64 `[size, K]`."""
    total = np.zeros((size, values.shape[1]))
    np.add.at(total, index, values)
    return total
