"""The verdict on adoption: one series of arms, judged where most seats adopt.

The rule is `tacit.emergence.adoption.rule`. Below 48 repetitions it is `undecided at n`.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Adoption,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.stats import interval, number, student

from .rule import LEAST_SHARE, WORDS, judge, p_text
from .slope import DRAWS, null_slopes, p_value, slopes

__all__ = ["WORDS", "adoption"]

ROUNDING = 1e-9  # of the full slope: slopes that differ by less are equal


def adoption(e: Evidence) -> Verdict | None:
    """The verdict on the series that ends in this arm; None where none does."""
    if e.adoption is None:
        return None
    own = e.adoption
    # Of a measure that falls with collusion (an output), everything is turned over.
    sign = -1.0 if own.full < 0 else 1.0
    adopters = [sign * arm[np.isfinite(arm)] for arm in own.adopters]
    alone = sign * own.alone[np.isfinite(own.alone).all(axis=1)]
    whole = all(len(arm) == len(before) for arm, before in zip(adopters, own.adopters, strict=True))
    if not whole or not len(alone) or min(map(len, adopters)) == 0:
        reason = f"{own.measure} is not defined in every repetition"
        return Verdict("adoption", UNDECIDED, (), (f"{own.series}: {reason}",))
    slope = student(slopes(own.numbers, adopters).tolist())
    null = null_slopes(own.numbers, slope.n, alone)
    p = p_value(slope.mean, null, ROUNDING * abs(own.full))
    found = judge(slope, p, sign * own.full)
    word, missing = found.word, list[str]()
    if word == UNDECIDED:
        missing.append(f"{own.series}: {found.reason}")
    if slope.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(slope.n, word))
        word = undecided_at(slope.n)
    low, high = (number(float(x)) for x in np.quantile(null, (0.025, 0.975)))
    told = f"slope {number(slope.mean)} {interval(slope)} an adopter, p {p_text(p)}, n = {slope.n}"
    evidence = (
        f"{own.series}: {told}",
        f"{own.series}: {_levels(own)}",
        f"{own.series}: slopes of independent adoption: 95 % of {DRAWS:,} draws within "
        f"[{low}, {high}]",
        f"{own.series}: from {_bound(own)} on a slope counts as a rise",
    )
    return Verdict("adoption", word, evidence, tuple(missing))


def _levels(own: Adoption) -> str:
    """`price of 1, 2, 3 adopters 1.754, 1.812, 1.960`."""
    numbers = ", ".join(map(str, own.numbers))
    levels = ", ".join(number(float(arm.mean())) for arm in own.adopters)
    return f"{own.measure} of {numbers} adopters {levels}"


def _bound(own: Adoption) -> str:
    bound = LEAST_SHARE * abs(own.full)
    return number(bound) if isfinite(bound) else "an unknown slope"
