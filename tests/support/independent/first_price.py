"""Symmetric equilibria of a first-price auction on a grid, enumerated: equally likely private
values, two or three bidders, a tie's winner sampled.

Let a bidder's quantile u in [0, 1] carry value number floor(L u), and let higher quantiles bid no
less. A strategy is then a list of (bid, quantile up to which it is bid). With G' and G the
quantiles below and up to a bid, it wins with W = mean over i of G^i G'^(n-1-i). Where a bid ends
inside a value's interval, that value is indifferent to the next bid used, which fixes W there and
so where the next bid ends. So only the first bid behind a boundary between two values is free, and
is fixed by the next boundary that is met: equilibria are chains of *segments* between boundaries,
each the root of one equation. A chain is an equilibrium if no value gains by any bid of the grid.

Searched: segments of at most six bids, at most one of them followed by an unused bid; at most two
unused bids between segments. Others may exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import brentq

Pieces = list[tuple[int, float]]  # (bid's index, quantile up to which it is bid), ascending
SLACK, STARTS = 1e-9, 60
GAPS = [seq for m in range(6) for seq in product((1, 2), repeat=m) if seq.count(2) <= 1]


@dataclass(frozen=True)
class Auction:
    """Values ascending and equally likely; bids ascending; two or three bidders."""

    values: np.ndarray
    bids: np.ndarray
    bidders: int

    def wins(self, below: float, upto: float) -> float:
        """Chance to win with a bid that rivals underbid with chance `below`, or meet at most with
        chance `upto`."""
        n = self.bidders
        return sum(upto**i * below ** (n - 1 - i) for i in range(n)) / n

    def upto(self, below: float, wins: float) -> float:
        """The inverse of `wins` in `upto` (2: beyond the last quantile); NaN if there is none."""
        if self.bidders == 2:
            root = 2 * wins - below
        else:
            root = (-below + np.sqrt(max(12 * wins - 3 * below**2, 0.0))) / 2
        if root > 1 + 1e-12:
            return 2.0
        return root if root >= below - 1e-15 else np.nan

    def segment(self, start: float, bid: int, end: float, gaps: tuple[int, ...]) -> Pieces | None:
        """Bids from quantile `start` on: the first ends at `end`, the others by indifference."""
        pieces, below = [(bid, end)], start
        for gap in gaps:
            value = self.values[min(int(end * len(self.values) + 1e-12), len(self.values) - 1)]
            following = bid + gap
            if following >= len(self.bids) or value <= self.bids[following]:
                return None
            wins = self.wins(below, end) * (value - self.bids[bid]) / (value - self.bids[following])
            below, end, bid = end, self.upto(end, wins), following
            if not np.isfinite(end):
                return None
            pieces.append((bid, end))
            if end > 1.5:
                break
        return pieces

    def gain(self, pieces: Pieces, upto: float, bids: int) -> float:
        """The most that a value below quantile `upto` gains by one of the first `bids` bids."""
        ends, below, most, rows = dict(pieces), 0.0, 0.0, []
        for k in range(bids):
            rows.append((below, ends.get(k, below)))
            below = rows[-1][1]
        wins = np.array([self.wins(*row) for row in rows])
        count = len(self.values)
        for v in range(round(upto * count)):
            payoffs = (self.values[v] - self.bids[:bids]) * wins
            for k, (low, high) in enumerate(rows):
                if min(high, (v + 1) / count) - max(low, v / count) > SLACK:
                    most = max(most, float(payoffs.max() - payoffs[k]))
        return most

    def revenue(self, pieces: Pieces) -> float:
        """Expected payment of the winner."""
        n, below, total = self.bidders, 0.0, 0.0
        for k, end in pieces:
            total += float(self.bids[k]) * (end**n - below**n)
            below = end
        return total


def segments(game: Auction, start: float, bid: int, goal: float) -> Iterator[Pieces]:
    """Segments from one boundary to another that begin with a bid."""
    yield [(bid, goal)]
    for gaps in GAPS[1:]:

        def miss(end: float, gaps: tuple[int, ...] = gaps) -> float:
            found = game.segment(start, bid, end, gaps)
            return found[-1][1] - goal if found else np.nan

        ends = np.linspace(start + 1e-6, goal - 1e-6, STARTS)
        misses = np.array([miss(end) for end in ends])
        for k in np.flatnonzero(misses[:-1] * misses[1:] < 0):
            try:
                root = brentq(miss, ends[k], ends[k + 1], xtol=1e-15)
            except ValueError:  # a jump to where there is no such segment, not a root
                continue
            found = game.segment(start, bid, root, gaps)
            if found and abs(found[-1][1] - goal) < SLACK:
                yield [*found[:-1], (found[-1][0], goal)]


def equilibria(game: Auction, pieces: Pieces | None = None) -> Iterator[Pieces]:
    """All chains that go on from these pieces."""
    pieces = pieces or []
    count = len(game.values)
    at = pieces[-1][1] if pieces else 0.0
    if at == 1.0:
        if game.gain(pieces, 1.0, len(game.bids)) < SLACK:
            yield pieces
        return
    first = pieces[-1][0] + 1 if pieces else 0
    last = min(first + 3 if pieces else 8, len(game.bids))
    for bid in range(first, last):
        for boundary in range(round(at * count) + 1, count + 1):
            for more in segments(game, at, bid, boundary / count):
                chain = [*pieces, *more]
                if game.gain(chain, boundary / count, chain[-1][0] + 1) < SLACK:
                    yield from equilibria(game, chain)
