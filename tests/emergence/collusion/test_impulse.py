"""The impulse response of bidders whose answers are known by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from support.populations import default_kpi

from tacit.agents.policy import deterministic
from tacit.emergence.collusion import impulse as module
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


def test_rivals_are_all_but_the_deviator_and_means_are_over_deviations_that_pay(monkeypatch):
    """Three seats; seat 1 deviates twice with profit, seat 0 once without."""
    plain = np.ones((3, 16, 3))
    path = plain * [2.0, 4.0, 6.0]
    after = path.copy()
    after[:, 0] = [[9.0, 4.0, 6.0], [2.0, 1.0, 6.0], [2.0, 3.0, 6.0]]  # the deviator's own act
    after[:, 1] = [[9.0, 9.0, 9.0], [1.0, 9.0, 3.0], [3.0, 9.0, 7.0]]  # the answers
    opposite = path.copy()
    opposite[1] = np.nan  # at the end of the grid
    opposite[2, 1] = [4.0, 9.0, 8.0]
    d = SimpleNamespace(
        seat=np.array([0, 1, 1]), profitable=np.array([False, True, True]),
        before=np.array([[2.0, 4.0, 6.0], [4.0, 7.0, 8.0], [2.0, 5.0, 4.0]]),
        path=path, after=after, opposite=opposite, returned=np.array([1.0, 5.0, np.nan]),
    )  # fmt: skip
    monkeypatch.setattr(module, "deviations", lambda _: d)
    found = impulse(None)
    # rivals of seat 1 on the path: (2 + 6) / 2; their answers (1 + 3) / 2 and (3 + 7) / 2
    assert found["rival_response"] == pytest.approx((2 / 4 + 5 / 4) / 2 - 1)
    assert found["rival_response_opposite"] == pytest.approx(6 / 4 - 1)
    assert found["return_round"] == 5.0
    assert found["impulse/rival/0"] == pytest.approx((6 + 3) / 2)  # the round before
    assert found["impulse/rival/1"] == pytest.approx(4.0)  # the deviation's
    assert found["impulse/rival/2"] == pytest.approx(3.5)
    assert found["impulse/deviator/0"] == pytest.approx(6.0)
    assert found["impulse/deviator/1"] == pytest.approx(2.0)
    assert found["impulse/path/2"] == pytest.approx(4.0)
    assert found["impulse/relative/0"] == 1.0
    assert found["impulse/relative/2"] == pytest.approx(3.5 / 4)
    assert "impulse/rival/10" in found
    assert "impulse/rival/11" not in found
