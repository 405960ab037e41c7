"""The posting game on the providers' price grids: its own equilibrium and joint optimum.

The benchmarks of `benchmarks.py` lie off the grid. The grid price nearest to one of them can be
another kind of outcome: with homogeneous products the step below cost, or a step at which nobody
buys. Players who are to compete or collude on the grid therefore post

- the pure equilibrium of the grid game that is nearest to the static Nash prices. A grid game may
  have none (asymmetric costs, coarse grids); then each posts its grid price nearest to Nash;
- the joint prices with the largest sum of profits; among equal ones those that are nearest to each
  other, and of these the nearest to the joint-profit prices.

The game is solved by looking at every joint price, expected over the shocks of the outside option.

How patient must providers be to hold the collusive prices by grim trigger (Friedman, Review of
Economic Studies 38(1), 1971)? Seat i earns C_i there, D_i in the round in which it leaves them, and
N_i ever after at the competitive prices: it stays from the discount (D_i - C_i)/(D_i - N_i) on. A
provider that sells in several regions leaves them in all at once, since it is punished in all: C, D
and N are then sums over its regions. So slack where it is strong helps where it is weak; regions
and providers that are alike have no slack to lend (Bernheim, Whinston, RAND Journal of Economics
21(1), 1990).
"""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Bools, Floats, Ints

ROUNDING = 1e-9  # of the largest profit: differences below this are rounding


def grid_profits(grid: Floats, cost: Floats, mass: float, shares: Floats) -> Floats:
    """Each provider's profit under every joint price.

    Args:
        grid: prices, money, float64 `[N, m]`.
        cost: money, float64 `[N]`.
        mass: background demand, units.
        shares: of each provider, expected, float64 `[J, N]`; J joint prices, the last provider's
            fastest.

    Returns:
        Money, float64 `[N, m, .., m]`, an axis for each provider's step.
    """
    providers, prices = grid.shape
    steps = np.indices((prices,) * providers).reshape(providers, -1)
    margin = np.take_along_axis(grid, steps, axis=1) - cost[:, None]
    profits: Floats = (margin * mass * shares.T).reshape(providers, *(prices,) * providers)
    return profits


def equilibria(profits: Floats) -> Bools:
    """Which joint prices are pure equilibria: bool `[m, .., m]` of profits `[N, m, .., m]`."""
    rounding = ROUNDING * float(np.abs(profits).max())
    stable: Bools = np.ones(profits.shape[1:], bool)
    for i, own in enumerate(profits):
        stable &= own >= own.max(axis=i, keepdims=True) - rounding
    return stable


def competitive_steps(grid: Floats, profits: Floats, nash: Floats) -> Ints | None:
    """The steps of the pure equilibrium nearest to the prices `nash`; None: the grid has none.

    Args:
        grid: prices, money, float64 `[N, m]`.
        profits: float64 `[N, m, .., m]`.
        nash: static Nash prices off the grid, money, float64 `[N]`.

    Returns:
        int64 `[N]`.
    """
    found = np.argwhere(equilibria(profits))
    if not len(found):
        return None
    steps: Ints = found[np.argmin(_distance(grid, found, nash))]
    return steps


def collusive_steps(grid: Floats, profits: Floats, joint: Floats) -> Ints:
    """The steps with the largest sum of profits, ties as the module's docstring says.

    Args:
        grid: prices, money, float64 `[N, m]`.
        profits: float64 `[N, m, .., m]`.
        joint: joint-profit prices off the grid, money, float64 `[N]`.

    Returns:
        int64 `[N]`.
    """
    total = profits.sum(axis=0)
    best = np.argwhere(total >= total.max() - ROUNDING * float(np.abs(total).max()))
    apart = np.ptp(best, axis=1)
    best = best[apart == apart.min()]
    steps: Ints = best[np.argmin(_distance(grid, best, joint))]
    return steps


def trigger_payoffs(profits: Floats, collusive: Ints, competitive: Ints) -> Floats:
    """C, D and N of every provider of one region, money, float64 `[3, N]`.

    Args:
        profits: float64 `[N, m, .., m]`.
        collusive: steps int64 `[N]`.
        competitive: steps int64 `[N]`.
    """
    found = np.empty((3, len(profits)))
    for i, own in enumerate(profits):
        others = tuple(slice(None) if j == i else int(step) for j, step in enumerate(collusive))
        found[:, i] = own[tuple(collusive)], own[others].max(), own[tuple(competitive)]
    return found


def critical_discounts(payoffs: Floats) -> tuple[float, float]:
    """The least discounts at which all stay: each seat for itself, and each provider in all.

    Args:
        payoffs: `trigger_payoffs` of every region, money, float64 `[R, 3, N]`.

    Returns:
        The largest over seats, and the largest over providers, of (D - C)/(D - N); NaN where
        leaving costs a round's profit or gains nothing over competition.
    """

    def largest(stay: Floats, leave: Floats, compete: Floats) -> float:
        lost = leave - compete
        return float(((leave - stay) / lost).max()) if (lost > 0).all() else float("nan")

    alone = largest(*(payoffs[:, k].ravel() for k in range(3)))
    return alone, largest(*payoffs.sum(axis=0))


def _distance(grid: Floats, steps: Ints, prices: Floats) -> Floats:
    """The sum over providers of the distance to `prices` `[N]`, of joint steps `[K, N]`: `[K]`."""
    posted = np.take_along_axis(grid, steps.T, axis=1)
    apart: Floats = np.abs(posted - prices[:, None]).sum(axis=0)
    return apart
