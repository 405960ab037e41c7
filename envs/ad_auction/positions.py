"""How `params` and `state` of the ad auction are laid out, and the slots of its draws."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel

from .config import MOST_BIDDERS

# --- positions in `params`, float64 ---------------------------------------------------------------

N_BIDDERS = 0  # number of bidders
N_BIDS = 1  # bids on the grid
HIGHEST = 2  # the highest value of a click, money
PRICE_MIX = 3  # a winner pays mix x own bid + (1 - mix) x next lower bid per click
RESERVE = 4  # the floor that always holds, money per click
HAS_PUBLISHER = 5  # 1 if a publisher posts a floor first
OBSERVE = 6  # what bidders remember: SEES_NOTHING, SEES_PRICE or SEES_BIDS
FIRST_FLOOR = 7  # how many of the floors 0, then the grid of bids, lie below the reserve
CHAT = 8  # tokens of the chat phase; 0: there is none
BID_BLOCK = 9  # a bidder's first observation in the bid phase
N_SLOTS = 10  # slots for sale
LEVELS = 11  # values that a bidder may have; 1: a common value
SHARES_TIES = 12  # 1: tied bids share what they win; 0: a sampled order decides
DAY = 13  # parts of a day; 1: all rounds are alike
FIXED = 14  # 1: every bidder has a known value of its own
EXTRA = 15  # 1: bidders have one choice below the grid, their first one
CLICKS = 16  # from here each slot's click rate, best first, then zeros
# From here what each of a bidder's actions offers, money: CHAT zeros for the tokens, with EXTRA 0
# or NO_BID, then the grid of bids. Behind it the values [LEVELS], then for each part of the day
# their cumulative probabilities [LEVELS]; with FIXED, each bidder's value instead [N_BIDDERS].
# The entry before AMOUNTS is always 0: without tokens and EXTRA it serves as the floor 0, one step
# below the lowest bid of the grid.
AMOUNTS = CLICKS + MOST_BIDDERS + 1

SEES_NOTHING, SEES_PRICE, SEES_BIDS = range(3)  # values of OBSERVE

NO_BID = -1.0  # the offer of who stays out: less than every floor, so it neither wins nor is paid

# --- positions in `state`, float64 ----------------------------------------------------------------

PRICE = 0  # the last clearing price, money; -1: nothing has been sold
FLOOR = 1  # the publisher's last action
LAST_BIDS = 2  # from here each bidder's last bid: 1 + which of its bids it was, 0: none yet
# With private values or chat: from `values` on each bidder's value (its step), from `tokens` on its
# token. With several parts of a day: at `time` the part that comes next.

# --- slots of draws -------------------------------------------------------------------------------

TIE = 0  # who wins a single slot
VALUE = 1  # from here each bidder's value
ORDER = VALUE + MOST_BIDDERS  # from here each bidder's place among equal bids
FIRST_TIME = ORDER + MOST_BIDDERS  # the part of the day with which an episode begins

# --- positions that depend on the config ----------------------------------------------------------


@kernel
def values(bidders: Any) -> Any:
    """The position in `state` `[W]` of bidder 0's value."""
    return LAST_BIDS + bidders


@kernel
def tokens(bidders: Any) -> Any:
    """The position in `state` `[W]` of bidder 0's token."""
    return LAST_BIDS + 2 * bidders


@kernel
def time(bidders: Any) -> Any:
    """The position in `state` `[W]` of the part of the day."""
    return LAST_BIDS + 3 * bidders


@kernel
def value_grid(params: Any) -> Any:
    """The position in `params` `[.]` of the lowest value."""
    return AMOUNTS + int(params[CHAT]) + int(params[EXTRA]) + int(params[N_BIDS])
