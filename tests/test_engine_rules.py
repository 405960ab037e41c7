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
from tacit.envs.ad_auction import LAST_BIDS, PROFIT, REVENUE, SPEND, WELFARE, WIN
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
        {
            "bidders": 4,
            "bids": 3,
            "slots": 3,
            "click_rates": [1.0, 0.7, 0.1],
            "price_mix": 0.3,
            "value": {"kind": "lognormal", "levels": 4},
            "reserve": 0.3,
            "observe": "price",
        },
        {"publisher": True, "chat": 3, "value": {"kind": "uniform"}, "bids": 6, "bidders": 3},
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


values = st.one_of(
    st.fixed_dictionaries({"kind": st.just("common"), "value": st.floats(1, 50)}),
    st.fixed_dictionaries({"kind": st.just("uniform"), "high": st.floats(1, 50)}),
    st.fixed_dictionaries(
        {"kind": st.just("lognormal"), "cap": st.floats(1, 50), "levels": st.integers(2, 9)}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("list"),
            "values": st.lists(st.floats(1, 50), min_size=1, max_size=6, unique=True).map(sorted),
        }
    ),
)


@st.composite
def configs(draw) -> dict:
    bidders = draw(st.integers(2, 6))
    slots = draw(st.integers(1, bidders))
    rates = draw(st.lists(st.floats(0.01, 3), min_size=slots, max_size=slots))
    keys = {
        "bids": st.integers(1, 12),
        "price_mix": st.floats(0, 1),
        "reserve": st.floats(0, 0.5),
        "publisher": st.booleans(),
        "observe": st.sampled_from(["none", "price"]),
        "chat": st.integers(0, 3),
        "ties": st.sampled_from(["sampled", "shared"]),
        "value": values,
    }
    chosen = {key: draw(strategy) for key, strategy in keys.items()}
    rates.sort(reverse=True)
    return {"bidders": bidders, "slots": slots, "click_rates": rates, **chosen}


def played(config: dict, seed: int) -> Engine:
    engine = Engine(make_market("ad_auction", config), copies=8)
    for _ in phases(engine, 3, np.random.default_rng(seed)):  # noqa: TID251
        pass
    return engine


@given(configs(), st.integers(0, 2**32))
def test_money_is_conserved(config, seed):
    engine = played(config, seed)
    measures, bidders = engine.measures, config["bidders"]
    market = measures[:, -1]
    spent = measures[:, :bidders, SPEND].sum(axis=1)
    np.testing.assert_allclose(spent, market[:, REVENUE], rtol=1e-12)
    if config["publisher"]:
        np.testing.assert_array_equal(measures[:, bidders, REVENUE], market[:, REVENUE])
    profits = measures[:, :bidders, PROFIT].sum(axis=1)
    scale = market[:, REVENUE].max() + 1
    np.testing.assert_allclose(profits + market[:, REVENUE], market[:, WELFARE], atol=1e-12 * scale)


@given(configs(), st.integers(0, 2**32))
def test_winners_pay_between_the_reserve_and_their_bid(config, seed):
    engine = played(config, seed)
    columns, bidders = engine.market.columns, config["bidders"]
    wins = engine.measures[:, :bidders, WIN]
    fill = engine.measures[:, -1, columns["fill"]]
    assert config["ties"] == "shared" or set(wins.ravel()) <= {0.0, 1.0}
    np.testing.assert_allclose(wins.sum(axis=1), fill, rtol=1e-12)
    assert fill.max() <= config["slots"]
    spend, bid = (engine.measures[:, :bidders, columns[k]] for k in ("spend", "bid"))
    rates, slack = config["click_rates"], 1e-9 * engine.market.grid[-1]
    assert np.all(spend <= rates[0] * (bid + slack) * wins)
    assert np.all(spend >= rates[-1] * (config["reserve"] - slack) * wins)
    order = np.argsort(-bid, axis=1, kind="stable")  # higher bids win before lower ones
    won = np.take_along_axis(wins, order, axis=1)
    lower = np.take_along_axis(bid, order, axis=1)
    for k in range(bidders - 1):
        assert np.all((won[:, k] >= won[:, k + 1] - 1e-12) | (lower[:, k] == lower[:, k + 1]))


SLOTS = {"slots": 3, "click_rates": [1.0, 0.5, 0.2], "value": {"kind": "uniform"}}


@pytest.mark.parametrize("config", [{}, SLOTS])
@given(st.permutations(range(5)), st.permutations(range(9)), st.floats(0, 1))
def test_seats_are_interchangeable_where_nobody_ties(config, order, bids, price_mix):
    market = make_market("ad_auction", {"bidders": 5, "bids": 9, "price_mix": price_mix} | config)
    actions = np.array(bids[:5])
    results = []
    for moved in (range(5), order):
        engine = Engine(market)
        engine.reset()
        drawn = engine.rows.state[0, LAST_BIDS + 5 :][:5]  # (empty if values are common)
        drawn[:] = drawn[list(moved)[: len(drawn)]]
        engine.step(actions[list(moved)][None])
        results.append(engine.measures[0].copy())
    straight, permuted = results
    np.testing.assert_allclose(permuted[:5], straight[list(order)], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(permuted[5], straight[5], rtol=1e-12)
