"""Every draw of tacit: a pure function of counters, never a generator that advances.

A *key* is 64 bits made from (seed, stream, copy, episode, round, phase); a *draw* is made from a
key and a slot. Slots are named constants, one for each purpose, so that leaving one draw out shifts
no other: a replay with one changed action has the same draws everywhere else.

    u(key, slot),   key = fold(fold(fold(fold(stream(seed, which), copy), episode), round), phase)

Source of the mixing function: Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014 (SplitMix64), with D. Stafford's variant 13 of its finaliser.

In pure Python the 64-bit products overflow by design: run kernels' `.py_func` under
`np.errstate(over="ignore")`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit.decorators import kernel
from .types import Floats, Ints

# Streams, by what a draw is for. Two streams of one seed share no draw.
NATURE = 0  # the market's own: types, ties, shocks
ACTION = 1  # actions sampled from policy tables
EXPLORATION = 2  # what a learner tries
MINIBATCH = 3  # the order of samples in an update
INITIAL = 4  # initial Q values and weights
PROBE = 5  # evaluations, which must not touch the draws of training
LOOKAHEAD = 6  # the round that is played past an episode's end
PLAY = 7  # sessions in which a person plays: a child for each session's name
SWEEP = 8  # settings of cells that a sweep draws from ranges: a child for each range

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
# Odd constants that space out children and slots. They differ, so that no draw of a key has the
# bits of one of its children.
_FOLD = np.uint64(0x9E3779B97F4A7C15)
_DRAW = np.uint64(0xD1B54A32D192ED03)
_ONE = np.uint64(1)
_S11, _S27, _S30, _S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
# The same as integers of Python, which know no overflow.
_INT_M1, _INT_M2, _INT_FOLD, _64_BITS = int(_M1), int(_M2), int(_FOLD), 2**64 - 1
_UNIT = 2.0**-53  # a draw keeps the upper 53 bits, as many as a float64 in [0, 1) can hold


@kernel
def mix(z: Any) -> Any:
    """Bijective scrambling of 64 bits (SplitMix64 finaliser, variant 13)."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def fold(key: Any, n: Any) -> Any:
    """The key of child `n` (an integer >= 0) of `key`, uint64."""
    return mix(np.uint64(key) + (np.uint64(n) + _ONE) * _FOLD)


@kernel
def u(key: Any, slot: Any) -> Any:
    """A uniform float64 in [0, 1), a multiple of 2^-53."""
    return np.float64(mix(np.uint64(key) + (np.uint64(slot) + _ONE) * _DRAW) >> _S11) * _UNIT


@kernel
def below(key: Any, slot: Any, n: Any) -> Any:
    """A uniform integer in 0 .. n-1."""
    return np.int64(u(key, slot) * n)


@kernel
def stream(seed: Any, which: Any) -> Any:
    """The key of one stream (NATURE, ...) of one seed, uint64."""
    return fold(fold(np.uint64(0), seed), which)


@kernel
def moment(copy_key: Any, episode: Any, round_: Any, phase: Any) -> Any:
    """The key of one phase, uint64; `copy_key` is `fold(stream(seed, which), copy)`."""
    return fold(fold(fold(copy_key, episode), round_), phase)


# --- keys outside kernels ------------------------------------------------------------------------
# Nothing is compiled here: compiling `fold` takes longer than all else that many commands do.


def child_keys(keys: NDArray[np.uint64], n: Ints) -> NDArray[np.uint64]:
    """`fold` of arrays.

    Args:
        keys: uint64 `[K]`, or `[G, 1]`.
        n: numbers of children, >= 0, int64 `[K]`.

    Returns:
        Broadcast, uint64 `[K]` or `[G, K]`.
    """
    # In arrays, unlike in scalars, NumPy lets integers overflow without a warning.
    children = (np.asarray(n).astype(np.uint64) + _ONE) * _FOLD
    mixed: NDArray[np.uint64] = mix.py_func(keys + children)  # type: ignore[attr-defined]
    return mixed


def child_key(key: np.uint64, n: int) -> np.uint64:
    """`fold` of one key, as a scalar of NumPy: a Python int would enter a kernel as int64.

    In Python's integers: an array of one number takes ten times as long, and learners ask for keys
    in every update.
    """
    z = (int(key) + (int(n) + 1) * _INT_FOLD) & _64_BITS
    z = ((z ^ (z >> 30)) * _INT_M1) & _64_BITS
    z = ((z ^ (z >> 27)) * _INT_M2) & _64_BITS
    return np.uint64(z ^ (z >> 31))


def seed_key(seed: int, which: int) -> np.uint64:
    """`stream`: the key of one stream of one seed."""
    return child_key(child_key(np.uint64(0), seed), which)


def copy_keys(seeds: Sequence[int], copies: int, which: int) -> NDArray[np.uint64]:
    """Keys of all copies of all seeds, uint64 `[seeds * copies]`.

    Seed-major: row r is copy `r % copies` of seed number `r // copies`.
    """
    roots = np.array([seed_key(seed, which) for seed in seeds], np.uint64)
    return child_keys(roots[:, None], np.arange(copies)).reshape(-1)


def draws(key: Any, count: int) -> Floats:
    """`u(key, slot)` for the slots 0 .. count - 1 at once, float64 `[count]`."""
    slots = np.arange(1, count + 1, dtype=np.uint64)
    mixed = mix.py_func(np.uint64(key) + slots * _DRAW)  # type: ignore[attr-defined]
    found: Floats = (mixed >> _S11).astype(np.float64) * _UNIT
    return found


def draws_of(keys: NDArray[np.uint64], slot: int) -> Floats:
    """`u(key, slot)` of many keys uint64 `[K]`, float64 `[K]`."""
    slots = np.array([slot + 1], np.uint64)
    mixed = mix.py_func(keys + slots * _DRAW)  # type: ignore[attr-defined]
    found: Floats = (mixed >> _S11).astype(np.float64) * _UNIT
    return found
