"""Which pasts a KPI can tell apart, and whether seats see them.

A term may look back (`Measure.past`: a price change is one since the last round). Two states that a
round can leave behind are one past if, whatever is done next, everybody is then paid the same.
Found by playing: every round from a market without a past, then every round after each of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

from .initial_states import fresh, without_draws
from .tree import (
    Indices,
    Tree,
    everything,
    grow,
    size,
    too_large,
)

TRIED = 2**20  # pairs of rounds
DIGITS = 12  # payoffs that agree so far are equal


@dataclass(frozen=True, eq=False)
class Pasts:
    """`tree`: every round after each of G pasts, root by root; `seen`: seats know which it was;
    `following` int64 `[G * L]`: the past that each leaf makes."""

    tree: Tree
    count: int
    seen: bool
    following: Indices


def looks_back(market: Market, kpi: kpis.KpiTable) -> bool:
    """Whether a seat is paid for something that depends on an earlier round."""
    past = {measure.name for measure in market.measures if measure.past}
    return any(t.weight and t.measure in past for terms in kpi.values() for t in terms.values())


def goes_on(market: Market) -> bool:
    """Whether something that nature draws lasts: the weather, the time of day."""
    phases = range(len(market.phases))
    return any(draw.lasting for phase in phases for draw in market.analysis.draws(phase))


def pasts(market: Market, kpi: kpis.KpiTable, most: int) -> Pasts:
    """The pasts of a KPI that looks back; one, a market without a past, of any other.

    Raises:
        ConfigError: rounds have more than `most` ends in all; or what a round leaves behind depends
            on the one before it, or seats see a part of that.
    """
    if (ends := size(market)) > most:
        raise too_large(market, ends, most)
    if looks_back(market, kpi) and goes_on(market):
        raise ConfigError("the KPI looks back, and nature goes on from round to round.")
    tree = grow(market, kpi, everything(market), fresh(market, kpi))
    if not looks_back(market, kpi):
        return Pasts(tree, 1, False, np.zeros(len(tree.states), np.int64))
    states, leads = np.unique(without_draws(market, tree.states), axis=0, return_inverse=True)
    leads = leads.ravel()
    if (pairs := len(states) * len(tree.states)) > TRIED:
        raise ConfigError(f"a KPI that looks back: {pairs:,} pairs of rounds, over {TRIED:,}.")
    after = grow(market, kpi, everything(market), states)
    again = without_draws(market, after.states).reshape(len(states), len(tree.states), -1)
    if not np.array_equal(again, np.broadcast_to(states[leads], again.shape)):
        raise ConfigError("what a round leaves behind depends here on the round before it.")
    paid = np.round(after.rewards, DIGITS).reshape(len(states), -1)
    _, first, group = np.unique(paid, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    if (ends := len(first) * len(tree.states)) > most:
        raise too_large(market, ends, most)
    seen = _seen(market, after, len(states), group)
    kept = grow(market, kpi, everything(market), states[first])
    return Pasts(kept, len(first), seen, np.tile(group[leads], len(first)))


def _seen(market: Market, tree: Tree, states: int, group: Indices) -> bool:
    """Whether every seat that has a choice knows the past; False: none of them knows it."""
    knows = []
    for layer in tree.layers:
        for seat in np.flatnonzero(layer.acts):
            sight = layer.observations[:, seat].reshape(states, -1)  # [states, nodes of one root]
            choice = market.seats[seat].role.legal[sight[0], 1] > 1
            for column in sight[:, choice].T:
                pairs = np.unique(np.stack([column, group], axis=1), axis=0)
                sights = len(np.unique(column))
                knows.append(1 if len(pairs) == sights > 1 else 0 if sights == 1 else -1)
    if -1 in knows or len(set(knows)) > 1:
        raise ConfigError("seats see a part of the past that they are paid for, or some of them.")
    return bool(knows and knows[0])
