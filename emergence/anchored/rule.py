"""The word for what became of an inherited rate: the rule for one rate of one arm.

b is the mean of a rate over seeds with its 95 % t interval, b0 the rate of the prior, b* that of
the equilibrium without anchors. `NEAR` = .02 is the distance within which two rates are one.

1. |b0 - b*| < 3 NEAR: `undecided`. The prior is the equilibrium, as far as can be told.
2. the whole interval lies within NEAR of b0: `inherited`.
3. the whole interval lies within NEAR of b*: `unlearned`.
4. the whole interval lies beyond b*, seen from b0, by more than NEAR: `overshoot`.
5. the whole interval lies above b0 by more than NEAR, and neither beyond b* nor within NEAR of it:
   `amplified`.
6. else: `undecided`.

The conditions exclude each other: 2 to 5 ask for the whole interval in regions of the line that
are disjoint, since NEAR around b0 and around b* do not touch by 1. With b0 < b* the regions from
left to right are: none, inherited, amplified, unlearned, overshoot. With b0 > b*: overshoot,
unlearned, none, inherited, amplified. So `amplified` says in either case that the rate is higher
than it was inherited and that this is not what equilibrium asks for in full. A rate on the way
down to a lower b* has no word of its own, nor has one that falls below b0 away from a higher b*:
`undecided`, and the reason says where it lies.

An interval that merely contains b0 is not enough for `inherited`: few seeds have wide intervals,
and many seeds have intervals so narrow that they contain nothing but their own mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit.emergence.evidence import UNDECIDED
from tacit.emergence.stats import Estimate, interval, number

NEAR = 0.02

INHERITED, AMPLIFIED = "inherited", "amplified"
UNLEARNED, OVERSHOOT = "unlearned", "overshoot"
WORDS = (UNDECIDED, UNLEARNED, INHERITED, AMPLIFIED, OVERSHOOT)


@dataclass(frozen=True)
class Judged:
    """The word for one rate.

    Attributes:
        word: one of `WORDS`.
        reason: what decided, or why nothing could be.
    """

    word: str
    reason: str


def judge(rate: Estimate, prior: float, equilibrium: float) -> Judged:
    """The word for a rate.

    Args:
        rate: mean and interval over seeds.
        prior: b0.
        equilibrium: b*.
    """
    where = f"{number(rate.mean)} {interval(rate)}"
    ends = f"prior {number(prior)}, equilibrium {number(equilibrium)}"
    if not abs(prior - equilibrium) >= 3 * NEAR:
        return Judged(UNDECIDED, f"{ends}: too near each other to be told apart")
    if _within(rate, prior):
        return Judged(INHERITED, f"{where} within {number(NEAR)} of the prior; {ends}")
    if _within(rate, equilibrium):
        return Judged(UNLEARNED, f"{where} within {number(NEAR)} of the equilibrium; {ends}")
    up = prior < equilibrium
    beyond = rate.low > equilibrium + NEAR if up else rate.high < equilibrium - NEAR
    if beyond:
        return Judged(OVERSHOOT, f"{where} beyond the equilibrium; {ends}")
    if rate.low > prior + NEAR and (not up or rate.high < equilibrium - NEAR):
        return Judged(AMPLIFIED, f"{where} above the prior, not at the equilibrium; {ends}")
    return Judged(UNDECIDED, f"{where} lies in no region of a word; {ends}")


def _within(rate: Estimate, of: float) -> bool:
    return of - NEAR <= rate.low and rate.high <= of + NEAR
