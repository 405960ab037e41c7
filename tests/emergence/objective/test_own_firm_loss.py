"""What a KPI costs its own firm: known cases, computed a second way."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

import tacit
from tacit.emergence.objective.own_firm_loss import alone, own_firm_loss, together
from tacit.emergence.registry import PROBES
from tacit.envs import kpi as kpis

BIDS = [round(0.05 * k, 2) for k in range(1, 20)]  # of the default grid; a click is worth 1
TOP = 18  # the highest bid's index


def always(market, *actions):
    """Policy tables that always play these actions."""
    tables = []
    for seat, action in zip(market.seats, actions, strict=True):
        table = np.zeros((seat.role.observations, seat.role.actions))
        table[:, action] = 1.0
        tables.append(table)
    return tables


def bidders(kpi, rival, own=3, price_mix=1):
    """Two bidders of which the first, under `kpi`, has learned; the other always bids `rival`."""
    market = tacit.make_market("ad_auction", {"price_mix": price_mix})
    table = kpis.resolve(market, {"bidder": {"profit": 1.0}, "bidder_0": kpi})
    frozen = tacit.freeze(market, table, always(market, own, rival), 0)
    return replace(frozen, learned=(True, False))


@pytest.mark.parametrize("rival", [0, 5, 9, 14])
def test_paid_for_wins_alone_a_firm_loses_about_half_of_its_profit(rival):
    """By hand: each bid above the rival's is as good to the KPI; the lowest earns most."""
    above = [1 - bid for bid in BIDS[rival + 1 :]]
    found = own_firm_loss(bidders({"win": 1.0}, rival))
    assert found["own_firm_loss/bidder_0"] == pytest.approx(max(above) - np.mean(above))
    assert found["own_firm_loss"] == found["own_firm_loss/bidder_0"]
    assert "own_firm_loss/bidder_1" not in found  # it has not learned
    share = found["own_firm_loss_share"]
    assert share == pytest.approx(found["own_firm_loss"] / max(above))
    assert 0.35 < share < 0.5


@pytest.mark.parametrize("kpi", [{"profit": 1.0}, {"profit": 7.0}, {"profit": 1.0, "win": 0.0}])
@pytest.mark.parametrize("rival", [0, 9, TOP])
def test_paid_for_its_profit_a_firm_loses_nothing(kpi, rival):
    assert set(own_firm_loss(bidders(kpi, rival)).values()) == {0.0}


def test_what_it_has_learned_plays_no_part():
    losses = [own_firm_loss(bidders({"win": 1.0}, 5, own=own)) for own in (0, 5, TOP)]
    assert losses[0] == losses[1] == losses[2]


def test_all_paid_for_wins_earn_half_although_nobody_could_do_better_alone():
    """In first price the mirror of profit is a bid of .90 each, that of wins .95 each."""
    market = tacit.make_market("ad_auction", {"price_mix": 1})
    kpi = kpis.resolve(market, {"bidder": {"win": 1.0}})
    frozen = tacit.freeze(market, kpi, always(market, TOP, TOP), 0, learned=True)
    assert [c.loss for c in alone(frozen)] == [0.0, 0.0]
    for found in together(frozen):
        assert found.by_fundamental == pytest.approx((1 - 0.90) / 2, abs=1e-3)
        assert found.by_kpi == pytest.approx((1 - 0.95) / 2, abs=1e-3)
    assert own_firm_loss(frozen)["own_firm_loss_share"] == pytest.approx(0.5, abs=0.01)


def test_another_s_kpi_is_no_loss_by_one_s_own():
    market = tacit.make_market("ad_auction", {"price_mix": 1})
    kpi = kpis.resolve(market, {"bidder": {"profit": 1.0}, "bidder_0": {"win": 1.0}})
    frozen = tacit.freeze(market, kpi, always(market, TOP, TOP), 0, learned=True)
    found = own_firm_loss(frozen)
    assert found["own_firm_loss/bidder_1"] == 0.0 < found["own_firm_loss/bidder_0"]
    assert found["own_firm_loss"] == pytest.approx(found["own_firm_loss/bidder_0"] / 2)


def test_a_kpi_that_makes_its_firm_richer_costs_it_nothing():
    """Charged for changes of the price, bidders leave each other more profit than without."""
    market = tacit.make_market("ad_auction", {"price_mix": 0})
    kpi = kpis.resolve(market, {"bidder": {"profit": 1.0, "price_change": -1.0}})
    frozen = tacit.freeze(market, kpi, always(market, 5, 5), 0, learned=True)
    assert all(found.loss < 0 for found in together(frozen))
    assert own_firm_loss(frozen)["own_firm_loss"] >= 0


def test_a_charge_on_changes_keeps_a_loser_where_it_is():
    """Second price, bids .30 and .75: to outbid moves the price from .30 to .75 and earns .25."""
    market = tacit.make_market("ad_auction", {"price_mix": 0})
    kpi = kpis.resolve(market, {"bidder": {"profit": 1.0, "price_change": -1.0}})
    frozen = tacit.freeze(market, kpi, always(market, 5, 14), 0, learned=True)
    found = own_firm_loss(frozen)
    assert found["own_firm_loss/bidder_0"] == pytest.approx(0.25)
    assert found["own_firm_loss/bidder_1"] == 0.0


def test_where_rounds_cannot_be_gone_through_it_is_not_a_number(monkeypatch):
    from tacit.emergence.objective import own_firm_loss as module
    from tacit.envs.errors import ConfigError

    def refuse(*_):
        raise ConfigError("too large")

    monkeypatch.setattr(module, "enumerate_round", refuse)
    found = own_firm_loss(bidders({"win": 1.0}, 5))
    assert set(found) == {"own_firm_loss", "own_firm_loss/bidder_0", "own_firm_loss_share"}
    assert all(isnan(x) for x in found.values())


def test_it_runs_with_every_other_probe():
    probe = PROBES["own_firm_loss"]
    population = bidders({"win": 1.0}, 5)
    assert probe.applies(population.market, population.kpi)
    names = [name for name in probe.run(population) if name not in probe.figures]
    assert all(name.startswith("own_firm_loss/") for name in names)
