"""The best-response benchmark of a KPI (mirror): a slow recomputation, known equilibria, payoff
histories that are observed or not; whether it has settled; harm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from support.every_market import CASES

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.objective import mirror as mirrors
from tacit.emergence.objective.goodhart import goodhart_gap
from tacit.emergence.objective.harm import (
    harm,
    harm_measures,
    long_run_measures,
    why_no_harm_split,
    why_no_mirror,
)
from tacit.emergence.objective.mirror import mirror
from tacit.emergence.objective.mirror_build import build_fictitious_play
from tacit.emergence.payoffs import fundamental_kpi, rewards_only_fundamentals
from tacit.emergence.population import freeze
from tacit.emergence.tree import payoff_history
from tacit.emergence.tree.payoff_history import payoff_histories
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

CALM = {"bidder": {"profit": 1.0, "price_change": -1.0}}


def auction(table=None, **config):
    market = make_market("ad_auction", config)
    return market, kpis.resolve(market, table)


def slow_play(payoff, x, steps, mean_past):
    """Fictitious play of two seats with B bids; `payoff(last, bids)` -> both payoffs."""
    count = len(x[0])
    x = [own.copy() for own in x]
    prices = np.minimum.outer(np.arange(count), np.arange(count))
    for t in range(steps):
        joint = np.outer(*x)
        history = (
            np.bincount(prices.ravel(), joint.ravel(), minlength=count) if mean_past else [1.0]
        )
        game = np.zeros((2, count, count))
        for last, chance in enumerate(history):
            game += chance * payoff[last]
        values = game[0] @ x[1], x[0] @ game[1]
        for own, value in zip(x, values, strict=True):
            best = value >= value.max() - 1e-9
            own += (best / best.sum() - own) / (t + 2)
    return x


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_compiled_fictitious_play_equals_a_slow_one(weight):
    """Second price, five bids; with a weight on |price - last price| the past is averaged over."""
    market, kpi = auction({"bidder": {"profit": 1.0, "price_change": weight}}, bids=5)
    found = payoff_histories(market, kpi, mirrors.MOST_ENDS)
    game = build_fictitious_play(found)
    x = mirrors.first_tables(game)
    before = x.copy()
    history = np.zeros((found.count, mirrors.STARTS))
    mirrors.compiled(mirrors.TEMPLATE).fictitious_play(game, x, 0, 50, history)
    bids, rows = np.array(market.grid), np.arange(5)
    price = np.minimum.outer(bids, bids)
    wins = np.sign(rows[:, None] - rows) / 2 + 0.5
    payoff = [
        np.array([wins * (1 - price), (1 - wins) * (1 - price)]) + weight * abs(price - last)
        for last in (bids if weight else [0.0])
    ]
    for b in range(0, mirrors.STARTS, 7):
        first = [before[:5, b], before[5:, b]]
        slow = np.concatenate(slow_play(payoff, first, 50, weight != 0))
        assert x[:, b] == pytest.approx(slow, abs=1e-9)


def test_best_replies_that_tie_share_the_step():
    """Paid nothing, every bid is a best reply: after the step of t = 0, half the way to even."""
    market, kpi = auction({"bidder": {"profit": 0.0}}, bids=5)
    found = payoff_histories(market, kpi, mirrors.MOST_ENDS)
    game = build_fictitious_play(found)
    x = mirrors.first_tables(game)
    before = x.copy()
    history = np.zeros((found.count, mirrors.STARTS))
    mirrors.compiled(mirrors.TEMPLATE).fictitious_play(game, x, 0, 1, history)
    assert x == pytest.approx(before + (1 / 5 - before) / 2)


def test_first_tables_are_probabilities_and_every_start_has_its_own():
    market, kpi = auction(bids=4)
    game = build_fictitious_play(payoff_histories(market, kpi, mirrors.MOST_ENDS))
    x = mirrors.first_tables(game)
    for first, last in pairwise(game.first_cell):
        assert x[first:last].sum(axis=0) == pytest.approx(np.ones(mirrors.STARTS))
    assert len(np.unique(x[0])) == mirrors.STARTS


def test_best_responders_to_profit_settle_on_the_competitive_price():
    for config, price in (({}, 0.95), ({"price_mix": 1.0}, 0.90)):
        market, kpi = auction(**config)
        found = mirror(market, kpi)
        assert found.exact
        assert found.mean("clearing_price") == pytest.approx(price, abs=0.001)
        assert harm(frozen(market, kpi, [5, 3]))["harm_kpi/revenue"] == pytest.approx(0.0)


def test_a_charge_on_volatility_lowers_what_best_responders_pay():
    """The ranges of the experiment: mirror between .555 and .899, the KPI's own share of harm."""
    market, kpi = auction(CALM)
    low, high = mirror(market, kpi).range("clearing_price")
    assert 0.5 <= low <= 0.65
    assert high == pytest.approx(0.9, abs=0.002)
    assert 0.68 < mirror(market, kpi).mean("clearing_price") < 0.78
    figures = harm(frozen(market, kpi, [17, 10]))
    learned = market.grid[10]
    assert figures["harm/revenue"] == pytest.approx(0.95 - learned, abs=1e-3)
    parts = figures["harm_kpi/revenue"] + figures["harm_learning/revenue"]
    assert parts == pytest.approx(figures["harm/revenue"], abs=1e-9)


def test_an_observed_history_has_a_table_each_and_a_partly_observed_one_is_refused():
    market, kpi = auction(CALM, observe="price", bids=4)
    found = payoff_histories(market, kpi, mirrors.MOST_ENDS)
    assert (found.count, found.seen) == (4, True)
    assert mirror(market, kpi).outcomes["clearing_price"].shape == (mirrors.STARTS,)
    every = payoff_histories(*auction(CALM, observe="bids", bids=4), mirrors.MOST_ENDS)
    assert (every.count, every.seen) == (4, True)  # sixteen pairs of bids make four prices
    blind = payoff_histories(*auction(CALM, bids=4), mirrors.MOST_ENDS)
    assert (blind.count, blind.seen) == (4, False)
    with pytest.raises(ConfigError, match="a part of the past"):
        payoff_histories(*auction(CALM, observe="price", bids=4, price_mix=0.5), mirrors.MOST_ENDS)
    with pytest.raises(ConfigError, match="depends here on the round before"):
        payoff_histories(*auction(CALM, bids=4, reserve=0.5), mirrors.MOST_ENDS)


def test_bounds_of_payoff_histories_are_exact(monkeypatch):
    """Four bids: 16 ends of a round, after each of 4 prices."""
    market, kpi = auction(CALM, bids=4)
    found = payoff_histories(market, kpi, 64)  # ends of all rounds after all histories
    assert (found.count, len(found.following)) == (4, 64)
    for most in (63, 15):
        with pytest.raises(ConfigError, match=f"can end in {64 if most > 15 else 16} ways"):
            payoff_histories(market, kpi, most)
    plain = auction(bids=4)
    assert payoff_histories(*plain, 16).count == 1
    with pytest.raises(ConfigError, match="can end in 16 ways"):
        payoff_histories(*plain, 15)
    monkeypatch.setattr(payoff_history, "MOST_PAIRS", 256)  # 16 pairs of bids stay in the state
    assert payoff_histories(market, kpi, 64).count == 4
    monkeypatch.setattr(payoff_history, "MOST_PAIRS", 255)
    with pytest.raises(ConfigError, match="256 pairs of rounds, over 255"):
        payoff_histories(market, kpi, 64)


def test_a_mirror_that_is_too_large_names_the_reason_and_an_alternative():
    market, kpi = auction(bidders=5)
    reason = why_no_harm_split(market, kpi)
    assert "can end in 2,476,099 ways here, over 60,000" in reason
    assert "KPI regret" in reason
    half, calm = auction(CALM, observe="price", bids=4, price_mix=0.5)
    assert why_no_harm_split(half, calm) is None  # it is found out by trying
    assert "a part of the past" in why_no_mirror(half, calm)
    tables = [uniform(seat.role) for seat in half.seats]
    assert np.isnan(harm(freeze(half, calm, tables, 0))["harm/revenue"])
    assert why_no_mirror(*auction(bids=4)) is None


@pytest.fixture
def few_steps(monkeypatch):
    """Mirrors of large rounds with a tenth of the steps, which no other test may find."""
    monkeypatch.setattr(mirrors, "STEPS", 400)
    monkeypatch.setattr(mirrors, "_KNOWN", {})


def test_suppliers_paid_for_bookings_overpromise_in_the_mirror_too(few_steps):
    """Several phases and private types: theory's late days, 1.5 of {0, 1, 2, 3}, and 0."""
    keys = {"suppliers": 2, "prices": [0.3, 0.4], "value": 1.2, "cost": 0.1, "scarcity": 0,
            "counters": False, "lead_times": [0, 1, 2, 3], "lead_cost": 0.06, "delay_cost": 0.15,
            "late_fine": 0.2}  # fmt: skip
    market = make_market("procurement", keys)
    booking = kpis.resolve(market, {"supplier": {"booking": 1.0}})
    assert mirror(market, booking).mean("late_days_per_deal") == pytest.approx(1.5, abs=0.01)
    ideal = mirror(market, fundamental_kpi(market))
    assert ideal.mean("late_days_per_deal") == pytest.approx(0.0, abs=0.01)
    assert harm_measures(market) == ["margin", "surplus", "welfare"]


def frozen(market, kpi, bids):
    tables = [deterministic(s.role, np.full(s.role.observations, b)) for s, b in
              zip(market.seats, bids, strict=True)]  # fmt: skip
    return freeze(market, kpi, tables, 0)


def test_a_mirror_says_whether_it_has_settled():
    """At weight -2 one start still drifts from one bid to another; at -1 all have settled."""
    market, kpi = auction(CALM)
    assert mirror(market, kpi).moved < 0.01
    figures = harm(frozen(market, kpi, [17, 10]))
    assert figures["mirror_moved"] == pytest.approx(mirror(market, kpi).moved)
    assert figures["mirror_exact"] == 1.0
    market, kpi = auction({"bidder": {"profit": 1.0, "price_change": -2.0}})
    assert 0.05 < mirror(market, kpi).moved <= 0.25


@pytest.mark.slow
def test_a_lottery_among_six_tenants_is_averaged_over_draws(few_steps):
    market = make_market("cloud_bandwidth", {"prices": 2, "tenants": 3, "capacity": 1})
    tables = [uniform(seat.role) for seat in market.seats]
    assert harm(freeze(market, None, tables, 0))["mirror_exact"] == 0.0


def test_movement_counts_what_play_comes_to():
    market, kpi = auction(bids=3)
    game = build_fictitious_play(payoff_histories(market, kpi, mirrors.MOST_ENDS))
    before = mirrors.first_tables(game)
    after = before.copy()
    after[0] += 0.125
    assert mirrors.movement(game, before, after) == pytest.approx(0.125)  # one phase: always


# --- harm -----------------------------------------------------------------------------------------


@pytest.mark.slow
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


def test_long_run_measures_are_exact_where_nobody_remembers():
    market, kpi = auction(value={"kind": "list", "values": [1.0, 3.0]}, bids=2)
    found = long_run_measures(freeze(market, kpi, [uniform(s.role) for s in market.seats], 0))
    # bids 1 and 2 at random: the price is 2 only if both bid it
    assert found["revenue"] == pytest.approx(0.25 * 2 + 0.75 * 1)
    assert found["welfare"] == pytest.approx(2.0)


def test_kpis_that_are_the_fundamental_in_another_unit():
    market, _ = auction()
    tables = {
        "profit": ({"bidder": {"profit": 2.0, "price_change": 0.0}}, True),
        "calm": (CALM, False),
        "rival": ({"bidder": {"profit": {"weight": 1.0, "scope": "rivals"}}}, False),
        "loss": ({"bidder": {"profit": -1.0}}, False),
    }
    for table, same in tables.values():
        assert rewards_only_fundamentals(market, kpis.resolve(market, table)) is same


def test_goodhart_gap_is_a_share_of_what_there_was():
    assert goodhart_gap([0.2, 1.0, -2.0, 0.0], [-0.1, 0.5, -3.0, 1.0]) == pytest.approx(
        [1.5, 0.5, 0.5, float("nan")], nan_ok=True
    )
