"""Template: rounds in which neural seats play frozen tables and write down their decisions.

Scripted and neural seats draw from `pop.fixed`; tabular learners beside them go on learning after
every round (`tacit.agents.tabular.q_learning_loop`). `book` is a
`tacit.agents.batch.rollout_buffer.RolloutBuffer`.

A sample is an own decision with at least two legal actions. It is open until the seat meets its
next one; rewards of rounds that end in between are summed. Where an episode or the batch ends, one
more round is looked ahead on a scratch copy with standing tables, unpaid, until that decision is
met.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.rollout_buffer import RolloutBuffer
from tacit.agents.tabular.group import (
    ACTION_KEYS,
    BOUND,
    COUNTED,
    EPISODE,
    EXPLORATION_KEYS,
    LEARNS,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    ROUND,
    SYNCHRONOUS,
    QArrays,
    T,
)
from tacit.agents.tabular.q_learning_loop import (
    BOUND_ROUNDS,
    act,
    begin_episode,
    bound_at,
    learn_synchronously,
    look_ahead,
    settle_phase,
)
from tacit.envs.engine.engine_loop import (
    draw_actions,
    start,
    step_copy,
    step_once,
)
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold, u
from tacit.envs.rules import observe, play, reset


@inlined
def meet(
    game: GameArrays, rows: CopyRows, book: RolloutBuffer, r: Any, copy: Any, phase: Any, t: Any
) -> None:
    """Close the open samples of learners whose turn it is (`r`: of rows, `copy`: of the book)."""
    for k in range(len(book.seats)):
        s = book.seats[k]
        if book.open[k, copy] and game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            if game.legal[game.first_row[at(s)] + o, 1] > 1:
                n = book.counts[k, copy] - 1
                book.following[k, n, copy] = o
                book.gap[k, n, copy] = t - book.since[k, copy]
                book.open[k, copy] = 0


@inlined
def note(game: GameArrays, rows: CopyRows, book: RolloutBuffer, r: Any, phase: Any, t: Any) -> None:
    """Open a sample for every learner that has just decided."""
    for k in range(len(book.seats)):
        s = book.seats[k]
        if game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            if game.legal[game.first_row[at(s)] + o, 1] > 1:
                n = book.counts[k, r]
                book.seen[k, n, r] = o
                book.did[k, n, r] = rows.actions[r, s]
                book.cut[k, n, r] = 0
                for h in range(book.reward.shape[3]):
                    book.reward[k, n, r, h] = 0.0
                book.counts[k, r] = n + 1
                book.since[k, r], book.open[k, r] = t, 1


@inlined
def pay(rows: CopyRows, book: RolloutBuffer, r: Any) -> None:
    """Add the finished round's terms to open samples."""
    for k in range(len(book.seats)):
        if book.open[k, r]:
            n = book.counts[k, r] - 1
            for h in range(book.terms.shape[1]):
                if book.terms[k, h] >= 0:
                    book.reward[k, n, r, h] += rows.scores[r, book.terms[k, h]]


@inlined
def stand(
    game: GameArrays, rows: CopyRows, pop: QArrays, keys: Any, copy: Any, phase: Any, round_: Any
) -> None:
    """Every acting seat of the scratch copy acts as its table stands, learners greedily."""
    phases, seats = game.acts.shape
    key = fold(fold(keys[LOOKAHEAD_KEYS, copy], round_), 2 * phases + phase)
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            o = rows.observations[0, s]
            line = game.first_row[at(s)] + o
            first, count = game.legal[line, 0], game.legal[line, 1]
            action = first
            if count > 1 and pop.settings[s, LEARNS] == 1.0:
                action = pop.greedy[line]
            elif count > 1:
                cell = pop.cells[s] + o * game.actions[at(s)]
                draw = u(key, s)
                for a in range(cell + first, cell + first + count - 1):
                    action += draw >= pop.fixed[a]
            rows.actions[0, s] = action


@inlined
def close(
    game: GameArrays,
    rows: CopyRows,
    pop: QArrays,
    keys: Any,
    scratch: CopyRows,
    book: RolloutBuffer,
    copy: Any,
    t: Any,
    round_: Any,
) -> None:
    """Cut the open samples of a copy: look ahead until each meets its next decision; one that
    meets none within a round is left out."""
    phases = game.acts.shape[0]
    waiting = 0
    for k in range(len(book.seats)):
        if book.open[k, copy]:
            book.cut[k, book.counts[k, copy] - 1, copy] = 1
            waiting = 1
    if waiting == 0:
        return
    scratch.state[0] = rows.state[copy]
    scratch.observations[0] = rows.observations[copy]
    for phase in range(phases):
        meet(game, scratch, book, 0, copy, phase, t)
        waiting = 0
        for k in range(len(book.seats)):
            waiting |= book.open[k, copy]
        if waiting == 0:
            break
        stand(game, scratch, pop, keys, copy, phase, round_)
        key = fold(fold(keys[LOOKAHEAD_KEYS, copy], round_), phases + phase)
        step_once(game, scratch, 0, key, phase)
    for k in range(len(book.seats)):
        if book.open[k, copy]:
            book.counts[k, copy] -= 1
            book.open[k, copy] = 0
            if book.counts[k, copy] > 0:  # the one before it is the episode's last now
                book.cut[k, book.counts[k, copy] - 1, copy] = 1


@inlined
def renew_bounds(pop: QArrays, n: Any, t: Any) -> None:
    """Upper bounds of epsilon for tabular learners, as `tacit.agents.tabular.q_learning_loop` keeps
    them.
    """
    if n == 0 or t % BOUND_ROUNDS == 0:
        for s in range(len(pop.settings)):
            pop.settings[s, BOUND] = bound_at(row(pop.settings, s), t - t % BOUND_ROUNDS)


@loop
def rollout(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    moments: Any,
    pop: QArrays,
    scratch: CopyRows,
    book: RolloutBuffer,
    rounds: Any,
    episode_rounds: Any,
    ends: Any,
    beside: Any,
) -> None:
    """Play so many rounds in all copies; `ends`: they are the last of a batch.

    `beside` is None where no tabular learner plays, which leaves half of the loop uncompiled.
    """
    game, rows, pop, scratch = borrow(game), borrow(rows), borrow(pop), borrow(scratch)
    keys, moments, book = borrow(keys), borrow(moments), borrow(book)
    played = borrow(rows.measures.reshape((len(rows.state), -1)))
    sums = borrow(pop.measures.reshape(-1))
    clock = pop.clock
    (phases, seats), terms = game.acts.shape, game.terms.shape[0]
    synchronous = 0
    for s in range(seats):
        synchronous |= int(pop.settings[s, SYNCHRONOUS])
    begin_episode(keys, clock[EPISODE], moments)
    for n in range(rounds):
        t, episode, round_ = clock[T], clock[EPISODE], clock[ROUND]
        if beside is not None:
            renew_bounds(pop, n, t)
        for phase in range(phases):
            if beside is not None:
                settle_phase(game, rows, pop, phase, t)
            for r in range(len(rows.state)):
                meet(game, rows, book, r, r, phase, t)
                key = fold(fold(moments[NATURE_KEYS, r], round_), phase)
                if beside is None:
                    luck = fold(fold(moments[ACTION_KEYS, r], round_), phase)
                    draw_actions(game, rows, r, luck, pop.fixed, phase)
                else:
                    act(game, rows, pop, moments, r, phase, t, EXPLORATION_KEYS, round_)
                    for s in range(seats * synchronous):
                        if pop.settings[s, SYNCHRONOUS] == 1.0:
                            learn_synchronously(game, rows, pop, scratch, r, s, key)
                note(game, rows, book, r, phase, t)
                step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            pay(rows, book, r)
            for k in range(len(sums)):
                sums[k] += played[r, k]
            for k in range(rows.scores.shape[1]):
                pop.scores[k] += rows.scores[r, k]
            if beside is not None:
                for s in range(seats):
                    pop.reward[r, s] += rows.scores[r, terms + s]
        clock[T] = t + 1
        clock[COUNTED] += 1
        clock[ROUND] = round_ + 1
        over = episode_rounds > 0 and clock[ROUND] == episode_rounds
        if over or (ends and n == rounds - 1):
            for r in range(len(rows.state)):
                close(game, rows, pop, moments, scratch, book, r, t + 1, round_ + 1)
        if over:
            if beside is not None:
                look_ahead(game, rows, pop, moments, t + 1, round_ + 1)
            start(game, row(keys, NATURE_KEYS), rows, episode + 1)
            clock[EPISODE], clock[ROUND] = episode + 1, 0
            begin_episode(keys, episode + 1, moments)
