"""Learners with networks for tests, and random samples for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.config import Clock
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.neural.dqn import Idqn
from tacit.agents.neural.ppo import Ippo
from tacit.agents.registry import make_learner
from tacit.envs.kpi import Term
from tacit.envs.market import Market, Seat
from tacit.envs.registry import make_market

# several phases, private information on both sides, decisions that do not come every round
TENDER = {
    "suppliers": 2, "scarcity": 0.4, "brief": True, "urgency": {"urgent": 1.2, "calm": 0.6},
    "outside_price": 0.5, "false_urgency_fine": 0.1,
}  # fmt: skip
CLOCK = Clock(128, 128, 12_800)


def tender() -> Market:
    """Two suppliers and a buyer who states its urgency first."""
    return make_market("procurement", TENDER)


def terms(*weights: float) -> dict[str, Term]:
    """KPI terms with these weights."""
    return {f"term_{k}": Term(measure="margin", weight=w) for k, w in enumerate(weights)}


def ippo(seat: Seat, heads: Mapping[str, Term] | None = None, seed: int = 0, **keys: Any) -> Ippo:
    """A PPO learner with small networks."""
    config = IppoConfig(**{"hidden": (16, 16), **keys})
    return make_learner(config, seat, terms(1.0) if heads is None else heads, seed)


def idqn(seat: Seat, heads: Mapping[str, Term] | None = None, seed: int = 0, **keys: Any) -> Idqn:
    """A DQN learner with small networks."""
    config = IdqnConfig(**{"hidden": (16, 16), "batch": 32, "steps": 4, **keys})
    return make_learner(config, seat, terms(1.0) if heads is None else heads, seed)


def random_samples(
    seat: Seat, luck: Any, heads: int = 1, copies: int = 7, most: int = 30
) -> SeatSamples:
    """Random samples of a seat: several copies, rounds between, truncations, one copy without any.

    At most `most` samples a copy; `luck` is a NumPy generator.
    """
    legal = seat.role.legal
    choices = np.flatnonzero(legal[:, 1] > 1).astype(np.int32)
    shape = (most, copies)
    observation, next_observation = luck.choice(choices, shape), luck.choice(choices, shape)
    action = legal[observation, 0] + luck.integers(0, legal[observation, 1])
    counts = luck.integers(1, most, copies)
    counts[-1] = 0
    return SeatSamples(
        observation=observation,
        action=action.astype(np.int32),
        next_observation=next_observation,
        rounds_between=luck.integers(0, 4, shape).astype(np.int32),
        truncated=(luck.random(shape) < 0.15).astype(np.uint8),
        reward=luck.normal(1.0, 2.0, (*shape, heads)),
        counts=counts,
    )
