"""What holds in every round of every auction, and compiled rounds against pure Python ones."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from play import phases, random_actions
from pure import pure

from tacit.envs import kpi, rng
from tacit.envs.ad_auction import PROFIT, REVENUE, SPEND, WELFARE, WIN
from tacit.envs.engine import Engine
from tacit.envs.market import Market
from tacit.envs.registry import make_market

KPI = {
    "bidder": {
        "profit": 1.0,
        "price_change": {"weight": -0.5, "scope": "market", "transform": "square"},
    }
}


class PlainCopy:
    """One copy of a market in pure Python: the engine's loop written a second time."""

    def __init__(self, market: Market, table: kpi.Table, seed: int, copy: int) -> None:
        module = importlib.import_module(market.kernels)
        self.observe, self.play = pure(module.observe), pure(module.play)
        self.market, self.terms = market, kpi.compile_kpi(market, table)
        self.fold, self.moment = pure(rng.fold), pure(rng.moment)
        self.key = self.fold(pure(rng.stream)(seed, rng.NATURE), copy)
        self.state = np.zeros(market.state_width)
        pure(module.reset)(market.params, self.state, self.fold(self.key, 0))
        self.measures = np.zeros((len(market.seats) + 1, len(market.measures)))
        self.scores = np.zeros(len(self.terms) + len(market.seats))

    def step(self, actions: np.ndarray, round_: int, phase: int) -> list[int]:
        """Returns what every seat sees next."""
        if phase == 0:
            self.measures[:] = 0.0
        key = self.moment(self.key, 0, round_, phase)
        self.play(self.market.params, self.state, phase, actions, self.measures, key)
        following = (phase + 1) % len(self.market.phases)
        if following == 0:
            pure(kpi.score)(self.terms, self.measures, self.scores)
        seats = range(len(self.market.seats))
        return [self.observe(self.market.params, self.state, following, s) for s in seats]


@pytest.mark.parametrize(
    "config",
    [
        {"bidders": 3, "bids": 3},  # few bids: many ties
        {"observe": "price", "price_mix": 0.37, "reserve": 0.42, "value": {"value": 1.7}},
        {"publisher": True, "observe": "bids", "bidders": 3, "bids": 4, "price_mix": 0.3},
    ],
)
def test_pure_python_plays_the_same_bit_for_bit(config, luck):
    market = make_market("ad_auction", config)
    table = kpi.resolve(market, KPI)
    engine = Engine(market, table, seeds=[11], copies=6)
    plain = [PlainCopy(market, table, 11, copy) for copy in range(6)]
    engine.reset()
    for round_ in range(15):
        for phase in range(len(market.phases)):
            actions = random_actions(engine, luck)
            engine.step(actions)
            seen = [p.step(a, round_, phase) for p, a in zip(plain, actions, strict=True)]
            assert seen == engine.observations.tolist()
        for r, copy in enumerate(plain):
            np.testing.assert_array_equal(engine.rows.state[r], copy.state)
            np.testing.assert_array_equal(engine.measures[r], copy.measures)
            np.testing.assert_array_equal(engine.rows.scores[r], copy.scores)


configs = st.fixed_dictionaries(
    {
        "bidders": st.integers(2, 6),
        "bids": st.integers(1, 12),
        "price_mix": st.floats(0, 1),
        "reserve": st.floats(0, 0.5),
        "publisher": st.booleans(),
        "observe": st.sampled_from(["none", "price"]),
        "value": st.fixed_dictionaries({"value": st.floats(1, 50)}),
    }
)


def played(config: dict, seed: int) -> Engine:
    engine = Engine(make_market("ad_auction", config), copies=8)
    for _ in phases(engine, 3, np.random.default_rng(seed)):  # noqa: TID251
        pass
    return engine


@given(configs, st.integers(0, 2**32))
def test_money_is_conserved(config, seed):
    engine = played(config, seed)
    measures, bidders = engine.measures, config["bidders"]
    market = measures[:, -1]
    np.testing.assert_array_equal(measures[:, :bidders, SPEND].sum(axis=1), market[:, REVENUE])
    if config["publisher"]:
        np.testing.assert_array_equal(measures[:, bidders, REVENUE], market[:, REVENUE])
    profits = measures[:, :bidders, PROFIT].sum(axis=1)
    np.testing.assert_allclose(profits + market[:, REVENUE], market[:, WELFARE], rtol=1e-12)


@given(configs, st.integers(0, 2**32))
def test_at_most_one_wins_and_pays_no_more_than_its_bid(config, seed):
    engine = played(config, seed)
    columns, bidders = engine.market.columns, config["bidders"]
    wins = engine.measures[:, :bidders, WIN]
    assert set(wins.sum(axis=1)) <= {0.0, 1.0}
    spend, bid = (engine.measures[:, :bidders, columns[k]] for k in ("spend", "bid"))
    value = config["value"]["value"]
    assert np.all(spend <= bid * wins + 1e-9 * value)
    assert np.all(spend >= (config["reserve"] - 1e-9 * value) * wins)


@given(st.permutations(range(5)), st.permutations(range(9)), st.floats(0, 1))
def test_seats_are_interchangeable_where_nobody_ties(order, bids, price_mix):
    market = make_market("ad_auction", {"bidders": 5, "bids": 9, "price_mix": price_mix})
    actions = np.array(bids[:5])
    results = []
    for chosen in (actions, actions[list(order)]):
        engine = Engine(market)
        engine.reset()
        engine.step(chosen[None])
        results.append(engine.measures[0])
    straight, permuted = results
    np.testing.assert_array_equal(permuted[:5], straight[list(order)])
    np.testing.assert_array_equal(permuted[5], straight[5])
