"""Template: phases and rounds over many copies of one market.

A template is compiled once for each market: `tacit.envs.jit.loops` puts the market's own kernels in
the place of `reset`, `observe` and `play`, which are imported from `tacit.envs.rules`.

The engine and all views run on `step_copy`; `play_tables` plays whole rounds with policy tables.

Letters in shapes: N copies, P phases, S seats, T KPI terms of all seats, M measures, W numbers of a
state row, O observations and A actions of a seat.

`row(a, i)` is `a[i]`, `borrow(a)` is `a`, and `at(i)` is `i`. They are written for speed: the first
two keep no reference count, the third tells the compiler that an index is not negative
(`tacit.envs.jit.array_views`). A function marked `inlined` is compiled into its callers, because a
call would have to pass every array of `game` and `rows`.

Arguments of the loops:

    game        `tacit.envs.engine.game_arrays.GameArrays`, what never changes
    rows        `tacit.envs.engine.game_arrays.CopyRows`, one row for each of N copies
    nature      uint64 [N], each copy's key of the stream NATURE: the market's own draws
                (`tacit.envs.rng` explains keys and streams)
    actor       uint64 [N], each copy's key of the stream ACTION: actions sampled from tables
    cumulative  float64 [1 or N, sum of O * A], policy tables as cumulative probabilities, seats end
                to end, the last legal entry of a row exactly 1; a single row serves all copies
    r           the number of the copy, and so its row in every array of `rows`
    key         uint64, the key from which the copy's draws in this phase are made
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.compiled_views import pointer
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.kpi.scoring import score
from tacit.envs.rng import fold, moment, u
from tacit.envs.rules import observe, play, reset

# --- one phase ------------------------------------------------------------------------------------


@inlined
def start_copy(game: GameArrays, rows: CopyRows, r: Any, key: Any) -> None:
    """Begin an episode in copy r and observe its first phase."""
    state = row(rows.state, r)
    rows.measures[r] = 0.0
    rows.scores[r] = 0.0
    reset(game.params, state, key)
    for s in range(game.acts.shape[1]):
        rows.actions[r, s] = 0
        rows.observations[r, s] = observe(game.params, state, 0, s)


@loop
def start(game: GameArrays, nature: Any, rows: CopyRows, episode: Any) -> None:
    """Begin an episode in every copy; `nature` uint64 `[N]`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        # The start belongs to no round and no phase, so its key is that of the episode.
        start_copy(game, rows, r, fold(nature[r], episode))


@loop
def first_illegal(game: GameArrays, rows: CopyRows, phase: Any) -> Any:
    """1 + r * S + seat of the first illegal action of an acting seat; 0 if all are legal.

    One number holds both, since the caller needs them for its message only; 1 is added so that 0 is
    free.
    """
    seats = game.acts.shape[1]
    for r in range(len(rows.actions)):
        for s in range(seats):
            if game.acts[at(phase), at(s)]:
                o = game.per_seat[at(s), FIRST_ROW] + rows.observations[r, s]
                first, count = game.legal[o, 0], game.legal[o, 1]
                if rows.actions[r, s] < first or rows.actions[r, s] >= first + count:
                    return 1 + r * seats + s
    return 0


@inlined
def step_copy(game: GameArrays, rows: CopyRows, r: Any, key: Any, phase: Any) -> None:
    """One phase of copy r with the actions in its row of `rows.actions`.

    After the last phase of a round the KPI is scored, and the seats observe the next round's first
    phase.
    """
    params = game.params
    phases, seats = game.acts.shape
    state, measures = row(rows.state, r), row(rows.measures, r)
    if phase == 0:
        measures[:] = 0.0
        # With a single phase the round is scored below, so zeroing the scores would be wasted.
        if phases > 1:
            row(rows.scores, r)[:] = 0.0
    play(params, state, phase, row(rows.actions, r), measures, key)
    following = phase + 1
    if following == phases:
        following = 0
        score(game.terms, measures, row(rows.scores, r))
    for s in range(seats):
        rows.observations[r, s] = observe(params, state, following, s)


@loop
def step(
    game: GameArrays, nature: Any, rows: CopyRows, episode: Any, round_: Any, phase: Any
) -> None:
    """One phase in every copy; `nature` uint64 `[N]`."""
    game, rows = borrow(game), borrow(rows)
    for r in range(len(nature)):
        step_copy(game, rows, r, moment(nature[r], episode, round_, phase), phase)


# --- one copy with few arguments ------------------------------------------------------------------

# A PettingZoo view steps one copy from Python, and handing a compiled function ten arrays takes
# longer than the step. So their addresses and shapes are handed over in one int64 array, the bound
# array (`array_views.bind`). Each array has four entries in it, its address and up to three sizes,
# in the order of GameArrays and then CopyRows. These are the positions of the first of the four.
(PARAMS, TERMS, ACTS, PER_SEAT, LEGAL) = range(0, 20, 4)
(STATE, MEASURES, SCORES, ACTIONS, OBSERVATIONS) = range(20, 40, 4)


@inlined
def bound_game(b: Any) -> Any:
    """The `GameArrays` at the front of a bound array `b` int64 `[40]`."""
    return GameArrays(
        carray(pointer(b[PARAMS], np.float64), (b[PARAMS + 1],)),
        carray(pointer(b[TERMS], np.float64), (b[TERMS + 1], b[TERMS + 2])),
        carray(pointer(b[ACTS], np.int64), (b[ACTS + 1], b[ACTS + 2])),
        carray(pointer(b[PER_SEAT], np.int64), (b[PER_SEAT + 1], b[PER_SEAT + 2])),
        carray(pointer(b[LEGAL], np.int32), (b[LEGAL + 1], b[LEGAL + 2])),
    )


@inlined
def bound_rows(b: Any) -> Any:
    """The `CopyRows` behind the game in a bound array `b` int64 `[40]`."""
    return CopyRows(
        carray(pointer(b[STATE], np.float64), (b[STATE + 1], b[STATE + 2])),
        carray(
            pointer(b[MEASURES], np.float64), (b[MEASURES + 1], b[MEASURES + 2], b[MEASURES + 3])
        ),
        carray(pointer(b[SCORES], np.float64), (b[SCORES + 1], b[SCORES + 2])),
        carray(pointer(b[ACTIONS], np.int64), (b[ACTIONS + 1], b[ACTIONS + 2])),
        carray(pointer(b[OBSERVATIONS], np.int64), (b[OBSERVATIONS + 1], b[OBSERVATIONS + 2])),
    )


@loop
def step_bound(bound: Any, key: Any, episode: Any, round_: Any, phase: Any) -> None:
    """One phase of copy 0 of the game and rows in `bound` int64 `[40]`; same draws as in `step`."""
    game, rows = bound_game(bound), bound_rows(bound)
    step_copy(game, rows, 0, moment(key, episode, round_, phase), phase)


# --- whole rounds with policy tables --------------------------------------------------------------


@inlined
def draw_actions(
    game: GameArrays, rows: CopyRows, r: Any, key: Any, cumulative: Any, phase: Any
) -> None:
    """Sample every acting seat's action in copy r.

    Args:
        game: the game.
        rows: the copies.
        r: the copy.
        key: its key of the stream ACTION in this phase; the slot is the seat.
        cumulative: its policy tables, one row, float64 `[sum of O * A]`.
        phase: the phase.
    """
    seats = game.acts.shape[1]
    base = 0  # where the seat's table begins in `cumulative`
    for s in range(seats):
        width = game.per_seat[at(s), ACTION_COUNT]
        if game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            line = game.per_seat[at(s), FIRST_ROW] + o
            first, count = game.legal[line, 0], game.legal[line, 1]
            action = first
            # Without a choice there is no draw. Draws are made from counters, so a draw that is
            # left out changes no other one.
            if count > 1:
                draw = u(key, s)
                cell = base + o * width
                for a in range(cell + first, cell + first + count - 1):
                    # The action is the first one whose cumulative probability lies above the
                    # draw. The last legal one is not compared: its entry is 1, above every draw.
                    # Counting the entries at or below the draw needs no branch, which the
                    # processor would often predict wrongly.
                    action += draw >= cumulative[at(a)]
            rows.actions[r, s] = action
        base += (game.per_seat[at(s + 1), FIRST_ROW] - game.per_seat[at(s), FIRST_ROW]) * width


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
    """One whole round of copy r with policy tables; arguments as at the module's top.

    `nature` and `actor` uint64 `[N]`, `cumulative` float64 `[1 or N, sum of O * A]`.
    """
    # `cumulative` has a row for every copy, or a single one, which the remainder 0 selects.
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
    """Play `rounds` rounds of every copy and add each round's measures and scores to sums.

    Args:
        game: the game.
        nature: uint64 `[N]`.
        actor: uint64 `[N]`.
        cumulative: policy tables, float64 `[1 or N, sum of O * A]`.
        rows: the copies.
        episode: the episode's number.
        round_: the first round's number.
        rounds: how many.
        measures: the sums of measures, float64 `[N, S + 1, M]`.
        scores: the sums of scores, float64 `[N, T + S]`.
    """
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
    """Play copy 0 for T rounds, the length of `states`, and record them.

    Args:
        game: the game.
        nature: uint64 `[N]`.
        actor: uint64 `[N]`.
        cumulative: policy tables, float64 `[1 or N, sum of O * A]`.
        rows: the copies.
        episode: the episode's number.
        round_: the first round's number.
        states: filled with the state before each round, float64 `[T, W]`.
        measures: filled with each round's measures, float64 `[T, S + 1, M]`.
    """
    game, rows = borrow(game), borrow(rows)
    for t in range(len(states)):
        for k in range(states.shape[1]):
            states[t, k] = rows.state[0, k]
        play_round(game, nature, actor, cumulative, rows, 0, episode, round_ + t)
        for s in range(measures.shape[1]):
            for k in range(measures.shape[2]):
                measures[t, s, k] = rows.measures[0, s, k]
