"""Quantity competition: rounds, what is seen, benchmarks and probes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.emergence.collusion.verdict import SIDES, in_prices, sells
from tacit.emergence.evidence import Evidence
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.emergence.registry import run_probes
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.quantity_competition import QuantityCompetition
from tacit.envs.quantity_competition import measures as cournot
from tacit.envs.quantity_competition.benchmarks import joint_output, nash_output, profit_of

SHOCKS = {"demand_shock": 10.0}
UNSEEN = {"monitoring": "imperfect"}


def played(actions, copies: int = 1, **config) -> Engine:
    """One round with these steps of the grid in every copy."""
    engine = Engine(QuantityCompetition(config), copies=copies)
    engine.reset()
    engine.step(np.tile(actions, (copies, 1)))
    return engine


# --- rounds ------------------------------------------------------------------------------------


def test_a_round_by_hand():
    """Outputs 75 and 100: the price is 300 - 175 = 125; cost 5; surplus 175^2/2 = 15312.5."""
    measures = played([2, 12], cost=5).measures[0]
    np.testing.assert_allclose(measures[:2, cournot.QUANTITY], [75, 100])
    np.testing.assert_allclose(measures[:2, cournot.PROFIT], [120 * 75, 120 * 100])
    market = measures[2]
    assert market[[cournot.QUANTITY, cournot.PRICE]].tolist() == [175, 125]
    assert market[cournot.CONSUMER_SURPLUS] == 15312.5
    assert market[cournot.WELFARE] == 15312.5 + 120 * 175


def test_demand_is_low_or_high_equally_often_and_nothing_between():
    engine = played([0, 0], copies=40_000, **SHOCKS)
    prices, count = np.unique(engine.measures[:, 2, cournot.PRICE], return_counts=True)
    assert prices.tolist() == [150, 170]
    assert abs(count[0] - 20_000) < 500  # 5 standard deviations
    assert engine.measures[:, 2, cournot.CONSUMER_SURPLUS].tolist() == [140**2 / 2] * 40_000


# --- what is seen --------------------------------------------------------------------------------


def test_the_published_price_has_37_values():
    """80, 82.5, ..., 170: from 290 - 210 to 310 - 140."""
    role = QuantityCompetition(UNSEEN | SHOCKS).roles[0]
    assert role.blocks[0].sees[0].values == tuple(np.arange(80, 171, 2.5))
    assert (role.observations, role.actions) == (37, 15)
    assert QuantityCompetition(UNSEEN).roles[0].observations == 29
    assert QuantityCompetition().roles[0].observations == 225
    assert QuantityCompetition({"monitoring": "none"}).roles[0].observations == 1


@pytest.mark.parametrize(("high", "price"), [(0, 127.5), (1, 147.5)])
def test_firms_see_the_price_and_not_who_produced(high, price):
    seen = set()
    for actions in ([1, 8], [8, 1], [4, 5]):
        engine = played(actions, copies=50, **UNSEEN, **SHOCKS)
        now = engine.measures[:, 2, cournot.PRICE] == price
        assert now.any()
        seen |= set(engine.observations[now].ravel().tolist())
    role = engine.market.roles[0]
    assert [role.decode_observation(o)["last_price"] for o in seen] == [price]


def test_expansion_and_bad_luck_look_the_same():
    """290 - 160 = 310 - 180: eight steps of output are one step of demand."""
    low, high = (played(a, copies=50, **UNSEEN, **SHOCKS) for a in ([4, 4], [8, 8]))
    prices = [engine.measures[:, 2, cournot.PRICE] for engine in (low, high)]
    assert set(low.observations[prices[0] == 130].ravel()) == set(
        high.observations[prices[1] == 130].ravel()
    )


def test_with_perfect_monitoring_everybody_sees_all_outputs_and_no_demand():
    engine = played([3, 7], copies=20, **SHOCKS)
    seen = engine.market.roles[0].decode_observation(engine.observations[0, 0])
    assert seen == {"phase": 0, "last_quantity_0": 77.5, "last_quantity_1": 87.5}
    assert len(np.unique(engine.observations)) == 1
    actions = engine.market.analysis.last_actions(engine.market.seats[0], engine.observations[0, 0])
    assert actions == {"firm_0": 3, "firm_1": 7}


def test_what_is_seen_at_first_is_that_of_random_outputs():
    engine = Engine(QuantityCompetition({"outputs": 3}), copies=9_000)
    engine.reset()
    assert np.abs(np.bincount(engine.observations[:, 0], minlength=9) - 1000).max() < 150
    three = Engine(QuantityCompetition({"outputs": 3, **UNSEEN, **SHOCKS}), copies=9_000)
    three.reset()
    # sums of two of three steps, 1 2 3 2 1 in 9, behind a draw of demand; 2 x 10 / 17.5 is no step
    values = three.market.roles[0].blocks[0].sees[0].values
    assert values == (80, 97.5, 100, 115, 117.5, 132.5, 135, 150, 152.5, 170)
    expected = np.array([1, 2, 1, 3, 2, 2, 3, 1, 2, 1]) * 500
    assert np.abs(np.bincount(three.observations[:, 0], minlength=10) - expected).max() < 180


# --- benchmarks ----------------------------------------------------------------------------------


def test_the_published_benchmarks():
    found = QuantityCompetition().benchmarks()
    assert found["competitive"].values == {"price": 100, "profit": 10_000, "welfare": 40_000}
    assert found["collusive"].values == {"price": 150, "profit": 11_250, "welfare": 33_750}


@pytest.mark.parametrize("firms", [2, 3, 5])
def test_nobody_gains_by_leaving_cournot_and_no_total_beats_joint_profit(firms):
    c = QuantityCompetition({"firms": firms, "cost": 30, "output_range": [0, 50]}).config
    q, each = nash_output(c), np.linspace(0, 150, 3001)
    alone = (c.demand - each - (firms - 1) * q - c.cost) * each
    assert alone.max() <= profit_of(c, q) + 1e-9
    assert each[alone.argmax()] == pytest.approx(q, abs=0.05)
    together = [profit_of(c, x) for x in each]
    assert each[np.argmax(together)] == pytest.approx(joint_output(c), abs=0.05)


@pytest.mark.parametrize(("rule", "index"), [("competitive", 0.0), ("collusive", 1.0)])
@pytest.mark.parametrize("config", [{}, SHOCKS, UNSEEN, {"firms": 3, "output_range": [25, 100]}])
def test_scripted_players_are_on_the_index_where_they_should(rule, index, config):
    outputs = 7 if "firms" in config else 15  # 50 and 75, joint and Cournot outputs of three
    market = QuantityCompetition(config | {"outputs": outputs})
    figures = run_probes(population(market, rule))
    assert figures["index"]["frozen_index"] == pytest.approx(index, abs=1e-12)


def test_learned_index_with_an_unseen_shock_is_that_of_a_sample():
    """Profits of 1,024 rounds, d drawn in each: near the index of mean demand, and not equal."""
    market = QuantityCompetition(UNSEEN | SHOCKS)
    found = run_probes(population(market, "collusive"))["index"]
    assert found["frozen_index"] == pytest.approx(1.0, abs=5 * 10 * 75 / 1250 / 32)
    assert found["frozen_index"] != 1.0
    assert found["path_too_long"] == 0


# --- probes --------------------------------------------------------------------------------------


def population(market: Market, rule: str) -> FrozenPopulation:
    """Everybody plays one rule, from a round on in which all produced the third output."""
    engine = Engine(market)
    engine.reset()
    engine.step(np.full((1, len(market.seats)), 2))
    tables = [Scripted(ScriptedConfig(rule=rule), market, seat).table() for seat in market.seats]
    return freeze(market, kpis.resolve(market, {}), tables, 0, engine.rows)


def test_cheating_on_joint_profit_pays_and_grim_trigger_deters_it():
    """Best reply to 75: 105 of the grid (112.5 off it), (300 - 180) 105 = 12,600, a gain of
    1,350 / 1,250; then Cournot for good, which costs 1,250 in every round."""
    figures = run_probes(population(QuantityCompetition(), "grim_trigger"))
    assert figures["temptation"]["tempted_states"] == 1
    assert figures["temptation"]["temptation"] == pytest.approx(1350 / 1250)
    assert figures["temptation"]["deterred_deviations"] == 1
    assert figures["temptation"]["reverting_deviations"] == 1
    assert figures["impulse_response"]["rival_response"] == pytest.approx(100 / 75 - 1)
    never = run_probes(population(QuantityCompetition(), "collusive"))["temptation"]
    assert (never["tempted_states"], never["deterred_deviations"]) == (1, 0)


def test_shocks_are_replaced_by_their_mean_where_outputs_are_seen():
    still, moved = (run_probes(population(QuantityCompetition(config), "grim_trigger"))
                    for config in ({}, SHOCKS))  # fmt: skip
    for name in ("temptation", "impulse_response", "equilibrium"):
        assert moved[name] == pytest.approx(still[name], nan_ok=True)
    market = QuantityCompetition(UNSEEN | SHOCKS)
    assert market.analysis.expected() is market
    assert market.analysis.luck
    reason = why_no_deviations(market, kpis.resolve(market, {}))
    assert reason.startswith("what follows depends on luck in quantity_competition")
    assert why_no_deviations(QuantityCompetition(UNSEEN), kpis.resolve(market, {})) is None


def test_less_output_lies_above_competition():
    """Rivals are sellers: the side of a high index is `above`, though they name no prices."""
    market = QuantityCompetition()
    e = Evidence(market, kpis.resolve(market, {}), {}, 48)
    assert sells(e)
    assert not in_prices(e)
    assert SIDES[not sells(e)] == "above"


def test_scripts_need_to_see_outputs():
    market = QuantityCompetition(UNSEEN)
    with pytest.raises(
        ConfigError, match=r"tit_for_tat needs to see .* set market\.monitoring=per"
    ):
        Scripted(ScriptedConfig(rule="tit_for_tat"), market, market.seats[0])
    assert market.analysis.benchmark_action("rotation", market.seats[0], 0) is None


# --- learners ------------------------------------------------------------------------------------


def test_first_values_are_payoffs_against_random_rivals_and_none_are_equal():
    """(300 - q - 87.5) q / (1 - .95): no tie, so that how ties are broken does not matter."""
    market = QuantityCompetition()
    agents = {seat.name: QLearningConfig() for seat in market.seats}
    q = TabularGroup(market, kpis.resolve(market, {}), agents, 0).seed_state.q_arrays.q
    grid = np.linspace(70, 105, 15)
    first = (300 - grid - 87.5) * grid / 0.05
    np.testing.assert_allclose(q.reshape(2, 225, 15), np.broadcast_to(first, (2, 225, 15)))
    assert len(np.unique(first)) == 15


@pytest.mark.parametrize("config", [{}, UNSEEN])
def test_looked_up_and_played_rounds_learn_the_same_bits(config):
    """No figure of a round depends on the state here: the table's part for those is empty."""
    market = QuantityCompetition(config)
    kpi = kpis.resolve(market, {})
    states = []
    for way in ("always", "never"):
        agents = {seat.name: QLearningConfig(epsilon_decay=1e-3) for seat in market.seats}
        group = TabularGroup(market, kpi, agents, seed=2)
        group.look_up = way
        group.run(5_000)
        states.append(group.state())
        assert (group.lookup_table is not None) == (way == "always")
    np.testing.assert_equal(*states)


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"output_range": [80, 80]}, "market.output_range: low must be below high, got [80.0, 80."),
        (
            {"demand_shock": 100},
            "market.output_range: high must be at most 100, got 105: 2 firms that produce more",
        ),
        ({"firms": 3}, "market.output_range: high must be at most 100, got 105: 3 firms"),
        ({"cost": 300}, "market.demand: must be above cost (300), got 300."),
        ({"monitoring": "imprefect"}, "market.monitoring: "),
        ({"shock": 1}, "market.shock: unknown key."),
        ({"firms": 1}, "market.firms: must be greater than or equal to 2, got 1."),
    ],
)
def test_what_is_refused(config, message):
    with pytest.raises(ConfigError) as error:
        QuantityCompetition(config)
    assert error.value.mistakes[0].startswith(message)


def test_too_many_outputs_to_see_are_refused_with_advice():
    with pytest.raises(ConfigError, match="Use fewer firms, fewer outputs, or monitoring: imperfe"):
        QuantityCompetition({"firms": 8, "output_range": [1, 30]})
    assert QuantityCompetition({"firms": 8, "output_range": [1, 30], **UNSEEN}).roles
