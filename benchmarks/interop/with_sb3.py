"""Stable-Baselines3 and sb3-contrib on one seat of a market, and on all seats through SuperSuit."""

from __future__ import annotations

from functools import partial
from typing import Any

import supersuit
from sb3_contrib import MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecFrameStack,
    VecNormalize,
)

from .markets import all_seats, check_moved, seat_env, seat_rows

STEPS = {"n_steps": 32, "batch_size": 32, "n_epochs": 2}  # of every PPO
KEYS: dict[str, Any] = {"seed": 0, "device": "cpu"}


def learn(model: BaseAlgorithm, steps: int) -> int:
    """Train a model, and return the number of steps."""
    before = [p.detach().clone() for p in model.policy.parameters()]
    model.learn(steps)
    check_moved(before, [p.detach() for p in model.policy.parameters()])
    return int(model.num_timesteps)


def play(model: Any, env: Any) -> None:
    """The loop of SB3's README over a Gymnasium env: two episodes."""
    observation, _ = env.reset()
    ends = 0
    while ends < 2:
        action, _ = model.predict(observation, deterministic=True)
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            ends += 1
            observation, _ = env.reset()


def ppo(name: str, steps: int) -> int:
    """PPO on the Gymnasium env, digits, then the README's loop."""
    env = seat_env(name)
    model = PPO("MlpPolicy", env, **STEPS, **KEYS)
    done = learn(model, steps)
    play(model, env)
    return done


def dqn(name: str, steps: int) -> int:
    """DQN on the Gymnasium env, one-hot, then the README's loop."""
    env = seat_env(name, observation="onehot", infos=None)
    model = DQN("MlpPolicy", env, learning_starts=50, train_freq=16, **KEYS)
    done = learn(model, steps)
    play(model, env)
    return done


def made_by_sb3(name: str, steps: int) -> int:
    """PPO over `make_vec_env`, which asks for a render mode first."""
    return learn(PPO("MlpPolicy", make_vec_env(partial(seat_env, name), 2), **STEPS, **KEYS), steps)


def wrapped(name: str, steps: int) -> int:
    """PPO over VecNormalize and VecFrameStack."""
    rows: VecEnv = DummyVecEnv([partial(seat_env, name, observation="box")])
    rows = VecFrameStack(VecNormalize(rows), 3)
    return learn(PPO("MlpPolicy", rows, **STEPS, **KEYS), steps)


def processes(name: str, steps: int, method: str = "forkserver") -> int:
    """PPO over SubprocVecEnv: copies of the env in other processes."""
    rows = SubprocVecEnv([partial(seat_env, name, copy=c) for c in range(2)], start_method=method)
    try:
        return learn(PPO("MlpPolicy", rows, **STEPS, **KEYS), steps)
    finally:
        rows.close()


def maskable(name: str, steps: int) -> int:
    """MaskablePPO on many copies in one compiled loop; also on the Gymnasium env."""
    model = MaskablePPO("MlpPolicy", seat_rows(name, 4), **STEPS, **KEYS)
    done = learn(model, steps)
    env = seat_env(name)
    observation, info = env.reset()
    for _ in range(20):
        action, _ = model.predict(observation, action_masks=env.unwrapped.action_masks())
        if not info["action_mask"][int(action)]:
            raise RuntimeError(f"a masked action was chosen: {action}")
        observation, _, _, over, info = env.step(action)
        if over:
            observation, info = env.reset()
    return done


def recurrent(name: str, steps: int) -> int:
    """RecurrentPPO on many copies."""
    rows = seat_rows(name, 4, observation="box", infos=None)
    policy = {"lstm_hidden_size": 16}
    return learn(RecurrentPPO("MlpLstmPolicy", rows, policy_kwargs=policy, **STEPS, **KEYS), steps)


def supersuited(name: str, steps: int) -> int:
    """One PPO shared by all seats: padded to one size, stacked, as rows of a vector env."""
    env = all_seats(name, observation="box", infos="flat")
    env = supersuit.pad_action_space_v0(supersuit.pad_observations_v0(env))
    rows = supersuit.pettingzoo_env_to_vec_env_v1(supersuit.frame_stack_v1(env, 2))
    many = supersuit.concat_vec_envs_v1(rows, 2, num_cpus=0, base_class="stable_baselines3")
    return learn(PPO("MlpPolicy", many, **STEPS, device="cpu"), steps)  # (it cannot be seeded)
