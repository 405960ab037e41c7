"""What an action is worth, term by term: sums that can be done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market
from tacit.oversight.true_values import (
    EVER_AFTER,
    EXPLORING,
    GREEDY,
    NEVER,
    ROUND,
    worth_of_actions,
)

TERMS = {
    "bidder_0": {"profit": 1.0},
    "bidder_1": {"win": 3.0, "profit": -2.0},
    "bidder_2": {"profit": 1.0, "win": 0.0, "spend": 1.0},
}


def auction(tables=None, **config):
    market = make_market("ad_auction", {"bids": 3, **config})  # .25, .5, .75
    tables = tables or [uniform(seat.role) for seat in market.seats]
    return market, tables


def test_terms_of_a_round_are_means_over_what_the_others_do():
    """Second price, value 1. bidder_0 bids .25 always, bidder_2 each bid a third of the time;
    terms are told before their weights, and of the seat that is asked about alone."""
    market, tables = auction(bidders=3)
    tables[0] = deterministic(market.seats[0].role, [0])
    population = freeze(market, kpis.resolve(market, TERMS), tables, 0)
    found = worth_of_actions(population, market.seats[1], 0, 0, np.zeros(1), [0, 1, 2])
    assert (found.covers, found.policies, found.reason, found.exact) == (ROUND, GREEDY, None, True)
    assert not found.is_never_reached
    win = [(1 / 3) / 3, (1 + 1 / 2) / 3, (1 + 1 + 1 / 2) / 3]
    profit = [
        0.75 * (1 / 3) / 3,
        (0.75 + 0.5 / 2) / 3,
        (0.75 + 0.5 + 0.25 / 2) / 3,
    ]
    for action in range(3):
        np.testing.assert_allclose(found.terms[action], [win[action], profit[action]])
    last = worth_of_actions(population, market.seats[2], 0, 0, np.zeros(1), [2], EXPLORING)
    assert list(last.terms) == [2]
    assert last.policies == EXPLORING
    # bidder_1 bids each a third of the time: bidder_2 wins at .25, at .5, and half of the time .75
    np.testing.assert_allclose(
        last.terms[2], [(0.75 + 0.5 + 0.125) / 3, 2.5 / 3, (0.25 + 0.5 + 0.375) / 3]
    )


def test_what_policies_never_come_to_is_said():
    """A publisher that always sets its first floor: a bidder that sees another one cannot tell."""
    market, tables = auction(publisher=True)
    (publisher,) = (seat for seat in market.seats if seat.role.name == "publisher")
    bidder, role = market.seats[0], market.seats[0].role
    tables[publisher.index] = deterministic(publisher.role, publisher.role.legal[:, 0])
    population = freeze(market, kpis.resolve(market, None), tables, 0)
    phase = next(p for p in range(len(market.phases)) if market.acts(bidder, p))
    asked = [o for o in range(role.observations) if role.legal[o, 1] > 1]
    found = [
        worth_of_actions(population, bidder, phase, o, np.zeros(market.state_width), [int(first)])
        for o, first in ((o, role.legal[o, 0]) for o in asked)
    ]
    never = [worth.is_never_reached for worth in found]
    assert never == [False] + [True] * (len(asked) - 1)
    assert {worth.reason for worth in found} == {None, NEVER}
    assert [len(worth.terms) for worth in found] == [1] + [0] * (len(asked) - 1)


def test_on_the_chain_later_rounds_count_by_the_seat_s_own_discount():
    """Prices that never change: one other price now, then the own one for ever."""
    market = make_market("cloud_bandwidth", {"prices": 4, "start": "collusive"})
    kpi = kpis.resolve(market, {"provider_0": {"price": -1.0, "profit": 2.0}})
    tables = [
        deterministic(seat.role, np.full(seat.role.observations, own))
        for seat, own in zip(market.seats, (2, 1), strict=True)
    ]
    population = replace(freeze(market, kpi, tables, 0), discounts=(0.75, 0.5))
    engine = Engine(market, kpi)
    engine.reset()
    state = engine.rows.state[0].copy()

    def measured(price):
        engine.step(np.array([[price, 1]]))
        return engine.measures[0, 0, [market.columns[name] for name in ("price", "profit")]].copy()

    now = [measured(price) for price in range(4)]
    found = worth_of_actions(population, market.seats[0], 0, 0, state, [0, 2, 3])
    assert (found.covers, found.reason, found.exact) == (EVER_AFTER, None, True)
    for action in (0, 2, 3):
        np.testing.assert_allclose(found.terms[action], now[action] + 3 * now[2], rtol=1e-6)
    half = replace(population, discounts=(0.5, 0.75))
    found = worth_of_actions(half, market.seats[0], 0, 0, state, [0])
    np.testing.assert_allclose(found.terms[0], now[0] + now[2], rtol=1e-6)


def test_why_it_is_not_told_is_said(monkeypatch):
    market = make_market("cloud_bandwidth", {"prices": 2})
    population = freeze(
        market, kpis.resolve(market, None), [uniform(s.role) for s in market.seats], 0
    )
    monkeypatch.setattr("tacit.oversight.true_values.build_chain", lambda frozen, states: None)
    found = worth_of_actions(population, market.seats[0], 0, 0, np.zeros(market.state_width), [0])
    assert found.terms == {}
    assert (found.covers, found.reason) == (
        EVER_AFTER,
        "the joint chain from here on is too large",
    )
    monkeypatch.setattr("tacit.oversight.true_values.why_no_chain", lambda *_: "not here")
    found = worth_of_actions(population, market.seats[0], 0, 0, np.zeros(market.state_width), [0])
    assert (found.terms, found.reason) == ({}, "not here")
