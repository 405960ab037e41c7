"""The grid's own equilibrium and joint optimum, and demand in its mean over shocks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tacit.envs import kpi as kpis
from tacit.envs.cloud_bandwidth.grid_benchmarks import (
    collusive_steps,
    competitive_steps,
    equilibria,
    grid_profits,
)
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

HOMOGENEOUS = [{"differentiation": 0.0}, {"demand": "unit"}, {"demand": "unit", "prices": 5}]


def profits_of(market, steps):
    engine = Engine(market, kpis.resolve(market, None), [0], 1)
    engine.reset()
    engine.step(np.array([steps]))
    column = market.columns["profit"]
    return engine.rows.measures[0, : len(market.seats), column].copy()


@pytest.mark.parametrize("config", [{}, {"prices": 6, "providers": 3}, *HOMOGENEOUS])
def test_nobody_gains_by_leaving_the_grid_s_equilibrium(config):
    market = make_market("cloud_bandwidth", config)
    own = market.benchmark_steps["competitive"]
    earned = profits_of(market, own)
    for i, step in product(range(len(own)), range(market.config.prices)):
        other = own.copy()
        other[i] = step
        assert profits_of(market, other)[i] <= earned[i] + 1e-9


@pytest.mark.parametrize("config", [{"prices": 6}, *HOMOGENEOUS])
def test_no_joint_prices_earn_more_than_the_grid_s_optimum(config):
    market = make_market("cloud_bandwidth", config)
    best = profits_of(market, market.benchmark_steps["collusive"]).sum()
    every = product(range(market.config.prices), repeat=2)
    assert best == pytest.approx(max(profits_of(market, np.array(s)).sum() for s in every))


@pytest.mark.parametrize("config", HOMOGENEOUS)
def test_homogeneous_providers_compete_above_cost_and_collude_where_they_sell(config):
    market = make_market("cloud_bandwidth", config)
    for name in ("competitive", "collusive"):
        assert (profits_of(market, market.benchmark_steps[name]) > 0).all(), name


def test_a_grid_without_an_equilibrium_has_none():
    # matching pennies: whoever is ahead changes with every step
    profits = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    grid = np.array([[1.0, 2.0]] * 2)
    assert competitive_steps(grid, profits, np.array([1.0, 1.0])) is None


def test_equal_optima_are_the_ones_nearest_to_each_other():
    profits = np.zeros((2, 3, 3))
    profits[0, 2, 0] = profits[:, 1, 1] = 1.0
    profits[0, 2, 0] = 2.0
    grid = np.array([[1.0, 2.0, 3.0]] * 2)
    assert collusive_steps(grid, profits, np.array([3.0, 1.0])).tolist() == [1, 1]


def test_expected_demand_is_the_mean_over_shocks():
    market = make_market("cloud_bandwidth", {"outside_shock": 0.3, "prices": 6})
    expected = market.analysis.expected()
    assert market.play_draws
    assert not expected.play_draws
    assert not expected.analysis.luck
    assert expected.analysis.expected() is expected
    assert market.analysis.expected() is expected  # made once
    shocks = [
        make_market("cloud_bandwidth", {
            "outside_quality": a, "prices": 6,
            "price_range": [float(market.grid[0, 0]), float(market.grid[0, -1])],
        })
        for a in (-0.3, 0.0, 0.3)
    ]  # fmt: skip
    for steps in product(range(6), repeat=2):
        mean = np.mean([profits_of(m, np.array(steps)) for m in shocks], axis=0)
        assert profits_of(expected, np.array(steps)) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("more", [{"capacity": 0.4}, {"tenants": 1}, {"surge": {"enter": 0.2}}])
def test_another_game_has_no_expected_form(more):
    market = make_market("cloud_bandwidth", {"outside_shock": 0.1, "prices": 4, **more})
    assert market.analysis.expected() is market


def test_profits_on_a_grid_are_margins_times_the_mass_that_buys():
    """Two providers with grids and costs of their own; the last provider's price runs fastest."""
    grid, cost = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([0.5, 2.0])
    shares = np.array([[0.5, 0.25], [0.6, 0.1], [0.2, 0.4], [0.3, 0.2]])
    found = grid_profits(grid, cost, 10.0, shares)
    assert found[0] == pytest.approx(np.array([[0.5 * 5, 0.5 * 6], [1.5 * 2, 1.5 * 3]]))
    assert found[1] == pytest.approx(np.array([[1 * 2.5, 3 * 1.0], [1 * 4.0, 3 * 2.0]]))


def test_rounding_is_a_share_of_the_largest_profit():
    """Steps that differ by less than 1e-9 of it are as good; by more they are not. Losses count
    by their size."""
    grid = np.array([[1.0, 2.0]] * 2)
    for size in (1.0, -1.0):
        for share, steps in ((0.5e-9, [0, 0]), (2e-9, [1, 1])):
            profits = np.zeros((2, 2, 2))
            profits[:, 0, 1] = profits[:, 1, 0] = size * 500.0 - 600.0
            profits[:, 0, 0] = -1.0 - share * np.abs(profits).max()
            profits[:, 1, 1] = -1.0
            found = collusive_steps(grid, profits, np.array([1.0, 1.0]))
            assert found.tolist() == steps


def test_of_several_equilibria_the_nearest_to_nash_is_played():
    """A game of agreement: both steps alike are equilibria."""
    profits = np.array([np.eye(3)] * 2)
    grid = np.array([[1.0, 2.0, 4.0], [1.0, 3.0, 5.0]])
    assert np.array_equal(equilibria(profits), np.eye(3, dtype=bool))
    for nash, steps in (([1.2, 1.0], [0, 0]), ([2.0, 2.6], [1, 1]), ([9.0, 9.0], [2, 2])):
        assert competitive_steps(grid, profits, np.array(nash)).tolist() == steps
