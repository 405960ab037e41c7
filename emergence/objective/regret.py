"""Regret: what a seat would gain in one round by a best reply to what the others do on average.

    regret = max over seats i of [max_a u_i(a, x_-i) - u_i(x)] / value scale of i's role

x is the *memoryless projection* of the learned tables: each seat's actions in the long run, given
what it privately knows, whatever happened before. u is the KPI payoff (KPI regret) or the
fundamental (fundamental regret); under a KPI that looks back, the last round is drawn from x too.

If KPI regret is small and fundamental regret is not, agents play a best reply to their KPI and not
to their fundamental: the KPI explains what they do. If KPI regret is large, what they do is no best
reply of one round, and only learning, memory or habit explains it. No selection among equilibria is
needed. Unit: share of the market's `value_scale` for the role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.play.applicability import why_no_analysis
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.best_reply import best_reply
from tacit.emergence.tree.enumeration import enumerate_round, opening_observations
from tacit.emergence.tree.expectations import edge_probability
from tacit.emergence.tree.initial_states import (
    initial_states,
    state_without_past,
    without_draws,
    without_memory,
)
from tacit.emergence.tree.payoff_history import looks_back, nature_persists
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats

FIGURES = {
    "kpi_regret": "largest one-round gain of a seat in KPI payoff, share of the value scale",
    "fundamental_regret": "the same in the fundamental",
}


@dataclass(frozen=True)
class Regret:
    """The largest regret over seats.

    Attributes:
        kpi: in KPI payoff, as a share of the value scale.
        fundamental: in the fundamental, as a share of the value scale.
        exact: payoffs did not depend on draws within a round.
    """

    kpi: float
    fundamental: float
    exact: bool


def regrets(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN where the tables allow too many different rounds."""
    try:
        found = regret(population)
    except ConfigError:
        return dict.fromkeys(FIGURES, float("nan"))
    return {"kpi_regret": found.kpi, "fundamental_regret": found.fundamental}


def why_no_regret(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why regrets are not measured here, and what is; None: they are measured."""
    if (reason := why_no_analysis(market, "draws, memoryless")) is not None:
        return reason
    if len(market.phases) > 1 and without_memory(market) is not market:
        return (
            f"seats of {market.name} remember, and a round has several phases: no memoryless "
            "projection; the best-response gain (tacit best-response) does"
        )
    if looks_back(market, kpi) and nature_persists(market):
        return (
            f"the KPI looks back, and nature goes on from round to round in {market.name} here; "
            "the best-response gain (tacit best-response) does"
        )
    return None


def regret(population: FrozenPopulation) -> Regret:
    """The regrets of a population.

    Raises:
        ConfigError: a round is too large to enumerate, or has several phases and is remembered.
    """
    market, tables = memoryless_projection(population)
    kpi = population.kpi
    roots, probability = round_beginnings(market, kpi, tables)
    worst_kpi, worst_fundamental, exact = 0.0, 0.0, True
    for seat in market.seats:
        allowed = played_actions(market, tables, free_seat=seat.index)
        tree = enumerate_round(market, kpi, allowed, roots, probability)
        unit, exact = market.analysis.value_scale(seat.role), exact and tree.exact
        in_kpi = best_reply(tree, tables, seat.index, tree.rewards[:, seat.index])
        in_fundamental = best_reply(tree, tables, seat.index, tree.fundamentals[:, seat.index])
        worst_kpi = max(worst_kpi, in_kpi.gain / unit)
        worst_fundamental = max(worst_fundamental, in_fundamental.gain / unit)
    return Regret(worst_kpi, worst_fundamental, exact)


def round_beginnings(
    market: Market, kpi: kpis.KpiTable, tables: Sequence[PolicyTable]
) -> tuple[Floats, Floats | None]:
    """States in which a round may begin: after a round of the same tables where the KPI looks back,
    else one without a past.

    Returns:
        The states float64 `[R, W]` and their probabilities float64 `[R]`; None: there is one.
    """
    start = state_without_past(market, kpi)
    if not looks_back(market, kpi):
        return start, None
    tree = enumerate_round(market, kpi, played_actions(market, tables), start)
    # The next round draws anew, so leaves that differ in this round's draws only are one state.
    states, index = np.unique(without_draws(market, tree.states), axis=0, return_inverse=True)
    probability = np.zeros(len(states))
    np.add.at(probability, index.ravel(), edge_probability(tree, tables)[-1])
    return states, probability


def memoryless_projection(
    population: FrozenPopulation,
) -> tuple[Market, Sequence[PolicyTable]]:
    """The same market with nothing remembered, and every seat's mean table there.

    Returns:
        The market, and one policy table per seat, float64 `[O, A]` each.

    Raises:
        ConfigError: a round has several phases and is remembered.
    """
    market = population.market
    memoryless = without_memory(market)
    if memoryless is market:
        return market, population.tables
    if (reason := why_no_regret(market, population.kpi)) is not None:
        raise ConfigError(reason)
    states, share, _ = initial_states(population)
    # The K draws of nature come in the same order in both markets, so draw k of state r in the one
    # is draw k of the only state in the other.
    observed, drawn = opening_observations(market, population.kpi, states)
    start = state_without_past(memoryless, population.kpi)
    projected, _ = opening_observations(memoryless, population.kpi, start)
    kinds = len(projected)
    weight = drawn.reshape(len(states), kinds) * share[:, None]  # P(state, draw)
    tables = []
    for seat, table in zip(memoryless.seats, population.tables, strict=True):
        mean = np.zeros((seat.role.observations, seat.role.actions))
        acts = table[observed[:, seat.index]].reshape(len(states), kinds, -1)
        rows = weight[:, :, None] * acts
        # Several draws may look the same to a seat: their rows are added up before normalising.
        np.add.at(mean, projected[:, seat.index], rows.sum(axis=0))
        total = mean.sum(axis=1, keepdims=True)
        tables.append(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))
    return memoryless, tables
