"""Revealed weights: as if how much a seat cared for another's profit.

    w_ij = argmin over w of regret_i(u_i + w u_j),
    regret_i(u) = sum over observations o of P(o) [max_a u(o, a) - sum_a table_i[o, a] u(o, a)]

u_k(o, a) is the fundamental of seat k that seat i expects from action a where it sees o, the
others' tables frozen: what is left to gain for one that is paid u. Regret is convex in w; it is
looked up on a grid of .01 from 0 to 2, one weight at a time, and the least weight is taken where
several fit alike. A KPI that pays for another's loss makes hostile weights possible; then all
weights of a seat are fitted jointly, from -2 to 2, by linear programming (minimise the sum of
P(o) [z_o - sum_a table u] over w and z_o >= u(o, a)).

Weights are biased towards 0, the more so the coarser the grid of actions: a weight too small to
move any action shows as none. Weights towards a third party follow those towards a partner at a
distance, because what helps the one often helps the other: compare, do not read alone.

Only where each seat decides once a round and remembers nothing: with memory, what looks like care
may be fear of what follows (`tempted` and `deterred` tell), and with two seats it may be collusion.

Source: this project's own; inverse optimisation in the sense of Ahuja, Orlin, Operations Research
49(5), 2001, of a linear family of payoffs.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.expectations import reach
from tacit.emergence.tree.initial_states import starts, without_memory
from tacit.emergence.tree.tree import Array, grow, played
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

GRID = np.round(np.arange(0.0, 2.0 + 1e-9, 0.01), 2)
FURTHEST = 2.0  # of a hostile or friendly weight that is fitted jointly
FLAT = 1e-12  # regrets that differ by less are equal
LEAST_WEIGHT = 1e-6  # price of a weight in the joint fit, so that the least of equal fits is taken

FIGURES = {"weight/": "as if weight of one seat on another's fundamental: weight/i/j"}


def revealed_weights(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: `weight/bidder_0/bidder_1` for every pair of seats, in this order."""
    market = population.market
    figures: dict[str, float] = {}
    joint = hostile(population.kpi)
    for i, seat in enumerate(market.seats):
        try:
            fit = fit_jointly if joint else fit_one_by_one
            weights = fit(population.tables[i], expected_payoffs(population, i), i)
        except ConfigError:  # too many ways to go through
            weights = np.full(len(market.seats), np.nan)
        others = (other for other in market.seats if other is not seat)
        figures |= {f"weight/{seat.name}/{o.name}": float(weights[o.index]) for o in others}
    return figures


def expected_payoffs(population: FrozenPopulation, seat: int) -> Array:
    """P(o) x u_k(o, a) of every seat k against the others' frozen tables: float64 `[S, O, A]`."""
    market, tables = population.market, population.tables
    roots, chance, _ = starts(population)
    tree = grow(market, population.kpi, played(market, tables, seat), roots, chance)
    layer, role = tree.layers[-1], market.seats[seat].role
    weight = reach(tree, tables, seat)[-1]
    payoff = np.zeros((len(market.seats), role.observations, role.actions))
    at = (layer.observations[layer.node, seat], layer.actions[:, seat])
    for k in range(len(market.seats)):
        np.add.at(payoff[k], at, weight * tree.fundamentals[:, k])
    return payoff


def fit_one_by_one(table: Array, payoff: Array, seat: int) -> Array:
    """A weight on each other seat, the others' left at 0: float64 `[S]` (the own entry 0)."""
    weights = np.zeros(len(payoff))
    own = payoff[seat]
    for j in range(len(payoff)):
        if j != seat:
            mixed = own + GRID[:, None, None] * payoff[j]
            regret = (mixed.max(axis=2) - (table * mixed).sum(axis=2)).sum(axis=1)
            weights[j] = GRID[np.flatnonzero(regret <= regret.min() + FLAT)[0]]
    return weights


def fit_jointly(table: Array, payoff: Array, seat: int) -> Array:
    """All weights of a seat at once, hostile ones among them: float64 `[S]` (the own entry 0).

    Variables of the linear program: w+ and w- of each other seat, z of each observation.
    """
    from scipy.optimize import linprog  # slow to import, and few KPIs are hostile

    others = [j for j in range(len(payoff)) if j != seat]
    met = np.flatnonzero(np.abs(payoff).sum(axis=(0, 2)) > 0)
    gain = payoff[:, met]  # [S, O, A]
    count, actions = len(met), payoff.shape[2]
    played_now = np.array([(table[met] * gain[j]).sum() for j in others])
    cost = np.concatenate([LEAST_WEIGHT - played_now, LEAST_WEIGHT + played_now, np.ones(count)])
    slopes = gain[others].reshape(len(others), -1).T  # [O * A, others]
    tops = np.repeat(-np.eye(count), actions, axis=0)
    solved = linprog(
        cost,
        A_ub=np.hstack([slopes, -slopes, tops]),
        b_ub=-gain[seat].ravel(),
        bounds=[(0, FURTHEST)] * (2 * len(others)) + [(None, None)] * count,
    )
    weights = np.zeros(len(payoff))
    weights[others] = solved.x[: len(others)] - solved.x[len(others) : 2 * len(others)]
    return weights


def hostile(kpi: kpis.KpiTable) -> bool:
    """Whether a seat is paid for what another loses."""
    terms = [term for own in kpi.values() for term in own.values()]
    return any(term.weight < 0 and term.scope != "own" for term in terms)


def no_coalition(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why weights are not revealed here, and what does tell; None: they are."""
    if (reason := no_analysis(market, "draws, memoryless")) is not None:
        return reason
    if len(market.phases) > 1 or len(market.roles) > 1:
        return f"a round of {market.name} has several phases or roles; KPI regret tells"
    if without_memory(market) is not market:
        return f"seats of {market.name} remember here: what looks like care may be fear; " + (
            "tempted and deterred tell"
        )
    if len(market.seats) < 3:
        return (
            "a coalition leaves somebody outside: it takes three seats; the collusion index tells"
        )
    return None
