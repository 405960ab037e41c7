"""Template: observations of all seats in any phase (see `tacit.emergence.tree.enumeration`)."""

from __future__ import annotations

from typing import Any

from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import borrow, row
from tacit.envs.jit.decorators import loop
from tacit.envs.rules import observe, play, reset


@loop
def fill_observations(game: GameArrays, rows: CopyRows, phase: Any) -> None:
    """Write every seat's observation of `rows.state` in a phase into `rows.observations`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(rows.state)):
        for s in range(game.acts.shape[1]):
            rows.observations[r, s] = observe(game.params, row(rows.state, r), phase, s)
