"""A replay memory for learners that learn from a seat's past samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.jit.loops import compiled
from tacit.envs.types import Floats, Ints

from .arrays import Replay, SeatSamples

TEMPLATE = "tacit.agents.batch.replay_loop"


class ReplayMemory:
    """The last `room` samples of a seat.

    Attributes:
        samples: the ring that holds them.
        stored: how many samples were ever stored.
    """

    def __init__(self, room: int) -> None:
        self.samples = Replay(
            observation=np.zeros(room, np.int32),
            action=np.zeros(room, np.int32),
            next_observation=np.zeros(room, np.int32),
            rounds_between=np.zeros(room, np.int32),
            reward=np.zeros(room),
        )
        self.stored = 0
        self._loops = compiled(TEMPLATE)

    def append(self, samples: SeatSamples, weights: Floats) -> None:
        """Add an update's samples; KPI weights float64 `[H]` make one reward of its terms."""
        self.stored = self._loops.append(samples, weights, self.samples, self.stored)

    def draw_places(
        self, places: Ints, key: np.uint64, latest: bool = False, step: int = 0
    ) -> None:
        """Fill `places` int64 `[n]` with uniform draws by key, or with the latest samples."""
        room = len(self.samples.observation)
        self._loops.draw_places(places, key, self.stored, room, latest, step)

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of the arrays of `samples`, by name; the learner saves `stored`."""
        return {name: array.copy() for name, array in self.samples._asdict().items()}

    def load(self, state: Mapping[str, NDArray[Any]], stored: int) -> None:
        """Go on exactly where `state()` was taken, with as many samples stored."""
        self.stored = stored
        for name, array in self.samples._asdict().items():
            array[:] = state[name]
