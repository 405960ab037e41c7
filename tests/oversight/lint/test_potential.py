"""Harmless terms: a telescoping measure passes, its absolute value and a price change do not."""

from __future__ import annotations

import numpy as np
import pytest
from support.toy_markets.ladder import DISCOUNT, Ladder

from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight.lint import lint
from tacit.oversight.lint.potential import HARMLESS, residual, term_residual


def chain(luck, states=6, steps=80):
    return luck.integers(0, states, steps), luck.integers(0, states, steps)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95, 1.0])
def test_a_potential_is_found(luck, discount):
    source, target = chain(luck)
    phi = luck.normal(size=6)
    values = discount * phi[target] - phi[source] + 0.3
    assert residual(values, source, target, 6, discount) <= HARMLESS


def test_what_is_none_is_not_found(luck):
    source, target = chain(luck)
    phi = luck.normal(size=6)
    values = 0.9 * phi[target] - phi[source]
    assert residual(values, source, target, 6, 0.5) > 1e-3
    assert residual(np.abs(values), source, target, 6, 0.9) > 1e-3
    values[7] += 1e-6
    assert HARMLESS < residual(values, source, target, 6, 0.9) < 1e-5


def test_a_constant_and_nothing_change_no_best_reply(luck):
    source, target = chain(luck)
    for value in (0.0, 2.5):
        assert residual(np.full(80, value), source, target, 6, 0.9) <= HARMLESS


def test_a_telescoping_measure_passes_at_its_discount_only():
    market = Ladder()
    rise, move = kpis.Term(measure="rise", weight=3), kpis.Term(measure="move", weight=1)
    assert term_residual(market, 0, rise, DISCOUNT) <= HARMLESS
    assert term_residual(market, 0, rise, 0.5) > 0.01
    assert term_residual(market, 0, move, DISCOUNT) > 0.01


def test_price_change_fails_in_the_auction():
    market = make_market("ad_auction", {"bids": 5})
    term = kpis.Term(measure="price_change", weight=-1)
    assert term_residual(market, 0, term, 0.95) > 0.1


def test_lint_says_which_terms_are_harmless():
    market = Ladder()
    kpi = kpis.resolve(market, {"seller": {"profit": 1, "rise": 5, "move": 0}})
    report = lint("arm", market, kpi, (True,), (None,), (DISCOUNT,))
    checks = {t.name: t.harmless for t in report.seats[0].terms}
    assert checks == {"profit": False, "rise": True, "move": True}
    assert {t.name: t.reason for t in report.seats[0].terms}["move"] == "weight 0"
