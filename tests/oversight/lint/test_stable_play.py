"""Stable play, its harm, its repair and what patience changes, by values known by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight.lint import check, lint
from tacit.oversight.lint.check import PATIENT, ROUND_BY_ROUND
from tacit.oversight.lint.harms import harms
from tacit.oversight.lint.repair import changed, smallest_repair
from tacit.oversight.lint.stable.choice import measured, stable_play
from tacit.oversight.lint.stable.pricing import price
from tacit.oversight.lint.stable.profiles import ProfileGame

GRID = [k / 20 for k in range(1, 20)]  # bids of the default auction


def auction(weight, **keys):
    market = make_market("ad_auction", keys)
    kpi = {"bidder": {"profit": 1, "price_change": weight}}
    pricing = price(market, kpis.resolve(market, kpi))
    play, reason = stable_play(pricing, (True, True), (None, None))
    assert reason is None
    return pricing, play


@cache
def auction_report(weight, **keys):
    market = make_market("ad_auction", keys)
    kpi = kpis.resolve(market, {"bidder": {"profit": 1, "price_change": weight}})
    return lint("arm", market, kpi, (True, True), (None, None), (0.95, 0.95))


def payoff(mix, weight, last, own, other):
    """A bidder's KPI payoff, written anew: value 1, ties shared."""
    cleared = mix * max(own, other) + (1 - mix) * min(own, other)
    won = 1.0 if own > other else 0.5 if own == other else 0.0
    return won * (1 - cleared) + weight * abs(cleared - last)


def stable_by_hand(mix, weight):
    found = []
    for a in GRID:
        for b in GRID:
            last = mix * max(a, b) + (1 - mix) * min(a, b)
            best_a = max(payoff(mix, weight, last, x, b) for x in GRID)
            best_b = max(payoff(mix, weight, last, x, a) for x in GRID)
            if (
                best_a <= payoff(mix, weight, last, a, b) + 1e-9
                and best_b <= payoff(mix, weight, last, b, a) + 1e-9
            ):
                found.append(round(last, 9))
    return sorted(found)


@pytest.mark.parametrize("mix", [0, 0.5, 1])
@pytest.mark.parametrize("weight", [0, -0.02, -0.25, -1, -2, 0.5])
def test_stable_prices_are_those_of_a_program_written_anew(mix, weight):
    pricing, play = auction(weight, price_mix=mix)
    assert isinstance(play, ProfileGame)
    outcomes = play.outcomes(pricing.weights)
    expected = stable_by_hand(mix, weight)
    if outcomes is None:
        assert expected == []
    else:
        prices = measured(pricing.market, outcomes, "clearing_price")
        assert sorted(np.round(prices, 9)) == pytest.approx(expected)


def test_second_price_at_weight_minus_one_keeps_every_price():
    """A loser at price p gains .025 by a tie at the top bid .95 and pays .95 - p for it: every p up
    to .925 stays, and .95."""
    report = auction_report(-1)
    assert report.severity == "high"
    assert report.stable.kpi == (0.05, 0.95)
    assert report.stable.fundamentals == (0.95, 0.95)
    harm = report.findings[0].harms[0]
    assert (harm.measure, harm.amount) == ("revenue", pytest.approx(0.9))
    assert harm.share == pytest.approx(0.9 / 0.95)
    assert "the loser sets what price_change is measured of" in report.findings[0].mechanism


def test_the_smallest_repair_is_the_border():
    """The lowest price .05 goes when .025 exceeds weight x .90: at 1/36."""
    repair = auction_report(-1).findings[0].repair
    assert (repair.owner, repair.term, repair.weight) == ("bidder", "price_change", -1)
    assert repair.to == pytest.approx(-1 / 36, abs=2e-5)
    assert repair.within <= 2e-5
    assert auction_report(repair.to).severity is None
    assert auction_report(repair.to - 2 * repair.within).severity == "high"


def test_in_first_price_the_kpi_widens_the_range_downwards():
    """(b, b) is kept if 1 - b - .05 - .05 w <= (1 - b) / 2: from .8 on at weight -1, .9 at 0."""
    report = auction_report(-1, price_mix=1)
    assert report.stable.kpi == pytest.approx((0.8, 0.95))
    assert report.stable.fundamentals == pytest.approx((0.9, 0.95))
    assert report.findings[0].repair.to == pytest.approx(-0.5, abs=1e-4)


def test_profit_alone_passes():
    for mix in (0, 0.5, 1):
        report = auction_report(0, price_mix=mix)
        assert (report.findings, report.patience.words) == ((), PATIENT)


def test_a_patient_bidder_leaves_most_of_the_stable_prices():
    """At weight -.25 a loser that goes to the top bid pays once and earns for ever: .95 is left."""
    report = auction_report(-0.25)
    assert report.patience.words == ROUND_BY_ROUND
    assert report.patience.stable == 1
    assert report.patience.range == (0.95, 0.95)
    # From (.85, .05): bid .9 for ever, winning at .85: .15 a round, less .25 x .8 once.
    pricing, play = auction(-0.25)
    gains = play.patient_gains(pricing.weights, (0.95, 0.95))
    at = play.sizes[1] * 16 + 0  # bids .85 and .05
    best = (1 - 0.85) - (1 - 0.95) * 0.25 * (0.85 - 0.05)
    assert gains[at, 1] == pytest.approx(best)


def test_gains_of_one_round_are_none_without_a_reason():
    pricing, play = auction(-1)
    stable = play.stable(pricing.weights)
    assert play.gains(pricing.weights)[stable].max() <= 1e-9
    assert play.patient_gains(pricing.weights, (0.0, 0.0))[stable].max() <= 1e-9


def test_a_repair_that_does_not_exist_is_none():
    pricing, _ = auction(-1)
    assert smallest_repair(pricing, lambda weights: True, 0.1) is None


def test_a_repair_finds_the_nearest_of_several_weights():
    """Gone above profit 1.5 or above price_change -.9: the second is nearer."""
    pricing, _ = auction(-1)
    bidder = pricing.groups[0]
    profit, change = (pricing.places(bidder, name) for name in ("profit", "price_change"))

    def bad(weights):
        return weights[profit][0] < 1.5 and weights[change][0] < -0.9

    repair = smallest_repair(pricing, bad, 1e-4)
    assert (repair.term, repair.to) == ("price_change", pytest.approx(-0.9, abs=1e-3))
    assert not bad(changed(pricing, change, repair.to))


def test_harm_is_none_below_what_counts():
    pricing, play = auction(-1)
    ideal = play.outcomes(pricing.ideal)
    assert harms(pricing, ideal, ideal) == []


def test_best_responders_do_what_the_longer_benchmark_does():
    """Savings without surplus: the clause goes, which costs the buyer .18 (and .016 of price)."""
    keys = {
        "suppliers": 2, "prices": [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], "value": 0.9, "cost": 0.1,
        "scarcity": 0, "counters": False, "clause": {},
    }  # fmt: skip
    market = make_market("procurement", keys)
    kpi = kpis.resolve(market, {"buyer": {"savings": 1}})
    report = lint("arm", market, kpi, (True,) * 3, (None,) * 3, (0.0,) * 3)
    assert report.severity == "high"
    stable, free = (f for f in report.findings)
    assert {h.measure for h in stable.harms} == {"surplus", "welfare"}
    assert (free.free.part, free.free.to) == ("clause", "dropped")
    assert "customs_delay" in free.free.reported
    # The clause costs its supplier .05: a charge on dropping it must be more.
    assert stable.repair.term == "clause_dropped"
    assert stable.repair.to == pytest.approx(-0.05, abs=0.01)
    assert abs(stable.repair.to) > 0.05


# --- where there is none -------------------------------------------------------------------------


class Settled:
    """Stable play that is given: under the fundamentals, and under the KPIs."""

    method = "given"

    def __init__(self, pricing, ideal, own):
        self.pricing, self.ideal, self.own = pricing, ideal, own

    def outcomes(self, weights):
        return self.ideal if np.array_equal(weights, self.pricing.ideal) else self.own


def test_without_stable_play_on_one_side_nothing_is_compared():
    pricing, _ = auction(-1.0)
    some = np.zeros((1, 3, len(pricing.market.measures)))
    for ideal, own, whose in ((None, some, "the fundamentals"), (some, None, "the KPIs")):
        left_out = []
        found = check._stable_findings(pricing, Settled(pricing, ideal, own), left_out)
        assert found == (None, [])
        assert left_out == [
            f"stable play: under {whose} there is none of this kind (given)",
        ]
    left_out = []
    shown, findings = check._stable_findings(pricing, Settled(pricing, some, some), left_out)
    assert (findings, left_out) == ([], [])
    assert (shown.kpi, shown.fundamentals, shown.method) == ((0.0, 0.0), (0.0, 0.0), "given")


def test_why_patience_is_not_examined_is_said():
    pricing, _ = auction(-1.0)
    for play, reason in (
        (None, "patience: without stable play there is nothing to leave"),
        (Settled(pricing, None, None), "patience: the KPI looks back and a round has several"),
    ):
        left_out = []
        assert check._patience(pricing, play, (0.5, 0.95), left_out) is None
        assert left_out[0].startswith(reason)
    market = make_market("ad_auction")
    calm = price(market, kpis.resolve(market, None))
    found = check._patience(calm, Settled(calm, None, None), (0.5, 0.95), [])
    assert (found.words, found.gain, found.discount, found.of) == (PATIENT, 0.0, 0.95, 0)
