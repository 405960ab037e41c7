"""Template: the rules of a market in which some parts of what seats see are a constant, or older.

The market's own kernels (`market_observe`, `market_play`, `market_reset`) decide all else. An index
of an observation is split in two: KEPT, the observation with the same other parts whose hidden
parts have their first value, and ADDED, what the hidden parts add to it. By the market's own kernel
a seat sees o now and saw p some rounds ago: it is shown KEPT of o plus ADDED of p, or KEPT of o
alone where hidden parts are a constant.

`params`, float64 `[.]`, by `shown_market._view_params`:

    the market's own params
    S numbers      for each seat, how far before the end of `params` its table begins
    S tables       one a seat: KEPT and ADDED of every observation, `[O, 2]` in one row
    FIRST          how far before the end the S numbers begin
    SEATS          S
    WIDTH          W, the width of the market's own state
    ROUNDS         how many rounds older the hidden parts are; 0: they are a constant

Positions are counted from the end, because the kernels do not know how many params the market has.
Kernels of the market count from the beginning, so they read what they always read.

`state`, float64 `[W + S * ROUNDS]`: the market's own, then for each seat what it would have seen
(an observation by the market's own kernel) in the last ROUNDS rounds, the latest first.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel
from tacit.envs.rules import observe, play, reset

FIRST, SEATS, WIDTH, ROUNDS = 4, 3, 2, 1  # from the end of `params`

# The last line gives the names of the market's kernels to the functions below.
market_observe, market_play, market_reset = observe, play, reset


@kernel
def shown_observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """What a seat is shown in a phase, an index in 0 .. O-1.

    `params` float64 `[.]`, `state` float64 `[W + S * ROUNDS]`.
    """
    end = len(params)
    begin = end - int(params[end - int(params[end - FIRST]) + seat])
    seen = market_observe(params, state, phase, seat)
    shown = params[begin + 2 * seen]
    rounds = int(params[end - ROUNDS])
    if rounds > 0:
        before = int(state[int(params[end - WIDTH]) + (seat + 1) * rounds - 1])
        shown += params[begin + 2 * before + 1]
    return int(shown)


@kernel
def shown_play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase by the market's own rules; before it, what each seat would have seen is kept.

    `params` float64 `[.]`, `state` float64 `[W + S * ROUNDS]`, `actions` int64 `[S]`, `measures`
    float64 `[S + 1, M]`.
    """
    end = len(params)
    rounds = int(params[end - ROUNDS])
    if rounds > 0:  # `shown_market` allows that in markets of one phase only
        for seat in range(int(params[end - SEATS])):
            first = int(params[end - WIDTH]) + seat * rounds
            for n in range(rounds - 1, 0, -1):
                state[first + n] = state[first + n - 1]
            state[first] = market_observe(params, state, 0, seat)
    market_play(params, state, phase, actions, measures, key)


@kernel
def shown_reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: for all earlier rounds, what seats see now is kept.

    `params` float64 `[.]`, `state` float64 `[W + S * ROUNDS]`.
    """
    market_reset(params, state, key)
    end = len(params)
    rounds = int(params[end - ROUNDS])
    if rounds > 0:
        for seat in range(int(params[end - SEATS])):
            seen = market_observe(params, state, 0, seat)
            for n in range(rounds):
                state[int(params[end - WIDTH]) + seat * rounds + n] = seen


observe, play, reset = shown_observe, shown_play, shown_reset
