"""The best reply of one seat within one round, the others' tables frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable, mask
from tacit.envs.types import Floats

from .expectations import action_probability, edge_probability, expected_outcome, sum_by_index
from .round_tree import RoundTree


@dataclass(frozen=True)
class BestReply:
    """Of one seat against frozen tables, in one round.

    Attributes:
        payoff: expected payoff of each action at each observation, replying best later in the
            round, float64 `[O, A]`; 0 at observations to which neither nature nor the others lead.
        weight: how likely nature and the others lead to each observation, float64 `[O]`.
        best: expected payoff of the best reply.
        own: expected payoff of the seat's own table.
    """

    payoff: Floats
    weight: Floats
    best: float
    own: float

    @property
    def gain(self) -> float:
        """What the best reply earns beyond the seat's own table."""
        return self.best - self.own


def best_reply(
    tree: RoundTree, tables: Sequence[PolicyTable], seat: int, values: Floats
) -> BestReply:
    """The best reply of a seat, by backward induction over the phases of the round.

    Args:
        tree: the tree of a round that holds every legal action of the seat.
        tables: one policy table per seat, float64 `[O, A]` each.
        seat: the index of the seat.
        values: its payoffs at the leaves, float64 `[L]`.

    Returns:
        The payoffs of its actions, and what the best reply and its own table earn.
    """
    role = tree.market.seats[seat].role
    legal = mask(role)
    payoff, weight = np.zeros((role.observations, role.actions)), np.zeros(role.observations)
    others = edge_probability(tree, tables, seat)
    best = values
    for p in range(len(tree.layers) - 1, -1, -1):
        layer = tree.layers[p]
        before = others[p - 1][layer.origin] if p else np.ones(len(layer.origin))
        observed = layer.observations[:, seat]
        share = action_probability(layer, tables, seat)
        if layer.acts[seat]:
            # Nodes with one observation are one information set: their payoffs are added up,
            # weighted by how likely the others lead there, before the best action is chosen.
            arrival = before * layer.probability
            np.add.at(weight, observed, arrival)
            total = arrival[layer.node] * share * best  # of each edge, before dividing by `weight`
            np.add.at(payoff, (observed[layer.node], layer.actions[:, seat]), total)
            top = np.where(legal, payoff, -np.inf).argmax(axis=1)
            share = share * (layer.actions[:, seat] == top[observed[layer.node]])
        at_node = sum_by_index(layer.node, (share * best)[:, None], len(layer.origin))[:, 0]
        if p:
            edges = len(tree.layers[p - 1].node)
            drawn = (layer.probability * at_node)[:, None]
            best = sum_by_index(layer.origin, drawn, edges)[:, 0]
    root = tree.layers[0].probability  # `at_node` is now that of the first layer's nodes
    reached = weight > 0
    payoff[reached] /= weight[reached, None]
    own = float(expected_outcome(tree, tables, values))
    return BestReply(payoff, weight, float((root * at_node).sum()), own)
