"""By which measures harm is judged: what every shipped market declares."""

from __future__ import annotations

import pytest
from support.every_market import CASES

from tacit.emergence.objective.harm import harm_measures
from tacit.envs.registry import make_market


@pytest.mark.parametrize("case", CASES)
def test_harm_is_judged_by_what_is_money_and_better_high(case):
    """A role's fundamental or the market's own; in cheap talk nothing is money."""
    market = make_market(*case)
    good = [m for m in market.measures if m.sign > 0 and m.unit == "money"]
    fundamentals = {role.fundamental for role in market.roles}
    expected = [m.name for m in good if m.name in fundamentals or "market" in m.roles]
    assert harm_measures(market) == expected
    assert bool(expected) == (market.name != "cheap_talk")


@pytest.mark.parametrize("case", CASES)
def test_the_welfare_that_a_market_declares_is_a_measure_of_its_own(case):
    market = make_market(*case)
    assert market.welfare in [measure.name for measure in market.measured("market")]
