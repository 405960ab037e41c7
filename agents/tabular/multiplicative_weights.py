"""Multiplicative weights (Hedge): every action is played in proportion to a weight of its own.

    w_t(o, a) = exp( eta * sum over earlier rounds that began with o of R(a, rivals' actions) )
    P(a | o)  = w_t(o, a) / sum over a' of w_t(o, a')

After every round all own actions are credited with what they would have earned against the actions
that the rivals took (full information). So it needs a market of one phase, in which a round can be
played again with another action of one's own, as `update: synchronous` of `q_learning` does. With a
rate of the order 1/sqrt(rounds) the average regret against the best single action falls as
1/sqrt(rounds). What it learns from is the KPI of a round: the future has no weight, so it cannot
learn to threaten.

The compiled loop keeps eta times the sum in the place of a Q value (`arrays.SUMS`), and samples as
with Boltzmann exploration at temperature 1.

Source: Freund, Schapire, "A decision-theoretic generalization of on-line learning and an
application to boosting", Journal of Computer and System Sciences 55(1), 1997 (Hedge).
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.policy import PolicyTable, mask
from tacit.envs.market import Role
from tacit.envs.types import Floats


class MultiplicativeWeightsConfig(BaseModel):
    """Keys of a learner by multiplicative weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["multiplicative_weights"] = "multiplicative_weights"
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        0.1, description="eta: a weight is exp(eta x the sum of what its action would have earned)"
    )


def weights_table(role: Role, logarithms: Floats) -> PolicyTable:
    """The policy of logarithms of weights: probabilities in proportion to the weights.

    Args:
        role: whose actions they are; illegal ones get probability 0.
        logarithms: of the weights, float64 `[O * A]`.

    Returns:
        Float64 `[O, A]`.
    """
    legal = mask(role)
    table = np.where(legal, logarithms.reshape(legal.shape), -np.inf)
    table = np.exp(table - table.max(axis=1, keepdims=True))  # so that no exp overflows
    probabilities: Floats = table / table.sum(axis=1, keepdims=True)
    return probabilities
