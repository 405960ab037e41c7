"""The cloud market with alternating moves and linear demand: rounds and benchmarks by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.population import freeze
from tacit.emergence.registry import inapplicable, run_probes
from tacit.envs import kpi as kpis
from tacit.envs.cloud_bandwidth import positions as at
from tacit.envs.cloud_bandwidth.edgeworth_cycle import cycle_answer, edgeworth_cycle, joint_step
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

KLEIN = {
    "timing": "alternating", "demand": "linear", "reservation_price": 1, "cost": 0, "prices": 7,
    "price_range": [0, 1],
}  # fmt: skip
WAIT = 7


def turns(steps, start=(6, 6), **config) -> list[np.ndarray]:
    """Measures after each round in which the movers, provider_0 first, post these steps."""
    market = make_market("cloud_bandwidth", KLEIN | config)
    engine, found = Engine(market), []
    engine.reset()
    engine.rows.state[0, at.POSTED : at.POSTED + 2] = start
    for t, step in enumerate(steps):
        engine.step(np.array([[step, WAIT] if t % 2 == 0 else [WAIT, step]]))
        found.append(engine.measures[0].copy())
    return found


def column(name: str) -> int:
    return make_market("cloud_bandwidth", KLEIN).columns[name]


# --- rounds ------------------------------------------------------------------------------------


def test_one_price_changes_and_the_other_one_stays():
    prices = [row[:2, column("price")] * 6 for row in turns([3, 2, 5, 5])]
    np.testing.assert_allclose(prices, [[3, 6], [3, 2], [5, 2], [5, 5]])


def test_the_lower_price_sells_what_linear_demand_asks_for_and_ties_split_it():
    """1 - p: at 1/2 a half, at 1/3 two thirds; consumers' surplus is (1 - p)^2 / 2."""
    first, second, _, tied = turns([3, 2, 5, 5])
    profit, quantity = column("profit"), column("quantity")
    np.testing.assert_allclose(first[:, quantity], [1 / 2, 0, 1 / 2])
    np.testing.assert_allclose(first[:2, profit], [1 / 4, 0])
    np.testing.assert_allclose(second[:2, profit], [0, 2 / 9])
    np.testing.assert_allclose(tied[:2, profit], [5 / 72, 5 / 72])
    surplus = [row[2, column("consumer_surplus")] for row in (first, second, tied)]
    np.testing.assert_allclose(surplus, [1 / 8, 2 / 9, 1 / 72])
    np.testing.assert_allclose(second[2, column("welfare")], 2 / 9 + 2 / 9)


def test_cost_mass_and_reservation_price_scale_what_is_earned():
    """p = 2 of [1, 3], r = 4, mass 10: 10 (1 - 2/4) = 5 units at a margin of 1."""
    found = turns([3], cost=1, price_range=[1, 3], reservation_price=4, background_demand=10)
    np.testing.assert_allclose(found[0][0, [column("quantity"), column("profit")]], [5, 5])


def test_linear_demand_with_simultaneous_moves_is_bertrand():
    market = make_market("cloud_bandwidth", KLEIN | {"timing": "simultaneous"})
    benchmarks = market.benchmarks()
    assert benchmarks["competitive"].values["profit"] == pytest.approx(0, abs=1e-12)
    assert benchmarks["collusive"].values == pytest.approx({"price": 0.5, "profit": 0.125})
    one = make_market("cloud_bandwidth", KLEIN | {"timing": "simultaneous", "cost": [0, 0.2]})
    assert one.nash.profits == pytest.approx([0.2 * 0.8, 0])  # takes all at the rival's cost
    drastic = make_market("cloud_bandwidth", KLEIN | {"timing": "simultaneous", "cost": [0, 0.7]})
    assert drastic.nash.profits == pytest.approx([0.25, 0])  # the rival does not bind


# --- what is seen --------------------------------------------------------------------------------


def test_the_mover_sees_its_rivals_price_and_the_other_one_waits():
    market = make_market("cloud_bandwidth", KLEIN)
    assert (market.roles[0].observations, market.roles[0].actions) == (8, 8)
    np.testing.assert_array_equal(market.roles[0].legal, [[0, 7]] * 7 + [[7, 1]])
    engine = Engine(market)
    engine.reset()
    engine.rows.state[0, at.POSTED : at.POSTED + 2] = 4, 6
    engine.step(np.array([[2, WAIT]]))
    assert engine.observations[0].tolist() == [7, 2]
    engine.step(np.array([[WAIT, 5]]))
    assert engine.observations[0].tolist() == [5, 7]


def test_without_memory_the_mover_sees_nothing_and_prices_still_stand():
    market = make_market("cloud_bandwidth", KLEIN | {"memory": 0})
    np.testing.assert_array_equal(market.roles[0].legal, [[0, 7], [7, 1]])
    engine = Engine(market, copies=500)
    engine.reset()
    assert engine.observations.tolist() == [[0, 1]] * 500
    standing = engine.rows.state[:, at.POSTED + 1]
    assert set(standing) == set(range(7))  # drawn, although nobody remembers it
    engine.step(np.tile([6, WAIT], (500, 1)))
    np.testing.assert_allclose(engine.measures[:, 1, column("price")], standing / 6)
    assert engine.observations.tolist() == [[1, 0]] * 500


def test_the_first_standing_prices_are_all_equally_likely():
    market = make_market("cloud_bandwidth", KLEIN)
    engine = Engine(market, copies=49_000)
    engine.reset()
    posted = engine.rows.state[:, at.POSTED : at.POSTED + 2]
    count = np.bincount((posted @ [7, 1]).astype(int), minlength=49)
    assert np.abs(count - 1000).max() < 160  # 5 standard deviations
    np.testing.assert_array_equal(posted @ [7, 1], engine.rows.state[:, at.PAST])


# --- benchmarks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "profit"),
    [
        (6, (9 + 8 + 5) / 36 / 5 / 2),
        (12, (36 + 35 + 32 + 27 + 20 + 11) / 144 / 8 / 2),
        (24, sum(j * (24 - j) for j in range(13)) / 576 / 14 / 2),
    ],
)
def test_the_competitive_benchmark_is_the_cycle(k, profit):
    """Klein's .0611, .0699 and .0758, by hand."""
    market = make_market("cloud_bandwidth", KLEIN | {"prices": k + 1})
    values = market.benchmarks()["competitive"].values
    assert values["profit"] == pytest.approx(profit)
    assert round(profit, 4) == {6: 0.0611, 12: 0.0699, 24: 0.0758}[k]
    assert values["price"] == pytest.approx(np.mean(np.arange(k // 2 + 2) / k))
    assert market.benchmarks()["collusive"].values == {"price": 0.5, "profit": 0.125}


@pytest.mark.parametrize("rule", ["competitive", "collusive"])
@pytest.mark.parametrize("prices", [7, 8, 13])
def test_scripted_players_earn_the_benchmark(rule, prices):
    """Played, the cycle earns what its formula says; with an odd number of steps too."""
    market = make_market("cloud_bandwidth", KLEIN | {"prices": prices, "price_range": [0, 1]})
    tables = [Scripted(ScriptedConfig(rule=rule), market, seat).table() for seat in market.seats]
    population = freeze(market, kpis.resolve(market, {}), tables, 0)
    figures = run_probes(population)
    nearest = joint_step(market.lone_profit)
    target = {"competitive": 0.0, "collusive": 1.0}[rule]
    if prices == 8:  # the joint-profit price 1/2 lies between two of the grid
        best = market.lone_profit[nearest] / 2
        low = market.nash.profits[0]
        target = target and (best - low) / (0.125 - low)
    assert figures["index"]["frozen_index"] == pytest.approx(target, abs=1e-12)


def test_the_cycle_step_by_step():
    assert [cycle_answer(rival, 3) for rival in range(7)] == [4, 0, 1, 2, 3, 3, 3]
    outcome = edgeworth_cycle(np.array([0.0, 1.0, 2.0]), np.array([0.0, 6.0, 5.0]))
    assert outcome.profits.tolist() == [1.0, 1.0]  # 6, 0, 0, and each has half of the rounds
    assert outcome.price.tolist() == [1.0, 1.0]


# --- probes --------------------------------------------------------------------------------------


def test_a_pair_that_holds_the_joint_profit_price_is_tempted_and_nothing_deters_it():
    """Both post 1/2 whatever they see. The mover that undercuts to 1/3 earns 2/9 in place of 1/8.

    The unit is 1/8 - 11/180 = 23/360. The rival answers with 1/2, so the second round earns 2/9
    as well. Undercutting to 1/3 whenever it is its turn is the best response, for 2/9 a round.
    """
    market, _, figures = judged("collusive")
    assert why_no_deviations(market, kpis.resolve(market, {})) is None
    unit = 23 / 360
    assert figures["temptation"]["tempted_states"] == 1
    # mean over mover and waiting seat
    assert figures["temptation"]["temptation"] == pytest.approx((2 / 9 - 1 / 8) / unit / 2)
    assert figures["temptation"]["deterred_deviations"] == 0
    assert figures["impulse_response"]["rival_response"] == 0
    assert figures["equilibrium"]["best_responses"] == 0
    gap = figures["equilibrium"]["best_response_gap"]
    # On half of the path's states the deviator must wait for a round first.
    moving, waiting = 2 / 9 - 1 / 8, 0.95 * (2 / 9 - 1 / 8)
    assert gap == pytest.approx((moving + waiting) / 2 / unit)


def test_a_pair_that_answers_a_cut_with_the_lowest_price_is_in_equilibrium():
    """1/2 as long as the rival asks at least that, else 0, and from 0 back to 1/2."""
    market = make_market("cloud_bandwidth", KLEIN)
    table = np.zeros((8, 8))
    table[[0, 1, 2, 3, 4, 5, 6, 7], [3, 0, 0, 3, 3, 3, 3, 7]] = 1.0
    figures = run_probes(freeze(market, kpis.resolve(market, {}), [table, table], 0))
    assert figures["temptation"]["tempted_states"] == 1
    assert figures["equilibrium"]["best_responses"] == 1
    # 2/9 once, nothing for three rounds, then 1/8 again; on the path 1/8 always
    assert figures["temptation"]["deterred_deviations"] == 1
    assert figures["temptation"]["upheld_deviations"] == 1
    assert figures["impulse_response"]["rival_response"] == -1
    assert figures["impulse_response"]["impulse/rival/2"] == 0


def test_probes_of_single_rounds_say_why_they_do_not_apply():
    market = make_market("cloud_bandwidth", KLEIN)
    reasons = inapplicable(market, kpis.resolve(market, {}))
    assert {"regrets", "harm", "coalitions"} <= set(reasons)
    assert "binds the next one" in reasons["regrets"]
    assert "temptation" not in reasons


def judged(rule: str):
    market = make_market("cloud_bandwidth", KLEIN)
    tables = [Scripted(ScriptedConfig(rule=rule), market, seat).table() for seat in market.seats]
    population = freeze(market, kpis.resolve(market, {}), tables, 0)
    return market, population, run_probes(population)


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"demand": "unit"}, "market.demand: with timing: alternating must be linear, got unit."),
        ({"providers": 3}, "market.providers: with timing: alternating must be 2, got 3."),
        ({"memory": 2}, "market.memory: with timing: alternating must be 0 or 1, got 2: the mover"),
        ({"surge": {}}, "market.surge: with timing: alternating must be null"),
        ({"capacity": 2}, "market.capacity: with timing: alternating must be null, got 2.0."),
        ({"tenants": 1}, "market.tenants: with timing: alternating must be 0, got 1."),
        ({"headroom_claims": True}, "market.headroom_claims: with timing: alternating must be fal"),
        ({"cost": [0, 0.1]}, "market.cost: with timing: alternating must be one for both, got (0"),
        (
            {"price_range": [0.1, 1]},
            "market.price_range: with timing: alternating must be [0, high",
        ),
        (
            {"price_range": None},
            "market.price_range: with timing: alternating must be [0, high], f",
        ),
        (
            {"price_range": [0, 0.5]},
            "market.price_range: with timing: alternating must have a price above the joint-profit "
            "price 0.5, got [0.0, 0.5].",
        ),
        ({"timing": "alternate"}, "market.timing: "),
    ],
)
def test_what_is_refused(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("cloud_bandwidth", KLEIN | config)
    assert error.value.mistakes[0].startswith(message)


def test_scripts_that_must_see_everybodys_last_action_are_refused():
    market = make_market("cloud_bandwidth", KLEIN)
    with pytest.raises(ConfigError, match="needs to see everybody's last action"):
        Scripted(ScriptedConfig(rule="grim_trigger"), market, market.seats[0])
    blind = make_market("cloud_bandwidth", KLEIN | {"memory": 0})
    with pytest.raises(ConfigError, match="has no competitive action"):
        Scripted(ScriptedConfig(rule="competitive"), blind, blind.seats[0])
