"""A market that declares its rules and nothing else works in the engine and in every view."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test
from support.independent.pure import PlainCopy
from support.play import random_actions
from support.toy_markets.errand import Errand
from support.toy_markets.rules_only import RulesOnly

from tacit.envs import kpi
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.views.gymnasium_env import SeatEnv
from tacit.envs.views.gymnasium_vector_env import SeatVectorEnv
from tacit.envs.views.pettingzoo_env import MarketAECEnv, MarketParallelEnv
from tacit.envs.views.sb3_vec_env import SeatVecEnv

# What `api_test` warns of in every finite market: see test_views.py.
UNAVOIDABLE = (
    "Observation space for each agent probably should be gymnasium.spaces.box",
    "Observation numpy array is all zeros",
)


def test_it_says_nothing_of_itself():
    market = RulesOnly()
    assert market.benchmarks() == market.derived({}) == market.conditions() == {}
    assert (market.play_draws, market.claims, market.version) == (True, (), 0)
    with pytest.raises(ConfigError, match="rules_only declares no Analysis"):
        market.analysis  # noqa: B018


def test_the_engine_plays_it_as_plain_python_does(luck):
    market = RulesOnly()
    table = kpi.resolve(market, {"seller": {"profit": 1, "sold": -0.5}})
    engine, plain = Engine(market, table, seeds=[4]), PlainCopy(market, table, 4, 0)
    engine.reset()
    ties = 0
    for round_ in range(30):
        actions = random_actions(engine, luck)
        engine.step(actions)
        assert plain.step(actions[0], round_, 0) == engine.observations[0].tolist()
        np.testing.assert_array_equal(plain.measures, engine.measures[0])
        np.testing.assert_array_equal(plain.scores, engine.rows.scores[0])
        sold = engine.measures[0, :2, 1]
        assert sold.sum() == 1
        price = 1 + actions[0, sold.argmax()]
        assert engine.rewards[0, sold.argmax()] == price - 0.5
        assert price == 1 + actions[0].min()
        ties += actions[0, 0] == actions[0, 1]
    assert 0 < ties < 30


def test_the_pettingzoo_views_pass_their_tests():
    parallel_api_test(MarketParallelEnv(RulesOnly()), num_cycles=60)
    with warnings.catch_warnings():
        for message in UNAVOIDABLE:
            warnings.filterwarnings("ignore", message)
        api_test(MarketAECEnv(RulesOnly()), num_cycles=60)


def test_gymnasium_and_sb3_views_play_one_trajectory(luck):
    market = RulesOnly()
    env = SeatEnv(market, "seller_1", episode_rounds=5)
    check_env(env, skip_render_check=True)
    vector = SeatVectorEnv(market, "seller_1", episode_rounds=5)
    vec = SeatVecEnv(market, "seller_1", episode_rounds=5)
    vec.seed(3)
    first = env.reset(seed=3)[0]
    np.testing.assert_array_equal(vector.reset(seed=3)[0][0], first)
    np.testing.assert_array_equal(vec.reset()[0], first)
    earned = 0.0
    for _ in range(5):
        action = int(luck.integers(3))
        _, reward, _, over, _ = env.step(action)
        assert reward == vector.step(np.array([action]))[1][0] == vec.step([action])[1][0]
        earned += reward
    assert over
    assert earned > 0


# --- the words of a market that has none ----------------------------------------------------------


def test_a_round_in_words_names_the_parts_of_actions():
    env = MarketParallelEnv(RulesOnly(), render_mode="ansi")
    env.reset(seed=0)
    env.step({"seller_0": 2, "seller_1": 0})
    assert env.render() == (
        "round 1 of episode 0\n"
        "  seller_0: price 3\n"
        "  seller_1: price 1\n"
        "  KPI: seller_0 +0, seller_1 +1"
    )


def test_waiting_is_left_out_of_a_round_in_words():
    """The worker that was not called waits in `reply`, a phase in which its role acts."""
    market = Errand()
    actions = np.array([[1, 0, 0], [3, 3, 2]])  # calls worker 1; a bonus, waits, effort 2
    assert market.transcript(actions, np.zeros((4, 1))) == [
        "caller_0: worker 1",
        "caller_0: bonus 1.0",
        "worker_1: effort 2",
    ]
