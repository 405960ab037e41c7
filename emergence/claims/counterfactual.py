"""A claim in the tree of a round: what is so, what is said, and what would follow another word.

For one seat that claims something, every act of it stands beside its *twins*: the same act of the
same seats in the same round, but for the word. So do(m) at the same price is a look into a table,
and replays are paired by construction: same types, same draws, same acts of all others up to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.expectations import reach, worth
from tacit.emergence.tree.initial_states import starts
from tacit.emergence.tree.tree import (
    Array,
    Indices,
    Layer,
    Tree,
    grow,
    played,
)

from .signalling import Channel


@dataclass(frozen=True, eq=False)
class Listener:
    """A seat that decides in the next phase: `sees` int64 `[G, M, K]`, what it observes after each
    word in each of K draws of that phase; `chance` float64 `[G, M, K]` of that draw, 0 where the
    seat has no choice there."""

    seat: int
    sees: Indices
    chance: Array


@dataclass(frozen=True, eq=False)
class CounterfactualClaims:
    """One seat's claim. A row is an act but for its word: G rows of M words.

    `weight` float64 `[G, M]`: how often it is said in play, in all 1; `truth` int64 `[G]`: the true
    word; `worth` float64 `[G, M, S]`: every seat's fundamental that is then expected.
    """

    channel: Channel
    weight: Array
    truth: Indices
    worth: Array
    listeners: tuple[Listener, ...]
    exact: bool


def counterfactual_claims(population: FrozenPopulation, channel: Channel) -> CounterfactualClaims:
    """All that a seat says in one claim, and what it could have said.

    Raises:
        ConfigError: the round is too large to enumerate.
    """
    market, tables = population.market, population.tables
    allowed = list(played(market, tables))
    own = allowed[channel.seat.index].copy()
    block = slice(channel.first, channel.first + channel.size)
    own[block] = _with_twins(own[block], channel)
    allowed[channel.seat.index] = own
    roots, chance, exact = starts(population)
    tree = grow(market, population.kpi, allowed, roots, chance)
    layer = tree.layers[channel.phase]
    seen = layer.observations[layer.node, channel.seat.index] - channel.first
    speaks = np.flatnonzero((seen >= 0) & (seen < channel.size))
    twins = _twins(layer, speaks, channel)
    weight = reach(tree, tables)[channel.phase][twins]
    value = worth(tree, tables, tree.fundamentals)[channel.phase][twins]
    listeners = tuple(_listeners(tree, channel, twins))
    total = weight.sum()
    return CounterfactualClaims(
        channel, weight / total if total > 0 else weight, channel.truth[seen[twins[:, 0]]], value,
        listeners, exact and tree.exact,
    )  # fmt: skip


def _with_twins(own: NDArray[np.bool_], channel: Channel) -> NDArray[np.bool_]:
    """The acts of `own` `[size, A]`, and those that differ from one of them in the word."""
    acts = slice(channel.act, channel.act + channel.acts)
    rests = np.zeros((len(own), int(channel.rest.max()) + 1), bool)
    for a in range(channel.acts):
        rests[:, channel.rest[a]] |= own[:, channel.act + a]
    wider = own.copy()
    wider[:, acts] = rests[:, channel.rest]
    return wider


def _twins(layer: Layer, speaks: Indices, channel: Channel) -> Indices:
    """Edges int64 `[G, M]` that differ in the seat's word only."""
    own = layer.actions[speaks, channel.seat.index] - channel.act
    others = np.delete(layer.actions[speaks], channel.seat.index, axis=1)
    key = np.column_stack([layer.node[speaks], others, channel.rest[own]])
    _, row = np.unique(key, axis=0, return_inverse=True)
    words = int(channel.said.max()) + 1
    twins = np.full((int(row.max()) + 1, words), -1)
    twins[row.ravel(), channel.said[own]] = speaks
    assert (twins >= 0).all(), "an act without its twin"
    return twins


def _listeners(tree: Tree, channel: Channel, twins: Indices) -> list[Listener]:
    if channel.phase + 1 == len(tree.layers):
        return []
    layer = tree.layers[channel.phase + 1]
    kinds = len(layer.origin) // len(tree.layers[channel.phase].node)  # draws of the phase
    nodes = twins[:, :, None] * kinds + np.arange(kinds)
    found = []
    for seat in tree.market.seats:
        if seat is channel.seat or not layer.acts[seat.index]:
            continue
        sees = layer.observations[nodes, seat.index]
        choice = seat.role.legal[sees, 1] > 1
        if choice.any():
            found.append(Listener(seat.index, sees, layer.chance[nodes] * choice))
    return found
