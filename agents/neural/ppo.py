"""Independent PPO over policy tables: the samples of an update become a few cells.

Within a minibatch the ratio r of new to old probability, and the clip, depend only on the cell
(observation o, action a) and on the sign of the advantage. So with sums over the minibatch's M
samples, cnt[o], sum_return[o, h], A+[o, a] and A-[o, a] (positive and negative advantages),

    L = - 1/M sum_oa [ A+ min(r, 1 + c) + A- max(r, 1 - c) ]
        + v/M sum_oh [ cnt V^2 / 2 - V sum_return ]  -  e/M sum_o cnt H(o)

is the loss of every sample, exactly, and a network is evaluated once per observation that was met
instead of once per sample.

Source: Schulman, Wolski, Dhariwal, Radford, Klimov, arXiv 1707.06347, 2017 (PPO); the sums are an
identity. Advantages are normalised once per update: a mean per minibatch would flip signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Encoding
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat

from .config import IppoConfig
from .network import INITIAL_GAINS, Adam, Network

LOOPS = "tacit.agents.neural.ppo_loop"
ACTOR, CRITIC = range(2)  # which network an initial key is for


class Cells(NamedTuple):
    """One pass over the samples of an update, in B minibatches. R rows that the update met:

    digits int32 `[R, D]`: encoded; legal int32 `[R, 2]`; before `[R, A]`: the table that played;
    of each minibatch: size int64 `[B]`, its samples (0: nothing to learn); found int64 `[B]`, how
    many rows it met; met int64 `[B, R]`, which;
    sums over its samples: visits `[B, R]`, total `[B, R, H]`, sides `[2, B, R, A]`: those of
    positive and of negative advantages.
    """

    digits: NDArray[np.int32]
    legal: NDArray[np.int32]
    before: NDArray[np.float64]
    size: NDArray[np.int64]
    found: NDArray[np.int64]
    met: NDArray[np.int64]
    visits: NDArray[np.float64]
    total: NDArray[np.float64]
    sides: NDArray[np.float64]


class Rates(NamedTuple):
    """What schedules say in this update."""

    learning: float
    entropy: float


class ActorCritic(Protocol):
    """Actor and critic of one seat, and how they learn from a minibatch."""

    @property
    def networks(self) -> tuple[Adam, ...]:
        """Actor and critic."""
        ...

    def logits(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the actor, `[R, A]`, at encoded observations."""
        ...

    def values(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the critic, `[R, H]`, in units of each head's scale."""
        ...

    def descend(self, cells: Cells, scale: NDArray[np.float64], rates: Rates) -> tuple[float, ...]:
        """A gradient step for every minibatch; returns objective, entropy and value loss per
        sample of the last."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves."""
        ...

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        ...


class CompiledEngine:
    """Dense networks in compiled loops; the slopes of the losses by hand, `ppo_loop`."""

    def __init__(
        self, config: IppoConfig, encoding: Encoding, seat: Seat, heads: int, key: np.uint64
    ) -> None:
        keys = [np.uint64(rng.fold(key, which)) for which in (ACTOR, CRITIC)]
        self.config = config
        self.actor = Network(encoding, seat.role.actions, config, keys[ACTOR], INITIAL_GAINS[ACTOR])
        self.critic = Network(encoding, heads, config, keys[CRITIC], INITIAL_GAINS[CRITIC])
        self._loops = compiled(LOOPS)

    @property
    def networks(self) -> tuple[Adam, ...]:
        return self.actor, self.critic

    def logits(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the actor, `[R, A]`; valid until its next pass."""
        return self.actor.forward(digits)

    def values(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the critic, `[R, H]`, in units of each head's scale."""
        return self.critic.forward(digits)

    def descend(self, cells: Cells, scale: NDArray[np.float64], rates: Rates) -> tuple[float, ...]:
        """A gradient step for every minibatch; returns objective, entropy and value loss per
        sample of the last."""
        config, actor, critic = self.config, self.actor, self.critic
        rows, steps = int(cells.found.max()), int(np.count_nonzero(cells.size))
        told: tuple[float, ...] = self._loops.descend(
            actor.arrays(rows), critic.arrays(rows), actor.kind,
            actor.next(rates.learning, steps), critic.next(rates.learning, steps), cells, scale,
            config.clip, rates.entropy, config.value_weight,
        )  # fmt: skip
        return told

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters and Adam's moments of both networks."""
        return named(actor=self.actor.state(), critic=self.critic.state())

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.actor.load(part(state, "actor"))
        self.critic.load(part(state, "critic"))


def named(**parts: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays of several parts in one table: `part.array`."""
    return {f"{name}.{k}": v for name, own in parts.items() for k, v in own.items()}


def part(state: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    """Arrays of one part of such a table."""
    head = f"{name}."
    return {k.removeprefix(head): v for k, v in state.items() if k.startswith(head)}
