"""Template: paired replays of markets of one phase (see `tacit.emergence.play.replays`).

`game`, `rows`: `tacit.envs.engine.game_arrays`; `nature`, `actor` uint64 [K]; `cumulative` float64
[1, sum of O * A].
"""

from __future__ import annotations

from typing import Any

from tacit.emergence.play.replays import ACTION, COPIES, SEAT
from tacit.envs.engine.engine_loop import draw_actions, step_copy
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import borrow, row
from tacit.envs.jit.decorators import loop
from tacit.envs.rng import moment
from tacit.envs.rules import observe, play, reset


@loop
def look(game: GameArrays, rows: CopyRows) -> None:
    """What every seat sees in the states that stand in `rows`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(rows.state)):
        for s in range(game.acts.shape[1]):
            rows.observations[r, s] = observe(game.params, row(rows.state, r), 0, s)


@loop
def play_once(game: GameArrays, nature: Any, rows: CopyRows) -> None:
    """One round of every copy with the actions that stand in `rows`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        step_copy(game, rows, r, moment(nature[r], 0, 0, 0), 0)


@loop
def replay(game: GameArrays, nature: Any, actor: Any, cumulative: Any, rows: CopyRows, forced: Any,
           columns: Any, home: Any, discount: Any, first: Any, rounds: Any, sums: Any,
           conduct: Any, returned: Any) -> None:  # fmt: skip
    """Play every copy for so many rounds; `forced` int64 [K, 3]: see
    `tacit.emergence.play.replays`.

    Adds up `sums` [K, S], discount^t x fundamental over rounds t >= first; keeps `conduct`
    [K, R, S] of the first R rounds; `returned` [K] is the first round after which the state is one
    of `home` [C, W].
    """
    look(game, rows)
    game, rows = borrow(game), borrow(rows)
    seats = game.acts.shape[1]
    weight = 1.0
    for t in range(rounds):
        for r in range(len(nature)):
            key = moment(nature[r], 0, t, 0)
            draw_actions(game, rows, r, moment(actor[r], 0, t, 0), row(cumulative, 0), 0)
            seat, copied = forced[r, SEAT], forced[r, COPIES]
            if copied >= 0:
                for s in range(seats):
                    if s != seat:
                        rows.actions[r, s] = rows.actions[copied, s]
            if t == 0 and seat >= 0:
                rows.actions[r, seat] = forced[r, ACTION]
            step_copy(game, rows, r, key, 0)
            for s in range(seats):
                if t >= first:
                    sums[r, s] += weight * rows.measures[r, s, columns[s, 0]]
                if t < conduct.shape[1]:
                    conduct[r, t, s] = rows.measures[r, s, columns[s, 1]]
            if returned[r] < 0:
                for c in range(len(home)):
                    same = True
                    for k in range(home.shape[1]):
                        same &= home[c, k] == rows.state[r, k]
                    if same:
                        returned[r] = t
        weight *= discount
