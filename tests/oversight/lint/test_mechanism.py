"""Which profile the words about a mechanism are of, and below what a loss is none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.toy_markets.rules_only import RulesOnly

from tacit.emergence.payoffs import gain_unit
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight.lint import mechanism
from tacit.oversight.lint.stable import pricing
from tacit.oversight.lint.stable.pricing import price

CALM = {"bidder": {"profit": 1.0, "price_change": -1.0}}


@pytest.mark.parametrize(
    ("gains", "profile"),
    [
        ([0, 0.1, 0, 0, 0], 1),  # at the lowest of the stable prices somebody would gain
        ([9, 0, 0, 0.5, 0], 3),  # there nobody would: the highest, whoever gains elsewhere
    ],
)
def test_words_are_of_the_worst_profile_that_the_fundamental_would_leave(
    gains, profile, monkeypatch
):
    market = make_market("ad_auction", {"bids": 3})
    priced = price(market, kpis.resolve(market, CALM))
    play = SimpleNamespace(
        pricing=priced,
        stable=lambda weights: np.array([False, True, True, True, True]),
        measures=lambda: np.array([0.1, 0.2, 0.5, 0.9, 0.7]),
        gains=lambda weights: np.array([gains, np.zeros(5)]).T,
        learned=(True, True),
    )
    monkeypatch.setattr(mechanism, "measured", lambda market, measures, name: measures)
    looked_at = []

    def sway(play, found, column):
        assert column == market.columns["price_change"]
        looked_at.append(found)
        return [False, True], [True, True]

    monkeypatch.setattr(mechanism, "_sway", sway)
    monkeypatch.setattr(mechanism, "_setter_sentence", lambda play, *given: str(given[:3]))
    assert mechanism._who_moves_a_term(play) == [f"({profile}, 'price_change', [1])"]
    assert looked_at == [profile]
    play.stable = lambda weights: np.zeros(5, bool)
    assert mechanism._who_moves_a_term(play) == []


def test_a_loss_is_none_up_to_a_share_of_the_unit_and_without_a_unit_only_at_zero(monkeypatch):
    market = make_market("ad_auction")
    kpi = kpis.resolve(market, CALM)
    unit = gain_unit(market, market.roles[0])
    assert price(market, kpi).negligible == {"bidder": pytest.approx(0.05 * 0.45)}
    for size in (np.nan, np.inf):
        none = replace(unit, size=size)
        monkeypatch.setattr(pricing, "gain_unit", lambda *_, none=none: none)
        assert price(market, kpi).negligible == {"bidder": 0.0}
    monkeypatch.undo()
    bare = RulesOnly({})
    assert set(price(bare, kpis.resolve(bare, None)).negligible.values()) == {0.0}
