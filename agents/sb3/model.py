"""Models of Stable-Baselines3 without an environment: made, checked, kept as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import stable_baselines3
import torch
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray
from stable_baselines3.common.logger import Logger

from tacit.agents.neural.config import schedule
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Role, Seat

from .buffers import Ring, Rollout
from .config import Sb3Config
from .masks import MaskedPolicy, Penalty
from .seeding import torch_seeded

# keyword arguments that tacit sets, and by which of its own keys
OWN = {
    "policy": "", "env": "", "device": "", "verbose": "", "tensorboard_log": "", "seed": "",
    "_init_setup_model": "", "stats_window_size": "", "use_sde": "", "sde_sample_freq": "",
    "rollout_buffer_class": "", "rollout_buffer_kwargs": "", "replay_buffer_class": "",
    "replay_buffer_kwargs": "", "optimize_memory_usage": "", "learning_rate": "learning_rate",
    "gamma": "discount", "gae_lambda": "gae_lambda", "n_steps": "rounds_per_update",
    "train_freq": "rounds_per_update", "gradient_steps": "steps",
}  # fmt: skip
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "elu": torch.nn.ELU}
REPLAY = 100_000  # samples that DQN keeps, unless buffer_size says otherwise


def make_model(config: Sb3Config, role: Role, key: np.uint64, prefix: str) -> Any:
    """A model for this role whose first weights are drawn by key.

    Raises:
        ConfigError: keyword arguments that its class does not know or does not take.
    """
    algorithm = getattr(stable_baselines3, config.algorithm)
    given = _checked(config, algorithm, f"{prefix}.kwargs")
    masked = len({tuple(x) for x in role.legal[role.legal[:, 1] > 1]} | {(0, role.actions)}) > 1
    policy: Any = "MlpPolicy"
    if config.algorithm == "DQN":
        own = {"replay_buffer_class": Ring, "buffer_size": REPLAY}
    else:
        own = {"rollout_buffer_class": Rollout, "gae_lambda": config.gae_lambda}
        if masked:
            policy = MaskedPolicy
            given["policy_kwargs"] = {**given.get("policy_kwargs", {}), "penalty": Penalty(role)}

    def rate(left: float) -> float:
        return schedule(config.learning_rate, config.learning_rate_end, 1.0 - left)

    with torch_seeded(int(key)):
        try:
            model = algorithm(
                policy, None, learning_rate=rate, gamma=config.discount, device="cpu",
                _init_setup_model=False, **{**own, **given},
            )  # fmt: skip
            model.observation_space = MultiDiscrete([len(p.values) for p in role.observation_parts])
            model.action_space, model.n_envs = Discrete(role.actions), 1
            model._setup_model()
        except (TypeError, ValueError, AssertionError, AttributeError) as error:
            raise ConfigError(
                f"{prefix}.kwargs: {config.algorithm} refuses them: {error}"
            ) from None
    model.set_logger(Logger(None, []))
    if masked and config.algorithm == "DQN":
        penalty = Penalty(role)
        # what comes next is valued at its best legal action
        model.q_net_target.register_forward_hook(
            lambda _, inputs, values: values + penalty(inputs[0])
        )
    return model


def check_sb3(config: Sb3Config, seat: Seat) -> None:
    """Whether its class takes this config.

    Raises:
        ConfigError: what it does not take.
    """
    make_model(config, seat.role, np.uint64(0), f"agents.{seat.name}")


def _checked(config: Sb3Config, algorithm: type, prefix: str) -> dict[str, Any]:
    """A copy of `kwargs` with activation functions by name made functions."""
    known = [k for k in inspect.signature(algorithm).parameters if k not in OWN]
    mistakes = []
    for name in config.kwargs:
        if name in OWN:
            key = OWN[name]
            advice = f"Set '{key}' of the agent." if key else "It is not for you to set here."
            mistakes.append(f"{prefix}.{name}: tacit sets this. {advice}")
        elif name not in known:
            mistakes.append(
                f"{prefix}.{name}: unknown key of {config.algorithm}. {nearest(name, known)}"
            )
    given = dict(config.kwargs)
    inner = given.get("policy_kwargs", {})
    if not isinstance(inner, Mapping):
        mistakes.append(f"{prefix}.policy_kwargs: must be a table, got {inner!r}.")
    elif "activation_fn" in inner:
        name = inner["activation_fn"]
        if name not in ACTIVATIONS:
            where = f"{prefix}.policy_kwargs.activation_fn"
            mistakes.append(f"{where}: unknown '{name}'. {nearest(str(name), ACTIVATIONS)}")
        else:
            given["policy_kwargs"] = {**inner, "activation_fn": ACTIVATIONS[name]}
    if mistakes:
        raise ConfigError(mistakes)
    return given


def arrays(model: Any) -> dict[str, NDArray[Any]]:
    """A copy of weights and of the optimiser's state, by name."""
    weights = {
        f"policy.{name}": tensor.numpy().copy()
        for name, tensor in model.policy.state_dict().items()
    }
    moving = model.policy.optimizer.state_dict()["state"]
    return weights | {
        f"optimizer.{index}.{name}": value.numpy().copy()
        for index, own in moving.items()
        for name, value in own.items()
    }


def load_arrays(model: Any, state: Mapping[str, NDArray[Any]]) -> None:
    """Go on exactly where `arrays` was taken: no pickle is read."""
    weights, moving = {}, dict[int, dict[str, torch.Tensor]]()
    for name, array in state.items():
        kind, _, rest = name.partition(".")
        tensor = torch.from_numpy(np.array(array))
        if kind == "policy":
            weights[rest] = tensor
        elif kind == "optimizer":
            index, _, field = rest.partition(".")
            moving.setdefault(int(index), {})[field] = tensor
    model.policy.load_state_dict(weights)
    groups = model.policy.optimizer.state_dict()["param_groups"]
    model.policy.optimizer.load_state_dict({"state": moving, "param_groups": groups})
