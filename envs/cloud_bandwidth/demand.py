"""What background consumers buy, as compiled functions of one copy.

Logit shares (Anderson, de Palma, Thisse, Discrete Choice Theory of Product Differentiation, MIT
Press, 1992), their limit without differentiation, unit demand, or linear demand.

Each rule fills `measures[i, QUANTITY]` with provider i's share of the consumers, and returns the
mean gain over not buying of those who buy, money. Background consumers are a mass, so quantities
are fractions of it. Every region is a market of its own, whose seats are `first` to `last - 1`.
`params` float64 `[.]` and `state` float64 `[W]` are laid out by `positions.py`; `measures` is
float64 `[S + 1, M]`.
"""

from __future__ import annotations

from math import exp, inf, log, log1p
from typing import Any

from tacit.envs.jit.decorators import called_kernel, kernel
from tacit.envs.rng import below

from . import positions as at
from .measures import QUANTITY

EPSILON = 1e-9  # offers that differ by less are tied, whatever the rounding


@kernel
def net_utility(params: Any, state: Any, i: Any) -> Any:
    """a_i - p_i at provider i's posted price, money; `state` `[W]`."""
    cells = int(params[at.N_PROVIDERS] * params[at.N_PRICES])  # the grid of prices comes first
    own = int(params[at.GRID]) + cells + i * int(params[at.N_PRICES])
    return params[own + int(state[at.POSTED + i])]


@kernel
def logit(params: Any, state: Any, outside: Any, measures: Any, first: Any,
          last: Any) -> Any:  # fmt: skip
    """q_i = exp((a_i - p_i)/mu) / (sum_j exp((a_j - p_j)/mu) + exp(a_0/mu)), into QUANTITY.

    Consumers gain mu ln(1/q_0) on average (Small, Rosen, Econometrica 49(1), 1981), all of it by
    the share 1 - q_0 that buys. `state` `[W]`, `measures` `[S + 1, M]`.

    Returns:
        The mean gain of those who buy.
    """
    mu = params[at.MU]
    # Subtracting the largest exponent keeps exp from overflowing.
    top = outside
    for i in range(first, last):
        top = max(top, net_utility(params, state, i))
    inside, out = 0.0, exp((outside - top) / mu)
    for i in range(first, last):
        weight = exp((net_utility(params, state, i) - top) / mu)
        measures[i, QUANTITY] = weight
        inside += weight
    for i in range(first, last):
        measures[i, QUANTITY] /= inside + out
    # Three forms of mu ln(1/q_0) / (1 - q_0): its limit where nobody buys, and two of which each
    # is exact where the other would lose digits.
    if inside == 0.0:
        return mu
    if inside < out:
        return mu * log1p(inside / out) / (inside / (inside + out))
    return (mu * log(inside + out) + top - outside) / (inside / (inside + out))


@kernel
def best_offer(params: Any, state: Any, outside: Any, measures: Any, first: Any,
               last: Any) -> Any:  # fmt: skip
    """The limit mu -> 0: the highest a_i - p_i takes all if it is at least a_0; ties split.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    top = -inf
    for i in range(first, last):
        top = max(top, net_utility(params, state, i))
    ties = 0
    for i in range(first, last):
        ties += 1 if net_utility(params, state, i) >= top - EPSILON else 0
    for i in range(first, last):
        wins = net_utility(params, state, i) >= top - EPSILON and top >= outside - EPSILON
        measures[i, QUANTITY] = 1.0 / ties if wins else 0.0
    return max(0.0, top - outside)


@kernel
def cheapest(params: Any, state: Any, measures: Any, first: Any, last: Any) -> Any:
    """Unit demand: the cheapest share one unit if they ask no more than the reservation price.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    prices = int(params[at.N_PRICES])
    grid = int(params[at.GRID])
    low = inf
    ties = 0
    for i in range(first, last):
        low = min(low, params[grid + i * prices + int(state[at.POSTED + i])])
    for i in range(first, last):
        ties += 1 if params[grid + i * prices + int(state[at.POSTED + i])] <= low + EPSILON else 0
    for i in range(first, last):
        price = params[grid + i * prices + int(state[at.POSTED + i])]
        wins = price <= low + EPSILON and low <= params[at.RESERVATION] + EPSILON
        measures[i, QUANTITY] = 1.0 / ties if wins else 0.0
    return max(0.0, params[at.RESERVATION] - low)


@kernel
def linear(params: Any, state: Any, measures: Any, first: Any, last: Any) -> Any:
    """Linear demand: the share 1 - p/r buys at the lowest price p, ties split it equally.

    r is the reservation price: consumers' values are uniform on [0, r]. `state` `[W]`, `measures`
    `[S + 1, M]`. Returns the mean gain of those who buy: their values are uniform on [p, r].
    """
    gain = cheapest(params, state, measures, first, last)
    for i in range(first, last):
        measures[i, QUANTITY] *= gain / params[at.RESERVATION]
    return 0.5 * gain


@called_kernel
def demand(params: Any, state: Any, shock: Any, region: Any, measures: Any) -> Any:
    """A region's demand by the market's rule, under a shock 0, 1 or 2: a_0 lower, as it is, higher.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    first = region * int(params[at.FIRMS])
    last = first + int(params[at.FIRMS])
    outside = params[at.OUTSIDE] + (shock - 1) * params[at.SHOCK_SIZE]
    if params[at.RULE] == at.LOGIT:
        return logit(params, state, outside, measures, first, last)
    if params[at.RULE] == at.BEST_OFFER:
        return best_offer(params, state, outside, measures, first, last)
    if params[at.RULE] == at.LINEAR:
        return linear(params, state, measures, first, last)
    return cheapest(params, state, measures, first, last)


@kernel
def tabled_demand(params: Any, joint: Any, shock: Any, region: Any, measures: Any) -> Any:
    """`demand` looked up in its table, which `demand_loop` fills by calling `demand`.

    The table has FIRMS + 1 numbers for each region, shock (if there are shocks) and joint price of
    the region: the shares, then the gain. `params` `[.]`, `measures` `[S + 1, M]`.
    """
    firms = int(params[at.FIRMS])
    layer = region
    if params[at.SHOCK_SIZE] > 0.0:
        layer = 3 * region + shock
    cell = int(params[at.TABLE]) + (layer * int(params[at.TABLED]) + joint) * (firms + 1)
    for i in range(firms):
        measures[region * firms + i, QUANTITY] = params[cell + i]
    return params[cell + firms]


@kernel
def region_joint(params: Any, state: Any, region: Any) -> Any:
    """The index of the joint price posted in a region, its last seat's fastest; `state` `[W]`."""
    firms, joint = int(params[at.FIRMS]), 0
    for i in range(region * firms, (region + 1) * firms):
        joint = joint * int(params[at.N_PRICES]) + int(state[at.POSTED + i])
    return joint


@kernel
def background_demand(params: Any, state: Any, joint: Any, region: Any, measures: Any,
                      key: Any) -> Any:  # fmt: skip
    """A region's demand under this round's shock, which is drawn; looked up where there is a table.

    All regions have the same shock. `joint` is the index of the region's joint price. `state`
    `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    shock = 1
    if params[at.SHOCK_SIZE] > 0.0:
        shock = below(key, at.SHOCK, 3)
    if params[at.TABLED] > 0.0:
        return tabled_demand(params, joint, shock, region, measures)
    return demand(params, state, shock, region, measures)
