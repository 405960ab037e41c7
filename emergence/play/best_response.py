"""Best responses: how much a seat would gain by leaving its table, the others' tables frozen.

    gain_i = (1 - d) (V_i* - V_i),  in payoff per round, averaged over the states of the limit path

with d the probe discount. Two payoffs: the seat's KPI, which says whether it has learned its job,
and its fundamental, which says what the job costs it. Exact by value iteration on the joint chain
(`tacit.emergence.play.chain`) where there is one. Else learned: a Q-learner takes the seat, its
greedy
table is then played against the old one from the same starts with the same luck, and the mean
difference per round is a *lower bound* of the gain (at least 0: staying is a response too).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable, cumulative
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market, Seat

from .applicability import no_chain
from .chain import Chain, chain
from .limit_path import limit
from .replays import Array

PAYOFFS = ("kpi", "fundamental")
LEARNING_ROUNDS = 400_000
COPIES, ROUNDS = 64, 512  # in which a learned response is compared with the old table


@dataclass(frozen=True)
class Response:
    """A seat's payoff per round with its own table and with its best response; `gain` is their
    difference, `exact` whether value iteration found it (else it is a lower bound)."""

    seat: str
    payoff: str
    own: float
    best: float
    exact: bool

    @property
    def gain(self) -> float:
        return self.best - self.own


def joint_chain(population: FrozenPopulation) -> Chain | None:
    """The chain from the limit path on, if the market has one and it is small enough."""
    market = population.market
    if no_chain(market, population.kpi) is not None:
        return None
    expected = market.analysis.expected()
    if expected is not market and not linear(population.kpi):
        return None
    states = limit(population).states
    return chain(replace(population, market=expected, rows=None), np.unique(states, axis=0))


def linear(kpi: kpis.KpiTable) -> bool:
    """Whether the mean reward is the reward of mean measures."""
    return all(t.transform == "value" for terms in kpi.values() for t in terms.values())


def best_responses(population: FrozenPopulation, seats: Sequence[int]) -> list[Response]:
    """Of every seat named, in KPI and in fundamental."""
    known = joint_chain(population)
    if known is None:
        return [learned(population, seat, payoff) for seat in seats for payoff in PAYOFFS]
    exact = not known.market.play_draws
    return [_exact(population, known, seat, payoff, exact) for seat in seats for payoff in PAYOFFS]


def _exact(
    population: FrozenPopulation, known: Chain, seat: int, payoff: str, exact: bool
) -> Response:
    weight = on_path(population, known)
    scale = 1.0 - population.discount
    own, best = (scale * float(weight @ f(seat, payoff)) for f in (known.value, known.best))
    name = population.market.seats[seat].name
    return Response(name, payoff, own, max(own, best), exact)  # (equal but for rounding)


def on_path(population: FrozenPopulation, known: Chain) -> Array:
    """Shares of time on the limit path by node of its chain `[N]` (whose first nodes it is)."""
    states = limit(population).states
    places = (states[:, None, :] == known.states[None, : len(states), :]).all(axis=2)
    shares = places.mean(axis=0)
    weight = np.zeros(len(known.states))
    weight[: len(shares)] = shares
    return weight


# --- learned ---------------------------------------------------------------------------------


class _Against(TabularGroup):
    """One learner among frozen tables."""

    def __init__(self, population: FrozenPopulation, table: kpis.KpiTable, seat: int) -> None:
        self._tables_of_others = population.tables
        market = population.market
        configs: dict[str, BaseModel] = {
            s.name: ScriptedConfig(rule="random") for s in market.seats
        }
        configs[market.seats[seat].name] = QLearningConfig.model_validate({
            "learning_rate": 0.02, "discount": population.discount, "epsilon": 1.0,
            "epsilon_decay": 1e-5, "epsilon_min": 0.1, "initial_q": 0.0,
        })  # fmt: skip
        super().__init__(market, table, configs, population.seed)

    def _fixed(self, seat: Seat) -> PolicyTable:
        return self._tables_of_others[seat.index]


def learned(population: FrozenPopulation, seat: int, payoff: str) -> Response:
    """A response learned in 400,000 rounds, judged by fresh paired play."""
    market = population.market
    table = population.kpi if payoff == "kpi" else fundamentals(market)
    group = _Against(population, table, seat)
    group.run(LEARNING_ROUNDS)
    trained = list(population.tables)
    trained[seat] = group.tables()[seat]
    own, best = (_mean_payoff(population, table, t, seat) for t in (population.tables, trained))
    return Response(market.seats[seat].name, payoff, own, max(own, best), False)


def fundamentals(market: Market) -> kpis.KpiTable:
    """The KPI table that pays everybody its fundamental."""
    return kpis.resolve(market, {role.name: {role.fundamental: 1.0} for role in market.roles})


def _mean_payoff(
    population: FrozenPopulation, table: kpis.KpiTable, tables: Sequence[PolicyTable], seat: int
) -> float:
    market = population.market
    engine = Engine(market, table, [population.seed], COPIES, stream=rng.PROBE)
    engine.reset()
    if population.rows is not None:
        engine.rows.state[:] = population.rows.state
        engine.rows.observations[:] = population.rows.observations
    sums = engine.play(cumulative(market, tables)[None], ROUNDS)
    first = sums.scores.shape[1] - len(market.seats)
    return float(sums.scores[:, first + seat].mean()) / ROUNDS
