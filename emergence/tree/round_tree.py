"""One round of a market as a tree: every draw of nature, every joint action that may be taken.

    layer 0 --actions--> layer 1 --actions--> ... --actions--> leaves

Before each phase nature draws what the market declares (`Analysis.draws`): a node becomes one node
for each combination of values. Then the acting seats move, and each combination of their actions is
an edge. Any expectation over a round (what a deviation earns, what a claim does to its listener) is
a sum over edges, exact up to rounding.

Only the actions in `allowed` are followed. So what one seat could do against frozen tables is a
small tree, even where the whole tree would be too large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.agents.policy import PolicyTable, mask
from tacit.envs.market import Market
from tacit.envs.types import Bools, Floats, Ints

AllowedActions = Sequence[Bools]  # one bool [O, A] per seat


@dataclass(frozen=True, eq=False)
class PhaseLayer:
    """A phase of S seats: its N nodes, and the E edges that lead on from them.

    Attributes:
        origin: the edge of the previous layer that leads to each node (of layer 0: the root),
            int64 `[N]`.
        probability: probability of nature's draws at each node, given that edge; in layer 0 times
            the root's own, float64 `[N]`.
        observations: what every seat observes at each node, int64 `[N, S]`.
        node: the node where each edge begins, ascending, int64 `[E]`.
        actions: the joint action of each edge, int64 `[E, S]`; 0 for a seat that does not act.
        acts: whether each seat decides in this phase, bool `[S]`.
    """

    origin: Ints
    probability: Floats
    observations: Ints
    node: Ints
    actions: Ints
    acts: Bools


@dataclass(frozen=True, eq=False)
class RoundTree:
    """A round of S seats that ends in L leaves: the edges of the last layer, in their order.

    Attributes:
        market: the market that was played, in its expected form.
        layers: one for each phase.
        measures: measures at each leaf, float64 `[L, S + 1, M]`; row S is the market's own.
        scores: KPI terms, then rewards, at each leaf, float64 `[L, T + S]`.
        states: the state after the round, float64 `[L, W]`.
        exact: payoffs do not depend on draws within `play`; else they are means over some draws.
    """

    market: Market
    layers: tuple[PhaseLayer, ...]
    measures: Floats
    scores: Floats
    states: Floats
    exact: bool

    @property
    def rewards(self) -> Floats:
        """Every seat's KPI payoff, float64 `[L, S]`."""
        return self.scores[:, self.scores.shape[1] - len(self.market.seats) :]

    @property
    def fundamentals(self) -> Floats:
        """Every seat's fundamental, float64 `[L, S]`."""
        columns = [self.market.columns[s.role.fundamental] for s in self.market.seats]
        return self.measures[:, range(len(columns)), columns]


def legal_actions(market: Market) -> list[Bools]:
    """All legal actions of every seat, bool `[O, A]` each."""
    legal = {role.name: mask(role) for role in market.roles}
    return [legal[seat.role.name] for seat in market.seats]


def played_actions(
    market: Market, tables: Sequence[PolicyTable], free_seat: int | None = None
) -> AllowedActions:
    """The actions to which tables give a positive probability.

    Args:
        market: the market.
        tables: one policy table per seat, float64 `[O, A]` each.
        free_seat: the index of a seat of which all legal actions are allowed.

    Returns:
        One array bool `[O, A]` per seat.
    """
    legal = legal_actions(market)
    return [legal[s] if s == free_seat else table > 0 for s, table in enumerate(tables)]
