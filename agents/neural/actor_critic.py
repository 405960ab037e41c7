"""What PPO (`ppo.py`) needs of actor and critic, and what the two tell each other.

There are two engines: `ppo_torch.py` (autograd, the reference) and `ppo_compiled.py` (the default).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.encoding import Digits, Encoding
from tacit.agents.policy import PolicyTable
from tacit.envs.market import Seat
from tacit.envs.types import Floats

from .arrays import AnchorArrays, MinibatchCells, Reals, UpdateMemory
from .config import IppoConfig
from .network import Adam


class Rates(NamedTuple):
    """What the schedules of the config say in one update.

    Attributes:
        learning_rate: of Adam.
        entropy_weight: of the entropy in the loss.
    """

    learning_rate: float
    entropy_weight: float


class Losses(NamedTuple):
    """Figures of a minibatch, per sample.

    Attributes:
        objective: the clipped objective, which is minus the policy loss.
        entropy: of the policy, in nats.
        value_loss: V^2 / 2 - V R, in units of the heads.
    """

    objective: float
    entropy: float
    value_loss: float


class ActorCritic(Protocol):
    """Actor and critic of one seat, and their gradient steps."""

    @property
    def networks(self) -> tuple[Adam, Adam]:
        """Actor and critic."""
        ...

    def logits(self, digits: Digits) -> Reals:
        """Of the actor at encoded observations int32 `[R, D]`, Real `[R, A]`."""
        ...

    def values(self, digits: Digits) -> Reals:
        """Of the critic at encoded observations, in units of each head's scale, Real `[R, H]`."""
        ...

    def train_epoch(
        self,
        cells: MinibatchCells,
        scale: Floats,
        rates: Rates,
        anchor: AnchorArrays | None = None,
    ) -> Losses:
        """One step of Adam on `ppo_loss` for every minibatch.

        Args:
            cells: samples of an epoch, or of E epochs, whose minibatches follow each other.
            scale: the unit of each value head, float64 `[H]`.
            rates: of this update.
            anchor: to a prior, a row for each of the cells' rows; None: there is none.

        Returns:
            Figures of the last minibatch.
        """
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        ...

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        ...


@runtime_checkable
class UpdatesAtOnce(Protocol):
    """An `ActorCritic` that makes a whole update in one compiled call."""

    def update(
        self,
        samples: SeatSamples,
        count: int,
        memory: UpdateMemory,
        table: tuple[NDArray[np.int32], Digits, NDArray[np.int32], PolicyTable],
        weights: Floats,
        scale: Floats,
        key: np.uint64,
        updates: int,
        share: float,
        rates: Rates,
        anchor: AnchorArrays | None = None,
    ) -> tuple[Losses, int, bool]:
        """`Ippo.learn` without its schedules, with the bits of its steps.

        Args:
            samples: of the seat; at least one.
            count: how many they are.
            memory: with room for these samples.
            table: row numbers (working memory) `[O]`, encoded observations `[O, D]`, legal actions
                `[O, 2]`, and the policy `[O, A]`, which is overwritten.
            weights: of the value heads, float64 `[H]`.
            scale: the unit of each head, moved on to these returns, float64 `[H]`.
            key: of the draws of all updates.
            updates: so far.
            share: of these returns in the units.
            rates: of this update.
            anchor: to a prior, a row for each observation; None: there is none.

        Returns:
            Figures of the last minibatch, the number of rows, and whether all numbers are finite.
        """
        ...


# Makes networks from (config, encoding, seat, number of value heads, key of their first weights).
ActorCriticFactory = Callable[[IppoConfig, Encoding, Seat, int, np.uint64], ActorCritic]
