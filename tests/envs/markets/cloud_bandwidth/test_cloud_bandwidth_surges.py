"""Surges whose multiplier and length are drawn from lists."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.pure import pure
from support.play import random_actions

from tacit.envs.cloud_bandwidth import kernels as k
from tacit.envs.cloud_bandwidth.benchmarks import PricingGame
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.rng import fold, moment

LISTED = {"enter": 0.25, "lengths": [1, 2, 2, 6], "multiplier": [1.5, 2.0, 4.0]}
FLAT = {"price_range": [1.0, 2.0], "prices": 3}
COPIES = 2000


def played(rounds: int, surge: dict, **config) -> np.ndarray:
    """Demand of both providers over its calm level, [rounds, copies, 2], at constant prices."""
    market = make_market("cloud_bandwidth", {**FLAT, **config, "surge": surge})
    engine = Engine(market, copies=COPIES)
    engine.reset()
    units = []
    for _ in range(rounds):
        engine.step(np.zeros((COPIES, 2), np.int64))
        units.append(engine.measures[:, :2, market.columns["quantity"]].copy())
    demand = np.array(units)
    return demand / demand.min()


def runs(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and levels of the surges that begin and end inside a series."""
    high = series > 1.0
    edges = np.flatnonzero(np.diff(high.astype(np.int8)))
    edges = edges[1:] if high[0] else edges
    starts, ends = edges[: len(edges) // 2 * 2 : 2] + 1, edges[1::2] + 1
    for a, b in zip(starts, ends, strict=True):
        assert np.ptp(series[a:b]) < 1e-9  # one multiplier a surge
    return ends - starts, series[starts]


def shares(values: np.ndarray, known: list) -> list[float]:
    return [float(np.mean(np.isclose(values, x))) for x in known]


def test_lengths_and_multipliers_are_drawn_from_their_lists():
    demand = played(60, LISTED)
    found = [runs(demand[:, r, i]) for r in range(COPIES) for i in range(2)]
    # (of all surges that begin early enough to end inside)
    lengths = np.concatenate([x for x, _ in found])
    levels = np.concatenate([y for _, y in found])
    assert set(lengths) == {1, 2, 6}
    assert shares(levels, [1.5, 2.0, 4.0]) == pytest.approx([1 / 3] * 3, abs=0.01)
    assert shares(lengths, [1, 2, 6]) == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    calm, after = demand[:-1] == 1.0, demand[1:] > 1.0
    assert after[calm].mean() == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("surge", [LISTED, {**LISTED, "lengths": None}, {"lengths": [3, 9]}])
def test_an_episode_begins_in_the_long_run(surge):
    """The share of rounds in a surge is the same from the first round on."""
    config = make_market("cloud_bandwidth", {**FLAT, "surge": surge}).config.surge
    high = played(12, surge) > 1.0
    spread = 5 * np.sqrt(config.share * (1 - config.share) / high[0].size)
    assert np.abs(high.mean(axis=(1, 2)) - config.share).max() < spread


def test_a_list_of_one_is_its_number(luck):
    """Same draws, same numbers: a listed multiplier of one entry changes nothing."""
    number = {"enter": 0.3, "leave": 0.4, "multiplier": 3.0}
    one = played(20, number)
    np.testing.assert_array_equal(one, played(20, {**number, "multiplier": [3.0]}))
    twice = played(20, {**number, "multiplier": [3.0, 3.0]})
    np.testing.assert_array_equal(one, twice)


def test_capacity_meets_the_mean_over_multipliers():
    """A provider's expected units in a surge are those of each multiplier, averaged."""
    surge = {"enter": 0.2, "leave": 0.2, "multiplier": [2.0, 6.0]}
    config = make_market("cloud_bandwidth", {**FLAT, "capacity": 0.7, "surge": surge}).config
    game = PricingGame(config)
    assert config.peak_demand == 6.0
    prices = np.full((2, 2), 1.5)
    share = float(game.shares(prices[:, 0])[0, 0])
    surging = np.mean([min(0.7, m * share) for m in (2.0, 6.0)])
    expected = 0.5 * (0.5 * min(0.7, share) + 0.5 * surging)
    np.testing.assert_allclose(game.profits(prices), expected)


@pytest.mark.parametrize("surge", [LISTED, {"multiplier": [2, 3]}, {"lengths": [2]}])
def test_pure_python_agrees_bit_for_bit(surge, luck):
    market = make_market("cloud_bandwidth", {"prices": 3, "capacity": 0.6, "surge": surge})
    engine = Engine(market)
    engine.reset()
    state, measures = np.zeros(market.state_width), np.zeros_like(engine.measures[0])
    pure(k.reset)(market.params, state, np.uint64(fold(engine.nature[0], 0)))
    np.testing.assert_array_equal(state, engine.rows.state[0])
    for _ in range(40):
        measures[:] = 0.0
        key = np.uint64(moment(engine.nature[0], 0, engine.round, 0))
        actions = random_actions(engine, luck)
        engine.step(actions)
        pure(k.play)(market.params, state, 0, actions[0], measures, key)
        np.testing.assert_array_equal(measures, engine.measures[0])
        np.testing.assert_array_equal(state, engine.rows.state[0])


@pytest.mark.parametrize(
    ("surge", "message"),
    [
        ({"multiplier": []}, "market.surge.multiplier: must be a number, or a list of them, from"),
        ({"multiplier": [2, 0.5]}, "market.surge.multiplier: must be a number, or a list of them"),
        ({"multiplier": 0.5}, "market.surge.multiplier: must be a number, or a list of them, fr"),
        ({"multiplier": "two"}, "market.surge.multiplier: must be a finite number, or a list"),
        ({"lengths": []}, "market.surge.lengths: must list at least one number of rounds, got []."),
        ({"lengths": [0]}, "market.surge.lengths.0: must be greater than or equal to 1, got 0."),
    ],
)
def test_a_mistake_is_reported_with_its_key(surge, message):
    with pytest.raises(ConfigError) as error:
        make_market("cloud_bandwidth", {"surge": surge})
    (mistake,) = error.value.mistakes
    assert mistake.startswith(message)
