"""Tabular learners solve what can be solved, and their arrays hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
from support.groups import PUBLISHER, everybody, group

from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.arrays import (
    BOUND_ROUNDS,
    CONSTANT,
    EPSILON,
    EPSILON_DECAY,
    EPSILON_MIN,
    EXPONENTIAL,
    RANDOM_TIES,
    SCHEDULE,
    SETTINGS,
)
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.exploration import choose, epsilon_at, explore, renew_bounds
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.initial_q import uniform_payoffs
from tacit.envs import kpi
from tacit.envs.market import Market
from tacit.envs.registry import make_market


def greedy(each: TabularGroup, seat: int = 0) -> np.ndarray:
    return each.tables()[seat].argmax(axis=1)


# --- solvable markets ------------------------------------------------------------------------


@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("seed", range(3))
def test_second_price_is_learned_at_the_highest_bid(update, seed):
    """Its only equilibrium, for learners that look no further than the round."""
    learner = Q(update=update, discount=0, epsilon_decay=1e-4)
    each = group(agents=everybody(learner), seed=seed)
    each.run(60_000)
    assert [int(greedy(each, s)[0]) for s in (0, 1)] == [18, 18]


@pytest.mark.parametrize(("rule", "reply"), [("collusive", 1), ("competitive", 18)])
def test_the_best_reply_to_a_fixed_first_price_bid(rule, reply):
    learner = Q(discount=0, epsilon_decay=1e-3, initial_q=0)
    agents = {"bidder_0": learner, "bidder_1": ScriptedConfig(rule=rule)}
    each = group({"price_mix": 1.0}, agents)
    each.run(20_000)
    assert greedy(each).tolist() == [reply]


@pytest.mark.parametrize(("discount", "bid"), [(0.0, 1), (0.9, 0)])
def test_patience_decides_whether_tit_for_tat_is_worth_keeping(discount, bid):
    """First price, bids .25 .5 .75: sharing at .25 earns .375 a round, undercutting .5 once."""
    learner = Q(exploration="constant", epsilon=1, discount=discount, learning_rate=0.005)
    agents = {"bidder_0": learner, "bidder_1": ScriptedConfig(rule="tit_for_tat")}
    each = group({"price_mix": 1.0, "bids": 3, "observe": "bids"}, agents)
    each.run(200_000)
    trusted = each.market.role("bidder").decode_observation(5)
    assert trusted == {"phase": 0, "value": 1.0, "last_bid_0": 0.25, "last_bid_1": 0.25}
    assert greedy(each)[5] == bid


@pytest.mark.parametrize("episode_rounds", [None, 1, 3])
def test_truncation_is_no_end(episode_rounds):
    """A reward of 1 in every round is worth 1 / (1 - discount), however short the episodes."""
    agents = everybody(ScriptedConfig(rule="competitive")) | {
        "publisher_0": Q(exploration="constant", learning_rate=0.5, discount=0.9, initial_q=0)
    }
    table = {"publisher": {"fill": 1}}
    each = group(PUBLISHER, agents, table=table, episode_rounds=episode_rounds)
    each.run(3000)
    q_arrays = each.seed_state.q_arrays
    start = int(q_arrays.first_cell[2])
    np.testing.assert_allclose(q_arrays.q[start : start + 5], 10.0)


# --- what a group knows ----------------------------------------------------------------------


EXACT_TIES = Q(learning_rate=1, discount=0, initial_q=0, exploration="constant", epsilon=0.5)


@pytest.mark.parametrize("learner", [Q(), EXACT_TIES])
def test_the_greedy_cache_is_the_first_argmax_and_its_bound_holds(learner):
    agents = everybody(learner) | {"publisher_0": learner}
    each = group(PUBLISHER, agents, episode_rounds=50, copies=2)
    for _ in range(5):
        each.run(999)
        table_row, q_arrays = 0, each.seed_state.q_arrays
        for seat, cell in zip(each.market.seats, q_arrays.first_cell, strict=True):
            for o, (first, count) in enumerate(seat.role.legal):
                at = cell + o * seat.role.actions + first
                q = q_arrays.q[at : at + count]
                others = np.delete(q, q.argmax())
                assert q_arrays.greedy[table_row] == first + q.argmax()
                assert q_arrays.runner_up[table_row] >= others.max(initial=-np.inf)
                table_row += 1


def test_reading_gives_means_since_the_last_reading():
    each = group(copies=3)
    each.run(100)
    first, scores = each.read()
    win, profit = (each.market.columns[name] for name in ("win", "profit"))
    assert first[:2, win].sum() == pytest.approx(1.0)
    assert scores[2:] == pytest.approx(first[:2, profit])  # rewards under the default KPI
    each.run(50)
    second, _ = each.read()
    assert second[:2, win].sum() == pytest.approx(1.0)
    assert not np.array_equal(first, second)
    assert not each.read()[0].any()


def payoff_bounds(market: Market) -> tuple[np.ndarray, np.ndarray]:
    """Second price against a uniform rival: what a bid earns if it loses, or wins, its tie."""
    grid = np.array(market.grid)
    below = np.concatenate([[0], np.cumsum(1 - grid)[:-1]])
    return below / len(grid), (below + 1 - grid) / len(grid)


@pytest.mark.parametrize("random_ties", [True, False])
def test_one_draw_explores_or_breaks_a_tie_with_equal_shares(random_ties):
    """Legal are 1 .. 4, and 2 and 4 are the best. Half of all draws explore: each action has a
    quarter of them. Of the other half each of the best has one half, or the first has all."""
    q = np.array([9.0, 1.0, 2.0, 1.0, 2.0, 9.0])
    settings = np.zeros(SETTINGS)
    settings[[SCHEDULE, EPSILON, RANDOM_TIES]] = CONSTANT, 0.5, float(random_ties)
    draws = (np.arange(80) + 0.5) / 80
    found = [explore.py_func(q, 0, 1, 4, 2, settings, draw, 0) for draw in draws]
    rest = [2] * 20 + [4] * 20 if random_ties else [2] * 40
    assert found == [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10 + rest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "decay", "least"),
    [(CONSTANT, 0.0, 0.0), (EXPONENTIAL, 4e-6, 0.0), (EXPONENTIAL, 0.02, 0.1)],
)
def test_bounds_of_epsilon_change_no_action(schedule, decay, least):
    """In every round for which bounds were computed: draws near the edges of all actions' parts."""
    q, t = np.array([1.0, 2.0, 0.0]), 5 * BOUND_ROUNDS
    settings = np.zeros(SETTINGS)
    columns = [SCHEDULE, EPSILON, EPSILON_DECAY, EPSILON_MIN]
    settings[columns] = schedule, 0.7, decay, least
    exact = settings.copy()  # with a floor of 0, every draw is compared with epsilon itself
    renew_bounds(settings, t)
    for now in range(t, t + BOUND_ROUNDS, 15):
        epsilon = epsilon_at(exact, now)
        for edge in epsilon * np.array([0, 1, 2, 3]) / 3:
            for draw in edge * (1 + np.array([-1e-3, -1e-12, -2e-16, 0, 2e-16, 1e-12, 1e-3])):
                found = choose(q, 0, 0, 3, 1, 1.0, settings, draw, now)
                assert found == explore(q, 0, 0, 3, 1, exact, draw, now)


@pytest.mark.parametrize("random_ties", [True, False])
@pytest.mark.parametrize("runner_up", [2.0, 5.0])  # exact, or only a bound
def test_a_tie_is_broken_whatever_the_bounds_say(random_ties, runner_up):
    q, settings = np.array([9.0, 1.0, 2.0, 1.0, 2.0, 9.0]), np.zeros(SETTINGS)
    settings[[SCHEDULE, EPSILON, RANDOM_TIES]] = CONSTANT, 0.5, float(random_ties)
    renew_bounds(settings, 0)
    found = [choose(q, 0, 1, 4, 2, runner_up, settings, draw, 0) for draw in (0.6, 0.9)]
    assert found == ([2, 4] if random_ties else [2, 2])


def test_rival_uniform_is_the_discounted_payoff():
    market = make_market("ad_auction", {"observe": "price"})
    low, high = payoff_bounds(market)
    each = TabularGroup(market, kpi.resolve(market, None), everybody(Q(discount=0.9)), 0)
    q = each.seed_state.q_arrays.q.reshape(2, 20, 19)
    assert np.all(q == q[:, :1])
    for row in q[:, 0] / 10:
        assert np.all(np.isclose(row, low) | np.isclose(row, high))


def test_rival_uniform_is_sampled_where_there_are_phases():
    market = make_market("ad_auction", {"publisher": True, "bids": 4})
    bidder, _, publisher = uniform_payoffs(market, kpi.resolve(market, None))
    assert bidder[4] == publisher[5] == 0.0  # waiting
    # floor .8 and two uniform bids: sold unless both stay below
    assert publisher[4] == pytest.approx(0.8 * (1 - 0.75**2), abs=0.02)
    # bid .2 is met by floors 0 and .2, ties one rival in four, and then pays .2
    assert bidder[0] == pytest.approx(2 / 5 / 4 / 2 * 0.8, abs=0.01)


def test_initial_q_is_a_number_or_a_range():
    def first_q(initial_q, seed=0):
        return group(agents=everybody(Q(initial_q=initial_q)), seed=seed).seed_state.q_arrays.q

    assert np.all(first_q(3) == 3.0)
    drawn = [first_q((-1, 2), seed) for seed in (0, 1, 0)]
    assert np.all((drawn[0] >= -1) & (drawn[0] < 2))
    assert len(np.unique(drawn[:2])) == 4 * 19  # no two seats or seeds share a value
    np.testing.assert_array_equal(drawn[0], drawn[2])


def test_initial_values_average_over_private_values():
    """Bids 1/3 and 2/3 for values .5 and 1 against either bid: by hand, half of ties won."""
    config = {"value": {"kind": "list", "values": [0.5, 1.0]}, "bids": 2, "price_mix": 1.0}
    market = make_market("ad_auction", config)
    found = uniform_payoffs(market, kpi.resolve(market, None))
    wanted = [0.25 * (0.75 - 1 / 3), 0.75 * (0.75 - 2 / 3)]
    np.testing.assert_allclose(found, [wanted, wanted], atol=0.005)
