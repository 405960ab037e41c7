"""Screens of bids: figures that are unusual where bids are arranged. A reason to look, no finding.

Lowest bid wins. A tender's bids b_(1) <= ... <= b_(n) are a row of a matrix `[T, n]`, tenders with
the same n together. Every figure is a share (of a bid, or of a probability): it has no unit, and
multiplying all bids of a tender by one number changes nothing.

| figure | formula | needs | arranged bids make it |
|---|---|---|---|
| cv | sd (ddof 1) / mean | n >= 2 | low |
| gap | (b_(2) - b_(1)) / b_(1) | n >= 2 | high (cover bids keep away) |
| relative_distance | (b_(2) - b_(1)) / sd (ddof 1) of the losing bids | n >= 4 | above 1 |
| skewness | n / ((n-1)(n-2)) sum ((b - mean) / sd)^3 | n >= 3 | negative |
| spread | (b_(n) - b_(1)) / b_(1) | n >= 2 | low |
| uniformity | Kolmogorov-Smirnov distance of (b - b_(1)) / (b_(n) - b_(1)), inner bids only, to
the uniform law | n >= 4 | high |

Sources. cv, gap, relative distance, skewness, spread, Kolmogorov-Smirnov: Imhof, "Detecting
bid-rigging cartels with descriptive statistics", JCLE 15(4), 2019; Huber, Imhof, "Machine learning
with screens for detecting bid-rigging cartels", IJIO 65, 2019 (there the last one is taken over all
bids; given the range, only the inner ones of uniform bids are uniform on it). Screens of shares of
bids (D and the hole): `tacit.emergence.screens.win_shares`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from tacit.envs.types import Floats, Ints

from .tenders import BidsBySize, PositionsBySize, positions_by_size

PART = 10_000  # windows whose median is taken at once


@dataclass(frozen=True)
class Screen:
    """One figure per tender.

    Attributes:
        name: as in tables and JSON.
        needs: the least number of bids in a tender.
        suspicious: 'low' or 'high': where arranged bids lie.
        compute: bids float64 `[T, n]`, each row ascending, n >= needs -> values float64 `[T]`; NaN:
            not defined.
        possible: the lowest and the highest value of n bids above 0, by n.
    """

    name: str
    needs: int
    suspicious: str
    compute: Callable[[Floats], Floats]
    possible: Callable[[int], tuple[float, float]]


def cv(bids: Floats) -> Floats:
    """Coefficient of variation float64 `[T]` of `bids` `[T, n]`."""
    found: Floats = _standard_deviation(bids) / bids.mean(axis=1)
    return found


def gap(bids: Floats) -> Floats:
    """How far the second of `bids` `[T, n]` lies above the winning one, as a share of it: `[T]`."""
    found: Floats = bids[:, 1] / bids[:, 0] - 1.0
    return found


def relative_distance(bids: Floats) -> Floats:
    """The gap below the losing ones of `bids` `[T, n]`, in standard deviations of these: `[T]`."""
    return (bids[:, 1] - bids[:, 0]) / _positive(_standard_deviation(bids[:, 1:]))


def skewness(bids: Floats) -> Floats:
    """Skewness `[T]` of `bids` `[T, n]`, adjusted for n: negative where one lies far below."""
    n = bids.shape[1]
    deviation = bids - bids.mean(axis=1, keepdims=True)
    standardised = deviation / _positive(_standard_deviation(bids))[:, None]
    cubes = standardised * standardised * standardised  # a power would take several times as long
    found: Floats = n / ((n - 1) * (n - 2)) * cubes.sum(axis=1)
    return found


def spread(bids: Floats) -> Floats:
    """The range of `bids` `[T, n]` as a share of the winning one: `[T]`."""
    found: Floats = bids[:, -1] / bids[:, 0] - 1.0
    return found


def uniformity(bids: Floats) -> Floats:
    """Largest distance `[T]` between the distribution of the inner ones of `bids` `[T, n]` on their
    range and the uniform one."""
    count = bids.shape[1] - 2
    width = _positive(bids[:, -1] - bids[:, 0])[:, None]
    x = (bids[:, 1:-1] - bids[:, :1]) / width
    above = np.arange(1, count + 1) / count - x
    below = x - np.arange(count) / count
    distance: Floats = np.maximum(above, below).max(axis=1)
    return distance


def _at_least_zero(n: int) -> tuple[float, float]:
    return 0.0, inf


# One bid far above n - 1 equal ones has cv = skewness = sqrt(n); one far below, skewness -sqrt(n).
SCREENS = (
    Screen("cv", 2, "low", cv, lambda n: (0.0, sqrt(n))),
    Screen("gap", 2, "high", gap, _at_least_zero),
    Screen("relative_distance", 4, "high", relative_distance, _at_least_zero),
    Screen("skewness", 3, "low", skewness, lambda n: (-sqrt(n), sqrt(n))),
    Screen("spread", 2, "low", spread, _at_least_zero),
    Screen("uniformity", 4, "high", uniformity, lambda n: (0.0, 1.0)),
)


def _standard_deviation(bids: Floats) -> Floats:
    """Standard deviation `[T]`, exactly 0 where all bids are equal (rounding would leave 1e-17)."""
    return np.where(bids[:, -1] > bids[:, 0], bids.std(axis=1, ddof=1), 0.0)


def _positive(divisor: Floats) -> Floats:
    """The divisor where it is positive, else NaN."""
    return np.where(divisor > 0.0, divisor, np.nan)


def per_tender(tenders: BidsBySize, screen: Screen) -> Floats:
    """A screen's defined values over all tenders with enough bids, float64 `[.]`."""
    found = [screen.compute(bids) for n, bids in sorted(tenders.items()) if n >= screen.needs]
    values = np.concatenate(found) if found else np.empty(0)
    return values[np.isfinite(values)]


def medians(tenders: BidsBySize) -> Mapping[str, float]:
    """Median over tenders of every screen, by the screen's name.

    `tenders`: bids float64 `[T, n]` by n. NaN where no tender has enough bids.
    """
    found = {screen.name: per_tender(tenders, screen) for screen in SCREENS}
    return {name: float(np.median(x)) if len(x) else float("nan") for name, x in found.items()}


def rolling_cv(
    tender: Ints, bid: Floats, window: int, rows: PositionsBySize | None = None
) -> tuple[Ints, Floats]:
    """Median coefficient of variation over windows of tenders, in order of tenders' numbers.

    Args:
        tender: the number of each bid's tender, int64 `[B]`; numbers follow time.
        bid: the bids, float64 `[B]`.
        window: tenders in a window.
        rows: `positions_by_size(tender, bid)`, where the caller has them.

    Returns:
        The number of each window's last tender int64 `[.]`, and the medians float64 `[.]`; empty if
        there are fewer tenders than a window holds.
    """
    rows = rows or positions_by_size(tender, bid)
    which = np.concatenate([np.empty(0, np.int64), *(tender[r[:, 0]] for r in rows.values())])
    if len(which) < window:
        return np.empty(0, np.int64), np.empty(0)
    order = np.argsort(which, kind="stable")
    values = np.concatenate([cv(bid[r]) for r in rows.values()])[order]
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    # In parts, as a median copies its windows: all at once they would take `window` times the file.
    parts = [np.median(views[k : k + PART], axis=1) for k in range(0, len(views), PART)]
    return which[order][window - 1 :], np.concatenate(parts)
