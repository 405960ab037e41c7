"""Free parts of actions, who loses by them, and what parts of observations are about."""

from __future__ import annotations

from functools import cache

import pytest
from support.toy_markets.rules_only import RulesOnly

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight.lint import lint, report_lines

SURGE = {
    "providers": 1, "cost": 0, "prices": 1, "price_range": [0.5, 0.5], "background_demand": 0,
    "capacity": 2, "tenants": 4,
}  # fmt: skip
TENDER = {
    "suppliers": 2, "prices": [0.3, 0.4], "value": 1.2, "cost": 0.1, "scarcity": 0,
    "counters": False, "lead_times": [0, 2], "lead_cost": 0.06, "delay_cost": 0.2,
}  # fmt: skip


def report(name, keys, kpi, script=None):
    """Lint of a market; `script`: seat -> rule."""
    market = make_market(name, keys)
    scripts = [
        Scripted(ScriptedConfig(rule=script[s.name]), market, s).table()
        if script and s.name in script
        else None
        for s in market.seats
    ]
    learned = [own is None for own in scripts]
    resolved = kpis.resolve(market, kpi)
    return lint("arm", market, resolved, learned, scripts, [0.0] * len(learned))


def free(found):
    return {f.free.part: f for f in found.findings if f.free is not None}


@cache
def surge(surcharge, measure):
    keys = {**SURGE, "priority_surcharge": surcharge}
    return report("cloud_bandwidth", keys, {"tenant": {measure: 1}}, {"provider_0": "competitive"})


@pytest.mark.slow
def test_priority_is_free_to_a_tenant_that_is_paid_for_uptime():
    found = surge(0.4, "uptime")
    assert found.severity == "high"
    finding = free(found)["priority"]
    assert (finding.free.value, finding.free.to) == ("standard", "critical")
    loser = finding.free.losers[0]
    assert (loser.owner, loser.measure, loser.counted) == ("tenant_0", "surplus", False)
    assert "exaggeration" in finding.free.reported


def test_priority_is_not_free_to_a_tenant_that_pays_for_it():
    assert surge(0.4, "surplus").findings == ()


def test_a_promise_is_free_to_who_is_paid_for_bookings():
    """Lead 2, promise 0: late fines of .2 x 2 are the supplier's own, and its KPI has them not."""
    found = report("procurement", {**TENDER, "late_fine": 0.2}, {"supplier": {"booking": 1}})
    finding = free(found)["promise"]
    assert (finding.free.value, finding.free.to, finding.free.where) == ("2", "0", "lead 2")
    assert finding.free.losers[0].owner == "supplier_0"
    assert {"late_days", "overpromise_days"} <= set(finding.free.reported)
    assert found.severity == "high"


def test_without_a_fine_a_scripted_buyer_that_trusts_is_unprotected():
    keys = {**TENDER, "late_fine": 0}
    kpi, script = {"supplier": {"booking": 1}}, {"buyer_0": "trusting"}
    finding = free(report("procurement", keys, kpi, script))["promise"]
    assert finding.severity == "high"
    assert finding.free.losers[0].owner == "buyer_0"
    # Paid for its margin, the market's rules and not the KPI leave the promise free.
    margin = free(report("procurement", keys, {"supplier": {"margin": 1}}, script))["promise"]
    assert margin.severity == "note"


def test_a_fine_that_is_felt_makes_the_promise_dear():
    found = report("procurement", {**TENDER, "late_fine": 0.2}, {"supplier": {"margin": 1}})
    assert found.severity in (None, "note")
    assert all(f.free.to != "0" for f in found.findings)


@pytest.mark.slow
def test_a_partner_s_profit_costs_the_seller():
    keys = {"bidders": 3, "value": {"kind": "list", "values": [0.2, 0.4, 0.6, 0.8, 1.0]}}
    partner = {"measure": "profit", "weight": 1}
    kpi = {
        "bidder_0": {"profit": 1, "partner": {**partner, "scope": "bidder_1"}},
        "bidder_1": {"profit": 1, "partner": {**partner, "scope": "bidder_0"}},
    }
    found = report("ad_auction", keys, kpi)
    (finding,) = found.findings
    assert finding.severity == "high"
    assert finding.harms[0].measure == "revenue"
    assert "bidder_0 is paid for bidder_1's profit" in finding.mechanism
    assert finding.repair.owner == "bidder_0 and bidder_1"


# --- data -----------------------------------------------------------------------------------------


def seen(found, owner):
    seat = next(s for s in found.seats if s.owner == owner)
    return {part.name: part for part in seat.sees}, seat.uses_rivals


@pytest.mark.parametrize("observe", ["none", "price", "bids"])
def test_parts_about_rivals_are_found_by_playing(observe):
    found = report("ad_auction", {"observe": observe, "bids": 5}, None)
    parts, uses = seen(found, "bidder")
    assert uses == (observe != "none")
    for name, part in parts.items():
        if name.startswith("last"):
            assert (part.rivals, part.rounds_old, part.public) == (True, 1, True)


def test_a_memory_of_two_rounds_is_two_rounds_old():
    found = report("cloud_bandwidth", {"memory": 2, "prices": 3}, None)
    parts, _ = seen(found, "provider")
    assert parts["earlier_price_0"].rounds_old == 2
    assert parts["last_price_0"].rounds_old == 1


def test_a_private_value_is_nobody_s_act():
    keys = {"value": {"kind": "list", "values": [0.5, 1.0]}, "bids": 3}
    parts, uses = seen(report("ad_auction", keys, None), "bidder")
    assert (parts["value"].rounds_old, parts["value"].public, uses) == (None, False, False)


# --- what is missing ------------------------------------------------------------------------------


def test_a_market_without_analysis_says_what_it_lacks():
    market = RulesOnly()
    kpi = kpis.resolve(market, {"seller": {"profit": 1, "sold": 0.5}})
    found = lint("arm", market, kpi, (True, True), (None, None), (0.9, 0.9))
    lines = report_lines(found)
    assert found.findings == ()
    assert any("declares no Analysis" in line for line in found.not_examined)
    assert any("term sold: not examined" in line for line in lines)
    assert any("last_price: rivals, 1 round old" in line for line in lines)


def test_an_arm_of_scripts_has_nothing_to_find():
    market = make_market("ad_auction", {"bids": 5})
    kpi = kpis.resolve(market, {"bidder": {"profit": 1, "price_change": -1}})
    table = Scripted(ScriptedConfig(rule="competitive"), market, market.seats[0]).table()
    found = lint("arm", market, kpi, (False, False), (table, table), (0.9, 0.9))
    assert found.findings == ()
    assert any("no seat learns" in line for line in found.not_examined)


def test_moves_in_turn_are_not_examined():
    keys = {
        "timing": "alternating", "demand": "linear", "reservation_price": 1, "cost": 0,
        "prices": 7, "price_range": [0, 1],
    }  # fmt: skip
    found = report("cloud_bandwidth", keys, None)
    assert any("binds the next one" in line for line in found.not_examined)


def test_never_a_clean_bill():
    for found in (report("ad_auction", {"bids": 5}, None), surge(0.4, "uptime")):
        text = "\n".join(report_lines(found)).lower()
        assert "compliant" not in text
        assert "not examined" in text
