"""Intervals: t over seeds for means, Wilson for shares, paired differences for shared seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

LEVEL = 0.95
SHARES = ("converged", "best_responses", "one_shot_stable")  # 0 or 1 in every seed


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval over n seeds; with one seed the interval is unknown (NaN)."""

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
    """`[low, high]`; one seed has none."""
    return f"[{number(e.low)}, {number(e.high)}]" if e.n > 1 else "one seed"


def student(values: Sequence[float]) -> Estimate:
    """Mean and t interval."""
    x = np.asarray(values, float)
    n, mean = len(x), float(x.mean())
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    from scipy.stats import t  # slow to import, and not every command needs it

    half = float(t.ppf(0.5 + LEVEL / 2, n - 1)) * float(x.std(ddof=1)) / sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


def wilson(successes: int, n: int) -> Estimate:
    """A share and its Wilson score interval (Wilson, JASA 22, 1927)."""
    z = 1.959963984540054
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # (rounding may not push an end past the share itself, at 0 or 1)
    return Estimate(
        share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)), n
    )


def paired(values: Sequence[float], reference: Sequence[float]) -> Estimate:
    """Mean difference over seeds that both have, in order."""
    n = min(len(values), len(reference))
    return student([a - b for a, b in zip(values[:n], reference[:n], strict=True)])


def estimate(name: str, values: Sequence[float]) -> Estimate:
    """The interval that fits a summary measure: shares of runs are Wilson's, the rest t."""
    if name in SHARES or name.startswith("cycle_"):
        return wilson(int(sum(values)), len(values))
    return student(values)


def median(values: Sequence[float]) -> Estimate:
    """Median and the order statistics that hold it with at least 95 % (binomial, exact)."""
    from scipy.stats import binom

    x = np.sort(np.asarray(values, float))
    n = len(x)
    k = int(binom.ppf((1 - LEVEL) / 2, n, 0.5))  # P(fewer than k below the median) < 2.5 %
    ends = (float(x[k - 1]), float(x[n - k])) if k >= 1 else (float("nan"), float("nan"))
    return Estimate(float(np.median(x)), *ends, n)
