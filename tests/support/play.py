"""Random play for tests, with luck that is not tacit's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tacit.envs.engine.engine import Engine


def random_actions(engine: Engine, luck: Any) -> np.ndarray:
    """A uniformly random legal action for every copy and seat, int64 [N, S]."""
    legal = [s.role.legal[engine.observations[:, s.index]] for s in engine.market.seats]
    first, count = np.moveaxis(np.array(legal, np.int64), 2, 0)
    return (first + luck.integers(0, count)).T


def phases(engine: Engine, rounds: int, luck: Any) -> Iterator[int]:
    """Play so many rounds from a reset, pausing before every phase to yield its number."""
    engine.reset()
    for _ in range(rounds):
        for phase in range(len(engine.market.phases)):
            yield phase
            engine.step(random_actions(engine, luck))
