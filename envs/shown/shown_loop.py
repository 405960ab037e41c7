"""Template: the rules of a market in which some parts of what seats see are a constant, or older.

`play` and `reset` are the market's own. Behind the market's `params` stand, for every seat and
observation o, two numbers: the observation whose hidden parts have their first value and whose
other parts are those of o (KEPT), and what the hidden parts of o add to it (ADDED). A seat that
sees o now and saw p some rounds ago is shown KEPT of o plus ADDED of p; with a constant, KEPT of o.

The last four of `params` are FIRST, SEATS, WIDTH and ROUNDS: how far before the end S entries begin
that say how far before the end each seat's numbers begin, how many seats there are, the width W of
the market's own state, and how many rounds older the hidden parts are (0: a constant). Behind W
stands, seat by seat, what each would have been shown in the last ROUNDS rounds, the latest first.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel
from tacit.envs.rules import observe, play, reset

FIRST, SEATS, WIDTH, ROUNDS = 4, 3, 2, 1  # from the end of `params`

# Functions below take the names of the market's kernels, which are reached by these.
market_observe, market_play, market_reset = observe, play, reset


@kernel
def shown_observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """What a seat is shown in the coming phase, an index in 0 .. O-1.

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
    """One phase by the market's own rules; what seats would have been shown is kept before it.

    `params` float64 `[.]`, `state` float64 `[W + S * ROUNDS]`, `actions` int64 `[S]`, `measures`
    float64 `[S + 1, M]`.
    """
    end = len(params)
    rounds = int(params[end - ROUNDS])
    if rounds > 0:  # then there is one phase
        for seat in range(int(params[end - SEATS])):
            first = int(params[end - WIDTH]) + seat * rounds
            for n in range(rounds - 1, 0, -1):
                state[first + n] = state[first + n - 1]
            state[first] = market_observe(params, state, 0, seat)
    market_play(params, state, phase, actions, measures, key)


@kernel
def shown_reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: nothing is older yet than what is so now.

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
