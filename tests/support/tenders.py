"""Tenders played in every possible way through the kernels: exact expectations, not samples."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from support.independent.pure import pure

from tacit.agents.policy import PolicyTable
from tacit.envs.engine.engine import Engine
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.procurement import kernels, positions

FULL = {
    "suppliers": 2, "prices": [0.3, 0.5, 0.7], "cost": [0.1, 0.2], "scarcity": 0.4,
    "urgency": {"urgent": 1.2, "calm": 0.6}, "brief": True, "false_urgency_fine": 0.1,
    "lead_times": [0, 2, 3], "lead_cost": 0.02, "delay_cost": 0.03, "late_fine": 0.04,
    "clause": {"cost": 0.06, "delay_probability": 0.5, "delay_cost": 0.3}, "record": "on_time",
}  # fmt: skip
SIMPLE = {"scarcity": 0, "counters": False}

TYPES = {"bluffing": positions.SUPPLIERS + positions.STOCK, "disinterest": positions.URGENT}


def earned(
    market: Market, tables: list[PolicyTable], column: int, share: float
) -> dict[str, float]:
    """Expected measures under policy tables where the private type in `column` of the state is 1
    with probability `share`: every type and every way to act, weighted by its probability.

    Named `margin/supplier_0`; the market's own `welfare/market`.
    """
    ways = [legal_somewhere(market, s, p) for p in range(len(market.phases)) for s in market.seats]
    joint = np.array(list(product((0, 1), *ways)))
    engine = Engine(market, copies=len(joint))
    engine.reset()
    engine.rows.state[:, column] = joint[:, 0]
    observe = pure(kernels.observe)
    for seat in market.seats:
        seen = [observe(market.params, row, 0, seat.index) for row in engine.rows.state]
        engine.observations[:, seat.index] = seen
    weight = np.where(joint[:, 0] == 1, share, 1 - share)
    acts = joint[:, 1:].reshape(len(joint), len(market.phases), len(market.seats))
    for phase in range(len(market.phases)):
        for seat, table in zip(market.seats, tables, strict=True):
            weight = weight * table[engine.observations[:, seat.index], acts[:, phase, seat.index]]
        engine.rows.actions[:] = acts[:, phase]
        engine.advance()
    assert abs(weight.sum() - 1) < 1e-12
    mean = np.tensordot(weight, engine.measures, axes=1)
    owners = [*(seat.name for seat in market.seats), "market"]
    return {
        f"{m.name}/{owner}": float(mean[k, market.columns[m.name]])
        for k, owner in enumerate(owners)
        for m in market.measures
    }


def legal_somewhere(market: Market, seat: Any, phase: int) -> list[int]:
    """Actions that are legal at some observation of a phase."""
    found = set()
    for o, (first, count) in enumerate(seat.role.legal):
        if seat.role.decode_observation(o)["phase"] == phase:
            found |= set(range(first, first + count))
    return sorted(found)


def played(params: Any, column: Any, joint: Any, columns: Any) -> Any:
    """Measures of one supplier and the buyer after every joint play of many markets, both types.

    params float64 [M, .], joint int64 [J, phases, 2]; columns: of the measures that are returned.
    Returns: float64 [M, 2 types, J, len(columns)]; entry k is of seat `columns[k, 0]`.
    """
    result = np.zeros((len(params), 2, len(joint), len(columns)))
    state = np.zeros(positions.SUPPLIERS + positions.WIDTH)
    loops = compiled("support.independent.played_loop", kernels.__name__)
    loops.play_all(params, column, joint, columns, state, result)
    return result
