"""Patient replies on chains of two nodes, whose values are sums that can be done by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.populations import random_tables, scripted
from support.toy_markets.rules_only import RulesOnly

from tacit.agents.policy import uniform
from tacit.emergence.objective import patient_regret as patience
from tacit.emergence.objective.patient_regret import (
    best_within_sight,
    in_largest_payoffs,
    patient_gains,
    reachable,
    rounds_are_independent,
    why_no_patient_gains,
)
from tacit.emergence.play.chain import Chain, DecisionProblem
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

NO = -np.inf


def chain(payoffs, successor, seen, others=((1.0,),), discount=0.5, kpi=None):
    """A chain of one seat: payoffs `[N, A]`, successor `[N, A, R]`, what it observes `[N]`."""
    payoffs = np.array(payoffs, float)
    count = len(payoffs)
    problem = DecisionProblem(
        fundamental=payoffs,
        kpi=payoffs if kpi is None else np.array(kpi, float),
        successor=np.array(successor, np.int32).reshape(count, payoffs.shape[1], -1),
        probability=np.resize(np.array(others, float), (count, np.shape(others)[-1])),
        table=np.full(payoffs.shape, 1 / payoffs.shape[1]),
    )
    states, observations = np.zeros((count, 1)), np.array(seen)[:, None]
    return Chain(None, discount, states, observations, (problem,))


def best(made, weight):
    return best_within_sight(made, 0, "fundamental", np.array(weight, float))


# Action 0 is best in node 0, where it stays; in node 1 action 1 is, which stays there. The other
# action moves from node 0 to node 1, and waits in node 1 for nothing. Node 2 is never reached.
STAY_OR_LEAVE = {
    "payoffs": [[1, 0, NO], [0, 1, NO], [5, 5, 9]],
    "successor": [[0, 1, 2], [1, 1, 2], [2, 2, 2]],
}


def test_who_sees_the_node_takes_the_best_action_in_each():
    """1 a round for ever at discount .5 is 2, in either node."""
    assert best(chain(**STAY_OR_LEAVE, seen=[0, 1, 2]), [0.5, 0.5, 0]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("weight", "value"),
    [
        ([1, 0, 0], 2.0),  # always action 0: stays in node 0
        ([0, 1, 0], 2.0),  # always action 1
        ([0.5, 0.5, 0], 1.5),  # action 1: .5 x 2 from node 0, 2 from node 1; action 0: 2 and 0
        ([0.8, 0.2, 0], 1.6),  # action 0: .8 x 2
    ],
)
def test_who_does_not_see_it_takes_one_action_in_both(weight, value):
    assert best(chain(**STAY_OR_LEAVE, seen=[0, 0, 1]), weight) == pytest.approx(value)


def test_tables_times_nodes_that_are_reached_are_bounded(monkeypatch):
    """Two legal actions in two nodes that look alike: 2 tables x 2 nodes. Node 2 counts for none,
    nor does the action that is not legal in the others."""
    blind = chain(**STAY_OR_LEAVE, seen=[0, 0, 1])
    monkeypatch.setattr(patience, "MOST_TRIED", 4)
    assert best(blind, [0.5, 0.5, 0]) == pytest.approx(1.5)
    monkeypatch.setattr(patience, "MOST_TRIED", 3)
    assert best(blind, [0.5, 0.5, 0]) is None
    # A seat that sees the node needs none of them.
    assert best(chain(**STAY_OR_LEAVE, seen=[0, 1, 2]), [0.5, 0.5, 0]) == pytest.approx(2.0)


@pytest.mark.parametrize(("worse", "tried"), [(0.9e-6, 0), (1.1e-6, 2)])
def test_an_action_that_is_worse_by_a_millionth_is_as_good(worse, tried, monkeypatch):
    """Then one action is best in both nodes, and no table needs to be tried."""
    made = chain([[1, 0], [1 - worse, 1]], [[0, 0], [1, 1]], seen=[0, 0])
    monkeypatch.setattr(patience, "MOST_TRIED", 0)
    assert (best(made, [0.5, 0.5]) is None) == (tried > 0)
    monkeypatch.setattr(patience, "MOST_TRIED", 4)
    assert best(made, [0.5, 0.5]) == pytest.approx(2.0, abs=2e-6)


def test_nodes_are_reached_by_legal_actions_and_by_what_others_may_do():
    """From node 0 an illegal action leads to node 1, and others never do what leads to node 2."""
    successor = np.zeros((5, 2, 2), np.int32)
    successor[0] = [[0, 2], [1, 1]]
    successor[3] = [[4, 2], [3, 2]]
    successor[[1, 2, 4]] = np.array([1, 2, 4])[:, None, None]
    payoffs = [[0, NO], [0, 0], [0, 0], [0, 0], [0, 0]]
    made = chain(payoffs, successor, [0] * 5, others=((1.0, 0.0),))
    for start, found in (([0], [0]), ([3], [3, 4]), ([0, 3], [0, 3, 4]), ([1], [1])):
        assert reachable(made, 0, np.isin(np.arange(5), start)).tolist() == found


def test_payoffs_are_shares_of_the_largest_whatever_its_sign():
    made = chain([[-4, NO], [2, 1]], np.zeros((2, 2, 1)), [0, 1], kpi=[[0, NO], [0, 0]])
    scaled, size = in_largest_payoffs(made, 0, "fundamental")
    assert size == 4.0
    assert scaled.seats[0].fundamental.tolist() == [[-1, NO], [0.5, 0.25]]
    assert scaled.seats[0].kpi is made.seats[0].kpi
    scaled, size = in_largest_payoffs(made, 0, "kpi")  # pays nothing: nothing to divide by
    assert size == 1.0
    assert scaled.seats[0].fundamental is made.seats[0].fundamental


# --- gains of populations -------------------------------------------------------------------------


def test_gains_are_exact_where_play_ends_on_a_cycle(luck):
    assert patient_gains(scripted("collusive"), [0]).exact
    population = random_tables(luck)
    market = population.market
    mixed = freeze(market, population.kpi, [uniform(s.role) for s in market.seats], 0)
    assert not patient_gains(mixed, [0]).exact  # no path that ends on a cycle


def test_gains_are_not_exact_where_something_is_drawn_in_a_round(monkeypatch):
    population = scripted("collusive")
    made = patience.joint_chain(population)
    for draws in (False, True):
        drawn = replace(made, market=SimpleNamespace(play_draws=draws))
        monkeypatch.setattr(patience, "joint_chain", lambda _, drawn=drawn: drawn)
        assert patient_gains(population, [0]).exact is not draws


def test_a_seat_without_a_gain_has_none_and_the_order_is_that_of_the_seats():
    """At the highest of two prices both gain by undercutting; at the lowest nobody does."""
    low = scripted("competitive")
    assert patient_gains(low, [1, 0]).kpi == pytest.approx((0, 0), abs=1e-6)
    collusive = patient_gains(scripted("collusive"), [0, 1])
    assert min(collusive.fundamental) > 0.01
    assert collusive.kpi == collusive.fundamental  # paid for the fundamental
    market = make_market("cloud_bandwidth", {"start": "collusive", "cost": [1.0, 0.9]})
    unequal = scripted("collusive", market)
    first, second = patient_gains(unequal, [0, 1]).kpi
    assert patient_gains(unequal, [1, 0]).kpi == (second, first)
    assert first != second


def test_rounds_are_independent_where_nothing_is_carried_over(monkeypatch):
    def case(name, table=None, **config):
        market = make_market(name, config)
        return market, kpis.resolve(market, table)

    calm = {"bidder": {"profit": 1.0, "price_change": -1.0}}
    assert rounds_are_independent(*case("ad_auction"))
    assert not rounds_are_independent(*case("ad_auction", calm))  # the last price is paid for
    assert not rounds_are_independent(*case("ad_auction", observe="price"))  # and here it is seen
    assert not rounds_are_independent(*case("cloud_bandwidth"))
    assert rounds_are_independent(*case("cloud_bandwidth", memory=0))
    assert why_no_patient_gains(*case("cloud_bandwidth", memory=0, prices=2)) is None
    # A fundamental that depends on the past, of which no shipped market has one.
    monkeypatch.setattr(patience, "looks_back", lambda *_: False)
    monkeypatch.setattr(patience, "without_memory", lambda market: market)
    for past, expected in ((False, True), (True, False)):
        market = SimpleNamespace(
            measures=[SimpleNamespace(name="stock", past=past)],
            roles=[SimpleNamespace(fundamental="stock")],
        )
        assert rounds_are_independent(market, {}) is expected


def test_a_market_without_analysis_is_told_why():
    market = RulesOnly()
    reason = why_no_patient_gains(market, kpis.resolve(market, None))
    assert reason.startswith("rules_only declares no Analysis")
    assert reason.endswith("this probe needs its memoryless")
