"""Policies are tables: float64 `[O, A]`, one row of action probabilities per observation.

Every agent, learned or scripted, comes down to one. A row is zero outside its legal actions.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from tacit.envs.engine.policy_tables import (
    PolicyTable,
    cumulative,
    mask,
    uniform,
)
from tacit.envs.market import Role
from tacit.envs.types import Ints

__all__ = [
    "Policy", "PolicyTable", "cumulative", "deterministic", "mask", "table_hash", "uniform",
]  # fmt: skip


class Policy(Protocol):
    """Something that can say what it does at every observation."""

    def table(self) -> PolicyTable:
        """Action probabilities, float64 `[O, A]`."""
        ...


def deterministic(role: Role, actions: Ints) -> PolicyTable:
    """The table float64 `[O, A]` of one action per observation, `actions` int64 `[O]`.

    Raises:
        ValueError: an action is illegal at its observation.
    """
    first, count = role.legal[:, 0], role.legal[:, 1]
    bad = np.flatnonzero((actions < first) | (actions >= first + count))
    if bad.size:
        raise ValueError(f"{role.name}: action {actions[bad[0]]} is illegal at {bad[0]}")
    table = np.zeros((role.observations, role.actions))
    table[np.arange(role.observations), actions] = 1.0
    return table


def table_hash(table: PolicyTable) -> str:
    """SHA-256 of the shape and the rows' bytes, little-endian; `table` float64 `[O, A]`."""
    data = f"{table.shape}".encode() + np.ascontiguousarray(table, "<f8").tobytes()
    return hashlib.sha256(data).hexdigest()
