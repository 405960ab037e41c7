"""Plays a fitted market: what it does is read from the engine, never from what was fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import PolicyTable, cumulative
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

ROUNDS = 100_000


def traced(
    market: Market, tables: Sequence[PolicyTable]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """States before `[ROUNDS, W]` and measures after `[ROUNDS, S + 1, M]` every round of one copy
    of a market that is played by policy tables, one a seat."""
    engine = Engine(market, stream=rng.PROBE)
    engine.reset()
    return engine.trace(cumulative(market, tables)[None], ROUNDS)
