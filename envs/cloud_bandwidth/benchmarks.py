"""Nash and joint-profit prices of the posting game, solved numerically.

The game is one round without tenants and claims. Provider i, knowing its own load s_i (1 in a
surge), earns E[(p_i - c_i) min(C, mass_i q_i(p))], where mass_i is the background demand, times the
multiplier in a surge; the mean is over shocks of a_0, over the others' loads and over a surge's
multipliers, if it has several (the provider sees that it surges, not how much). So prices are a
matrix [N, loads]; without surges, and where capacity cannot bind, loads do not matter.

**Nash.** With nothing random and no binding capacity, the first-order conditions
p_i = c_i + mu/(1 - q_i) are solved through their aggregate, one root within another (Nocke, Schutz,
Econometrica 86(2), 2018). Else cyclic best responses, each a search on a grid of 97 prices refined
by Brent's method, until no price moves by 1e-8; searched prices are rounded to 6 digits.

**Joint profit.** In the plain case margins are equal, m = mu/q_0: one root. With capacity and
nothing random: in quantities, where p_i = a_i - a_0 + mu ln(q_0/q_i) and the sum of profits is
concave, under q_i <= C/mass (selling beyond capacity never pays: a higher price sells as much).
With both, Nelder-Mead, restarted, from several such points. Logit demand and its first-order
conditions: Anderson, de Palma, Thisse, Discrete Choice Theory of Product Differentiation, MIT
Press, 1992.

**Homogeneous products.** Bertrand: the provider with the best a_i - c_i sells at the price at which
nobody else can match its offer (ties: at cost), the others ask their cost; together they would sell
through the best provider only, at the price that is best against the outside option. With linear
demand 1 - p/r that is (r + c)/2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from tacit.envs.types import Floats, Ints

from .config import CloudBandwidthConfig

# Cyclic best responses end when no price moved by more than TOLERANCE, or after so many SWEEPS;
# after DAMPED_FROM sweeps each price moves half of the way only.
TOLERANCE = 1e-8
SWEEPS = 500
DAMPED_FROM = 50
# Searched prices are rounded to so many digits: what is equal by symmetry is then equal, on every
# machine.
DIGITS = 6
GRID_POINTS = 97  # of the search for a best price
# Keys of a config that the posting game does not depend on.
OUTSIDE_THE_GAME = {
    name: CloudBandwidthConfig.model_fields[name].default
    for name in (
        "prices",
        "price_margin",
        "price_range",
        "memory",
        "start",
        "tenants",
        "critical_probability",
        "standard_value",
        "critical_value",
        "priority_surcharge",
        "headroom_claims",
        "false_headroom_fine",
        "claims_heard",
        "timing",
    )
}


@dataclass(frozen=True)
class PricingOutcome:
    """Prices of the posting game and what they earn.

    Attributes:
        prices: by own load, money, float64 `[N, loads]`.
        price: the long-run mean over loads, money, float64 `[N]`.
        profits: expected in a round, money, float64 `[N]`.
    """

    prices: Floats
    price: Floats
    profits: Floats


class PricingGame:
    """The posting game of a config, vectorised over everything that is random.

    Letters: N providers, H outside options, K multipliers of a surge, L combinations of loads.

    Attributes:
        config: the config.
        n: N.
        quality: a, money, float64 `[N]`.
        cost: c, money, float64 `[N]`.
        outside: a_0 under each shock, equally likely, money, float64 `[H]`.
        capacity: C, units; infinite: none.
        masses: background demand by own load and multiplier, units, float64 `[1 or 2, K]`.
        mass: its mean over multipliers, float64 `[1 or 2]`.
        weight: long-run probability of the own load, float64 `[1 or 2]`.
        states: loads that a price can depend on, 1 or 2.
        loads: every combination of loads, int64 `[L, N]`.
        chance: its probability, float64 `[L]`.
    """

    def __init__(self, config: CloudBandwidthConfig) -> None:
        c = config
        self.config, self.n = c, c.providers
        self.quality, self.cost = np.array(c.each(c.quality)), np.array(c.each(c.cost))
        h = c.outside_shock
        self.outside = c.outside_quality + np.array([-h, 0.0, h] if h else [0.0])
        self.capacity = np.inf if c.capacity is None else c.capacity
        surge = c.surge
        share = surge.share if surge else 0.0
        surges = surge is not None
        sizes = surge.multipliers if surge else ()
        by_load = [[1.0] * max(1, len(sizes)), sizes]
        self.masses = c.background_demand * np.array(by_load[: 1 + surges])
        self.mass = self.masses.mean(axis=1)
        self.weight = np.array([1 - share, share] if surges else [1.0])
        # Without binding capacity demand is proportional to mass, so the best price is the same.
        self.states = 2 if surges and c.binding else 1
        self.loads: Ints = np.array(list(product(range(self.states), repeat=self.n)))
        self.chance = self.weight[self.loads].prod(axis=1) if self.states == 2 else np.ones(1)

    def shares(self, prices: Floats) -> Floats:
        """Logit shares `[.., N, H]` of prices `[.., N]` under each of H outside options."""
        mu = self.config.differentiation
        u = ((self.quality - prices) / mu)[..., None] + np.zeros(len(self.outside))
        out = np.broadcast_to(self.outside / mu, (*u.shape[:-2], 1, len(self.outside)))
        full = np.concatenate([u, out], axis=-2)
        shares: Floats = np.exp(u - log_sum_exp(full, axis=-2))
        return shares

    def sold(self, shares: Floats, masses: Floats) -> Floats:
        """Mean units over shocks and multipliers, `[..]`.

        Args:
            shares: float64 `[.., H]`.
            masses: units, float64 `[.., K]`.
        """
        each = np.minimum(masses[..., None] * shares[..., None, :], self.capacity)
        units: Floats = each.mean(axis=-1).mean(axis=-1)
        return units

    def profits(self, matrix: Floats) -> Floats:
        """Expected profit of every provider `[.., N]` under prices `[.., N, states]`, money."""
        own = np.arange(self.n)
        prices = matrix[..., own, self.loads]  # [.., L, N]
        shares = self.shares(prices)
        if self.states == 2:
            units = self.sold(shares, self.masses[self.loads])
        else:
            by_load = [
                w * self.sold(shares, m) for m, w in zip(self.masses, self.weight, strict=True)
            ]
            units = np.sum(by_load, axis=0)
        total: Floats = (self.chance[:, None] * (prices - self.cost) * units).sum(axis=-2)
        return total

    def outcome(self, prices: Floats) -> PricingOutcome:
        """The outcome of prices `[N, states]`, or `[N]` where loads do not matter."""
        matrix = prices.reshape(self.n, self.states)
        mean = matrix @ self.weight if self.states == 2 else matrix[:, 0]
        return PricingOutcome(matrix, mean, self.profits(matrix))

    def best_price(self, i: int, state: int, matrix: Floats) -> float:
        """Provider i's best price at one own load, given all prices `matrix` `[N, states]`."""

        def loss(prices: Floats) -> Floats:
            """The profit that each of some prices `[K]` brings, with the other sign, `[K]`."""
            trials = np.repeat(matrix[None], len(prices), axis=0)
            trials[:, i, state] = prices
            return -self.profits(trials)[:, i]

        mu = self.config.differentiation
        # Twelve mu above what buyers find worth paying, the share is below exp(-12).
        top = max(self.quality[i] - self.outside.min(), self.cost[i]) + 12 * mu
        return best_on(loss, float(self.cost[i]), float(top))


def log_sum_exp(values: Floats, axis: int) -> Floats:
    """ln sum exp of finite `values` `[..]` along an axis, which is kept with length 1: `[..]`.

    `scipy.special.logsumexp` gives the same bits in ten times the time, and searches call this a
    hundred thousand times.
    """
    top = values.max(axis=axis, keepdims=True)
    is_top = values == top
    tops = is_top.sum(axis=axis, keepdims=True, dtype=float)
    others = np.exp(np.where(is_top, -np.inf, values) - top).sum(axis=axis, keepdims=True)
    total: Floats = np.log1p(others / tops) + np.log(tops) + top
    return total


def best_on(loss: Callable[[Floats], Floats], low: float, high: float) -> float:
    """The minimiser in [low, high], to about 1e-9, of a function with one broad valley.

    Args:
        loss: the function, of arguments `[K]` at once: its values `[K]`.
        low: the least argument.
        high: the largest argument.
    """
    from scipy.optimize import minimize_scalar  # slow to import, like those further down

    grid = np.linspace(low, high, GRID_POINTS)
    k = int(np.argmin(loss(grid)))
    bounds = (grid[max(k - 1, 0)], grid[min(k + 1, GRID_POINTS - 1)])
    found = minimize_scalar(
        lambda x: float(loss(np.array([x]))[0]),
        bounds=bounds, method="bounded", options={"xatol": 1e-11},
    )  # fmt: skip
    return float(found.x)


def rising_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0 in [low, high], to machine precision."""
    if f(low) >= 0:
        return low
    from scipy.optimize import brentq

    return float(brentq(f, low, high, xtol=1e-14, rtol=1e-15))


def bounded_exp(x: float) -> float:
    """exp without overflow: beyond 300 only the sign of a difference with it matters."""
    return float(np.exp(min(x, 300.0)))


def solve(config: CloudBandwidthConfig) -> tuple[PricingOutcome, PricingOutcome]:
    """Nash and joint-profit outcomes of the posting game, of all regions beside each other.

    Demand and costs of one region do not depend on another's, so each is a game of its own; N of
    the outcomes then counts the seats of all regions. Keys that the game does not depend on are set
    to their defaults first: arms and controls that differ in nothing else share one search.
    """
    games = [config.region(k).model_copy(update=OUTSIDE_THE_GAME) for k in range(config.regions)]
    competitive, joint = zip(*map(_solve, games), strict=True)
    return _beside(competitive), _beside(joint)


def _beside(regions: Sequence[PricingOutcome]) -> PricingOutcome:
    """The outcomes of several regions as one."""
    if len(regions) == 1:
        return regions[0]
    each = [(outcome.prices, outcome.price, outcome.profits) for outcome in regions]
    return PricingOutcome(*(np.concatenate(parts) for parts in zip(*each, strict=True)))


@lru_cache(maxsize=256)
def _solve(config: CloudBandwidthConfig) -> tuple[PricingOutcome, PricingOutcome]:
    """`solve`, cached, since a search takes seconds."""
    if config.homogeneous:
        return _bertrand(config)
    game = PricingGame(config)
    random = game.states > 1 or len(game.outside) > 1
    if not random and not config.binding:
        return game.outcome(_nash_margins(game)), game.outcome(_joint_margins(game))
    joint = (
        _joint_by_search(game)
        if random
        else game.outcome(np.round(_joint_in_quantities(game), DIGITS))
    )
    return _nash_by_search(game), joint


# --- nothing random, capacity never binds --------------------------------------------------------


def _nash_margins(game: PricingGame) -> Floats:
    """Nash prices `[N]` against the mean outside option, through the aggregate.

    With x_i = (p_i - c_i)/mu the first-order condition is x_i = 1/(1 - q_i). Given the logarithm A
    of the denominator, x_i solves 1 - 1/x = exp((a_i - c_i)/mu - x - A); A makes shares sum to 1.
    """
    mu = game.config.differentiation
    value = (game.quality - game.cost) / mu
    outside = float(game.outside.mean()) / mu

    def scaled(i: int, aggregate: float) -> float:
        """x_i given A."""
        v = value[i] - aggregate
        high = 2.0 + max(0.0, v)
        return rising_root(lambda x: 1 - 1 / x - bounded_exp(v - x), 1.0, high)

    def excess(aggregate: float) -> float:
        """By how much the shares given A exceed 1 in sum; it falls in A."""
        shares = sum(1 - 1 / scaled(i, aggregate) for i in range(game.n))
        return shares + float(np.exp(outside - aggregate)) - 1

    low, high = outside, max(outside, float(value.max())) + np.log(game.n + 1) + 1
    aggregate = rising_root(lambda a: -excess(a), low, float(high))
    return game.cost + mu * np.array([scaled(i, aggregate) for i in range(game.n)])


def _joint_margins(game: PricingGame) -> Floats:
    """Joint-profit prices `[N]` against the mean outside option: equal margins m = mu/q_0."""
    mu = game.config.differentiation
    value = float(log_sum_exp((game.quality - game.cost - game.outside.mean()) / mu, axis=-1)[0])
    high = 2.0 + max(0.0, value)
    x = rising_root(lambda x: x - 1 - bounded_exp(value - x), 1.0, high)
    return game.cost + mu * x


# --- capacity ------------------------------------------------------------------------------------


def _nash_by_search(game: PricingGame) -> PricingOutcome:
    """Cyclic best responses, damped if they go on for long."""
    matrix: Floats = np.repeat(_nash_margins(game)[:, None], game.states, axis=1)
    for sweep in range(SWEEPS):
        before = matrix.copy()
        for i, state in product(range(game.n), range(game.states)):
            best = game.best_price(i, state, matrix)
            matrix[i, state] = best if sweep < DAMPED_FROM else 0.5 * (best + matrix[i, state])
        if np.max(np.abs(matrix - before)) < TOLERANCE:
            break
    return game.outcome(np.round(matrix, DIGITS))


def _joint_by_search(game: PricingGame) -> PricingOutcome:
    """Best sum of profits by Nelder-Mead, from what is best at each single outside option."""
    from scipy.optimize import minimize

    shape = (game.n, game.states)

    def loss(flat: Floats) -> float:
        return -float(game.profits(flat.reshape(shape)).sum())

    def descend(best: Floats) -> Floats:
        """Nelder-Mead, restarted until it gains no more: a restart makes a fresh simplex."""
        options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000 * best.size}
        for _ in range(20):
            found = minimize(loss, best, method="Nelder-Mead", options=options).x
            if loss(best) - loss(found) < 1e-12:
                break
            best = found
        return best

    starts = [np.repeat(_joint_in_quantities(game), game.states)]
    starts += [np.repeat(_joint_margins(game) - shift, game.states) for shift in game.outside]
    found = [descend(start) for start in starts]
    return game.outcome(np.round(min(found, key=loss), DIGITS))


def _joint_in_quantities(game: PricingGame) -> Floats:
    """Joint-profit prices `[N]` against the mean outside option and at the mean mass."""
    from scipy.optimize import minimize

    mu, outside = game.config.differentiation, float(game.outside.mean())
    most = min(game.capacity / max(float(game.mass @ game.weight), 1e-9), 1.0)

    def prices(q: Floats) -> Floats:
        """p_i = a_i - a_0 + mu ln(q_0/q_i)."""
        value: Floats = game.quality - outside + mu * (np.log(1 - q.sum()) - np.log(q))
        return value

    def loss(q: Floats) -> float:
        return -float(((prices(q) - game.cost) * q).sum())

    def gradient(q: Floats) -> Floats:
        """Of `loss`."""
        value: Floats = -(prices(q) - game.cost - mu - mu * q.sum() / (1 - q.sum()))
        return value

    bounds = [(1e-9, min(most, 1 - 1e-9))] * game.n
    start = np.full(game.n, min(0.9 * most, 0.5 / game.n))
    limit = {"type": "ineq", "fun": lambda q: 1 - 1e-9 - q.sum(), "jac": lambda q: -np.ones(game.n)}
    found = minimize(
        loss, start, jac=gradient, method="SLSQP", bounds=bounds, constraints=[limit],
        options={"ftol": 1e-15, "maxiter": 1000},
    )  # fmt: skip
    return prices(np.clip(found.x, 1e-9, min(most, 1 - 1e-9)))


# --- homogeneous products ------------------------------------------------------------------------


def _bertrand(config: CloudBandwidthConfig) -> tuple[PricingOutcome, PricingOutcome]:
    """Nash and joint-profit outcomes of homogeneous products; capacity does not bind."""
    cost = np.array(config.each(config.cost))
    logit, linear = config.demand == "logit", config.demand == "linear"
    quality = np.full(config.providers, config.reservation_price)
    if logit:
        quality = np.array(config.each(config.quality))
    h = config.outside_shock if logit else 0.0
    base = config.outside_quality if logit else 0.0
    outside = base + np.array([-h, 0.0, h] if h else [0.0])
    offer = quality - cost
    best = int(np.argmax(offer))
    rival = float(np.max(np.delete(offer, best), initial=-np.inf))

    def buying(price: float) -> float:
        """The share of consumers who buy at the best provider's price if nobody beats it."""
        if linear:
            return max(0.0, 1.0 - price / float(quality[best]))
        return float(np.mean(quality[best] - price >= outside - 1e-12))

    def seller(price: float) -> float:
        """The best provider's profit per unit of mass if nobody beats its offer."""
        return float(price - cost[best]) * buying(price)

    # A price that is best against a random outside option leaves buyers exactly one of its values.
    options = [float(quality[best] - a) for a in outside if quality[best] - a >= cost[best]]
    if linear and quality[best] >= cost[best]:
        options = [float(quality[best] + cost[best]) / 2.0]
    monopoly = max(options, key=seller, default=float(cost[best]))
    matched = float(quality[best]) - max(rival, -1e300)
    competitive = max((p for p in [*options, matched] if p <= matched), key=seller, default=matched)
    surge = config.surge
    mass = config.background_demand
    if surge:
        mass *= 1 + surge.share * (float(np.mean(surge.multipliers)) - 1)

    def outcome(price: float, others: Floats) -> PricingOutcome:
        """The best provider at a price, the others at theirs `[N]`; equal offers share."""
        prices = others.copy()
        prices[best] = price
        tied = np.abs((quality - prices) - (quality[best] - price)) < 1e-9
        earns = np.array([buying(price)])
        profits = np.where(tied, (prices - cost) * earns * mass / tied.sum(), 0.0)
        if abs(price - competitive) < 1e-12 and tied.sum() > 1 and price > cost[best]:
            # At this price the best provider takes all: it could undercut by next to nothing.
            profits = np.zeros(config.providers)
            profits[best] = mass * seller(price)
        return PricingOutcome(prices[:, None], prices, profits)

    return outcome(competitive, cost), outcome(monopoly, quality - (quality[best] - monopoly))
