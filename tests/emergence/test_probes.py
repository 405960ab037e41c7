"""Probes of collusion on players whose answers are known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.populations import default_kpi, prices, random_tables, scripted, trembling

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.collusion.discounted_gain import discounted_gain
from tacit.emergence.collusion.equilibrium import equilibrium
from tacit.emergence.collusion.impulse import impulse
from tacit.emergence.collusion.index import frozen_index, why_no_index
from tacit.emergence.collusion.rematched import rematch, rematched
from tacit.emergence.collusion.temptation import temptation
from tacit.emergence.payoffs import benchmark_range, fundamental_kpi
from tacit.emergence.play import best_response, learned_response
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.play.chain import MOST_STATES, build_chain, long_run_shares
from tacit.emergence.play.deviations import deviations, opposite_actions
from tacit.emergence.play.limit_path import TRACE_ROUNDS, limit_path
from tacit.emergence.play.replays import play_once, replay, unforced
from tacit.emergence.play.state_index import StateIndex
from tacit.emergence.population import freeze
from tacit.emergence.registry import inapplicable, run_probes
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.registry import make_market

D = 0.95


def profits(market, *actions):
    """Everybody's profit in one round of these actions, from a start of the market."""
    state = limit_path(scripted("competitive", market)).states[:1]
    rows = play_once(market, default_kpi(market), state, np.array([actions]), 0, np.zeros(1, int))
    return rows.measures[0, : len(actions), market.columns["profit"]]


@pytest.fixture(scope="module")
def known():
    """Profits of one provider, in units of the range: both collude, both compete, the best reply to
    collusion, and what a colluder and a competitor earn against each other."""
    market = prices()
    high, low = (
        market.analysis.benchmark_action(mark, market.seats[0], 0)
        for mark in ("collusive", "competitive")
    )
    best = max(range(15), key=lambda a: profits(market, a, high)[0])
    bottom, top = benchmark_range(market)
    unit = top - bottom
    cheated, sucker = profits(market, low, high)
    return {
        "both": profits(market, high, high)[0] / unit, "none": profits(market, low, low)[0] / unit,
        "gain": (profits(market, best, high)[0] - profits(market, high, high)[0]) / unit,
        "exploits": cheated / unit, "exploited": sucker / unit, "best": best, "high": high,
        "low": low,
    }  # fmt: skip


# --- index, temptation, deterrence ----------------------------------------------------------------


def test_the_index_is_near_0_in_competition_and_near_1_in_collusion():
    assert frozen_index(scripted("competitive"))["frozen_index"] == pytest.approx(0, abs=0.03)
    assert frozen_index(scripted("collusive"))["frozen_index"] == pytest.approx(1, abs=0.03)


def test_grim_trigger_takes_the_difference_for_ever(known):
    d = deviations(scripted("grim_trigger"))
    assert d.exact
    assert d.gain == pytest.approx([known["gain"]] * 2)
    assert d.loss == pytest.approx([D / (1 - D) * (known["both"] - known["none"])] * 2)
    # who goes back to the collusive price at once meets a rival that competes for ever
    repented = D / (1 - D) * (known["both"] - known["exploited"])
    assert d.repented_loss == pytest.approx([repented] * 2)
    figures = temptation(scripted("grim_trigger"))
    words = ("tempted_states", "deterred_deviations", "upheld_deviations", "unprofitable")
    assert [figures[word] for word in words] == [1, 1, 1, 1]
    assert (figures["returning_deviations"], figures["reverting_deviations"]) == (0, 1)


def test_after_tit_for_tat_the_two_alternate(known):
    d = deviations(scripted("tit_for_tat"))
    alternating = (known["exploited"] + D * known["exploits"]) / (1 - D * D)
    assert d.loss == pytest.approx([D * (known["both"] / (1 - D) - alternating)] * 2)
    # one blow, and the rival copies the collusive price again
    assert d.repented_loss == pytest.approx([D * (known["both"] - known["exploited"])] * 2)
    assert temptation(scripted("tit_for_tat"))["reverting_deviations"] == 1


def test_win_stay_lose_shift_is_back_after_one_bad_round(known):
    d = deviations(scripted("win_stay_lose_shift"))
    assert d.loss == pytest.approx([D * (known["both"] - known["none"])] * 2)
    assert d.returned == pytest.approx([3, 3])  # deviation, both competitive, both collusive
    assert d.returns.all()
    figures = temptation(scripted("win_stay_lose_shift"))
    assert (figures["returning_deviations"], figures["reverting_deviations"]) == (1, 0)


def test_a_constant_price_deters_nobody():
    figures = temptation(scripted("collusive"))
    assert (figures["tempted_states"], figures["deterred_deviations"]) == (1, 0)
    assert figures["repented_loss"] == 0
    assert figures["returning_deviations"] == 1  # and yet nothing is upheld
    assert figures["upheld_deviations"] == 0


def test_nobody_is_tempted_in_competition():
    figures = temptation(scripted("competitive"))
    assert figures["tempted_states"] == 0
    assert np.isnan(figures["deterred_deviations"])
    assert np.isnan(figures["upheld_deviations"])


def junk(market, seed):
    """The collusive pair maps to itself; every other cell is a random action."""
    draws = iter(rng.draws(rng.seed_key(seed, rng.INITIAL), 10_000))
    high = [market.analysis.benchmark_action("collusive", s, 0) for s in market.seats]
    on_path = high[0] * market.config.prices + high[1]
    tables = []
    for seat in market.seats:
        table = np.zeros((seat.role.observations, seat.role.actions))
        for o in range(len(table)):
            drawn = int(next(draws) * seat.role.actions)
            table[o, high[seat.index] if o == on_path else drawn] = 1.0
        tables.append(table)
    return freeze(market, default_kpi(market), tables, seed)


@pytest.mark.parametrize("config", [{}, {"differentiation": 0.01}, {"differentiation": 0.0}])
def test_disorder_deters_but_upholds_nothing(config):
    """Nearly all that follows is worse than joint profit, but play neither returns nor reverts."""
    market = prices(start="collusive", **config)
    found = [temptation(junk(market, seed)) for seed in range(40)]
    assert np.mean([f["deterred_deviations"] for f in found]) > 0.75
    assert np.mean([f["upheld_deviations"] for f in found]) < 0.3


# --- impulse response -----------------------------------------------------------------------------


def test_the_response_is_the_rivals_next_price_over_the_path(known):
    grid = prices().grid[0]
    figures = impulse(scripted("tit_for_tat"))
    high, low = grid[known["high"]], grid[known["low"]]
    assert figures["rival_response"] == pytest.approx(low / high - 1)
    assert figures["impulse/rival/0"] == figures["impulse/rival/1"] == pytest.approx(high)
    assert figures["impulse/deviator/1"] == pytest.approx(grid[known["best"]])
    assert figures["impulse/rival/2"] == pytest.approx(low)
    assert figures["impulse/rival/3"] == pytest.approx(high)


def test_these_triggers_answer_a_rise_as_they_answer_a_cut():
    figures = impulse(scripted("grim_trigger"))
    assert figures["rival_response_opposite"] == pytest.approx(figures["rival_response"])


def test_opposite_steps_end_at_the_grid():
    steps, opposite = opposite_actions(prices(), np.array([10, 13, 3]), np.array([6, 6, 5]))
    assert steps.tolist() == [4, 7, -2]
    assert opposite.tolist() == [14, 14, 1]


def test_only_the_price_moves_where_a_claim_is_made_as_well():
    market = prices(headroom_claims=True)
    steps, opposite = opposite_actions(
        market, np.array([21]), np.array([12])
    )  # steps 10 and 6, claims
    assert (steps.tolist(), opposite.tolist()) == ([4], [29])


# --- chain ----------------------------------------------------------------------------------------


def test_chain_and_replays_agree(luck):
    """The later loss of a deviation, once from value functions and once by replay."""
    population = random_tables(luck)
    d, path = deviations(population), limit_path(population)
    known = build_chain(population, path.states)
    low, high = benchmark_range(population.market)
    line = 0
    for x in range(path.period):
        for i, seat in enumerate(known.seats):
            value, own = known.value(i, "fundamental"), seat.table[x].argmax()
            best = seat.fundamental[x].argmax()
            after = value[seat.successor[x, [own, best], 0]]
            assert d.loss[line] == pytest.approx(D * (after[0] - after[1]) / (high - low), abs=1e-7)
            line += 1
    assert line == len(d.seat)


def test_a_sampled_loss_agrees_with_the_chain(luck):
    population = trembling(random_tables(luck), 0.1)
    state = limit_path(population).states[:1]
    known = build_chain(population, state)
    copies = 4000
    forced = unforced(copies)
    forced[:, 0], forced[:, 1] = 0, 4
    found = replay(
        population,
        np.repeat(state, copies, axis=0),
        forced,
        np.arange(copies),
        state[:0],
        rounds=200,
    ).sums[:, 0]
    seat = known.seats[0]
    expected = D * known.value(0, "fundamental")[seat.successor[0, 4]] @ seat.probability[0]
    error = found.std(ddof=1) / np.sqrt(copies)
    assert abs(found.mean() - expected) < 4 * error


def test_the_stationary_distribution_agrees_with_a_long_simulation(luck):
    population = trembling(random_tables(luck), 0.2)
    known = build_chain(population, limit_path(population).states[:1])
    own = known.seats[0]
    step = (own.table[:, :, None] * own.probability[:, None, :]).ravel()
    count = len(known.states)
    source = np.repeat(np.arange(count), step.size // count)
    law = long_run_shares(source, own.successor.ravel(), step, count)
    assert law.sum() == pytest.approx(1)
    expected = [
        law @ (seat.table * seat.fundamental).sum(axis=1) for seat in known.seats
    ]  # fmt: skip
    copies, rounds = 64, 2000
    forced = unforced(copies)
    start = np.repeat(limit_path(population).states[:1], copies, axis=0)
    undiscounted = replace(population, discount=1.0)
    sums = replay(
        undiscounted, start, forced, np.arange(copies), start[:0], first=500, rounds=500 + rounds
    ).sums
    for i, value in enumerate(expected):
        found = sums[:, i] / rounds
        assert abs(found.mean() - value) < 4 * found.std(ddof=1) / np.sqrt(copies)


def test_a_chain_that_is_too_large_is_none(luck):
    population = trembling(random_tables(luck, prices(memory=2)), 0.1)
    assert build_chain(population, limit_path(population).states[:1]) is None
    assert np.isnan(equilibrium(population)["best_response_gap"])


@pytest.mark.slow
def test_a_chain_of_50_625_states_is_exact(luck):
    population = random_tables(luck, prices(memory=2))
    known = best_response.joint_chain(population)
    assert len(known.states) == 15**4 < MOST_STATES
    assert 0 < equilibrium(population)["best_response_gap"] < 5


def test_equal_rows_have_one_number():
    index = StateIndex(2)
    index.add(np.array([[0.0, 1.0], [2.0, 3.0], [-0.0, 1.0]]))
    index.add(np.array([[5.0, 5.0], [2.0, 3.0]]))
    assert index.count == 3
    assert index.find(np.array([[5.0, 5.0], [0.0, 1.0], [2.0, 3.0]])).tolist() == [2, 0, 1]


# --- best responses -------------------------------------------------------------------------------


def test_against_a_fixed_price_the_best_response_is_the_best_reply_for_ever(known):
    figures = equilibrium(scripted("collusive"))
    assert figures["best_response_gap"] == pytest.approx(known["gain"])
    assert (figures["best_responses"], figures["one_shot_stable"]) == (0, 0)


def test_grim_trigger_is_an_equilibrium_at_this_discount_and_not_at_0(known):
    figures = equilibrium(scripted("grim_trigger"))
    assert figures["best_response_gap"] == pytest.approx(0, abs=1e-8)
    assert (figures["best_responses"], figures["one_shot_stable"]) == (1, 1)
    myopic = replace(scripted("grim_trigger"), discount=0.0)
    assert equilibrium(myopic)["best_response_gap"] == pytest.approx(known["gain"])


@pytest.fixture(scope="module")
def one_sided(known):
    """The first provider keeps to the joint-profit price, the second to its best reply to that."""
    market = prices()
    acts = known["high"], known["best"]
    tables = [
        deterministic(seat.role, np.full(seat.role.observations, a))
        for seat, a in zip(market.seats, acts, strict=True)
    ]
    return freeze(market, default_kpi(market), tables, 0)


def test_one_seat_whose_deviation_pays_is_enough_against_stability(one_sided, known):
    figures, best = equilibrium(one_sided), known["best"]
    gains = [profits(prices(), a, best)[0] for a in range(15)]
    low, high = benchmark_range(prices())
    missed = (max(gains) - gains[known["high"]]) / (high - low)
    assert missed > 0
    assert figures["best_response_gap/provider_0"] == pytest.approx(missed)
    assert figures["best_response_gap/provider_1"] == pytest.approx(0, abs=1e-8)
    assert figures["one_shot_stable"] == 0


def test_a_kpi_may_be_best_served_by_another_policy_than_its_owner():
    market = prices()
    revenue = kpis.resolve(market, {"provider": {"price": 1.0}})
    population = replace(scripted("collusive"), kpi=revenue)
    paid, earned = best_response.best_responses(population, [0])
    assert (paid.payoff, earned.payoff) == ("kpi", "fundamental")
    assert paid.exact
    assert paid.best == pytest.approx(market.grid[0].max())
    assert paid.own == pytest.approx(limit_path(population).measures[0, 0, market.columns["price"]])


def test_there_is_no_chain_of_means_where_a_kpi_has_a_term_that_is_not_linear():
    """Ties are sampled, so the chain is one of mean measures: the square of a mean is no mean
    square. One such term among plain ones is enough."""
    market = make_market("ad_auction", {"observe": "bids", "bids": 3})
    population = scripted("collusive", market)
    assert best_response.joint_chain(population) is not None
    calm = {"measure": "profit", "transform": "square", "weight": -0.5}
    kpi = kpis.resolve(market, {"bidder": {"profit": 1.0, "calm": calm}})
    assert best_response.joint_chain(replace(population, kpi=kpi)) is None


@pytest.mark.slow
def test_a_learned_response_finds_most_of_the_exact_gain():
    population = scripted("collusive")
    exact = best_response.best_responses(population, [1])[1]
    kpi = fundamental_kpi(population.market)
    own, best = learned_response.q_learned_payoffs(population, kpi, 1)
    assert own == pytest.approx(exact.own)
    assert 0.9 * exact.gain < best - own <= exact.gain + 1e-12


def test_where_draws_decide_the_next_state_a_response_is_learned():
    market = make_market("procurement")
    found = best_response.best_responses(scripted("random", market), [0])
    assert [r.exact for r in found] == [False, False]
    assert all(r.gain > 0 for r in found)


# --- controls and initial states ------------------------------------------------------------------


def test_partners_are_exchanged_within_their_group():
    every = [scripted("grim_trigger", seed=k) for k in range(5)]
    every[1] = scripted("collusive", seed=1)
    pairs = rematch(every)
    assert len(pairs) == 4
    assert pairs[0].tables[1] is every[1].tables[1]
    assert pairs[1].tables[1] is every[0].tables[1]
    assert pairs[2].tables[0] is every[2].tables[0]
    found = rematched(every)
    assert [np.isnan(f["rematched/tempted_states"]) for f in found] == [False] * 4 + [True]
    assert [f["rematched/deterred_deviations"] for f in found[:4]] == [0.5, 0.5, 1, 1]
    assert len(rematched(every[:1])) == 1


def test_the_gain_from_the_start_is_the_index_where_nothing_moves():
    figures = discounted_gain(scripted("collusive"))
    index = frozen_index(scripted("collusive"))["frozen_index"]
    assert figures["discounted_gain"] == pytest.approx(index)


# --- where probes apply ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("procurement", {}, "several roles"),
        ("cloud_bandwidth", {"tenants": 2, "capacity": 2}, "several roles"),
        ("cloud_bandwidth", {"providers": 1, "prices": 1, "price_range": [1.5, 1.5]}, "no rival"),
        ("cloud_bandwidth", {"surge": {}}, "see different things"),
        ("ad_auction", {"value": {"kind": "uniform", "low": 0.2, "high": 1}}, "different things"),
        ("ad_auction", {"chat": 2}, "several phases"),
        ("ad_auction", {"slots": 2, "click_rates": [1, 0.5], "price_mix": 1}, "no competitive"),
    ],
)
def test_a_probe_that_does_not_apply_names_the_reason(name, config, reason):
    market = make_market(name, config)
    said = why_no_deviations(market, default_kpi(market))
    assert reason in said
    assert set(inapplicable(market, default_kpi(market))) >= {"temptation", "rematched"}


def test_draws_in_payoffs_alone_are_sampled():
    market = prices(outside_shock=0.1, capacity=0.9)  # capacity: demand has no expected form
    assert why_no_deviations(market, default_kpi(market)) is None
    d = deviations(scripted("grim_trigger", market))
    assert not d.exact
    assert (d.loss > d.gain).all()


def test_shocks_of_demand_are_averaged_not_drawn():
    """A constant pair has one index, whatever the seed: its expectation over the shocks."""
    market = prices(outside_shock=0.3)
    found = [run_probes(scripted("collusive", market, seed)) for seed in range(3)]
    assert len({f["index"]["frozen_index"] for f in found}) == 1
    assert found[0]["index"]["frozen_index"] == pytest.approx(1, abs=0.05)
    assert {f["temptation"]["deviations_exact"] for f in found} == {1.0}


def test_where_nothing_is_expected_a_cycle_averages_what_was_played():
    market = prices(outside_shock=0.1, capacity=0.9)
    found = [frozen_index(scripted("collusive", market, seed))["frozen_index"] for seed in (0, 1)]
    assert found[0] == pytest.approx(found[1], abs=0.05)
    assert found[0] != found[1]


def test_seats_may_have_grids_of_their_own():
    """An action is then a step on the own grid, and its part has another name."""
    market = prices(cost=(1.0, 0.75))
    assert why_no_deviations(market, default_kpi(market)) is None
    d = deviations(scripted("grim_trigger", market))
    assert (d.steps > 0).all()
    assert (d.gain > 0.01).all()


def test_a_sampled_winner_is_replaced_by_shares():
    market = make_market("ad_auction", {"observe": "bids"})
    assert market.play_draws
    assert not market.analysis.expected().play_draws
    figures = run_probes(scripted("grim_trigger", market))
    assert figures["temptation"]["deviations_exact"] == 1
    assert figures["temptation"]["temptation"] == pytest.approx(0.475 / 0.45)


def test_no_index_without_rivals():
    alone = make_market("procurement")
    assert why_no_index(prices(), default_kpi(prices())) is None
    assert "benchmark of rivals" in why_no_index(alone, default_kpi(alone))


def test_probes_leave_the_population_alone():
    population = scripted("grim_trigger")
    before = [table.copy() for table in population.tables]
    run_probes(population)
    assert all(np.array_equal(a, b) for a, b in zip(before, population.tables, strict=True))
    assert deviations(population) is deviations(population)


def test_without_a_cycle_the_second_half_of_the_trace_is_the_path():
    market = make_market("ad_auction", {"observe": "bids", "bids": 4})
    tables = [uniform(seat.role) for seat in market.seats]
    path = limit_path(freeze(market, kpis.resolve(market, None), tables, 0))
    assert path.period == 0
    assert len(path.states) == len(path.measures) == TRACE_ROUNDS // 2
