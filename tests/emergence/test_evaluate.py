"""What given policies earn, beside the engine that plays the same tables, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tacit
from tacit.agents.policy import uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.evaluate import evaluate, seed_estimate
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market


def test_scripts_earn_what_the_benchmark_says():
    market = make_market("cloud_bandwidth", {"start": "collusive"})
    for rule in ("competitive", "collusive"):
        found = evaluate({"provider": rule}, market, rounds=50, warm_up=2, seeds=2)
        expected = market.benchmarks()[rule].values["price"]
        step = market.roles[0].choices[0][0].values
        assert abs(found["price"].mean - expected) <= abs(step[1] - step[0])
    assert found["price"].low == found["price"].high == found["price"].mean
    assert found["price"].n == 2


def test_rewards_are_the_kpi_s_and_measures_are_not():
    kpi = {"bidder": {"win": 2.0}}
    found = evaluate({"bidder": "random"}, {"name": "ad_auction", "bidders": 3}, kpi, rounds=500)
    paid = sum(found[f"reward/bidder_{k}"].mean for k in range(3))
    assert paid == pytest.approx(2.0)
    assert found["win"].mean == pytest.approx(1 / 3)
    assert found["win/bidder_0"].n == 16
    assert str(found["win"]).startswith(".333 [.333, .333], n = 16")


def test_a_list_of_policies_is_a_repetition_each_and_names_may_be_mixed():
    market = make_market("ad_auction", {"price_mix": 1.0})
    role = market.role("bidder")
    competitive = Scripted(ScriptedConfig(rule="competitive"), market, market.seats[0]).table()
    both = [{"bidder_0": competitive, "bidder": "competitive"}, {"bidder": uniform(role).tolist()}]
    found = tacit.evaluate(both, market, rounds=200, seed=5)
    (first, second), low = found["clearing_price"].per_seed, found["clearing_price"].low
    assert first > second
    assert low < second
    alone = tacit.evaluate(both[1], market, rounds=200, seed=6, seeds=1)
    assert alone["clearing_price"].per_seed == (second,)


def test_all_mistakes_are_told_at_once():
    given = {"bidder_0": "competitve", "bider_1": "random", "publisher": np.ones((1, 1))}
    with pytest.raises(ConfigError) as error:
        evaluate(given, {"name": "ad_auction", "publisher": True})
    assert error.value.mistakes == [
        "policies: unknown seat or role 'bider_1'. Did you mean 'bidder_1'?",
        "policies.bidder_0: unknown rule 'competitve'. Did you mean 'competitive'?",
        "policies: bidder_1 has none: a table, a policy of a run, or a rule such as 'competitive' "
        "or 'random'.",
    ]
    with pytest.raises(ConfigError, match=r"policies: bidder: must be of shape \(1, 19\)"):
        evaluate({"bidder": np.ones((2, 2))}, "ad_auction")
    with pytest.raises(ConfigError, match="unknown market 'ad_action'"):
        evaluate({}, "ad_action")
    for name in ("rounds", "seeds"):
        with pytest.raises(ConfigError, match=f"{name}: must be at least 1, got 0"):
            evaluate({"bidder": "random"}, "ad_auction", **{name: 0})


def test_what_no_repetition_has_is_not_a_number():
    found = seed_estimate("x", [None, float("nan")])
    assert (found.n, np.isnan(found.mean)) == (0, True)
    assert seed_estimate("x", [None, 2.0]).mean == 2.0
