"""The fast engine of PPO: dense networks whose gradients of `ppo.ppo_loss` are written by hand.

It exists because all minibatches of an epoch are then one compiled call, whose data stay in the
processor's cache: three to nine times as fast as autograd over the same table. For a small table a
whole update is one call. Tests hold its gradients against `ppo_torch` and against PPO over single
samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.encoding import Digits, Encoding
from tacit.agents.batch.state_names import join_parts, part_of
from tacit.agents.policy import PolicyTable
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat
from tacit.envs.types import Floats

from .actor_critic import Losses, Rates
from .arrays import AnchorArrays, MinibatchCells, Reals, UpdateMemory
from .config import IppoConfig
from .network import ACTOR, CRITIC, INITIAL_GAINS, Adam, Network

TEMPLATE = "tacit.agents.neural.ppo_loop"
UPDATE_TEMPLATE = "tacit.agents.neural.ppo_update_loop"


class CompiledActorCritic:
    """Actor and critic of one seat as dense networks in compiled loops.

    An `actor_critic.ActorCritic`.
    """

    def __init__(
        self, config: IppoConfig, encoding: Encoding, seat: Seat, heads: int, key: np.uint64
    ) -> None:
        """Draw the first weights by key; the critic has so many heads."""
        self.config = config
        outputs = {ACTOR: seat.role.actions, CRITIC: heads}
        self.actor, self.critic = (
            Network(encoding, outputs[k], config, rng.child_key(key, k), INITIAL_GAINS[k])
            for k in (ACTOR, CRITIC)
        )
        self._no_anchor = AnchorArrays(np.zeros((0, seat.role.actions)), 0.0)
        self._loops, self._update = compiled(TEMPLATE), compiled(UPDATE_TEMPLATE)

    @property
    def networks(self) -> tuple[Adam, Adam]:
        """Actor and critic."""
        return self.actor, self.critic

    def logits(self, digits: Digits) -> Reals:
        """Of the actor, Real `[R, A]`; valid until its next pass."""
        return self.actor.forward(digits)

    def values(self, digits: Digits) -> Reals:
        """Of the critic, in units of the heads, Real `[R, H]`; valid until its next pass."""
        return self.critic.forward(digits)

    def train_epoch(
        self,
        cells: MinibatchCells,
        scale: Floats,
        rates: Rates,
        anchor: AnchorArrays | None = None,
    ) -> Losses:
        """One step of Adam for every minibatch, in one compiled call; `scale` float64 `[H]`."""
        config, actor, critic = self.config, self.actor, self.critic
        rows, steps = len(cells.digits), int(np.count_nonzero(cells.sizes))
        losses: tuple[float, float, float] = self._loops.train_epoch(
            actor.arrays(rows), critic.arrays(rows), actor.kind,
            actor.next_settings(rates.learning_rate, steps),
            critic.next_settings(rates.learning_rate, steps),
            cells, scale, config.clip, rates.entropy_weight, config.value_weight,
            anchor or self._no_anchor,
        )  # fmt: skip
        return Losses(*losses)

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
        """A whole update in one compiled call: see `actor_critic.UpdatesAtOnce`.

        `table` are row numbers `[O]`, encoded observations `[O, D]`, legal actions `[O, 2]` and the
        policy `[O, A]`; `weights` and `scale` are float64 `[H]`.
        """
        config, actor, critic = self.config, self.actor, self.critic
        # Samples are dealt in turn, so with fewer of them some minibatches stay empty.
        steps = config.epochs * min(config.minibatches, count)
        outputs = memory.outputs, memory.output_gradients
        objective, entropy, value_loss, met, is_sound = self._update.update(
            samples, count, memory, *table, actor.arrays_with(*outputs),
            critic.arrays_with(*outputs), actor.kind,
            actor.next_settings(rates.learning_rate, steps),
            critic.next_settings(rates.learning_rate, steps),
            weights, scale, key, updates, config.epochs, config.minibatches,
            config.normalise_advantages,
            (config.discount, config.gae_lambda, share, config.clip, rates.entropy_weight,
             config.value_weight),
            anchor or self._no_anchor,
        )  # fmt: skip
        return Losses(objective, entropy, value_loss), met, is_sound

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters and Adam's moments of both networks, by name."""
        return join_parts({"actor": self.actor.state(), "critic": self.critic.state()})

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.actor.load(part_of(state, "actor"))
        self.critic.load(part_of(state, "critic"))
