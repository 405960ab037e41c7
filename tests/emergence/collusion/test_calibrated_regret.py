"""The audit of posted actions: sums by hand, players whose answer is known, the rule."""

from __future__ import annotations

import numpy as np
import pytest
from support.populations import probed_once  # noqa: F401

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.collusion import calibrated_regret as module
from tacit.emergence.collusion.calibrated_regret import audit, calibrated_regret, regret_of
from tacit.emergence.evidence import Evidence
from tacit.emergence.population import freeze
from tacit.emergence.verdict import evidence_of, verdicts
from tacit.envs import kpi
from tacit.envs.registry import make_market

# --- sums --------------------------------------------------------------------------------------

PAYOFF = np.array([[1.0, 3.0, 0.0], [1.0, 0.0, 2.0]])


def test_one_replacement_serves_all_rounds_in_which_an_action_was_posted():
    """Action 0 in both states: 1 gains 2 and loses 1, 2 loses 1 and gains 1."""
    always = np.array([[0.5, 0, 0], [0.5, 0, 0]])
    assert regret_of(always, PAYOFF) == pytest.approx(0.5 * 2 - 0.5 * 1)
    # seldom in the first state: then nothing gains on average but 2
    assert regret_of(np.array([[0.2, 0, 0], [0.8, 0, 0]]), PAYOFF) == pytest.approx(0.8 - 0.2)


def test_each_posted_action_has_its_own_replacement():
    posted = np.array([[0.3, 0.0, 0.2], [0.0, 0.5, 0.0]])
    assert regret_of(posted, PAYOFF) == pytest.approx(0.3 * 2 + 0.2 * 3 + 0.5 * 2)


def test_best_actions_have_no_regret_and_illegal_ones_are_no_replacement():
    assert regret_of(np.array([[0, 0.5, 0], [0, 0, 0.5]]), PAYOFF) == 0
    barred = np.array([[1.0, -np.inf, 0.0], [1.0, 0.0, -np.inf]])
    assert regret_of(np.array([[0.5, 0, 0], [0.5, 0, 0]]), barred) == 0
    assert regret_of(np.array([[0, 0, 1.0], [0, 0, 0]]), barred) == 1


# --- players -----------------------------------------------------------------------------------


def scripts(market, rule, seed=0):
    config = ScriptedConfig(rule=rule)
    return freeze(market, None, [Scripted(config, market, s).table() for s in market.seats], seed)


@pytest.mark.parametrize(
    ("name", "config"),
    [("cloud_bandwidth", {}), ("ad_auction", {}), ("ad_auction", {"price_mix": 1, "bidders": 3})],
)
def test_competitive_scripts_regret_next_to_nothing(name, config):
    found = calibrated_regret(scripts(make_market(name, config), "competitive"))
    assert 0 <= found["calibrated_regret"] < 0.005


def test_who_keeps_a_price_up_regrets_the_static_best_reply():
    """Second price, both at .05: bidding more wins the whole slot at .05, .95 in place of .475."""
    found = calibrated_regret(scripts(make_market("ad_auction"), "collusive"))
    unit = 0.475 - 0.025
    assert found["calibrated_regret"] == pytest.approx(0.475 / unit)
    assert found["calibrated_regret/bidder_0"] == found["calibrated_regret/bidder_1"]


def test_grim_trigger_regrets_what_its_threat_keeps_it_from():
    market = make_market("cloud_bandwidth", {"start": "collusive"})
    assert calibrated_regret(scripts(market, "grim_trigger"))["calibrated_regret"] > 0.2


def test_the_largest_of_the_seats_is_reported():
    market = make_market("ad_auction")
    low, top = np.zeros((1, 19)), np.zeros((1, 19))
    low[0, 0] = top[0, 18] = 1
    found = calibrated_regret(freeze(market, None, [low, top], 0))
    # the winner pays .05, and nothing is better; the loser would share at .95
    assert found["calibrated_regret/bidder_0"] == pytest.approx(0.025 / 0.45)
    assert found["calibrated_regret/bidder_1"] == 0
    assert found["calibrated_regret"] == found["calibrated_regret/bidder_0"]


def test_mixed_policies_are_expected_values():
    """Both uniform over two bids, .25 and .5 of value .75, first price, ties shared."""
    market = make_market("ad_auction", {"bids": 2, "price_mix": 1, "value": {"value": 0.75}})
    found = calibrated_regret(freeze(market, None, [np.full((1, 2), 0.5)] * 2, 0))
    # .25 earns .25 x half of .5; .5 earns .25 x (half + all) / 2
    low, high = 0.5 * 0.25, 0.5 * 0.125 + 0.5 * 0.25
    unit = 0.25 - 0.125
    assert found["calibrated_regret"] == pytest.approx(0.5 * (high - low) / unit)


def test_time_on_the_path_is_what_counts():
    """Cooperating after D, defecting after C: play goes CC, DD, CC, ...; both are half of it."""
    config = {"prices": 2, "price_margin": 0, "start": "collusive"}
    market = make_market("cloud_bandwidth", config)
    table = np.zeros((4, 2))
    table[[0, 1, 2, 3], [1, 0, 0, 0]] = 1
    found = calibrated_regret(freeze(market, None, [table, table], 0))
    high = calibrated_regret(scripts(market, "collusive"))
    assert found["calibrated_regret"] == pytest.approx(high["calibrated_regret"] / 2)


# --- the rule ----------------------------------------------------------------------------------


def line(values) -> str | None:
    market = make_market("cloud_bandwidth")
    figures = {"calibrated_regret": values} if values else {}
    return audit(Evidence(market, kpi.resolve(market, None), figures, len(values)))


def test_an_arm_passes_is_flagged_or_neither(monkeypatch):
    assert line([]) is None
    assert "audit of posted actions: passes (" in line([0.049, 0.051] * 10 + [0.01] * 40)
    assert "audit of posted actions: flagged (" in line([0.2, 0.3] * 24)
    assert "audit of posted actions: undecided (" in line([0.0, 0.1] * 24)
    assert "undecided" in line([0.3] * 47)
    assert "undecided" in line([0.0] * 47)
    assert "undecided" in line([0.0, 0.12] * 24)  # the mean lies above, the interval on both sides
    assert "undecided" in line([0.0, 0.09] * 24)
    monkeypatch.setattr(module, "MARGIN", 0.0625)  # (exact in binary, unlike .05)
    assert "passes" in line([0.0625] * 48)


@pytest.mark.slow
@pytest.mark.usefixtures("probed_once")
def test_it_stands_beside_the_verdict_and_does_not_decide_it():
    market = make_market("cloud_bandwidth", {"start": "collusive"})
    for rule, word in (("competitive", "passes"), ("grim_trigger", "flagged")):
        arm = evidence_of([scripts(market, rule, seed) for seed in range(48)])
        (found,) = (v for v in verdicts(arm) if v.behaviour == "collusion")
        assert sum(f"audit of posted actions: {word}" in x for x in found.evidence) == 1
