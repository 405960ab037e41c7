"""Shares of bids that win, or would win at another price: screens over bids, not over tenders.

| figure | formula | arranged bids make it |
|---|---|---|
| D(rho) | P(b (1 + rho) < best other bid), a tie counts half | |
| hole | density of margins m within .002 of 0, over that between .002 and .006 | below 1 |

m = best other bid / b - 1.

Both are quotients of sums over tenders. Lowest bid wins.

Source: D(rho) and the bids missing at zero margin: Chassang, Kawai, Nakabayashi, Ortner, "Robust
screens for noncompetitive bidding in procurement auctions", Econometrica 90(1), 2022; the width
.002 is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.envs.types import Floats

from .screen_draws import BOOTSTRAP, uniform_draws
from .tenders import BidsBySize

HOLE = 0.002  # half the width of what counts as zero margin


def margins(bids: Floats) -> Floats:
    """By how much each bid could have been raised before it lost, as a share of it.

    Args:
        bids: float64 `[T, n]`, each row ascending.

    Returns:
        Float64 `[T, n]`; negative: by how much it would have had to be lowered to win.
    """
    return _best_other(bids) / bids - 1.0


def _best_other(bids: Floats) -> Floats:
    """The lowest other bid of every bid, float64 `[T, n]`."""
    others = np.repeat(bids[:, :1], bids.shape[1], axis=1)
    others[:, 0] = bids[:, 1]
    return others


def wins(bids: Floats, rho: float) -> Floats:
    """How many bids of each tender would win alone if multiplied by 1 + rho; a tie counts half.

    Args:
        bids: float64 `[T, n]`, each row ascending.
        rho: the change, as a share of the bid.

    Returns:
        Float64 `[T]`.
    """
    changed, others = bids * (1.0 + rho), _best_other(bids)
    count: Floats = (changed < others).sum(axis=1) + 0.5 * (changed == others).sum(axis=1)
    return count


def win_shares(tenders: BidsBySize, rhos: Sequence[float]) -> tuple[list[str], Floats, Floats]:
    """Figures that are quotients of sums over tenders: D(rho) for every rho, and the hole.

    Returns:
        Their names; numerators and denominators per tender, float64 `[T, figures]` each.
    """
    above, below = [], []
    for n, bids in sorted(tenders.items()):
        distance = np.abs(margins(bids))
        inside = (distance <= HOLE).sum(axis=1)
        beside = ((distance > HOLE) & (distance <= 3.0 * HOLE)).sum(axis=1)
        above.append(np.stack([*(wins(bids, rho) for rho in rhos), inside], axis=1))
        whole = np.full(len(bids), float(n))
        # The outer band is twice as wide as the inner one: densities are compared.
        below.append(np.stack([*(whole for _ in rhos), beside / 2.0], axis=1))
    names = [*(d_name(rho) for rho in rhos), "hole"]
    return names, np.concatenate(above), np.concatenate(below)


def d_name(rho: float) -> str:
    """`D(-0.05)`"""
    return f"D({rho:g})"


def quotient(above: Floats, below: Floats) -> Floats:
    """Quotients of sums over tenders; NaN where the denominator is 0.

    Args:
        above: numerators per tender, float64 `[..., T, figures]`.
        below: denominators per tender, float64 `[..., T, figures]`.

    Returns:
        Float64 `[..., figures]`.
    """
    total = below.sum(axis=-2)
    found: Floats = np.divide(
        above.sum(axis=-2), total, out=np.full(total.shape, np.nan), where=total > 0
    )
    return found


def bootstrap(above: Floats, below: Floats, resamples: int) -> Floats:
    """Quotients of resamples of whole tenders, drawn with replacement.

    Args:
        above: numerators per tender, float64 `[T, figures]`.
        below: denominators per tender, float64 `[T, figures]`.
        resamples: how many.

    Returns:
        Float64 `[resamples, figures]`.
    """
    tenders = len(above)
    found = np.empty((resamples, above.shape[1]))
    for k in range(resamples):
        drawn = (uniform_draws(tenders, BOOTSTRAP, k, 0) * tenders).astype(np.int64)
        count = np.bincount(drawn, minlength=tenders).astype(float)
        found[k] = quotient((count @ above)[None], (count @ below)[None])
    return found
