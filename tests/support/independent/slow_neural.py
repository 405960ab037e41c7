"""PPO and double DQN written a second time, sample by sample, from the papers.

Float64, PyTorch's own Adam, one-hot rows made of the parts that a role's observations name: nothing
here is summed by cell, and nothing is shared with the learners but the draws that deal samples to
minibatches.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import numpy as np
import torch

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.neural.config import NeuralConfig
from tacit.agents.neural.minibatch_loop import shuffle_block
from tacit.envs import rng
from tacit.envs.market import Role, Seat

torch.set_num_threads(1)


def one_hot(role: Role, kind: str) -> torch.Tensor:
    """Rows of all observations, float64 [O, .]: ones for the parts that are seen (for the
    observation itself where it has no parts)."""
    parts = [p for p in role.observation_parts if len(p.values) > 1]
    if kind == "observation" or not parts:
        return torch.eye(role.observations, dtype=torch.float64)
    rows = []
    for o in range(role.observations):
        shown = role.decode_observation(o)
        rows.append(
            [float(p.name in shown and shown[p.name] == v) for p in parts for v in p.values]
        )
    return torch.tensor(rows, dtype=torch.float64)


class Net:
    """Dense layers over one-hot rows, with the weights of a network under test."""

    def __init__(self, role: Role, config: NeuralConfig, flat: np.ndarray, outputs: int) -> None:
        self.rows, self.config = one_hot(role, config.encoding), config
        self.widths = [self.rows.shape[1] + 1, *config.hidden, outputs]
        self.layers, at = [], 0
        for a, b in pairwise(self.widths):
            for shape in ((a, b), (b,)):
                size = int(np.prod(shape))
                part = torch.tensor(flat[at : at + size].astype(np.float64)).reshape(shape)
                self.layers.append(part.requires_grad_())
                at += size
        assert at == len(flat)
        self.adam = torch.optim.Adam(
            self.layers, config.learning_rate, config.adam_betas, config.adam_epsilon
        )

    def __call__(self, observations: np.ndarray) -> torch.Tensor:
        weights, bias, *rest = self.layers
        x = self.rows[torch.as_tensor(observations).long()] @ weights[:-1] + bias
        activate = {"tanh": torch.tanh, "relu": torch.relu}[self.config.activation]
        for weights, bias in zip(rest[::2], rest[1::2], strict=True):
            x = activate(x) @ weights + bias
        return x

    def flat(self) -> np.ndarray:
        return np.concatenate([p.detach().numpy().ravel() for p in self.layers])

    def gradient(self) -> np.ndarray:
        return np.concatenate([p.grad.numpy().ravel() for p in self.layers])

    def step(self) -> None:
        if self.config.max_gradient:
            torch.nn.utils.clip_grad_norm_(self.layers, self.config.max_gradient)
        self.adam.step()


def log_policy(logits: torch.Tensor, legal: np.ndarray) -> torch.Tensor:
    """log pi [n, A], -inf where illegal; legal int [n, 2]: first action and count."""
    columns = torch.arange(logits.shape[1])
    first, count = torch.as_tensor(legal[:, :1]), torch.as_tensor(legal[:, 1:])
    masked = logits.masked_fill((columns < first) | (columns >= first + count), -torch.inf)
    return masked.log_softmax(1)


def in_order(samples: SeatSamples) -> list[tuple[int, int]]:
    """(decision, copy) of all samples, the latest first."""
    counts = samples.counts
    return [
        (n, c) for n in reversed(range(max(counts))) for c in range(len(counts)) if n < counts[c]
    ]


def listed(samples: SeatSamples, name: str) -> np.ndarray:
    """One array of all samples."""
    return np.array([getattr(samples, name)[place] for place in in_order(samples)])


def slow_advantages(samples: SeatSamples, values: np.ndarray, discount: float, lam: float):
    """A[n, h] and returns [n, h] from the definition: sums of discounted errors, to the next cut.

    `values` [O, H] of unweighted terms.
    """
    found, heads = [], values.shape[1]
    for n, c in in_order(samples):
        total, weight = np.zeros(heads), 1.0
        for k in range(n, samples.counts[c]):
            factor = discount ** float(samples.rounds_between[k, c])
            after = values[samples.next_observation[k, c]]
            now = values[samples.observation[k, c]]
            total += weight * (samples.reward[k, c, :heads] + factor * after - now)
            weight *= factor * lam
            if samples.truncated[k, c]:
                break
        found.append(total)
    return np.array(found), np.array(found) + values[listed(samples, "observation")]


def dealt(n: int, parts: int, key: np.uint64) -> list[np.ndarray]:
    """Which samples each minibatch gets."""
    order, whose = np.empty(parts, np.int64), np.empty(n, np.int64)
    for i in range(n):
        if i % parts == 0:
            with np.errstate(over="ignore"):  # products of 64 bits
                shuffle_block.py_func(order, key, i // parts)
        whose[i] = order[i % parts]
    return [np.flatnonzero(whose == b) for b in range(parts) if (whose == b).any()]


class SlowPpo:
    """The ordinary loss over samples; `old_policy` [O, A] is the table that played."""

    def __init__(self, learner) -> None:
        """Starts with the weights of an `Ippo`."""
        self.config, self.seat, self.weights = learner.config, learner.seat, learner.weights
        actor, critic = (n.parameters for n in learner.actor_critic.networks)
        role = self.seat.role
        self.actor = Net(role, self.config, actor, role.actions)
        self.critic = Net(role, self.config, critic, len(self.weights))
        self.key, self.updates = learner.key, 0
        self.return_scale = np.zeros(len(self.weights))
        self.old_policy = learner.policy.copy()
        self.prior = learner._prior
        self.weight = self.config.anchor_weight  # of the divergence, in units of the advantages
        self.clipped: list[float] = []  # share of samples whose ratio has no gradient

    def loss(self, observations, actions, advantages, returns) -> torch.Tensor:
        c = self.config
        log_p = log_policy(self.actor(observations), self.seat.role.legal[observations])
        chosen = log_p[torch.arange(len(actions)), torch.as_tensor(actions).long()]
        ratio = chosen.exp() / torch.as_tensor(self.old_policy[observations, actions])
        clipped, a = ratio.clamp(1 - c.clip, 1 + c.clip), torch.as_tensor(advantages)
        self.clipped.append(float((ratio * a > clipped * a).double().mean()))
        objective = torch.minimum(ratio * a, clipped * a).mean()
        entropy = -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0)).sum(1).mean()
        error = self.critic(observations) - torch.as_tensor(returns)
        loss = -objective + c.value_weight * (error**2).sum(1).mean() / 2 - c.entropy * entropy
        if self.prior is None:
            return loss
        prior = torch.as_tensor(self.prior[observations])
        possible = prior > 0
        logs = torch.where(possible, log_p, 0) - torch.where(possible, prior, 1).log()
        return loss + self.weight * (log_p.exp() * logs).sum(1).mean()

    def learn(self, samples: SeatSamples, move: bool = True) -> list[np.ndarray]:
        """One update; returns every gradient of actor and critic, in turns."""
        c, role = self.config, self.seat.role
        everywhere = np.arange(role.observations)
        values = self.critic(everywhere).detach().numpy() * self.return_scale
        by_head, returns = slow_advantages(samples, values, c.discount, c.gae_lambda)
        advantages = by_head @ self.weights
        if c.normalise_advantages:
            deviation = advantages.std() + 1e-8
            advantages = (advantages - advantages.mean()) / deviation
            self.weight = c.anchor_weight / deviation
        share = max(0.01, 1 / (self.updates + 1))
        size = np.sqrt((returns**2).mean(axis=0)) + 1e-8
        self.return_scale = np.sqrt((1 - share) * self.return_scale**2 + share * size**2)
        observations, actions = listed(samples, "observation"), listed(samples, "action")
        scaled = returns / self.return_scale
        key, gradients = np.uint64(rng.fold(self.key, self.updates)), []
        for epoch in range(c.epochs):
            for part in dealt(len(actions), c.minibatches, np.uint64(rng.fold(key, epoch))):
                nets = (self.actor, self.critic)
                for net in nets:
                    net.adam.zero_grad()
                self.loss(
                    observations[part], actions[part], advantages[part], scaled[part]
                ).backward()
                gradients += [net.gradient() for net in nets]
                for net in nets[: 2 * move]:
                    net.step()
        self.updates += 1
        if move:
            legal = role.legal
            self.old_policy = log_policy(self.actor(everywhere), legal).exp().detach().numpy()
        return gradients


class SlowDqn:
    """Double DQN over a list of samples."""

    def __init__(self, learner) -> None:
        """Starts with the weights of an `Idqn`."""
        self.config, self.weights, self.key = learner.config, learner.weights, learner.key
        self.seat: Seat = learner.seat
        role, flat = self.seat.role, learner.online.parameters
        self.online, self.target = (Net(role, self.config, flat, role.actions) for _ in range(2))
        self.kept: list[tuple] = []
        self.steps = 0

    def picks(self, step: int) -> list[tuple]:
        """The samples of one gradient step; only the latest `replay` are kept."""
        c, held = self.config, min(len(self.kept), self.config.replay)
        if c.sampling == "latest":
            return [self.kept[-1 - (step * c.batch + j) % held] for j in range(c.batch)]
        ring = [
            self.kept[max(i for i in range(at, len(self.kept), c.replay))] for at in range(held)
        ]
        key = np.uint64(rng.fold(self.key, self.steps))
        return [ring[rng.below(key, j, held)] for j in range(c.batch)]

    def learn(self, samples: SeatSamples) -> None:
        c = self.config
        names = ("observation", "action", "next_observation", "rounds_between", "reward")
        places = sorted(in_order(samples))
        parts = [np.array([getattr(samples, x)[place] for place in places]) for x in names]
        parts[4] = parts[4][:, : len(self.weights)] @ self.weights
        self.kept += list(zip(*parts, strict=True))
        if len(self.kept) < c.batch:
            return
        for step in range(c.steps):
            if self.steps % c.target_every == 0:
                for own, other in zip(self.target.layers, self.online.layers, strict=True):
                    own.data[:] = other.data
            observation, action, after, between, reward = (
                np.array(x) for x in zip(*self.picks(step), strict=True)
            )
            legal = log_policy(torch.zeros(len(after), self.online.widths[-1]),
                               self.seat.role.legal[after])  # fmt: skip
            best = (self.online(after) + legal.where(legal == -torch.inf, 0)).argmax(1)
            value = self.target(after)[torch.arange(len(after)), best].detach()
            factor = torch.as_tensor(c.discount ** between.astype(float))
            y = torch.as_tensor(reward) + factor * value
            q = self.online(observation)[torch.arange(len(action)), torch.as_tensor(action).long()]
            self.online.adam.zero_grad()
            (((q - y) ** 2) / 2).mean().backward()
            self.online.step()
            self.steps += 1


def relative(found: np.ndarray, known: np.ndarray) -> float:
    """|found - known| / |known|, Euclidean."""
    error = found.astype(np.float64) - known
    return sqrt(float(error @ error)) / sqrt(float(known @ known))
