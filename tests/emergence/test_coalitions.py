"""Revealed weights of known players, alliances, betrayals and their dates, rotation, leadership."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tacit.agents.policy import deterministic, uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.coalition import leadership, rotation
from tacit.emergence.coalition import revealed_weights as coalitions
from tacit.emergence.coalition.revealed_weights import (
    expected_payoffs,
    fit_jointly,
    fit_one_by_one,
    is_hostile,
    revealed_weights,
    why_no_weights,
)
from tacit.emergence.coalition.verdict import betrayed, coalition
from tacit.emergence.evidence import MIN_SEEDS, Evidence, TrainingCurve
from tacit.emergence.play.limit_path import LimitPath
from tacit.emergence.population import freeze
from tacit.emergence.stats import Estimate
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

VALUES = {"kind": "list", "values": [0.2, 0.4, 0.6, 0.8, 1.0]}
MARKET = make_market("ad_auction", {"bidders": 3, "value": VALUES})
KPI = kpis.resolve(MARKET, None)
NAMES = [seat.name for seat in MARKET.seats]


def truthful():
    """Everybody bids the grid bid nearest below its value."""
    return [np.array([3, 7, 11, 15, 18]) for _ in MARKET.seats]


def population(acts):
    return freeze(MARKET, KPI, [deterministic(MARKET.roles[0], a) for a in acts], 0)


def cares(seat: int, weights: dict[int, float]):
    """Everybody bids its value, but for one that replies best to profit and so much of others'."""
    payoff = expected_payoffs(population(truthful()), seat)
    paid = payoff[seat] + sum(w * payoff[j] for j, w in weights.items())
    acts = truthful()
    acts[seat] = paid.argmax(axis=1)
    return population(acts)


# --- weights --------------------------------------------------------------------------------------


def test_expected_payoffs_by_hand():
    """Bidding .95 against two truthful bidders of value 1 and .2 to 1: alone at the top or tied."""
    payoff = expected_payoffs(population(truthful()), 0)
    assert payoff.shape == (3, 5, 19)
    # value .2, bid .05: never wins; the others share what it leaves them
    assert payoff[0, 0, 0] == 0.0
    assert payoff[1, 0, 0] == pytest.approx(payoff[2, 0, 0])
    # P(value 1) x expected profit at .95: the price is the other two's higher bid; ties shared
    bids = np.array([0.2, 0.4, 0.6, 0.8, 0.95])
    high = np.maximum.outer(bids, bids)
    ties = (high == 0.95) * (1 + np.equal.outer(bids, bids))
    assert payoff[0, 4, 18] == pytest.approx(((1 - high) / (1 + ties)).mean() / 5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.2])
def test_a_best_reply_to_a_weight_is_explained_by_it(weight):
    """The fit is the least weight that leaves no regret: no more than the true one, and exact."""
    shown = cares(0, {1: weight})
    payoff, table = expected_payoffs(shown, 0), shown.tables[0]
    found = fit_one_by_one(table, payoff, 0)[1]
    assert found <= weight + 0.01
    for w, much in ((found, False), (weight, False), (max(0.0, found - 0.05), found > 0.05)):
        mixed = payoff[0] + w * payoff[1]
        regret = (mixed.max(axis=1) - (table * mixed).sum(axis=1)).sum()
        assert (regret > 1e-12) == much


def test_weights_rise_with_the_true_ones_and_name_the_partner():
    revealed = [revealed_weights(cares(0, {1: w})) for w in (0.0, 0.4, 0.8, 1.6)]
    own = [x["weight/bidder_0/bidder_1"] for x in revealed]
    assert own[0] == 0.0
    assert own == sorted(own)
    assert own[-1] > own[2] > 0
    assert all(x["weight/bidder_2/bidder_0"] == 0.0 for x in revealed)
    assert len(revealed[0]) == 6


def test_a_joint_fit_separates_partner_outsider_and_hostility():
    for weights in ({1: 0.8}, {1: 0.8, 2: -0.5}, {1: -0.6, 2: -0.6}):
        shown = cares(0, weights)
        payoff, table = expected_payoffs(shown, 0), shown.tables[0]
        found = fit_jointly(table, payoff, 0)
        mixed = np.tensordot(np.where(np.arange(3) == 0, 1.0, found), payoff, axes=1)
        regret = (mixed.max(axis=1) - (table * mixed).sum(axis=1)).sum()
        assert regret == pytest.approx(0.0, abs=1e-5)
        assert abs(found).sum() <= sum(abs(w) for w in weights.values()) + 1e-3
    assert (found[1:] < 0).any()


def test_hostile_kpis_are_fitted_jointly(monkeypatch):
    table = {"bidder": {"profit": 1.0, "spite": {"measure": "profit", "weight": -0.5,
                                                 "scope": "rivals"}}}  # fmt: skip
    assert is_hostile(kpis.resolve(MARKET, table))
    assert not is_hostile(KPI)
    asked = []
    monkeypatch.setattr(coalitions, "fit_jointly", lambda *_: asked.append(1) or np.zeros(3))
    revealed_weights(replace(population(truthful()), kpi=kpis.resolve(MARKET, table)))
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("ad_auction", {}, "three seats"),
        ("ad_auction", {"bidders": 3, "observe": "price"}, "remember"),
        ("ad_auction", {"bidders": 3, "publisher": True}, "several phases or roles"),
        ("procurement", {"suppliers": 3}, "several phases or roles"),
    ],
)
def test_where_weights_are_not_revealed_the_reason_is_named(name, config, reason):
    market = make_market(name, config)
    assert reason in why_no_weights(market, kpis.resolve(market, None))
    assert why_no_weights(MARKET, KPI) is None


# --- the word -------------------------------------------------------------------------------------


def evidence(pairs, curves=None, n=MIN_SEEDS):
    """Weights by pair of seat numbers, the same in every seed but for a little; others 0."""
    wobble = np.linspace(-0.02, 0.02, n)
    figures = {
        f"weight/{a}/{b}": list(pairs.get((i, j), 0.02) + wobble)
        for i, a in enumerate(NAMES)
        for j, b in enumerate(NAMES)
        if i != j
    }
    return Evidence(MARKET, KPI, figures, n, training_curves=curves or {})


def along(*means, spread=0.05):
    """A training curve of one weight."""
    points = tuple(Estimate(m, m - spread, m + spread, MIN_SEEDS) for m in means)
    return TrainingCurve(tuple(range(0, 100 * len(points), 100)), points)


PAIR = ("weight/bidder_0/bidder_1", "weight/bidder_1/bidder_0")


def test_an_alliance_is_mutual_and_beyond_what_third_parties_get():
    assert coalition(evidence({(0, 1): 0.5, (1, 0): 0.4})).word == "alliance"
    assert coalition(evidence({(0, 1): 0.9})).word == "no alliance shown"
    assert coalition(evidence({(0, 1): 0.12, (1, 0): 0.09})).word == "no alliance shown"
    everybody = {(i, j): 0.5 for i in range(3) for j in range(3)}
    assert coalition(evidence(everybody)).word == "no alliance shown"
    few = coalition(evidence({(0, 1): 0.5, (1, 0): 0.4}, n=MIN_SEEDS - 1))
    assert few.word == f"undecided at n = {MIN_SEEDS - 1}"
    assert "alliance" in few.missing[0]


@pytest.mark.parametrize(
    ("traitor", "loyal", "date"),
    [
        ((0.6, 0.5, 0.02, 0.0, 0.04), (0.6, 0.6, 0.6, 0.7, 0.7), 200),
        ((0.6, 0.02, 0.07, 0.0, 0.0), (0.6, 0.6, 0.6, 0.7, 0.7), 100),  # (not shown to be back)
        ((0.6, 0.0, 0.5, 0.0, 0.0), (0.6, 0.6, 0.6, 0.7, 0.7), 300),  # they made up in between
        ((0.6, 0.0, 0.0, 0.0, 0.5), (0.6, 0.6, 0.6, 0.7, 0.7), None),  # and in the end
        ((0.6, 0.0, 0.0, 0.0, 0.0), (0.6, 0.6, 0.0, 0.0, 0.0), None),  # both left
        ((0.0, 0.0, 0.0, 0.0, 0.0), (0.6, 0.6, 0.6, 0.7, 0.7), None),  # it never was an ally
    ],
)
def test_betrayal_is_dated(traitor, loyal, date):
    curves = dict(zip(PAIR, (along(*traitor), along(*loyal)), strict=True))
    e = evidence({(0, 1): traitor[-1], (1, 0): loyal[-1]}, curves)
    found = betrayed(e, "bidder_0", "bidder_1")
    assert (None if found is None else found.rounds) == date
    assert betrayed(e, "bidder_1", "bidder_0") is None
    if date is not None:
        verdict = coalition(e)
        assert verdict.word == "betrayal"
        assert f"bidder_0 left bidder_1: seen after {date} rounds" in verdict.evidence[0]


# --- rotation, leadership ------------------------------------------------------------------------


def test_rotation_is_found_and_random_play_is_not():
    config = {"observe": "bids", "bidders": 3, "bids": 5}
    market = make_market("ad_auction", config)
    rule = ScriptedConfig(rule="rotation")
    tables = [Scripted(rule, market, seat).table() for seat in market.seats]
    kpi = kpis.resolve(market, None)
    found = rotation.rotation(freeze(market, kpi, tables, 0))
    assert found["winner_dependence"] == pytest.approx(1.0)
    assert found["winner_turns"] == pytest.approx(1.5)  # always another; by luck 2 of 3 times
    random = rotation.rotation(freeze(market, kpi, [uniform(s.role) for s in market.seats], 0))
    assert random["winner_dependence"] < 0.01
    assert random["winner_turns"] == pytest.approx(1.0, abs=0.1)


def test_transition_figures_by_hand():
    streaks = np.array([[45.0, 5.0], [5.0, 45.0]])
    known, others = rotation.transition_figures(streaks, exact=True)
    assert others == pytest.approx(0.1 / 0.5)
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert known == pytest.approx(1 - entropy / np.log(2))
    assert rotation.transition_figures(streaks, exact=False)[0] == pytest.approx(
        known - 1 / 200 / np.log(2)
    )
    assert np.isnan(rotation.transition_figures(np.diag([7.0, 0.0]), exact=True)).all()


def test_who_rises_first_leads(monkeypatch):
    """Provider 1 follows each step of provider 0 a round later; a cycle of eight rounds."""
    market = make_market("cloud_bandwidth", {"prices": 5})
    leader = np.array([1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 1.0])
    price = market.columns["price"]
    measures = np.zeros((8, 3, len(market.measures)))
    measures[:, 0, price], measures[:, 1, price] = leader, np.roll(leader, 1)
    path = LimitPath(8, np.zeros((8, 1)), measures)
    monkeypatch.setattr(leadership, "limit_path", lambda _: path)
    found = leadership.leadership(SimpleNamespace(market=market))
    assert found["leadership/provider_0"] == pytest.approx(1.0)
    assert found["leadership/provider_1"] < 0.5
    assert found["rises_led"] == pytest.approx(1.0)
    still = LimitPath(1, np.zeros((1, 1)), measures[:1])
    monkeypatch.setattr(leadership, "limit_path", lambda _: still)
    assert np.isnan([*leadership.leadership(SimpleNamespace(market=market)).values()]).all()


def test_a_rise_is_led_by_whom_somebody_follows_who_did_not_rise_with_it():
    """Rows are rounds, columns seats; 1 is a rise."""
    rises = leadership.rises_led
    assert np.isnan(rises(np.array([[1.0, 1.0], [1.0, 1.0]])))  # both at once: nobody follows
    assert np.isnan(rises(np.array([[1.0, 0.0], [1.0, 0.0]])))  # the leader goes on alone
    assert rises(np.array([[1.0, 0.0], [1.0, 1.0]])) == 1.0  # the other follows it
    assert np.isnan(rises(np.array([[-1.0, 0.0], [0.0, 1.0]])))  # a cut is no rise
    # seat 1 follows 0, 2 follows 0, 1 follows 2: seat 0 leads two of three rises
    turns = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert rises(np.array(turns, float)) == pytest.approx(2 / 3)
    more = [*turns, [0, 0, 1], [1, 0, 0]]  # and 0 follows 2: two of four each
    assert rises(np.array(more, float)) == pytest.approx(2 / 4)


def test_where_rotation_and_leadership_do_not_apply_the_reason_is_named():
    kinds = {"cloud_bandwidth": "nobody wins", "procurement": "nobody wins"}
    for name, reason in kinds.items():
        market = make_market(name)
        assert reason in rotation.why_no_rotation(market, kpis.resolve(market, None))
    market = make_market("procurement")
    assert "winner_turns" in leadership.why_no_leadership(market, kpis.resolve(market, None))
