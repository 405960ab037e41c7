"""The ad auction as a `Market`: roles, parts, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import (
    Benchmark,
    Block,
    Market,
    Part,
    Role,
)

from .analysis import AdAuctionAnalysis
from .benchmarks import (
    SaleOutcome,
    Stage,
    mean_outcome,
    stage,
)
from .config import EPSILON, MOST_BIDDERS, AdAuctionConfig
from .kernels import (
    LAST_BIDS,
)
from .measures import (
    BID,
    CLEARING_PRICE,
    FILL,
    MEASURES,
    PROFIT,
    SHADING,
    SPEND,
    WIN,
)


class AdAuction(Market):
    """See the module's docstring."""

    analysis_class = AdAuctionAnalysis
    name = "ad_auction"
    version = 0
    title = "bidders compete for ad slots, in a first- to second-price auction"
    kernels = "tacit.envs.ad_auction.kernels"
    model = AdAuctionConfig
    measures = MEASURES
    headline = "clearing_price"
    beside_headline: ClassVar[Mapping[str, str]] = {"winner_share": "winner's share"}
    config: AdAuctionConfig

    def declare(self) -> None:
        c = self.config
        self.values, self.probabilities = c.value.grid()
        days = c.value.by_time()
        top = self.values[-1]
        self.grid = tuple(top * (k + 1) / (c.bids + 1) for k in range(c.bids))
        self.floors = tuple(f for f in (0.0, *self.grid) if f >= c.reserve - EPSILON)
        self._seat_roles()
        private = len(self.values) > 1
        bidder = self.role("bidder")
        sees = ("none", "price", "bids").index(c.observe)
        bid_block = bidder.block_start(len(bidder.blocks) - 1)
        first_floor = c.bids + 1 - len(self.floors)
        head = [c.bidders, c.bids, top, c.price_mix, c.reserve, c.publisher, sees]
        head += [first_floor, c.chat, bid_block, c.slots, len(self.values), c.ties == "shared"]
        head += [len(days)]
        head += [*c.click_rates, *[0.0] * (MOST_BIDDERS + 1 - c.slots)]
        behind = [*[0.0] * c.chat, *self.grid, *self.values, *np.cumsum(days, axis=1).ravel()]
        self.params = np.array([*head, *behind], np.float64)
        self.state_width = LAST_BIDS + c.bidders * (3 if private or c.chat else 1) + (len(days) > 1)

    def _seat_roles(self) -> None:
        """Phases and roles; every phase is a block of both."""
        c = self.config
        floor = Part("floor", self.floors, "the lowest bid that can win")
        bid = Part("bid", self.grid, "what the bidder offers for a click")
        own = Part("value", self.values, "what a click is worth to the bidder")
        seen: tuple[Part, ...] = (own, floor) if c.publisher else (own,)
        times = tuple(range(len(c.value.by_time())))
        if len(times) > 1:
            seen = (Part("time", times, "part of the day"), *seen)
        levels = ("none", *self.grid)
        if c.observe == "price":
            seen += (Part("last_price", levels, "the last clearing price, to the nearest bid"),)
        elif c.observe == "bids":
            seen += tuple(
                Part(f"last_bid_{i}", levels, f"bidder_{i}'s last bid") for i in range(c.bidders)
            )
        tokens = tuple(range(c.chat))
        heard = tuple(
            Part(f"chat_{i}", tokens, f"bidder_{i}'s token")
            for i in range(c.bidders if c.chat else 0)
        )
        reserve = Part("reserve", (c.reserve,), "the floor that always holds")
        phases = ["floor"] * c.publisher + ["chat"] * bool(c.chat) + ["bid"]
        told = {
            "floor": (Block(0), Block(0, (reserve,), (floor,))),
            "chat": (
                Block(c.publisher, seen, (Part("chat", tokens, "what the bidder broadcasts"),)),
                Block(c.publisher),
            ),
            "bid": (Block(len(phases) - 1, seen + heard, (bid,)), Block(len(phases) - 1)),
        }
        self.phases = tuple(phases)
        bidders, publishers = zip(*(told[phase] for phase in phases), strict=True)
        bidder = Role("bidder", c.bidders, "profit", "profit", bidders)
        publisher = Role("publisher", 1, "revenue", "revenue", publishers)
        self.roles = (bidder, publisher) if c.publisher else (bidder,)

    @property
    def play_draws(self) -> bool:
        return self.config.ties == "sampled" or len(self.values) > 1

    def too_large(self, role: Role) -> str:
        return "Use `observe: price`, fewer bidders, or fewer bids, value levels or chat tokens."

    # --- benchmarks ---------------------------------------------------------------------------

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """A round in numbers, by part of the day; a publisher posts the lowest floor."""
        c = self.config
        floor = max(c.reserve, self.floors[0]) if c.publisher else c.reserve
        return tuple(
            stage(self.values, row, self.grid, c.click_rates, c.bidders, c.price_mix, floor)
            for row in c.value.by_time()
        )

    @property
    def stage(self) -> Stage:
        """The round with which a day begins."""
        return self.stages[0]

    @property
    def strategy(self) -> NDArray[np.float64] | None:
        """`strategy_at` the day's first part."""
        return self.strategy_at(0)

    def strategy_at(self, time: int) -> NDArray[np.float64] | None:
        """Competitive bidding that depends on time and own value only: probabilities of bids by
        value, float64 [L, B]; None where it depends on others' values or is not known."""
        c, stage = self.config, self.stages[time]
        if c.slots > 1:
            return None
        if len(self.values) > 1 and c.price_mix > 0:
            return stage.equilibrium
        table = np.zeros((len(self.values), c.bids))
        table[np.arange(len(self.values)), stage.truthful] = 1.0
        return table

    def benchmarks(self) -> dict[str, Benchmark]:
        """Expected outcomes of the stage game, from the seller's side.

        Competitive, one slot and common value v on the grid k v/(bids+1): everybody bids the
        highest grid bid b. Raising is impossible, lowering loses the slot and the share
        (v - b)/n > 0 of it, for every price_mix, so it is an equilibrium. In second price it is the
        only one in pure strategies: the loser of any other profile gains by tying or beating at b.
        In first price b is strict, and with two bidders the next grid bid is a weak equilibrium as
        well. Private values, several slots: see `tacit.envs.ad_auction.benchmarks`.
        Collusive: the lowest price at which all slots are sold. The winners bid the lowest bid that
        can win, the others less: the last winner pays mix x that bid + (1 - mix) x the larger of
        the reserve and the lowest bid of the grid (of the reserve alone if nobody is left over).
        """
        marks = {}
        if self.config.slots == 1 or self.config.price_mix == 0:
            marks["competitive"] = self._competitive()
        return marks | {"collusive": self._collusive()}

    def _competitive(self) -> Benchmark:
        stages = self.stages
        strategy = self.strategy
        common = len(self.values) == 1
        if common and strategy is not None:
            return self._benchmark(self._sale([self.grid[-1]]), "derived in tacit.envs.ad_auction")
        if self.config.price_mix == 0:
            source = "truthful bids, Vickrey 1961"
            if self.config.slots > 1:
                source = "lowest-revenue envy-free, one of many; bids between those of the grid; "
                source += "Edelman, Ostrovsky, Schwarz 2007"
            return self._benchmark(mean_outcome([s.envy_free() for s in stages]), source)
        assert strategy is not None
        gain = max(s.gain(s.equilibrium) for s in stages)
        source = "Bayes-Nash on the grid, limit of logit equilibria, one of several, "
        source += f"no deviation gains more than {gain:.1g}"
        return self._benchmark(mean_outcome([s.outcome(s.equilibrium) for s in stages]), source)

    def _collusive(self) -> Benchmark:
        c, low = self.config, self.grid[self.lowest_bid]
        floor = self.stage.floor
        last = max(floor, self.grid[0]) if c.bidders > c.slots else floor
        prices = [low] * (c.slots - 1) + [c.price_mix * low + (1 - c.price_mix) * last]
        return self._benchmark(self._sale(prices), "derived in tacit.envs.ad_auction")

    def _sale(self, prices: list[float]) -> SaleOutcome:
        """All slots sold at known prices to bidders of mean value."""
        rates = self.config.click_rates
        value = float(np.dot(self.values, self.probabilities))
        revenue = sum(c * p for c, p in zip(rates, prices, strict=True))
        return SaleOutcome(revenue, sum(rates) * value, sum(rates))

    def _benchmark(self, found: SaleOutcome, source: str) -> Benchmark:
        profit = (found.welfare - found.revenue) / self.config.bidders
        values = {"revenue": found.revenue, "profit": profit, "welfare": found.welfare}
        if self.config.slots == 1 or found.sold > sum(self.config.click_rates) - EPSILON:
            price = found.revenue / found.sold if found.sold else 0.0
            values = {"clearing_price": price} | values
        return Benchmark(values, source)

    @property
    def lowest_bid(self) -> int:
        """The lowest bid that can win."""
        return next(k for k, b in enumerate(self.grid) if b >= self.stage.floor - EPSILON)

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        marks = self.benchmarks()
        wins = [means[f"win/bidder_{i}"] for i in range(self.config.bidders)]
        result = {"winner_share": max(wins) / sum(wins) if sum(wins) else float("nan")}
        if "competitive" not in marks:
            return result
        competitive, collusive = (marks[k].values["revenue"] for k in ("competitive", "collusive"))
        if competitive > collusive:
            result["collusion_index"] = (competitive - means["revenue"]) / (competitive - collusive)
        return result

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        n = self.config.bidders
        lines = []
        if self.config.publisher:
            floor = self.role("publisher").decode_action(int(actions[0, n]))
            lines.append(f"publisher_0 posts a floor of {floor['floor']:.3g}")
        if self.config.chat:
            tokens = actions[self.phases.index("chat"), :n]
            lines += [f"bidder_{i} says {token}" for i, token in enumerate(tokens)]
        for i in range(n):
            worth = f" (worth {measures[i, BID] + measures[i, SHADING]:.3g})"
            worth = worth if len(self.values) > 1 else ""
            lines.append(f"bidder_{i}{worth} bids {measures[i, BID]:.3g}")
        if not measures[-1, FILL]:
            unsold = "the slot stays" if self.config.slots == 1 else "the slots stay"
            return [*lines, f"nobody reaches the floor: {unsold} unsold"]
        winners = [i for i in range(n) if measures[i, WIN]]
        if self.config.slots == 1 and len(winners) > 1:
            names = ", ".join(f"bidder_{i}" for i in winners)
            return [*lines, f"shared by {names} at {measures[-1, CLEARING_PRICE]:.3g}"]
        for i in sorted(winners, key=lambda i: (-measures[i, BID], -measures[i, SPEND])):
            paid = f"{measures[i, SPEND]:.3g} (profit {measures[i, PROFIT]:.3g})"
            lines.append(f"sold to bidder_{i} for {paid}")
        return lines
