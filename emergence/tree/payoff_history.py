"""Which histories a KPI can tell apart, and whether seats observe them.

A term may look back (`Measure.past`: a price change is one against the last round). Two states that
a round can leave behind are the same *payoff history* if, whatever is done next, everybody's payoff
is then the same. Found by playing: every round from a market without a past, then every round after
each of the states that these leave behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Ints

from .enumeration import count_ends, enumerate_round, too_large
from .initial_states import state_without_past, without_draws
from .round_tree import RoundTree, legal_actions

MOST_PAIRS = 2**20  # pairs of rounds that are played
DIGITS = 12  # payoffs that agree to so many decimals are equal


@dataclass(frozen=True, eq=False)
class PayoffHistories:
    """The G payoff histories of a market under a KPI.

    Attributes:
        tree: every round after each of them, root by root; L leaves per root.
        count: G; 1 where the KPI does not look back.
        seen: every seat that has a choice observes which history it is; False: none observes it.
        following: the history that each leaf makes, int64 `[G * L]`.
    """

    tree: RoundTree
    count: int
    seen: bool
    following: Ints


def looks_back(market: Market, kpi: kpis.KpiTable) -> bool:
    """Whether a seat's KPI has a term that depends on an earlier round."""
    past = {measure.name for measure in market.measures if measure.past}
    return any(t.weight and t.measure in past for terms in kpi.values() for t in terms.values())


def nature_persists(market: Market) -> bool:
    """Whether something that nature draws lasts from round to round: weather, the time of day."""
    phases = range(len(market.phases))
    return any(draw.lasting for phase in phases for draw in market.analysis.draws(phase))


def payoff_histories(market: Market, kpi: kpis.KpiTable, most: int) -> PayoffHistories:
    """The payoff histories of a KPI that looks back; of any other KPI one, a market without a past.

    Args:
        market: the market.
        kpi: the resolved KPI table.
        most: in how many ways the rounds after all histories may end together.

    Returns:
        The histories, and the tree of a round after each of them.

    Raises:
        ConfigError: rounds can end in more than `most` ways; or nature persists, what a round
            leaves behind depends on the round before it, or seats observe a part of that.
    """
    if (ends := count_ends(market)) > most:
        raise too_large(market, ends, most)
    if looks_back(market, kpi) and nature_persists(market):
        raise ConfigError("the KPI looks back, and nature goes on from round to round.")
    legal = legal_actions(market)
    tree = enumerate_round(market, kpi, legal, state_without_past(market, kpi))
    if not looks_back(market, kpi):
        return PayoffHistories(tree, 1, False, np.zeros(len(tree.states), np.int64))
    states, left_behind = np.unique(without_draws(market, tree.states), axis=0, return_inverse=True)
    left_behind = left_behind.ravel()
    if (pairs := len(states) * len(tree.states)) > MOST_PAIRS:
        raise ConfigError(f"a KPI that looks back: {pairs:,} pairs of rounds, over {MOST_PAIRS:,}.")
    after = enumerate_round(market, kpi, legal, states)
    # A leaf must leave the same state behind whatever the round before it was.
    again = without_draws(market, after.states).reshape(len(states), len(tree.states), -1)
    if not np.array_equal(again, np.broadcast_to(states[left_behind], again.shape)):
        raise ConfigError("what a round leaves behind depends here on the round before it.")
    # States after which every leaf pays everybody the same are one history.
    payoffs = np.round(after.rewards, DIGITS).reshape(len(states), -1)
    _, first, group = np.unique(payoffs, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    if (ends := len(first) * len(tree.states)) > most:
        raise too_large(market, ends, most)
    seen = _is_observed(market, after, len(states), group)
    # One state stands for each history; a leaf's history follows from the state it leaves behind.
    kept = enumerate_round(market, kpi, legal, states[first])
    return PayoffHistories(kept, len(first), seen, np.tile(group[left_behind], len(first)))


def _is_observed(market: Market, tree: RoundTree, states: int, group: Ints) -> bool:
    """Whether every seat that has a choice observes the payoff history; False: none observes it.

    Args:
        market: the market.
        tree: every round after each of the states.
        states: how many states there are.
        group: the payoff history of each state, int64 `[states]`.

    Raises:
        ConfigError: some seats observe it, or a part of it.
    """
    knows = []  # for each seat and node of one root: 1 all of it, 0 nothing, -1 a part
    for layer in tree.layers:
        for seat in np.flatnonzero(layer.acts):
            # [states, nodes of one root]: roots have equally many nodes, in the same order
            observed = layer.observations[:, seat].reshape(states, -1)
            choice = market.seats[seat].role.legal[observed[0], 1] > 1
            for column in observed[:, choice].T:
                pairs = np.unique(np.stack([column, group], axis=1), axis=0)
                different = len(np.unique(column))
                knows.append(1 if len(pairs) == different > 1 else 0 if different == 1 else -1)
    if -1 in knows or len(set(knows)) > 1:
        raise ConfigError("seats see a part of the past that they are paid for, or some of them.")
    return bool(knows and knows[0])
