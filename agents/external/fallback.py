"""What is played in a live agent's place where it gives no legal answer."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable, deterministic
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Seat

from .question import action_name


def fallback_table(seat: Seat, config: BaseModel) -> PolicyTable:
    """The fallback of a live agent at every observation, float64 `[O, A]`.

    The action that its config names where that is legal, else the first legal one.

    Raises:
        ConfigError: the config names no action of this seat.
    """
    role, name = seat.role, getattr(config, "fallback", "")
    first, count = role.legal[:, 0], role.legal[:, 1]
    chosen = first.astype(np.int64)
    if name:
        chances = role.legal[role.legal[:, 1] > 1]  # elsewhere it has nothing to decide
        named = {
            action_name(role, a): a
            for start, own in sorted({(int(x), int(y)) for x, y in chances})
            for a in range(start, start + own)
        }
        if name not in named:
            raise ConfigError(
                f"agents.{seat.name}.fallback: '{name}' is no action of {seat.name}. "
                f"{nearest(name, named)}"
            )
        action = named[name]
        chosen = np.where((first <= action) & (action < first + count), action, chosen)
    return deterministic(role, chosen)
