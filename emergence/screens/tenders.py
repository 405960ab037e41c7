"""Bids grouped by tender, and tenders by their number of bids."""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats, Ints

# Number of bids n -> the bids of all T tenders with n bids, float64 [T, n], each row ascending.
BidsBySize = dict[int, Floats]
# Number of bids n -> positions of the bids of all T tenders with n bids, int64 [T, n], ascending by
# bid.
PositionsBySize = dict[int, Ints]


def positions_by_size(tender: Ints, bid: Floats) -> PositionsBySize:
    """Positions of each tender's bids, ascending by bid; of equal bids the first stays first.

    Args:
        tender: the number of each bid's tender, int64 `[B]`.
        bid: the bids, float64 `[B]`.

    Returns:
        Number of bids n >= 2 -> positions int64 `[T, n]`.
    """
    order = np.lexsort((bid, tender))
    sizes = np.bincount(tender)[tender[order]]
    return {int(n): order[sizes == n].reshape(-1, int(n)) for n in np.unique(sizes[sizes > 1])}


def group_bids(tender: Ints, bid: Floats, rows: PositionsBySize | None = None) -> BidsBySize:
    """Bids by tender.

    Args:
        tender: the number of each bid's tender, int64 `[B]`.
        bid: the bids, float64 `[B]`.
        rows: `positions_by_size(tender, bid)`, where the caller has them.

    Returns:
        The tenders with two bids or more.
    """
    # Columns lie together in memory: sums and extremes over a tender's few bids are then taken
    # column by column, several times as fast.
    rows = rows or positions_by_size(tender, bid)
    return {n: np.asfortranarray(bid[own]) for n, own in rows.items()}
