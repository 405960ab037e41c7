"""Multiplicative weights: updates by hand, what is learned where the answer is known, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from support.groups import PUBLISHER, copied, everybody, group

from tacit.agents.registry import check_agents
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.multiplicative_weights import MultiplicativeWeightsConfig as Hedge
from tacit.agents.tabular.multiplicative_weights import weights_table
from tacit.envs.errors import ConfigError, build
from tacit.envs.registry import make_market

SHARED = {"ties": "shared", "bids": 3}  # bids .25, .5, .75 for a value of 1, second price


def logarithms(each) -> np.ndarray:
    return each.seed_state.q_arrays.q.reshape(len(each.market.seats), -1)


def test_every_action_is_credited_with_what_it_would_have_earned():
    """Against the competitive bid .75: less loses, and a tie shares .25."""
    agents = {"bidder_0": Hedge(learning_rate=0.5), "bidder_1": ScriptedConfig(rule="competitive")}
    each = group(SHARED, agents)
    each.run(10)
    np.testing.assert_allclose(logarithms(each)[0], [0, 0, 0.5 * 10 * 0.125])
    odds = np.exp([0, 0, 0.625])
    np.testing.assert_allclose(each.tables()[0], [odds / odds.sum()])


def test_the_first_policy_is_uniform_and_the_kpi_is_what_counts():
    agents = {"bidder_0": Hedge(), "bidder_1": ScriptedConfig(rule="competitive")}
    each = group(SHARED, agents, table={"bidder": {"win": 2.0}})
    np.testing.assert_allclose(each.tables()[0], [[1 / 3] * 3])
    each.run(4)
    np.testing.assert_allclose(logarithms(each)[0], [0, 0, 0.1 * 4 * 2 * 0.5])


def test_it_plays_the_policy_that_it_reports():
    """Weights that hardly move: shares of bids are those of the table."""
    each = group(SHARED, everybody(Hedge(learning_rate=1e-12)))
    each.seed_state.q_arrays.q[:3] = np.log([1, 2, 5])
    each.run(40_000)
    mean_bid = each.read()[0][0, each.market.columns["bid"]]
    assert mean_bid == pytest.approx((1 * 0.25 + 2 * 0.5 + 5 * 0.75) / 8, abs=0.005)


def test_each_observation_has_weights_of_its_own():
    each = group(
        {"ties": "shared", "bids": 2, "observe": "price"}, everybody(Hedge(learning_rate=9))
    )
    each.run(1)
    assert np.count_nonzero(logarithms(each)) == 2  # both seats: the first row, its winning bid
    assert not logarithms(each)[:, 2:].any()


def test_large_weights_overflow_nothing_and_illegal_actions_have_none():
    role = make_market("ad_auction", PUBLISHER).seats[0].role
    table = weights_table(role, np.tile(np.linspace(-9e4, 9e4, role.actions), role.observations))
    assert np.isfinite(table).all()
    np.testing.assert_allclose(table.sum(axis=1), 1)
    np.testing.assert_allclose(table[0], np.arange(role.actions) == role.actions - 1)  # it waits
    assert not table[1:, -1].any()


def test_it_learns_the_dominant_bid():
    """Second price: the highest bid earns at least as much as any other against every bid."""
    each = group(SHARED, everybody(Hedge()))
    each.run(20_000)
    for table in each.tables():
        assert table[0, 2] > 0.99


def test_saved_and_loaded_it_goes_on_as_if_never_stopped():
    whole, first, second = (group(SHARED, everybody(Hedge()), episode_rounds=20) for _ in range(3))
    whole.run(300)
    first.run(130)
    second.load(copied(first))
    second.run(170)
    np.testing.assert_equal(second.state(), whole.state())


def test_a_group_with_mixed_policies_never_stops():
    agents = {"bidder_0": Q(stop_after=1), "bidder_1": Hedge()}
    assert group(agents=agents).stop_after == 0
    assert group(agents=everybody(Q(stop_after=1))).stop_after == 1


def test_it_needs_a_market_of_one_phase():
    market = make_market("ad_auction", PUBLISHER)
    agents = {s.name: Q() for s in market.seats} | {"bidder_1": Hedge()}
    with pytest.raises(ConfigError) as error:
        check_agents(market, agents)
    assert error.value.mistakes == [
        "agents.bidder_1: multiplicative_weights needs a market of one phase; ad_auction has "
        "floor, bid here."
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"learning_rate": 0}, "agents.bidder.learning_rate: must be greater than 0, got 0."),
        ({"learning_rate": float("inf")}, "agents.bidder.learning_rate: must be a finite number"),
        ({"discount": 0.9}, "agents.bidder.discount: unknown key"),
    ],
)
def test_a_mistake_is_reported_with_its_key(keys, message):
    with pytest.raises(ConfigError) as error:
        build(Hedge, keys, "agents.bidder")
    assert error.value.mistakes[0].startswith(message)
