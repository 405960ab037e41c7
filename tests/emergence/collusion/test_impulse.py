"""The impulse response of bidders whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from support.populations import default_kpi

from tacit.agents.policy import deterministic
from tacit.emergence.collusion.impulse import impulse
from tacit.emergence.play.deviations import deviations
from tacit.emergence.population import freeze
from tacit.envs.registry import make_market


def test_only_deviations_that_pay_are_followed_the_other_way():
    """Second price: the first bidder wins with .5 over .2, pays .2, and gains nothing by bidding
    less; the second gains by outbidding it. The first answers any change by .75."""
    market = make_market("ad_auction", {"observe": "bids", "price_mix": 0.0})
    first, second = market.seats
    acts = np.full((2, first.role.observations), 3)  # a bid of .2
    for o in range(first.role.observations):
        last = market.analysis.last_actions(first, o)[second.name]
        acts[0, o] = 9 if last in (None, 3) else 14  # .5 or .75
    tables = [deterministic(seat.role, a) for seat, a in zip(market.seats, acts, strict=True)]
    population = freeze(market, default_kpi(market), tables, 0)
    d = deviations(population)
    assert d.profitable.tolist() == [False, True]
    assert np.isfinite(d.opposite).all()
    assert impulse(population)["rival_response_opposite"] == pytest.approx(0.75 / 0.5 - 1)
