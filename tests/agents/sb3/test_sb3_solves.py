"""Stable-Baselines3 on games with known solutions: in seats, through the VecEnv, as a response."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from support.toy_markets.solvable import BEST, EARNS, Solvable

from tacit.agents.group import make_group
from tacit.agents.sb3.config import Sb3Config
from tacit.emergence.play.learned_response import learned_best_response
from tacit.envs import kpi
from tacit.envs.engine.policy_tables import mask, uniform
from tacit.envs.errors import ConfigError
from tacit.envs.views.sb3_vec_env import SeatVecEnv

NET = {"net_arch": [16, 16]}
LEARNERS = {
    "PPO": {"learning_rate": 3e-3, "kwargs": {"batch_size": 256, "n_epochs": 4}},
    "A2C": {"learning_rate": 1e-2, "kwargs": {}},
    "DQN": {"learning_rate": 3e-3, "steps": 32, "kwargs": {"target_update_interval": 1000}},
}
GAMES = pytest.mark.parametrize("game", BEST)


def chosen(table: np.ndarray, game: str) -> dict[int, float]:
    """How likely the best action is wherever there is one."""
    return {o: float(table[o, a]) for o, a in BEST[game].items()}


@pytest.mark.slow
@GAMES
@pytest.mark.parametrize("algorithm", LEARNERS)
def test_independent_learners_solve_what_is_solvable(algorithm, game):
    """Two learners, each in its seat. (That a seed gives the same bits again: `test_sb3.py`.)"""
    keys = LEARNERS[algorithm]
    kwargs = {"policy_kwargs": NET, **keys["kwargs"]}
    config = Sb3Config(
        **{**keys, "algorithm": algorithm, "discount": 0.5, "rounds_per_update": 32,
           "kwargs": kwargs}
    )  # fmt: skip
    market = Solvable({"game": game})
    agents = {seat.name: config for seat in market.seats}
    group = make_group(
        market, kpi.resolve(market, None), agents, seed=0, copies=16, total_rounds=1280
    )
    group.run(1280)
    for table in group.tables():
        assert min(chosen(table, game).values()) > 0.9


def shared_policy(game: str, rounds: int) -> np.ndarray:
    """PPO's own `learn()` over every seat of the role as a row; its policy, read as a table in
    which an illegal action counts as the first legal one, as it was played."""
    env = SeatVecEnv(Solvable({"game": game}), "player", copies=16, episode_rounds=32, infos=False)
    model = PPO(
        "MlpPolicy", env, n_steps=32, batch_size=256, n_epochs=4, learning_rate=3e-3, gamma=0.5,
        policy_kwargs=NET, seed=0, device="cpu",
    )  # fmt: skip
    model.learn(rounds * env.num_envs)
    role = env.seats.role
    digits = torch.from_numpy(env.seats.digits(np.arange(role.observations)))
    with torch.no_grad():
        table = model.policy.get_distribution(digits).distribution.probs.numpy().astype(float)
    illegal = np.where(mask(role), 0.0, table)
    table = table - illegal
    table[np.arange(len(table)), role.legal[:, 0]] += illegal.sum(axis=1)
    return table


@pytest.mark.slow
@GAMES
def test_one_shared_policy_solves_what_is_solvable(game):
    first, second = (shared_policy(game, 1280) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert min(chosen(first, game).values()) > 0.9


def test_a_seeded_shared_policy_is_the_same_twice():
    first, second = (shared_policy("bandit", 64) for _ in range(2))
    np.testing.assert_array_equal(first, second)


# --- as a best response --------------------------------------------------------------------------


def response(game: str, algorithm: str, **keys):
    market = Solvable({"game": game})
    tables = [uniform(seat.role) for seat in market.seats]
    return learned_best_response(
        market, kpi.resolve(market, None), tables, "player_0", algorithm, discount=0.5, **keys
    )


def test_a_learned_response_leaves_generators_alone_and_comes_again():
    torch.manual_seed(5)
    random.seed(5)
    before = torch.get_rng_state(), random.getstate()
    first, second = (response("bandit", "A2C", rounds=64, seed=1) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    np.testing.assert_array_equal(first.table, second.table)
    assert first.value == second.value


@pytest.mark.slow
@GAMES
@pytest.mark.parametrize("algorithm", ["PPO", "A2C", "DQN"])
def test_a_learned_response_is_the_best_one(algorithm, game):
    found = response(game, algorithm, rounds=1000)
    assert chosen(found.table, game) == dict.fromkeys(BEST[game], 1.0)
    # (against a giver of 0, 1 or 2 pieces, nothing given earns their mean share)
    expected = 0.4 if game == "dominant" else EARNS[game]
    assert found.value == pytest.approx(expected, abs=0.01)


def test_what_cannot_respond_is_named():
    with pytest.raises(ConfigError, match=r"algorithm: unknown class 'PPPO'. Did you mean 'PPO'"):
        response("pennies", "PPPO")
    with pytest.raises(ConfigError, match=r"algorithm: SAC cannot play player_0: .*action space"):
        response("pennies", "SAC")
    with pytest.raises(ConfigError, match=r"algorithm: PPO cannot play player_0: .*n_epoch"):
        response("pennies", "PPO", kwargs={"n_epoch": 1})
