"""The rules of the cloud market, as scalar functions of one copy.

Demand of background consumers: logit shares (Anderson, de Palma, Thisse, Discrete Choice Theory of
Product Differentiation, MIT Press, 1992), its limit without differentiation, or unit demand.
Rationing of tenants: a lottery among priority requests, then one among the others.
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
from .surges import begin, move_on, multiplier

# --- rows of numbers -------------------------------------------------------------------------

# params: scalars (START_MEMORY -1: drawn), cost [N], from params[GRID] on prices [N, m] and a - p
# [N, m]; with HAS_SURGE from params[SURGE] on what `surges.py` lays out; if TABLED (its number of
# joint prices), from params[TABLE] on demand's answers by shock and joint price: quantity [N] and
# gain per unit
(N_PROVIDERS, N_PRICES, JOINTS, MEMORY_SIZE, RULE, MU, OUTSIDE, SHOCK_SIZE, RESERVATION, MASS,
 CAPACITY, HAS_SURGE, SURGE, N_TENANTS, RHO, STANDARD_VALUE, CRITICAL_VALUE, SURCHARGE, CLAIMS,
 FINE, CLAIMS_HEARD, START_MEMORY, PLAIN, TABLED, GRID, TABLE, COST) = range(27)  # fmt: skip
LOGIT, BEST_OFFER, CHEAPEST = range(3)  # values of RULE

# state: 1 after the first round; past prices as one index; then by provider: price posted last,
# load (1: surge), claim (1: tight); then every tenant's need (1: critical); where surges are drawn
# from lists, then every provider's multiplier (its position) and rounds of the surge left
STARTED, PAST, POSTED = range(3)

# slots of draws; a slot per seat behind each
SHOCK, FIRST_PRICES, ROUNDING, NEED, LOTTERY = 0, 1, 128, 192, 256  # (surges.py has the others)

EPSILON = 1e-9  # offers that differ by less are tied, whatever the rounding

# --- state -----------------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Past prices are drawn (or the benchmark's), loads from the long run of their chain."""
    providers = int(params[N_PROVIDERS])
    prices = int(params[N_PRICES])
    state[:] = 0.0
    if params[START_MEMORY] >= 0.0:
        state[PAST] = params[START_MEMORY]
    else:
        state[PAST] = below(key, FIRST_PRICES, params[MEMORY_SIZE])
    past = int(state[PAST])
    if params[MEMORY_SIZE] > 1.0:
        for i in range(providers - 1, -1, -1):
            state[POSTED + i] = past % prices
            past //= prices
    if params[HAS_SURGE] == 1.0:
        loads = POSTED + providers
        begin(params, state, key, int(params[SURGE]), providers, loads, drawn_at(params))


@kernel
def drawn_at(params: Any) -> Any:
    """Where the state holds what was drawn from lists of surges."""
    return POSTED + 3 * int(params[N_PROVIDERS]) + int(params[N_TENANTS])


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """A provider: past prices, own load. A tenant: own need, prices, claims."""
    providers = int(params[N_PROVIDERS])
    if seat < providers:
        index = int(state[PAST])
        if params[HAS_SURGE] == 1.0:
            index = 2 * index + int(state[POSTED + providers + seat])
        if phase == 1:  # nothing to decide
            index = int(params[MEMORY_SIZE] * (1.0 + params[HAS_SURGE]))
        return index
    if phase == 0:
        return 0
    index = int(state[POSTED + 3 * providers + seat - providers])
    for i in range(providers):
        index = index * int(params[N_PRICES]) + int(state[POSTED + i])
    if params[CLAIMS] == 1.0:
        for i in range(providers):
            claim = int(state[POSTED + 2 * providers + i])
            index = 2 * index + claim * int(params[CLAIMS_HEARD])
    return 1 + index


# --- demand ----------------------------------------------------------------------------------


@kernel
def net_utility(params: Any, state: Any, i: Any) -> Any:
    """a_i - p_i at the posted price."""
    cells = int(params[N_PROVIDERS] * params[N_PRICES])
    return params[int(params[GRID]) + cells + i * int(params[N_PRICES]) + int(state[POSTED + i])]


@kernel
def logit(params: Any, state: Any, outside: Any, measures: Any) -> Any:
    """q_i = exp((a_i - p_i)/mu) / (sum_j exp((a_j - p_j)/mu) + exp(a_0/mu)), into QUANTITY.

    Returns the mean gain over not buying of those who buy: consumers gain mu ln(1/q_0) on average
    (Small, Rosen, Econometrica 49(1), 1981), all of it by the share 1 - q_0 that buys.
    """
    providers, mu = int(params[N_PROVIDERS]), params[MU]
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
    if inside == 0.0:
        return mu
    if inside < out:
        return mu * log1p(inside / out) / (inside / (inside + out))
    return (mu * log(inside + out) + top - outside) / (inside / (inside + out))


@kernel
def best_offer(params: Any, state: Any, outside: Any, measures: Any) -> Any:
    """The limit mu -> 0: the highest a_i - p_i takes all if it is at least a_0; ties split.

    Returns what each buyer gains over not buying.
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
    """Unit demand: the cheapest share one unit if they ask no more than the reservation price."""
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
    """What each provider sells per unit of mass, into QUANTITY; returns the gain per unit."""
    outside = params[OUTSIDE] + (shock - 1) * params[SHOCK_SIZE]
    if params[RULE] == LOGIT:
        return logit(params, state, outside, measures)
    if params[RULE] == BEST_OFFER:
        return best_offer(params, state, outside, measures)
    return cheapest(params, state, measures)


@kernel
def look_up(params: Any, joint: Any, shock: Any, measures: Any) -> Any:
    """`demand` from its table in `params`."""
    providers = int(params[N_PROVIDERS])
    at = int(params[TABLE])
    if params[SHOCK_SIZE] > 0.0:
        at += shock * int(params[TABLED]) * (providers + 1)
    at += joint * (providers + 1)
    for i in range(providers):
        measures[i, QUANTITY] = params[at + i]
    return params[at + providers]


# --- a round ---------------------------------------------------------------------------------


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Providers post; then, if there are tenants, these request; then everybody is served."""
    if phase == 0:
        joint = post(params, state, actions, measures)
        if params[PLAIN] == 1.0:
            serve_plain(params, state, joint, measures, key)
            return
        if params[N_TENANTS] > 0.0:
            providers = int(params[N_PROVIDERS])
            for t in range(int(params[N_TENANTS])):
                critical = u(key, NEED + t) < params[RHO]
                state[POSTED + 3 * providers + t] = 1.0 if critical else 0.0
            return
    serve(params, state, actions, measures, key)
    end_of_round(params, state, key)


@kernel
def post(params: Any, state: Any, actions: Any, measures: Any) -> Any:
    """Every provider's price and claim; returns the joint price index."""
    providers, prices, grid = int(params[N_PROVIDERS]), int(params[N_PRICES]), int(params[GRID])
    joint = 0
    total = 0.0
    for i in range(providers):
        k = actions[i]
        if params[CLAIMS] == 1.0:
            state[POSTED + 2 * providers + i] = k % 2
            k = k // 2
        at = grid + i * prices
        price = params[at + k]
        measures[i, PRICE] = price
        if state[STARTED] == 1.0:
            measures[i, PRICE_CHANGE] = abs(price - params[at + int(state[POSTED + i])])
        total += price
        state[POSTED + i] = k
        joint = joint * prices + k
    measures[measures.shape[0] - 1, PRICE] = total / providers
    state[STARTED] = 1.0
    size, joints = params[MEMORY_SIZE], params[JOINTS]
    if size == joints:
        state[PAST] = joint
    elif size > 1.0:
        state[PAST] = int(state[PAST]) % int(joints) * int(joints) + joint
    return joint


@kernel
def wanted(params: Any, state: Any, joint: Any, measures: Any, key: Any) -> Any:
    """Background demand per unit of mass under this round's shock; returns the gain per unit."""
    shock = 1
    if params[SHOCK_SIZE] > 0.0:
        shock = below(key, SHOCK, 3)
    if params[TABLED] > 0.0:
        return look_up(params, joint, shock, measures)
    return demand(params, state, shock, measures)


@kernel
def serve_plain(params: Any, state: Any, joint: Any, measures: Any, key: Any) -> None:
    """Everybody is served: no capacity, surges, tenants or claims."""
    providers = int(params[N_PROVIDERS])
    market = providers
    gain = wanted(params, state, joint, measures, key)
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
    """Background consumers and tenants share each provider's capacity."""
    providers, tenants = int(params[N_PROVIDERS]), int(params[N_TENANTS])
    market = providers + tenants
    joint = 0
    for i in range(providers):
        joint = joint * int(params[N_PRICES]) + int(state[POSTED + i])
    gain = wanted(params, state, joint, measures, key)
    for i in range(providers):
        load = state[POSTED + providers + i]
        background = params[MASS] * measures[i, QUANTITY]
        if load == 1.0:
            background *= multiplier(params, state, int(params[SURGE]), drawn_at(params) + i)
        served = ration(params, state, i, background, actions, measures, key)
        price, cost = measures[i, PRICE], params[COST + i]
        measures[i, QUANTITY] += served
        measures[i, REVENUE] += price * served
        fine = 0.0
        if params[CLAIMS] == 1.0 and state[POSTED + 2 * providers + i] != load:
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
        need = state[POSTED + 3 * providers + t]
        seat = providers + t
        measures[seat, CRITICAL] = need
        measures[seat, CRITICAL_UNSERVED] = need * (1.0 - measures[seat, UPTIME])
        measures[market, WELFARE] += measures[seat, SURPLUS]


@kernel
def ration(params: Any, state: Any, i: Any, background: Any, actions: Any, measures: Any,
           key: Any) -> Any:  # fmt: skip
    """Provider i's tenants, by lottery: priority requests first, then the others beside background.

    A priority request is served with probability min(1, C/k), another with
    min(1, (C - k)^+ / (n - k + B)), whole or not at all. Returns what is served of background.
    """
    providers, tenants = int(params[N_PROVIDERS]), int(params[N_TENANTS])
    requests = urgent = 0
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            requests += 1
            urgent += actions[providers + t] % 2
    capacity = params[CAPACITY]
    first = int(min(float(urgent), capacity))
    room = max(capacity - urgent, 0.0)
    others = requests - urgent
    if others + background <= room:
        second, served = others, background
    else:
        expected = room * others / (others + background)
        second = min(others, floor(expected + u(key, ROUNDING + i)))
        served = min(background, room - second)
    measures[i, UNSERVED] = (background - served) + (requests - first - second)
    measures[i, QUANTITY] = 0.0
    left_urgent, left_others = urgent, others
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            luck = u(key, LOTTERY + t)
            if actions[providers + t] % 2 == 1:  # one of the places left for so many left
                wins = 1 if luck * left_urgent < first else 0
                first -= wins
                left_urgent -= 1
            else:
                wins = 1 if luck * left_others < second else 0
                second -= wins
                left_others -= 1
            settle(params, state, i, t, wins, actions[providers + t] % 2, measures)
    return served


@kernel
def settle(params: Any, state: Any, i: Any, t: Any, wins: Any, asked: Any, measures: Any) -> None:
    """A tenant's round with provider i: `wins` if served, `asked` if it asked for priority."""
    providers = int(params[N_PROVIDERS])
    seat = providers + t
    need = state[POSTED + 3 * providers + t]
    value = params[CRITICAL_VALUE] if need == 1.0 else params[STANDARD_VALUE]
    payment = wins * measures[i, PRICE] + asked * params[SURCHARGE]
    measures[seat, PAYMENT] = payment
    measures[seat, SURPLUS] = wins * value - payment
    measures[seat, UPTIME] = float(wins)
    measures[seat, EXAGGERATION] = asked * (1.0 - need)
    measures[i, REVENUE] += payment
    measures[i, QUANTITY] += wins


@called_kernel
def end_of_round(params: Any, state: Any, key: Any) -> None:
    """Loads move on."""
    if params[HAS_SURGE] == 1.0:
        providers = int(params[N_PROVIDERS])
        loads = POSTED + providers
        move_on(params, state, key, int(params[SURGE]), providers, loads, drawn_at(params))
