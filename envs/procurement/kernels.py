"""The rules of a tender, as compiled functions of one copy.

Private types are part of the state: those of the coming tender are drawn by `reset`, or when the
last one ends, so that the first phase already sees them. Every draw has a slot of its own.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by the positions below. Letters: N
suppliers, S = N + 1 seats (the suppliers first, then the buyer), M measures, W numbers of a state
row.
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

# --- positions in `params`, float64 ---------------------------------------------------------------

N_SUPPLIERS = 0  # N
N_PRICES = 1  # listed prices
N_DAYS = 2  # distinct lead times
N_LISTED = 3  # listed lead times, of which the true one is drawn
HAS_STOCK = 4  # 1 if stock can be scarce, so that there are claims about it
HAS_CLAUSE = 5  # 1 if offers keep or drop the clause
HAS_RECORD = 6  # 1 if the buyer sees each supplier's record
HAS_URGENCY = 7  # 1 if the buyer's value is private
HAS_BRIEF = 8  # 1 if the buyer states its urgency first
HAS_COUNTERS = 9  # 1 if the buyer may counter, so that there is a phase `answer`
CALM_VALUE = 10  # what a delivery is worth to a calm buyer, money
URGENT_VALUE = 11  # to an urgent one, money
URGENT_SHARE = 12  # probability that the buyer is urgent
OUTSIDE_PRICE = 13  # what a scarce supplier without a deal here is paid elsewhere, money
WAIT_DISCOUNT = 14  # factor on what a deal struck at the counter is worth
STOCKOUT_COST = 15  # the buyer's loss when its counter met no stock or a refusal, money
CLAIM_FINE = 16  # on a false stock claim, money
LEAD_COST = 17  # the buyer's cost per promised day, money
DELAY_COST = 18  # the buyer's cost per late day, money
LATE_FINE = 19  # per late day, from supplier to buyer, money
CLAUSE_COST = 20  # what the clause costs the supplier, money
CUSTOMS_SHARE = 21  # probability that a delivery without the clause is held up
CUSTOMS_COST = 22  # what that costs the buyer, money
URGENCY_FINE = 23  # on a false statement of urgency, money
DELAY_SHARE = 24  # probability of an unforeseen delay
N_DELAYS = 25  # listed lengths of unforeseen delays
CLAIMS_HEARD = 26  # 0: listeners see the first claim, promise or statement, whatever was said
# From here the lists: prices, distinct days, each listed lead time's step among the distinct days,
# every supplier's cost, every supplier's scarcity, unforeseen days.
PRICES = 27

# --- positions in `state`, float64 ----------------------------------------------------------------

URGENT = 0  # 1 if the buyer is urgent
BRIEF = 1  # what it has stated: 1 for urgent
RESPONSE = 2  # its response: 0 walks, then an acceptance for each supplier, then the counters
SUPPLIERS = 3  # from here WIDTH numbers for each supplier, at `own_at`:
STOCK = 0  # 1 if its stock is scarce
LEAD = 1  # the step of its true lead time among the distinct days
OFFER = 2  # its offer, as an action
RECORD = 3  # its last two deliveries as bits, the older one counting 2: 1 for on time
WIDTH = 4

# --- slots of draws -------------------------------------------------------------------------------

# One slot for each supplier from each of these on.
STOCK_DRAW = 0 * MAX_SUPPLIERS
LEAD_DRAW = 1 * MAX_SUPPLIERS
CUSTOMS_DRAW = 2 * MAX_SUPPLIERS
URGENCY_DRAW = 3 * MAX_SUPPLIERS  # one slot only
DELAY_DRAW = 4 * MAX_SUPPLIERS  # whether there is an unforeseen delay
DAYS_DRAW = 5 * MAX_SUPPLIERS  # how long it is

# Steps of a tender, whichever phases there are: a market without brief begins with MAKE_OFFER.
STATE_URGENCY, MAKE_OFFER, RESPOND, ANSWER = range(4)

LEVELS = 3  # of a record: none, one, both of the last two deliveries on time

# --- where things lie -----------------------------------------------------------------------------


@kernel
def own_at(i: Any) -> Any:
    """The position in `state` `[W]` of supplier i's numbers."""
    return SUPPLIERS + i * WIDTH


@kernel
def days_at(params: Any) -> Any:
    """The position in `params` `[.]` of the distinct lead times, days."""
    return PRICES + int(params[N_PRICES])


@kernel
def leads_at(params: Any) -> Any:
    """The position in `params` `[.]` of the listed lead times, as steps among the distinct ones."""
    return days_at(params) + int(params[N_DAYS])


@kernel
def costs_at(params: Any) -> Any:
    """The position in `params` `[.]` of the suppliers' costs, money."""
    return leads_at(params) + int(params[N_LISTED])


@kernel
def scarcities_at(params: Any) -> Any:
    """The position in `params` `[.]` of the suppliers' probabilities of scarce stock."""
    return costs_at(params) + int(params[N_SUPPLIERS])


@kernel
def delays_at(params: Any) -> Any:
    """The position in `params` `[.]` of the lengths of unforeseen delays, days."""
    return scarcities_at(params) + int(params[N_SUPPLIERS])


# --- offers ---------------------------------------------------------------------------------------

# An offer is an action whose digits are price, claim, promise and clause, the last one fastest:
# ((price * n_claims + claim) * n_days + promise) * n_clauses + dropped. Parts that do not exist
# have one value.


@kernel
def n_claims(params: Any) -> Any:
    """Stock claims to choose from; `params` `[.]`."""
    return 2 if params[HAS_STOCK] else 1


@kernel
def n_clauses(params: Any) -> Any:
    """With or without the clause, or no clause at all; `params` `[.]`."""
    return 2 if params[HAS_CLAUSE] else 1


@kernel
def n_offers(params: Any) -> Any:
    """How many different offers there are; `params` `[.]`."""
    return int(params[N_PRICES]) * n_claims(params) * int(params[N_DAYS]) * n_clauses(params)


@kernel
def price_of(params: Any, offer: Any) -> Any:
    """The step of an offer's price in the list; `params` `[.]`."""
    return offer // (n_claims(params) * int(params[N_DAYS]) * n_clauses(params))


@kernel
def claim_of(params: Any, offer: Any) -> Any:
    """1 if an offer claims scarce stock; `params` `[.]`."""
    return offer // (int(params[N_DAYS]) * n_clauses(params)) % n_claims(params)


@kernel
def promise_of(params: Any, offer: Any) -> Any:
    """The step of an offer's promised days among the distinct ones; `params` `[.]`."""
    return offer // n_clauses(params) % int(params[N_DAYS])


@kernel
def drops_clause(params: Any, offer: Any) -> Any:
    """1 if an offer leaves the clause out; `params` `[.]`."""
    return offer % n_clauses(params)


@kernel
def visible_offer(params: Any, offer: Any) -> Any:
    """An offer as the buyer sees it: with the first claim and promise if claims are not heard.

    The price and the clause are no claims: they are terms of the contract. `params` `[.]`.
    """
    if params[CLAIMS_HEARD]:
        return offer
    each = n_claims(params) * int(params[N_DAYS]) * n_clauses(params)  # offers of one price
    return offer // each * each + drops_clause(params, offer)


@kernel
def countered_supplier(params: Any, response: Any) -> Any:
    """The supplier that a response counters, or -1; `params` `[.]`."""
    first = 1 + int(params[N_SUPPLIERS])  # behind walking away and the acceptances
    return (response - first) // int(params[N_PRICES]) if response >= first else -1


@kernel
def counter_price(params: Any, response: Any) -> Any:
    """The step of a counter's price in the list; `params` `[.]`."""
    return (response - 1 - int(params[N_SUPPLIERS])) % int(params[N_PRICES])


# --- episodes and types ---------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode in `state` `[W]`: no deals so far, and every supplier counts as punctual."""
    state[:] = 0.0
    for i in range(int(params[N_SUPPLIERS])):
        state[own_at(i) + RECORD] = 3.0  # both bits: on time, on time
    draw_types(params, state, key)


@kernel
def draw_types(params: Any, state: Any, key: Any) -> None:
    """Draw all private types of the coming tender into `state` `[W]`; clear what was said."""
    suppliers = int(params[N_SUPPLIERS])
    listed = int(params[N_LISTED])
    leads = leads_at(params)
    scarcities = scarcities_at(params)
    for i in range(suppliers):
        own = own_at(i)
        state[own + STOCK] = 1.0 if u(key, STOCK_DRAW + i) < params[scarcities + i] else 0.0
        state[own + LEAD] = params[leads + below(key, LEAD_DRAW + i, listed)]
        state[own + OFFER] = 0.0
    state[URGENT] = 1.0 if u(key, URGENCY_DRAW) < params[URGENT_SHARE] else 0.0
    state[BRIEF] = 0.0
    state[RESPONSE] = 0.0


# --- observations ---------------------------------------------------------------------------------


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees, from `state` `[W]`.

    A supplier's blocks, in order: waiting for the brief (if any); its offer, by the brief, its
    stock and its lead time; waiting for the response; an answer without a counter; one counter with
    scarce stock (if stock exists); counters, by price, lead time and what its own offer promised.
    """
    brief = int(params[HAS_BRIEF])
    step = phase + 1 - brief
    if seat == int(params[N_SUPPLIERS]):
        return buyer_sees(params, state, brief, step)
    own = own_at(seat)
    stock = int(state[own + STOCK])
    lead = int(state[own + LEAD])
    days = int(params[N_DAYS])
    if step == STATE_URGENCY:
        return 0
    if step == MAKE_OFFER:
        index = int(state[BRIEF]) * int(params[CLAIMS_HEARD]) if brief else 0
        index = index * n_claims(params) + stock
        return brief + index * days + lead
    waiting = brief + (1 + brief) * n_claims(params) * days
    if step == RESPOND:
        return waiting
    response = int(state[RESPONSE])
    if countered_supplier(params, response) != seat:
        return waiting + 1
    if stock == 1:
        return waiting + 2
    offer = int(state[own + OFFER])
    index = counter_price(params, response) * days + lead
    index = index * days + promise_of(params, offer)
    index = index * n_clauses(params) + drops_clause(params, offer)
    return waiting + 2 + (1 if params[HAS_STOCK] else 0) + index


@kernel
def buyer_sees(params: Any, state: Any, brief: Any, step: Any) -> Any:
    """The index of what the buyer sees in a step, from `state` `[W]`.

    Its blocks, in order: the brief (if any), by urgency; waiting for the offers; its response, by
    urgency, then supplier by supplier the offer and the record; waiting for the answer (if any).
    """
    needs = 2 if params[HAS_URGENCY] else 1
    if step == STATE_URGENCY:
        return int(state[URGENT])
    waiting = brief * needs
    if step == MAKE_OFFER:
        return waiting
    index = 0
    responses = needs  # how many observations the block of the response has
    for i in range(int(params[N_SUPPLIERS])):
        own = own_at(i)
        index = index * n_offers(params) + visible_offer(params, int(state[own + OFFER]))
        responses *= n_offers(params)
        if params[HAS_RECORD]:
            index = index * LEVELS + record_level(int(state[own + RECORD]))
            responses *= LEVELS
    if step == ANSWER:
        return waiting + 1 + responses
    return waiting + 1 + int(state[URGENT]) * (responses // needs) + index


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
        # The buyer's actions begin with the two statements of urgency if there is a brief.
        state[RESPONSE] = actions[suppliers] - 2 * int(params[HAS_BRIEF])
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
    own = own_at(i)
    state[own + OFFER] = offer
    measures[i, OVERPROMISE_DAYS] = late_days(params, state, i, 0.0)
    if params[HAS_STOCK] and claim_of(params, offer) != int(state[own + STOCK]):
        measures[i, FALSE_SCARCITY] = 1.0 - state[own + STOCK]
        measures[i, FALSE_PLENTY] = state[own + STOCK]
        measures[i, FINE] = params[CLAIM_FINE]
        measures[i, MARGIN] = -params[CLAIM_FINE]
        burn(measures, params[CLAIM_FINE])


@kernel
def late_days(params: Any, state: Any, i: Any, delay: Any) -> Any:
    """Days by which supplier i's true lead time and a `delay` exceed its promise; `state` `[W]`."""
    own = own_at(i)
    days = days_at(params)
    promise = params[days + promise_of(params, int(state[own + OFFER]))]
    return max(0.0, params[days + int(state[own + LEAD])] + delay - promise)


@kernel
def unforeseen_days(params: Any, i: Any, key: Any) -> Any:
    """Days by which supplier i's delivery is held up, usually 0; `params` `[.]`."""
    if u(key, DELAY_DRAW + i) >= params[DELAY_SHARE]:
        return 0.0
    return params[delays_at(params) + below(key, DAYS_DRAW + i, int(params[N_DELAYS]))]


@kernel
def conclude(params: Any, state: Any, actions: Any, measures: Any, key: Any) -> None:
    """Find who deals with the buyer at what price; scarce suppliers without a deal sell elsewhere.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    suppliers = int(params[N_SUPPLIERS])
    market = measures.shape[0] - 1
    response = int(state[RESPONSE])
    countered = countered_supplier(params, response)
    dealer = -1
    price = 0.0
    if countered >= 0:
        price = params[PRICES + counter_price(params, response)]
        # A supplier's actions are the offers, "sold" (if stock exists), accept, refuse, wait.
        accept = n_offers(params) + int(params[HAS_STOCK])
        dealer = countered if actions[countered] == accept else -1
        if dealer < 0:
            measures[suppliers, STOCKOUT] = 1.0
            measures[suppliers, SURPLUS] -= params[STOCKOUT_COST]
            measures[market, WELFARE] -= params[STOCKOUT_COST]
    elif response > 0:
        dealer = response - 1
        price = params[PRICES + price_of(params, int(state[own_at(dealer) + OFFER]))]
    costs = costs_at(params)
    for i in range(suppliers):
        if i != dealer and state[own_at(i) + STOCK] == 1.0:
            measures[i, MARGIN] += params[OUTSIDE_PRICE] - params[costs + i]
            measures[market, WELFARE] += params[OUTSIDE_PRICE] - params[costs + i]
    if dealer >= 0:
        factor = params[WAIT_DISCOUNT] if countered >= 0 else 1.0
        deliver(params, state, measures, dealer, price, params[costs + dealer], factor, key)


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
    buyer = int(params[N_SUPPLIERS])
    market = measures.shape[0] - 1
    own = own_at(i)
    offer = int(state[own + OFFER])
    value = params[URGENT_VALUE] if state[URGENT] == 1.0 else params[CALM_VALUE]
    promised = params[days_at(params) + promise_of(params, offer)]
    days = late_days(params, state, i, unforeseen_days(params, i, key))
    fine = params[LATE_FINE] * days
    harm = params[LEAD_COST] * promised + params[DELAY_COST] * days  # the buyer's
    if params[HAS_CLAUSE]:
        if drops_clause(params, offer) == 0:
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
    # The newer of the two bits becomes the older one, which counts 2.
    state[own + RECORD] = np.float64(int(state[own + RECORD]) % 2 * 2 + on_time)
