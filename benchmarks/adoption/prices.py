"""Static equilibria of `cloud_bandwidth` in which providers count each other's profits.

Provider i maximises profit_i + sum_j w_ij profit_j over its own price, the others' prices given.
w = 0 is competition (Nash); w_ij = 1 among adopters is an agreement of the adopters, against which
everybody else replies best; in between is what Edgeworth (Mathematical Psychics, 1881) called a
coefficient of effective sympathy. With logit demand, shares q and margins m_i = p_i - c_i, the
first-order condition is

    m_i = (mu + sum_j w_ij m_j q_j) / (1 - q_i),

which is iterated from Nash upwards for many markets at once. Tests hold the result against the
market's own benchmarks (w = 0, w = 1 among all) and against best replies searched on the market's
own profit function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs import rng
from tacit.envs.types import Floats

STEPS = 4_000
TOLERANCE = 1e-11
DAMPING = 0.5


@dataclass(frozen=True)
class Markets:
    """Markets that differ in what is drawn; all else is the market's default.

    Attributes:
        cost: c, float64 `[R, N]`.
        outside: a_0, float64 `[R]`.
        quality: a of every provider.
        mu: differentiation.
    """

    cost: Floats
    outside: Floats
    quality: float = 2.0
    mu: float = 0.25


def drawn_markets(count: int, providers: int, spread: float, key: np.uint64) -> Markets:
    """Markets with costs 1 + spread (common + own) and outside option spread x other.

    Args:
        count: R.
        providers: N.
        spread: half the width of each draw, which is uniform; money.
        key: of the draws.
    """
    drawn = 2 * rng.draws(key, count * (providers + 2)).reshape(count, providers + 2) - 1
    cost = 1.0 + spread * (drawn[:, :1] + drawn[:, 2:])
    return Markets(cost, spread * drawn[:, 1])


def shares(markets: Markets, prices: Floats) -> Floats:
    """Logit shares float64 `[R, N]` of prices float64 `[R, N]`."""
    u = np.exp((markets.quality - prices) / markets.mu)
    return u / (u.sum(axis=1) + np.exp(markets.outside / markets.mu))[:, None]


def equilibrium_prices(markets: Markets, weights: Floats) -> Floats:
    """Equilibrium prices float64 `[R, N]`.

    Args:
        markets: R markets with N providers.
        weights: w, what each provider counts of each other's profit, float64 `[N, N]`; its diagonal
            is not read.

    Raises:
        ArithmeticError: the iteration did not settle.
    """
    own = weights - np.diag(np.diag(weights))
    prices = markets.cost + markets.mu
    for _ in range(STEPS):
        q = shares(markets, prices)
        margins = prices - markets.cost
        wanted = markets.cost + (markets.mu + (margins * q) @ own.T) / (1 - q)
        step = DAMPING * (wanted - prices)
        prices = prices + step
        if float(np.abs(step).max()) < TOLERANCE:
            return prices
    raise ArithmeticError("prices did not settle")


def among(adopters: int, providers: int, weight: float) -> Floats:
    """w float64 `[N, N]` in which the first `adopters` providers count each other's profits."""
    found = np.zeros((providers, providers))
    found[:adopters, :adopters] = weight
    return found
