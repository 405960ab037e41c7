"""Ad auction: bidders compete every round for one ad slot; optionally a publisher posts a floor.

Rules. If there is a publisher, it first posts a floor, which bidders see. All bidders bid at once.
The highest bid at or above the floor wins (a tie is broken by a sampled winner; `ties: shared` pays
everybody the expected share instead, which changes what is learned) and pays

    mix x own bid + (1 - mix) x highest losing bid,

where the floor counts as a losing bid: `price_mix` 1 is a first-price, 0 a second-price auction.
Nobody above the floor: the slot stays unsold, and the last price stands.

| who | observation | action |
|---|---|---|
| publisher | phase | floor: 0 or a bid of the grid, never below `reserve` |
| bidder | phase; own value; floor (if posted); last price or all bids | bid k/(bids+1) x value |

Rewards are the KPI's; episodes end by truncation only. The pricing rule with a mix between first
and second price: Banchio, Skrzypacz, "Artificial Intelligence and Auction Design", EC 2022.

Version history: v0, first release (common value, one slot).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .kernel import kernel
from .market import Benchmark, Block, Market, Measure, Part, Role, Seat
from .rng import below

# --- config ----------------------------------------------------------------------------------


class CommonValue(BaseModel):
    """Every bidder values the slot at the same known amount."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["common"] = "common"
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class AdAuctionConfig(BaseModel):
    """Keys of the ad auction (money is abstract)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bidders: Annotated[int, Field(ge=2, le=16)] = Field(2, description="number of bidders")
    value: CommonValue = Field(CommonValue(), description="what the slot is worth to a bidder")
    bids: Annotated[int, Field(ge=1, le=999)] = Field(
        19, description="bids on the grid k/(bids+1) x value, k = 1 .. bids"
    )
    price_mix: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.0, description="the winner pays mix x own bid + (1-mix) x highest losing bid"
    )
    reserve: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="bids below it cannot win; it counts as a losing bid"
    )
    publisher: bool = Field(False, description="a seat that posts the floor first")
    ties: Literal["sampled", "shared"] = Field(
        "sampled", description="one of the tied bidders wins, or the slot is shared equally"
    )
    observe: Literal["none", "price", "bids"] = Field(
        "none", description="what bidders remember: nothing, the last price, all last bids"
    )

    @model_validator(mode="after")
    def _reserve_can_be_met(self) -> AdAuctionConfig:
        top = self.value.value * self.bids / (self.bids + 1)
        if self.reserve > top:
            raise ValueError(
                f"reserve {self.reserve:g} is above the highest bid {top:g}: nothing could be sold."
            )
        return self


# --- measures --------------------------------------------------------------------------------

BIDDER, PUBLISHER, MARKET = ("bidder",), ("publisher",), ("market",)
MEASURES = (
    Measure("profit", BIDDER, "money", +1, "value less payment if it won, else 0"),
    Measure("win", BIDDER, "slot", +1, "1 if it won the slot"),
    Measure("spend", BIDDER, "money", 0, "what it paid"),
    Measure("bid", BIDDER, "money", 0, "what it bid"),
    Measure("shading", BIDDER, "money", 0, "value less bid"),
    Measure(
        "price_change",
        ("bidder", "publisher"),
        "money",
        -1,
        "volatility: |clearing price - last one|; 0 in the first round and if unsold",
        past=True,
    ),
    Measure(
        "clearing_price",
        ("bidder", "market"),
        "money",
        0,
        "what the winner paid; the last price in a round without a sale",
        past=True,
    ),
    Measure("revenue", ("publisher", "market"), "money", +1, "what the seller received"),
    Measure("fill", ("publisher", "market"), "slot", +1, "1 if the slot was sold"),
    Measure("welfare", MARKET, "money", +1, "value created: that of the winner, 0 if unsold"),
)
(PROFIT, WIN, SPEND, BID, SHADING, PRICE_CHANGE, CLEARING_PRICE, REVENUE, FILL, WELFARE) = range(10)

# --- rows of numbers -------------------------------------------------------------------------

# params
(N_BIDDERS, N_BIDS, VALUE, PRICE_MIX, RESERVE, HAS_PUBLISHER, OBSERVE, FIRST_FLOOR, SHARES_TIES,
 GRID) = range(10)  # fmt: skip
# (from GRID on: the bids + 1 amounts 0, value/(bids+1), ..., of which bids are all but the first)
SEES_NOTHING, SEES_PRICE, SEES_BIDS = range(3)
# state: last price (-1: no sale yet), the posted floor's action, then every bidder's last bid as
# 1 + its action (0: none yet)
PRICE, FLOOR, LAST_BIDS = 0, 1, 2
# slots of draws
TIE = 0

EPSILON = 1e-12  # a bid equal to the reserve meets it, whatever the rounding

# --- kernels ---------------------------------------------------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nothing has been sold, nobody has bid."""
    state[:] = 0.0
    state[PRICE] = -1.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """Index of what a seat sees: its phase's block, then floor, then what it remembers."""
    bidders = int(params[N_BIDDERS])
    bids = int(params[N_BIDS])
    publisher = int(params[HAS_PUBLISHER])
    if seat == bidders:  # the publisher sees only which phase it is
        return phase
    if phase < publisher:
        return 0  # a bidder waiting for the floor
    index = int(state[FLOOR]) if publisher else 0
    sees = int(params[OBSERVE])
    if sees == SEES_PRICE:
        level = 0
        if state[PRICE] >= 0.0:
            level = int(np.floor(state[PRICE] / params[VALUE] * (bids + 1) + 0.5))
            level = min(max(level, 1), bids)
        index = index * (bids + 1) + level
    elif sees == SEES_BIDS:
        for i in range(bidders):
            index = index * (bids + 1) + int(state[LAST_BIDS + i])
    return publisher + index


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase: the floor, or the auction itself."""
    bidders = int(params[N_BIDDERS])
    publisher = int(params[HAS_PUBLISHER])
    if phase < publisher:
        state[FLOOR] = actions[bidders]
        return
    floor = params[RESERVE]
    if publisher:
        floor = max(floor, params[GRID + int(state[FLOOR] + params[FIRST_FLOOR])])
    best = second = 0.0
    tied = 0
    winner = -1
    for i in range(bidders):
        bid = params[GRID + 1 + actions[i]]
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
            if params[GRID + 1 + actions[i]] == best:
                winner = i if pick == 0 else winner
                pick -= 1
        tied = 1
    losing = max(floor, second)
    settle(params, state, actions, measures, winner, tied, losing)


@kernel
def settle(params: Any, state: Any, actions: Any, measures: Any, winner: Any, tied: Any,
           losing: Any) -> None:  # fmt: skip
    """Price, payments and measures, once the winner (-1: unsold; of `tied` that share) and the
    losing bid are known."""
    bidders = int(params[N_BIDDERS])
    value = params[VALUE]
    last = state[PRICE]
    price = max(last, 0.0)
    change = 0.0
    sold = 0.0
    if winner >= 0:
        mix = params[PRICE_MIX]
        price = mix * params[GRID + 1 + actions[winner]] + (1.0 - mix) * losing
        sold = 1.0
        state[PRICE] = price
        if last >= 0.0:
            change = abs(price - last)
    for i in range(bidders):
        bid = params[GRID + 1 + actions[i]]
        measures[i, BID] = bid
        measures[i, SHADING] = value - bid
        measures[i, PRICE_CHANGE] = change
        measures[i, CLEARING_PRICE] = price
        state[LAST_BIDS + i] = actions[i] + 1
    if winner >= 0:
        measures[winner, PROFIT] = value - price
        measures[winner, WIN] = 1.0
        measures[winner, SPEND] = price
    if winner >= 0 and tied > 1:
        for i in range(bidders):
            if actions[i] == actions[winner]:
                measures[i, PROFIT] = (value - price) / tied
                measures[i, WIN] = 1.0 / tied
                measures[i, SPEND] = price / tied
    market = measures.shape[0] - 1
    for seat in range(bidders, market + 1):  # the publisher, if any, and the market's own row
        measures[seat, REVENUE] = sold * price
        measures[seat, FILL] = sold
    if market > bidders:
        measures[bidders, PRICE_CHANGE] = change
    measures[market, CLEARING_PRICE] = price
    measures[market, WELFARE] = sold * value


# --- the market ------------------------------------------------------------------------------


class AdAuction(Market):
    """See the module's docstring."""

    name = "ad_auction"
    version = 0
    title = "bidders compete for an ad slot, in a first- to second-price auction"
    kernels = __name__
    model = AdAuctionConfig
    measures = MEASURES
    headline = "clearing_price"
    sees_actions_with = "market.observe=bids"
    config: AdAuctionConfig

    def declare(self) -> None:
        c = self.config
        value = c.value.value
        grid = tuple(value * (k + 1) / (c.bids + 1) for k in range(c.bids))
        self.grid = grid
        floors = tuple(f for f in (0.0, *grid) if f >= c.reserve - EPSILON)
        first_floor = c.bids + 1 - len(floors)
        floor = Part("floor", floors, "the lowest bid that can win")
        bid = Part("bid", grid, "what the bidder offers for the slot")
        own = Part("value", (value,), "what the slot is worth to the bidder")
        seen: tuple[Part, ...] = (own, floor) if c.publisher else (own,)
        if c.observe == "price":
            levels = ("none", *grid)
            seen += (Part("last_price", levels, "the last clearing price, to the nearest bid"),)
        elif c.observe == "bids":
            levels = ("none", *grid)
            seen += tuple(
                Part(f"last_bid_{i}", levels, f"bidder_{i}'s last bid") for i in range(c.bidders)
            )
        if c.publisher:
            self.phases = ("floor", "bid")
            bidder_blocks: tuple[Block, ...] = (Block(0), Block(1, seen, (bid,)))
            reserve = Part("reserve", (c.reserve,), "the floor that always holds")
            publisher_blocks: tuple[Block, ...] = (Block(0, (reserve,), (floor,)), Block(1))
        else:
            self.phases = ("bid",)
            bidder_blocks = (Block(0, seen, (bid,)),)
            publisher_blocks = ()
        bidder = Role("bidder", c.bidders, "profit", "profit", bidder_blocks)
        publisher = Role("publisher", 1, "revenue", "revenue", publisher_blocks)
        self.roles = (bidder, publisher) if c.publisher else (bidder,)
        sees = ("none", "price", "bids").index(c.observe)
        head = [c.bidders, c.bids, value, c.price_mix, c.reserve, c.publisher, sees, first_floor]
        shares = c.ties == "shared"
        self.params = np.array([*head, shares, 0.0, *grid], np.float64)
        self.state_width = LAST_BIDS + c.bidders

    def too_large(self, role: Role) -> str:
        return "Use `observe: price`, fewer bidders, or fewer bids."

    def benchmarks(self) -> dict[str, Benchmark]:
        """Outcomes of the stage game, from the seller's side.

        Competitive, common value v on the grid k v/(bids+1): everybody bids the highest grid bid
        b. Raising is impossible, lowering loses the slot and the share (v - b)/n > 0 of it, for
        every price_mix, so it is an equilibrium. In second price it is the only one in pure
        strategies: the loser of any other profile gains by tying or beating at b. In first price
        b is strict, and with two bidders the next grid bid is a weak equilibrium as well.
        Collusive: the lowest price at which the slot is sold. The winner bids the lowest bid that
        can win, the others less: they pay mix x that bid + (1 - mix) x the larger of the reserve
        and the lowest bid of the grid.
        """
        low = next(b for b in self.grid if b >= self.config.reserve - EPSILON)
        value, n, mix = self.config.value.value, self.config.bidders, self.config.price_mix
        floor = max(self.config.reserve, self.grid[0])

        def outcome(price: float) -> dict[str, float]:
            return {"clearing_price": price, "revenue": price, "profit": (value - price) / n}

        source = "stage game, derived in tacit.envs.ad_auction"
        return {
            "competitive": Benchmark(outcome(self.grid[-1]), source),
            "collusive": Benchmark(outcome(mix * low + (1 - mix) * floor), source),
        }

    def benchmark_action(self, benchmark: str, seat: Seat) -> int | None:
        if seat.role.name == "publisher":
            return seat.role.legal[0][0] if benchmark == "competitive" else None
        low = next(k for k, b in enumerate(self.grid) if b >= self.config.reserve - EPSILON)
        actions = {
            "competitive": self.config.bids - 1,
            "collusive": low,
            "rotation": min(low + 1, self.config.bids - 1),  # the designated winner's bid
        }
        return actions.get(benchmark)

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        seen = seat.role.decode_observation(observation)
        if "last_bid_0" not in seen:
            return None
        levels = ("none", *self.grid)
        index = {
            f"bidder_{i}": levels.index(seen[f"last_bid_{i}"]) for i in range(self.config.bidders)
        }
        return {name: k - 1 if k else None for name, k in index.items()}

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        marks = self.benchmarks()
        competitive = marks["competitive"].values["revenue"]
        collusive = marks["collusive"].values["revenue"]
        wins = [means[f"win/bidder_{i}"] for i in range(self.config.bidders)]
        result = {"winner_share": max(wins) / sum(wins) if sum(wins) else float("nan")}
        if competitive > collusive:
            result["collusion_index"] = (competitive - means["revenue"]) / (competitive - collusive)
        return result

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        n = self.config.bidders
        lines = []
        if self.config.publisher:
            floor = self.role("publisher").decode_action(int(actions[0, n]))
            lines.append(f"publisher_0 posts a floor of {floor['floor']:.3g}")
        lines += [f"bidder_{i} bids {measures[i, BID]:.3g}" for i in range(n)]
        market = measures[-1]
        if not market[FILL]:
            return [*lines, "nobody reaches the floor: the slot stays unsold"]
        takers = [i for i in range(n) if measures[i, WIN] > 0]
        if len(takers) > 1:
            names = ", ".join(f"bidder_{i}" for i in takers)
            return [*lines, f"shared by {names} at {market[CLEARING_PRICE]:.3g}"]
        winner = takers[0]
        paid, profit = measures[winner, SPEND], measures[winner, PROFIT]
        return [*lines, f"sold to bidder_{winner} for {paid:.3g} (profit {profit:.3g})"]
