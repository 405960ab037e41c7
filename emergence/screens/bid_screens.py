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
| D(rho) | P(b (1 + rho) < best other bid), a tie counts half; over bids, not tenders | n >= 2 | |
| hole | density of margins (best other bid / b - 1) within .002 of 0, over that between .002 and
.006 | n >= 2 | below 1 |

Sources. cv, gap, relative distance, skewness, spread, Kolmogorov-Smirnov: Imhof, "Detecting
bid-rigging cartels with descriptive statistics", JCLE 15(4), 2019; Huber, Imhof, "Machine learning
with screens for detecting bid-rigging cartels", IJIO 65, 2019 (there the last one is taken over all
bids; given the range, only the inner ones of uniform bids are uniform on it). D(rho) and the bids
missing at zero margin: Chassang, Kawai, Nakabayashi, Ortner, "Robust screens for noncompetitive
bidding in procurement auctions", Econometrica 90(1), 2022; the width .002 is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.envs import rng

Array = NDArray[np.float64]
Strata = dict[int, Array]  # number of bids n -> bids [T, n], each row ascending

BOOTSTRAP, DEAL = range(2)  # keys of the two kinds of draws
HOLE = 0.002  # half the width of what counts as zero margin
SPREAD_OUT = 3.0  # 90 % over 10 % quantile of tenders' mean bids beyond which scales differ


def by_size(tender: NDArray[np.int64], bid: Array) -> dict[int, NDArray[np.int64]]:
    """Number of bids n >= 2 -> positions `[T, n]` of each tender's bids, ascending by bid.

    `tender` `[B]` numbers the tenders; of equal bids the first stays first."""
    order = np.lexsort((bid, tender))
    sizes = np.bincount(tender)[tender[order]]
    return {int(n): order[sizes == n].reshape(-1, int(n)) for n in np.unique(sizes[sizes > 1])}


def grouped(tender: NDArray[np.int64], bid: Array) -> Strata:
    """Bids `[B]` with their tender's number `[B]` as strata."""
    return {n: bid[rows] for n, rows in by_size(tender, bid).items()}


@dataclass(frozen=True)
class Screen:
    """One figure per tender: `of` maps bids `[T, n]`, n >= needs, to `[T]`; NaN: not defined."""

    name: str
    needs: int
    suspicious: str
    of: Callable[[Array], Array]


def cv(bids: Array) -> Array:
    """Coefficient of variation."""
    found: Array = _sd(bids) / bids.mean(axis=1)
    return found


def gap(bids: Array) -> Array:
    """How far the second bid lies above the winning one, as a share of the latter."""
    found: Array = bids[:, 1] / bids[:, 0] - 1.0
    return found


def relative_distance(bids: Array) -> Array:
    """The gap below the losing bids, in standard deviations of these."""
    return (bids[:, 1] - bids[:, 0]) / _positive(_sd(bids[:, 1:]))


def skewness(bids: Array) -> Array:
    """Adjusted for n: negative where one bid lies far below the others."""
    n = bids.shape[1]
    away = (bids - bids.mean(axis=1, keepdims=True)) / _positive(_sd(bids))[:, None]
    found: Array = n / ((n - 1) * (n - 2)) * (away**3).sum(axis=1)
    return found


def spread(bids: Array) -> Array:
    """The range as a share of the winning bid."""
    found: Array = bids[:, -1] / bids[:, 0] - 1.0
    return found


def uniformity(bids: Array) -> Array:
    """Largest distance between the inner bids' distribution on the range and the uniform one."""
    count = bids.shape[1] - 2
    width = _positive(bids[:, -1] - bids[:, 0])[:, None]
    x = (bids[:, 1:-1] - bids[:, :1]) / width
    above = np.arange(1, count + 1) / count - x
    below = x - np.arange(count) / count
    distance: Array = np.maximum(above, below).max(axis=1)
    return distance


SCREENS = (
    Screen("cv", 2, "low", cv),
    Screen("gap", 2, "high", gap),
    Screen("relative_distance", 4, "high", relative_distance),
    Screen("skewness", 3, "low", skewness),
    Screen("spread", 2, "low", spread),
    Screen("uniformity", 4, "high", uniformity),
)


def _sd(bids: Array) -> Array:
    """Standard deviation `[T]`, exactly 0 where all bids are equal."""
    return np.where(bids[:, -1] > bids[:, 0], bids.std(axis=1, ddof=1), 0.0)


def _positive(divisor: Array) -> Array:
    return np.where(divisor > 0.0, divisor, np.nan)


def per_tender(strata: Strata, screen: Screen) -> Array:
    """A screen's defined values over all tenders with enough bids."""
    found = [screen.of(bids) for n, bids in sorted(strata.items()) if n >= screen.needs]
    values = np.concatenate(found) if found else np.empty(0)
    return values[np.isfinite(values)]


def margins(bids: Array) -> Array:
    """What each bid could have been raised by before it lost, as a share of it `[T, n]`; negative:
    what it would have had to give way to win."""
    return _rivals(bids) / bids - 1.0


def _rivals(bids: Array) -> Array:
    """The best other bid of every bid `[T, n]`."""
    others = np.repeat(bids[:, :1], bids.shape[1], axis=1)
    others[:, 0] = bids[:, 1]
    return others


def wins(bids: Array, rho: float) -> Array:
    """How many bids of a tender would win alone if multiplied by 1 + rho `[T]`; a tie is half."""
    raised, others = bids * (1.0 + rho), _rivals(bids)
    count: Array = (raised < others).sum(axis=1) + 0.5 * (raised == others).sum(axis=1)
    return count


def shares(strata: Strata, rhos: Sequence[float]) -> tuple[list[str], Array, Array]:
    """Figures that are quotients of sums over tenders: D(rho) for every rho, and the hole.

    Returns: their names; numerators and denominators per tender, `[T, figures]` each.
    """
    above, below = [], []
    for n, bids in sorted(strata.items()):
        distance = np.abs(margins(bids))
        inside = (distance <= HOLE).sum(axis=1)
        beside = ((distance > HOLE) & (distance <= 3.0 * HOLE)).sum(axis=1)
        above.append(np.stack([*(wins(bids, rho) for rho in rhos), inside], axis=1))
        whole = np.full(len(bids), float(n))
        below.append(np.stack([*(whole for _ in rhos), beside / 2.0], axis=1))
    names = [*(d_name(rho) for rho in rhos), "hole"]
    return names, np.concatenate(above), np.concatenate(below)


def d_name(rho: float) -> str:
    """`D(-0.05)`"""
    return f"D({rho:g})"


def quotient(above: Array, below: Array) -> Array:
    """Sums over tenders `[..., T, figures]` divided; NaN where there is nothing to divide by."""
    total = below.sum(axis=-2)
    found: Array = np.divide(
        above.sum(axis=-2), total, out=np.full(total.shape, np.nan), where=total > 0
    )
    return found


def bootstrap(above: Array, below: Array, resamples: int) -> Array:
    """Quotients of so many resamples of tenders, drawn with replacement `[resamples, figures]`."""
    tenders = len(above)
    found = np.empty((resamples, above.shape[1]))
    for k in range(resamples):
        drawn = (_draws(BOOTSTRAP, k, 0, tenders) * tenders).astype(np.int64)
        count = np.bincount(drawn, minlength=tenders).astype(float)
        found[k] = quotient((count @ above)[None], (count @ below)[None])
    return found


def _draws(kind: int, number: int, part: int, count: int) -> Array:
    """Uniform draws `[count]` that depend on nothing but these numbers."""
    key = rng.seed_key(0, rng.PROBE)
    for n in (kind, number, part):
        key = np.uint64(rng.fold(key, n))
    return rng.draws(key, count)


# --- the competitive control ----------------------------------------------------------------------


def comparable(strata: Strata) -> bool:
    """Whether bids of different tenders are on one scale, as shares of a reserve are."""
    means = np.concatenate([bids.mean(axis=1) for bids in strata.values()])
    low, high = np.quantile(means, [0.1, 0.9])
    return bool(high <= SPREAD_OUT * low)


def on_one_scale(strata: Strata) -> Strata:
    """Bids relative to their tender's mean, deviations stretched by sqrt(n/(n-1)): bids dealt out
    from these vary within a tender as much as the given ones do."""
    found = {}
    for n, bids in strata.items():
        relative = bids / bids.mean(axis=1, keepdims=True)
        found[n] = 1.0 + (relative - 1.0) * np.sqrt(n / (n - 1))
    return found


def dealt(strata: Strata, deal: int) -> Strata:
    """The same bids dealt out anew among the tenders with the same number of them: bidders who know
    nothing of each other. `deal` numbers the draw."""
    found = {}
    for n, bids in strata.items():
        order = np.argsort(_draws(DEAL, deal, n, bids.size), kind="stable")
        found[n] = np.sort(bids.ravel()[order].reshape(bids.shape), axis=1)
    return found


def medians(strata: Strata) -> Mapping[str, float]:
    """Median over tenders of every screen; NaN where no tender has enough bids."""
    found = {screen.name: per_tender(strata, screen) for screen in SCREENS}
    return {name: float(np.median(x)) if len(x) else float("nan") for name, x in found.items()}
