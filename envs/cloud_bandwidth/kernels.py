"""The rules of the cloud market, as compiled functions of one copy.

Background consumers buy (`demand.py`), then capacity is rationed: a lottery among tenants' priority
requests, then one among the others. Surges are in `surges.py`. With alternating moves one of two
providers posts a price, and the other's last price stays.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by `positions.py`. Letters: N
providers, m prices of each, S seats (the providers first, then the tenants), M measures, W numbers
of a state row. With several regions a provider has a seat in each, and N counts these seats, region
by region: what one of them asks changes demand in its own region only.
"""

from __future__ import annotations

from math import floor
from typing import Any

from tacit.envs.jit.decorators import called_kernel, kernel
from tacit.envs.rng import below, u

from . import positions as at
from .demand import EPSILON, background_demand, region_joint
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
    SPECIALISATION,
    SURPLUS,
    UNSERVED,
    UPTIME,
    UTILISATION,
    WELFARE,
)
from .surges import advance_surges, begin_surges, multiplier

# --- episodes -------------------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode in `state` `[W]`.

    Remembered prices are drawn, or those of a benchmark; loads are drawn from their long run.
    """
    providers = int(params[at.N_PROVIDERS])
    prices = int(params[at.N_PRICES])
    state[:] = 0.0
    if params[at.START_MEMORY] >= 0.0:
        state[at.PAST] = params[at.START_MEMORY]
    else:
        state[at.PAST] = below(key, at.FIRST_PRICES, params[at.MEMORY_SIZE])
    past = int(state[at.PAST])
    in_turn = params[at.ALTERNATING] == 1.0
    if in_turn and params[at.MEMORY_SIZE] == 1.0:
        # Nobody remembers anything, but the first mover needs a rival whose price stands.
        past = below(key, at.FIRST_PRICES, params[at.JOINTS])
    if params[at.MEMORY_SIZE] > 1.0 or in_turn:
        # The last round's prices are the lowest digits of the index, the last provider's lowest.
        for i in range(providers - 1, -1, -1):
            state[at.POSTED + i] = past % prices
            past //= prices
    if params[at.HAS_SURGE] == 1.0:
        loads, drawn = at.loads(providers), at.drawn(providers, int(params[at.N_TENANTS]))
        begin_surges(params, state, key, int(params[at.SURGE]), providers, loads, drawn)


@called_kernel
def end_of_round(params: Any, state: Any, key: Any) -> None:
    """Draw the next round's loads into `state` `[W]`."""
    if params[at.HAS_SURGE] == 1.0:
        providers = int(params[at.N_PROVIDERS])
        loads, drawn = at.loads(providers), at.drawn(providers, int(params[at.N_TENANTS]))
        advance_surges(params, state, key, int(params[at.SURGE]), providers, loads, drawn)


# --- observations ---------------------------------------------------------------------------------


@kernel
def region_past(params: Any, past: Any, region: Any) -> Any:
    """What the index of all remembered prices says of one region: an index of the same kind.

    In a round's joint price region 0 has the highest digits; the older round comes first.
    """
    own, joints = int(params[at.REGION_JOINTS]), int(params[at.JOINTS])
    below_it = 1
    for _ in range(region + 1, int(params[at.REGIONS])):
        below_it *= own
    older = (past // joints) // below_it % own
    return older * own + (past % joints) // below_it % own


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees, from `state` `[W]`.

    A provider: past prices, of all regions or of its own, then its own load; one more observation
    while tenants request. A tenant: one observation while providers post, then its need, all prices
    and all claims. With alternating moves, a provider in its turn: the rival's price; one more
    while it waits.
    """
    providers = int(params[at.N_PROVIDERS])
    if params[at.ALTERNATING] == 1.0:
        remembers = params[at.MEMORY_SIZE] > 1.0
        if int(state[at.mover(providers)]) != seat:
            return int(params[at.N_PRICES]) if remembers else 1
        return int(state[at.POSTED + 1 - seat]) if remembers else 0
    if seat < providers:
        index = int(state[at.PAST])
        if params[at.OWN_REGION] == 1.0:
            index = region_past(params, index, seat // int(params[at.FIRMS]))
        if params[at.HAS_SURGE] == 1.0:
            index = 2 * index + int(state[at.loads(providers) + seat])
        if phase == 1:
            index = int(params[at.MEMORY_SIZE] * (1.0 + params[at.HAS_SURGE]))
        return index
    if phase == 0:
        return 0
    index = int(state[at.needs(providers) + seat - providers])
    for i in range(providers):
        index = index * int(params[at.N_PRICES]) + int(state[at.POSTED + i])
    if params[at.CLAIMS] == 1.0:
        for i in range(providers):
            claim = int(state[at.claims(providers) + i])
            index = 2 * index + claim * int(params[at.CLAIMS_HEARD])
    return 1 + index


# --- a round --------------------------------------------------------------------------------------


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Providers post; then, if there are tenants, these request; then everybody is served.

    `state` float64 `[W]`, `actions` int64 `[S]`, `measures` float64 `[S + 1, M]`.
    """
    if phase == 0:
        joint = post(params, state, actions, measures)
        if params[at.PLAIN] == 1.0:
            serve_plain(params, state, joint, measures, key)
            return
        if params[at.N_TENANTS] > 0.0:
            providers = int(params[at.N_PROVIDERS])
            for t in range(int(params[at.N_TENANTS])):
                critical = u(key, at.NEED + t) < params[at.RHO]
                state[at.needs(providers) + t] = 1.0 if critical else 0.0
            return
    serve(params, state, actions, measures, key)
    end_of_round(params, state, key)


@kernel
def post(params: Any, state: Any, actions: Any, measures: Any) -> Any:
    """Post every provider's price and claim; returns the index of the joint price.

    With alternating moves only the mover's price changes, and the turn passes on. `state` `[W]`,
    `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    providers, prices = int(params[at.N_PROVIDERS]), int(params[at.N_PRICES])
    grid = int(params[at.GRID])
    joint = 0
    total = 0.0
    for i in range(providers):
        step = actions[i]
        if params[at.CLAIMS] == 1.0:  # the claim is the last digit of an action
            state[at.claims(providers) + i] = step % 2
            step = step // 2
        if params[at.ALTERNATING] == 1.0 and int(state[at.mover(providers)]) != i:
            step = int(state[at.POSTED + i])
        first = grid + i * prices
        price = params[first + step]
        measures[i, PRICE] = price
        if state[at.STARTED] == 1.0:
            measures[i, PRICE_CHANGE] = abs(price - params[first + int(state[at.POSTED + i])])
        total += price
        state[at.POSTED + i] = step
        joint = joint * prices + step
    measures[measures.shape[0] - 1, PRICE] = total / providers
    state[at.STARTED] = 1.0
    if params[at.ALTERNATING] == 1.0:
        state[at.mover(providers)] = (state[at.mover(providers)] + 1.0) % providers
    size, joints = params[at.MEMORY_SIZE], params[at.JOINTS]
    if size == joints:  # one round is remembered
        state[at.PAST] = joint
    elif size > 1.0:  # two rounds: the older one is dropped, the other becomes the older one
        state[at.PAST] = int(state[at.PAST]) % int(joints) * int(joints) + joint
    return joint


@kernel
def serve_plain(params: Any, state: Any, joint: Any, measures: Any, key: Any) -> None:
    """Serve everybody: no capacity, surges, tenants or claims.

    `state` `[W]`, `measures` `[S + 1, M]`.
    """
    providers, firms = int(params[at.N_PROVIDERS]), int(params[at.FIRMS])
    regions, market = int(params[at.REGIONS]), providers
    revenue = earned = 0.0
    for region in range(regions):
        if regions > 1:
            joint = region_joint(params, state, region)
        gain = background_demand(params, state, joint, region, measures, key)
        mass = params[at.masses(providers) + region]
        sold = 0.0
        for i in range(region * firms, (region + 1) * firms):
            quantity = mass * measures[i, QUANTITY]
            price = measures[i, PRICE]
            profit = (price - params[at.COST + i]) * quantity
            measures[i, PROFIT] = profit
            measures[i, REVENUE] = price * quantity
            measures[i, QUANTITY] = quantity
            sold += quantity
            revenue += price * quantity
            earned += profit
        measures[market, QUANTITY] += sold
        measures[market, CONSUMER_SURPLUS] += gain * sold
    measures[market, REVENUE] = revenue
    measures[market, WELFARE] = earned + measures[market, CONSUMER_SURPLUS]
    if regions > 1:
        measures[market, SPECIALISATION] = specialisation(params, measures)


@kernel
def specialisation(params: Any, measures: Any) -> Any:
    """How differently the providers share the units of two regions, 0 .. 1; the mean over pairs.

    Half the sum over providers of |share in one region - share in the other|, after Duncan,
    Duncan, American Sociological Review 20(2), 1955. A region without sales differs from none.
    `measures` `[S + 1, M]`, with quantities filled.
    """
    firms, regions = int(params[at.FIRMS]), int(params[at.REGIONS])
    total = 0.0
    for one in range(regions):
        for two in range(one + 1, regions):
            sold_one = sold_two = 0.0
            for f in range(firms):
                sold_one += measures[one * firms + f, QUANTITY]
                sold_two += measures[two * firms + f, QUANTITY]
            if sold_one > 0.0 and sold_two > 0.0:
                for f in range(firms):
                    share = measures[one * firms + f, QUANTITY] / sold_one
                    total += abs(share - measures[two * firms + f, QUANTITY] / sold_two)
    return total / (regions * (regions - 1))


@called_kernel
def serve(params: Any, state: Any, actions: Any, measures: Any, key: Any) -> None:
    """Background consumers and tenants share each provider's capacity.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    providers, tenants = int(params[at.N_PROVIDERS]), int(params[at.N_TENANTS])
    market = providers + tenants
    gain = mass = 0.0
    for i in range(providers):
        if i % int(params[at.FIRMS]) == 0:  # the first seat of a region: all of its demand
            region = i // int(params[at.FIRMS])
            joint = region_joint(params, state, region)
            gain = background_demand(params, state, joint, region, measures, key)
            mass = params[at.masses(providers) + region]
        load = state[at.loads(providers) + i]
        background = mass * measures[i, QUANTITY]
        if load == 1.0:
            drawn = at.drawn(providers, tenants) + i
            background *= multiplier(params, state, int(params[at.SURGE]), drawn)
        served = ration(params, state, i, background, actions, measures, key)
        # `ration` has booked the tenants' units and payments; background consumers come on top.
        price, cost = measures[i, PRICE], params[at.COST + i]
        measures[i, QUANTITY] += served
        measures[i, REVENUE] += price * served
        fine = 0.0
        if params[at.CLAIMS] == 1.0 and state[at.claims(providers) + i] != load:
            fine = params[at.FINE]
            measures[i, FALSE_HEADROOM] = 1.0
        quantity = measures[i, QUANTITY]
        profit = measures[i, REVENUE] - cost * quantity - fine
        measures[i, PROFIT] = profit
        measures[i, UTILISATION] = quantity / params[at.CAPACITY]
        measures[i, SLA_BREACH] = 1.0 if measures[i, UNSERVED] > EPSILON else 0.0
        measures[market, FINES] += fine
        measures[market, QUANTITY] += quantity
        measures[market, REVENUE] += measures[i, REVENUE]
        measures[market, CONSUMER_SURPLUS] += gain * served
        measures[market, WELFARE] += profit + fine
    measures[market, WELFARE] += measures[market, CONSUMER_SURPLUS]
    if params[at.REGIONS] > 1.0:
        measures[market, SPECIALISATION] = specialisation(params, measures)
    for t in range(tenants):
        need = state[at.needs(providers) + t]
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
    providers, tenants = int(params[at.N_PROVIDERS]), int(params[at.N_TENANTS])
    requests = urgent = 0
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            requests += 1
            urgent += actions[providers + t] % 2
    capacity = params[at.CAPACITY]
    first = int(min(float(urgent), capacity))  # priority requests that are served
    room = max(capacity - urgent, 0.0)
    others = requests - urgent
    if others + background <= room:
        second, served = others, background
    else:
        # The others' share of the room is a fraction; a draw rounds it so that its mean is kept.
        expected = room * others / (others + background)
        second = min(others, floor(expected + u(key, at.ROUNDING + i)))
        served = min(background, room - second)
    measures[i, UNSERVED] = (background - served) + (requests - first - second)
    measures[i, QUANTITY] = 0.0
    # Each request in turn gets one of the `first` (or `second`) places left with probability
    # places left / requests left, which serves every subset of that size equally often.
    left_urgent, left_others = urgent, others
    for t in range(tenants):
        if actions[providers + t] // 2 == i + 1:
            draw = u(key, at.LOTTERY + t)
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
    providers = int(params[at.N_PROVIDERS])
    seat = providers + t
    need = state[at.needs(providers) + t]
    value = params[at.CRITICAL_VALUE] if need == 1.0 else params[at.STANDARD_VALUE]
    payment = wins * measures[i, PRICE] + priority * params[at.SURCHARGE]
    measures[seat, PAYMENT] = payment
    measures[seat, SURPLUS] = wins * value - payment
    measures[seat, UPTIME] = float(wins)
    measures[seat, EXAGGERATION] = priority * (1.0 - need)
    measures[i, REVENUE] += payment
    measures[i, QUANTITY] += wins
