"""The rules of a tender, as compiled functions of one copy.

Private types are part of the state: those of the coming tender are drawn by `reset`, or when the
last one ends, so that the first phase already sees them. Every draw has a slot of its own.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by `positions.py`. Letters: N
suppliers, S = N + 1 seats (the suppliers first, then the buyer), M measures, W numbers of a state
row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

from . import positions as at
from .measures import (
    BOOKING,
    CLAUSE_DROPPED,
    CUSTOMS_DELAY,
    DELAY_DAYS,
    FALSE_FINAL,
    FALSE_PLENTY,
    FALSE_SCARCITY,
    FALSE_URGENCY,
    FINE,
    FINES_TO_NOBODY,
    LATE_DAYS,
    MARGIN,
    OVERPROMISE_DAYS,
    PRICE_PAID,
    SAID_FINAL,
    SAVINGS,
    STOCKOUT,
    SURPLUS,
    WELFARE,
    WIN,
)
from .offers import (
    accept_action,
    breaks_word,
    claim_of,
    counter_is_final,
    counter_price,
    countered_supplier,
    drops_clause,
    is_final,
    n_claims,
    n_clauses,
    n_finals,
    n_offers,
    price_of,
    promise_of,
    take_action,
    visible_offer,
)

# Steps of a tender, whichever phases there are: a market without brief begins with MAKE_OFFER.
STATE_URGENCY, MAKE_OFFER, RESPOND, ANSWER, SETTLE = range(5)

LEVELS = 3  # of a record: none, one, both of the last two deliveries on time

# --- episodes and types ---------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode in `state` `[W]`: no deals so far, and every supplier counts as punctual."""
    state[:] = 0.0
    for i in range(int(params[at.N_SUPPLIERS])):
        state[at.supplier(i) + at.RECORD] = 3.0  # both bits: on time, on time
    draw_types(params, state, key)


@kernel
def draw_types(params: Any, state: Any, key: Any) -> None:
    """Draw all private types of the coming tender into `state` `[W]`; clear what was said."""
    suppliers = int(params[at.N_SUPPLIERS])
    listed = int(params[at.N_LISTED])
    leads = at.leads(params)
    scarcities = at.scarcities(params)
    for i in range(suppliers):
        own = at.supplier(i)
        state[own + at.STOCK] = 1.0 if u(key, at.STOCK_DRAW + i) < params[scarcities + i] else 0.0
        state[own + at.LEAD] = params[leads + below(key, at.LEAD_DRAW + i, listed)]
        state[own + at.OFFER] = 0.0
    state[at.URGENT] = 1.0 if u(key, at.URGENCY_DRAW) < params[at.URGENT_SHARE] else 0.0
    state[at.BRIEF] = 0.0
    state[at.RESPONSE] = 0.0
    if params[at.HAS_FINAL]:
        state[at.answered(params)] = 0.0


# --- observations ---------------------------------------------------------------------------------


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees, from `state` `[W]`.

    A supplier's blocks, in order: waiting for the brief (if any); its offer, by the brief, its
    stock and its lead time; waiting for the response; an answer without a counter; one counter with
    scarce stock (if stock exists); counters, by price, lead time and what its own offer promised;
    waiting for the settlement (if prices may be final).
    """
    brief = int(params[at.HAS_BRIEF])
    step = phase + 1 - brief
    if seat == int(params[at.N_SUPPLIERS]):
        return buyer_sees(params, state, brief, step)
    own = at.supplier(seat)
    stock = int(state[own + at.STOCK])
    lead = int(state[own + at.LEAD])
    days = int(params[at.N_DAYS])
    if step == STATE_URGENCY:
        return 0
    if step == MAKE_OFFER:
        index = int(state[at.BRIEF]) * int(params[at.CLAIMS_HEARD]) if brief else 0
        index = index * n_claims(params) + stock
        return brief + index * days + lead
    waiting = brief + (1 + brief) * n_claims(params) * days
    if step == RESPOND:
        return waiting
    response = int(state[at.RESPONSE])
    answers = waiting + 2 + (1 if params[at.HAS_STOCK] else 0)  # where they begin
    if step == SETTLE:
        each = int(params[at.N_PRICES]) * n_finals(params)  # its own price, open or final
        counters = each * days * days * n_clauses(params)
        return answers + counters * each
    if countered_supplier(params, response) != seat:
        return waiting + 1
    if stock == 1:
        return waiting + 2
    offer = int(state[own + at.OFFER])
    index = counter_price(params, response) * days + lead
    index = index * days + promise_of(params, offer)
    index = index * n_clauses(params) + drops_clause(params, offer)
    if params[at.HAS_FINAL]:
        index = index * int(params[at.N_PRICES]) + price_of(params, offer)
        index = index * 2 + is_final(params, offer)
        index = index * 2 + counter_is_final(params, response) * int(params[at.CLAIMS_HEARD])
    return answers + index


@kernel
def buyer_sees(params: Any, state: Any, brief: Any, step: Any) -> Any:
    """The index of what the buyer sees in a step, from `state` `[W]`.

    Its blocks, in order: the brief (if any), by urgency; waiting for the offers; its response, by
    urgency, then supplier by supplier the offer and the record; waiting for the answer (if any);
    if prices may be final: no refused counter; a refused one, by the terms of the ask.
    """
    needs = 2 if params[at.HAS_URGENCY] else 1
    if step == STATE_URGENCY:
        return int(state[at.URGENT])
    waiting = brief * needs
    if step == MAKE_OFFER:
        return waiting
    index = 0
    responses = needs  # how many observations the block of the response has
    for i in range(int(params[at.N_SUPPLIERS])):
        own = at.supplier(i)
        index = index * n_offers(params) + visible_offer(params, int(state[own + at.OFFER]))
        responses *= n_offers(params)
        if params[at.HAS_RECORD]:
            index = index * LEVELS + record_level(int(state[own + at.RECORD]))
            responses *= LEVELS
    if step == ANSWER:
        return waiting + 1 + responses
    if step == SETTLE:
        return waiting + 2 + responses + settlement_seen(params, state)
    return waiting + 1 + int(state[at.URGENT]) * (responses // needs) + index


@kernel
def settlement_seen(params: Any, state: Any) -> Any:
    """0 without a refused counter, else 1 + the terms of the ask, as the buyer sees them."""
    if state[at.answered(params)] != at.REFUSED:
        return 0
    i = countered_supplier(params, int(state[at.RESPONSE]))
    offer = visible_offer(params, int(state[at.supplier(i) + at.OFFER]))
    index = int(state[at.URGENT]) * int(params[at.N_PRICES]) + price_of(params, offer)
    index = index * int(params[at.N_DAYS]) + promise_of(params, offer)
    index = index * n_clauses(params) + drops_clause(params, offer)
    return 1 + index * 2 + breaks_word(params, state, i)


@kernel
def record_level(record: Any) -> Any:
    """How many of the last two deliveries came on time: the number of bits of a record."""
    return (record & 1) + (record >> 1)


# --- a tender -------------------------------------------------------------------------------------


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase; the last one delivers, and draws the next tender's private types.

    `state` float64 `[W]`, `actions` int64 `[S]`, `measures` float64 `[S + 1, M]`.
    """
    suppliers = int(params[at.N_SUPPLIERS])
    step = phase + 1 - int(params[at.HAS_BRIEF])
    last = ANSWER if params[at.HAS_COUNTERS] else RESPOND
    if params[at.HAS_FINAL]:
        last = SETTLE
    if step == STATE_URGENCY:
        state[at.BRIEF] = actions[suppliers]
        if state[at.BRIEF] != state[at.URGENT]:
            measures[suppliers, FALSE_URGENCY] = 1.0
            measures[suppliers, SURPLUS] = -params[at.URGENCY_FINE]
            burn(measures, params[at.URGENCY_FINE])
    elif step == MAKE_OFFER:
        for i in range(suppliers):
            make_offer(params, state, measures, i, actions[i])
    elif step == RESPOND:
        # The buyer's actions begin with the two statements of urgency if there is a brief.
        state[at.RESPONSE] = actions[suppliers] - 2 * int(params[at.HAS_BRIEF])
        if params[at.HAS_FINAL] and state[at.RESPONSE] > suppliers:
            word = counter_is_final(params, int(state[at.RESPONSE]))
            measures[suppliers, SAID_FINAL] = np.float64(word)
    elif step == ANSWER and params[at.HAS_FINAL]:
        i = countered_supplier(params, int(state[at.RESPONSE]))
        if i >= 0 and state[at.supplier(i) + at.STOCK] == 0.0:
            accepted = actions[i] == accept_action(params)
            state[at.answered(params)] = at.ACCEPTED if accepted else at.REFUSED
    if step == last:
        conclude(params, state, actions, measures, key)
        draw_types(params, state, key)


@kernel
def burn(measures: Any, fine: Any) -> None:
    """Book a fine that nobody receives, in `measures` `[S + 1, M]`."""
    market = measures.shape[0] - 1
    measures[market, FINES_TO_NOBODY] += fine
    measures[market, WELFARE] -= fine


@kernel
def make_offer(params: Any, state: Any, measures: Any, i: Any, offer: Any) -> None:
    """Record supplier i's offer in `state` `[W]`, and what is false in it in `measures`.

    `measures` float64 `[S + 1, M]`.
    """
    own = at.supplier(i)
    state[own + at.OFFER] = offer
    measures[i, OVERPROMISE_DAYS] = late_days(params, state, i, 0.0)
    if params[at.HAS_FINAL]:
        measures[i, SAID_FINAL] = np.float64(is_final(params, offer))
    if params[at.HAS_STOCK] and claim_of(params, offer) != int(state[own + at.STOCK]):
        measures[i, FALSE_SCARCITY] = 1.0 - state[own + at.STOCK]
        measures[i, FALSE_PLENTY] = state[own + at.STOCK]
        measures[i, FINE] = params[at.CLAIM_FINE]
        measures[i, MARGIN] = -params[at.CLAIM_FINE]
        burn(measures, params[at.CLAIM_FINE])


@kernel
def late_days(params: Any, state: Any, i: Any, delay: Any) -> Any:
    """Days by which supplier i's true lead time and a `delay` exceed its promise; `state` `[W]`."""
    own = at.supplier(i)
    days = at.days(params)
    promise = params[days + promise_of(params, int(state[own + at.OFFER]))]
    return max(0.0, params[days + int(state[own + at.LEAD])] + delay - promise)


@kernel
def unforeseen_days(params: Any, i: Any, key: Any) -> Any:
    """Days by which supplier i's delivery is held up, usually 0; `params` `[.]`."""
    if u(key, at.DELAY_DRAW + i) >= params[at.DELAY_SHARE]:
        return 0.0
    return params[at.delays(params) + below(key, at.DAYS_DRAW + i, int(params[at.N_DELAYS]))]


@kernel
def conclude(params: Any, state: Any, actions: Any, measures: Any, key: Any) -> None:
    """Find who deals with the buyer at what price; scarce suppliers without a deal sell elsewhere.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    suppliers = int(params[at.N_SUPPLIERS])
    market = measures.shape[0] - 1
    response = int(state[at.RESPONSE])
    countered = countered_supplier(params, response)
    dealer = -1
    price = 0.0
    factor = 1.0
    if countered >= 0:
        factor = params[at.WAIT_DISCOUNT]
        price = params[at.PRICES + counter_price(params, response)]
        if params[at.HAS_FINAL]:
            price, factor = settle(params, state, actions, measures, countered, price)
            dealer = countered if factor > 0.0 else -1
        else:
            dealer = countered if actions[countered] == accept_action(params) else -1
        if dealer < 0:
            measures[suppliers, STOCKOUT] = 1.0
            measures[suppliers, SURPLUS] -= params[at.STOCKOUT_COST]
            measures[market, WELFARE] -= params[at.STOCKOUT_COST]
    elif response > 0:
        dealer = response - 1
        price = params[at.PRICES + price_of(params, int(state[at.supplier(dealer) + at.OFFER]))]
    costs = at.costs(params)
    for i in range(suppliers):
        if i != dealer and state[at.supplier(i) + at.STOCK] == 1.0:
            measures[i, MARGIN] += params[at.OUTSIDE_PRICE] - params[costs + i]
            measures[market, WELFARE] += params[at.OUTSIDE_PRICE] - params[costs + i]
    if dealer >= 0:
        deliver(params, state, measures, dealer, price, params[costs + dealer], factor, key)


@kernel
def settle(params: Any, state: Any, actions: Any, measures: Any, i: Any, price: Any) -> Any:
    """What becomes of a counter to supplier i where prices may be final; fines on false words.

    Args:
        params: `[.]`.
        state: `[W]`.
        actions: of the last phase, int64 `[S]`.
        measures: `[S + 1, M]`.
        i: the supplier.
        price: of the counter, money.

    Returns:
        The price of the deal, money, and the factor on what it is worth; 0: there is no deal.
    """
    buyer = int(params[at.N_SUPPLIERS])
    wait = params[at.WAIT_DISCOUNT]
    offer = int(state[at.supplier(i) + at.OFFER])
    ask = params[at.PRICES + price_of(params, offer)]
    outcome = state[at.answered(params)]
    if outcome == at.ACCEPTED:
        if is_final(params, offer) == 1 and price < ask:
            measures[i, FALSE_FINAL] = 1.0
            measures[i, FINE] += params[at.FINAL_FINE]
            measures[i, MARGIN] -= params[at.FINAL_FINE]
            burn(measures, params[at.FINAL_FINE])
        return price, wait
    if outcome == at.REFUSED and actions[buyer] == take_action(params):
        if breaks_word(params, state, i) == 1:
            measures[buyer, FALSE_FINAL] = 1.0
            measures[buyer, SURPLUS] -= params[at.FINAL_FINE]
            burn(measures, params[at.FINAL_FINE])
        return ask, wait * wait
    return price, 0.0


@kernel
def deliver(params: Any, state: Any, measures: Any, i: Any, price: Any, cost: Any, factor: Any,
            key: Any) -> None:  # fmt: skip
    """Supplier i delivers.

    Args:
        params: `[.]`.
        state: `[W]`.
        measures: `[S + 1, M]`.
        i: the supplier.
        price: money.
        cost: of the supplier, without the clause's, money.
        factor: the discount on everything that the deal is worth.
        key: for draws.
    """
    buyer = int(params[at.N_SUPPLIERS])
    market = measures.shape[0] - 1
    own = at.supplier(i)
    offer = int(state[own + at.OFFER])
    value = params[at.URGENT_VALUE] if state[at.URGENT] == 1.0 else params[at.CALM_VALUE]
    promised = params[at.days(params) + promise_of(params, offer)]
    days = late_days(params, state, i, unforeseen_days(params, i, key))
    fine = params[at.LATE_FINE] * days
    harm = params[at.LEAD_COST] * promised + params[at.DELAY_COST] * days  # the buyer's
    if params[at.HAS_CLAUSE]:
        if drops_clause(params, offer) == 0:
            cost += params[at.CLAUSE_COST]
        else:
            measures[i, CLAUSE_DROPPED] = 1.0
            if u(key, at.CUSTOMS_DRAW + i) < params[at.CUSTOMS_SHARE]:
                measures[buyer, CUSTOMS_DELAY] = 1.0
                harm += params[at.CUSTOMS_COST]
    measures[i, MARGIN] += factor * (price - cost - fine)
    measures[i, FINE] += factor * fine
    measures[i, BOOKING] = price
    measures[i, WIN] = 1.0
    measures[i, LATE_DAYS] = days
    measures[buyer, SURPLUS] += factor * (value - price - harm + fine)
    measures[buyer, PRICE_PAID] = price
    measures[buyer, SAVINGS] = params[at.PRICES + int(params[at.N_PRICES]) - 1] - price
    measures[buyer, DELAY_DAYS] = days
    measures[market, BOOKING] = price
    measures[market, WIN] = 1.0
    measures[market, WELFARE] += factor * (value - cost - harm)
    if params[at.HAS_RECORD]:
        on_time = 1 if days == 0.0 else 0
        # The newer of the two bits becomes the older one, which counts 2.
        state[own + at.RECORD] = np.float64(int(state[own + at.RECORD]) % 2 * 2 + on_time)
