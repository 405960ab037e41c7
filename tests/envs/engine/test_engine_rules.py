"""What holds in every round of every auction, and compiled rounds against pure Python ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.independent.pure import assert_plays_as_in_pure_python
from support.play import phases
from support.properties import auctions

from tacit.envs import kpi
from tacit.envs.ad_auction.measures import WIN
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

KPI = {
    "bidder": {
        "profit": 1.0,
        "price_change": {"weight": -0.5, "scope": "market", "transform": "square"},
    }
}


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
    assert_plays_as_in_pure_python(market, kpi.resolve(market, KPI), luck, rounds=15)


def played(config: dict, seed: int) -> Engine:
    engine = Engine(make_market("ad_auction", config), copies=8)
    for _ in phases(engine, 3, np.random.default_rng(seed)):  # noqa: TID251
        pass
    return engine


@given(auctions(), st.integers(0, 2**32))
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
