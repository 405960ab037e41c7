"""The contract of a learner that updates between two batches, and what all of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Seat
from tacit.envs.types import Floats

from .arrays import SeatSamples
from .config import Clock

# Rows of a policy table that a network evaluates at once, which bounds its memory.
ROWS_AT_ONCE = 4096


class Beliefs(NamedTuple):
    """What a learner expects from an observation on, in units of its reward, discounted.

    Attributes:
        of: what the values are of: the seat's `actions`, or its KPI's `terms`.
        values: float64 `[A]` or `[H]`.
    """

    of: Literal["actions", "terms"]
    values: Floats


class Learner(Protocol):
    """A seat that learns from the samples of a batch, and plays a fixed table until the next.

    One whose `looks_ahead` is False learns nothing from its decision behind the end of a batch or
    of an episode. Where that holds for all of a group, those decisions are not looked for.
    """

    def acting(self) -> PolicyTable:
        """The table that plays until the next update, exploration included, float64 `[O, A]`."""
        ...

    def table(self) -> PolicyTable:
        """The learned policy, without exploration, float64 `[O, A]`."""
        ...

    def beliefs(self, observation: int) -> Beliefs | None:
        """What it expects at an observation; None: its library does not tell."""
        ...

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update.

        Args:
            samples: the seat's decisions since the last update.
            clock: when the update takes place.

        Returns:
            Figures for charts, by name.

        Raises:
            Diverged: weights or losses are no finite numbers any more.
        """
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        ...

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        ...


class BatchesAtOnce(Protocol):
    """Plays whole batches of a group, and lets its learners update after each, in one call."""

    def run(self, batches: int) -> int:
        """Play so many batches, the first from its beginning.

        It leaves the group as batch by batch, bit for bit.

        Returns:
            Rounds played; fewer if it is told to halt, perhaps within a batch.

        Raises:
            Diverged: a learner's weights or losses are no finite numbers any more.
        """
        ...


Terms = Mapping[str, kpis.Term]
# Makes the learner of a seat from (config, seat, KPI terms, seed).
LearnerFactory = Callable[[BaseModel, Seat, Terms, int], Learner]


class Diverged(ConfigError):
    """A loss that is no finite number any more, or a policy that is not made of finite numbers."""

    def __init__(self, seat: Seat, seed: int, update: int, learning_rate: float) -> None:
        super().__init__(
            f"agents.{seat.name}: the loss of seed {seed} is no finite number in update {update}; "
            f"try a smaller learning_rate than {learning_rate:g}."
        )


def term_weights(terms: Terms) -> Floats:
    """The weights of a seat's KPI terms, float64 `[H]`; one weight of 0 if it has no terms."""
    return np.array([term.weight for term in terms.values()] or [0.0])


def chunks(rows: int) -> Iterator[slice]:
    """The rows of a table in stretches of ROWS_AT_ONCE."""
    for first in range(0, rows, ROWS_AT_ONCE):
        yield slice(first, first + ROWS_AT_ONCE)
