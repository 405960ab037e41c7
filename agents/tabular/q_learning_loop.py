"""Template: rounds of one seed in which tabular learners and fixed tables play and learn.

A learner's step is an own decision with at least two legal actions; rewards between two own
decisions are summed and the next value is discounted by discount^(rounds between). In every phase
all copies first settle what they owe (in ascending order, one Q per seat), then act.

`game`, `rows`: `tacit.envs.engine.game_arrays`; `pop`: `tacit.agents.tabular.group.QArrays`; `keys`
uint64 [4, N]:
each copy's keys of the streams NATURE, EXPLORATION, ACTION, LOOKAHEAD (inside the loop: of the
running episode); `scratch`: rows of one copy.
"""

from __future__ import annotations

from math import exp, inf
from typing import Any

from tacit.agents.tabular.group import (
    ACTION_KEYS,
    ALPHA,
    BOLTZMANN,
    BOUND,
    CONSTANT,
    COUNTED,
    DISCOUNT,
    EPISODE,
    EPSILON,
    EPSILON_DECAY,
    EPSILON_MIN,
    EXPLORATION_KEYS,
    EXPONENTIAL,
    LEARNS,
    LOOKAHEAD_KEYS,
    NATURE_KEYS,
    OWED,
    RANDOM_TIES,
    ROUND,
    SCHEDULE,
    SINCE,
    STABLE,
    SYNCHRONOUS,
    TAKEN,
    TEMPERATURE,
    TEMPERATURE_DECAY,
    QArrays,
    T,
)
from tacit.envs.engine.engine_loop import start, step_copy
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop
from tacit.envs.kpi import reward
from tacit.envs.rng import fold, u
from tacit.envs.rules import observe, play, reset

BOUND_ROUNDS = 256  # how long an upper bound of epsilon serves


@loop
def fill(q: Any, key: Any, low: Any, high: Any) -> None:
    """Uniform initial values in [low, high)."""
    for k in range(len(q)):
        q[k] = low + (high - low) * u(key, k)


@kernel
def rank(q: Any, cell: Any, first: Any, count: Any) -> Any:
    """The first maximiser a = first .. first + count - 1 of q[cell + a], and the next best Q.

    Selections, not branches: nobody can predict where the next maximum lies.
    """
    found, top, runner = first, q[at(cell + first)], -inf
    for a in range(first + 1, first + count):
        value = q[at(cell + a)]
        better = value > top
        lower = top if better else value
        runner = lower if lower > runner else runner
        found = a if better else found
        top = value if better else top
    return found, runner


@loop
def begin(game: GameArrays, rows: CopyRows, keys: Any, pop: QArrays) -> None:
    """Greedy actions of the initial Q, and the first episode."""
    seats = game.acts.shape[1]
    for s in range(seats):
        width = game.actions[at(s)]
        for line in range(game.first_row[at(s)], game.first_row[at(s + 1)]):
            cell = pop.cells[s] + (line - game.first_row[at(s)]) * width
            first, count = game.legal[line, 0], game.legal[line, 1]
            pop.greedy[line], pop.runner[line] = rank(pop.q, cell, first, count)
    start(game, keys[NATURE_KEYS], rows, 0)


@kernel
def begin_episode(keys: Any, episode: Any, moments: Any) -> None:
    """Fill `moments`: `rng.moment` without its last two folds, which stand still for an episode."""
    for stream in range(keys.shape[0]):
        for r in range(keys.shape[1]):
            moments[stream, r] = fold(keys[stream, r], episode)


@kernel
def epsilon_at(setting: Any, t: Any) -> Any:
    """Share of random actions at round t."""
    schedule = int(setting[SCHEDULE])
    if schedule == EXPONENTIAL:
        return max(setting[EPSILON_MIN], setting[EPSILON] * exp(-setting[EPSILON_DECAY] * t))
    if schedule == CONSTANT:
        return setting[EPSILON]
    return 0.0


@kernel
def bound_at(setting: Any, t: Any) -> Any:
    """Draws at or above it mean the greedy action, from t on: then no exponential is needed."""
    if int(setting[SCHEDULE]) == BOLTZMANN or setting[RANDOM_TIES] == 1.0:
        return 1.0
    return epsilon_at(setting, t)


@kernel
def boltzmann(q: Any, cell: Any, first: Any, count: Any, temperature: Any, draw: Any) -> Any:
    """Sample an action with probability proportional to exp(Q / temperature)."""
    top = q[cell + rank(q, cell, first, count)[0]]
    total = 0.0
    for a in range(first, first + count):
        total += exp((q[cell + a] - top) / temperature)
    rest = draw * total
    for a in range(first, first + count - 1):
        rest -= exp((q[cell + a] - top) / temperature)
        if rest < 0.0:
            return a
    return first + count - 1


@kernel
def explore(
    q: Any, cell: Any, first: Any, count: Any, greedy: Any, setting: Any, draw: Any, t: Any
) -> Any:
    """A learner's action where the draw may matter: it says whether and what to explore."""
    if int(setting[SCHEDULE]) == BOLTZMANN:
        temperature = setting[TEMPERATURE] * exp(-setting[TEMPERATURE_DECAY] * t)
        return boltzmann(q, cell, first, count, temperature, draw)
    epsilon = epsilon_at(setting, t)
    if draw < epsilon:
        return first + min(int(draw / epsilon * count), count - 1)
    if setting[RANDOM_TIES] == 0.0:
        return greedy
    ties = 0
    for a in range(first, first + count):
        if q[cell + a] == q[cell + greedy]:
            ties += 1
    pick = int((draw - epsilon) / (1.0 - epsilon) * ties)
    for a in range(first, first + count):
        if q[cell + a] == q[cell + greedy]:
            if pick == 0:
                return a
            pick -= 1
    return greedy


@kernel
def update(
    q: Any,
    cell: Any,
    a: Any,
    alpha: Any,
    target: Any,
    first: Any,
    count: Any,
    greedy: Any,
    runner: Any,
) -> Any:
    """Move Q(a) towards its target; returns the greedy action and the runner-up bound afterwards.

    `runner` is at least every Q but the greedy one's, so that most updates need no search.
    """
    old = q[at(cell + a)]
    new = old + alpha * (target - old)
    q[at(cell + a)] = new
    if a == greedy:
        if new > runner or new >= old:
            return greedy, runner
        return rank(q, cell, first, count)
    top = q[at(cell + greedy)]
    if new > top or (new == top and a < greedy):
        return a, max(runner, top)
    return greedy, max(runner, new)


@inlined
def settle(
    game: GameArrays, rows: CopyRows, pop: QArrays, r: Any, s: Any, line: Any, width: Any, t: Any
) -> Any:
    """Pay copy r's seat s for its last own decision if it now meets the next one.

    `line` is the seat's first row of `game.legal`, `width` its number of actions.
    Returns 1 if its greedy policy changed.
    """
    debt, now = row(row(pop.debts, r), s), rows.observations[r, s]
    o = debt[OWED]
    if o < 0 or game.legal[at(line + now), 1] < 2:
        return 0
    debt[OWED] = -1
    setting = row(pop.settings, s)
    value = pop.q[at(pop.cells[s] + now * width + pop.greedy[at(line + now)])]
    gap = t - debt[SINCE]
    factor = setting[DISCOUNT] if gap == 1 else setting[DISCOUNT] ** gap
    target = pop.reward[r, s] + factor * value
    cell, line = pop.cells[s] + o * width, at(line + o)
    first, count, old = game.legal[line, 0], game.legal[line, 1], pop.greedy[line]
    new, pop.runner[line] = update(pop.q, cell, debt[TAKEN], setting[ALPHA], target, first, count,
                                   old, pop.runner[line])  # fmt: skip
    if new == old:
        return 0
    pop.greedy[line] = new
    return 1


@inlined
def act(
    game: GameArrays,
    rows: CopyRows,
    pop: QArrays,
    keys: Any,
    r: Any,
    phase: Any,
    t: Any,
    explores: Any,
    round_: Any,
) -> None:
    """Every acting seat of copy r chooses; learners remember what they did."""
    seats = game.acts.shape[1]
    key = fold(fold(keys[explores, r], round_), phase)
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            o = rows.observations[r, s]
            line = at(game.first_row[at(s)] + o)
            first, count = game.legal[line, 0], game.legal[line, 1]
            cell = pop.cells[s] + o * game.actions[at(s)]
            action = first
            if count > 1 and pop.settings[s, LEARNS] == 1.0:
                action = pop.greedy[line]
                draw = u(key, s)
                if draw < pop.settings[s, BOUND]:
                    setting = row(pop.settings, s)
                    action = explore(pop.q, cell, first, count, action, setting, draw, t)
                if pop.settings[s, SYNCHRONOUS] == 0.0:
                    debt = row(row(pop.debts, r), s)
                    debt[OWED], debt[TAKEN], debt[SINCE] = o, action, t
                    pop.reward[r, s] = 0.0
            elif count > 1:
                draw = u(fold(fold(keys[ACTION_KEYS, r], round_), phase), s)
                for a in range(cell + first, cell + first + count - 1):
                    action += draw >= pop.fixed[at(a)]  # (no branch to be guessed wrong)
            rows.actions[r, s] = action


@inlined
def learn_synchronously(
    game: GameArrays, rows: CopyRows, pop: QArrays, scratch: CopyRows, r: Any, s: Any, key: Any
) -> Any:
    """Update all own actions of seat s against the others' actual ones, with the same luck.

    Targets are made from the old Q before any of it moves. Returns 1 if the greedy policy changed.
    """
    seats = game.acts.shape[1]
    width, line = game.actions[at(s)], game.first_row[at(s)]
    setting = row(pop.settings, s)
    o = rows.observations[r, s]
    first, count = game.legal[line + o, 0], game.legal[line + o, 1]
    state, before = row(scratch.state, 0), row(rows.state, r)
    actions, measures = row(scratch.actions, 0), row(scratch.measures, 0)
    for j in range(seats):
        actions[j] = rows.actions[r, j]
    for a in range(first, first + count):
        for k in range(len(state)):
            state[k] = before[k]
        actions[s] = a
        measures[:] = 0.0
        play(game.params, state, 0, actions, measures, key)
        paid = reward(game.terms, game.first_term[at(s)], game.first_term[at(s + 1)], measures)
        now = observe(game.params, state, 0, s)
        value = pop.q[pop.cells[s] + now * width + pop.greedy[line + now]]
        pop.targets[a] = paid + setting[DISCOUNT] * value
    cell = pop.cells[s] + o * width
    old = pop.greedy[line + o]
    for a in range(first, first + count):
        pop.q[cell + a] += setting[ALPHA] * (pop.targets[a] - pop.q[cell + a])
    pop.greedy[line + o], pop.runner[line + o] = rank(pop.q, cell, first, count)
    return 1 if pop.greedy[line + o] != old else 0


@inlined
def settle_phase(game: GameArrays, rows: CopyRows, pop: QArrays, phase: Any, t: Any) -> Any:
    """Every acting seat is paid in all copies. Returns 1 if a greedy policy changed."""
    seats = game.acts.shape[1]
    changed = 0
    for s in range(seats):
        if game.acts[at(phase), at(s)]:
            line, width = game.first_row[at(s)], game.actions[at(s)]
            for r in range(len(rows.state)):
                changed |= settle(game, rows, pop, r, s, line, width, t)
    return changed


@inlined
def look_ahead(
    game: GameArrays, rows: CopyRows, pop: QArrays, keys: Any, t: Any, round_: Any
) -> Any:
    """At truncation: play one more round, unpaid, until every seat has met its next decision."""
    changed = 0
    phases = game.acts.shape[0]
    for phase in range(phases):
        changed |= settle_phase(game, rows, pop, phase, t)
        for r in range(len(rows.state)):
            act(game, rows, pop, keys, r, phase, t, LOOKAHEAD_KEYS, round_)
            key = fold(fold(keys[LOOKAHEAD_KEYS, r], round_), phases + phase)
            step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            for s in range(game.acts.shape[1]):
                if pop.debts[r, s, SINCE] == t:  # what the look-ahead decides is not learned from
                    pop.debts[r, s, OWED] = -1
    pop.debts[:, :, OWED] = -1
    return changed


@loop
def learn(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    moments: Any,
    pop: QArrays,
    scratch: CopyRows,
    rounds: Any,
    episode_rounds: Any,
    stop_after: Any,
) -> Any:
    """Play up to `rounds` rounds in all copies; returns how many were played.

    (The caller holds every array, so the loop never counts a reference; see
    `tacit.envs.jit.array_views`.)
    """
    game, rows, pop, scratch = borrow(game), borrow(rows), borrow(pop), borrow(scratch)
    keys, moments = borrow(keys), borrow(moments)
    played = borrow(rows.measures.reshape((len(rows.state), -1)))  # one row a copy:
    sums = borrow(pop.measures.reshape(-1))  # one loop over 30 numbers, not three over 10
    clock = pop.clock
    (phases, seats), terms = game.acts.shape, game.terms.shape[0]
    synchronous = 0
    for s in range(seats):
        synchronous |= int(pop.settings[s, SYNCHRONOUS])
    begin_episode(keys, clock[EPISODE], moments)
    for n in range(rounds):
        t, episode, round_ = clock[T], clock[EPISODE], clock[ROUND]
        if n == 0 or t % BOUND_ROUNDS == 0:  # a function of t: it is part of the state
            for s in range(seats):
                pop.settings[s, BOUND] = bound_at(row(pop.settings, s), t - t % BOUND_ROUNDS)
        changed = 0
        for phase in range(phases):
            changed |= settle_phase(game, rows, pop, phase, t)
            for r in range(len(rows.state)):
                act(game, rows, pop, moments, r, phase, t, EXPLORATION_KEYS, round_)
                key = fold(fold(moments[NATURE_KEYS, r], round_), phase)
                for s in range(seats * synchronous):
                    if pop.settings[s, SYNCHRONOUS] == 1.0:
                        changed |= learn_synchronously(game, rows, pop, scratch, r, s, key)
                step_copy(game, rows, r, key, phase)
        for r in range(len(rows.state)):
            for k in range(len(sums)):
                sums[k] += played[r, k]
            for k in range(rows.scores.shape[1]):
                pop.scores[k] += rows.scores[r, k]
            for s in range(seats):
                pop.reward[r, s] += rows.scores[r, at(terms + s)]
        clock[T] = t + 1
        clock[COUNTED] += 1
        clock[ROUND] = round_ + 1
        if episode_rounds > 0 and clock[ROUND] == episode_rounds:
            changed |= look_ahead(game, rows, pop, moments, t + 1, round_ + 1)
            start(game, row(keys, NATURE_KEYS), rows, episode + 1)
            clock[EPISODE], clock[ROUND] = episode + 1, 0
            begin_episode(keys, episode + 1, moments)
        clock[STABLE] = 0 if changed else clock[STABLE] + 1
        if stop_after > 0 and clock[STABLE] >= stop_after:
            return n + 1
    return rounds
