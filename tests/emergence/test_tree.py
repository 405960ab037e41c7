"""A round as a tree: declared draws are those that are made, and sums over it are expectations."""

from __future__ import annotations

import numpy as np
import pytest
from support.every_market import CASES

from tacit.agents.policy import cumulative, uniform
from tacit.emergence.population import freeze
from tacit.emergence.tree.best_reply import best_reply
from tacit.emergence.tree.enumeration import AVERAGED_DRAWS, count_ends, enumerate_round
from tacit.emergence.tree.expectations import (
    edge_probability,
    expected_outcome,
    expected_value,
)
from tacit.emergence.tree.initial_states import (
    initial_states,
    state_without_past,
    without_draws,
    without_memory,
)
from tacit.emergence.tree.round_tree import legal_actions, played_actions
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.procurement.equilibrium import equilibrium_table
from tacit.envs.registry import make_market

COPIES = 4_096


def uniform_round(market):
    """The tree of a round in which everybody acts at random, and their tables."""
    kpi = kpis.resolve(market, None)
    tables = [uniform(seat.role) for seat in market.seats]
    return enumerated(market, kpi, tables), tables


def enumerated(market, kpi, tables, free_seat=None):
    """The tree of a round without a past, in which these tables are played."""
    allowed = played_actions(market, tables, free_seat)
    return enumerate_round(market, kpi, allowed, state_without_past(market, kpi))


# --- what markets declare -------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_declared_draws_are_those_that_nature_makes(case):
    """Frequencies at the start of a phase within five standard deviations of the declared law."""
    market = make_market(*case)
    engine = Engine(market, copies=COPIES)
    engine.reset()
    for round_ in range(2):
        for phase in range(len(market.phases)):
            for draw in market.analysis.draws(phase):
                if not (draw.lasting and round_):  # (what lasts is drawn once, by reset)
                    check_law(engine.rows.state, draw)
            engine.rows.actions[:] = [
                seat.role.legal[engine.observations[0, seat.index], 0] for seat in market.seats
            ]
            engine.advance()


def check_law(states, draw):
    for k, law in enumerate(draw.probabilities):
        rows = states if draw.given is None else states[states[:, draw.given] == k]
        found = rows[:, draw.column]
        assert set(found) <= set(draw.values)
        assert sum(law) == pytest.approx(1.0)
        for value, p in zip(draw.values, law, strict=True):
            slack = 5 * np.sqrt(p * (1 - p) / len(rows)) + 1e-12
            assert abs(np.mean(found == value) - p) <= slack, draw


@pytest.mark.parametrize("case", CASES)
def test_no_undeclared_draw_remains_where_a_market_says_so(case, luck):
    """Every phase played twice under different draws, from states that differ in nothing."""
    market = make_market(*case).analysis.expected()
    engine, other = (Engine(market, copies=256) for _ in range(2))
    other.reseed([1])
    engine.reset()
    other.reset()
    for phase in range(len(market.phases)):
        for own, kept in zip(other.rows, engine.rows, strict=True):
            own[:] = kept
        for seat in market.seats:
            first, count = seat.role.legal[engine.observations[:, seat.index]].T
            engine.rows.actions[:, seat.index] = first + luck.integers(0, count)
        other.rows.actions[:] = engine.rows.actions
        engine.advance()
        other.advance()
        if phase < len(market.phases) - 1:
            states = [without_draws(market, x.rows.state) for x in (engine, other)]
            assert np.array_equal(*states), "luck between phases that no draw declares"
    same = np.array_equal(engine.measures, other.measures)
    assert same or market.analysis.luck


@pytest.mark.parametrize("case", CASES)
def test_value_scales_are_money(case):
    market = make_market(*case)
    assert all(market.analysis.value_scale(role) > 0 for role in market.roles)


# --- expectations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("ad_auction", {"bids": 4, "value": {"kind": "list", "values": [1, 3]}, "bidders": 3}),
        ("ad_auction", {"bids": 3, "publisher": True, "chat": 2, "price_mix": 0.5}),
        ("procurement", {"suppliers": 2, "lead_times": [0, 2, 2], "late_fine": 0.1}),
        ("procurement", {"urgency": {}, "brief": True, "false_urgency_fine": 0.1}),
        ("cloud_bandwidth", {"prices": 3, "tenants": 2, "memory": 0, "capacity": 1}),
        ("cheap_talk", {}),
    ],
)
def test_the_mean_of_a_tree_is_that_of_long_play(name, config):
    market = make_market(name, config)
    found, tables = uniform_round(market)
    assert edge_probability(found, tables)[-1].sum() == pytest.approx(1.0)
    engine = Engine(market, copies=COPIES)
    engine.reset()
    engine.play(cumulative(market, tables)[None], 1)
    expected = expected_outcome(found, tables, found.measures)
    for column, measure in enumerate(market.measures):
        if measure.past or not measure.roles:
            continue
        sample = engine.measures[:, :, column]
        # (the tree of a market with luck is a mean over draws itself)
        slack = 5 * sample.std(axis=0) / np.sqrt(COPIES if found.exact else AVERAGED_DRAWS) + 1e-9
        assert np.all(np.abs(sample.mean(axis=0) - expected[:, column]) <= slack), measure.name


def test_where_payoffs_are_averaged_measures_and_scores_are_of_the_same_draws():
    """Requests are drawn by lot: a provider paid twice its profit has twice its mean."""
    keys = {"prices": 2, "tenants": 2, "memory": 0, "capacity": 1}
    market = make_market("cloud_bandwidth", keys)
    kpi = kpis.resolve(market, {"provider": {"profit": 2.0}, "tenant": {"surplus": -1.0}})
    start = state_without_past(market, kpi)
    found = enumerate_round(market, kpi, legal_actions(market), start)
    assert not found.exact
    weights = np.array([2.0, 2.0, -1.0, -1.0])
    assert found.rewards == pytest.approx(found.fundamentals * weights)
    assert len(np.unique(np.round(found.fundamentals, 6))) > 5  # lots make means of their own


EQUILIBRIA = [
    {},
    {"scarcity": 0.1, "false_claim_fine": 0.2},
    {"scarcity": 0.7},
    {"false_claim_fine": 0.5},
    {"value": 0.85, "wait_discount": 0.1, "outside_price": 0.2},
    *(
        {"brief": True, "counters": False, "scarcity": 0, "urgency": {"probability": p},
         "false_urgency_fine": fine}
        for p, fine in ((0.6, 0.2), (0.6, 0.0), (0.6, 0.45), (0.4, 0.2))
    ),
]  # fmt: skip


@pytest.mark.parametrize("keys", EQUILIBRIA, ids=str)
def test_equilibrium_tables_earn_the_closed_form_and_nobody_gains_by_leaving(keys):
    market = make_market("procurement", keys)
    kpi = kpis.resolve(market, None)
    tables = [equilibrium_table(market.config, seat) for seat in market.seats]
    found = enumerated(market, kpi, tables)
    assert found.exact
    expected = expected_outcome(found, tables, found.measures)
    for name, value in market.benchmarks()["equilibrium"].values.items():
        owner = next(
            s.index for s in market.seats if name in [m.name for m in market.measured(s.role.name)]
        )
        assert expected[owner, market.columns[name]] == pytest.approx(value, rel=0, abs=1e-12)
    for seat in market.seats:
        wider = enumerated(market, kpi, tables, seat.index)
        reply = best_reply(wider, tables, seat.index, wider.rewards[:, seat.index])
        assert abs(reply.gain) < 1e-12


def test_a_reply_plans_its_later_answers(luck):
    """A countered supplier that would refuse in its table accepts in its best reply."""
    market = make_market("procurement", {"scarcity": 0, "false_claim_fine": 0})
    kpi, supplier = kpis.resolve(market, None), market.seats[0].role
    tables = [uniform(seat.role) for seat in market.seats]
    for o in range(supplier.observations):
        if "counter" in supplier.decode_observation(o):
            tables[0][o] = 0.0
            tables[0][o, supplier.encode_action(answer="refuse")] = 1.0
    found = enumerated(market, kpi, tables, 0)
    reply = best_reply(found, tables, 0, found.rewards[:, 0])
    # four answers, equally likely: walk; accept at .8; counters at .4 and .8, less the wait
    assert reply.best == pytest.approx((0.8 + 0.9 * 0.4 + 0.9 * 0.8) / 4)
    assert reply.own == pytest.approx((0.8 + 0.4) / 2 / 4)


def test_a_reply_weighs_what_it_cannot_see_by_nature_s_odds():
    """Every supplier claims to be scarce, at the high price, and seven of ten are: so many are gone
    when they are countered, the others accept."""
    market = make_market("procurement", {"scarcity": 0.7})
    c, supplier, buyer = market.config, market.seats[0].role, market.seats[1].role
    low, high = c.prices
    tables = [uniform(seat.role) for seat in market.seats]
    for o in np.flatnonzero(supplier.legal[:, 1] > 1):
        countered = "counter" in supplier.decode_observation(o)
        parts = {"answer": "accept"} if countered else {"price": high, "claim": "scarce"}
        tables[0][o] = np.eye(supplier.actions)[supplier.encode_action(**parts)]
    kpi = kpis.resolve(market, None)
    trees = [enumerated(market, kpi, tables, seat) for seat in range(2)]
    offer, reply = (best_reply(t, tables, k, t.rewards[:, k]) for k, t in enumerate(trees))
    (met,) = np.flatnonzero(reply.weight)
    assert reply.weight[met] == pytest.approx(1.0)
    gone, there = -c.stockout_cost, c.wait_discount * (c.value - low)
    for response, payoff in (
        ("walk", 0.0),
        ("accept supplier_0", c.value - high),
        (f"counter supplier_0 at {low:g}", 0.7 * gone + 0.3 * there),
    ):
        assert reply.payoff[met, buyer.encode_action(response=response)] == pytest.approx(payoff)
    offering = [o for o in range(supplier.observations) if supplier.legal[o, 1] > 1]
    seen = {o: supplier.decode_observation(o) for o in offering}
    chances = {s["stock"]: offer.weight[o] for o, s in seen.items() if "counter" not in s}
    assert chances == pytest.approx({"scarce": 0.7, "plenty": 0.3})


def test_the_expected_value_of_first_edges_is_the_mean(luck):
    market = make_market("procurement", {"suppliers": 2})
    found, tables = uniform_round(market)
    first = expected_value(found, tables, found.fundamentals)[0]
    assert edge_probability(found, tables)[0] @ first == pytest.approx(
        expected_outcome(found, tables, found.fundamentals)
    )


# --- size, memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_number_of_ends_bounds_the_leaves(case):
    market = make_market(*case)
    if count_ends(market) > 20_000:
        return
    kpi = kpis.resolve(market, None)
    start = state_without_past(market, kpi)
    found = enumerate_round(market, kpi, legal_actions(market), start)
    assert len(found.states) <= count_ends(market)


def test_a_round_that_is_too_large_is_refused_with_its_number():
    market = make_market("cloud_bandwidth", {"tenants": 12, "memory": 0})
    kpi = kpis.resolve(market, None)
    with pytest.raises(ConfigError, match=r"a round of cloud_bandwidth can end in [\d,]+ ways"):
        enumerate_round(market, kpi, legal_actions(market), state_without_past(market, kpi))


def test_memory_is_what_is_seen_of_the_past():
    assert without_memory(make_market("ad_auction")).config.observe == "none"
    blind = without_memory(make_market("ad_auction", {"observe": "bids"}))
    assert blind.roles[0].observations == 1
    one_price = {"prices": 1, "price_range": [0.5, 0.5], "tenants": 2, "providers": 1}
    market = make_market("cloud_bandwidth", one_price)
    assert without_memory(market) is market  # it remembers the only price there is


def test_rounds_begin_on_the_path_where_seats_remember():
    market = make_market("cloud_bandwidth", {"prices": 4, "start": "collusive"})
    kpi = kpis.resolve(market, None)
    still = [np.eye(4)[np.full(16, 2)] for _ in market.seats]
    states, chance, exact = initial_states(freeze(market, kpi, still, 0))
    assert exact
    assert chance == pytest.approx([1.0])
    assert len(states) == 1
