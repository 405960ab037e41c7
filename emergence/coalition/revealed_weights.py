"""Revealed weights: which weight on another's profit would explain what a seat does.

    w_ij = argmin over w of regret_i(u_i + w u_j),
    regret_i(u) = sum over observations o of P(o) [max_a u(o, a) - sum_a table_i[o, a] u(o, a)]

u_k(o, a) is the fundamental of seat k that seat i expects from action a where it observes o, the
others' tables frozen; regret is what a seat with payoff u would gain by its best actions. It is
convex in w and evaluated on a grid of .01 from 0 to 2, one weight at a time; where several fit
equally well, the least weight is taken. Under a KPI that pays for another's loss weights may be
negative; then all weights of a seat are fitted jointly, from -2 to 2, by linear programming
(minimise the sum of P(o) [z_o - sum_a table u] over w and z_o >= u(o, a)).

Weights are biased towards 0, the more so the coarser the grid of actions: a weight too small to
move any action shows as none. Weights on a third party follow those on a partner at a distance,
because what helps the one often helps the other: compare, do not read alone.

Only where each seat decides once a round and remembers nothing: with memory, what looks like care
may be fear of what follows (`tempted` and `deterred` tell), and with two seats it may be collusion.

Source: this project's own; inverse optimisation in the sense of Ahuja, Orlin, Operations Research
49(5), 2001, of a linear family of payoffs.
"""

from __future__ import annotations

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.play.applicability import why_no_stage_game
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import edge_probability
from tacit.emergence.tree.initial_states import initial_states, without_memory
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats

GRID = np.round(np.arange(0.0, 2.0 + 1e-9, 0.01), 2)
LARGEST = 2.0  # of a positive or negative weight that is fitted jointly
EQUAL = 1e-12  # regrets that differ by less are equal
COST_OF_WEIGHT = 1e-6  # in the joint fit, so that the smallest of equally good weights is taken

FIGURES = {"weight/": "as if weight of one seat on another's fundamental: weight/i/j"}


def revealed_weights(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: `weight/bidder_0/bidder_1` for every pair of seats, in this order.

    NaN where a round is too large to enumerate.
    """
    market = population.market
    figures: dict[str, float] = {}
    fit = fit_jointly if is_hostile(population.kpi) else fit_one_by_one
    for i, seat in enumerate(market.seats):
        try:
            weights = fit(population.tables[i], expected_payoffs(population, i), i)
        except ConfigError:
            weights = np.full(len(market.seats), np.nan)
        others = (other for other in market.seats if other is not seat)
        figures |= {f"weight/{seat.name}/{o.name}": float(weights[o.index]) for o in others}
    return figures


def expected_payoffs(population: FrozenPopulation, seat: int) -> Floats:
    """P(o) x u_k(o, a) of every seat k, the others' tables frozen: float64 `[S, O, A]`.

    Args:
        population: the frozen tables.
        seat: the index of the seat that observes o and does a.

    Raises:
        ConfigError: the round is too large to enumerate.
    """
    market, tables = population.market, population.tables
    roots, probability, _ = initial_states(population)
    allowed = played_actions(market, tables, free_seat=seat)
    tree = enumerate_round(market, population.kpi, allowed, roots, probability)
    layer, role = tree.layers[-1], market.seats[seat].role
    weight = edge_probability(tree, tables, seat)[-1]
    payoff = np.zeros((len(market.seats), role.observations, role.actions))
    at = (layer.observations[layer.node, seat], layer.actions[:, seat])
    for k in range(len(market.seats)):
        np.add.at(payoff[k], at, weight * tree.fundamentals[:, k])
    return payoff


def fit_one_by_one(table: PolicyTable, payoff: Floats, seat: int) -> Floats:
    """A weight >= 0 on each other seat, the weights on the rest being 0.

    Args:
        table: the seat's policy table, float64 `[O, A]`.
        payoff: the result of `expected_payoffs`, float64 `[S, O, A]`.
        seat: the index of the seat.

    Returns:
        Weights float64 `[S]`; the seat's own entry is 0.
    """
    weights = np.zeros(len(payoff))
    own = payoff[seat]
    for j in range(len(payoff)):
        if j != seat:
            mixed = own + GRID[:, None, None] * payoff[j]  # one payoff per weight, [weights, O, A]
            regret = (mixed.max(axis=2) - (table * mixed).sum(axis=2)).sum(axis=1)
            weights[j] = GRID[np.flatnonzero(regret <= regret.min() + EQUAL)[0]]
    return weights


def fit_jointly(table: PolicyTable, payoff: Floats, seat: int) -> Floats:
    """All weights of a seat at once, negative ones among them.

    Variables of the linear program, in this order: the positive part of each other seat's weight,
    the negative part, and z of each observation that is met.

    Args:
        table: the seat's policy table, float64 `[O, A]`.
        payoff: the result of `expected_payoffs`, float64 `[S, O, A]`.
        seat: the index of the seat.

    Returns:
        Weights float64 `[S]`; the seat's own entry is 0.
    """
    from scipy.optimize import linprog  # slow to import, and few KPIs need it

    others = [j for j in range(len(payoff)) if j != seat]
    # Observations that are never met have payoff 0 and would only add variables.
    met = np.flatnonzero(np.abs(payoff).sum(axis=(0, 2)) > 0)
    gain = payoff[:, met]  # [S, O', A]
    count, actions = len(met), payoff.shape[2]
    earned = np.array([(table[met] * gain[j]).sum() for j in others])
    cost = np.concatenate([COST_OF_WEIGHT - earned, COST_OF_WEIGHT + earned, np.ones(count)])
    # Constraints z_o >= u_i(o, a) + sum_j w_j u_j(o, a), one row for each (o, a).
    coefficients = gain[others].reshape(len(others), -1).T  # [O' * A, others]
    minus_z = np.repeat(-np.eye(count), actions, axis=0)
    solved = linprog(
        cost,
        A_ub=np.hstack([coefficients, -coefficients, minus_z]),
        b_ub=-gain[seat].ravel(),
        bounds=[(0, LARGEST)] * (2 * len(others)) + [(None, None)] * count,
    )
    weights = np.zeros(len(payoff))
    weights[others] = solved.x[: len(others)] - solved.x[len(others) : 2 * len(others)]
    return weights


def is_hostile(kpi: kpis.KpiTable) -> bool:
    """Whether a seat is paid for what another seat loses."""
    terms = [term for own in kpi.values() for term in own.values()]
    return any(term.weight < 0 and term.scope != "own" for term in terms)


def why_no_weights(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why weights are not revealed here, and what is measured instead; None: they are."""
    if (reason := why_no_stage_game(market, "draws, memoryless")) is not None:
        return reason
    if len(market.phases) > 1 or len(market.roles) > 1:
        return f"a round of {market.name} has several phases or roles; KPI regret tells"
    if without_memory(market) is not market:
        return (
            f"seats of {market.name} remember here: what looks like care may be fear; tempted and "
            "deterred tell"
        )
    if len(market.seats) < 3:
        return (
            "a coalition leaves somebody outside: it takes three seats; the collusion index tells"
        )
    return None
