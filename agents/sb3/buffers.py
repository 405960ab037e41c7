"""What stands where Stable-Baselines3 keeps its buffers: samples of a seat, dealt by key.

SB3's own buffers draw from NumPy's global generator and discount every step alike. These deal
minibatches by key, hold observations as numbers of rows, and know each sample's own discount.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutBufferSamples

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.neural.idqn import TEMPLATE, Replay
from tacit.envs import rng
from tacit.envs.jit.loops import compiled

LOOPS = "tacit.agents.sb3.shuffle_loop"


class Rollout:
    """The samples of one update for `PPO.train` and `A2C.train`.

    (SB3 makes it with arguments about its own memory, which is not needed.)
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        self.values = self.returns = np.zeros(0, np.float32)
        self._shuffle = compiled(LOOPS).shuffle

    def fill(
        self,
        digits: torch.Tensor,
        seen: NDArray[np.int64],
        columns: tuple[NDArray[Any], ...],
        key: np.uint64,
    ) -> None:
        """n samples: observations `seen` int64 `[n]`, rows of `digits`; `columns` are actions,
        values, log-probabilities, advantages and returns, `[n]` each."""
        self._digits, self._seen, self._key, self._passes = digits, torch.from_numpy(seen), key, 0
        actions, *floats = columns
        self._actions = torch.from_numpy(actions.astype(np.int64))[:, None]
        self._floats = [torch.from_numpy(column.astype(np.float32)) for column in floats]
        self.values, self.returns = self._floats[0].numpy(), self._floats[3].numpy()

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:
        """All samples once, in minibatches (None: as one)."""
        order = np.empty(len(self._seen), np.int64)
        self._shuffle(order, np.uint64(rng.fold(self._key, self._passes)))
        self._passes += 1
        dealt, size = torch.from_numpy(order), batch_size or len(order)
        for first in range(0, len(order), size):
            rows = dealt[first : first + size]
            parts = (column[rows] for column in self._floats)
            yield RolloutBufferSamples(self._digits[self._seen[rows]], self._actions[rows], *parts)


class Ring:
    """The last `room` samples for `DQN.train`."""

    def __init__(self, room: int, *_: Any, **__: Any) -> None:
        whole = [np.zeros(room, np.int32) for _ in range(4)]
        self.replay = Replay(whole[0], whole[1], whole[2], whole[3], np.zeros(room))
        self.stored, self.drawn = 0, 0
        self._loops = compiled(TEMPLATE)

    def bind(self, digits: torch.Tensor, discount: float, key: np.uint64) -> None:
        """What an observation looks like, the factor per round, and what deals."""
        self._digits, self._discount, self._key = digits, discount, key

    def append(self, samples: SeatSamples, weights: NDArray[np.float64]) -> None:
        """Add an update's samples; the KPI's weights make one reward of its terms."""
        self.stored = self._loops.append(samples, weights, self.replay, self.stored)

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Uniform draws from what is kept. No sample ends a life: episodes are truncated, and the
        next observation is the decision that would have come."""
        picks = np.empty(batch_size, np.int64)
        key = np.uint64(rng.fold(self._key, self.drawn))
        self._loops.choose(picks, key, self.stored, len(self.replay.seen), False, 0)
        self.drawn += 1
        replay = self.replay
        rewards = torch.from_numpy(replay.reward[picks].astype(np.float32))[:, None]
        discounts = (self._discount ** replay.gap[picks]).astype(np.float32)
        return ReplayBufferSamples(
            self._digits[torch.from_numpy(replay.seen[picks]).long()],
            torch.from_numpy(replay.did[picks].astype(np.int64))[:, None],
            self._digits[torch.from_numpy(replay.following[picks]).long()],
            torch.zeros_like(rewards),
            rewards,
            torch.from_numpy(discounts)[:, None],
        )
