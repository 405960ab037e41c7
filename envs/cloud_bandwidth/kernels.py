"""The rules of the cloud market, as compiled functions of one copy.

Demand of background consumers: logit shares (Anderson, de Palma, Thisse, Discrete Choice Theory of
Product Differentiation, MIT Press, 1992), its limit without differentiation, or unit demand.
Rationing of tenants: a lottery among priority requests, then one among the others.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by the positions below. Letters: N
providers, m prices of each, S seats (the providers first, then the tenants), M measures, W numbers
of a state row.
"""

from __future__ import annotations

from math import exp, floor, inf, log, log1p
from typing import Any

from tacit.envs.jit.decorators import called_kernel, kernel
from tacit.envs.rng import below, u

from .measures import (
    CONSUMER_SURPLUS,
    CRITICAL,
    CRITICAL_UNSERVED,
    EXAGGERATION,
    FALSE_HEADROOM,
    FINES,
    PAYMENT,
    PRICE,
    PRICE_CHANGE,
    PROFIT,
    QUANTITY,
    REVENUE,
    SLA_BREACH,
    SURPLUS,
    UNSERVED,
    UPTIME,
    UTILISATION,
    WELFARE,
)
from .surges import advance_surges, begin_surges, multiplier

# --- positions in `params`, float64 ---------------------------------------------------------------

N_PROVIDERS = 0  # N
N_PRICES = 1  # m
JOINTS = 2  # joint prices, m^N
MEMORY_SIZE = 3  # remembered joint prices, JOINTS^memory
RULE = 4  # of demand: LOGIT, BEST_OFFER or CHEAPEST
MU = 5  # how differentiated products are, money
OUTSIDE = 6  # a_0, what not buying is worth, money
SHOCK_SIZE = 7  # a_0 moves by so much up or down, money; 0: never
RESERVATION = 8  # the most that unit demand pays, money
MASS = 9  # of background consumers, units
CAPACITY = 10  # of each provider, units; infinite: none
HAS_SURGE = 11  # 1 if background demand surges
SURGE = 12  # position in `params` of the block of `surges.py`
N_TENANTS = 13  # tenants
RHO = 14  # probability that a tenant's need is critical
STANDARD_VALUE = 15  # of a unit to a tenant with a standard need, money
CRITICAL_VALUE = 16  # with a critical one, money
SURCHARGE = 17  # paid for every priority request, money
CLAIMS = 18  # 1 if providers claim headroom
FINE = 19  # for a false claim, money
CLAIMS_HEARD = 20  # 0: tenants see `ample`, whatever was claimed
START_MEMORY = 21  # index of the prices remembered at first; -1: drawn
PLAIN = 22  # 1 if nothing can go unserved or be claimed (`measures.is_plain`)
TABLED = 23  # joint prices in the demand table; 0: there is no table
GRID = 24  # position in `params` of the price grids [N, m], money; behind them a - p [N, m]
TABLE = 25  # position in `params` of the demand table: see `tabled_demand`
COST = 26  # from here each provider's cost of a unit, money [N]

LOGIT, BEST_OFFER, CHEAPEST = range(3)  # values of RULE

# --- positions in `state`, float64 ----------------------------------------------------------------

STARTED = 0  # 1 after the first round
PAST = 1  # the remembered prices as one index: the oldest round first, provider by provider
POSTED = 2  # from here each provider's last price, as its step on the own grid
# Then each provider's load (1: surge), at `loads_at`; each one's claim (1: tight), at `claims_at`;
# each tenant's need (1: critical), at `needs_at`; with surges drawn from lists the numbers of
# `surges.py`, at `drawn_at`.

# --- slots of draws -------------------------------------------------------------------------------

SHOCK = 0  # of the outside option
FIRST_PRICES = 1  # remembered at an episode's beginning
ROUNDING = 128  # from here one for each provider: whether a fraction of a unit becomes one
NEED = 192  # from here one for each tenant: its need
LOTTERY = 256  # from here one for each tenant: whether it is served
# Slots 64 .. 127 and from 320 on belong to `surges.py`.

EPSILON = 1e-9  # offers that differ by less are tied, whatever the rounding

# --- where things lie in the state ----------------------------------------------------------------


@kernel
def loads_at(providers: Any) -> Any:
    """The position in `state` `[W]` of provider 0's load."""
    return POSTED + providers


@kernel
def claims_at(providers: Any) -> Any:
    """The position in `state` `[W]` of provider 0's claim."""
    return POSTED + 2 * providers


@kernel
def needs_at(providers: Any) -> Any:
    """The position in `state` `[W]` of tenant 0's need."""
    return POSTED + 3 * providers


@kernel
def drawn_at(providers: Any, tenants: Any) -> Any:
    """The position in `state` `[W]` of what was drawn from lists of surges."""
    return POSTED + 3 * providers + tenants


# --- episodes -------------------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode in `state` `[W]`.

    Remembered prices are drawn, or those of a benchmark; loads are drawn from their long run.
    """
    providers = int(params[N_PROVIDERS])
    prices = int(params[N_PRICES])
    state[:] = 0.0
    if params[START_MEMORY] >= 0.0:
        state[PAST] = params[START_MEMORY]
    else:
        state[PAST] = below(key, FIRST_PRICES, params[MEMORY_SIZE])
    past = int(state[PAST])
    if params[MEMORY_SIZE] > 1.0:
        # The last round's prices are the lowest digits of the index, the last provider's lowest.
        for i in range(providers - 1, -1, -1):
            state[POSTED + i] = past % prices
            past //= prices
    if params[HAS_SURGE] == 1.0:
        loads, drawn = loads_at(providers), drawn_at(providers, int(params[N_TENANTS]))
        begin_surges(params, state, key, int(params[SURGE]), providers, loads, drawn)


@called_kernel
def end_of_round(params: Any, state: Any, key: Any) -> None:
    """Draw the next round's loads into `state` `[W]`."""
    if params[HAS_SURGE] == 1.0:
        providers = int(params[N_PROVIDERS])
        loads, drawn = loads_at(providers), drawn_at(providers, int(params[N_TENANTS]))
        advance_surges(params, state, key, int(params[SURGE]), providers, loads, drawn)


# --- observations ---------------------------------------------------------------------------------


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees, from `state` `[W]`.

    A provider: past prices, then its own load; one more observation while tenants request. A
    tenant: one observation while providers post, then its need, all prices and all claims.
    """
    providers = int(params[N_PROVIDERS])
    if seat < providers:
        index = int(state[PAST])
        if params[HAS_SURGE] == 1.0:
            index = 2 * index + int(state[loads_at(providers) + seat])
        if phase == 1:
            index = int(params[MEMORY_SIZE] * (1.0 + params[HAS_SURGE]))
        return index
    if phase == 0:
        return 0
    index = int(state[needs_at(providers) + seat - providers])
    for i in range(providers):
        index = index * int(params[N_PRICES]) + int(state[POSTED + i])
    if params[CLAIMS] == 1.0:
        for i in range(providers):
            claim = int(state[claims_at(providers) + i])
            index = 2 * index + claim * int(params[CLAIMS_HEARD])
    return 1 + index


# --- demand ---------------------------------------------------------------------------------------

# Each rule of demand fills `measures[i, QUANTITY]` with provider i's share of the consumers, and
# returns the mean gain over not buying of those who buy, money. Background consumers are a mass, so
# quantities are fractions of it.


@kernel
def net_utility(params: Any, state: Any, i: Any) -> Any:
    """a_i - p_i at provider i's posted price, money; `state` `[W]`."""
    cells = int(params[N_PROVIDERS] * params[N_PRICES])  # the grid of prices comes first
    return params[int(params[GRID]) + cells + i * int(params[N_PRICES]) + int(state[POSTED + i])]


@kernel
def logit(params: Any, state: Any, outside: Any, measures: Any) -> Any:
    """q_i = exp((a_i - p_i)/mu) / (sum_j exp((a_j - p_j)/mu) + exp(a_0/mu)), into QUANTITY.

    Consumers gain mu ln(1/q_0) on average (Small, Rosen, Econometrica 49(1), 1981), all of it by
    the share 1 - q_0 that buys. `state` `[W]`, `measures` `[S + 1, M]`.

    Returns:
        The mean gain of those who buy.
    """
    providers, mu = int(params[N_PROVIDERS]), params[MU]
    # Subtracting the largest exponent keeps exp from overflowing.
    top = outside
    for i in range(providers):
        top = max(top, net_utility(params, state, i))
    inside, out = 0.0, exp((outside - top) / mu)
    for i in range(providers):
        weight = exp((net_utility(params, state, i) - top) / mu)
        measures[i, QUANTITY] = weight
        inside += weight
    for i in range(providers):
        measures[i, QUANTITY] /= inside + out
    # Three forms of mu ln(1/q_0) / (1 - q_0): its limit where nobody buys, and two of which each
    # is exact where the other would lose digits.
    if inside == 0.0:
        return mu
    if inside < out:
        return mu * log1p(inside / out) / (inside / (inside + out))
    return (mu * log(inside + out) + top - outside) / (inside / (inside + out))


@kernel
def best_offer(params: Any, state: Any, outside: Any, measures: Any) -> Any:
    """The limit mu -> 0: the highest a_i - p_i takes all if it is at least a_0; ties split.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    providers = int(params[N_PROVIDERS])
    top = -inf
    for i in range(providers):
        top = max(top, net_utility(params, state, i))
    ties = 0
    for i in range(providers):
        ties += 1 if net_utility(params, state, i) >= top - EPSILON else 0
    for i in range(providers):
        wins = net_utility(params, state, i) >= top - EPSILON and top >= outside - EPSILON
        measures[i, QUANTITY] = 1.0 / ties if wins else 0.0
    return max(0.0, top - outside)


@kernel
def cheapest(params: Any, state: Any, measures: Any) -> Any:
    """Unit demand: the cheapest share one unit if they ask no more than the reservation price.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    providers, prices, grid = int(params[N_PROVIDERS]), int(params[N_PRICES]), int(params[GRID])
    low = inf
    ties = 0
    for i in range(providers):
        low = min(low, params[grid + i * prices + int(state[POSTED + i])])
    for i in range(providers):
        ties += 1 if params[grid + i * prices + int(state[POSTED + i])] <= low + EPSILON else 0
    for i in range(providers):
        price = params[grid + i * prices + int(state[POSTED + i])]
        wins = price <= low + EPSILON and low <= params[RESERVATION] + EPSILON
        measures[i, QUANTITY] = 1.0 / ties if wins else 0.0
    return max(0.0, params[RESERVATION] - low)


@called_kernel
def demand(params: Any, state: Any, shock: Any, measures: Any) -> Any:
    """Demand by the market's rule, under a shock 0, 1 or 2: a_0 lower, as it is, higher.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    outside = params[OUTSIDE] + (shock - 1) * params[SHOCK_SIZE]
    if params[RULE] == LOGIT:
        return logit(params, state, outside, measures)
    if params[RULE] == BEST_OFFER:
        return best_offer(params, state, outside, measures)
    return cheapest(params, state, measures)


@kernel
def tabled_demand(params: Any, joint: Any, shock: Any, measures: Any) -> Any:
    """`demand` looked up in its table, which `CloudBandwidth.declare` fills by calling `demand`.

    The table has N + 1 numbers for each shock (if there are shocks) and joint price: the shares,
    then the gain. `params` `[.]`, `measures` `[S + 1, M]`.
    """
    providers = int(params[N_PROVIDERS])
    at = int(params[TABLE])
    if params[SHOCK_SIZE] > 0.0:
        at += shock * int(params[TABLED]) * (providers + 1)
    at += joint * (providers + 1)
    for i in range(providers):
        measures[i, QUANTITY] = params[at + i]
    return params[at + providers]


@kernel
def background_demand(params: Any, state: Any, joint: Any, measures: Any, key: Any) -> Any:
    """Demand under this round's shock, which is drawn; looked up where there is a table.

    `state` `[W]`, `measures` `[S + 1, M]`. Returns what each buyer gains over not buying.
    """
    shock = 1
    if params[SHOCK_SIZE] > 0.0:
        shock = below(key, SHOCK, 3)
    if params[TABLED] > 0.0:
        return tabled_demand(params, joint, shock, measures)
    return demand(params, state, shock, measures)


# --- a round --------------------------------------------------------------------------------------


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Providers post; then, if there are tenants, these request; then everybody is served.

    `state` float64 `[W]`, `actions` int64 `[S]`, `measures` float64 `[S + 1, M]`.
    """
    if phase == 0:
        joint = post(params, state, actions, measures)
        if params[PLAIN] == 1.0:
            serve_plain(params, state, joint, measures, key)
            return
        if params[N_TENANTS] > 0.0:
            providers = int(params[N_PROVIDERS])
            for t in range(int(params[N_TENANTS])):
                critical = u(key, NEED + t) < params[RHO]
                state[needs_at(providers) + t] = 1.0 if critical else 0.0
            return
    serve(params, state, actions, measures, key)
    end_of_round(params, state, key)


@kernel
def post(params: Any, state: Any, actions: Any, measures: Any) -> Any:
    """Post every provider's price and claim; returns the index of the joint price.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    providers, prices, grid = int(params[N_PROVIDERS]), int(params[N_PRICES]), int(params[GRID])
    joint = 0
    total = 0.0
    for i in range(providers):
        step = actions[i]
        if params[CLAIMS] == 1.0:  # the claim is the last digit of an action
            state[claims_at(providers) + i] = step % 2
            step = step // 2
        at = grid + i * prices
        price = params[at + step]
        measures[i, PRICE] = price
        if state[STARTED] == 1.0:
            measures[i, PRICE_CHANGE] = abs(price - params[at + int(state[POSTED + i])])
        total += price
        state[POSTED + i] = step
        joint = joint * prices + step
    measures[measures.shape[0] - 1, PRICE] = total / providers
    state[STARTED] = 1.0
    size, joints = params[MEMORY_SIZE], params[JOINTS]
    if size == joints:  # one round is remembered
        state[PAST] = joint
    elif size > 1.0:  # two rounds: the older one is dropped, the other becomes the older one
        state[PAST] = int(state[PAST]) % int(joints) * int(joints) + joint
    return joint


@kernel
def serve_plain(params: Any, state: Any, joint: Any, measures: Any, key: Any) -> None:
    """Serve everybody: no capacity, surges, tenants or claims.

    `state` `[W]`, `measures` `[S + 1, M]`.
    """
    providers = int(params[N_PROVIDERS])
    market = providers
    gain = background_demand(params, state, joint, measures, key)
    sold = revenue = earned = 0.0
    for i in range(providers):
        quantity = params[MASS] * measures[i, QUANTITY]
        price = measures[i, PRICE]
        profit = (price - params[COST + i]) * quantity
        measures[i, PROFIT] = profit
        measures[i, REVENUE] = price * quantity
        measures[i, QUANTITY] = quantity
        sold += quantity
        revenue += price * quantity
        earned += profit
    measures[market, QUANTITY] = sold
    measures[market, REVENUE] = revenue
    measures[market, CONSUMER_SURPLUS] = gain * sold
    measures[market, WELFARE] = earned + gain * sold


@called_kernel
def serve(params: Any, state: Any, actions: Any, measures: Any, key: Any) -> None:
    """Background consumers and tenants share each provider's capacity.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    providers, tenants = int(params[N_PROVIDERS]), int(params[N_TENANTS])
    market = providers + tenants
    joint = 0
    for i in range(providers):
        joint = joint * int(params[N_PRICES]) + int(state[POSTED + i])
    gain = background_demand(params, state, joint, measures, key)
    for i in range(providers):
        load = state[loads_at(providers) + i]
        background = params[MASS] * measures[i, QUANTITY]
        if load == 1.0:
            drawn = drawn_at(providers, tenants) + i
            background *= multiplier(params, state, int(params[SURGE]), drawn)
        served = ration(params, state, i, background, actions, measures, key)
        # `ration` has booked the tenants' units and payments; background consumers come on top.
        price, cost = measures[i, PRICE], params[COST + i]
        measures[i, QUANTITY] += served
        measures[i, REVENUE] += price * served
        fine = 0.0
        if params[CLAIMS] == 1.0 and state[claims_at(providers) + i] != load:
            fine = params[FINE]
            measures[i, FALSE_HEADROOM] = 1.0
        quantity = measures[i, QUANTITY]
        profit = measures[i, REVENUE] - cost * quantity - fine
        measures[i, PROFIT] = profit
        measures[i, UTILISATION] = quantity / params[CAPACITY]
        measures[i, SLA_BREACH] = 1.0 if measures[i, UNSERVED] > EPSILON else 0.0
        measures[market, FINES] += fine
        measures[market, QUANTITY] += quantity
        measures[market, REVENUE] += measures[i, REVENUE]
        measures[market, CONSUMER_SURPLUS] += gain * served
        measures[market, WELFARE] += profit + fine
    measures[market, WELFARE] += measures[market, CONSUMER_SURPLUS]
    for t in range(tenants):
        need = state[needs_at(providers) + t]
        seat = providers + t
        measures[seat, CRITICAL] = need
        measures[seat, CRITICAL_UNSERVED] = need * (1.0 - measures[seat, UPTIME])
        measures[market, WELFARE] += measures[seat, SURPLUS]


@kernel
def ration(params: Any, state: Any, i: Any, background: Any, actions: Any, measures: Any,
           key: Any) -> Any:  # fmt: skip
    """Provider i's tenants, by lottery: priority requests first, then the others beside background.

    A tenant's action is 2 * provider + priority, where provider 0 stands for none. With capacity C,
    k priority requests among n, and background demand B, a priority request is served with
    probability min(1, C/k), another with min(1, (C - k)^+ / (n - k + B)), whole or not at all.

    Args:
        params: `[.]`.
        state: `[W]`.
        i: the provider.
        background: B, units.
        actions: int64 `[S]`.
        measures: `[S + 1, M]`.
        key: for draws.

    Returns:
        The units that background consumers get.
    """
    providers, tenants = int(params[N_PROVIDERS]), int(params[N_TENANTS])
    requests = urgent = 0
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            requests += 1
            urgent += actions[providers + t] % 2
    capacity = params[CAPACITY]
    first = int(min(float(urgent), capacity))  # priority requests that are served
    room = max(capacity - urgent, 0.0)
    others = requests - urgent
    if others + background <= room:
        second, served = others, background
    else:
        # The others' share of the room is a fraction; a draw rounds it so that its mean is kept.
        expected = room * others / (others + background)
        second = min(others, floor(expected + u(key, ROUNDING + i)))
        served = min(background, room - second)
    measures[i, UNSERVED] = (background - served) + (requests - first - second)
    measures[i, QUANTITY] = 0.0
    # Each request in turn gets one of the `first` (or `second`) places left with probability
    # places left / requests left, which serves every subset of that size equally often.
    left_urgent, left_others = urgent, others
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            draw = u(key, LOTTERY + t)
            if actions[providers + t] % 2 == 1:
                wins = 1 if draw * left_urgent < first else 0
                first -= wins
                left_urgent -= 1
            else:
                wins = 1 if draw * left_others < second else 0
                second -= wins
                left_others -= 1
            serve_tenant(params, state, i, t, wins, actions[providers + t] % 2, measures)
    return served


@kernel
def serve_tenant(params: Any, state: Any, i: Any, t: Any, wins: Any, priority: Any,
                 measures: Any) -> None:  # fmt: skip
    """Book tenant t's round with provider i.

    Args:
        params: `[.]`.
        state: `[W]`.
        i: the provider.
        t: the tenant.
        wins: 1 if it is served.
        priority: 1 if it asked for priority.
        measures: `[S + 1, M]`.
    """
    providers = int(params[N_PROVIDERS])
    seat = providers + t
    need = state[needs_at(providers) + t]
    value = params[CRITICAL_VALUE] if need == 1.0 else params[STANDARD_VALUE]
    payment = wins * measures[i, PRICE] + priority * params[SURCHARGE]
    measures[seat, PAYMENT] = payment
    measures[seat, SURPLUS] = wins * value - payment
    measures[seat, UPTIME] = float(wins)
    measures[seat, EXAGGERATION] = priority * (1.0 - need)
    measures[i, REVENUE] += payment
    measures[i, QUANTITY] += wins
