"""Template: copies of a market played from one decision of some seats to their next.

Arguments of the loops:

    game, rows     `tacit.envs.engine.game_arrays`
    keys           uint64 [3, N], each copy's keys of the streams NATURE, ACTION and LOOKAHEAD
    cumulative     float64 [1 or N, sum of O * A], policy tables (see the engine's loop)
    steps          `tacit.envs.views.seat_batch.Steps`, filled
    own            int64 [S], 1 for seats whose actions are given
    chosen         int64 [N, S], the given actions
    r              the copy

Seats that are not own play by their tables, and so do own seats in a phase where they have only one
legal action. Each copy has its own clock, because a seat's next decision may lie phases or rounds
away.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.engine.engine_loop import draw_actions, start_copy, step_copy
from tacit.envs.engine.game_arrays import FIRST_ROW, CopyRows, GameArrays
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

# What a round that is being played counts for.
COUNTED = 0  # it is part of the episode, and of the step
AHEAD = 1  # it lies behind the episode's end, and is played for the final observation only
OPENING = 2  # it comes before an own seat's first decision of an episode, and is not counted


@inlined
def decides(game: GameArrays, rows: CopyRows, r: Any, phase: Any, own: Any) -> Any:
    """Whether a seat of `own` int64 `[S]` has at least two legal actions in the coming phase."""
    seats = game.acts.shape[1]
    found = False
    for s in range(seats):
        if own[s] and game.acts[at(phase), at(s)]:
            line = game.per_seat[at(s), FIRST_ROW] + rows.observations[r, s]
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
    decided: Any,
) -> None:
    """One phase of copy r.

    Args:
        game: the game.
        rows: the copies.
        keys: uint64 `[3, N]`.
        table: the copy's policy tables, float64 `[sum of O * A]`.
        r: the copy.
        clock: its episode, round and phase, int64 `[3]`.
        mode: COUNTED, AHEAD or OPENING.
        own: int64 `[S]`.
        chosen: the copy's given actions, int64 `[S]`.
        decided: whether own seats take the given actions; if not, their tables play.
    """
    episode, round_, phase = clock[EPISODE], clock[ROUND], clock[PHASE]
    key = moment(keys[ACTION_KEYS, r], episode, round_, phase)
    draw_actions(game, rows, r, key, table, phase)
    for s in range(game.acts.shape[1]):
        if decided and own[s]:
            rows.actions[r, s] = chosen[s]
    stream, slot = NATURE_KEYS, phase
    if mode == AHEAD:
        # Learners look ahead with these keys too: the phase is counted on behind the round's own.
        stream, slot = LOOKAHEAD_KEYS, phase + game.acts.shape[0]
    step_copy(game, rows, r, moment(keys[stream, r], episode, round_, slot), phase)


@inlined
def tick(game: GameArrays, clock: Any) -> Any:
    """Count a played phase in `clock` int64 `[3]`; True when it ended a round."""
    clock[PHASE] += 1
    ended = clock[PHASE] == game.acts.shape[0]
    if ended:
        clock[PHASE] = 0
        clock[ROUND] += 1
    return ended


@inlined
def begin_step(steps: Steps, r: Any) -> None:
    """Clear copy r's step."""
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
    begin_episode: Any,
    episode_rounds: Any,
    max_wait: Any,
) -> Any:
    """Play the given actions, then on to the next decision of an own seat, in every copy.

    Where an episode ends on the way, rounds are played ahead of its end, uncounted, until the
    decision that would have come: it is the final observation. Then the next episode begins.

    Args:
        game: the game.
        rows: the copies.
        keys: uint64 `[3, N]`.
        cumulative: policy tables, float64 `[1 or N, sum of O * A]`.
        steps: filled.
        own: int64 `[S]`.
        chosen: the given actions, int64 `[N, S]`.
        begin_episode: whether to begin the next episode instead of playing the given actions.
        episode_rounds: rounds of an episode; 0: episodes do not end.
        max_wait: rounds after which a copy stops waiting for a decision.

    Returns:
        1 + the first copy in which no decision came in `max_wait` rounds; 0 if there is none.
    """
    game, rows, steps = borrow(game), borrow(rows), borrow(steps)
    stuck = 0
    for r in range(len(steps.clocks)):
        clock, table = row(steps.clocks, r), row(cumulative, r % len(cumulative))
        begin_step(steps, r)
        decided, begins, mode = not begin_episode, begin_episode, COUNTED
        waited = 0
        while True:
            if begins:
                clock[EPISODE] += 1
                clock[ROUND] = clock[PHASE] = 0
                start_copy(game, rows, r, fold(keys[NATURE_KEYS, r], clock[EPISODE]))
                begins, mode = False, OPENING
            gives_up = waited == max_wait
            if decided or not (gives_up or decides(game, rows, r, clock[PHASE], own)):
                play_phase(game, rows, keys, table, r, clock, mode, own, row(chosen, r), decided)
                decided = False
                if tick(game, clock):
                    waited += 1
                    if mode == COUNTED:
                        add_round(rows, steps, r)
                    if clock[ROUND] == episode_rounds:
                        # An episode that ends before any own decision has no step to report: begin
                        # the next one at once.
                        begins = mode == OPENING
                        mode = AHEAD
            elif mode == AHEAD:
                steps.ended[r] = 1
                steps.final[r] = rows.observations[r]
                begins, waited = True, 0
            else:
                if gives_up and not stuck:
                    stuck = 1 + r
                break
    return stuck
