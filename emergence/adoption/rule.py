"""The words for adoption: the rule for one series of arms.

b is the slope of adopters' conduct on their number with its 95 % t interval, towards what rivals
would choose together (prices: upwards); p its p value against drawn independent adoption
(`slope.py`). `full` = (collusive - competitive) / (seats - 1) is the slope on a straight line from
one adopter that competes to all seats that act as one firm. A slope counts as a rise from
`LEAST_SHARE` = .1 of it on.

1. p <= .05 and the whole interval lies above .1 full: `coordinated adoption`.
2. p > .05, the whole interval lies below .1 full, and not the whole interval below -.1 full:
   `independent adoption`.
3. else: `undecided`. A slope whose interval reaches across the bound may be either; a fall by more
   than the bound is what neither kind of adoption implies.

`independent adoption` asks that a rise be excluded, not only that none be shown: a few noisy
repetitions give `undecided`. `coordinated adoption` asks for two things, since they answer two
questions: p says whether independent learners differ as much by luck, the interval whether this
series may have a smaller slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from tacit.emergence.evidence import UNDECIDED
from tacit.emergence.stats import Estimate, interval, number

COORDINATED, INDEPENDENT = "coordinated adoption", "independent adoption"
WORDS = (UNDECIDED, INDEPENDENT, COORDINATED)

LEAST_SHARE = 0.1  # of the full slope: from there on a slope counts as a rise
LEVEL = 0.05  # of p


@dataclass(frozen=True)
class JudgedAdoption:
    """The word for one series.

    Attributes:
        word: one of `WORDS`.
        reason: what decided, or why nothing could be.
    """

    word: str
    reason: str


def judge(slope: Estimate, p: float, full: float) -> JudgedAdoption:
    """The word for a series.

    Args:
        slope: mean and interval over repetitions, in the measure's unit an adopter, upwards being
            towards what rivals would choose together.
        p: one-sided, against independent adoption.
        full: the slope from competition to one firm, above 0; NaN: not known.
    """
    if not (isfinite(full) and isfinite(slope.low)):
        return JudgedAdoption(UNDECIDED, "no interval, or no benchmarks to measure a rise by")
    bound = LEAST_SHARE * full
    told = f"slope {number(slope.mean)} {interval(slope)}, p {p_text(p)}"
    if p <= LEVEL and slope.low > bound:
        return JudgedAdoption(COORDINATED, f"{told}: a rise of more than {number(bound)}")
    if slope.high < -bound:
        return JudgedAdoption(UNDECIDED, f"{told}: a fall, which neither kind of adoption implies")
    if p > LEVEL and slope.high < bound:
        return JudgedAdoption(INDEPENDENT, f"{told}: no rise of {number(bound)}")
    return JudgedAdoption(UNDECIDED, f"{told}: a rise of {number(bound)} is neither shown nor not")


def p_text(p: float) -> str:
    """`.0001`, `.35`."""
    return f"{p:.4f}".rstrip("0").rstrip(".").replace("0.", ".", 1)
