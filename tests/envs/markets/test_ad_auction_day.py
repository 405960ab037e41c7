"""Values whose probabilities go through the parts of a day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tacit.agents.policy import cumulative
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.ad_auction.measures import PROFIT, REVENUE
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

NIGHT, DAY = [0.8, 0.2, 0.0], [0.1, 0.3, 0.6]
VALUE = {"kind": "list", "values": [0.2, 0.5, 1.0], "cycle": [NIGHT, DAY, DAY]}


def test_every_part_has_its_probabilities_and_bidders_see_it():
    market = make_market("ad_auction", {"value": VALUE})
    assert market.probabilities == pytest.approx((1 / 3, 0.8 / 3, 0.4))
    engine = Engine(market, copies=4096)
    engine.reset()
    role, parts = market.role("bidder"), []
    for _ in range(4):
        seen = [role.decode_observation(o) for o in engine.observations.ravel()]
        time = np.array([s["time"] for s in seen]).reshape(4096, 2)
        value = np.array([s["value"] for s in seen]).reshape(4096, 2)
        assert np.all(time[:, 0] == time[:, 1])
        for part, row in enumerate(VALUE["cycle"]):
            here = value[time == part]
            got = [np.mean(here == v) for v in VALUE["values"]]
            assert got == pytest.approx(row, abs=4 * np.sqrt(0.25 / here.size))
        parts.append(time[:, 0])
        engine.step(np.zeros((4096, 2), np.int64))
    assert np.bincount(parts[0]) / 4096 == pytest.approx([1 / 3] * 3, abs=0.03)
    for before, after in pairwise(parts):
        np.testing.assert_array_equal(after, (before + 1) % 3)


@pytest.mark.parametrize("mix", [0.0, 1.0])
def test_benchmarks_are_the_mean_over_the_day(mix):
    def revenue(value: dict) -> float:
        market = make_market("ad_auction", {"value": value, "price_mix": mix, "bids": 9})
        return market.benchmarks()["competitive"].values["revenue"]

    alone = [
        revenue({"kind": "list", "values": VALUE["values"], "probabilities": row})
        for row in VALUE["cycle"]
    ]
    assert revenue(VALUE) == pytest.approx(np.mean(alone), abs=1e-12)


def test_competitive_bidding_earns_the_benchmark():
    market = make_market("ad_auction", {"value": VALUE})
    config = ScriptedConfig(rule="competitive")
    tables = [Scripted(config, market, seat).table() for seat in market.seats]
    engine = Engine(market, copies=1000)
    engine.reset()
    mean = engine.play(cumulative(market, tables)[None], 300).measures.mean(axis=0) / 300
    wanted = market.benchmarks()["competitive"].values
    assert mean[-1, REVENUE] == pytest.approx(wanted["revenue"], abs=0.002)
    assert mean[:-1, PROFIT].mean() == pytest.approx(wanted["profit"], abs=0.002)


def test_a_day_of_equal_parts_draws_as_one_row_does():
    row = VALUE["cycle"][1]
    flat = {"kind": "list", "values": VALUE["values"], "probabilities": row}
    engines = [
        Engine(make_market("ad_auction", {"value": value, "bids": 4}), copies=32)
        for value in (flat, {**VALUE, "cycle": [row, row]})
    ]
    for engine in engines:
        engine.reset()
    for _ in range(5):
        for engine in engines:
            engine.step(np.tile([1, 2], (32, 1)))
        np.testing.assert_array_equal(engines[0].measures, engines[1].measures)
