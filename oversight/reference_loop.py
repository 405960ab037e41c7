"""Template: recorded rounds once more, from the same states and with the same draws, but with other
policies: what would have come of each round if everybody had played by given tables.

Shapes as in `tacit.agents.tabular.recording`; `tacit.envs.engine.engine_loop` explains `nature`,
`actor` and `cumulative`.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.engine.engine_loop import play_round
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import borrow, row
from tacit.envs.jit.decorators import loop
from tacit.envs.rules import observe, play, reset


@loop
def play_reference(
    game: GameArrays,
    nature: Any,
    actor: Any,
    cumulative: Any,
    rows: CopyRows,
    clock: Any,
    states: Any,
    measures: Any,
) -> None:
    """Play every recorded round with the tables in `cumulative`.

    Args:
        game: the game.
        nature: uint64 `[N]`.
        actor: uint64 `[N]`.
        cumulative: float64 `[1, sum of O * A]`.
        rows: working memory, N copies.
        clock: of a recording, int64 `[R, 3]`.
        states: of a recording, float64 `[R, N, W]`.
        measures: filled, float64 `[R, N, S + 1, M]`.
    """
    game, rows = borrow(game), borrow(rows)
    for n in range(len(states)):
        for r in range(states.shape[1]):
            for k in range(states.shape[2]):
                rows.state[r, k] = states[n, r, k]
            for s in range(game.acts.shape[1]):
                rows.observations[r, s] = observe(game.params, row(rows.state, r), 0, s)
            play_round(game, nature, actor, cumulative, rows, r, clock[n, 1], clock[n, 2])
            for s in range(measures.shape[2]):
                for k in range(measures.shape[3]):
                    measures[n, r, s, k] = rows.measures[r, s, k]
