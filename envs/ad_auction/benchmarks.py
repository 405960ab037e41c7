"""What theory says about a round of the ad auction: `StageGame`, its equilibria, their outcomes.

One slot, private values, price_mix 0: everybody bids its value, on the grid the nearest bid not
above it; off the grid this is a dominant strategy (Vickrey, Journal of Finance 16, 1961).

One slot, private values, price_mix > 0: the symmetric Bayes-Nash equilibrium on the grid. Grids
have several (`tests/support/independent/first_price.py` enumerates them), and best replies to
averages (fictitious play) circle: with values .2 .. 1, three bidders and 19 bids they still gain
.002 after 300,000 steps. So `equilibrium` follows the logit equilibria from equally likely bids to
temperature 0: McKelvey, Palfrey, "Quantal response equilibria for normal form games", GEB 10, 1995.
What is left to gain is below 1e-5 of the highest value, and is reported.

Several slots, price_mix 0: the envy-free equilibrium with the lowest revenue, one of many: Edelman,
Ostrovsky, Schwarz, AER 97(1), 2007. With values v_1 >= v_2 >= ... and click rates c_k, bidder k > 1
bids b_k = v_k - (c_k / c_(k-1)) (v_k - b_(k+1)), who gets no slot bids its value, and the sums paid
telescope: c_k b_(k+1) = sum over j > k of (c_(j-1) - c_j) max(v_j, reserve). Price_mix > 0 with
several slots has no pure equilibrium (same source), so none is reported.

Letters: L values, B bids, K slots, n bidders. A *strategy* float64 [L, B] gives each value's
probabilities of bids; `f` float64 [B] are the probabilities of a rival's bids that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import comb

import numpy as np

from tacit.envs.types import Bools, Floats, Ints

from .config import EPSILON

# Path of `StageGame.equilibrium`, in temperatures as shares of the highest value.
COOLEST = 1e-5  # where it ends
COOLING = 0.8  # the usual ratio of one temperature to the one before
SLOWEST = 0.9999  # the ratio at which it gives up
JUMP = 0.3  # bids whose probabilities moved by more in sum belong to another branch

# Newton's method for one temperature.
NEWTON_STEPS = 40
NEWTON_TOLERANCE = 1e-12
SHORTEST = 1e-3  # share of a step below which it fails


@dataclass(frozen=True)
class SaleOutcome:
    """Expected figures of a round.

    Attributes:
        revenue: money.
        welfare: the value of all clicks sold, money.
        sold: clicks.
    """

    revenue: float
    welfare: float
    sold: float


@dataclass(frozen=True)
class StageGame:
    """A round in numbers.

    Attributes:
        values: ascending, money per click, float64 `[L]`.
        probabilities: of the values, float64 `[L]`.
        bids: the grid, ascending, money per click, float64 `[B]`.
        clicks: each slot's clicks, best first, K of them.
        bidders: n.
        mix: `price_mix`.
        floor: money per click.
    """

    values: Floats
    probabilities: Floats
    bids: Floats
    clicks: Sequence[float]
    bidders: int
    mix: float
    floor: float

    @cached_property
    def truthful(self) -> Ints:
        """Each value's nearest bid not above it, int64 `[L]`; the lowest bid if there is none."""
        slack = 1e-9 * self.bids[-1]
        found = np.searchsorted(self.bids, self.values + slack, side="right") - 1
        return np.array(np.maximum(found, 0), np.int64)

    @cached_property
    def wins(self) -> Bools:
        """Which bids meet the floor, bool `[B]`."""
        return self.bids >= self.floor - EPSILON

    # --- one slot: bids that depend on the own value only ---------------------------------------

    def payoffs(self, f: Floats) -> Floats:
        """Expected profit per click `[L, B]` against rivals whose bids have probabilities `[B]`."""
        win, pay, _, _ = self._win_and_pay(f)
        return self.values[:, None] * win - pay

    def _win_and_pay(self, f: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Of each bid against `f` `[B]`: chance to win, expected payment, and their derivatives.

        With F and F' the chances that a rival bids at most, and less than, b, the highest of
        m = n - 1 rivals leaves the bid winning, ties drawn, with
        (F^n - F'^n) / (n (F - F')) = sum over i of F^i F'^(m-i) / n.

        Returns:
            win `[B]`, pay `[B]`, and their derivatives by f, `[B, B]`: row b is bid b's.
        """
        n, m = self.bidders, self.bidders - 1
        price = np.maximum(self.bids, self.floor)
        ones = np.tri(len(f))
        strict = ones - np.eye(len(f))
        at_most, less = ones @ f, strict @ f
        win, by_at_most, by_less = np.zeros((3, len(f)))
        for i in range(n):
            win += at_most**i * less ** (m - i) / n
            if i > 0:
                by_at_most += i * at_most ** (i - 1) * less ** (m - i) / n
            if i < m:
                by_less += (m - i) * at_most**i * less ** (m - i - 1) / n
        d_win = by_at_most[:, None] * ones + by_less[:, None] * strict
        d_less = m * less[:, None] ** (m - 1) * strict
        top = at_most**m - less**m  # the chance that the highest of the rivals is this bid
        d_top = m * at_most[:, None] ** (m - 1) * ones - d_less
        # The expected highest losing bid where the bid wins: itself in ties, else a lower one.
        losing = (win - less**m) * price + strict @ (top * price)
        d_losing = (d_win - d_less) * price[:, None] + strict @ (d_top * price[:, None])
        pay = self.mix * self.bids * win + (1 - self.mix) * losing
        d_pay = self.mix * self.bids[:, None] * d_win + (1 - self.mix) * d_losing
        able = self.wins.astype(np.float64)
        return win * able, pay * able, d_win * able[:, None], d_pay * able[:, None]

    def _logit(self, f: Floats, temperature: float) -> tuple[Floats, Floats]:
        """Logit replies `[L, B]` to `f` `[B]`, and the derivative `[B, B]` of the mean reply."""
        win, pay, d_win, d_pay = self._win_and_pay(f)
        payoffs = self.values[:, None] * win - pay
        reply = np.exp((payoffs - payoffs.max(axis=1, keepdims=True)) / temperature)
        reply /= reply.sum(axis=1, keepdims=True)
        weight = self.probabilities[:, None] * reply / temperature
        mean = self.values[:, None] * (reply @ d_win) - reply @ d_pay
        jacobian = (weight * self.values[:, None]).sum(axis=0)[:, None] * d_win
        jacobian -= weight.sum(axis=0)[:, None] * d_pay + weight.T @ mean
        return reply, jacobian

    def _logit_equilibrium(self, f: Floats, temperature: float) -> Floats | None:
        """The fixed point `[B]` of the mean logit reply near `f`; None if it is not reached.

        Newton's method; a step is halved until it brings the mean reply nearer to its argument.
        """
        for _ in range(NEWTON_STEPS):
            reply, jacobian = self._logit(f, temperature)
            residual = self.probabilities @ reply - f
            size = np.abs(residual).max()
            if size < NEWTON_TOLERANCE:
                return f
            step, length = np.linalg.solve(np.eye(len(f)) - jacobian, residual), 1.0
            while length > SHORTEST:
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
    def equilibrium(self) -> Floats:
        """Bayes-Nash equilibrium of one slot: a strategy float64 `[L, B]`.

        The path cools by a constant ratio, more slowly where the equilibrium moves too far at once
        to be on the same branch.
        """
        f = np.full(len(self.bids), 1 / len(self.bids))
        top = float(self.values[-1])
        temperature, ratio = top, COOLING
        while temperature > COOLEST * top and ratio < SLOWEST:
            found = self._logit_equilibrium(f, temperature * ratio)
            if found is None or np.abs(found - f).sum() > JUMP:
                ratio = ratio**0.5
            else:
                f, temperature, ratio = found, temperature * ratio, max(COOLING, ratio**1.2)
        return self._logit(f, temperature)[0]

    def gain(self, strategy: Floats) -> float:
        """The most that a bidder with some value gains by leaving a strategy float64 `[L, B]`.

        All others keep to it. Money per click.
        """
        payoffs = self.payoffs(self.probabilities @ strategy)
        gains = payoffs.max(axis=1) - (strategy * payoffs).sum(axis=1)
        return float(gains[self.probabilities > 0].max())

    def outcome(self, strategy: Floats) -> SaleOutcome:
        """What one slot brings when everybody bids by a strategy float64 `[L, B]`."""
        n, f = self.bidders, self.probabilities @ strategy
        at_most = np.cumsum(f)
        less = at_most - f
        # pair[b, c]: the chance that the two highest bids are b and c <= b.
        pair = np.tril(n * f[:, None] * (at_most ** (n - 1) - less ** (n - 1))[None, :], -1)
        pair += np.diag(at_most**n - less**n - n * f * less ** (n - 1))
        losing = np.maximum(self.bids, self.floor)
        price = self.mix * self.bids[:, None] + (1 - self.mix) * losing[None, :]
        highest = (at_most**n - less**n) * self.wins
        revenue = float((pair * price * self.wins[:, None]).sum())
        welfare = float(highest @ _mean_value(self.values, self.probabilities[:, None] * strategy))
        clicks = self.clicks[0]
        return SaleOutcome(clicks * revenue, clicks * welfare, clicks * float(highest.sum()))

    # --- several slots: bids that depend on everybody's value -----------------------------------

    def envy_free(self) -> SaleOutcome:
        """The lowest-revenue envy-free outcome, for values rounded down to the grid of bids.

        The revenue is the telescoped sum of the module's head, in expectation over order
        statistics of the rounded values.
        """
        n, slots = self.bidders, len(self.clicks)
        mass = np.zeros((len(self.values), len(self.bids)))
        mass[np.arange(len(self.values)), self.truthful] = self.probabilities
        f = mass.sum(axis=0)
        above = f[::-1].cumsum()[::-1].clip(0, 1)  # the chance of a bid or more
        # Row k - 1, for k = 1 .. n: the k-th highest is at least, and exactly, each bid.
        at_least = np.array([_order_statistic(above, n, k) for k in range(1, n + 1)])
        exactly = at_least - np.append(at_least[:, 1:], np.zeros((n, 1)), axis=1)
        filled = exactly * self.wins
        mean = exactly @ np.maximum(self.bids, self.floor)  # of max(k-th highest, floor)
        rates = np.append(self.clicks, 0.0)
        revenue = 0.0
        for k in range(slots):
            sold = filled[k].sum()
            for j in range(k + 1, slots + 1):
                bid = mean[j] if j < n else self.floor
                revenue += (rates[j - 1] - rates[j]) * (bid - (1 - sold) * self.floor)
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
def stage_game(
    values: tuple[float, ...], probabilities: tuple[float, ...], bids: tuple[float, ...],
    clicks: tuple[float, ...], bidders: int, mix: float, floor: float,
) -> StageGame:  # fmt: skip
    """The same stage game for the same numbers.

    Cached, because an equilibrium on a fine grid may take half a minute, and every arm of an
    experiment asks for it.
    """
    return StageGame(
        np.array(values), np.array(probabilities), np.array(bids), clicks, bidders, mix, floor
    )


def mean_outcome(outcomes: Sequence[SaleOutcome]) -> SaleOutcome:
    """The mean over the parts of a day."""
    if len(outcomes) == 1:
        return outcomes[0]
    rows = np.array([(o.revenue, o.welfare, o.sold) for o in outcomes])
    return SaleOutcome(*(float(x) for x in rows.mean(axis=0)))


def _mean_value(values: Floats, mass: Floats) -> Floats:
    """The mean value behind each bid `[B]`, where mass `[L, B]` is the chance of value and bid."""
    total = mass.sum(axis=0)
    return np.where(total > 0, values @ mass / np.where(total > 0, total, 1.0), 0.0)


def _order_statistic(above: Floats, n: int, k: int) -> Floats:
    """The chance `[B]` that at least k of n draws hit, where one hits with the chance `above`."""
    chance = np.zeros_like(above)
    for i in range(k, n + 1):
        chance += comb(n, i) * above**i * (1 - above) ** (n - i)
    return chance
