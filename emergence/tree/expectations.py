"""How likely the edges of a round's tree are under policy tables, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import PolicyTable

from .tree import Array, Layer, Tree


def chances(layer: Layer, tables: Sequence[PolicyTable], without: int | None = None) -> Array:
    """The chance of each edge given its node, float64 `[E]`; a seat's own doing may be left out."""
    chance = np.ones(len(layer.node))
    for s, table in enumerate(tables):
        if layer.acts[s] and s != without:
            chance *= table[layer.observations[layer.node, s], layer.actions[:, s]]
    return chance


def reach(tree: Tree, tables: Sequence[PolicyTable], without: int | None = None) -> list[Array]:
    """The chance of every edge, phase by phase, float64 `[E]` each; at the leaves it sums to 1
    (without a seat: to as many leaves as that seat can choose among)."""
    result: list[Array] = []
    for layer in tree.layers:
        before = result[-1][layer.origin] if result else 1.0
        result.append((before * layer.chance)[layer.node] * chances(layer, tables, without))
    return result


def mean(tree: Tree, tables: Sequence[PolicyTable], values: Array) -> Array:
    """Expected `values` `[L, ...]` of the leaves."""
    return np.tensordot(reach(tree, tables)[-1], values, axes=1)


def worth(tree: Tree, tables: Sequence[PolicyTable], values: Array) -> list[Array]:
    """What every edge leads to in expectation, phase by phase: `[E, K]` from `values` `[L, K]`."""
    result = [values]
    for p in range(len(tree.layers) - 1, 0, -1):
        layer = tree.layers[p]
        at_node = _sum(layer.node, chances(layer, tables)[:, None] * result[0], len(layer.origin))
        edges = len(tree.layers[p - 1].node)
        result.insert(0, _sum(layer.origin, layer.chance[:, None] * at_node, edges))
    return result


def _sum(index: NDArray[np.int64], values: Array, size: int) -> Array:
    """Rows of `values` added up by index."""
    total = np.zeros((size, values.shape[1]))
    np.add.at(total, index, values)
    return total


@dataclass(frozen=True)
class Reply:
    """Of one seat against frozen tables: expected payoff `[O, A]` of each action at each
    observation, replying best later in the round (0 where neither nature nor the others lead), and
    how likely these lead there, `weight` `[O]`; what the best reply earns, and the own table.
    """

    payoff: Array
    weight: Array
    best: float
    own: float

    @property
    def gain(self) -> float:
        """What the best reply earns beyond the seat's own table."""
        return self.best - self.own


def best_reply(tree: Tree, tables: Sequence[PolicyTable], seat: int, values: Array) -> Reply:
    """The best reply of a seat whose every action is in the tree to the others' frozen tables.

    By backward induction over the phases of the round; `values` `[L]` are its payoffs at the end.
    """
    role = tree.market.seats[seat].role
    payoff, weight = np.zeros((role.observations, role.actions)), np.zeros(role.observations)
    others = reach(tree, tables, seat)
    best = values
    for p in range(len(tree.layers) - 1, -1, -1):
        layer = tree.layers[p]
        coming = others[p - 1][layer.origin] if p else np.ones(len(layer.origin))
        seen = layer.observations[:, seat]
        share = chances(layer, tables, seat)
        if layer.acts[seat]:
            arrive = coming * layer.chance
            np.add.at(weight, seen, arrive)
            total = arrive[layer.node] * share * best
            np.add.at(payoff, (seen[layer.node], layer.actions[:, seat]), total)
            legal = _legal(role.legal, role.actions)
            top = np.where(legal, payoff, -np.inf).argmax(axis=1)
            share = share * (layer.actions[:, seat] == top[seen[layer.node]])
        at_node = _sum(layer.node, (share * best)[:, None], len(layer.origin))[:, 0]
        if p:
            edges = len(tree.layers[p - 1].node)
            best = _sum(layer.origin, (layer.chance * at_node)[:, None], edges)[:, 0]
    root = tree.layers[0].chance
    reached = weight > 0
    payoff[reached] /= weight[reached, None]
    own = float(mean(tree, tables, values))
    return Reply(payoff, weight, float((root * at_node).sum()), own)


def _legal(legal: NDArray[np.int32], actions: int) -> NDArray[np.bool_]:
    columns = np.arange(actions)
    inside: NDArray[np.bool_] = (columns >= legal[:, :1]) & (columns < legal.sum(1, keepdims=True))
    return inside
