"""A loop in the manner of CleanRL: PPO in one file of plain torch, over the vector env."""

from __future__ import annotations

import gymnasium
import torch
from torch import nn
from torch.distributions import Categorical

import tacit.envs  # noqa: F401 (registers the markets)

from .markets import EPISODE, MARKETS, check_moved

COPIES, LENGTH, EPOCHS = 8, 32, 2
DISCOUNT, LAMBDA, CLIP, RATE = 0.9, 0.9, 0.2, 1e-3


def ppo(name: str, steps: int) -> int:
    """PPO with masks on one seat of eight copies."""
    torch.manual_seed(0)
    config, seat = MARKETS[name]
    envs = gymnasium.make_vec(
        f"tacit/{name}-v0", COPIES, "vector_entry_point", seat=seat, market=config,
        episode_rounds=EPISODE, observation="onehot", infos="mask",
    )  # fmt: skip
    width, count = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
    actor = nn.Sequential(nn.Linear(width, 32), nn.Tanh(), nn.Linear(32, count))
    critic = nn.Sequential(nn.Linear(width, 32), nn.Tanh(), nn.Linear(32, 1))
    parameters = [*actor.parameters(), *critic.parameters()]
    before = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.Adam(parameters, RATE)

    seen = torch.zeros(LENGTH, COPIES, width)
    legal = torch.zeros(LENGTH, COPIES, count, dtype=torch.bool)
    done = torch.zeros(LENGTH, COPIES, dtype=torch.long)
    paid, over, values = (torch.zeros(LENGTH, COPIES) for _ in range(3))

    def policy(shown: torch.Tensor, mask: torch.Tensor) -> Categorical:
        return Categorical(logits=actor(shown).masked_fill(~mask, -1e9))

    observation, infos = envs.reset(seed=0)
    total = 0
    while total < steps:
        with torch.no_grad():
            for t in range(LENGTH):
                seen[t] = torch.as_tensor(observation)
                legal[t] = torch.as_tensor(infos["action_mask"]).bool()
                done[t], values[t] = policy(seen[t], legal[t]).sample(), critic(seen[t])[:, 0]
                observation, reward, _, ended, infos = envs.step(done[t].numpy())
                paid[t], over[t] = torch.as_tensor(reward), torch.as_tensor(ended)
            total += LENGTH * COPIES
            ahead, trace = critic(torch.as_tensor(observation))[:, 0], torch.zeros(COPIES)
            gains = torch.zeros_like(values)
            for t in reversed(range(LENGTH)):
                error = paid[t] + DISCOUNT * (1 - over[t]) * ahead - values[t]
                gains[t] = trace = error + DISCOUNT * LAMBDA * (1 - over[t]) * trace
                ahead = values[t]
            targets, old = gains + values, policy(seen, legal).log_prob(done)
        for _ in range(EPOCHS):
            now = policy(seen, legal)
            ratio = (now.log_prob(done) - old).exp()
            clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
            loss = -torch.min(ratio * gains, clipped * gains).mean()
            loss = loss + 0.5 * (critic(seen)[..., 0] - targets).square().mean()
            optimiser.zero_grad()
            (loss - 0.01 * now.entropy().mean()).backward()
            optimiser.step()
    check_moved(before, [p.detach() for p in parameters])
    return total
