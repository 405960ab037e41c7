"""Buffers in the place of Stable-Baselines3's own: samples of a seat, dealt by key.

SB3's own buffers draw from NumPy's global generator and discount every step alike. These draw
minibatches by key, hold observations as row numbers, and know each sample's own discount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutBufferSamples

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.replay import ReplayMemory
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.types import Floats, Ints

TEMPLATE = "tacit.agents.sb3.shuffle_loop"


class KeyedRolloutBuffer:
    """The samples of one update, for `PPO.train` and `A2C.train`.

    Attributes:
        values: of the critic, float32 `[n]`; SB3 reads them for its explained variance.
        returns: float32 `[n]`, for the same.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        """An empty buffer. (SB3 passes the sizes of its own memory, which this does not need.)"""
        self.values = self.returns = np.zeros(0, np.float32)
        self._shuffle = compiled(TEMPLATE).shuffle

    def fill(
        self,
        digits: torch.Tensor,
        observations: Ints,
        columns: tuple[NDArray[Any], ...],
        key: np.uint64,
    ) -> None:
        """Replace the samples.

        Args:
            digits: what an observation looks like to the policy, one row each.
            observations: of n samples, int64 `[n]`.
            columns: actions, values, log-probabilities, advantages and returns, `[n]` each.
            key: of the order in which minibatches are dealt.
        """
        self._digits, self._observations = digits, torch.from_numpy(observations)
        self._key, self._passes = key, 0
        actions, *floats = columns
        self._actions = torch.from_numpy(actions.astype(np.int64))[:, None]
        self._floats = [torch.from_numpy(column.astype(np.float32)) for column in floats]
        self.values, self.returns = self._floats[0].numpy(), self._floats[3].numpy()

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:
        """All samples once, in minibatches of this size (None: as one), in a new random order."""
        order = np.empty(len(self._observations), np.int64)
        self._shuffle(order, rng.child_key(self._key, self._passes))
        self._passes += 1
        shuffled, size = torch.from_numpy(order), batch_size or len(order)
        for first in range(0, len(order), size):
            picked = shuffled[first : first + size]
            observations = self._digits[self._observations[picked]]
            floats = (column[picked] for column in self._floats)
            yield RolloutBufferSamples(observations, self._actions[picked], *floats)


class KeyedReplayBuffer:
    """The last `room` samples of a seat, for `DQN.train`.

    Attributes:
        memory: the samples.
        draws: how many batches were drawn, which the next one's key depends on.
    """

    def __init__(self, room: int, *_: Any, **__: Any) -> None:
        """An empty buffer. (SB3 passes more about its own memory, which this does not need.)"""
        self.memory, self.draws = ReplayMemory(room), 0

    def bind(self, digits: torch.Tensor, discount: float, key: np.uint64) -> None:
        """Say what an observation looks like, the discount per round, and the key of draws."""
        self._digits, self._discount, self._key = digits, discount, key

    def append(self, samples: SeatSamples, weights: Floats) -> None:
        """Add an update's samples; KPI weights float64 `[H]` make one reward of its terms."""
        self.memory.append(samples, weights)

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Uniform draws of what is kept.

        No sample is terminal (`dones` are 0): episodes are truncated, and the next observation is
        the decision that would have come.
        """
        places, samples = np.empty(batch_size, np.int64), self.memory.samples
        self.memory.draw_places(places, rng.child_key(self._key, self.draws))
        self.draws += 1
        rewards = torch.from_numpy(samples.reward[places].astype(np.float32))[:, None]
        discounts = (self._discount ** samples.rounds_between[places]).astype(np.float32)
        return ReplayBufferSamples(
            self._digits[torch.from_numpy(samples.observation[places]).long()],
            torch.from_numpy(samples.action[places].astype(np.int64))[:, None],
            self._digits[torch.from_numpy(samples.next_observation[places]).long()],
            torch.zeros_like(rewards),
            rewards,
            torch.from_numpy(discounts)[:, None],
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        counts = np.array([self.memory.stored, self.draws], np.int64)
        replay = {f"replay.{name}": array for name, array in self.memory.state().items()}
        return {"replay_counters": counts} | replay

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        stored, self.draws = (int(x) for x in state["replay_counters"])
        names = self.memory.samples._fields
        self.memory.load({name: state[f"replay.{name}"] for name in names}, stored)
