"""Compiled: draws of the coming rounds, all of a kind side by side.

Key of rounds, key of a phase, draws of a slot: each is a short loop of its own over all rounds. In
one loop a round's draw would be a chain of eight multiplications, which a processor cannot overlap
with those of enough other rounds: it takes twice as long.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.array_views import at
from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import fold, u


@kernel
def fold_rounds(key: Any, round_: Any, count: Any, keys: Any) -> None:
    """Fill `keys` `[count]` with `key` folded with each of the rounds from `round_` on."""
    for k in range(count):
        keys[at(k)] = fold(key, round_ + k)


@kernel
def fold_phase(rounds: Any, phase: Any, count: Any, keys: Any) -> None:
    """Fill `keys` `[count]` with the keys of one phase of these rounds; may be `rounds` itself."""
    for k in range(count):
        keys[at(k)] = fold(rounds[at(k)], phase)


@kernel
def draw_slot(keys: Any, slot: Any, count: Any, draws: Any) -> None:
    """Fill `draws` `[count]` with what each key draws in a slot."""
    for k in range(count):
        draws[at(k)] = u(keys[at(k)], slot)


@kernel
def add_outcomes(draws: Any, edges: Any, outcomes: Any, count: Any, lots: Any) -> None:
    """Make the outcome of each draw `[count]` the last digit of `lots` int64 `[count]`.

    `edges` `[E]` are those of the `outcomes` outcomes; see `lots.LotArrays`.
    """
    for k in range(count):
        lots[at(k)] *= outcomes
    for e in range(len(edges)):
        edge = edges[at(e)]
        for k in range(count):
            lots[at(k)] += draws[at(k)] >= edge
