"""Policies are tables: float64 [O, A], one row of action probabilities per observation.

Every way of acting ends in one, learned or scripted; a row is zero outside its legal actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import Market, Role

Table = NDArray[np.float64]


class Policy(Protocol):
    """Something that acts: it can say what it does at every observation."""

    def table(self) -> Table:
        """Action probabilities, float64 [O, A]."""
        ...


def mask(role: Role) -> NDArray[np.bool_]:
    """Legal actions, bool [O, A]."""
    first, count = role.legal[:, 0], role.legal[:, 1]
    columns = np.arange(role.actions)
    legal: NDArray[np.bool_] = (columns >= first[:, None]) & (columns < (first + count)[:, None])
    return legal


def uniform(role: Role) -> Table:
    """Every legal action equally likely."""
    table = np.zeros((role.observations, role.actions))
    count = role.legal[:, 1]
    table[mask(role)] = np.repeat(1.0 / count, count)
    return table


def deterministic(role: Role, actions: NDArray[np.int64]) -> Table:
    """One action per observation, int64 [O]; an illegal one is refused."""
    first, count = role.legal[:, 0], role.legal[:, 1]
    bad = np.flatnonzero((actions < first) | (actions >= first + count))
    if bad.size:
        raise ValueError(f"{role.name}: action {actions[bad[0]]} is illegal at {bad[0]}")
    table = np.zeros((role.observations, role.actions))
    table[np.arange(role.observations), actions] = 1.0
    return table


def cumulative(market: Market, tables: Sequence[Table]) -> NDArray[np.float64]:
    """Tables of all seats as one row of cumulative probabilities, for `Engine.play`.

    The last legal entry of every row is exactly 1, so that no draw below 1 falls outside.

    Returns: float64 `[sum of O * A]`, seats end to end.
    """
    flat = []
    for seat, table in zip(market.seats, tables, strict=True):
        rows = np.cumsum(table, axis=1)
        last = seat.role.legal.sum(axis=1) - 1
        columns = np.arange(seat.role.actions)
        rows[columns[None, :] >= last[:, None]] = 1.0
        flat.append(rows.ravel())
    return np.concatenate(flat)
