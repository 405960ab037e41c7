"""Legal actions for policies of Stable-Baselines3, which have no notion of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticPolicy

from tacit.envs.market import Role
from tacit.envs.views.seat_batch import DigitEncoder

FORBIDDEN = -1e8  # added to logits and to values of illegal actions


class IllegalActionPenalty:
    """FORBIDDEN at the illegal actions of observations given as digits, 0 at legal ones.

    A block of observations is recognised by its phase and by the digits that have one value in the
    whole block. Observations that leave no choice get 0 everywhere: nothing is sampled there.

    Attributes:
        columns: the digits by which a block is recognised.
        sizes: how many values each of them has.
        table: the penalty by these digits, read as one number, float32 `[product of sizes, A]`.
    """

    def __init__(self, role: Role) -> None:
        parts = role.observation_parts
        given = {part for block in role.blocks for part, _ in block.given}
        self.columns = [k for k, part in enumerate(parts) if k == 0 or part in given]
        self.sizes = [len(parts[k].values) for k in self.columns]
        table = np.zeros((int(np.prod(self.sizes)), role.actions), np.float32)
        block_starts = np.array([role.block_start(k) for k in range(len(role.blocks))])
        for start, digits in zip(block_starts, DigitEncoder(role)(block_starts), strict=True):
            if role.legal[start, 1] > 1:
                place = np.ravel_multi_index(tuple(digits[self.columns]), tuple(self.sizes))
                table[place] = np.where(role.mask(start) == 1, 0.0, FORBIDDEN)
        self.table = torch.from_numpy(table)

    def __call__(self, digits: torch.Tensor) -> torch.Tensor:
        """float32 `[B, A]` of digits `[B, parts]`."""
        place = torch.zeros(len(digits), dtype=torch.long)
        for column, size in zip(self.columns, self.sizes, strict=True):
            place = place * size + digits[:, column].long()
        return self.table[place]


class MaskedPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """SB3's actor and critic, with the actor restricted to legal actions.

    Attributes:
        penalty: added to the logits.
    """

    def __init__(self, *args: Any, penalty: IllegalActionPenalty, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.penalty = penalty

    def get_distribution(self, obs: torch.Tensor) -> Distribution:
        """The distribution over legal actions at observations `[B, parts]`."""
        distribution = super().get_distribution(obs)
        logits = distribution.distribution.logits + self.penalty(obs)
        return distribution.proba_distribution(action_logits=logits)

    def evaluate_actions(
        self, obs: torch.Tensor, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Values, log-probabilities and entropies, as `get_distribution` has them.

        Args:
            obs: observations as digits, `[B, parts]`.
            actions: `[B]`.
        """
        distribution = self.get_distribution(obs)
        return self.predict_values(obs), distribution.log_prob(actions), distribution.entropy()
