"""What a KPI costs the firm whose agent is paid by it: the larger of two comparisons.

    alone    = u_i(best reply to the fundamental, x_-i) - u_i(best reply to the KPI, x_-i)
    together = u_i(mirror of the fundamentals) - u_i(mirror of the KPIs)
    loss_i   = max(alone, together, 0)

u_i is the fundamental of seat i, in its unit (money) a round. What the seat has learned itself
plays no part in either: the loss is the KPI's own.

- *alone*: both replies face the same rivals, who play as they do here; x is the memoryless
  projection of the frozen tables, as for one-round regrets (`tacit.emergence.objective.regret`).
  Where a KPI is indifferent between actions, they are equally likely, as in the mirror. A bidder in
  a first-price auction that is paid for `win` alone, say, wins by any bid above its rival's, and
  loses about half of the profit that the lowest of these bids would bring.
- *together*: every seat follows its KPI, against every seat following its fundamental
  (`tacit.emergence.objective.mirror`). If all bidders are paid for `win`, a rival's bid leaves
  nothing to lose alone, and yet all earn half of what they would if they were paid for profit. Left
  out where there is no mirror. Seats of a role that have the same KPI share one mean.

The loss of a seat that is paid for its fundamental alone is 0: whatever others' KPIs cost it, its
own does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from tacit.agents.policy import PolicyTable, mask
from tacit.emergence.payoffs import fundamental_kpi, rewards_only_fundamental
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.best_reply import BestReply, best_reply
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import expected_outcome
from tacit.emergence.tree.round_tree import RoundTree, played_actions
from tacit.envs.errors import ConfigError
from tacit.envs.market import Role
from tacit.envs.types import Floats

from .harm import why_no_harm_split
from .mirror import mirror
from .regret import judged_seats, memoryless_projection
from .round_beginnings import round_beginnings

LOSS, SHARE = "own_firm_loss", "own_firm_loss_share"
FIGURES = {
    LOSS: "money a round that a firm loses because its agent replies best to the KPI instead of to "
    "the firm's own fundamental, alone or with all others; mean over the seats that learn",
    f"{LOSS}/": "the same by seat",
    SHARE: "the losses of these seats together, share of what they would earn by the fundamental",
}
TIE = 1e-9  # of the largest KPI payoff: actions that are worse by less are as good as the best


@dataclass(frozen=True)
class Comparison:
    """What a firm earns of its fundamental a round, in two cases that differ in the KPI.

    Attributes:
        by_fundamental: where its agent follows the fundamental.
        by_kpi: where it follows the KPI.
    """

    by_fundamental: float
    by_kpi: float

    @property
    def loss(self) -> float:
        """What following the KPI costs; negative: what it brings. A difference of sums that are
        equal but for rounding is 0."""
        return round(self.by_fundamental - self.by_kpi, 12)


def own_firm_loss(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN where a round is too large to go through."""
    judged, seats = judged_seats(population), population.market.seats
    try:
        found = [
            max(pair, key=lambda comparison: comparison.loss)
            for pair in zip(alone(population), together(population), strict=True)
        ]
    except ConfigError:
        return dict.fromkeys((LOSS, SHARE, *(f"{LOSS}/{seats[k].name}" for k in judged)), nan)
    losses = [max(0.0, comparison.loss) for comparison in found]
    earned = sum(comparison.by_fundamental for comparison in found)
    figures = {LOSS: sum(losses) / len(judged), SHARE: sum(losses) / earned if earned > 0 else nan}
    return figures | {
        f"{LOSS}/{seats[k].name}": loss for k, loss in zip(judged, losses, strict=True)
    }


def alone(population: FrozenPopulation) -> list[Comparison]:
    """Every judged seat's best replies against the others as they play.

    Raises:
        ConfigError: a round is too large to go through.
    """
    market, tables = memoryless_projection(population)
    roots, probability = round_beginnings(market, population.kpi, tables)
    found = []
    for k in judged_seats(population):
        allowed = played_actions(market, tables, free_seat=k)
        tree = enumerate_round(market, population.kpi, allowed, roots, probability)
        best = best_reply(tree, tables, k, tree.fundamentals[:, k]).best
        same = rewards_only_fundamental(market.seats[k], population.kpi)
        found.append(Comparison(best, best if same else earned_by_kpi_reply(tree, tables, k)))
    return found


def together(population: FrozenPopulation) -> list[Comparison]:
    """Every judged seat in the mirrors of the fundamentals and of the KPIs; without a mirror, no
    difference."""
    market, kpi = population.market, population.kpi
    judged = [market.seats[k] for k in judged_seats(population)]
    no_difference = [Comparison(0.0, 0.0)] * len(judged)
    if why_no_harm_split(market, kpi) is not None:
        return no_difference
    try:
        ideal, own = mirror(market, fundamental_kpi(market)), mirror(market, kpi)
    except ConfigError:
        return no_difference
    found = []
    for seat in judged:
        if rewards_only_fundamental(seat, kpi):
            found.append(Comparison(0.0, 0.0))
            continue
        of_role = [s for s in market.seats if s.role is seat.role]
        alike = all(kpi[s.name] == kpi[seat.name] for s in of_role)
        names = [f"{seat.role.fundamental}/{s.name}" for s in (of_role if alike else [seat])]
        ends = (sum(m.mean(name) for name in names) / len(names) for m in (ideal, own))
        found.append(Comparison(*ends))
    return found


def earned_by_kpi_reply(tree: RoundTree, tables: Sequence[PolicyTable], seat: int) -> float:
    """What a seat earns of its fundamental by best replies to its KPI, ties equally likely.

    Args:
        tree: the tree of a round that holds every legal action of the seat.
        tables: one policy table per seat, float64 `[O, A]` each.
        seat: the index of the seat.
    """
    reply = best_reply(tree, tables, seat, tree.rewards[:, seat])
    own = list(tables)
    own[seat] = even_table(tree.market.seats[seat].role, reply)
    return float(expected_outcome(tree, own, tree.fundamentals[:, seat]))


def even_table(role: Role, reply: BestReply) -> Floats:
    """The policy that makes every best reply equally likely, float64 `[O, A]`."""
    payoff = np.where(mask(role), reply.payoff, -np.inf)
    size = float(np.abs(reply.payoff).max()) or 1.0
    as_good = payoff >= payoff.max(axis=1, keepdims=True) - TIE * size
    table: Floats = as_good / as_good.sum(axis=1, keepdims=True)
    return table
