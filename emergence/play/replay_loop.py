"""Template: rounds of one-phase markets played from given states (`tacit.emergence.play.replays`).

K copies, S seats, M measures, states of width W. `game` and `rows` are those of
`tacit.envs.engine.game_arrays`.
"""

from __future__ import annotations

from typing import Any

from tacit.emergence.play.replay_columns import (
    FORCED_ACTION,
    FORCED_SEAT,
    KEPT_MEASURE,
    REPEATED_COPY,
    SUMMED_MEASURE,
)
from tacit.envs.engine.engine_loop import draw_actions, step_copy
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import borrow, row
from tacit.envs.jit.decorators import loop
from tacit.envs.rng import moment
from tacit.envs.rules import observe, play, reset


@loop
def fill_observations(game: GameArrays, rows: CopyRows) -> None:
    """Write every seat's observation of `rows.state` into `rows.observations`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(rows.state)):
        for s in range(game.acts.shape[1]):
            rows.observations[r, s] = observe(game.params, row(rows.state, r), 0, s)


@loop
def play_once(game: GameArrays, nature: Any, rows: CopyRows) -> None:
    """Play one round of every copy with the actions in `rows.actions`; `nature` uint64 [K]."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        step_copy(game, rows, r, moment(nature[r], 0, 0, 0), 0)


@loop
def replay(game: GameArrays, nature: Any, actor: Any, cumulative: Any, rows: CopyRows, forced: Any,
           columns: Any, path_states: Any, discount: Any, first: Any, rounds: Any, sums: Any,
           conduct: Any, returned: Any, resting: Any, rest: Any, late: Any) -> None:  # fmt: skip
    """Play `rounds` rounds of every copy from the states in `rows`.

    Args:
        nature: keys of the market's draws, uint64 [K].
        actor: keys of the draws of actions, uint64 [K].
        cumulative: cumulative policy tables end to end, float64 [1, sum of O * A].
        forced: what is changed in each copy, int64 [K, 3] (`replay_columns`).
        columns: measures of each seat, int64 [S, 2] (`replay_columns`).
        path_states: states that count as being back on the path, float64 [C, W].
        discount: weight of a round relative to the one before it.
        first: the first round that enters `sums`.
        sums: filled with the discounted sums of the summed measure, float64 [K, S].
        conduct: filled with the kept measure of the first R rounds, float64 [K, R, S].
        returned: filled with the first round after which the state is one of `path_states`,
            int64 [K]; stays -1 if there is none.
        resting: how many of the last rounds enter `rest`.
        rest: filled with the mean measures of these rounds, float64 [K, S + 1, M].
        late: filled with the states after the last S + 1 rounds, in order, float64 [K, S + 1, W].
    """
    fill_observations(game, rows)
    game, rows = borrow(game), borrow(rows)
    seats = game.acts.shape[1]
    weight = 1.0
    for t in range(rounds):
        # Copies advance together, round by round: a copy may repeat the actions that an earlier
        # copy has already chosen in the same round.
        for r in range(len(nature)):
            key = moment(nature[r], 0, t, 0)
            draw_actions(game, rows, r, moment(actor[r], 0, t, 0), row(cumulative, 0), 0)
            seat, repeated = forced[r, FORCED_SEAT], forced[r, REPEATED_COPY]
            if t == 0 and seat >= 0:
                rows.actions[r, seat] = forced[r, FORCED_ACTION]
            elif repeated >= 0:
                rows.actions[r, seat] = rows.actions[repeated, seat]
            step_copy(game, rows, r, key, 0)
            for s in range(seats):
                if t >= first:
                    sums[r, s] += weight * rows.measures[r, s, columns[s, SUMMED_MEASURE]]
                if t < conduct.shape[1]:
                    conduct[r, t, s] = rows.measures[r, s, columns[s, KEPT_MEASURE]]
            if t >= rounds - resting:
                for s in range(seats + 1):
                    for k in range(rest.shape[2]):
                        rest[r, s, k] += rows.measures[r, s, k] / resting
            if t >= rounds - late.shape[1]:
                for k in range(late.shape[2]):
                    late[r, t - rounds + late.shape[1], k] = rows.state[r, k]
            if returned[r] < 0:
                for c in range(len(path_states)):
                    same = True
                    for k in range(path_states.shape[1]):
                        same &= path_states[c, k] == rows.state[r, k]
                    if same:
                        returned[r] = t
        weight *= discount
