"""How `params` and `state` of the cloud market are laid out, and the slots of its draws."""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel

# --- positions in `params`, float64 ---------------------------------------------------------------

N_PROVIDERS = 0  # N, seats that post prices: of all regions, region by region
N_PRICES = 1  # m
JOINTS = 2  # joint prices, m^N
MEMORY_SIZE = 3  # remembered joint prices, JOINTS^memory
RULE = 4  # of demand: LOGIT, BEST_OFFER, CHEAPEST or LINEAR
MU = 5  # how differentiated products are, money
OUTSIDE = 6  # a_0, what not buying is worth, money
SHOCK_SIZE = 7  # a_0 moves by so much up or down, money; 0: never
RESERVATION = 8  # the most that unit and linear demand pay, money
FIRMS = 9  # seats that post prices in one region
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
TABLED = 23  # joint prices of a region in the demand table; 0: there is no table
GRID = 24  # position in `params` of the price grids [N, m], money; behind them a - p [N, m]
TABLE = 25  # position in `params` of the demand table: see `tabled_demand`
ALTERNATING = 26  # 1 if providers move in turn, 0 if all post every round
REGIONS = 27  # separate markets
OWN_REGION = 28  # 1 if a provider sees the prices of its own region only
REGION_JOINTS = 29  # joint prices of one region, m^FIRMS
COST = 30  # from here each provider's cost of a unit, money [N]; behind them `masses`

LOGIT, BEST_OFFER, CHEAPEST, LINEAR = range(4)  # values of RULE

# --- positions in `state`, float64 ----------------------------------------------------------------

STARTED = 0  # 1 after the first round
PAST = 1  # the remembered prices as one index: the oldest round first, provider by provider
POSTED = 2  # from here each provider's last price, as its step on the own grid
# From `loads` on each provider's load (1: surge); from `claims` on each one's claim (1: tight);
# from `needs` on each tenant's need (1: critical); from `drawn` on the numbers of `surges.py`, if
# surges are drawn from lists. With alternating moves, at `mover` the provider that moves next.

# --- slots of draws -------------------------------------------------------------------------------

SHOCK = 0  # of the outside option
FIRST_PRICES = 1  # remembered at an episode's beginning
ROUNDING = 128  # from here one for each provider: whether a fraction of a unit becomes one
NEED = 192  # from here one for each tenant: its need
LOTTERY = 256  # from here one for each tenant: whether it is served
# Slots 64 .. 127 and from 320 on belong to `surges.py`.

# --- positions that depend on the config ----------------------------------------------------------


@kernel
def masses(providers: Any) -> Any:
    """The position in `params` of region 0's mass of background consumers, units `[REGIONS]`."""
    return COST + providers


@kernel
def loads(providers: Any) -> Any:
    """The position in `state` `[W]` of provider 0's load."""
    return POSTED + providers


@kernel
def claims(providers: Any) -> Any:
    """The position in `state` `[W]` of provider 0's claim."""
    return POSTED + 2 * providers


@kernel
def needs(providers: Any) -> Any:
    """The position in `state` `[W]` of tenant 0's need."""
    return POSTED + 3 * providers


@kernel
def drawn(providers: Any, tenants: Any) -> Any:
    """The position in `state` `[W]` of what was drawn from lists of surges."""
    return POSTED + 3 * providers + tenants


@kernel
def mover(providers: Any) -> Any:
    """The position in `state` `[W]` of the provider whose turn it is, with alternating moves.

    It is the place of `drawn` without tenants: alternating moves exclude surges and tenants.
    """
    return POSTED + 3 * providers
