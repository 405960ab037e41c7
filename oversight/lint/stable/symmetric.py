"""Pure profiles in which seats of a group play alike, for rounds with too many ends to enumerate.

A strategy gives every observation one action; all seats of a group (`pricing.SeatGroup`) have the
same. Every combination of strategies of groups is looked at, if there are at most 64; it is stable
if no seat gains by another action at any observation that occurs, the others keeping to theirs.
What a seat gets by each action is expected over nature, on the small tree in which only this seat
is free. Stable profiles in which equal seats differ are not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import edge_probability
from tacit.emergence.tree.initial_states import state_without_past
from tacit.emergence.tree.round_tree import RoundTree, played_actions
from tacit.envs.market import Role
from tacit.envs.types import Bools, Floats, Ints

from .pricing import Pricing, SeatGroup
from .profiles import ROUNDING

MOST_PROFILES = 64
SAMPLED = 0.01  # of the largest payoff: a gain up to this is none where payoffs are sample means


@dataclass(frozen=True)
class Reply:
    """What one seat gets by each action against a profile; T terms.

    Attributes:
        seat: its index.
        terms: expected terms of each action at each observation, float64 `[O, A, T]`.
        reached: whether the observation occurs and the action is legal there, bool `[O, A]`.
        own: its action at each observation, int64 `[O]`.
    """

    seat: int
    terms: Floats
    reached: Bools
    own: Ints


@dataclass(frozen=True, eq=False)
class SymmetricGame:
    """All profiles of a market in which equal seats play alike.

    Attributes:
        pricing: the market and its terms.
        groups: the groups that learn.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
    """

    pricing: Pricing
    groups: tuple[SeatGroup, ...]
    scripts: Sequence[PolicyTable | None]
    _played: list[tuple[Floats, list[Reply], bool]] = field(default_factory=list)

    method = "every pure profile in which equal seats play alike; payoffs are means over draws"

    def outcomes(self, weights: Floats) -> Floats | None:
        """Measures of all stable profiles, float64 `[K, S + 1, M]`; None: there is none.

        `weights` float64 `[T]`.
        """
        if not self._played:
            self._played.extend(self._play())
        found = [
            measures
            for measures, replies, exact in self._played
            if all(self._stays(reply, weights, exact) for reply in replies)
        ]
        return np.stack(found) if found else None

    def _stays(self, reply: Reply, weights: Floats, exact: bool) -> bool:
        """Whether a seat keeps its actions."""
        own = np.where(self.pricing.owner == reply.seat, weights, 0.0)
        payoff = np.where(reply.reached, reply.terms @ own, -np.inf)
        rows = np.flatnonzero(reply.reached.any(axis=1))
        level = ROUNDING if exact else SAMPLED
        largest = float(np.abs(payoff[np.isfinite(payoff)]).max(initial=0.0))
        gain = payoff[rows].max(axis=1) - payoff[rows, reply.own[rows]]
        return bool((gain <= level * largest).all())

    def _play(self) -> Iterator[tuple[Floats, list[Reply], bool]]:
        """Every profile: its mean measures, the replies of each group, whether these are exact."""
        market, table = self.pricing.market, self.pricing.table
        start = state_without_past(market, table)
        roles = [market.seats[group.seats[0]].role for group in self.groups]
        for chosen in product(*(strategies(role) for role in roles)):
            tables = list(self.scripts)
            for group, role, actions in zip(self.groups, roles, chosen, strict=True):
                for s in group.seats:
                    tables[s] = deterministic(role, actions)
            every = [own for own in tables if own is not None]
            replies, mean, exact = [], np.zeros(0), True
            for group, actions in zip(self.groups, chosen, strict=True):
                free = group.seats[0]
                allowed = played_actions(market, every, free_seat=free)
                tree = enumerate_round(market, table, allowed, start)
                mean = np.tensordot(edge_probability(tree, every)[-1], tree.measures, axes=1)
                replies.append(_reply(tree, every, free, actions, len(self.pricing.weights)))
                exact = exact and tree.exact
            yield mean, replies, exact


def symmetric_game(pricing: Pricing, scripts: Sequence[PolicyTable | None]) -> SymmetricGame | None:
    """The game of symmetric profiles; None where there are too many, or a seat decides twice.

    `scripts`: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
    """
    groups = tuple(g for g in pricing.groups if scripts[g.seats[0]] is None)
    count = 1
    for group in groups:
        seat = pricing.market.seats[group.seats[0]]
        choices = seat.role.legal[:, 1][seat.role.legal[:, 1] > 1]
        acting = [p for p in range(len(pricing.market.phases)) if pricing.market.acts(seat, p)]
        if len(acting) > 1 or len(choices) > 16:
            return None
        count *= prod(int(n) for n in choices)
    return SymmetricGame(pricing, groups, scripts) if count <= MOST_PROFILES else None


def strategies(role: Role) -> Iterator[Ints]:
    """Every pure strategy of a role: an action for each observation, int64 `[O]`."""
    first, count = role.legal[:, 0].astype(np.int64), role.legal[:, 1]
    for steps in product(*(range(n) for n in count)):
        yield first + np.array(steps, np.int64)


def _reply(
    tree: RoundTree, tables: Sequence[PolicyTable], seat: int, actions: Ints, terms: int
) -> Reply:
    """What a seat gets by each action where only it is free; `actions` int64 `[O]`."""
    role = tree.market.seats[seat].role
    weight = edge_probability(tree, tables, seat)[-1]
    edge = np.arange(len(tree.layers[-1].node))
    observed = acted = edge
    for layer in reversed(tree.layers):
        if layer.acts[seat]:
            observed = layer.observations[layer.node[edge], seat]
            acted = layer.actions[edge, seat]
        edge = layer.origin[layer.node[edge]]
    total = np.zeros((role.observations, role.actions))
    np.add.at(total, (observed, acted), weight)
    sums = np.zeros((role.observations, role.actions, terms))
    np.add.at(sums, (observed, acted), weight[:, None] * tree.scores[:, :terms])
    reached = total > 0
    sums[reached] /= total[reached][:, None]
    return Reply(seat, sums, reached, actions)
