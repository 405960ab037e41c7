"""Stable-Baselines3, sb3-contrib, SuperSuit, and a plain loop of torch: all train on a market."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize
from support.interop import neighbours

from tacit.envs.registry import make_market
from tacit.envs.views.gymnasium_env import SeatEnv, make_seat_env
from tacit.envs.views.gymnasium_vector_env import SeatVectorEnv
from tacit.envs.views.sb3_vec_env import SeatVecEnv

markets = neighbours.load("markets")
NAMES = list(markets.MARKETS)
STEPS = 64
# What the libraries say about each other's versions is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def loops():
    """`benchmarks.interop.with_sb3`, or why it cannot be imported here."""
    for name in ("sb3_contrib", "supersuit"):
        pytest.importorskip(name, reason=f"{name} is not installed (extra interop)")
    return neighbours.load("with_sb3")


# --- the README's loop ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("observation", ["digits", "onehot", "box"])
def test_what_predict_returns_is_an_action(name, observation):
    """Untrained: an array without dimensions, as `predict` returns it for one observation."""
    env = markets.seat_env(name, observation=observation)
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=32, seed=0, device="cpu")
    seen, _ = env.reset(seed=0)
    for _ in range(5):
        action, _ = model.predict(seen, deterministic=True)
        assert isinstance(action, np.ndarray)
        assert action.shape == ()
        seen, *_ = env.step(action)


def test_dqn_s_actions_too():
    """With exploration `predict` returns an array by another way."""
    env = markets.seat_env("cheap_talk")
    model = DQN("MlpPolicy", env, seed=0, device="cpu", buffer_size=100)
    seen, _ = env.reset(seed=0)
    model.exploration_rate = 1.0
    for _ in range(5):
        action, _ = model.predict(seen)
        assert env.action_space.contains(action.item())
        seen, *_ = env.step(action)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("function", ["ppo", "supersuited"])
def test_every_market_is_learned(name, function):
    assert getattr(loops(), function)(name, STEPS) >= STEPS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ad_auction", "procurement"])
@pytest.mark.parametrize("function", ["dqn", "made_by_sb3", "wrapped", "maskable", "recurrent"])
def test_a_market_of_several_phases_is_learned(name, function):
    assert getattr(loops(), function)(name, STEPS) >= STEPS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ad_auction", "cloud_bandwidth"])
def test_a_loop_of_plain_torch_learns(name):
    assert neighbours.load("plain_torch").ppo(name, STEPS) >= STEPS


# --- other people's wrappers ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ad_auction", "quantity_competition", "cheap_talk"])
def test_make_vec_env_goes_on_without_a_render_mode(name):
    """It asks for "rgb_array", and makes the env again where that is a TypeError."""
    config, seat = markets.MARKETS[name]
    rows = make_vec_env(f"tacit/{name}-v0", 2, env_kwargs={"seat": seat, "market": config})
    assert rows.reset().shape[0] == 2
    with pytest.raises(TypeError, match="render_mode must be None, got 'rgb_array'"):
        make_seat_env(name, seat=seat, render_mode="rgb_array")
    with pytest.raises(ValueError, match="render_mode must be None, got 'human'"):
        gymnasium.make_vec(
            f"tacit/{name}-v0", 2, "vector_entry_point", seat=seat, render_mode="human"
        )


def test_normalised_rewards_and_observations_are_finite():
    rows = VecNormalize(DummyVecEnv([partial(markets.seat_env, "procurement", observation="box")]))
    seen = rows.reset()
    for k in range(30):
        assert np.isfinite(seen).all()
        seen, paid, _, _ = rows.step(np.array([k % 4]))
        assert np.isfinite(paid).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("procurement", "fork"), ("procurement", "forkserver"), ("procurement", "spawn"),
        ("ad_auction", "fork"), ("cloud_bandwidth", "fork"),
    ],
)  # fmt: skip
def test_copies_in_other_processes_play_the_same(name, method):
    """However a process is started: the trajectory is that of copies in this one."""
    config, seat = markets.MARKETS[name]
    make = partial(make_seat_env, name, market=config, seat=seat, episode_rounds=5)
    makers = [partial(make, copy=c, observation="onehot", infos="flat") for c in range(2)]
    there, here = SubprocVecEnv(makers, start_method=method), DummyVecEnv(makers)
    try:
        for rows in (there, here):
            rows._seeds = [3, 3]  # (its own seed() gives every env another)
        np.testing.assert_array_equal(there.reset(), here.reset())
        for k in range(12):
            actions = np.array([k % 4, (k + 1) % 4])
            (seen, paid, *rest), (known, reward, *others) = there.step(actions), here.step(actions)
            np.testing.assert_array_equal(seen, known)
            np.testing.assert_array_equal(paid.astype(np.float32), reward)
            np.testing.assert_equal(rest, others)
    finally:
        there.close()


# --- copies --------------------------------------------------------------------------------------

COPIERS = {"deepcopy": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}


@pytest.mark.parametrize("copied", COPIERS.values(), ids=COPIERS)
@pytest.mark.parametrize("name", ["ad_auction", "cloud_bandwidth", "cheap_talk"])
def test_a_copy_within_an_episode_goes_on_alike(name, copied):
    """One seat in all of its views: also before the first reset."""
    config, seat = markets.MARKETS[name]
    made = make_market(name, config)
    for env in (SeatEnv(made, seat), SeatVectorEnv(made, seat, num_envs=2)):
        assert copied(env).reset(seed=4)[0].shape == env.reset(seed=4)[0].shape
        action = 0 if isinstance(env, SeatEnv) else np.zeros(2, int)
        env.step(action)
        other = copied(env)
        for _ in range(3):
            np.testing.assert_equal(other.step(action), env.step(action))
    rows = SeatVecEnv(made, seat, copies=2)
    rows.reset()
    other = copied(rows)
    for _ in range(3):
        np.testing.assert_equal(other.step(np.zeros(2, int)), rows.step(np.zeros(2, int)))
