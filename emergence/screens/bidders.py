"""Who wins after whom, who always stays above whom: screens that need the bidders' names.

Rotation. Winners in order of time, w_1, w_2, ...: mutual information of successive winners,

    sum_ij p_ij ln[p_ij / (p_i p_j)]   (nats; p_ij the share of steps from winner i to winner j),

that is, the transition matrix against independence, and the share of repeats, P(w_t+1 = w_t).
Control: the same winners in shuffled order. A ring that takes turns has more information and fewer
repeats; so do firms that are short of capacity after a win.

Cover bids. For every two bidders that met in MEETS tenders or more (ties left out): how often the
same one stayed below the other, against a fair coin (exact binomial, two-sided, times the number of
pairs: Bonferroni). A firm that is always dearer looks like this as well.

Rolling: the median coefficient of variation over windows of tenders in order of time.

Sources: rotation and its explanation by capacity: Zona, Porter, "Detection of bid rigging in
procurement auctions", JPE 101(3), 1993; pairs: Imhof, Karagoek, Rutz, "Screening for bid rigging:
does it work?", JCLE 14(2), 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.envs import rng

from .bid_screens import Array, by_size, cv

Ints = NDArray[np.int64]

MEETS = 10  # tenders in which two bidders must have met
LARGEST = 100  # bids of a tender beyond which its pairs are not looked at
SHUFFLES, WORK = 200, 2_000_000  # at most so many shuffles; winners drawn in all
FEWEST = 20  # shuffles in any case
SHUFFLE = 2  # key of draws, beside those of `screens`


@dataclass(frozen=True)
class Pair:
    """Two bidders: `below` bid less than `above` in `wins` of the tenders where they `met`."""

    below: int
    above: int
    met: int
    wins: int
    margin: float  # median of (bid of above - bid of below) / bid of below over those wins
    p: float  # Bonferroni


@dataclass(frozen=True)
class Rotation:
    """(value, mean, 2.5 % and 97.5 % quantile of shuffles) of both figures over `steps`."""

    information: tuple[float, float, float, float]
    repeats: tuple[float, float, float, float]
    steps: int


def winners(tender: Ints, bid: Array, bidder: Ints) -> Ints:
    """The lowest bidder of each tender, in order of tenders' numbers; ties at the bottom and
    tenders with one bid are left out."""
    rows = by_size(tender, bid).values()
    lowest = [r[bid[r[:, 0]] < bid[r[:, 1]], 0] for r in rows]
    first = np.concatenate([np.empty(0, np.int64), *lowest])
    found: Ints = bidder[first[np.argsort(tender[first], kind="stable")]]
    return found


def information(sequence: Ints) -> float:
    """Mutual information of successive entries, in nats."""
    steps = len(sequence) - 1
    count = int(sequence.max()) + 1
    _, both = np.unique(sequence[:-1] * count + sequence[1:], return_counts=True)
    before, after = (np.unique(x, return_counts=True)[1] for x in (sequence[:-1], sequence[1:]))
    return float(_plogp(both, steps) - _plogp(before, steps) - _plogp(after, steps))


def _plogp(count: Ints, total: int) -> float:
    p = count / total
    return float((p * np.log(p)).sum())


def rotation(sequence: Ints) -> Rotation | None:
    """Both figures of a sequence of winners beside its shuffles; None below MEETS steps."""
    steps = len(sequence) - 1
    if steps < MEETS:
        return None
    shuffled = []
    for k in range(min(SHUFFLES, max(FEWEST, WORK // steps))):
        key = rng.fold(np.uint64(rng.fold(rng.seed_key(0, rng.PROBE), SHUFFLE)), k)
        order = np.argsort(rng.draws(key, len(sequence)), kind="stable")
        shuffled.append((information(sequence[order]), _repeats(sequence[order])))
    low, high = np.quantile(shuffled, [0.025, 0.975], axis=0)
    mean = np.mean(shuffled, axis=0)
    own = (information(sequence), _repeats(sequence))
    first, second = ((own[k], float(mean[k]), float(low[k]), float(high[k])) for k in range(2))
    return Rotation(first, second, steps)


def _repeats(sequence: Ints) -> float:
    return float((sequence[1:] == sequence[:-1]).mean())


def pairs(tender: Ints, bid: Array, bidder: Ints) -> list[Pair]:
    """Every two bidders that met often enough, the most one-sided first."""
    below, above, margin = _meetings(tender, bid, bidder)
    names = int(bidder.max(initial=0)) + 1
    low, high = np.minimum(below, above), np.maximum(below, above)
    order = np.argsort(low * names + high, kind="stable")
    key = (low * names + high)[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, int)
    ends = np.r_[starts[1:], len(key)]
    often = ends - starts >= MEETS
    found = []
    for start, end in zip(starts[often], ends[often], strict=True):
        rows = order[start:end]
        found.append(_pair(below[rows], above[rows], margin[rows], int(often.sum())))
    return sorted(found, key=lambda pair: (pair.p, -pair.met, pair.below, pair.above))


def _meetings(tender: Ints, bid: Array, bidder: Ints) -> tuple[Ints, Ints, Array]:
    """Who was below whom, and by how much, in every tender and for every two of its bids."""
    below, above, margin = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for n, rows in by_size(tender, bid).items():
        bids, names = bid[rows], bidder[rows]
        for i in range(n if n <= LARGEST else 0):
            for j in range(i + 1, n):
                told = (bids[:, i] < bids[:, j]) & (names[:, i] != names[:, j])
                below.append(names[told, i])
                above.append(names[told, j])
                margin.append((bids[:, j] / bids[:, i] - 1.0)[told])
    return np.concatenate(below), np.concatenate(above), np.concatenate(margin)


def _pair(below: Ints, above: Ints, margin: Array, tested: int) -> Pair:
    from scipy.stats import binom  # slow to import

    met, first = len(below), int(below[0])
    wins = int((below == first).sum())
    cheaper, dearer = first, int(above[0])
    if 2 * wins < met:
        cheaper, dearer, wins = dearer, cheaper, met - wins
    p = min(1.0, 2.0 * float(binom.sf(wins - 1, met, 0.5)) * tested)
    own = margin[below == cheaper]
    return Pair(cheaper, dearer, met, wins, float(np.median(own)), p)


def rolling(tender: Ints, bid: Array, window: int) -> tuple[Ints, Array]:
    """Median coefficient of variation over windows of tenders, in order of tenders' numbers.

    Returns: the number of each window's last tender, and the medians; empty if there are too few.
    """
    rows = by_size(tender, bid)
    which = np.concatenate([np.empty(0, np.int64), *(tender[r[:, 0]] for r in rows.values())])
    if len(which) < window:
        return np.empty(0, np.int64), np.empty(0)
    order = np.argsort(which, kind="stable")
    values = np.concatenate([cv(bid[r]) for r in rows.values()])[order]
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    return which[order][window - 1 :], np.median(views, axis=1)
