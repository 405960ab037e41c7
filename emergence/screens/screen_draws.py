"""Draws of the screens: the same for the same data, whatever else is computed."""

from __future__ import annotations

from tacit.envs import rng
from tacit.envs.types import Floats

BOOTSTRAP, DEAL, SHUFFLE = range(3)  # kinds of draws: the first number of their key


def uniform_draws(count: int, *numbers: int) -> Floats:
    """Uniform draws float64 `[count]` in 0 .. 1 that depend on nothing but `numbers`.

    Args:
        count: how many.
        numbers: the kind of draws, then what distinguishes sets of that kind.
    """
    key = rng.seed_key(0, rng.PROBE)
    for number in numbers:
        key = rng.child_key(key, number)
    return rng.draws(key, count)
