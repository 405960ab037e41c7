"""A claim in the tree of a round: what is true, what is said, and what another word would lead to.

Beside every action of a seat that claims something stand its *counterfactuals*: the same action of
the same seats in the same round, but for the word. So do(m) at the same price is a look into a
table, and replays are paired by construction: same types, same draws, same actions of all others up
to the claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import edge_probability, expected_value
from tacit.emergence.tree.initial_states import initial_states
from tacit.emergence.tree.round_tree import PhaseLayer, RoundTree, played_actions
from tacit.envs.types import Bools, Floats, Ints

from .channels import Channel


@dataclass(frozen=True, eq=False)
class Listener:
    """A seat that decides in the phase after the claim; G rows of M words, K draws of that phase.

    Attributes:
        seat: the index of the seat.
        observations: what it observes after each word and draw, int64 `[G, M, K]`.
        probability: probability of that draw, 0 where the seat has no choice, float64 `[G, M, K]`.
    """

    seat: int
    observations: Ints
    probability: Floats


@dataclass(frozen=True, eq=False)
class CounterfactualClaims:
    """One seat's claim. A row is an action but for its word: G rows of M words, S seats.

    Attributes:
        channel: where the claim is made.
        weight: how often each word is said in play, float64 `[G, M]`, 1 in all.
        truth: the true word of each row, int64 `[G]`.
        expected_value: every seat's fundamental that is expected after each word, float64
            `[G, M, S]`.
        listeners: the seats that may answer it.
        exact: neither initial states nor payoffs are sampled.
    """

    channel: Channel
    weight: Floats
    truth: Ints
    expected_value: Floats
    listeners: tuple[Listener, ...]
    exact: bool


def counterfactual_claims(population: FrozenPopulation, channel: Channel) -> CounterfactualClaims:
    """Everything that a seat says in one claim, and what it could have said instead.

    Raises:
        ConfigError: the round is too large to enumerate.
    """
    market, tables = population.market, population.tables
    allowed = list(played_actions(market, tables))
    own = allowed[channel.seat.index].copy()
    block = slice(channel.first, channel.first + channel.size)
    own[block] = _with_counterfactuals(own[block], channel)
    allowed[channel.seat.index] = own
    roots, probability, exact = initial_states(population)
    tree = enumerate_round(market, population.kpi, allowed, roots, probability)
    layer = tree.layers[channel.phase]
    # The edges on which the seat makes this claim, and not one in another block of the same phase.
    observed = layer.observations[layer.node, channel.seat.index] - channel.first
    speaks = np.flatnonzero((observed >= 0) & (observed < channel.size))
    edges = _counterfactual_edges(layer, speaks, channel)
    weight = edge_probability(tree, tables)[channel.phase][edges]
    total = weight.sum()
    return CounterfactualClaims(
        channel=channel,
        weight=weight / total if total > 0 else weight,
        truth=channel.truth[observed[edges[:, 0]]],
        expected_value=expected_value(tree, tables, tree.fundamentals)[channel.phase][edges],
        listeners=tuple(_listeners(tree, channel, edges)),
        exact=exact and tree.exact,
    )


def _with_counterfactuals(own: Bools, channel: Channel) -> Bools:
    """Allowed actions `own` bool `[size, A]`, and all that differ from one of them in the word."""
    acts = slice(channel.act, channel.act + channel.acts)
    # First which remainders of an action are allowed with any word, then all words with them.
    rests = np.zeros((len(own), int(channel.rest.max()) + 1), bool)
    for a in range(channel.acts):
        rests[:, channel.rest[a]] |= own[:, channel.act + a]
    wider = own.copy()
    wider[:, acts] = rests[:, channel.rest]
    return wider


def _counterfactual_edges(layer: PhaseLayer, speaks: Ints, channel: Channel) -> Ints:
    """Edges that differ in the seat's word only, int64 `[G, M]`; `speaks`: all its edges."""
    # Edges of one row begin at the same node and agree in all but the word.
    own = layer.actions[speaks, channel.seat.index] - channel.act
    others = np.delete(layer.actions[speaks], channel.seat.index, axis=1)
    key = np.column_stack([layer.node[speaks], others, channel.rest[own]])
    _, row = np.unique(key, axis=0, return_inverse=True)
    words = int(channel.said.max()) + 1
    edges = np.full((int(row.max()) + 1, words), -1)
    edges[row.ravel(), channel.said[own]] = speaks
    assert (edges >= 0).all(), "an action without its counterfactual"
    return edges


def _listeners(tree: RoundTree, channel: Channel, edges: Ints) -> Iterator[Listener]:
    if channel.phase + 1 == len(tree.layers):
        return
    layer = tree.layers[channel.phase + 1]
    # Each edge leads to equally many nodes, one for each combination of nature's draws, in order.
    kinds = len(layer.origin) // len(tree.layers[channel.phase].node)
    nodes = edges[:, :, None] * kinds + np.arange(kinds)
    for seat in tree.market.seats:
        if seat is channel.seat or not layer.acts[seat.index]:
            continue
        observations = layer.observations[nodes, seat.index]
        choice = seat.role.legal[observations, 1] > 1
        if choice.any():
            yield Listener(seat.index, observations, layer.probability[nodes] * choice)
