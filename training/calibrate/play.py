"""Plays a fitted market: what it does is read from the engine, never from what was fitted."""

from __future__ import annotations

from collections.abc import Sequence

from tacit.agents.policy import PolicyTable, cumulative
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market
from tacit.envs.types import Floats

ROUNDS = 100_000


def play_rounds(market: Market, tables: Sequence[PolicyTable]) -> tuple[Floats, Floats]:
    """Play one copy of a market by policy tables.

    Args:
        market: what is played.
        tables: one a seat, float64 `[O, A]`.

    Returns:
        States before every round, float64 `[ROUNDS, W]`, and measures after it, float64
        `[ROUNDS, S + 1, M]`.
    """
    engine = Engine(market, stream=rng.PROBE)
    engine.reset()
    return engine.trace(cumulative(market, tables)[None], ROUNDS)
