"""Surges of background demand, as compiled functions of one copy.

Every provider's load is calm (0) or a surge (1). Without lists a surge ends with a constant
probability; with `lengths` it lasts a number of rounds that is drawn when it begins. In the long
run a share enter / (enter + 1 / mean length) of all rounds are in a surge, where the mean length of
a surge without lists is 1 / leave.

A surge is described by a block of `params` and two ranges of `state`; the kernels get their
positions as arguments:

    block   in `params`: the constants below
    loads   in `state`: every provider's load
    drawn   in `state`, if something is drawn from a list of several: every provider's multiplier,
            as its step in the list; then every provider's rounds left, the present one included
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

# --- positions in the block of `params` -----------------------------------------------------------

ENTER = 0  # probability that a calm provider's next round is a surge
LEAVE = 1  # probability that a surge ends, if lengths are not listed
N_MULTIPLIERS = 2  # listed multipliers
N_LENGTHS = 3  # listed lengths; 0: LEAVE decides
LISTS = 4  # from here the multipliers, then the lengths in rounds

# --- slots of draws, one for each provider from each of these on ----------------------------------

LOAD = 64  # whether a surge begins or ends
MULTIPLIER = 320  # which multiplier a surge has
LENGTH = 384  # how long it lasts


@kernel
def begin_surges(params: Any, state: Any, key: Any, block: Any, providers: Any, loads: Any,
                 drawn: Any) -> None:  # fmt: skip
    """Draw loads from their long-run distribution: each round of each surge is equally likely.

    `params` float64 `[.]`, `state` float64 `[W]`.
    """
    enter, leave = params[block + ENTER], params[block + LEAVE]
    multipliers, lengths = int(params[block + N_MULTIPLIERS]), int(params[block + N_LENGTHS])
    total = 0.0  # rounds of one surge of each listed length
    for k in range(lengths):
        total += params[block + LISTS + multipliers + k]
    if lengths > 0:
        leave = lengths / total
    share = enter / (enter + leave)
    for i in range(providers):
        state[loads + i] = 1.0 if u(key, LOAD + i) < share else 0.0
        if multipliers > 1 or lengths > 0:
            state[drawn + i] = below(key, MULTIPLIER + i, multipliers)
        if lengths > 0:
            # Lay the listed surges end to end and pick a round: its surge is the k-th one, and it
            # is followed by `at` more rounds.
            at = below(key, LENGTH + i, total)
            k = block + LISTS + multipliers
            while at >= params[k]:
                at -= int(params[k])
                k += 1
            state[drawn + providers + i] = at + 1


@kernel
def advance_surges(params: Any, state: Any, key: Any, block: Any, providers: Any, loads: Any,
                   drawn: Any) -> None:  # fmt: skip
    """Loads of the next round; multiplier and length of a surge are drawn as it begins.

    `params` float64 `[.]`, `state` float64 `[W]`.
    """
    multipliers, lengths = int(params[block + N_MULTIPLIERS]), int(params[block + N_LENGTHS])
    for i in range(providers):
        draw = u(key, LOAD + i)
        if state[loads + i] == 1.0:
            ends = draw < params[block + LEAVE]
            if lengths > 0:
                state[drawn + providers + i] -= 1.0
                ends = state[drawn + providers + i] <= 0.0
            state[loads + i] = 0.0 if ends else 1.0
        elif draw < params[block + ENTER]:
            state[loads + i] = 1.0
            if multipliers > 1 or lengths > 0:
                state[drawn + i] = below(key, MULTIPLIER + i, multipliers)
            if lengths > 0:
                at = block + LISTS + multipliers + below(key, LENGTH + i, lengths)
                state[drawn + providers + i] = params[at]


@kernel
def multiplier(params: Any, state: Any, block: Any, drawn: Any) -> Any:
    """What a provider's surge multiplies its background demand by.

    `drawn` is the provider's own column. `params` float64 `[.]`, `state` float64 `[W]`.
    """
    if params[block + N_MULTIPLIERS] == 1.0:
        return params[block + LISTS]
    return params[block + LISTS + int(state[drawn])]
