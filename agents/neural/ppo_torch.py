"""The reference engine of PPO: PyTorch's autograd over the table, for any module.

Tests hold the compiled engine against this one, and this one against PPO over single samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Digits, Encoding
from tacit.agents.batch.state_names import join_parts, part_of
from tacit.envs import rng
from tacit.envs.market import Seat
from tacit.envs.types import Floats

from .actor_critic import Losses, Rates
from .arrays import AnchorArrays, MinibatchCells, Reals
from .config import IppoConfig
from .network import ACTOR, CRITIC, INITIAL_GAINS, Adam
from .ppo import ppo_loss
from .torch_network import TorchNetwork


class TorchActorCritic:
    """Actor and critic of one seat as PyTorch modules. An `actor_critic.ActorCritic`."""

    def __init__(
        self,
        config: IppoConfig,
        encoding: Encoding,
        seat: Seat,
        heads: int,
        key: np.uint64,
        build: Callable[[Encoding, int], torch.nn.Module] | None = None,
    ) -> None:
        """Draw the first weights by key; the critic has so many heads.

        Args:
            config: the learner's keys.
            encoding: what the networks see of an observation.
            seat: whose networks they are.
            heads: value heads of the critic.
            key: of the initial weights of dense networks.
            build: makes a module of one's own, with initial weights of its own, from the encoding
                and the number of outputs; None: dense layers as the config has them.
        """
        outputs = {ACTOR: seat.role.actions, CRITIC: heads}
        modules = {k: build(encoding, outputs[k]) if build else None for k in outputs}
        self.config = config
        self.actor, self.critic = (
            TorchNetwork(
                encoding, outputs[k], config, rng.child_key(key, k), INITIAL_GAINS[k],
                modules[k],
            )
            for k in (ACTOR, CRITIC)
        )  # fmt: skip

    @property
    def networks(self) -> tuple[Adam, Adam]:
        """Actor and critic."""
        return self.actor, self.critic

    def logits(self, digits: Digits) -> Reals:
        """Of the actor, Real `[R, A]`."""
        with torch.no_grad():
            return self.actor(digits).numpy()

    def values(self, digits: Digits) -> Reals:
        """Of the critic, in units of each head's scale, Real `[R, H]`."""
        with torch.no_grad():
            return self.critic(digits).numpy()

    def train_epoch(
        self,
        cells: MinibatchCells,
        scale: Floats,
        rates: Rates,
        anchor: AnchorArrays | None = None,
    ) -> Losses:
        """One step of Adam for every minibatch that has samples; `scale` float64 `[H]`."""
        losses = Losses(0.0, 0.0, 0.0)
        for b in np.flatnonzero(cells.sizes).tolist():
            digits = cells.digits[cells.rows[b, : cells.row_counts[b]]]
            logits, values = self.actor(digits), self.critic(digits)
            loss, losses = ppo_loss(
                logits, values, cells, b, scale, self.config, rates.entropy_weight, anchor
            )
            loss.backward()  # type: ignore[no-untyped-call]
            self.actor.step_by_autograd(rates.learning_rate)
            self.critic.step_by_autograd(rates.learning_rate)
        return losses

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters and Adam's moments of both networks, by name."""
        return join_parts({"actor": self.actor.state(), "critic": self.critic.state()})

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.actor.load(part_of(state, "actor"))
        self.critic.load(part_of(state, "critic"))
