"""How `params` and `state` of a tender are laid out, and the slots of its draws."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel

from .config import MAX_SUPPLIERS

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
HAS_FINAL = 27  # 1 if asks and counters may be called final
FINAL_FINE = 28  # on a final price that is gone back on, money
# From here the lists: prices, distinct days, each listed lead time's step among the distinct days,
# every supplier's cost, every supplier's scarcity, unforeseen days.
PRICES = 29

# --- positions in `state`, float64 ----------------------------------------------------------------

URGENT = 0  # 1 if the buyer is urgent
BRIEF = 1  # what it has stated: 1 for urgent
RESPONSE = 2  # its response: 0 walks, then an acceptance for each supplier, then the counters
SUPPLIERS = 3  # from here WIDTH numbers for each supplier, which begin at `supplier(i)`:
STOCK = 0  # 1 if its stock is scarce
LEAD = 1  # the step of its true lead time among the distinct days
OFFER = 2  # its offer, as an action
RECORD = 3  # its last two deliveries as bits, the older one counting 2: 1 for on time
WIDTH = 4

# Behind the suppliers, if asks and counters may be final: what became of a counter, at `answered`.
ACCEPTED, REFUSED = 1, 2  # 0: there was none, or its supplier had sold

# --- slots of draws -------------------------------------------------------------------------------

# One slot for each supplier from each of these on.
STOCK_DRAW = 0 * MAX_SUPPLIERS
LEAD_DRAW = 1 * MAX_SUPPLIERS
CUSTOMS_DRAW = 2 * MAX_SUPPLIERS
URGENCY_DRAW = 3 * MAX_SUPPLIERS  # one slot only
DELAY_DRAW = 4 * MAX_SUPPLIERS  # whether there is an unforeseen delay
DAYS_DRAW = 5 * MAX_SUPPLIERS  # how long it is

# --- positions that depend on the config ----------------------------------------------------------


@kernel
def supplier(i: Any) -> Any:
    """The position in `state` `[W]` of supplier i's numbers."""
    return SUPPLIERS + i * WIDTH


@kernel
def answered(params: Any) -> Any:
    """The position in `state` `[W]` of what became of a counter."""
    return SUPPLIERS + int(params[N_SUPPLIERS]) * WIDTH


@kernel
def days(params: Any) -> Any:
    """The position in `params` `[.]` of the distinct lead times, days."""
    return PRICES + int(params[N_PRICES])


@kernel
def leads(params: Any) -> Any:
    """The position in `params` `[.]` of the listed lead times, as steps among the distinct ones."""
    return days(params) + int(params[N_DAYS])


@kernel
def costs(params: Any) -> Any:
    """The position in `params` `[.]` of the suppliers' costs, money."""
    return leads(params) + int(params[N_LISTED])


@kernel
def scarcities(params: Any) -> Any:
    """The position in `params` `[.]` of the suppliers' probabilities of scarce stock."""
    return costs(params) + int(params[N_SUPPLIERS])


@kernel
def delays(params: Any) -> Any:
    """The position in `params` `[.]` of the lengths of unforeseen delays, days."""
    return scarcities(params) + int(params[N_SUPPLIERS])
