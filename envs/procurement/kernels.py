"""The rules of a tender, as scalar functions of one copy.

Private types are part of the state: those of the coming tender are drawn by `reset`, or when the
last one ends, so that the first phase already sees them. Every draw has a slot of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

from .config import MAX_SUPPLIERS
from .measures import (
    BOOKING,
    CLAUSE_DROPPED,
    CUSTOMS_DELAY,
    DELAY_DAYS,
    FALSE_PLENTY,
    FALSE_SCARCITY,
    FALSE_URGENCY,
    FINE,
    FINES_TO_NOBODY,
    LATE_DAYS,
    MARGIN,
    OVERPROMISE_DAYS,
    PRICE_PAID,
    SAVINGS,
    STOCKOUT,
    SURPLUS,
    WELFARE,
    WIN,
)

# params; behind them prices [P], distinct days [L], each listed lead time's position among those
# days [listed], then costs and scarcities [N], then days of unforeseen delays [N_DELAYS]
(N_SUPPLIERS, N_PRICES, N_DAYS, N_LISTED, HAS_STOCK, HAS_CLAUSE, HAS_RECORD, HAS_URGENCY, HAS_BRIEF,
 HAS_COUNTERS, CALM_VALUE, URGENT_VALUE, URGENT_SHARE, OUTSIDE_PRICE, WAIT_DISCOUNT, STOCKOUT_COST,
 CLAIM_FINE, LEAD_COST, DELAY_COST, LATE_FINE, CLAUSE_COST, CUSTOMS_SHARE, CUSTOMS_COST,
 URGENCY_FINE, DELAY_SHARE, N_DELAYS, CLAIMS_HEARD, PRICES) = range(28)  # fmt: skip
# state: the buyer's, then four columns a supplier: stock (1: scarce), position of its lead time,
# its offer, and its last two deliveries as two bits (1: on time; the older one counts twice)
URGENT, BRIEF, RESPONSE, SUPPLIERS = range(4)
STOCK, LEAD, OFFER, RECORD, WIDTH = range(5)
# slots of draws
(STOCK_DRAW, LEAD_DRAW, CUSTOMS_DRAW, URGENCY_DRAW, DELAY_DRAW, DAYS_DRAW) = (
    k * MAX_SUPPLIERS for k in range(6)
)
# steps of a tender, whichever phases there are
STATE_URGENCY, MAKE_OFFER, RESPOND, ANSWER = range(4)

LEVELS = 3  # of a record: none, one, both of the last two deliveries on time


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nobody has dealt; every supplier counts as punctual."""
    state[:] = 0.0
    for i in range(int(params[N_SUPPLIERS])):
        state[SUPPLIERS + i * WIDTH + RECORD] = 3.0
    draw_types(params, state, key)


@kernel
def draw_types(params: Any, state: Any, key: Any) -> None:
    """What everybody privately is in the coming tender, and a clean table."""
    suppliers = int(params[N_SUPPLIERS])
    listed = int(params[N_LISTED])
    leads = PRICES + int(params[N_PRICES]) + int(params[N_DAYS])
    scarcities = leads + listed + suppliers
    for i in range(suppliers):
        own = SUPPLIERS + i * WIDTH
        state[own + STOCK] = 1.0 if u(key, STOCK_DRAW + i) < params[scarcities + i] else 0.0
        state[own + LEAD] = params[leads + below(key, LEAD_DRAW + i, listed)]
        state[own + OFFER] = 0.0
    state[URGENT] = 1.0 if u(key, URGENCY_DRAW) < params[URGENT_SHARE] else 0.0
    state[BRIEF] = 0.0
    state[RESPONSE] = 0.0


# --- what an offer says: action = ((price * claims + claim) * promises + promise) * clauses + kept


@kernel
def claims(params: Any) -> Any:
    """Stock claims to choose from."""
    return 2 if params[HAS_STOCK] else 1


@kernel
def clauses(params: Any) -> Any:
    """With or without, or no clause at all."""
    return 2 if params[HAS_CLAUSE] else 1


@kernel
def offers(params: Any) -> Any:
    """How many different offers there are."""
    return int(params[N_PRICES]) * claims(params) * int(params[N_DAYS]) * clauses(params)


@kernel
def price_of(params: Any, offer: Any) -> Any:
    """Position of the price."""
    return offer // (claims(params) * int(params[N_DAYS]) * clauses(params))


@kernel
def claim_of(params: Any, offer: Any) -> Any:
    """1 if it claims scarce stock."""
    return offer // (int(params[N_DAYS]) * clauses(params)) % claims(params)


@kernel
def promise_of(params: Any, offer: Any) -> Any:
    """Position of the promised days."""
    return offer // clauses(params) % int(params[N_DAYS])


@kernel
def dropped(params: Any, offer: Any) -> Any:
    """1 if it leaves the clause out."""
    return offer % clauses(params)


@kernel
def shown(params: Any, offer: Any) -> Any:
    """An offer as the buyer sees it: with the first claim and promise, if nobody hears them."""
    if params[CLAIMS_HEARD]:
        return offer
    each = claims(params) * int(params[N_DAYS]) * clauses(params)
    return offer // each * each + dropped(params, offer)


@kernel
def countered(params: Any, response: Any) -> Any:
    """The supplier that a response counters, or -1."""
    first = 1 + int(params[N_SUPPLIERS])
    return (response - first) // int(params[N_PRICES]) if response >= first else -1


@kernel
def counter_of(params: Any, response: Any) -> Any:
    """Position of the price of a counter."""
    return (response - 1 - int(params[N_SUPPLIERS])) % int(params[N_PRICES])


# --- the kernels of the contract ------------------------------------------------------------------


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """Index of what a seat sees: its blocks lie in the order of phases."""
    brief = int(params[HAS_BRIEF])
    step = phase + 1 - brief
    if seat == int(params[N_SUPPLIERS]):
        return buyer_sees(params, state, brief, step)
    own = SUPPLIERS + seat * WIDTH
    stock = int(state[own + STOCK])
    lead = int(state[own + LEAD])
    days = int(params[N_DAYS])
    if step == STATE_URGENCY:
        return 0
    if step == MAKE_OFFER:
        index = int(state[BRIEF]) * int(params[CLAIMS_HEARD]) if brief else 0
        index = index * claims(params) + stock
        return brief + index * days + lead
    waiting = brief + (1 + brief) * claims(params) * days
    if step == RESPOND:
        return waiting
    response = int(state[RESPONSE])
    if countered(params, response) != seat:
        return waiting + 1
    if stock == 1:
        return waiting + 2
    offer = int(state[own + OFFER])
    index = counter_of(params, response) * days + lead
    index = index * days + promise_of(params, offer)
    index = index * clauses(params) + dropped(params, offer)
    return waiting + 2 + (1 if params[HAS_STOCK] else 0) + index


@kernel
def buyer_sees(params: Any, state: Any, brief: Any, step: Any) -> Any:
    """The buyer knows its urgency throughout, and all offers when it responds."""
    needs = 2 if params[HAS_URGENCY] else 1
    if step == STATE_URGENCY:
        return int(state[URGENT])
    waiting = brief * needs
    if step == MAKE_OFFER:
        return waiting
    index = 0
    all_offers = needs
    for i in range(int(params[N_SUPPLIERS])):
        own = SUPPLIERS + i * WIDTH
        index = index * offers(params) + shown(params, int(state[own + OFFER]))
        all_offers *= offers(params)
        if params[HAS_RECORD]:
            index = index * LEVELS + record_level(int(state[own + RECORD]))
            all_offers *= LEVELS
    if step == ANSWER:
        return waiting + 1 + all_offers
    return waiting + 1 + int(state[URGENT]) * (all_offers // needs) + index


@kernel
def record_level(record: Any) -> Any:
    """How many of the last two deliveries came on time."""
    return (record & 1) + (record >> 1)


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase; the last one delivers, and draws the next tender's private types."""
    suppliers = int(params[N_SUPPLIERS])
    step = phase + 1 - int(params[HAS_BRIEF])
    last = ANSWER if params[HAS_COUNTERS] else RESPOND
    if step == STATE_URGENCY:
        state[BRIEF] = actions[suppliers]
        if state[BRIEF] != state[URGENT]:
            measures[suppliers, FALSE_URGENCY] = 1.0
            measures[suppliers, SURPLUS] = -params[URGENCY_FINE]
            burn(measures, params[URGENCY_FINE])
    elif step == MAKE_OFFER:
        for i in range(suppliers):
            make_offer(params, state, measures, i, actions[i])
    elif step == RESPOND:
        state[RESPONSE] = actions[suppliers] - 2 * int(params[HAS_BRIEF])
    if step == last:
        conclude(params, state, actions, measures, key)
        draw_types(params, state, key)


@kernel
def burn(measures: Any, fine: Any) -> None:
    """A fine that nobody receives."""
    market = measures.shape[0] - 1
    measures[market, FINES_TO_NOBODY] += fine
    measures[market, WELFARE] -= fine


@kernel
def make_offer(params: Any, state: Any, measures: Any, i: Any, offer: Any) -> None:
    """Take down supplier i's offer and what is untrue in it."""
    own = SUPPLIERS + i * WIDTH
    state[own + OFFER] = offer
    measures[i, OVERPROMISE_DAYS] = late(params, state, i, 0.0)
    if params[HAS_STOCK] and claim_of(params, offer) != int(state[own + STOCK]):
        measures[i, FALSE_SCARCITY] = 1.0 - state[own + STOCK]
        measures[i, FALSE_PLENTY] = state[own + STOCK]
        measures[i, FINE] = params[CLAIM_FINE]
        measures[i, MARGIN] = -params[CLAIM_FINE]
        burn(measures, params[CLAIM_FINE])


@kernel
def late(params: Any, state: Any, i: Any, delay: Any) -> Any:
    """Days by which supplier i's true lead time, with an unforeseen delay, exceeds its promise."""
    own = SUPPLIERS + i * WIDTH
    days = PRICES + int(params[N_PRICES])
    promise = params[days + promise_of(params, int(state[own + OFFER]))]
    return max(0.0, params[days + int(state[own + LEAD])] + delay - promise)


@kernel
def unforeseen(params: Any, i: Any, key: Any) -> Any:
    """Days by which supplier i's delivery is held up, 0 as a rule."""
    if u(key, DELAY_DRAW + i) >= params[DELAY_SHARE]:
        return 0.0
    suppliers, delays = int(params[N_SUPPLIERS]), int(params[N_DELAYS])
    days = PRICES + int(params[N_PRICES]) + int(params[N_DAYS]) + int(params[N_LISTED])
    return params[days + 2 * suppliers + below(key, DAYS_DRAW + i, delays)]


@kernel
def conclude(params: Any, state: Any, actions: Any, measures: Any, key: Any) -> None:
    """Who deals with the buyer, at what price; the scarce others sell elsewhere."""
    suppliers = int(params[N_SUPPLIERS])
    market = measures.shape[0] - 1
    response = int(state[RESPONSE])
    asked = countered(params, response)
    dealer = -1
    price = 0.0
    if asked >= 0:
        price = params[PRICES + counter_of(params, response)]
        accept = offers(params) + int(params[HAS_STOCK])  # behind the offers and "sold"
        dealer = asked if actions[asked] == accept else -1
        if dealer < 0:
            measures[suppliers, STOCKOUT] = 1.0
            measures[suppliers, SURPLUS] -= params[STOCKOUT_COST]
            measures[market, WELFARE] -= params[STOCKOUT_COST]
    elif response > 0:
        dealer = response - 1
        price = params[PRICES + price_of(params, int(state[SUPPLIERS + dealer * WIDTH + OFFER]))]
    costs = PRICES + int(params[N_PRICES]) + int(params[N_DAYS]) + int(params[N_LISTED])
    for i in range(suppliers):
        if i != dealer and state[SUPPLIERS + i * WIDTH + STOCK] == 1.0:
            measures[i, MARGIN] += params[OUTSIDE_PRICE] - params[costs + i]
            measures[market, WELFARE] += params[OUTSIDE_PRICE] - params[costs + i]
    if dealer >= 0:
        factor = params[WAIT_DISCOUNT] if asked >= 0 else 1.0
        deliver(params, state, measures, dealer, price, params[costs + dealer], factor, key)


@kernel
def deliver(params: Any, state: Any, measures: Any, i: Any, price: Any, cost: Any, factor: Any,
            key: Any) -> None:  # fmt: skip
    """Supplier i delivers at a price; `factor` discounts everything that the deal is worth."""
    buyer = int(params[N_SUPPLIERS])
    market = measures.shape[0] - 1
    own = SUPPLIERS + i * WIDTH
    offer = int(state[own + OFFER])
    value = params[URGENT_VALUE] if state[URGENT] == 1.0 else params[CALM_VALUE]
    promised = params[PRICES + int(params[N_PRICES]) + promise_of(params, offer)]
    days = late(params, state, i, unforeseen(params, i, key))
    fine = params[LATE_FINE] * days
    harm = params[LEAD_COST] * promised + params[DELAY_COST] * days
    if params[HAS_CLAUSE]:
        if dropped(params, offer) == 0:
            cost += params[CLAUSE_COST]
        else:
            measures[i, CLAUSE_DROPPED] = 1.0
            if u(key, CUSTOMS_DRAW + i) < params[CUSTOMS_SHARE]:
                measures[buyer, CUSTOMS_DELAY] = 1.0
                harm += params[CUSTOMS_COST]
    measures[i, MARGIN] += factor * (price - cost - fine)
    measures[i, FINE] += factor * fine
    measures[i, BOOKING] = price
    measures[i, WIN] = 1.0
    measures[i, LATE_DAYS] = days
    measures[buyer, SURPLUS] += factor * (value - price - harm + fine)
    measures[buyer, PRICE_PAID] = price
    measures[buyer, SAVINGS] = params[PRICES + int(params[N_PRICES]) - 1] - price
    measures[buyer, DELAY_DAYS] = days
    measures[market, BOOKING] = price
    measures[market, WIN] = 1.0
    measures[market, WELFARE] += factor * (value - cost - harm)
    on_time = 1 if days == 0.0 else 0
    state[own + RECORD] = np.float64(int(state[own + RECORD]) % 2 * 2 + on_time)
