"""Regret: what a seat would gain in one round by a best reply to what the others do on average.

    regret = max over seats i of [max_a u_i(a, x_-i) - u_i(x)] / value scale of i's role

x is the *memoryless projection* of the learned tables: each seat's actions in the long run, for
what it privately knows, whatever happened before. u is the KPI payoff (KPI regret) or the
fundamental (fundamental regret); a KPI that looks back meets a last round drawn from x as well.

If KPI regret is small and fundamental regret is not, agents play a best reply to their KPI and not
to what it stands for: the KPI did it. If KPI regret is large, what they do is no best reply of one
round, and it takes learning, memory or habit to explain it. Nothing has to be selected among
equilibria for this. Unit: share of the market's `value_scale` for the role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.expectations import best_reply, reach
from tacit.emergence.tree.initial_states import (
    fresh,
    starts,
    without_draws,
    without_memory,
)
from tacit.emergence.tree.payoff_history import goes_on, looks_back
from tacit.emergence.tree.tree import (
    Array,
    grow,
    opening,
    played,
)
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

PASSES = 0.02  # of the value scale: a regret up to this is none
FIGURES = {
    "kpi_regret": "largest one-round gain of a seat in KPI payoff, share of the value scale",
    "fundamental_regret": "the same in the fundamental",
}


def regrets(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    try:
        found = regret(population)
    except ConfigError:  # tables that do many different things: too many ways to go through
        return dict.fromkeys(FIGURES, float("nan"))
    return {"kpi_regret": found.kpi, "fundamental_regret": found.fundamental}


def no_regret(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why regrets are not measured here, and what does; None: they are."""
    if (reason := no_analysis(market, "draws, memoryless")) is not None:
        return reason
    if len(market.phases) > 1 and without_memory(market) is not market:
        return (
            f"seats of {market.name} remember, and a round has several phases: no memoryless "
            "projection; the best-response gain (tacit best-response) does"
        )
    if looks_back(market, kpi) and goes_on(market):
        return (
            f"the KPI looks back, and nature goes on from round to round in {market.name} here; "
            "the best-response gain (tacit best-response) does"
        )
    return None


@dataclass(frozen=True)
class Regret:
    """The largest over seats, in the KPI and in the fundamental, as shares of the value scale."""

    kpi: float
    fundamental: float
    exact: bool


def regret(population: FrozenPopulation) -> Regret:
    """The regrets of a population.

    Raises:
        ConfigError: a round is too large to enumerate, or has several phases and is remembered.
    """
    market, tables = project(population)
    kpi = population.kpi
    roots, chance = roots_of(market, kpi, tables)
    worst, exact = np.zeros(2), True
    for seat in market.seats:
        tree = grow(market, kpi, played(market, tables, seat.index), roots, chance)
        unit, exact = market.analysis.value_scale(seat.role), exact and tree.exact
        for k, values in enumerate((tree.rewards, tree.fundamentals)):
            gain = best_reply(tree, tables, seat.index, values[:, seat.index]).gain
            worst[k] = max(worst[k], gain / unit)
    return Regret(float(worst[0]), float(worst[1]), exact)


def roots_of(
    market: Market, kpi: kpis.KpiTable, tables: Sequence[PolicyTable]
) -> tuple[Array, Array | None]:
    """States that a round may begin in, and their chances: after a round of the same tables where
    the KPI looks back, else one without a past."""
    if not looks_back(market, kpi):
        return fresh(market, kpi), None
    tree = grow(market, kpi, played(market, tables), fresh(market, kpi))
    states, index = np.unique(without_draws(market, tree.states), axis=0, return_inverse=True)
    chance = np.zeros(len(states))
    np.add.at(chance, index.ravel(), reach(tree, tables)[-1])
    return states, chance


def project(population: FrozenPopulation) -> tuple[Market, Sequence[PolicyTable]]:
    """The same market with nothing remembered, and every seat's mean table there."""
    market = population.market
    blind = without_memory(market)
    if blind is market:
        return market, population.tables
    if (reason := no_regret(market, population.kpi)) is not None:
        raise ConfigError(reason)
    states, share, _ = starts(population)
    sees, chance = opening(market, population.kpi, states)
    blank, _ = opening(blind, population.kpi, fresh(blind, population.kpi))
    kinds = len(blank)
    weight = chance.reshape(len(states), kinds) * share[:, None]
    tables = []
    for seat, table in zip(blind.seats, population.tables, strict=True):
        mean = np.zeros((seat.role.observations, seat.role.actions))
        rows = weight[:, :, None] * table[sees[:, seat.index]].reshape(len(states), kinds, -1)
        np.add.at(mean, blank[:, seat.index], rows.sum(axis=0))
        total = mean.sum(axis=1, keepdims=True)
        tables.append(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))
    return blind, tables
