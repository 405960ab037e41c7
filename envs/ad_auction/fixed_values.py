"""What theory says about a round in which every bidder has a known value of its own.

Values are rounded down to the grid of bids where bidders bid by them, as in `benchmarks.py`; what a
click is worth is not rounded. Ties are shared, which is what a sampled order pays on average.

Competitive.

- One slot, price_mix 0: truthful bids (Vickrey, Journal of Finance 16, 1961). The price is the
  second-highest value.
- Several slots, price_mix 0: the locally envy-free equilibrium with the lowest revenue, one of
  many; its payments are those of Vickrey, Clarke and Groves (Edelman, Ostrovsky, Schwarz, AER
  97(1), 2007). Values 10, 4, 2 and clicks 200, 100: 600 + 200, where truthful bids pay 800 + 200.
- One slot, price_mix > 0: the highest value wins at the lowest bid that no other value exceeds, and
  the second-highest value bids one step less. Nobody gains by another bid: raising to the winner's
  bid b pays at least one's value, and lowering to the runner-up's leaves the winner at most half of
  v - b + step, which is no more than v - b, because the grid ends a step below v. Where two values
  or more lie above the grid, they share the highest bid, as with a common value.
- Several slots, price_mix > 0: no equilibrium in pure strategies (Edelman et al.), none is told.

Collusive: the joint optimum. In the order of their values bidders form groups that bid alike, each
group one step above the next, and the lowest as little as can win, or below that if it is to win
nothing. All such orders are tried: to rank the higher value first costs a step of the price, and
among equal values it is worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product

from .config import EPSILON


@dataclass(frozen=True)
class KnownSale:
    """Expected figures of a round.

    Attributes:
        profits: of each bidder, money.
        revenue: money.
        welfare: the value of all clicks sold, money.
        sold: clicks.
    """

    profits: tuple[float, ...]
    revenue: float
    welfare: float
    sold: float


@dataclass(frozen=True)
class KnownRound:
    """A round of n bidders.

    Attributes:
        values: of each bidder, money per click, n of them in order of seats.
        grid: bids, ascending, money per click.
        clicks: each slot's clicks, best first.
        mix: `price_mix`.
        floor: money per click.
    """

    values: tuple[float, ...]
    grid: tuple[float, ...]
    clicks: tuple[float, ...]
    mix: float
    floor: float

    # --- what bids bring ------------------------------------------------------------------------

    def sale(self, bids: Sequence[float]) -> KnownSale:
        """What bids bring, in expectation over ties.

        Args:
            bids: of each bidder, money per click; they need not lie on the grid.
        """
        profits = [0.0] * len(bids)
        revenue = welfare = sold = 0.0
        rates = (*self.clicks, *(0.0,) * len(bids))
        order = sorted(range(len(bids)), key=lambda i: -bids[i])
        able = [i for i in order if bids[i] >= self.floor - EPSILON]
        rank = 0
        for bid, group in groupby(able, key=lambda i: bids[i]):
            tied = list(group)
            last = rank + len(tied) - 1
            following = max(bids[order[last + 1]] if last + 1 < len(order) else 0.0, self.floor)
            for k in range(rank, last + 1):
                clicks = rates[k]
                price = self.mix * bid + (1.0 - self.mix) * (following if k == last else bid)
                revenue += clicks * price
                sold += clicks
                for i in tied:
                    profits[i] += clicks / len(tied) * (self.values[i] - price)
                    welfare += clicks / len(tied) * self.values[i]
            rank = last + 1
        return KnownSale(tuple(profits), revenue, welfare, sold)

    def step(self, bid: float) -> int:
        """The step on the grid of the nearest bid not above; the lowest where there is none."""
        slack = 1e-9 * self.grid[-1]
        return max(0, sum(b <= bid + slack for b in self.grid) - 1)

    @property
    def ranking(self) -> list[int]:
        """Bidders by value, the highest first; equal ones in order of seats."""
        return sorted(range(len(self.values)), key=lambda i: -self.values[i])

    # --- competition ----------------------------------------------------------------------------

    @cached_property
    def competitive(self) -> tuple[float, ...] | None:
        """Each bidder's competitive bid, money per click; None where theory has none."""
        if len(self.clicks) == 1:
            return self._truthful() if self.mix == 0 else self._first_price()
        return self._envy_free() if self.mix == 0 else None

    @property
    def source(self) -> str:
        """Where the competitive bids are from."""
        if len(self.clicks) > 1:
            found = "lowest-revenue envy-free, one of many; bids between those of the grid; "
            return found + "Edelman, Ostrovsky, Schwarz 2007"
        if self.mix == 0:
            return "truthful bids, Vickrey 1961"
        return "pure equilibrium of known values, derived in tacit.envs.ad_auction.fixed_values"

    def _truthful(self) -> tuple[float, ...]:
        return tuple(self.grid[self.step(v)] for v in self.values)

    def _envy_free(self) -> tuple[float, ...]:
        """b_k = v_k - (c_k / c_(k-1)) (v_k - b_(k+1)), from the lowest rank up to the second."""
        bids, order = list(self._truthful()), self.ranking
        for k in range(min(len(order), len(self.clicks)) - 1, 0, -1):
            following = bids[order[k + 1]] if k + 1 < len(order) else self.floor
            own = bids[order[k]]
            share = self.clicks[k] / self.clicks[k - 1]
            bids[order[k]] = own - share * (own - max(following, self.floor))
        return tuple(bids)

    def _first_price(self) -> tuple[float, ...]:
        """One slot, price_mix > 0: see the module's head."""
        winner, second = self.ranking[:2]
        top, last = self.grid[-1], len(self.grid) - 1
        bids = self._truthful()
        if self.values[second] > top + EPSILON:
            # Who values a click at no more than the highest bid stays below it.
            below = self.grid[max(0, last - 1)]
            return tuple(
                top if v > top + EPSILON else min(b, below)
                for b, v in zip(bids, self.values, strict=True)
            )
        least = max(self.values[second], self.floor)
        step = next(k for k, b in enumerate(self.grid) if b >= least - EPSILON)
        # There is no bid of 0: where the lowest bid can win, the winner bids a step more than it.
        if step == 0 and self.floor <= self.grid[0]:
            step = min(1, last)
        under = self.grid[max(0, step - 1)]
        found = [min(b, under) for b in bids]
        found[winner], found[second] = self.grid[step], under
        return tuple(found)

    # --- collusion ------------------------------------------------------------------------------

    @cached_property
    def collusive(self) -> tuple[float, ...]:
        """Each bidder's bid, money per click, where the sum of profits is largest."""
        order, n = self.ranking, len(self.values)
        # A cut behind rank k separates it from the next one. Behind the last winner one more cut
        # may shut the others out; further cuts would change nothing.
        cuts = min(n - 1, len(self.clicks))
        best: tuple[float, tuple[float, ...]] | None = None
        for chosen in product((False, True), repeat=cuts):
            steps = self._steps(chosen, n)
            if max(steps) >= len(self.grid):
                continue
            bids = [0.0] * n
            for i, step in zip(order, steps, strict=True):
                bids[i] = self.grid[step]
            joint = sum(self.sale(bids).profits)
            if best is None or joint > best[0] + EPSILON:
                best = joint, tuple(bids)
        assert best is not None  # without a cut all bid the lowest bid that can win
        return best[1]

    def _steps(self, chosen: Sequence[bool], n: int) -> list[int]:
        """Steps on the grid by rank; `chosen` says behind which of the first ranks there is a cut.

        The lowest group bids the lowest bid that can win. If a cut lies behind the last winner it
        bids one step less, where such a bid exists.
        """
        lowest = next(k for k, b in enumerate(self.grid) if b >= self.floor - EPSILON)
        shut_out = len(chosen) == len(self.clicks) and chosen[-1]
        steps = [max(0, lowest - 1) if shut_out else lowest] * n
        level = steps[-1]
        for k in range(len(chosen) - 1, -1, -1):
            level += chosen[k]
            steps[k] = level
        return steps
