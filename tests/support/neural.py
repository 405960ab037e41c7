"""Neural learners for tests, and samples that nobody had to play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.neural.config import Clock, IdqnConfig, IppoConfig
from tacit.agents.neural.idqn import Idqn
from tacit.agents.neural.ippo import Ippo
from tacit.envs.kpi import Term
from tacit.envs.market import Market, Seat
from tacit.envs.registry import make_market

# several phases, private information on both sides, decisions that only some rounds bring
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
    return Ippo(config, seat, terms(1.0) if heads is None else heads, seed)


def idqn(seat: Seat, heads: Mapping[str, Term] | None = None, seed: int = 0, **keys: Any) -> Idqn:
    """A DQN learner with small networks."""
    config = IdqnConfig(**{"hidden": (16, 16), "batch": 32, "steps": 4, **keys})
    return Idqn(config, seat, terms(1.0) if heads is None else heads, seed)


def written(seat: Seat, luck: Any, heads: int = 1, copies: int = 7, most: int = 30) -> SeatSamples:
    """Random samples of a seat's decisions: several copies, gaps and cuts, one copy without any."""
    legal = seat.role.legal
    choices = np.flatnonzero(legal[:, 1] > 1).astype(np.int32)
    shape = (most, copies)
    seen, following = luck.choice(choices, shape), luck.choice(choices, shape)
    did = legal[seen, 0] + luck.integers(0, legal[seen, 1])
    counts = luck.integers(1, most, copies)
    counts[-1] = 0
    return SeatSamples(
        seen,
        did.astype(np.int32),
        following,
        luck.integers(0, 4, shape).astype(np.int32),
        (luck.random(shape) < 0.15).astype(np.uint8),
        luck.normal(1.0, 2.0, (*shape, heads)),
        counts,
    )
