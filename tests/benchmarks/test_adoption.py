"""Scripted adopters: their prices held against the market's benchmarks and own profit function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.optimize import minimize
from support.paths import benchmark_module

from tacit.envs import rng
from tacit.envs.cloud_bandwidth.benchmarks import PricingGame
from tacit.envs.registry import make_market

main, cases, prices = (
    benchmark_module(f"adoption.{name}") for name in ("__main__", "cases", "prices")
)
FOLDER, HEAD, misses, rates = main.FOLDER, main.HEAD, main.misses, main.rates
CASES, REPETITIONS = cases.CASES, cases.REPETITIONS
Markets, among, drawn_markets = prices.Markets, prices.among, prices.drawn_markets
equilibrium_prices = prices.equilibrium_prices
KEY = rng.seed_key(3, rng.NATURE)


@pytest.mark.parametrize("providers", [2, 3, 4])
def test_without_care_and_with_full_care_they_are_the_markets_benchmarks(providers):
    own = Markets(np.ones((1, providers)), np.zeros(1))
    marks = make_market("cloud_bandwidth", {"providers": providers}).benchmarks()
    for weight, name in ((0.0, "competitive"), (1.0, "collusive")):
        prices = equilibrium_prices(own, among(providers, providers, weight))
        assert prices.mean() == pytest.approx(marks[name].values["price"], abs=1e-7)


@pytest.mark.parametrize(("adopters", "weight"), [(2, 1.0), (2, 0.25), (3, 0.5)])
def test_nobody_gains_by_another_price_on_the_markets_own_profits(adopters, weight):
    """Each price is the best for its own objective, searched on `PricingGame.profits`."""
    markets, w = drawn_markets(2, 3, 0.1, KEY), among(adopters, 3, weight)
    for prices, cost, outside in zip(
        equilibrium_prices(markets, w), markets.cost, markets.outside, strict=True
    ):
        config = {"providers": 3, "cost": tuple(cost.tolist()), "outside_quality": float(outside)}
        game = PricingGame(make_market("cloud_bandwidth", config).config)
        for i in range(3):
            counted = np.where(np.arange(3) == i, 1.0, w[i])

            def loss(price, i=i, counted=counted, prices=prices, game=game):
                tried = prices.copy()
                tried[i] = price[0]
                return -float(counted @ game.profits(tried[:, None]))

            best = minimize(loss, [prices[i] + 0.05], method="Nelder-Mead",
                            options={"xatol": 1e-9, "fatol": 1e-15})  # fmt: skip
            assert best.x[0] == pytest.approx(prices[i], abs=1e-5)


def test_an_agreement_is_the_best_for_its_members_together():
    markets = drawn_markets(1, 3, 0.1, KEY)
    prices = equilibrium_prices(markets, among(2, 3, 1.0))[0]
    config = {"providers": 3, "cost": tuple(markets.cost[0].tolist()),
              "outside_quality": float(markets.outside[0])}  # fmt: skip
    game = PricingGame(make_market("cloud_bandwidth", config).config)

    def loss(both):
        return -float(game.profits(np.array([*both, prices[2]])[:, None])[:2].sum())

    found = minimize(loss, [1.5, 1.5], method="Nelder-Mead",
                     options={"xatol": 1e-9, "fatol": 1e-15})  # fmt: skip
    assert found.x == pytest.approx(prices[:2], abs=1e-5)


def test_series_are_drawn_apart_and_the_same_again():
    case = CASES[1]
    (one, alone), (other, _) = case.series(2)
    assert [len(arm) for arm in one] == [REPETITIONS] * 3
    assert one[0] == pytest.approx(alone[:, 0])
    assert not np.allclose(one[0], other[0])
    again, _ = next(iter(case.series(2)))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, again, strict=True))


def test_an_agreement_is_named_and_independence_is_not_named_so():
    by_name = {case.name: case for case in CASES}
    assert rates(by_name["agreed, spread .1"], 5).words == {"coordinated adoption": 5}
    apart = rates(by_name["independent, spread .1"], 5)
    assert apart.words["coordinated adoption"] == 0
    assert misses(apart, {"right": "-", "independent": [0, 1], "coordinated": [0.5, 1]}) == [
        "coordinated expected in 0.5 .. 1"
    ]


def test_the_kept_table_has_every_kind_and_stands_on_the_page():
    expected = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
    assert list(expected) == [case.name for case in CASES]
    page = Path(FOLDER.parent.parent / "docs/probes/adoption.md").read_text(encoding="utf-8")
    rows = [line for line in (FOLDER / "table.md").read_text(encoding="utf-8").splitlines()
            if line.startswith("| ")]  # fmt: skip
    assert rows[0] == "| " + " | ".join(HEAD) + " |"
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == list(expected)
    assert all(row in page for row in rows)
