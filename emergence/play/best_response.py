"""Best responses: how much a seat would gain by leaving its table, the others' tables frozen.

    gain_i = (1 - d) (V_i* - V_i),  in payoff per round, averaged over the states of the limit path

with d the probe discount. Two payoffs: the seat's KPI, which says whether it has learned its job,
and its fundamental, which says what the job costs it. Exact by value iteration on the joint chain
(`tacit.emergence.play.chain`) where there is one; else a lower bound, learned
(`tacit.emergence.play.learned_response`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.payoffs import fundamental_kpi
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.types import Floats

from .applicability import why_no_chain
from .chain import Chain, build_chain
from .learned_response import q_learned_payoffs
from .limit_path import limit_path

PAYOFFS = ("kpi", "fundamental")


@dataclass(frozen=True)
class BestResponse:
    """What one seat earns with its own table and with its best response.

    Attributes:
        seat: the seat's name.
        payoff: 'kpi' or 'fundamental'.
        own: payoff per round with its own table, in the payoff's unit.
        best: payoff per round with its best response.
        exact: found by value iteration; else `best` is a lower bound.
    """

    seat: str
    payoff: str
    own: float
    best: float
    exact: bool

    @property
    def gain(self) -> float:
        """What the best response earns beyond the own table, per round."""
        return self.best - self.own


def best_responses(population: FrozenPopulation, seats: Sequence[int]) -> list[BestResponse]:
    """The best response of every seat in `seats`, in the KPI and in the fundamental."""
    chain = joint_chain(population)
    found = []
    for seat in seats:
        for payoff in PAYOFFS:
            if chain is not None:
                own, best = exact_payoffs(population, chain, seat, payoff)
                exact = not chain.market.play_draws
            else:
                kpi = population.kpi if payoff == "kpi" else fundamental_kpi(population.market)
                own, best = q_learned_payoffs(population, kpi, seat)
                exact = False
            # Staying is a response too: rounding and sampling may not make the best one worse.
            name = population.market.seats[seat].name
            found.append(BestResponse(name, payoff, own, max(own, best), exact))
    return found


def joint_chain(population: FrozenPopulation) -> Chain | None:
    """The chain from the limit path on; None where there is none or it is too large.

    Its first nodes are the distinct states of the limit path. Built once for each population.
    """
    if population not in _KNOWN:
        _KNOWN[population] = _joint_chain(population)
    return _KNOWN[population]


_KNOWN: WeakKeyDictionary[FrozenPopulation, Chain | None] = WeakKeyDictionary()


def _joint_chain(population: FrozenPopulation) -> Chain | None:
    market = population.market
    if why_no_chain(market, population.kpi) is not None:
        return None
    expected = market.analysis.expected()
    # The expected market has mean measures; a transform of a mean is not the mean of a transform.
    if expected is not market and not is_linear(population.kpi):
        return None
    states = limit_path(population).states
    frozen = replace(population, market=expected, rows=None)
    return build_chain(frozen, np.unique(states, axis=0))


def is_linear(kpi: kpis.KpiTable) -> bool:
    """Whether the mean reward is the reward of mean measures: no term has a transform."""
    return all(t.transform == "value" for terms in kpi.values() for t in terms.values())


def exact_payoffs(
    population: FrozenPopulation, chain: Chain, seat: int, payoff: str
) -> tuple[float, float]:
    """Payoff per round of a seat's own table and of its best response, on the limit path."""
    weight = path_weights(population, chain)
    scale = 1.0 - population.discount
    own = scale * float(weight @ chain.value(seat, payoff))
    best = scale * float(weight @ chain.best_value(seat, payoff))
    return own, best


def path_weights(population: FrozenPopulation, chain: Chain) -> Floats:
    """Shares of time on the limit path by node of its chain, float64 `[N]`."""
    states = limit_path(population).states
    same = (states[:, None, :] == chain.states[None, : len(states), :]).all(axis=2)
    shares = same.mean(axis=0)
    weight = np.zeros(len(chain.states))
    weight[: len(shares)] = shares
    return weight
