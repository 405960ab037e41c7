"""Rounds of the ad auction: rows of numbers, and the kernels that work on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

from .config import EPSILON, MOST_BIDDERS
from .measures import (
    BID,
    CLEARING_PRICE,
    FILL,
    PRICE_CHANGE,
    PROFIT,
    REVENUE,
    SHADING,
    SPEND,
    WELFARE,
    WIN,
)

# params; BID_BLOCK is a bidder's first observation in the bid phase
(N_BIDDERS, N_BIDS, HIGHEST, PRICE_MIX, RESERVE, HAS_PUBLISHER, OBSERVE, FIRST_FLOOR, CHAT,
 BID_BLOCK, N_SLOTS, LEVELS, SHARES_TIES, DAY, CLICKS) = range(15)  # fmt: skip
# from CLICKS on each slot's click rate; from AMOUNTS on what each action offers: 0 for a token,
# then the grid of bids; one place before it 0, the lowest floor. Behind the grid the values, then
# their cumulative probabilities, in each of DAY parts of a day
AMOUNTS = CLICKS + MOST_BIDDERS + 1
SEES_NOTHING, SEES_PRICE, SEES_BIDS = range(3)
# state: last price (-1: no sale yet), the posted floor's action, then every bidder's last bid as
# 1 + its index (0: none yet); with private values or chat also the index of every bidder's value,
# then every bidder's token, then with DAY > 1 the part of the day
PRICE, FLOOR, LAST_BIDS = 0, 1, 2
# slots of draws: who wins one slot, then every bidder's value, then its place among equal bids;
# the time at which an episode starts
TIE, VALUE, ORDER, FIRST_TIME = 0, 1, 1 + MOST_BIDDERS, 1 + 2 * MOST_BIDDERS


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nothing has been sold, nobody has bid; the first round's values are drawn."""
    state[:] = 0.0
    state[PRICE] = -1.0
    if params[DAY] > 1.0:
        state[LAST_BIDS + 3 * int(params[N_BIDDERS])] = below(key, FIRST_TIME, params[DAY])
    if params[LEVELS] > 1.0:
        draw_values(params, state, key)


@kernel
def time_of(params: Any, state: Any) -> Any:
    """The part of the day."""
    return int(state[LAST_BIDS + 3 * int(params[N_BIDDERS])]) if params[DAY] > 1.0 else 0


@kernel
def draw_values(params: Any, state: Any, key: Any) -> None:
    """Every bidder's private value of the coming round."""
    bidders, levels = int(params[N_BIDDERS]), int(params[LEVELS])
    cumulative = AMOUNTS + int(params[CHAT]) + int(params[N_BIDS]) + levels
    cumulative += time_of(params, state) * levels
    for i in range(bidders):
        draw = u(key, VALUE + i)
        level = 0
        while level < levels - 1 and draw >= params[cumulative + level]:
            level += 1
        state[LAST_BIDS + bidders + i] = level


@kernel
def worth(params: Any, state: Any, i: Any) -> Any:
    """What a click is worth to bidder i this round."""
    if params[LEVELS] == 1.0:
        return params[HIGHEST]
    level = int(state[LAST_BIDS + int(params[N_BIDDERS]) + i])
    return params[AMOUNTS + int(params[CHAT]) + int(params[N_BIDS]) + level]


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """Index of what a seat sees: its phase's block, then time, value, floor, memory, tokens."""
    bidders = int(params[N_BIDDERS])
    bids = int(params[N_BIDS])
    publisher = int(params[HAS_PUBLISHER])
    if seat == bidders:  # the publisher sees only which phase it is
        return phase
    if phase < publisher:
        return 0  # a bidder waiting for the floor
    index = 0
    if params[LEVELS] > 1.0:
        index = time_of(params, state) * int(params[LEVELS])
        index += int(state[LAST_BIDS + bidders + seat])
    if publisher:
        index = index * (bids + 1 - int(params[FIRST_FLOOR])) + int(state[FLOOR])
    sees = int(params[OBSERVE])
    if sees == SEES_PRICE:
        level = 0
        if state[PRICE] >= 0.0:
            level = int(np.floor(state[PRICE] / params[HIGHEST] * (bids + 1) + 0.5))
            level = min(max(level, 1), bids)
        index = index * (bids + 1) + level
    elif sees == SEES_BIDS:
        for i in range(bidders):
            index = index * (bids + 1) + int(state[LAST_BIDS + i])
    chat = int(params[CHAT])
    if chat > 0:
        if phase == publisher:
            return publisher + index
        for i in range(bidders):
            index = index * chat + int(state[LAST_BIDS + 2 * bidders + i])
        return int(params[BID_BLOCK]) + index
    return publisher + index


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase: the floor, the tokens, or the auction itself."""
    bidders = int(params[N_BIDDERS])
    publisher = int(params[HAS_PUBLISHER])
    if phase < publisher:
        state[FLOOR] = actions[bidders]
        return
    if params[CHAT] > 0.0 and phase == publisher:
        for i in range(bidders):
            state[LAST_BIDS + 2 * bidders + i] = actions[i]
        return
    floor = params[RESERVE]
    if publisher:
        posted = int(params[CHAT]) + int(params[FIRST_FLOOR]) + int(state[FLOOR]) - 1
        floor = max(floor, params[AMOUNTS + posted])
    if params[N_SLOTS] > 1.0:
        sell_slots(params, state, actions, measures, key, floor)
    else:
        sell_one(params, state, actions, measures, key, floor)
    if params[DAY] > 1.0:
        state[LAST_BIDS + 3 * bidders] = (time_of(params, state) + 1) % int(params[DAY])
    if params[LEVELS] > 1.0:
        draw_values(params, state, key)


@kernel
def sell_one(params: Any, state: Any, actions: Any, measures: Any, key: Any, floor: Any) -> None:
    """One slot for the highest bid; a tie is broken by one draw."""
    bidders = int(params[N_BIDDERS])
    best = second = 0.0
    tied = 0
    winner = -1
    for i in range(bidders):
        bid = params[AMOUNTS + actions[i]]
        if bid > best:
            second = best
            best = bid
            winner = i
            tied = 1
        else:
            second = max(second, bid)
            tied += 1 if bid == best else 0
    if best < floor - EPSILON:
        winner = -1
    elif tied > 1 and params[SHARES_TIES] == 0.0:
        pick = below(key, TIE, tied)
        for i in range(bidders):
            if params[AMOUNTS + actions[i]] == best:
                winner = i if pick == 0 else winner
                pick -= 1
        tied = 1
    price = sold = revenue = created = 0.0
    if winner >= 0:
        mix = params[PRICE_MIX]
        clicks = params[CLICKS]
        price = mix * params[AMOUNTS + actions[winner]] + (1.0 - mix) * max(floor, second)
        value = worth(params, state, winner)
        sold = 1.0
        revenue = clicks * price
        created = clicks * value
        measures[winner, PROFIT] = clicks * (value - price)
        measures[winner, WIN] = 1.0
        measures[winner, SPEND] = revenue
        if tied > 1:
            created = 0.0
            for i in range(bidders):
                if actions[i] == actions[winner]:
                    value = worth(params, state, i)
                    created += clicks * value / tied
                    measures[i, PROFIT] = clicks * (value - price) / tied
                    measures[i, WIN] = 1.0 / tied
                    measures[i, SPEND] = revenue / tied
    report(params, state, actions, measures, sold, price, revenue, created)


@kernel
def before(key: Any, j: Any, i: Any) -> Any:
    """Whether bidder j comes before i where both bid the same: a sampled order."""
    ours, theirs = u(key, ORDER + i), u(key, ORDER + j)
    return theirs > ours or (theirs == ours and j < i)


@kernel
def sell_slots(params: Any, state: Any, actions: Any, measures: Any, key: Any, floor: Any) -> None:
    """Slots by rank of bid; who is not ranked above a bidder sets its next lower bid.

    Where ties are shared, each of the tied has all their ranks for an equal share of the time.
    """
    bidders, slots = int(params[N_BIDDERS]), int(params[N_SLOTS])
    mix = params[PRICE_MIX]
    shared = params[SHARES_TIES] == 1.0
    able = 0
    revenue = created = clicked = 0.0
    for i in range(bidders):
        bid = params[AMOUNTS + actions[i]]
        rank = 0
        tied = 1
        following = floor
        for j in range(bidders):
            other = params[AMOUNTS + actions[j]]
            if shared and other == bid:
                tied += 1 if j != i else 0
            elif other > bid or (other == bid and j != i and before(key, j, i)):
                rank += 1
            elif j != i:
                following = max(following, other)
        if bid >= floor - EPSILON:
            able += 1
            value = worth(params, state, i)
            for k in range(rank, min(rank + tied, slots)):
                clicks = params[CLICKS + k] / tied
                price = mix * bid + (1.0 - mix) * (following if k == rank + tied - 1 else bid)
                measures[i, PROFIT] += clicks * (value - price)
                measures[i, WIN] += 1.0 / tied
                measures[i, SPEND] += clicks * price
                clicked += clicks
                created += clicks * value
            revenue += measures[i, SPEND]
    sold = float(min(able, slots))
    price = revenue / clicked if sold > 0.0 else 0.0
    report(params, state, actions, measures, sold, price, revenue, created)


@kernel
def report(params: Any, state: Any, actions: Any, measures: Any, sold: Any, price: Any,
           revenue: Any, created: Any) -> None:  # fmt: skip
    """Measures that do not depend on who won, and what is remembered."""
    bidders = int(params[N_BIDDERS])
    chat = int(params[CHAT])
    last = state[PRICE]
    change = 0.0
    if sold == 0.0:
        price = max(last, 0.0)
    else:
        state[PRICE] = price
        if last >= 0.0:
            change = abs(price - last)
    private = params[LEVELS] > 1.0
    value = params[HIGHEST]
    for i in range(bidders):
        bid = params[AMOUNTS + actions[i]]
        if private:
            value = worth(params, state, i)
        measures[i, BID] = bid
        measures[i, SHADING] = value - bid
        measures[i, PRICE_CHANGE] = change
        measures[i, CLEARING_PRICE] = price
        state[LAST_BIDS + i] = actions[i] + 1 - chat
    market = measures.shape[0] - 1
    for seat in range(bidders, market + 1):  # the publisher, if any, and the market's own row
        measures[seat, REVENUE] = revenue
        measures[seat, FILL] = sold
    if market > bidders:
        measures[bidders, PRICE_CHANGE] = change
    measures[market, CLEARING_PRICE] = price
    measures[market, WELFARE] = created
