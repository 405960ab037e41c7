"""Best replies that begin at the market's competitive benchmark, for rounds that are too large.

Seat after seat takes a best reply of one round to what the others do, and keeps its action where
none is better, until nobody changes anything. Where that ends, nobody gains by leaving in one
round: a pure stable profile, the one that best replies lead to from competition. Others may exist.
Best replies that still go on after 8 sweeps over the seats count with the mean of the last 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.emergence.tree.best_reply import best_reply
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import expected_outcome
from tacit.emergence.tree.initial_states import state_without_past
from tacit.emergence.tree.payoff_history import looks_back
from tacit.emergence.tree.round_tree import RoundTree, played_actions
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats

from .pricing import Pricing
from .profiles import ROUNDING

MOST_SWEEPS, AVERAGED = 8, 4
MOST_LEAVES = 2**15  # of the tree in which one seat is free


@dataclass(frozen=True, eq=False)
class FromCompetition:
    """Best replies from the competitive benchmark on.

    Attributes:
        pricing: the market and its terms.
        tables: what seats play first, one table float64 `[O, A]` per seat.
        learned: whether each seat learns; the others keep to their table.
    """

    pricing: Pricing
    tables: tuple[PolicyTable, ...]
    learned: tuple[bool, ...]

    method = "the profile that best replies of one round lead to from the competitive benchmark"

    def outcomes(self, weights: Floats) -> Floats:
        """Mean measures where best replies end, float64 `[1, S + 1, M]`; `weights` `[T]`."""
        market, tables = self.pricing.market, list(self.tables)
        start = state_without_past(market, self.pricing.table)
        passed = []
        for _ in range(MOST_SWEEPS):
            changed = False
            for s in np.flatnonzero(self.learned):
                tree = self._tree(tables, int(s), start)
                value = self.pricing.payoffs(tree.scores, weights)[:, s]
                new = _replied(market.seats[s], tree, tables, value)
                changed = changed or not np.array_equal(new, tables[s])
                tables[s] = new
            tree = self._tree(tables, None, start)
            passed.append(expected_outcome(tree, tables, tree.measures))
            if not changed:
                return passed[-1][None]
        mean: Floats = np.mean(passed[-AVERAGED:], axis=0, keepdims=True)
        return mean

    def _tree(self, tables: Sequence[PolicyTable], free: int | None, start: Floats) -> RoundTree:
        market = self.pricing.market
        allowed = played_actions(market, tables, free_seat=free)
        return enumerate_round(market, self.pricing.table, allowed, start)


def from_competition(
    pricing: Pricing, learned: Sequence[bool], scripts: Sequence[PolicyTable | None]
) -> FromCompetition | None:
    """The solver; None where a seat has no benchmark action, or a single reply is too large.

    Args:
        pricing: the market and its terms.
        learned: whether each seat learns.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
    """
    market = pricing.market
    if looks_back(market, pricing.kpi):
        return None
    tables = []
    for seat, script in zip(market.seats, scripts, strict=True):
        own = script if script is not None else competitive_table(market, seat)
        if own is None:
            return None
        tables.append(own)
    found = FromCompetition(pricing, tuple(tables), tuple(learned))
    start = state_without_past(market, pricing.table)
    try:
        trees = [found._tree(tables, s, start) for s in range(len(tables)) if learned[s]]
    except ConfigError:
        return None
    return found if all(len(tree.scores) <= MOST_LEAVES for tree in trees) else None


def competitive_table(market: Market, seat: Seat) -> PolicyTable | None:
    """The benchmark's action at each observation as a table float64 `[O, A]`; None: it has none."""
    actions = seat.role.legal[:, 0].astype(np.int64)
    for o in np.flatnonzero(seat.role.legal[:, 1] > 1):
        action = market.analysis.benchmark_action("competitive", seat, int(o))
        if action is None:
            return None
        actions[o] = action
    return deterministic(seat.role, actions)


def _replied(
    seat: Seat, tree: RoundTree, tables: Sequence[PolicyTable], value: Floats
) -> PolicyTable:
    """The seat's table with a best reply wherever another action is better; `value` `[L]`."""
    found = best_reply(tree, tables, seat.index, value)
    own = tables[seat.index].argmax(axis=1)
    level = ROUNDING * max(1e-300, float(np.abs(value).max()))
    first, count = seat.role.legal[:, 0], seat.role.legal[:, 1]
    for o in np.flatnonzero((found.weight > 0) & (count > 1)):
        legal = found.payoff[o, first[o] : first[o] + count[o]]
        if legal.max() > found.payoff[o, own[o]] + level:
            own[o] = first[o] + int(legal.argmax())
    return deterministic(seat.role, own)
