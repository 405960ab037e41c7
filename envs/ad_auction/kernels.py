"""The rules of the ad auction, as compiled functions of one copy.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by `positions.py`. Letters: S
seats (bidders first, then the publisher, if any), M measures, W numbers of a state row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below, u

from . import positions as at
from .config import EPSILON
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

# --- what a bidder's value is ---------------------------------------------------------------------


@kernel
def time_of(params: Any, state: Any) -> Any:
    """The part of the day that comes next, from `state` `[W]`."""
    return int(state[at.time(int(params[at.N_BIDDERS]))]) if params[at.DAY] > 1.0 else 0


@kernel
def click_value(params: Any, state: Any, i: Any) -> Any:
    """What a click is worth to bidder i this round, money; `state` `[W]`."""
    if params[at.FIXED] == 1.0:
        return params[at.value_grid(params) + i]
    if params[at.LEVELS] == 1.0:
        return params[at.HIGHEST]
    level = int(state[at.values(int(params[at.N_BIDDERS])) + i])
    return params[at.value_grid(params) + level]


# --- episodes and values --------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode in `state` `[W]`: no sale, no bids; the first round's values are drawn."""
    state[:] = 0.0
    state[at.PRICE] = -1.0
    if params[at.DAY] > 1.0:
        state[at.time(int(params[at.N_BIDDERS]))] = below(key, at.FIRST_TIME, params[at.DAY])
    if params[at.LEVELS] > 1.0:
        draw_values(params, state, key)


@kernel
def draw_values(params: Any, state: Any, key: Any) -> None:
    """Draw every bidder's private value of the coming round into `state` `[W]`."""
    bidders, levels = int(params[at.N_BIDDERS]), int(params[at.LEVELS])
    cumulative = at.value_grid(params) + levels
    cumulative += time_of(params, state) * levels
    for i in range(bidders):
        draw = u(key, at.VALUE + i)
        level = 0
        while level < levels - 1 and draw >= params[cumulative + level]:
            level += 1
        state[at.values(bidders) + i] = level


# --- observations ---------------------------------------------------------------------------------


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees, from `state` `[W]`.

    A bidder's blocks lie in the order of phases: one observation while it waits for the floor; the
    chat, if any; the bid. Within a block the digits are time, value, floor, what it remembers, and
    in the bid phase all tokens, the last one fastest.
    """
    bidders = int(params[at.N_BIDDERS])
    bids = int(params[at.N_BIDS])
    extra = int(params[at.EXTRA])
    publisher = int(params[at.HAS_PUBLISHER])
    if seat == bidders:  # the publisher sees only which phase it is
        return phase
    if phase < publisher:  # a bidder waits for the floor
        return 0
    index = 0
    if params[at.LEVELS] > 1.0:
        index = time_of(params, state) * int(params[at.LEVELS])
        index += int(state[at.values(bidders) + seat])
    if publisher:
        floors = bids + 1 - int(params[at.FIRST_FLOOR])
        index = index * floors + int(state[at.FLOOR])
    sees = int(params[at.OBSERVE])
    if sees == at.SEES_PRICE:
        level = 0
        if state[at.PRICE] >= 0.0:
            # The nearest bid (the extra one counts as 0); a price below the lowest shows as that.
            level = int(np.floor(state[at.PRICE] / params[at.HIGHEST] * (bids + 1) + 0.5)) + extra
            level = min(max(level, 1), bids + extra)
        index = index * (bids + extra + 1) + level
    elif sees == at.SEES_BIDS:
        for i in range(bidders):
            index = index * (bids + extra + 1) + int(state[at.LAST_BIDS + i])
    chat = int(params[at.CHAT])
    if chat > 0:
        if phase == publisher:  # the chat phase
            return publisher + index
        for i in range(bidders):
            index = index * chat + int(state[at.tokens(bidders) + i])
        return int(params[at.BID_BLOCK]) + index
    return publisher + index


# --- a round --------------------------------------------------------------------------------------


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase: the floor, the tokens, or the auction itself.

    `state` float64 `[W]`, `actions` int64 `[S]`, `measures` float64 `[S + 1, M]`.
    """
    bidders = int(params[at.N_BIDDERS])
    publisher = int(params[at.HAS_PUBLISHER])
    if phase < publisher:
        state[at.FLOOR] = actions[bidders]
        return
    if params[at.CHAT] > 0.0 and phase == publisher:
        for i in range(bidders):
            state[at.tokens(bidders) + i] = actions[i]
        return
    floor = params[at.RESERVE]
    if publisher:
        # Floors are 0, then the grid of bids, so a floor's step is one more than its bid's.
        grid = at.AMOUNTS + int(params[at.CHAT]) + int(params[at.EXTRA])
        posted = grid + int(params[at.FIRST_FLOOR]) + int(state[at.FLOOR]) - 1
        floor = max(floor, params[posted])
    if params[at.N_SLOTS] > 1.0:
        sell_slots(params, state, actions, measures, key, floor)
    else:
        sell_one(params, state, actions, measures, key, floor)
    if params[at.DAY] > 1.0:
        state[at.time(bidders)] = (time_of(params, state) + 1) % int(params[at.DAY])
    if params[at.LEVELS] > 1.0:
        draw_values(params, state, key)


@kernel
def sell_one(params: Any, state: Any, actions: Any, measures: Any, key: Any, floor: Any) -> None:
    """Sell one slot to the highest bid at or above the floor.

    A tie is broken by one draw, which says which of the tied wins, in order of seats; several slots
    need a whole order, hence a draw for each bidder (`sell_slots`).

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    bidders = int(params[at.N_BIDDERS])
    # The highest bid, and the highest of the others (equal to it in a tie).
    best = second = at.NO_BID
    tied = 0
    winner = -1
    for i in range(bidders):
        bid = params[at.AMOUNTS + actions[i]]
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
    elif tied > 1 and params[at.SHARES_TIES] == 0.0:
        pick = below(key, at.TIE, tied)
        for i in range(bidders):
            if params[at.AMOUNTS + actions[i]] == best:
                winner = i if pick == 0 else winner
                pick -= 1
        tied = 1
    price = sold = revenue = created = 0.0
    if winner >= 0:
        mix = params[at.PRICE_MIX]
        clicks = params[at.CLICKS]
        price = mix * params[at.AMOUNTS + actions[winner]] + (1.0 - mix) * max(floor, second)
        value = click_value(params, state, winner)
        sold = 1.0
        revenue = clicks * price
        created = clicks * value
        measures[winner, PROFIT] = clicks * (value - price)
        measures[winner, WIN] = 1.0
        measures[winner, SPEND] = revenue
        if tied > 1:  # shared: the winner's figures above are replaced by its share
            created = 0.0
            for i in range(bidders):
                if actions[i] == actions[winner]:
                    value = click_value(params, state, i)
                    created += clicks * value / tied
                    measures[i, PROFIT] = clicks * (value - price) / tied
                    measures[i, WIN] = 1.0 / tied
                    measures[i, SPEND] = revenue / tied
    report(params, state, actions, measures, sold, price, revenue, created)


@kernel
def ranks_before(key: Any, j: Any, i: Any) -> Any:
    """Whether bidder j ranks before i where both bid the same: by their draws, then by seat."""
    ours, theirs = u(key, at.ORDER + i), u(key, at.ORDER + j)
    return theirs > ours or (theirs == ours and j < i)


@kernel
def sell_slots(params: Any, state: Any, actions: Any, measures: Any, key: Any, floor: Any) -> None:
    """Sell several slots by rank of bid.

    A bidder's price depends on the next lower bid: the highest bid that does not rank above it.
    Where ties are shared, each of the tied holds every rank of theirs for an equal share of the
    clicks: the ranks `rank .. rank + tied - 1`, of which only the last one is followed by a lower
    bid.

    `state` `[W]`, `actions` int64 `[S]`, `measures` `[S + 1, M]`.
    """
    bidders, slots = int(params[at.N_BIDDERS]), int(params[at.N_SLOTS])
    mix = params[at.PRICE_MIX]
    shared = params[at.SHARES_TIES] == 1.0
    able = 0  # bids at or above the floor
    revenue = created = clicked = 0.0
    for i in range(bidders):
        bid = params[at.AMOUNTS + actions[i]]
        rank = 0
        tied = 1
        following = floor  # the next lower bid, or the floor
        for j in range(bidders):
            other = params[at.AMOUNTS + actions[j]]
            if shared and other == bid:
                tied += 1 if j != i else 0
            elif other > bid or (other == bid and j != i and ranks_before(key, j, i)):
                rank += 1
            elif j != i:
                following = max(following, other)
        if bid >= floor - EPSILON:
            able += 1
            value = click_value(params, state, i)
            for k in range(rank, min(rank + tied, slots)):
                clicks = params[at.CLICKS + k] / tied
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
    """Fill the measures that do not depend on who won, and what is remembered.

    Args:
        params: `[.]`.
        state: `[W]`.
        actions: int64 `[S]`.
        measures: `[S + 1, M]`.
        sold: slots sold.
        price: money per click sold; ignored if nothing was.
        revenue: money.
        created: the value of all clicks sold, money.
    """
    bidders = int(params[at.N_BIDDERS])
    chat = int(params[at.CHAT])
    last = state[at.PRICE]
    change = 0.0
    if sold == 0.0:
        price = max(last, 0.0)  # the last price stays; 0 if there has been none
    else:
        state[at.PRICE] = price
        if last >= 0.0:
            change = abs(price - last)
    own = params[at.LEVELS] > 1.0 or params[at.FIXED] == 1.0  # bidders differ in what a click is
    value = params[at.HIGHEST]  # worth to them; else it is this to all
    for i in range(bidders):
        bid = max(params[at.AMOUNTS + actions[i]], 0.0)  # who stays out bids 0
        if own:
            value = click_value(params, state, i)
        measures[i, BID] = bid
        measures[i, SHADING] = value - bid
        measures[i, PRICE_CHANGE] = change
        measures[i, CLEARING_PRICE] = price
        state[at.LAST_BIDS + i] = actions[i] + 1 - chat  # actions below `chat` are tokens
    market = measures.shape[0] - 1
    for seat in range(bidders, market + 1):  # the publisher, if any, and the market's own row
        measures[seat, REVENUE] = revenue
        measures[seat, FILL] = sold
    if market > bidders:
        measures[bidders, PRICE_CHANGE] = change
    measures[market, CLEARING_PRICE] = price
    measures[market, WELFARE] = created
