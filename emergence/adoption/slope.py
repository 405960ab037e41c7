"""How adopters' conduct changes with their number, and the same where nothing is coordinated.

In arm a of a series n_a seats adopt, and P_ak is the mean of a measure (a price) over these seats
in repetition k. The slope of a repetition and of a series are

    b_k = sum_a (n_a - n) P_ak / sum_a (n_a - n)^2,   n the mean of n_a over the arms,
    b = mean of b_k over repetitions,

the least-squares slope of the measure on the number of adopters; its interval is Student's t over
repetitions. Unit: that of the measure, an adopter.

**The null: independent adoption, drawn.** Every firm's agent learns for itself and shares nothing,
whoever bought what from whom. That is a market of the run: the arm `alone`. One draw gives each arm
of the series as many markets as it has repetitions, drawn with replacement from the repetitions of
`alone`, in each n_a seats drawn without replacement, and takes the slope of their means. The null
is therefore: *the adopters' mean is distributed as the mean of as many seats drawn from markets in
which nobody shares anything*. It has slope 0 by construction, and the spread of what is learned.

    p = (1 + draws with a slope of at least b) / (1 + draws)

(one-sided; Davison, Hinkley, Bootstrap Methods and their Application, Cambridge University Press,
1997, section 4.2.3). Draws are keyed (`tacit.envs.rng`, stream PROBE): the same figures, the same
p.

Source of the test: Harrington, Economic Policy 40(121), 2025, pp. 261-295 (its abstract: adopters'
average price increases in the number of adopting firms if adoption is coordinated, and does not
depend on it if adoption is independent). Estimator and null are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import nan

import numpy as np

from tacit.emergence.payoffs import COMPETITIVE_AND_COLLUSIVE, SMALLEST_RANGE
from tacit.envs import rng
from tacit.envs.market import Market
from tacit.envs.types import Floats

DRAWS = 9_999  # of the null: the smallest p value is 1 / (1 + DRAWS)


def weights(numbers: Sequence[int]) -> Floats:
    """What each arm's mean counts in the slope, float64 `[arms]`.

    Args:
        numbers: adopters of each arm, at least two of them different.
    """
    centred = np.asarray(numbers, float) - np.mean(numbers)
    found: Floats = centred / (centred**2).sum()
    return found


def slopes(numbers: Sequence[int], adopters: Sequence[Floats]) -> Floats:
    """The slope of each repetition that all arms have, float64 `[K]`.

    Args:
        numbers: adopters of each arm, at least two of them different.
        adopters: the mean over an arm's adopters, by repetition, float64 `[.]` each.
    """
    count = min(len(own) for own in adopters)
    each = np.stack([own[:count] for own in adopters])  # [arms, K]
    found: Floats = weights(numbers) @ each
    return found


def means_of_seats(alone: Floats, number: int) -> Floats:
    """The means of every `number` seats in every market, float64 `[K * C(N, number)]`.

    Args:
        alone: the measure by repetition and seat, float64 `[K, N]`.
        number: of seats, 1 .. N.
    """
    chosen = list(combinations(range(alone.shape[1]), number))
    return np.concatenate([alone[:, list(seats)].mean(axis=1) for seats in chosen])


def null_means(
    numbers: Sequence[int], repetitions: int, alone: Floats, count: int = DRAWS, seed: int = 0
) -> Floats:
    """Adopters' means under independent adoption, float64 `[arms, count]`.

    Args:
        numbers: adopters of each arm, each at most N.
        repetitions: markets of each arm in one draw.
        alone: the measure where everybody learns for itself, by repetition and seat, float64
            `[K, N]`.
        count: of draws.
        seed: other draws for another seed.
    """
    key = rng.seed_key(seed, rng.PROBE)
    found = []
    for arm, number in enumerate(numbers):
        pool = means_of_seats(alone, number)
        drawn = rng.draws(rng.child_key(key, arm), count * repetitions)
        markets = pool[(drawn * len(pool)).astype(np.int64)].reshape(count, repetitions)
        found.append(markets.mean(axis=1))
    return np.stack(found)


def null_slopes(
    numbers: Sequence[int], repetitions: int, alone: Floats, count: int = DRAWS, seed: int = 0
) -> Floats:
    """Slopes under independent adoption, float64 `[count]`; arguments as of `null_means`."""
    found: Floats = weights(numbers) @ null_means(numbers, repetitions, alone, count, seed)
    return found


def p_value(slope: float, null: Floats, rounding: float = 0.0) -> float:
    """The chance of at least this slope under the null (one-sided).

    Args:
        slope: that was found.
        null: slopes under the null, float64 `[.]`.
        rounding: slopes that differ by less are equal: where nothing is drawn at random, all are.
    """
    return float((1 + (null >= slope - rounding).sum()) / (1 + len(null)))


def full_slope(market: Market, measure: str, role: str) -> float:
    """What a measure changes by with each adopter on a straight line from one that competes to all
    that act as one firm: (collusive - competitive) / (seats - 1).

    Args:
        market: of whose benchmarks.
        measure: of the role's seats.
        role: its name.

    Returns:
        In the measure's unit; NaN where there is no such line: no benchmarks, or one seat.
    """
    benchmarks = market.benchmarks()
    ends = [
        benchmarks[end].values.get(measure) if end in benchmarks else None
        for end in COMPETITIVE_AND_COLLUSIVE
    ]
    low, high = (nan if value is None else float(value) for value in ends)
    seats = sum(seat.role.name == role for seat in market.seats)
    if seats < 2 or not abs(high - low) > SMALLEST_RANGE:
        return nan
    return (high - low) / (seats - 1)
