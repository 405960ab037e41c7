"""Template: copies of a market played from one decision of some seats to their next.

`own` int64 [S] marks the seats whose actions are given; all others, and own seats where one action
is all they have, play by their tables. Copies run apart: each has its own clock, because a seat's
next decision may lie phases or rounds away. Who is given what is
`tacit.envs.views.seat_batch.Steps`.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.engine.engine_loop import draw_actions, start_copy, step_copy
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold, moment
from tacit.envs.views.seat_batch import (
    ACTION_KEYS,
    EPISODE,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    PHASE,
    ROUND,
    Steps,
)

PAID, AHEAD, BEGIN = range(3)  # paid rounds; those behind an episode's end; those before a start


@inlined
def decides(game: GameArrays, rows: CopyRows, r: Any, phase: Any, own: Any) -> Any:
    """Whether a seat of `own` has at least two legal actions in the coming phase of copy r."""
    seats = game.acts.shape[1]
    found = False
    for s in range(seats):
        if own[s] and game.acts[at(phase), at(s)]:
            line = game.first_row[at(s)] + rows.observations[r, s]
            if game.legal[line, 1] > 1:
                found = True
    return found


@inlined
def play_phase(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    table: Any,
    r: Any,
    clock: Any,
    mode: Any,
    own: Any,
    chosen: Any,
    acts: Any,
) -> None:
    """One phase of copy r: by tables, but if it `acts`, own seats do what is `chosen` [S]."""
    episode, round_, phase = clock[EPISODE], clock[ROUND], clock[PHASE]
    key = moment(keys[ACTION_KEYS, r], episode, round_, phase)
    draw_actions(game, rows, r, key, table, phase)
    for s in range(game.acts.shape[1]):
        if acts and own[s]:
            rows.actions[r, s] = chosen[s]
    stream, slot = NATURE_KEYS, phase
    if mode == AHEAD:  # (as in the look-ahead of learners)
        stream, slot = LOOKAHEAD_KEYS, phase + game.acts.shape[0]
    step_copy(game, rows, r, moment(keys[stream, r], episode, round_, slot), phase)


@inlined
def tick(game: GameArrays, clock: Any) -> Any:
    """Count a played phase; True when it ended a round."""
    clock[PHASE] += 1
    ended = clock[PHASE] == game.acts.shape[0]
    if ended:
        clock[PHASE] = 0
        clock[ROUND] += 1
    return ended


@inlined
def begin_step(steps: Steps, r: Any) -> None:
    """Nothing has happened in copy r's step yet."""
    steps.measures[r] = 0.0
    steps.scores[r] = 0.0
    steps.rounds[r] = 0
    steps.ended[r] = 0


@inlined
def add_round(rows: CopyRows, steps: Steps, r: Any) -> None:
    """Add copy r's finished round to its step."""
    steps.rounds[r] += 1
    steps.measures[r] += rows.measures[r]
    steps.scores[r] += rows.scores[r]


@loop
def to_next_decision(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    cumulative: Any,
    steps: Steps,
    own: Any,
    chosen: Any,
    starts: Any,
    episode_rounds: Any,
    patience: Any,
) -> Any:
    """Play `chosen` [N, S] (if `starts`: begin the next episode), then on to the next decision.

    Where an episode ends on the way, rounds are played ahead of it, unpaid, until the decision that
    would have come; then the next episode begins. Returns 1 + the first copy in which no decision
    came in `patience` rounds, or 0. `episode_rounds` 0: episodes have no end.
    """
    game, rows, steps = borrow(game), borrow(rows), borrow(steps)
    lost = 0
    for r in range(len(steps.clocks)):
        clock, table = row(steps.clocks, r), row(cumulative, r % len(cumulative))
        begin_step(steps, r)
        acts, begins, mode = not starts, starts, PAID
        waited = 0
        while True:
            if begins:
                clock[EPISODE] += 1
                clock[ROUND] = clock[PHASE] = 0
                start_copy(game, rows, r, fold(keys[NATURE_KEYS, r], clock[EPISODE]))
                begins, mode = False, BEGIN
            hopeless = waited == patience
            if acts or not (hopeless or decides(game, rows, r, clock[PHASE], own)):
                play_phase(game, rows, keys, table, r, clock, mode, own, row(chosen, r), acts)
                acts = False
                if tick(game, clock):
                    waited += 1
                    if mode == PAID:
                        add_round(rows, steps, r)
                    if clock[ROUND] == episode_rounds:
                        begins = mode == BEGIN
                        mode = AHEAD
            elif mode == AHEAD:
                steps.ended[r] = 1
                steps.final[r] = rows.observations[r]
                begins, waited = True, 0
            else:
                if hopeless and not lost:
                    lost = 1 + r
                break
    return lost
