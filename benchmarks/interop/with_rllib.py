"""RLlib: one PPO a role through its own wrapper of PettingZoo's parallel envs."""

from __future__ import annotations

import logging
from typing import Any

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env

from .markets import all_seats, check_moved

BATCH = 250


def start() -> None:
    """One Ray on this machine, without its page."""
    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)


def role(seat: str, *_: Any, **__: Any) -> str:
    """The policy of a seat: its role's."""
    return seat.rsplit("_", 1)[0]


def ppo(name: str, steps: int) -> int:
    """PPO with a policy for every role."""
    start()
    register_env("tacit", lambda config: ParallelPettingZooEnv(all_seats(**config)))
    roles = {role(seat) for seat in all_seats(name).possible_agents}
    config = (
        PPOConfig()
        .environment("tacit", env_config={"name": name, "observation": "onehot", "infos": None})
        .multi_agent(policies=roles, policy_mapping_fn=role)
        .env_runners(num_env_runners=0, rollout_fragment_length=BATCH)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=BATCH, minibatch_size=BATCH, num_epochs=2)
        .debugging(seed=0, log_level="ERROR")
    )
    algorithm = config.build_algo()
    try:
        before = _numbers(algorithm.get_weights())
        done = 0
        while done < steps:
            result = algorithm.train()
            done = int(result["env_runners"]["num_env_steps_sampled_lifetime"])
        check_moved(before, _numbers(algorithm.get_weights()))
    finally:
        algorithm.stop()
    return done


def _numbers(weights: Any) -> list[Any]:
    """All arrays of nested dicts, in the order of their keys."""
    if isinstance(weights, dict):
        return [x for key in sorted(weights) for x in _numbers(weights[key])]
    return [weights]
