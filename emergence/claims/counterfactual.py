"""A claim in the tree of a round: what is true, what is said, and what another word would lead to.

A *claim* is a part of an action that says something about what only its seat observes, such as
"stock is scarce" beside a price. A *word* is one value of that part. The tree of a round has a node
for every situation and an edge for every joint action (`tacit.emergence.tree.round_tree`); where a
claim sits in the policy table of its seat is a `Channel` (`channels.py`).

The *counterfactuals* of an edge are the edges from the same node in which all seats do the same,
except that the word is another one. What follows if the seat is made to say word m at the same
price, written do(m), is therefore read from the edge of m, and nothing has to be replayed. Two
words are compared in the same round: same private values, same draws, same actions of all others up
to the claim, so a difference is caused by the word alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import edge_probability, expected_value
from tacit.emergence.tree.initial_states import initial_states
from tacit.emergence.tree.round_tree import PhaseLayer, RoundTree, played_actions
from tacit.envs.errors import ConfigError
from tacit.envs.types import Bools, Floats, Ints

from .channels import Channel, channels


@dataclass(frozen=True, eq=False)
class Listener:
    """A seat that decides in the phase after the claim.

    G rows of M words as in `CounterfactualClaims`; K combinations of what nature draws before that
    phase.

    Attributes:
        seat: the index of the seat.
        observations: what it observes after each word and draw, int64 `[G, M, K]`.
        probability: probability of that draw, float64 `[G, M, K]`. It is 0 where the seat has no
            choice, since no word can change what it does there, and where an edge has fewer than K
            draws.
    """

    seat: int
    observations: Ints
    probability: Floats


@dataclass(frozen=True, eq=False)
class CounterfactualClaims:
    """One seat's claim, over G rows of M words each; S seats.

    A row is a node of the tree and a joint action there with the word left open; its M entries are
    the edges that have each word.

    Attributes:
        channel: where the claim is made.
        weight: how often each word is said in play, float64 `[G, M]`; the sum of all is 1, or 0
            where the claim is never made.
        claims_a_round: how often a round the claim is made.
        truth: the true word of each row, int64 `[G]`.
        expected_value: every seat's fundamental that is expected after each word, float64
            `[G, M, S]`.
        listeners: the seats that may answer it.
        exact: whether neither initial states nor payoffs are sampled.
    """

    channel: Channel
    weight: Floats
    claims_a_round: float
    truth: Ints
    expected_value: Floats
    listeners: tuple[Listener, ...]
    exact: bool


# Two probes ask for the same claims, one right after the other. Only the last population's are
# kept: those of many populations can fill the memory.
_LATEST: WeakKeyDictionary[FrozenPopulation, list[tuple[Channel, CounterfactualClaims | None]]]
_LATEST = WeakKeyDictionary()


def all_counterfactual_claims(
    population: FrozenPopulation,
) -> list[tuple[Channel, CounterfactualClaims | None]]:
    """Every claim of every seat; None where the round is too large to enumerate."""
    if population not in _LATEST:
        found: list[tuple[Channel, CounterfactualClaims | None]] = []
        for channel in channels(population.market):
            try:
                found.append((channel, counterfactual_claims(population, channel)))
            except ConfigError:
                found.append((channel, None))
        _LATEST.clear()
        _LATEST[population] = found
    return _LATEST[population]


def counterfactual_claims(population: FrozenPopulation, channel: Channel) -> CounterfactualClaims:
    """Everything that a seat says in one claim, and what it could have said instead.

    Raises:
        ConfigError: the round is too large to enumerate.
    """
    market, tables = population.market, population.tables
    # The tree follows the actions that are played, and in the claim's block of the seat's table
    # also those that differ from one of these in the word.
    allowed = list(played_actions(market, tables))
    own = allowed[channel.seat.index].copy()
    block = slice(channel.first, channel.first + channel.size)
    own[block] = _with_counterfactuals(own[block], channel)
    allowed[channel.seat.index] = own
    roots, probability, exact = initial_states(population)
    tree = enumerate_round(market, population.kpi, allowed, roots, probability)
    layer = tree.layers[channel.phase]
    # `speaks` are the edges on which the seat makes this claim, and not one in another block of the
    # same phase. `observed` is what the seat observes on each edge, counted from the block's start.
    observed = layer.observations[layer.node, channel.seat.index] - channel.first
    speaks = np.flatnonzero((observed >= 0) & (observed < channel.size))
    edges = _counterfactual_edges(layer, speaks, channel)
    weight = edge_probability(tree, tables)[channel.phase][edges]
    total = float(weight.sum())
    return CounterfactualClaims(
        channel=channel,
        weight=weight / total if total > 0 else weight,
        claims_a_round=total,
        truth=channel.truth[observed[edges[:, 0]]],
        expected_value=expected_value(tree, tables, tree.fundamentals)[channel.phase][edges],
        listeners=tuple(_listeners(tree, channel, edges)),
        exact=exact and tree.exact,
    )


def _with_counterfactuals(own: Bools, channel: Channel) -> Bools:
    """Allowed actions `own` bool `[size, A]`, and all that differ from one of them in the word."""
    acts = slice(channel.act, channel.act + channel.acts)
    # A remainder is all of an action except the word. First find the remainders that are allowed
    # with some word; then allow them with every word.
    rests = np.zeros((len(own), int(channel.rest.max()) + 1), bool)
    for a in range(channel.acts):
        rests[:, channel.rest[a]] |= own[:, channel.act + a]
    wider = own.copy()
    wider[:, acts] = rests[:, channel.rest]
    return wider


def _counterfactual_edges(layer: PhaseLayer, speaks: Ints, channel: Channel) -> Ints:
    """Edges that differ in the seat's word only, int64 `[G, M]`.

    `speaks` int64 `[.]` are all edges on which the seat makes the claim.
    """
    # Edges of one row begin at the same node and agree in all but the word.
    own = layer.actions[speaks, channel.seat.index] - channel.act
    others = np.delete(layer.actions[speaks], channel.seat.index, axis=1)
    key = np.column_stack([layer.node[speaks], others, channel.rest[own]])
    different, row = np.unique(key, axis=0, return_inverse=True)
    words = int(channel.said.max()) + 1
    edges = np.full((len(different), words), -1)
    edges[row.ravel(), channel.said[own]] = speaks
    assert (edges >= 0).all(), "an action without its counterfactual"
    return edges


def _listeners(tree: RoundTree, channel: Channel, edges: Ints) -> Iterator[Listener]:
    """The seats that have a choice in the phase after the claim; none after the last phase."""
    if channel.phase + 1 == len(tree.layers):
        return
    layer = tree.layers[channel.phase + 1]
    nodes, possible = _nodes_after(layer, edges)
    for seat in tree.market.seats:
        if seat is channel.seat or not layer.acts[seat.index]:
            continue
        observations = layer.observations[nodes, seat.index]
        choice = possible & (seat.role.legal[observations, 1] > 1)
        if choice.any():
            yield Listener(seat.index, observations, layer.probability[nodes] * choice)


def _nodes_after(layer: PhaseLayer, edges: Ints) -> tuple[Ints, Bools]:
    """The nodes that edges `[G, M]` lead to: int64 `[G, M, K]`, and which of them there are.

    Draws of probability 0 have no node, so edges may lead to different numbers of nodes: K is the
    most, and the places that an edge lacks hold any node and False. Nodes of an edge lie in the
    order of nature's draws, so place k is one and the same draw for all words of a row.
    """
    by_edge = np.argsort(layer.origin, kind="stable")
    origin = layer.origin[by_edge]
    first = np.searchsorted(origin, edges, "left")
    count = np.searchsorted(origin, edges, "right") - first
    place = np.arange(int(count.max(initial=1)))
    possible: Bools = place < count[..., None]
    nodes: Ints = by_edge[np.where(possible, first[..., None] + place, 0)]
    return nodes, possible
