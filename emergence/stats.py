"""Intervals at 95 %: Student's t over seeds for means, Wilson for shares, paired differences.

Quantiles come from `student_quantiles.py` or scipy.special, imported where it is used: scipy.stats
has the same numbers, but takes half a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from tacit.envs.types import Bools, Floats

from .student_quantiles import LEVEL, student_quantile

NORMAL_QUANTILE = 1.959963984540054  # of (1 + LEVEL) / 2
# Summary measures that are 0 or 1 in every seed, so that their mean over seeds is a share.
SHARES = ("converged", "best_responses", "one_shot_stable", "nearer_collusive")
SHARE_PREFIXES = ("cycle_", "both/")


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval.

    Attributes:
        mean: the mean, share or median, in the unit of what was measured.
        low: the lower end of the interval; NaN where there is none (one seed).
        high: the upper end.
        n: the number of seeds (or tenders) behind it.
    """

    mean: float
    low: float
    high: float
    n: int

    def plain(self) -> dict[str, object]:
        """As in summary.json, an unknown end as null."""
        ends = [x if isfinite(x) else None for x in (self.low, self.high)]
        return {"mean": self.mean, "ci95": ends, "n": self.n}


def number(x: float) -> str:
    """Three decimals without a leading zero: .950, -.470."""
    text = f"{x:.3f}".replace("-0.000", "0.000")
    return text.replace("0.", ".", 1) if abs(x) < 1 else text


def interval(e: Estimate) -> str:
    """`[low, high]`, or `one seed`, which has no interval."""
    return f"[{number(e.low)}, {number(e.high)}]" if e.n > 1 else "one seed"


def mean_or_nan(values: Floats | Bools) -> float:
    """The mean of an array `[.]`; NaN of an empty one."""
    return float(values.mean()) if values.size else float("nan")


def student(values: Sequence[float]) -> Estimate:
    """Mean and Student's t interval of one value per seed."""
    x = np.asarray(values, float)
    n, mean = len(x), float(x.mean())
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    half = student_quantile(n) * float(x.std(ddof=1)) / sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


def wilson(successes: int, n: int) -> Estimate:
    """A share and its Wilson score interval (Wilson, JASA 22, 1927)."""
    z = NORMAL_QUANTILE
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At shares of 0 and 1 one end equals the share; rounding must not push it beyond.
    return Estimate(
        share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)), n
    )


def paired(values: Sequence[float], reference: Sequence[float]) -> Estimate:
    """Mean difference `values - reference` with its t interval, seed by seed.

    The longer of the two is cut to the length of the shorter one.
    """
    n = min(len(values), len(reference))
    return student([a - b for a, b in zip(values[:n], reference[:n], strict=True)])


def estimate(name: str, values: Sequence[float]) -> Estimate:
    """The interval that fits a summary measure: Wilson's for shares of runs, else Student's t.

    A market may call a measure of its own like one of these: it is a share only if every value is
    0 or 1.
    """
    is_share = name in SHARES or name.startswith(SHARE_PREFIXES)
    if is_share and all(x in (0.0, 1.0) for x in values):
        return wilson(int(sum(values)), len(values))
    return student(values)


def median(values: Sequence[float]) -> Estimate:
    """Median with the order statistics that hold it with at least 95 % (binomial, exact)."""
    x = np.sort(np.asarray(values, float))
    n = len(x)
    # The k-th smallest value is the lower end: P(fewer than k values lie below the median) < 2.5 %.
    k = _binomial_quantile((1 - LEVEL) / 2, n)
    ends = (float(x[k - 1]), float(x[n - k])) if k >= 1 else (float("nan"), float("nan"))
    return Estimate(float(np.median(x)), *ends, n)


def _binomial_quantile(p: float, n: int) -> int:
    """The least k at which a binomial of n fair draws has P(X <= k) >= p."""
    from scipy.special import bdtr, bdtrik

    # The inverse is a real number, so rounding may leave it one beside the quantile.
    k = max(0, round(float(bdtrik(p, n, 0.5))) - 1)
    while bdtr(k, n, 0.5) < p:
        k += 1
    return k
