"""Regrets: by hand, by closed form, by brute force; their scale; in one round and patient."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.collusion.temptation import TEMPTING, temptation
from tacit.emergence.objective import patient_regret as patience
from tacit.emergence.objective.kpi_scale import kpi_scales
from tacit.emergence.objective.mirror import mirror
from tacit.emergence.objective.patient_regret import why_no_patient_gains
from tacit.emergence.objective.regret import memoryless_projection, regret, regrets, why_no_regret
from tacit.emergence.objective.round_beginnings import round_beginnings
from tacit.emergence.payoffs import NEGLIGIBLE_SHARE, gain_unit
from tacit.emergence.play import chain as chains
from tacit.emergence.play.deviations import deviations
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.ad_auction import positions as at
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

CALM = {"bidder": {"profit": 1.0, "price_change": -1.0}}
TOP = 18  # the step of the highest bid, .95
RANGE = 0.45  # profit_M - profit_N of the default auction: .475 - .025


def calm(weight, factor=1.0):
    return {"bidder": {"profit": factor, "price_change": -weight * factor}}


def auction(table=None, **config):
    market = make_market("ad_auction", config)
    return market, kpis.resolve(market, table)


def frozen(market, kpi, bids, **more):
    tables = [deterministic(s.role, np.full(s.role.observations, b)) for s, b in
              zip(market.seats, bids, strict=True)]  # fmt: skip
    return freeze(market, kpi, tables, 0, **more)


def in_money(figure, population):
    """A KPI regret in KPI payoff, for two seats whose scales are nearly equal."""
    return figure * RANGE * kpi_scales(population.market, population.kpi).mean()


# --- one round ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bids", "kpi_gain", "profit_gain"),
    [
        ([17, 7], 0.0, 0.1),  # .90 against .40: the loser would pay .90, a change of .50
        ([13, 10], 0.15, 0.30),  # .70 against .55: outbidding brings .30 and moves the price .15
        ([18, 18], 0.0, 0.0),
    ],
)
def test_regrets_by_hand_under_a_charge_on_volatility(bids, kpi_gain, profit_gain):
    population = frozen(*auction(CALM), bids)
    found = regret(population)
    assert found.exact
    assert in_money(found.kpi, population) == pytest.approx(kpi_gain, rel=2e-3)
    assert found.fundamental * RANGE == pytest.approx(profit_gain)


def test_regret_is_against_what_others_do_on_average():
    """One bids .9; the other, who sees the last price, .5 after .1 and .1 after .5. On average it
    bids either as often, whatever came before: then every bid up to .5 is charged the same .2."""
    second = np.zeros(10, np.int64)
    second[1] = 4
    for table, kpi_gain in ((None, 0.05), (CALM, 0.0)):
        market, kpi = auction(table, observe="price", bids=9)
        tables = [deterministic(market.roles[0], acts) for acts in (np.full(10, 8), second)]
        found = regret(freeze(market, kpi, tables, 0))
        unit = gain_unit(market, market.roles[0]).size
        assert found.kpi * unit == pytest.approx(kpi_gain, abs=1e-9)
        # It could bid .9, and win half the time.
        assert found.fundamental * unit == pytest.approx(0.05)


def test_the_round_before_is_one_of_the_long_run():
    """A quarter of the rounds sells nothing, and then the last price stays. In the long run the
    last sale was at .5 or at .6; after one round from the start on, there may have been none."""
    market, kpi = auction(CALM, bids=9, reserve=0.5)
    tables = []
    for bids in ((0.3, 0.6), (0.2, 0.9)):
        table = np.zeros((1, 9))
        table[0, [round(10 * bid) - 1 for bid in bids]] = 0.5
        tables.append(table)
    states, share = round_beginnings(market, kpi, tables)
    # Sold: (.6, .2) and (.3, .9) at the reserve of .5, (.6, .9) at .6; unsold: (.3, .2).
    for price, expected in ((0.5, 2 / 3), (0.6, 1 / 3)):
        assert share[np.isclose(states[:, at.PRICE], price)].sum() == pytest.approx(expected)
    # The loser of the long run's prices, by hand: it bids .9 for ever against .6 or .3.
    population = freeze(market, kpi, [tables[0], deterministic(market.roles[0], [8])], 0)
    roots, weight = round_beginnings(market, kpi, population.tables)
    assert weight[np.isclose(roots[:, at.PRICE], 0.6)].sum() == pytest.approx(0.5)


def test_a_kpi_that_looks_nowhere_begins_in_one_state():
    market, kpi = auction()
    states, share = round_beginnings(market, kpi, [uniform(s.role) for s in market.seats])
    assert (len(states), share) == (1, None)


def test_regrets_are_not_defined_where_tables_do_too_much():
    market = make_market("cloud_bandwidth", {"tenants": 12, "memory": 0, "capacity": 3})
    kpi = kpis.resolve(market, None)
    found = regrets(freeze(market, kpi, [uniform(s.role) for s in market.seats], 0))
    assert all(np.isnan(x) for x in found.values())


def test_where_regret_does_not_apply_it_names_what_does():
    market = make_market("procurement", {"suppliers": 2, "record": "on_time", "lead_times": [0, 1]})
    kpi = kpis.resolve(market, None)
    assert "best-response" in why_no_regret(market, kpi)
    assert "several phases" in why_no_patient_gains(market, kpi)
    with pytest.raises(ConfigError, match="best-response"):
        memoryless_projection(freeze(market, kpi, [uniform(s.role) for s in market.seats], 0))
    keys = {"prices": 4, "surge": {}}
    cloud = make_market("cloud_bandwidth", keys)
    table = {"provider": {"profit": 1.0, "price_change": -1.0}}
    assert "goes on from round to round" in why_no_regret(cloud, kpis.resolve(cloud, table))
    assert why_no_regret(cloud, kpis.resolve(cloud, None)) is None


# --- unit and scale -------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e-3, 7.3, 400.0])
@pytest.mark.parametrize("bids", [(13, 10), (18, 3)])
def test_all_weights_times_a_constant_are_the_same_kpi(factor, bids):
    one, other = (regrets(frozen(*auction(calm(1.0, f)), bids)) for f in (1.0, factor))
    assert other == pytest.approx(one, rel=1e-9, abs=1e-9)
    assert one["kpi_regret_round"] > 0.05 or one["kpi_regret_patient"] >= 0


def test_paid_a_multiple_of_the_fundamental_both_regrets_are_equal():
    found = regrets(frozen(*auction({"bidder": {"profit": 250.0}}), (13, 10)))
    for kind in ("round", "patient"):
        assert found[f"kpi_regret_{kind}"] == pytest.approx(found[f"fundamental_regret_{kind}"])
        assert found[f"kpi_regret_{kind}"] > 0.05


def test_the_scale_is_a_ratio_of_standard_deviations():
    """Two bids, .5 and 1 of a value of 1.5 in first price: profit is (1 or .5, halved in a tie) or
    0; paid for wins alone the ratio is that of the two standard deviations, by hand."""
    market, kpi = auction({"bidder": {"win": 3.0}}, bids=2, price_mix=1.0, value={"value": 1.5})
    profits = [0.5, 0.0, 0.5, 0.25]  # (.5, .5), (.5, 1), (1, .5), (1, 1)
    wins = [0.5, 0.0, 1.0, 0.5]
    assert kpi_scales(market, kpi) == pytest.approx(3 * np.std(wins) / np.std(profits), rel=0.01)


def test_under_a_kpi_that_always_pays_the_same_nothing_is_a_regret():
    found = regrets(frozen(*auction({"bidder": {"profit": 0.0}}), (13, 10)))
    assert (found["kpi_regret_round"], found["kpi_regret_patient"]) == (0, 0)
    assert found["fundamental_regret_round"] > 0.5


def test_the_unit_is_the_range_of_the_benchmarks_else_the_value_scale(monkeypatch):
    market, _ = auction()
    unit = gain_unit(market, market.roles[0])
    assert (unit.size, unit.negligible) == (pytest.approx(RANGE), 0.05)
    buying = make_market("procurement", {"suppliers": 2})
    unit = gain_unit(buying, buying.roles[0])
    assert (unit.size, unit.negligible) == (buying.analysis.value_scale(buying.roles[0]), 0.02)
    monkeypatch.setattr(type(buying.analysis), "value_scale", lambda *_: 0.0)
    assert np.isnan(gain_unit(buying, buying.roles[0]).size)


@pytest.mark.parametrize("bids", [(18, 18), (17, 17), (18, 10), (18, 17), (5, 5), (16, 15)])
def test_what_tempts_nobody_is_no_regret_and_the_other_way_round(bids):
    """The same move, the same unit, the same level."""
    assert TEMPTING == NEGLIGIBLE_SHARE
    population = frozen(*auction(observe="bids"), bids)
    found = regrets(population)["fundamental_regret_round"]
    assert found == pytest.approx(deviations(population).gain.max())
    assert (found < NEGLIGIBLE_SHARE) == (temptation(population)["tempted_states"] == 0)


# --- equilibria of a charge on changes ------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.25, 0.5, 1.0, 2.0])
def test_the_equilibria_under_a_charge_on_changes(weight):
    """One bids .95, the other p, and p was the price: the loser gains .025 by bidding .95 and is
    charged w (.95 - p). So p is an equilibrium up to .95 - .025/w, and at .95."""
    market, kpi = auction(calm(weight))
    for step, p in enumerate(market.grid):
        population = frozen(market, kpi, (TOP, step))
        gain = 0.0 if step == TOP else max(0.0, 0.025 - weight * (0.95 - p))
        found = regret(population)
        assert in_money(found.kpi, population) == pytest.approx(gain, rel=2e-3, abs=1e-9)
        is_equilibrium = p <= 0.95 - 0.025 / weight + 1e-9 or step == TOP
        assert (found.kpi < 1e-9) == is_equilibrium
    # Where best responders have settled, they settle on one of these.
    settled = mirror(market, kpi)
    prices = settled.outcomes["clearing_price"]
    low = prices <= 0.95 - 0.025 / weight + 0.005
    assert np.all(low | (prices > 0.945))


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_patient_gains_of_bidders_that_see_nothing(weight, discount):
    """Bids b > p for ever: the loser that bids b' > b earns 1 - b from now on and is charged
    w (b - p) once, a share 1 - d of a round's payoff; at the highest bid it can only draw level."""
    market, kpi = auction(calm(weight))
    grid = market.grid
    for high, low in ((14, 5), (18, 9), (18, 17), (9, 8)):
        population = frozen(market, kpi, (high, low), discounts=(discount, discount))
        charge = (1 - discount) * weight * (grid[high] - grid[low])
        by_outbidding = 1 - grid[high] if high < TOP else 0.0
        gain = max(0.0, max(by_outbidding, (1 - grid[high]) / 2) - charge)
        found = regrets(population)
        measured = in_money(found["kpi_regret_patient"], population)
        assert measured == pytest.approx(gain, rel=2e-3, abs=1e-8)
        own = max(by_outbidding, (1 - grid[high]) / 2) / RANGE
        assert found["fundamental_regret_patient"] == pytest.approx(own, abs=1e-8)
        assert found["regret_patient_exact"] == 1


def test_every_seat_is_asked_at_its_own_discount():
    """The loser of (.75, .30) under a charge of 2 would leave if it looked ahead: .25 for ever
    against .90 once. The winner would not."""
    market, kpi = auction(calm(2.0))
    gains = {}
    for discounts in ((0.95, 0.0), (0.0, 0.95)):
        population = frozen(market, kpi, (14, 5), discounts=discounts)
        gains[discounts] = regrets(population)["kpi_regret_patient"]
    assert gains[(0.95, 0.0)] == pytest.approx(0.0, abs=1e-9)
    assert gains[(0.0, 0.95)] > 0.25


def test_only_seats_that_learn_are_judged():
    market, kpi = auction()
    loser_gains = regrets(frozen(market, kpi, (14, 5), learned=(False, True)))
    winner_gains = regrets(frozen(market, kpi, (14, 5), learned=(True, False)))
    nobody = regrets(frozen(market, kpi, (14, 5)))
    assert winner_gains["kpi_regret_round"] == winner_gains["kpi_regret_patient"] == 0
    assert loser_gains["kpi_regret_round"] == pytest.approx(0.25 / RANGE)
    assert nobody == loser_gains


# --- patient, by brute force ----------------------------------------------------------------------

WEIGHT, DISCOUNT = 0.3, 0.9


def tiny(seed, discount=DISCOUNT):
    """Three prices, both last prices seen, random deterministic tables, a charge on own changes."""
    market = make_market("cloud_bandwidth", {"prices": 3, "start": "collusive"})
    kpi = kpis.resolve(market, {"provider": {"profit": 1.0, "price_change": -WEIGHT}})
    luck = np.random.default_rng(seed)  # noqa: TID251
    tables = [deterministic(s.role, luck.integers(3, size=s.role.observations))
              for s in market.seats]  # fmt: skip
    return freeze(market, kpi, tables, 0, discounts=(discount, discount))


def payoffs(population):
    """KPI payoff float64 [3, 3, 3] of seat 0: last own price, own price, other's price."""
    market = population.market
    engine = Engine(market, population.kpi, copies=9)
    engine.reset()
    engine.step(np.array(list(product(range(3), repeat=2))))
    columns = market.columns
    profit = engine.measures[:, 0, columns["profit"]].reshape(3, 3)
    price = engine.measures[:, 0, columns["price"]].reshape(3, 3)[:, 0]
    return profit - WEIGHT * np.abs(price[:, None, None] - price[None, :, None])


def brute_force(population):
    """The best of all 3^9 tables of seat 0, its value and that of the own table: discounted sums,
    averaged over the cycle that play ends on; every table played from every state."""
    payoff = payoffs(population)
    own, other = (table.argmax(axis=1) for table in population.tables)
    states = list(product(range(3), repeat=2))
    state, visited = (2, 2), []
    for _ in range(100):
        visited.append(state)
        state = own[states.index(state)], other[states.index(state)]
    cycle = visited[visited.index(state, 20) :]
    cycle = cycle[: cycle.index(cycle[0], 1) if cycle[0] in cycle[1:] else len(cycle)]

    def values(tables):
        """Values [K, 9] of K tables [K, 9]."""
        rows = np.arange(len(tables))[:, None]
        reward = np.array([[payoff[s[0], a, other[n]] for a in range(3)] for n, s in
                           enumerate(states)])  # fmt: skip
        earned = reward[np.arange(9), tables]
        following = tables * 3 + other
        value = np.zeros(tables.shape)
        for _ in range(400):
            value = earned + DISCOUNT * value[rows, following]
        return value

    every = np.array(list(product(range(3), repeat=9)))
    weight = [states.index(s) for s in cycle]
    everywhere = values(every)
    # One table is best from all states at once, since the seat sees the state.
    best = everywhere.sum(axis=1).argmax()
    assert everywhere[best] == pytest.approx(everywhere.max(axis=0))
    mine = values(own[None])[0, weight].mean()
    return every[best], everywhere[best, weight].mean(), mine


@pytest.mark.parametrize("seed", range(6))
def test_patient_regret_against_all_tables(seed):
    population = tiny(seed)
    # Seat 1 is judged by the chain as well, so it is left out: only seat 0 learned.
    population = replace(population, learned=(True, False))
    table, best, own = brute_force(population)
    market = population.market
    unit = gain_unit(market, market.roles[0]).size * kpi_scales(market, population.kpi)[0]
    found = regrets(population)["kpi_regret_patient"]
    assert found == pytest.approx((1 - DISCOUNT) * (best - own) / unit, abs=1e-8)
    tables = (deterministic(market.roles[0], table), population.tables[1])
    reached = regrets(replace(population, tables=tables))["kpi_regret_patient"]
    assert reached == pytest.approx(0.0, abs=1e-8)


# --- what cannot be measured ----------------------------------------------------------------------


def test_a_chain_beyond_its_bound_has_no_patient_regret(monkeypatch):
    monkeypatch.setattr(chains, "MOST_STATES", 3)
    found = regrets(tiny(0))
    assert np.isnan(found["kpi_regret_patient"])
    assert np.isnan(found["fundamental_regret_patient"])
    assert np.isfinite(found["kpi_regret_round"])


def test_a_seat_that_sees_less_than_the_state_tries_as_many_tables_as_are_allowed(monkeypatch):
    """After a price of .50 the loser would stay, after one of .95 it would bid that: it sees
    neither, so its 19 bids are tried."""
    population = frozen(*auction(CALM), (18, 9), discounts=(0.0, 0.0))
    assert regrets(population)["kpi_regret_patient"] == pytest.approx(0.0, abs=1e-9)
    monkeypatch.setattr(patience, "MOST_TRIED", 18)
    assert np.isnan(regrets(population)["kpi_regret_patient"])


def test_where_rounds_are_independent_a_patient_reply_is_one_of_a_round():
    market = make_market("procurement", {"suppliers": 2, "scarcity": 0, "counters": False})
    kpi = kpis.resolve(market, None)
    assert why_no_patient_gains(market, kpi) is None
    found = regrets(freeze(market, kpi, [uniform(s.role) for s in market.seats], 0))
    assert found["kpi_regret_patient"] == found["kpi_regret_round"] > 0
    assert found["fundamental_regret_patient"] == found["fundamental_regret_round"]
