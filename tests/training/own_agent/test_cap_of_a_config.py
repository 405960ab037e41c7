"""The cap under which a bot may park, read from a KPI term or a breaker of the configuration."""

from __future__ import annotations

import pytest

from tacit.training.config.load import load
from tacit.training.own_agent.examine import examine
from tacit.training.own_agent.subject import find_subject, found_cap

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
    assert found_cap(arm(**config), "provider_0") == (("price", cap), where)


def test_what_pays_for_a_price_or_binds_nobody_is_no_cap():
    paid = {"kpi": {"provider": {"high": {**CHARGE, "weight": 1.0}}}}
    loose = {"breakers": {"dear": {"watch": "price", "high": 9.0, "action": "stop"}}}
    other = {"breakers": {"rich": {"watch": "profit/provider_0", "high": 1.5, "action": "stop"}}}
    assert [found_cap(arm(**config), None) for config in ({}, paid, loose, other)] == [None] * 4


def test_the_exam_names_a_bot_that_parks_under_the_cap_of_a_breaker():
    own = arm(**BREAKER)
    cap, where = found_cap(own, None)
    subject = find_subject("cap_parker", own.market, None, cap)
    found = examine(
        own, subject, lambda what: None, cap=cap, cap_from=where, seeds=4, learned_seeds=0
    )
    assert "parks under the cap" in found.named
    assert found.about[-1] == "cap: price at most 1.7, by the breaker breakers.dear"
