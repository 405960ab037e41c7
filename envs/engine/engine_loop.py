"""Template: phases and rounds over many copies of one market (see `tacit.envs.jit.loops`).

Every face of a market runs on `step`; `play_tables` plays whole rounds with policy tables.
`game` and `rows` are `tacit.envs.engine.game_arrays.GameArrays` and `CopyRows`; `nature` uint64
[N] holds
each
copy's
key of the stream NATURE, `actor` that of ACTION; `cumulative` float64 [1 or N, sum of O * A]
holds policy tables as rows of cumulative probabilities, seats end to end, the last legal entry
of a row exactly 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import (
    at,
    borrow,
    pointer,
    row,
)
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.kpi import score
from tacit.envs.rng import fold, moment, u
from tacit.envs.rules import observe, play, reset


@inlined
def start_copy(game: GameArrays, rows: CopyRows, r: Any, key: Any) -> None:
    """Begin an episode in copy r and look at its first phase."""
    state = row(rows.state, r)
    rows.measures[r] = 0.0
    rows.scores[r] = 0.0
    reset(game.params, state, key)
    for s in range(game.acts.shape[1]):
        rows.actions[r, s] = 0
        rows.observations[r, s] = observe(game.params, state, 0, s)


@loop
def start(game: GameArrays, nature: Any, rows: CopyRows, episode: Any) -> None:
    """Begin an episode in every copy."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        start_copy(game, rows, r, fold(nature[r], episode))


@loop
def first_illegal(game: GameArrays, rows: CopyRows, phase: Any) -> Any:
    """1 + row * S + seat of the first illegal action of an acting seat, or 0."""
    seats = game.acts.shape[1]
    for r in range(len(rows.actions)):
        for s in range(seats):
            if game.acts[at(phase), at(s)]:
                o = game.first_row[at(s)] + rows.observations[r, s]
                first, count = game.legal[o, 0], game.legal[o, 1]
                if rows.actions[r, s] < first or rows.actions[r, s] >= first + count:
                    return 1 + r * seats + s
    return 0


@inlined
def step_copy(game: GameArrays, rows: CopyRows, r: Any, key: Any, phase: Any) -> None:
    """One phase of copy r with the actions in its row; the last phase scores the round."""
    params = game.params
    phases, seats = game.acts.shape
    state, measures = row(rows.state, r), row(rows.measures, r)
    if phase == 0:
        measures[:] = 0.0
        if phases > 1:  # (else the round is scored at once)
            row(rows.scores, r)[:] = 0.0
    play(params, state, phase, row(rows.actions, r), measures, key)
    following = phase + 1
    if following == phases:
        following = 0
        score(game.terms, measures, row(rows.scores, r))
    for s in range(seats):
        rows.observations[r, s] = observe(params, state, following, s)


@loop
def step_once(game: GameArrays, rows: CopyRows, r: Any, key: Any, phase: Any) -> None:
    """`step_copy` as a call of its own, for what is rare: the rules are compiled once more only."""
    step_copy(game, rows, r, key, phase)


@loop
def step(
    game: GameArrays, nature: Any, rows: CopyRows, episode: Any, round_: Any, phase: Any
) -> None:
    """One phase in every copy."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        step_copy(game, rows, r, moment(nature[r], episode, round_, phase), phase)


@inlined
def bound_game(b: Any) -> Any:
    """The `GameArrays` bound at the front of `b`, four words an array (see `array_views.bind`)."""
    return GameArrays(
        carray(pointer(b[0], np.float64), (b[1],)),
        carray(pointer(b[4], np.float64), (b[5], b[6])),
        carray(pointer(b[8], np.int64), (b[9], b[10])),
        carray(pointer(b[12], np.int64), (b[13],)),
        carray(pointer(b[16], np.int64), (b[17],)),
        carray(pointer(b[20], np.int64), (b[21],)),
        carray(pointer(b[24], np.int32), (b[25], b[26])),
    )


@inlined
def bound_rows(b: Any) -> Any:
    """The `CopyRows` bound behind the game in `b`."""
    return CopyRows(
        carray(pointer(b[28], np.float64), (b[29], b[30])),
        carray(pointer(b[32], np.float64), (b[33], b[34], b[35])),
        carray(pointer(b[36], np.float64), (b[37], b[38])),
        carray(pointer(b[40], np.int64), (b[41], b[42])),
        carray(pointer(b[44], np.int64), (b[45], b[46])),
    )


@loop
def step_bound(bound: Any, key: Any, episode: Any, round_: Any, phase: Any) -> None:
    """One phase of copy 0 of a bound game and rows, as `step` plays it."""
    game, rows = bound_game(bound), bound_rows(bound)
    step_copy(game, rows, 0, moment(key, episode, round_, phase), phase)


@inlined
def draw_actions(
    game: GameArrays, rows: CopyRows, r: Any, key: Any, cumulative: Any, phase: Any
) -> None:
    """Sample every acting seat's action in copy r from its policy table."""
    seats = game.acts.shape[1]
    base = 0
    for s in range(seats):
        width = game.actions[at(s)]
        if game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            line = game.first_row[at(s)] + o
            first, count = game.legal[line, 0], game.legal[line, 1]
            action = first
            if count > 1:
                draw = u(key, s)
                cell = base + o * width
                for a in range(cell + first, cell + first + count - 1):
                    action += draw >= cumulative[at(a)]  # (no branch to be guessed wrong)
            rows.actions[r, s] = action
        base += (game.first_row[at(s + 1)] - game.first_row[at(s)]) * width


@inlined
def play_round(
    game: GameArrays,
    nature: Any,
    actor: Any,
    cumulative: Any,
    rows: CopyRows,
    r: Any,
    episode: Any,
    round_: Any,
) -> None:
    """One whole round of copy r with policy tables."""
    table = row(cumulative, r % len(cumulative))
    for phase in range(game.acts.shape[0]):
        draw_actions(game, rows, r, moment(actor[r], episode, round_, phase), table, phase)
        step_copy(game, rows, r, moment(nature[r], episode, round_, phase), phase)


@loop
def play_tables(
    game: GameArrays,
    nature: Any,
    actor: Any,
    cumulative: Any,
    rows: CopyRows,
    episode: Any,
    round_: Any,
    rounds: Any,
    measures: Any,
    scores: Any,
) -> None:
    """Play `rounds` rounds; add each round to the sums `measures` [N, S + 1, M], `scores`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        for t in range(rounds):
            play_round(game, nature, actor, cumulative, rows, r, episode, round_ + t)
            measures[r] += rows.measures[r]
            scores[r] += rows.scores[r]


@loop
def trace(
    game: GameArrays,
    nature: Any,
    actor: Any,
    cumulative: Any,
    rows: CopyRows,
    episode: Any,
    round_: Any,
    states: Any,
    measures: Any,
) -> None:
    """Play copy 0 for T rounds; keep `states` [T, W] before and `measures` [T, S + 1, M] after."""
    game, rows = borrow(game), borrow(rows)
    for t in range(len(states)):
        for k in range(states.shape[1]):
            states[t, k] = rows.state[0, k]
        play_round(game, nature, actor, cumulative, rows, 0, episode, round_ + t)
        for s in range(measures.shape[1]):
            for k in range(measures.shape[2]):
                measures[t, s, k] = rows.measures[0, s, k]
