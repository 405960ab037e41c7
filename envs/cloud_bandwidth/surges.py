"""Surges of background demand, as scalar functions of one copy.

Every provider's load is calm (0) or a surge (1). Rounds in a surge are, in the long run, a share
enter / (enter + 1/mean length) of all, a chain's mean length being 1/leave.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

# the block of params that starts at `block`; behind it all multipliers, then all lengths
ENTER, LEAVE, N_MULTIPLIERS, N_LENGTHS, LISTS = range(5)
# slots of draws, a slot per provider behind each
LOAD, MULTIPLIER, LENGTH = 64, 320, 384

# The state has every provider's load from `loads` on. Where something is drawn from a list of
# several, it has from `drawn` on every provider's multiplier, as its position in the list, then
# every provider's rounds left, the present one included.


@kernel
def begin(params: Any, state: Any, key: Any, block: Any, providers: Any, loads: Any,
          drawn: Any) -> None:  # fmt: skip
    """Loads from the long run: each round of each surge equally likely."""
    enter, leave = params[block + ENTER], params[block + LEAVE]
    multipliers, lengths = int(params[block + N_MULTIPLIERS]), int(params[block + N_LENGTHS])
    total = 0.0
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
            at = below(key, LENGTH + i, total)
            k = block + LISTS + multipliers
            while at >= params[k]:
                at -= int(params[k])
                k += 1
            state[drawn + providers + i] = at + 1


@kernel
def move_on(params: Any, state: Any, key: Any, block: Any, providers: Any, loads: Any,
            drawn: Any) -> None:  # fmt: skip
    """Loads of the next round; what a surge is like is drawn as it starts."""
    multipliers, lengths = int(params[block + N_MULTIPLIERS]), int(params[block + N_LENGTHS])
    for i in range(providers):
        luck = u(key, LOAD + i)
        if state[loads + i] == 1.0:
            ends = luck < params[block + LEAVE]
            if lengths > 0:
                state[drawn + providers + i] -= 1.0
                ends = state[drawn + providers + i] <= 0.0
            state[loads + i] = 0.0 if ends else 1.0
        elif luck < params[block + ENTER]:
            state[loads + i] = 1.0
            if multipliers > 1 or lengths > 0:
                state[drawn + i] = below(key, MULTIPLIER + i, multipliers)
            if lengths > 0:
                at = block + LISTS + multipliers + below(key, LENGTH + i, lengths)
                state[drawn + providers + i] = params[at]


@kernel
def multiplier(params: Any, state: Any, block: Any, drawn: Any) -> Any:
    """What a provider's surge multiplies its background demand by, `drawn` being its own column."""
    if params[block + N_MULTIPLIERS] == 1.0:
        return params[block + LISTS]
    return params[block + LISTS + int(state[drawn])]
