"""The cap under which a bot may park, read from a KPI term or a breaker of the configuration."""

from __future__ import annotations

import pytest

from tacit.training.config.load import load
from tacit.training.own_agent.examine import examine
from tacit.training.own_agent.findings import PARKS, findings
from tacit.training.own_agent.matches import play_matches
from tacit.training.own_agent.subject import find_subject, found_caps

MARKET = {"name": "cloud_bandwidth", "prices": 6}  # 1.43 .. 1.97
CHARGE = {"measure": "price", "weight": -1.0, "transform": "above", "threshold": 1.8}
KPI = {"kpi": {"provider": {"profit": 1.0, "dear": CHARGE}}}
BREAKER = {"breakers": {"dear": {"watch": "price", "high": 1.7, "action": "stop"}}}


def arm(**more):
    return load({"market": MARKET, **more}).arms["base"]


@pytest.mark.parametrize(
    ("config", "cap", "where"),
    [
        (KPI, 1.8, "the KPI term kpi.provider_0.dear"),
        (BREAKER, 1.7, "the breaker breakers.dear"),
        (KPI | BREAKER, 1.7, "the breaker breakers.dear"),
    ],
)
def test_it_is_the_lowest_and_says_where_it_stands(config, cap, where):
    assert found_caps(arm(**config), "provider_0")[0] == (("price", cap), where)


def test_what_pays_for_a_price_or_binds_nobody_is_no_cap():
    paid = {"kpi": {"provider": {"high": {**CHARGE, "weight": 1.0}}}}
    loose = {"breakers": {"dear": {"watch": "price", "high": 9.0, "action": "stop"}}}
    other = {"breakers": {"rich": {"watch": "profit/provider_0", "high": 1.5, "action": "stop"}}}
    assert [found_caps(arm(**config), None) for config in ({}, paid, loose, other)] == [()] * 4


def test_the_exam_names_a_bot_that_parks_under_the_cap_of_a_breaker():
    own = arm(**BREAKER)
    caps = found_caps(own, None)
    subject = find_subject("cap_parker", own.market, None, caps[0][0])
    found = examine(own, subject, lambda what: None, caps=caps, seeds=4, learned_seeds=0)
    assert "parks under the cap" in found.named
    assert found.about[-1] == "cap: price at most 1.7, by the breaker breakers.dear"


# --- keys of markets ------------------------------------------------------------------------------

TENDER = {"name": "procurement", "suppliers": 2, "prices": [0.3, 0.5, 0.7, 0.8, 1.1]}
DEMANDS = {"name": "cloud_bandwidth", "prices": 6, "demand": "unit", "price_range": [1.1, 2.5]}


@pytest.mark.parametrize(
    ("market", "caps"),
    [
        (TENDER, {("price", 0.72): "outside_price", ("price", 1.0): "value"}),
        (TENDER | {"outside_price": 1.5}, {("price", 1.0): "value"}),  # binds no price
        (TENDER | {"outside_price": 0.2}, {("price", 1.0): "value"}),  # below all of them
        (DEMANDS, {("price", 2.0): "reservation_price"}),
        (DEMANDS | {"demand": "logit"}, {}),  # which knows no price that nobody pays
        (MARKET, {}),
    ],
)
def test_keys_of_the_market_that_bound_an_action(market, caps):
    own = load({"market": market}).arms["base"]
    expected = {cap: f"the key market.{key}" for cap, key in caps.items()}
    assert dict(found_caps(own, None)) == expected


def test_a_cap_of_another_role_is_none():
    assert found_caps(load({"market": TENDER}).arms["base"], "buyer_0") == ()


def parking(market, agent):
    """The finding about a scripted player, and the caps that are known; best responses, which take
    their time, are left out."""
    own = load({"market": market}).arms["base"]
    first = found_caps(own, None)
    subject = find_subject(agent, own.market, None, first[0][0])
    caps = found_caps(own, subject.seat)
    matches = play_matches(own, subject, 4, 0, lambda what: None).played
    found = findings(matches, [cap for cap, _ in caps], {})
    return next(f for f in found if f.name == PARKS), caps


@pytest.mark.parametrize(("market", "part"), [(TENDER, "up to 0.72"), (DEMANDS, "up to 2")])
def test_who_parks_under_a_key_of_the_market_is_named(market, part):
    finding, caps = parking(market, "cap_parker")
    assert finding.holds
    assert finding.word == f"price at the last value {part}"
    assert caps


@pytest.mark.parametrize(
    ("market", "rule", "tested"),
    [(TENDER, "truthful", True), (DEMANDS, "competitive", True), (TENDER, "trusting", False)],
)
def test_honest_players_beside_a_key_of_the_market_are_not_named(market, rule, tested):
    finding, _ = parking(market, rule)
    assert finding.holds is (False if tested else None)
