"""Who always bids above whom: a screen that needs the bidders' names.

For every two bidders that met in 10 tenders or more (ties left out): how often the same one stayed
below the other, against a fair coin (exact binomial, two-sided, times the number of pairs:
Bonferroni). A firm that is always dearer looks like one that makes cover bids.

Source: pairs: Imhof, Karagoek, Rutz, "Screening for bid rigging: does it work?", JCLE 14(2), 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Floats, Ints

from .tenders import PositionsBySize, positions_by_size

LEAST_MEETINGS = 10  # tenders in which two bidders must have met
MOST_BIDS = 100  # of a tender; pairs of a larger one are not looked at


@dataclass(frozen=True)
class BidderPair:
    """Two bidders, the cheaper one first.

    Attributes:
        below: the number of the bidder that more often bid less.
        above: the number of the other one.
        met: tenders in which both bid, ties left out.
        wins: those in which `below` bid less.
        margin: median of (bid of above - bid of below) / bid of below over these.
        p: two-sided probability under a fair coin, times the number of pairs (at most 1).
    """

    below: int
    above: int
    met: int
    wins: int
    margin: float
    p: float


def bidder_pairs(
    tender: Ints, bid: Floats, bidder: Ints, rows: PositionsBySize | None = None
) -> list[BidderPair]:
    """Every two bidders that met often enough, the most one-sided first.

    Args:
        tender: the number of each bid's tender, int64 `[B]`.
        bid: the bids, float64 `[B]`.
        bidder: the number of each bid's bidder, int64 `[B]`.
        rows: `positions_by_size(tender, bid)`, where the caller has them.
    """
    below, above, margin = _meetings(bid, bidder, rows or positions_by_size(tender, bid))
    names = int(bidder.max(initial=0)) + 1
    low, high = np.minimum(below, above), np.maximum(below, above)
    order = np.argsort(low * names + high, kind="stable")
    key = (low * names + high)[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, int)
    ends = np.r_[starts[1:], len(key)]
    often = ends - starts >= LEAST_MEETINGS
    found = []
    for start, end in zip(starts[often], ends[often], strict=True):
        own = order[start:end]
        found.append(_pair(below[own], above[own], margin[own], int(often.sum())))
    return sorted(found, key=lambda pair: (pair.p, -pair.met, pair.below, pair.above))


def _meetings(
    bid: Floats, bidder: Ints, rows_by_size: PositionsBySize
) -> tuple[Ints, Ints, Floats]:
    """Of every tender and every two of its bids that differ: who was below int64 `[.]`, who was
    above int64 `[.]`, and by how much, as a share of the lower bid, float64 `[.]`."""
    below, above, margin = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for n, rows in rows_by_size.items():
        if n > MOST_BIDS:
            continue
        bids, names = bid[rows], bidder[rows]
        for i in range(n):
            for j in range(i + 1, n):
                differ = (bids[:, i] < bids[:, j]) & (names[:, i] != names[:, j])
                below.append(names[differ, i])
                above.append(names[differ, j])
                margin.append((bids[:, j] / bids[:, i] - 1.0)[differ])
    return np.concatenate(below), np.concatenate(above), np.concatenate(margin)


def _pair(below: Ints, above: Ints, margin: Floats, tested: int) -> BidderPair:
    """The meetings of two bidders; `tested`: the number of pairs."""
    from scipy.special import betainc  # slow to import

    met, first = len(below), int(below[0])
    wins = int((below == first).sum())
    cheaper, dearer = first, int(above[0])
    if 2 * wins < met:
        cheaper, dearer, wins = dearer, cheaper, met - wins
    # P(at least so many of fair draws), as an incomplete beta function.
    one_sided = float(betainc(wins, met - wins + 1, 0.5))
    p = min(1.0, 2.0 * one_sided * tested)
    own = margin[below == cheaper]
    return BidderPair(cheaper, dearer, met, wins, float(np.median(own)), p)
