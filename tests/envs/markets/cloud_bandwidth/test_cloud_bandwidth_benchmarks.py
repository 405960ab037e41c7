"""Benchmarks of the posting game, held to textbook figures and to an independent search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import differential_evolution, minimize_scalar
from support.independent.pure import pure

from tacit.envs.cloud_bandwidth import benchmarks
from tacit.envs.cloud_bandwidth import market as cloud
from tacit.envs.cloud_bandwidth.config import CloudBandwidthConfig
from tacit.envs.cloud_bandwidth.demand import demand
from tacit.envs.cloud_bandwidth.measures import PROFIT, QUANTITY
from tacit.envs.cloud_bandwidth.positions import GRID, POSTED, TABLED
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market


def solved(**config):
    market = make_market("cloud_bandwidth", config)
    return market.nash, market.joint


def profits_of(config: CloudBandwidthConfig) -> Callable[[Any], np.ndarray]:
    """Mean profits `[N]` by prices in a calm round, by the market's own demand kernel."""
    c, n = config, config.providers
    keys = c.model_dump(exclude={"price_range", "prices", "memory"})
    market = make_market(
        "cloud_bandwidth", {**keys, "memory": 0, "price_range": [0.0, 1.0], "prices": 2}
    )
    params, state = market.params.copy(), np.zeros(POSTED + n)
    utilities = int(params[GRID]) + 2 * n
    quality, cost = np.array(c.each(c.quality)), np.array(c.each(c.cost))
    shocks = range(3) if c.outside_shock else [1]
    plain_demand = pure(demand)

    def profits(prices: Any) -> np.ndarray:
        params[utilities : utilities + 2 * n : 2] = quality - prices  # everybody posts step 0
        total = np.zeros(n)
        for shock in shocks:
            measures = np.zeros((n + 1, QUANTITY + 1))
            plain_demand(params, state, shock, 0, measures)
            sold = np.minimum(measures[:n, QUANTITY] * c.background_demand, c.capacity or np.inf)
            total += (np.asarray(prices) - cost) * sold
        return total / len(shocks)

    return profits


@pytest.mark.parametrize(
    ("providers", "nash", "joint"), [(2, 1.472927, 1.924981), (3, 1.370163, 2.0)]
)
def test_published_prices(providers, nash, joint):
    """Calvano, Calzolari, Denicolo, Pastorello, AER 110(10), 2020."""
    found = solved(providers=providers)
    assert found[0].price == pytest.approx([nash] * providers, abs=1e-5)
    assert found[1].price == pytest.approx([joint] * providers, abs=1e-5)
    if providers == 2:
        assert found[0].profits == pytest.approx([0.22293] * 2, abs=1e-5)
        assert found[1].profits == pytest.approx([0.33749] * 2, abs=1e-5)


def test_a_damped_search_ends_at_the_same_prices(monkeypatch):
    """Best responses that go half of the way only."""
    keys = {"capacity": 0.4, "cost": [1.0, 0.6], "background_demand": 0.9}
    whole = solved(**keys)[0].price
    monkeypatch.setattr(benchmarks, "DAMPED_FROM", 0)
    assert solved(**keys)[0].price == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("keys", [{}, {"outside_shock": 0.1}, {"providers": 3}])
def test_a_demand_table_of_exactly_the_most_numbers_is_made(monkeypatch, keys):
    """Joint prices x three shocks, or one x a share for each provider and for who buys nothing."""
    n = keys.get("providers", 2)
    joints, shocks = 4**n, 3 if keys.get("outside_shock") else 1
    numbers = joints * shocks * (n + 1)
    for most, tabled in ((numbers, joints), (numbers - 1, 0)):
        monkeypatch.setattr(cloud, "MOST_TABLED", most)
        market = make_market("cloud_bandwidth", {"prices": 4, **keys})
        assert market.params[TABLED] == tabled


ODD = [
    {"cost": [1.0, 0.75]},
    {"quality": [2.0, 2.5], "cost": [1.0, 0.6], "outside_quality": 0.3},
    {"providers": 3, "quality": [2.0, 2.2, 1.5], "differentiation": 0.1, "price_margin": 0.2},
    {"outside_shock": 0.4, "cost": [1.0, 0.9]},
    {"capacity": 0.4},
    {"capacity": 0.4, "cost": [1.0, 0.6], "background_demand": 0.9},
    {"capacity": 0.42, "outside_shock": 0.1},
]


@pytest.mark.parametrize("config", ODD)
def test_nobody_gains_by_leaving_nash(config):
    c = CloudBandwidthConfig(**config)
    profits, (nash, _) = profits_of(c), solved(**config)
    at = profits(nash.price)
    np.testing.assert_allclose(at, nash.profits, atol=1e-10)
    for i in range(c.providers):

        def loss(p, i=i):
            return -profits([p if j == i else x for j, x in enumerate(nash.price)])[i]

        near = [
            minimize_scalar(
                loss, bounds=(nash.price[i] - w, nash.price[i] + w), method="bounded",
                options={"xatol": 1e-9},
            )
            for w in (0.05, 1.0)
        ]  # fmt: skip
        best = min(near, key=lambda found: found.fun)
        assert -best.fun <= at[i] + 1e-6  # searched prices are rounded to 6 digits
        assert near[0].x == pytest.approx(nash.price[i], abs=2e-4 if c.binding else 1e-5)


@pytest.mark.parametrize("start", [0.02, 2.0])
@pytest.mark.parametrize("config", ODD[:4])
def test_an_independent_search_ends_at_nash(config, start):
    """Best replies to best replies by the demand kernel alone, from near cost and far above."""
    c = CloudBandwidthConfig(**config)
    profits, (nash, _) = profits_of(c), solved(**config)
    prices = np.array(c.each(c.cost)) + start
    for _ in range(60):
        before = prices.copy()
        for i in range(c.providers):

            def loss(p, i=i):
                return -profits([p if j == i else x for j, x in enumerate(prices)])[i]

            cost = c.each(c.cost)[i]
            grid = np.linspace(cost, cost + 2, 60)
            k = int(np.argmin([loss(p) for p in grid]))
            around = (grid[max(k - 1, 0)], grid[min(k + 1, 59)])
            found = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-9})
            prices[i] = found.x
        if np.abs(prices - before).max() < 1e-7:
            break
    assert prices == pytest.approx(nash.price, abs=1e-5)


@pytest.mark.parametrize("config", ODD)
def test_no_prices_earn_more_together_than_the_joint_ones(config):
    c = CloudBandwidthConfig(**config)
    profits, (_, joint) = profits_of(c), solved(**config)
    np.testing.assert_allclose(profits(joint.price), joint.profits, atol=1e-10)
    found = differential_evolution(
        lambda p: -profits(p).sum(), [(1.0, 3.5)] * c.providers, rng=1, tol=1e-10, maxiter=60,
        popsize=8, polish=False,
    )  # fmt: skip
    assert joint.profits.sum() >= -found.fun - 1e-6
    assert found.x == pytest.approx(joint.price, abs=0.02)


def test_surges_with_capacity_let_prices_depend_on_the_load():
    config = {"capacity": 0.5, "surge": {"enter": 0.1, "leave": 0.3}}
    nash, joint = solved(**config)
    assert np.all(nash.prices[:, 1] > nash.prices[:, 0])
    assert joint.profits.sum() > nash.profits.sum()
    plain, _ = solved()
    idle, _ = solved(surge={"enter": 0.1, "leave": 0.3})
    np.testing.assert_allclose(idle.price, plain.price)
    np.testing.assert_allclose(idle.profits, 1.25 * plain.profits)


@pytest.mark.parametrize(
    ("config", "nash", "joint", "profit"),
    [
        ({"differentiation": 0}, [1, 1], [2, 2], 1.0),
        ({"demand": "unit", "cost": 2, "reservation_price": 10}, [2, 2], [10, 10], 8.0),
        ({"differentiation": 0, "cost": [0.5, 1.0]}, [1, 1], [2, 2], 1.5),
        ({"differentiation": 0, "outside_shock": 0.2}, [1, 1], [1.8, 1.8], 0.8),
    ],
)
def test_bertrand(config, nash, joint, profit):
    found = solved(**config)
    assert found[0].price == pytest.approx(nash)
    assert found[1].price == pytest.approx(joint)
    if "cost" not in config or config["cost"] == 2:
        assert found[1].profits.sum() == pytest.approx(profit)


def test_tiny_and_huge_differentiation_are_solved():
    for mu in (1e-6, 1e-3, 10.0, 1e3):
        nash, joint = solved(differentiation=mu, price_range=[1, 2])
        assert np.all(joint.price > nash.price)
        share = nash.profits / (nash.price - 1)
        assert nash.price - 1 == pytest.approx(mu / (1 - share))


def test_the_grid_reaches_beyond_both_benchmarks():
    market = make_market("cloud_bandwidth")
    n, m = 1.4729272, 1.9249809
    assert market.grid[0] == pytest.approx(np.linspace(n - 0.1 * (m - n), m + 0.1 * (m - n), 15))
    two = make_market("cloud_bandwidth", {"cost": [1.0, 0.75]})
    role = two.role("provider")
    assert role.decode_action(3) == {"price_step": 3}
    assert role.decode_observation(1)["last_price_1"] == pytest.approx(two.grid[1, 1])


def play_steadily(market, actions) -> dict[str, float]:
    engine = Engine(market)
    engine.reset()
    engine.step(np.array([actions]))
    named = {f"profit/{s.name}": engine.measures[0, s.index, PROFIT] for s in market.seats}
    row = engine.measures[0, -1]
    return named | {x: row[market.columns[x]] for x in ("quantity", "revenue", "price")}


def test_the_index_is_about_zero_at_nash_and_one_at_joint_profit():
    market = make_market("cloud_bandwidth", {"prices": 101, "cost": [1.0, 0.75]})
    for benchmark, index in (("competitive", 0.0), ("collusive", 1.0)):
        actions = [market.analysis.benchmark_action(benchmark, seat, 0) for seat in market.seats]
        found = market.derived(play_steadily(market, actions))
        assert found["collusion_index"] == pytest.approx(index, abs=0.02)
    means = {"profit/provider_0": 0.2, "profit/provider_1": 0.4, "quantity": 2.0, "revenue": 3.0}
    low, high = market.nash.profits.sum(), market.joint.profits.sum()
    derived = market.derived(means)
    assert derived == pytest.approx(
        {"collusion_index": (0.6 - low) / (high - low), "price_paid": 1.5}
    )
