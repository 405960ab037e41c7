"""What theory says about a round of the ad auction: `Stage`, its equilibria, expected outcomes.

One slot, private values, price_mix 0: everybody bids its value, the grid's bid next below it; a
dominant strategy off the grid (Vickrey, Journal of Finance 16, 1961). Price_mix > 0: the symmetric
Bayes-Nash equilibrium on the grid. Grids have several (`tests/support/independent/first_price.py`
enumerates them), and
best replies to averages (fictitious play) circle: with values .2 .. 1, three bidders and 19 bids
they still gain .002 after 300,000 steps. So `equilibrium` follows the logit equilibria from equally
likely bids to temperature 0: McKelvey, Palfrey, "Quantal response equilibria for normal form
games", GEB 10, 1995; what is left to gain is below 1e-5 of the highest value, and is reported.

Several slots, price_mix 0: the envy-free equilibrium with the lowest revenue, one of many: Edelman,
Ostrovsky, Schwarz, AER 97(1), 2007. With values v_1 >= v_2 >= ... and click rates c_k, bidder k > 1
bids b_k = v_k - (c_k / c_(k-1)) (v_k - b_(k+1)), who gets no slot bids its value, and the sums paid
telescope: c_k b_(k+1) = sum over j > k of (c_(j-1) - c_j) max(v_j, reserve). Price_mix > 0 with
several slots has no pure equilibrium (same source), so none is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from .config import EPSILON

Array = NDArray[np.float64]
COOLEST = 1e-5  # last temperature of `equilibrium`, in highest values


@dataclass(frozen=True)
class SaleOutcome:
    """Expected figures of a round; `sold` are clicks."""

    revenue: float
    welfare: float
    sold: float


@dataclass(frozen=True)
class Stage:
    """A round in numbers: values [L] and their probabilities, bids [B], click rates [K]."""

    values: Array
    probabilities: Array
    bids: Array
    clicks: Sequence[float]
    bidders: int
    mix: float
    floor: float

    @cached_property
    def truthful(self) -> NDArray[np.int64]:
        """Each value's nearest bid not above it, int64 [L]; the lowest bid if there is none."""
        slack = 1e-9 * self.bids[-1]
        found = np.searchsorted(self.bids, self.values + slack, side="right") - 1
        return np.array(np.maximum(found, 0), np.int64)

    @cached_property
    def wins(self) -> NDArray[np.bool_]:
        """Which bids meet the floor, bool [B]."""
        return self.bids >= self.floor - EPSILON

    # --- bids that depend on the own value only -----------------------------------------------

    def payoffs(self, f: Array) -> Array:
        """Expected profit per click [L, B] against rivals whose bids have probabilities f [B]."""
        win, pay, _, _ = self._terms(f)
        return self.values[:, None] * win - pay

    def _terms(self, f: Array) -> tuple[Array, Array, Array, Array]:
        """Chance to win and expected payment by bid [B], and their derivatives by f [B, B].

        With F and F' the chances of bids up to and below b, the highest of m = n - 1 others ties
        so that one wins with (F^n - F'^n) / (n (F - F')) = sum of F^i F'^(m-i) / n.
        """
        n, m = self.bidders, self.bidders - 1
        price = np.maximum(self.bids, self.floor)
        ones = np.tri(len(f))
        strict = ones - np.eye(len(f))
        upto, less = ones @ f, strict @ f
        win, by_upto, by_less = np.zeros((3, len(f)))
        for i in range(n):
            win += upto**i * less ** (m - i) / n
            if i > 0:
                by_upto += i * upto ** (i - 1) * less ** (m - i) / n
            if i < m:
                by_less += (m - i) * upto**i * less ** (m - i - 1) / n
        d_win = by_upto[:, None] * ones + by_less[:, None] * strict
        d_less = m * less[:, None] ** (m - 1) * strict
        top = upto**m - less**m  # the chance that the highest of the others is this bid
        d_top = m * upto[:, None] ** (m - 1) * ones - d_less
        losing = (win - less**m) * price + strict @ (top * price)
        d_losing = (d_win - d_less) * price[:, None] + strict @ (d_top * price[:, None])
        pay = self.mix * self.bids * win + (1 - self.mix) * losing
        d_pay = self.mix * self.bids[:, None] * d_win + (1 - self.mix) * d_losing
        able = self.wins.astype(np.float64)
        return win * able, pay * able, d_win * able[:, None], d_pay * able[:, None]

    def _logit(self, f: Array, temperature: float) -> tuple[Array, Array]:
        """Logit replies [L, B] to f, and the derivative [B, B] of the bids that follow."""
        win, pay, d_win, d_pay = self._terms(f)
        payoffs = self.values[:, None] * win - pay
        reply = np.exp((payoffs - payoffs.max(axis=1, keepdims=True)) / temperature)
        reply /= reply.sum(axis=1, keepdims=True)
        weight = self.probabilities[:, None] * reply / temperature
        mean = self.values[:, None] * (reply @ d_win) - reply @ d_pay
        slope = (weight * self.values[:, None]).sum(axis=0)[:, None] * d_win
        slope -= weight.sum(axis=0)[:, None] * d_pay + weight.T @ mean
        return reply, slope

    def _settle(self, f: Array, temperature: float) -> Array | None:
        """The logit equilibrium near f by Newton's method; None if it is not reached."""
        for _ in range(40):
            reply, slope = self._logit(f, temperature)
            off = self.probabilities @ reply - f
            size = np.abs(off).max()
            if size < 1e-12:
                return f
            step, length = np.linalg.solve(np.eye(len(f)) - slope, off), 1.0
            while length > 1e-3:
                trial = np.maximum(f + length * step, 1e-300)
                trial /= trial.sum()
                replies = self._logit(trial, temperature)[0]
                if np.abs(self.probabilities @ replies - trial).max() < size:
                    break
                length /= 2
            else:
                return None
            f = trial
        return None

    @cached_property
    def equilibrium(self) -> Array:
        """Bayes-Nash: each value's probabilities of bids, [L, B]; one slot."""
        f = np.full(len(self.bids), 1 / len(self.bids))
        top = float(self.values[-1])
        temperature, ratio = top, 0.8
        while temperature > COOLEST * top and ratio < 0.9999:
            found = self._settle(f, temperature * ratio)
            if found is None or np.abs(found - f).sum() > 0.3:  # too far: on another branch
                ratio = ratio**0.5
            else:
                f, temperature, ratio = found, temperature * ratio, max(0.8, ratio**1.2)
        return self._logit(f, temperature)[0]

    def gain(self, strategy: Array) -> float:
        """The most that a bidder with some value gains by leaving a common strategy [L, B]."""
        payoffs = self.payoffs(self.probabilities @ strategy)
        gains = payoffs.max(axis=1) - (strategy * payoffs).sum(axis=1)
        return float(gains[self.probabilities > 0].max())

    def outcome(self, strategy: Array) -> SaleOutcome:
        """When everybody bids by the same strategy [L, B] for one slot: the two highest bids."""
        n, f = self.bidders, self.probabilities @ strategy
        upto = np.cumsum(f)
        less = upto - f
        pair = np.tril(n * f[:, None] * (upto ** (n - 1) - less ** (n - 1))[None, :], -1)
        pair += np.diag(upto**n - less**n - n * f * less ** (n - 1))
        losing = np.maximum(self.bids, self.floor)
        price = self.mix * self.bids[:, None] + (1 - self.mix) * losing[None, :]
        highest = (upto**n - less**n) * self.wins
        revenue = float((pair * price * self.wins[:, None]).sum())
        welfare = float(highest @ _mean_value(self.values, self.probabilities[:, None] * strategy))
        clicks = self.clicks[0]
        return SaleOutcome(clicks * revenue, clicks * welfare, clicks * float(highest.sum()))

    # --- bids that depend on everybody's value ------------------------------------------------

    def envy_free(self) -> SaleOutcome:
        """The lowest-revenue envy-free outcome, for values rounded down to the grid of bids."""
        n, slots = self.bidders, len(self.clicks)
        mass = np.zeros((len(self.values), len(self.bids)))
        mass[np.arange(len(self.values)), self.truthful] = self.probabilities
        f = mass.sum(axis=0)
        above = f[::-1].cumsum()[::-1].clip(0, 1)  # the chance of a bid or more
        at_least = np.array([_order(above, n, k) for k in range(1, n + 1)])  # the k-th highest
        exactly = at_least - np.append(at_least[:, 1:], np.zeros((n, 1)), axis=1)
        filled = exactly * self.wins
        mean = exactly @ np.maximum(self.bids, self.floor)  # of max(k-th highest, floor)
        rates = np.append(self.clicks, 0.0)
        revenue = 0.0
        for k in range(slots):
            sold = filled[k].sum()
            for j in range(k + 1, slots + 1):
                worth = mean[j] if j < n else self.floor
                revenue += (rates[j - 1] - rates[j]) * (worth - (1 - sold) * self.floor)
        worth = filled[:slots] @ _mean_value(self.values, mass)
        sold = filled[:slots].sum(axis=1)
        return SaleOutcome(
            float(revenue), float(rates[:slots] @ worth), float(rates[:slots] @ sold)
        )

    def ranked(self, values: Sequence[float]) -> list[float]:
        """Envy-free bids of known values, highest first: the recursion of this module's head."""
        n, slots = len(values), len(self.clicks)
        bids = list(values)
        for k in range(min(n, slots) - 1, 0, -1):
            following = bids[k + 1] if k + 1 < n else self.floor
            share = self.clicks[k] / self.clicks[k - 1]
            bids[k] = values[k] - share * (values[k] - max(following, self.floor))
        return bids


@lru_cache(maxsize=64)
def stage(
    values: tuple[float, ...], probabilities: tuple[float, ...], bids: tuple[float, ...],
    clicks: tuple[float, ...], bidders: int, mix: float, floor: float,
) -> Stage:  # fmt: skip
    """The same stage for the same numbers: an equilibrium on a fine grid may take half a minute."""
    return Stage(
        np.array(values), np.array(probabilities), np.array(bids), clicks, bidders, mix, floor
    )


def mean_outcome(outcomes: Sequence[SaleOutcome]) -> SaleOutcome:
    """The mean over the parts of a day."""
    if len(outcomes) == 1:
        return outcomes[0]
    rows = np.array([(o.revenue, o.welfare, o.sold) for o in outcomes])
    return SaleOutcome(*(float(x) for x in rows.mean(axis=0)))


def _mean_value(values: Array, mass: Array) -> Array:
    """The mean value behind each bid [B], where mass [L, B] is the chance of value and bid."""
    total = mass.sum(axis=0)
    return np.where(total > 0, values @ mass / np.where(total > 0, total, 1.0), 0.0)


def _order(above: Array, n: int, k: int) -> Array:
    """The chance that at least k of n draws fall where one falls with the chance `above`."""
    chance = np.zeros_like(above)
    for i in range(k, n + 1):
        chance += comb(n, i) * above**i * (1 - above) ** (n - i)
    return chance
