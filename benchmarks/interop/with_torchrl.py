"""TorchRL: one PPO a role through `PettingZooWrapper`, with masks."""

from __future__ import annotations

from typing import Any

import torch
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import nn
from torchrl.data import Composite
from torchrl.envs.libs.pettingzoo import PettingZooWrapper
from torchrl.envs.utils import check_env_specs
from torchrl.modules import MaskedCategorical, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss, ValueEstimators

from tacit.envs.views import make_raw_aec

from .markets import EPISODE, MARKETS, all_seats, check_moved

BATCH = 250


def wrap(name: str, observation: str = "onehot", infos: str | None = "mask") -> PettingZooWrapper:
    """The market as TorchRL's env; its groups are the roles."""
    env = all_seats(name, observation=observation, infos=infos)
    return PettingZooWrapper(env=env, categorical_actions=True, seed=0)


def wrap_aec(name: str, observation: str = "onehot", infos: str | None = "mask") -> Any:
    """The turn-based view, in which TorchRL masks who does not act."""
    env = make_raw_aec(
        name, market=MARKETS[name][0], episode_rounds=EPISODE, observation=observation, infos=infos
    )
    return PettingZooWrapper(env=env, use_mask=True, categorical_actions=True, seed=0)


def network(inputs: int, outputs: int) -> nn.Module:
    """A small perceptron."""
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def actor_of(env: PettingZooWrapper, group: str) -> ProbabilisticActor:
    """The policy that the seats of a group share: it plays legal actions only."""
    width = env.observation_spec[group, "observation"].shape[-1]
    count = env.full_action_spec_unbatched[group, "action"].space.n
    logits = TensorDictModule(network(width, count), [(group, "observation")], [(group, "logits")])
    return ProbabilisticActor(
        logits,
        in_keys={"logits": (group, "logits"), "mask": (group, "action_mask")},
        out_keys=[(group, "action")],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
        log_prob_key=(group, "log_prob"),
        spec=Composite({(group, "action"): env.full_action_spec_unbatched[group, "action"]}),
    )


def loss_of(env: PettingZooWrapper, group: str, actor: ProbabilisticActor) -> ClipPPOLoss:
    """The clipped loss of a group, and its critic."""
    width = env.observation_spec[group, "observation"].shape[-1]
    critic = TensorDictModule(network(width, 1), [(group, "observation")], [(group, "state_value")])
    loss = ClipPPOLoss(actor, critic, normalize_advantage=False)
    names = ("reward", "action", "done", "terminated")
    loss.set_keys(
        **{key: (group, key) for key in names},
        sample_log_prob=(group, "log_prob"),
        value=(group, "state_value"),
        advantage=(group, "advantage"),
        value_target=(group, "value_target"),
    )
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.9, lmbda=0.9)
    return loss


def ppo(name: str, steps: int) -> int:
    """Check the env's specs, then train one PPO for every role."""
    torch.manual_seed(0)
    check_env_specs(wrap(name))
    env = wrap(name)
    actors = {group: actor_of(env, group) for group in env.group_map}
    losses = {group: loss_of(env, group, actor) for group, actor in actors.items()}
    parameters = [p for loss in losses.values() for p in loss.parameters()]
    before = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.Adam(parameters, 1e-3)
    policy = TensorDictSequential(*actors.values())
    done = 0
    while done < steps:
        with torch.no_grad():
            batch = env.rollout(BATCH, policy, break_when_any_done=False)
        done += batch.numel()
        for loss in losses.values():
            with torch.no_grad():
                loss.value_estimator(
                    batch, params=loss.critic_network_params,
                    target_params=loss.target_critic_network_params,
                )  # fmt: skip
            found = loss(batch)
            total = found["loss_objective"] + found["loss_critic"] + found["loss_entropy"]
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
    check_moved(before, [p.detach() for p in parameters])
    return done
