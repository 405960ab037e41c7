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

from tacit.agents.batch.config import schedule
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Role, Seat

from .buffers import KeyedReplayBuffer, KeyedRolloutBuffer
from .config import Sb3Config
from .masks import IllegalActionPenalty, MaskedPolicy
from .seeding import torch_seeded

# Keyword arguments that tacit sets, and by which of its own keys ('': not for the user to set).
OWN_ARGUMENTS = {
    "policy": "", "env": "", "device": "", "verbose": "", "tensorboard_log": "", "seed": "",
    "_init_setup_model": "", "stats_window_size": "", "use_sde": "", "sde_sample_freq": "",
    "rollout_buffer_class": "", "rollout_buffer_kwargs": "", "replay_buffer_class": "",
    "replay_buffer_kwargs": "", "optimize_memory_usage": "", "learning_rate": "learning_rate",
    "gamma": "discount", "gae_lambda": "gae_lambda", "n_steps": "rounds_per_update",
    "train_freq": "rounds_per_update", "gradient_steps": "steps",
}  # fmt: skip
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "elu": torch.nn.ELU}
REPLAY_SIZE = 100_000  # samples that DQN keeps, unless buffer_size says otherwise


# --- making --------------------------------------------------------------------------------------


def make_model(config: Sb3Config, role: Role, key: np.uint64, prefix: str) -> Any:
    """A model for this role whose first weights are drawn by key.

    Args:
        config: the learner's keys.
        role: whose observations and actions it has.
        key: of the first weights.
        prefix: of messages: where the config was written.

    Raises:
        ConfigError: keyword arguments that its class does not know or does not take.
    """
    algorithm = getattr(stable_baselines3, config.algorithm)
    arguments = _checked(config, algorithm, f"{prefix}.kwargs")
    masked = needs_mask(role)
    policy: Any = "MlpPolicy"
    if config.algorithm == "DQN":
        own = {"replay_buffer_class": KeyedReplayBuffer, "buffer_size": REPLAY_SIZE}
    else:
        own = {"rollout_buffer_class": KeyedRolloutBuffer, "gae_lambda": config.gae_lambda}
        if masked:
            policy, penalty = MaskedPolicy, IllegalActionPenalty(role)
            given = arguments.get("policy_kwargs", {})
            arguments["policy_kwargs"] = {**given, "penalty": penalty}

    def learning_rate(progress_remaining: float) -> float:
        return schedule(config.learning_rate, config.learning_rate_end, 1.0 - progress_remaining)

    with torch_seeded(int(key)):
        try:
            model = algorithm(
                policy, None, learning_rate=learning_rate, gamma=config.discount, device="cpu",
                _init_setup_model=False, **{**own, **arguments},
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
        _mask_targets(model, IllegalActionPenalty(role))
    return model


def needs_mask(role: Role) -> bool:
    """Whether some action is illegal at an observation that leaves a choice."""
    choices = {tuple(x) for x in role.legal[role.legal[:, 1] > 1]}
    return len(choices | {(0, role.actions)}) > 1


def _mask_targets(model: Any, penalty: IllegalActionPenalty) -> None:
    """Let DQN value a next observation at its best legal action."""

    def add_penalty(_: Any, inputs: tuple[torch.Tensor, ...], values: torch.Tensor) -> Any:
        return values + penalty(inputs[0])

    model.q_net_target.register_forward_hook(add_penalty)


def check_sb3(config: Sb3Config, seat: Seat) -> None:
    """Whether its class takes this config.

    Raises:
        ConfigError: keyword arguments that its class does not know or does not take.
    """
    make_model(config, seat.role, np.uint64(0), f"agents.{seat.name}")


def _checked(config: Sb3Config, algorithm: type, prefix: str) -> dict[str, Any]:
    """A copy of `kwargs` in which names of activation functions are the functions.

    Raises:
        ConfigError: names that its class does not know, or that tacit sets.
    """
    known = [k for k in inspect.signature(algorithm).parameters if k not in OWN_ARGUMENTS]
    mistakes = []
    for name in config.kwargs:
        if name in OWN_ARGUMENTS:
            key = OWN_ARGUMENTS[name]
            advice = f"Set '{key}' of the agent." if key else "It is not for you to set here."
            mistakes.append(f"{prefix}.{name}: tacit sets this. {advice}")
        elif name not in known:
            mistakes.append(
                f"{prefix}.{name}: unknown key of {config.algorithm}. {nearest(name, known)}"
            )
    arguments = dict(config.kwargs)
    policy_kwargs = arguments.get("policy_kwargs", {})
    if not isinstance(policy_kwargs, Mapping):
        mistakes.append(f"{prefix}.policy_kwargs: must be a table, got {policy_kwargs!r}.")
    elif "activation_fn" in policy_kwargs:
        name = policy_kwargs["activation_fn"]
        if name not in ACTIVATIONS:
            where = f"{prefix}.policy_kwargs.activation_fn"
            mistakes.append(f"{where}: unknown '{name}'. {nearest(str(name), ACTIVATIONS)}")
        else:
            arguments["policy_kwargs"] = {**policy_kwargs, "activation_fn": ACTIVATIONS[name]}
    if mistakes:
        raise ConfigError(mistakes)
    return arguments


# --- saving --------------------------------------------------------------------------------------


def arrays(model: Any) -> dict[str, NDArray[Any]]:
    """Copies of weights (`policy.<name>`) and optimiser state (`optimizer.<number>.<name>`)."""
    weights = {
        f"policy.{name}": tensor.numpy().copy()
        for name, tensor in model.policy.state_dict().items()
    }
    optimizer_state = model.policy.optimizer.state_dict()["state"]
    return weights | {
        f"optimizer.{index}.{name}": value.numpy().copy()
        for index, own in optimizer_state.items()
        for name, value in own.items()
    }


def load_arrays(model: Any, state: Mapping[str, NDArray[Any]]) -> None:
    """Go on exactly where `arrays` was taken: no pickle is read."""
    weights, optimizer_state = {}, dict[int, dict[str, torch.Tensor]]()
    for name, array in state.items():
        kind, _, rest = name.partition(".")
        tensor = torch.from_numpy(np.array(array))
        if kind == "policy":
            weights[rest] = tensor
        elif kind == "optimizer":
            index, _, field = rest.partition(".")
            optimizer_state.setdefault(int(index), {})[field] = tensor
    model.policy.load_state_dict(weights)
    groups = model.policy.optimizer.state_dict()["param_groups"]
    model.policy.optimizer.load_state_dict({"state": optimizer_state, "param_groups": groups})
