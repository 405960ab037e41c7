"""The ad auction as a `Market`: roles, params, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from tacit.envs.market import Benchmark, Block, Lot, Market, Part, Role
from tacit.envs.market.figures import figure_text
from tacit.envs.types import Floats, Ints

from . import positions as at
from .analysis import AdAuctionAnalysis
from .benchmarks import SaleOutcome, StageGame, mean_outcome, stage_game
from .config import EPSILON, AdAuctionConfig, FixedValue
from .fixed_values import KnownRound, KnownSale
from .measures import BID, CLEARING_PRICE, FILL, MEASURES, PROFIT, SHADING, SPEND, WIN


class AdAuction(Market):
    """See the package's docstring.

    Attributes set by `declare`, beside those of `Market`:
        values: what a click may be worth, ascending, money.
        probabilities: of the values, the mean over the day.
        grid: bids, ascending, money.
        offers: what a bidder can choose: the grid, before it 0 or `NO_BID` with an `extra_bid`.
        floors: what a publisher can post, ascending: 0 and the grid, as far as the reserve allows.
        worth: each bidder's known value, with `value: {kind: fixed}`; else empty.
    """

    analysis_class = AdAuctionAnalysis
    name = "ad_auction"
    version = 0
    title = "bidders compete for ad slots, in a first- to second-price auction"
    kernels = "tacit.envs.ad_auction.kernels"
    model = AdAuctionConfig
    measures = MEASURES
    headline = "clearing_price"
    welfare = "welfare"
    beside_headline: ClassVar[Mapping[str, str]] = {"winner_share": "winner's share"}
    derived_meanings: ClassVar[Mapping[str, tuple[str, str]]] = {
        "winner_share": ("share", "of slots, won by the bidder that wins most; mean over seeds")
    }
    config: AdAuctionConfig

    # --- declaration ----------------------------------------------------------------------------

    def declare(self) -> None:
        """Grids of values, bids and floors; then roles, params and the state's width."""
        c = self.config
        self.values, self.probabilities = c.value.grid()
        self.worth = c.value.values if isinstance(c.value, FixedValue) else ()
        top = self.values[-1]
        self.grid = tuple(top * (step + 1) / (c.bids + 1) for step in range(c.bids))
        below = {"none": (), "zero": (0.0,), "out": (at.NO_BID,)}[c.extra_bid]
        self.offers = (*below, *self.grid)
        self.floors = tuple(f for f in (0.0, *self.grid) if f >= c.reserve - EPSILON)
        self._declare_roles()
        # Without a bid below the grid, every bid may win.
        self.no_deal = {"bidder": ({"bid": 0.0},)} if c.extra_bid == "out" else {}
        self.params = self._params()
        private, day = len(self.values) > 1, len(c.value.by_time()) > 1
        # Values and tokens have their places in the state as soon as there are either.
        per_bidder = 3 if private or c.chat else 1
        self.state_width = at.LAST_BIDS + c.bidders * per_bidder + day

    def _declare_roles(self) -> None:
        """Phases and roles; every phase is a block of both roles."""
        c = self.config
        phases = ["floor"] * c.publisher + ["chat"] * bool(c.chat) + ["bid"]
        self.phases = tuple(phases)
        floor = Part("floor", self.floors, "the lowest bid that can win")
        reserve = Part("reserve", (c.reserve,), "the floor that always holds")
        out = "; 0: it stays out" if c.extra_bid == "out" else ""
        bid = Part("bid", self.shown, f"what the bidder offers for a click{out}")
        tokens = tuple(range(c.chat))
        token = Part("chat", tokens, "what the bidder broadcasts")
        all_tokens = tuple(
            Part(f"chat_{i}", tokens, f"bidder_{i}'s token")
            for i in range(c.bidders if c.chat else 0)
        )
        seen = self._bidder_sees(floor)
        blocks = {  # phase -> the bidder's and the publisher's block
            "floor": (Block(0), Block(0, (reserve,), (floor,))),
            "chat": (Block(c.publisher, seen, (token,)), Block(c.publisher)),
            "bid": (
                Block(len(phases) - 1, seen + all_tokens, (bid,)),
                Block(len(phases) - 1),
            ),
        }
        bidder_blocks, publisher_blocks = zip(*(blocks[phase] for phase in phases), strict=True)
        bidder = Role("bidder", c.bidders, "profit", "profit", bidder_blocks)
        publisher = Role("publisher", 1, "revenue", "revenue", publisher_blocks)
        self.roles = (bidder, publisher) if c.publisher else (bidder,)

    @property
    def shown(self) -> tuple[float, ...]:
        """Bids as seats see them, money; staying out is a bid of 0."""
        return tuple(max(offer, 0.0) for offer in self.offers)

    def _bidder_sees(self, floor: Part) -> tuple[Part, ...]:
        """What a bidder sees whenever it acts, in the order in which `observe` counts."""
        c = self.config
        seen: tuple[Part, ...] = ()
        times = tuple(range(len(c.value.by_time())))
        if len(times) > 1:
            seen += (Part("time", times, "part of the day"),)
        if not self.worth:  # (a part is the same of all seats, and known values differ)
            seen += (Part("value", self.values, "what a click is worth to the bidder"),)
        if c.publisher:
            seen += (floor,)
        levels = ("none", *self.shown)
        if c.observe == "price":
            seen += (Part("last_price", levels, "the last clearing price, to the nearest bid"),)
        elif c.observe == "bids":
            seen += tuple(
                Part(f"last_bid_{i}", levels, f"bidder_{i}'s last bid") for i in range(c.bidders)
            )
        return seen

    def _params(self) -> Floats:
        """The constants of the kernels, float64 `[.]`, by their named positions."""
        c, bidder = self.config, self.role("bidder")
        days = c.value.by_time()
        amounts = [*[0.0] * c.chat, *self.offers]
        drawn = [*self.values, *np.cumsum(days, axis=1).ravel()]
        tail = [*amounts, *(self.worth or drawn)]
        params = np.zeros(at.AMOUNTS + len(tail))
        params[at.N_BIDDERS] = c.bidders
        params[at.N_BIDS] = c.bids
        params[at.HIGHEST] = self.values[-1]
        params[at.PRICE_MIX] = c.price_mix
        params[at.RESERVE] = c.reserve
        params[at.HAS_PUBLISHER] = c.publisher
        params[at.OBSERVE] = ("none", "price", "bids").index(c.observe)
        params[at.FIRST_FLOOR] = c.bids + 1 - len(self.floors)
        params[at.CHAT] = c.chat
        params[at.BID_BLOCK] = bidder.block_start(len(bidder.blocks) - 1)
        params[at.N_SLOTS] = c.slots
        params[at.LEVELS] = len(self.values)
        params[at.SHARES_TIES] = c.ties == "shared"
        params[at.DAY] = len(days)
        params[at.FIXED] = bool(self.worth)
        params[at.EXTRA] = len(self.offers) - len(self.grid)
        params[at.CLICKS : at.CLICKS + c.slots] = c.click_rates
        params[at.AMOUNTS :] = tail
        return params

    @property
    def play_draws(self) -> bool:
        """Ties, and private values."""
        return self.config.ties == "sampled" or len(self.values) > 1

    @property
    def play_lots(self) -> tuple[Lot, ...] | None:
        """Who of the tied wins a single slot, and private values; the order of several slots is
        not known to have few outcomes."""
        c, lots = self.config, []
        if c.ties == "sampled":
            if c.slots > 1:
                return None
            lots.append(Lot.below(at.TIE, range(2, c.bidders + 1)))
        if len(self.values) > 1:
            sums = np.cumsum(c.value.by_time(), axis=1)[:, :-1].ravel()
            edges = tuple(sorted({float(x) for x in sums if 0.0 < x < 1.0}))
            lots += [Lot(at.VALUE + i, edges) for i in range(c.bidders)]
        return tuple(lots)

    def too_large(self, role: Role) -> str:
        """The advice that follows when a bidder sees too much."""
        return "Use `observe: price`, fewer bidders, or fewer bids, value levels or chat tokens."

    # --- benchmarks -----------------------------------------------------------------------------

    @cached_property
    def stages(self) -> tuple[StageGame, ...]:
        """The round as a game, by part of the day; a publisher posts the lowest floor."""
        c = self.config
        floor = max(c.reserve, self.floors[0]) if c.publisher else c.reserve
        return tuple(
            stage_game(self.values, row, self.offers, c.click_rates, c.bidders, c.price_mix, floor)
            for row in c.value.by_time()
        )

    @property
    def stage(self) -> StageGame:
        """The round with which a day begins."""
        return self.stages[0]

    @property
    def strategy(self) -> Floats | None:
        """`strategy_at` the day's first part, float64 `[L, B]`."""
        return self.strategy_at(0)

    def strategy_at(self, time: int) -> Floats | None:
        """Competitive bidding in a part of the day, where it depends on the own value only.

        Returns:
            Probabilities of bids by value, float64 `[L, B]`; None where they depend on others'
            values or are not known.
        """
        c, stage = self.config, self.stages[time]
        if c.slots > 1 or self.worth:
            return None
        if len(self.values) > 1 and c.price_mix > 0:
            return stage.equilibrium
        table = np.zeros((len(self.values), len(self.offers)))
        table[np.arange(len(self.values)), stage.truthful] = 1.0
        return table

    def benchmarks(self) -> dict[str, Benchmark]:
        """Expected outcomes of the stage game, from the seller's side.

        Competitive, one slot and common value v on the grid k v/(bids+1): everybody bids the
        highest grid bid b. Raising is impossible, lowering loses the slot and the share
        (v - b)/n > 0 of it, for every price_mix, so it is an equilibrium. In second price it is the
        only one in pure strategies: the loser of any other profile gains by tying or beating at b.
        In first price b is strict, and with two bidders the next grid bid is a weak equilibrium as
        well. Private values, several slots: see `tacit.envs.ad_auction.benchmarks`; known values
        that differ: `tacit.envs.ad_auction.fixed_values`.

        Collusive: the lowest price at which all slots are sold. The winners bid the lowest bid that
        can win, the others less: the last winner pays mix x that bid + (1 - mix) x the larger of
        the reserve and the lowest bid of the grid (of the reserve alone if nobody is left over).
        """
        return dict(self._marks)

    @cached_property
    def _marks(self) -> dict[str, Benchmark]:
        """`benchmarks`, which are asked for at every evaluation point."""
        if self.worth:
            return self._of_known_values()
        marks = {}
        if self.config.slots == 1 or self.config.price_mix == 0:
            marks["competitive"] = self._competitive()
        return marks | {"collusive": self._collusive()}

    @cached_property
    def known_round(self) -> KnownRound:
        """The round as a game of bidders with known values (`value: {kind: fixed}`)."""
        c = self.config
        return KnownRound(self.worth, self.offers, c.click_rates, c.price_mix, self.stage.floor)

    def _of_known_values(self) -> dict[str, Benchmark]:
        """Benchmarks of known values, with each bidder's profit; without a competitive one where
        theory has none."""
        known = self.known_round
        source = "joint optimum of known values, derived in tacit.envs.ad_auction.fixed_values"
        marks = {"collusive": self._of_sale(known.sale(known.collusive), source)}
        if known.competitive is None:
            return marks
        return {"competitive": self._of_sale(known.sale(known.competitive), known.source)} | marks

    def _of_sale(self, sale: KnownSale, source: str) -> Benchmark:
        """Measures of a sale to bidders with known values."""
        mark = self._benchmark(SaleOutcome(sale.revenue, sale.welfare, sale.sold), source)
        each = {f"profit/bidder_{i}": x for i, x in enumerate(sale.profits)}
        return Benchmark({**mark.values, **each}, source)

    def _competitive(self) -> Benchmark:
        """Where theory knows it: one slot, or price_mix 0."""
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
        """All slots sold at the lowest bid that can win."""
        c, low = self.config, self.offers[self.lowest_bid]
        floor = self.stage.floor
        last = max(floor, self.offers[0]) if c.bidders > c.slots else floor
        prices = [low] * (c.slots - 1) + [c.price_mix * low + (1 - c.price_mix) * last]
        return self._benchmark(self._sale(prices), "derived in tacit.envs.ad_auction")

    def _sale(self, prices: list[float]) -> SaleOutcome:
        """All slots sold at known prices to bidders of mean value."""
        rates = self.config.click_rates
        value = float(np.dot(self.values, self.probabilities))
        revenue = sum(c * p for c, p in zip(rates, prices, strict=True))
        return SaleOutcome(revenue, sum(rates) * value, sum(rates))

    def _benchmark(self, outcome: SaleOutcome, source: str) -> Benchmark:
        """Measures of an outcome; the clearing price only where it is a ratio of means."""
        profit = (outcome.welfare - outcome.revenue) / self.config.bidders
        values = {"revenue": outcome.revenue, "profit": profit, "welfare": outcome.welfare}
        if self.config.slots == 1 or outcome.sold > sum(self.config.click_rates) - EPSILON:
            price = outcome.revenue / outcome.sold if outcome.sold else 0.0
            values = {"clearing_price": price} | values
        return Benchmark(values, source)

    @property
    def lowest_bid(self) -> int:
        """Which of a bidder's choices is the lowest bid that can win."""
        return next(step for step, b in enumerate(self.offers) if b >= self.stage.floor - EPSILON)

    # --- summaries and words --------------------------------------------------------------------

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """`winner_share`: the largest bidder's share of slots; `collusion_index` from revenues."""
        marks = self.benchmarks()
        wins = [means[f"win/bidder_{i}"] for i in range(self.config.bidders)]
        result = {"winner_share": max(wins) / sum(wins) if sum(wins) else float("nan")}
        if "competitive" not in marks:
            return result
        competitive = marks["competitive"].values["revenue"]
        collusive = marks["collusive"].values["revenue"]
        if competitive > collusive:
            result["collusion_index"] = (competitive - means["revenue"]) / (competitive - collusive)
        return result

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """A round in words; `actions` int64 `[P, S]`, `measures` float64 `[S + 1, M]`."""
        n = self.config.bidders
        lines = []
        if self.config.publisher:
            floor = self.role("publisher").decode_action(int(actions[0, n]))
            lines.append(f"publisher_0 posts a floor of {floor['floor']:.3g}")
        if self.config.chat:
            tokens = actions[self.phases.index("chat"), :n]
            lines += [f"bidder_{i} says {token}" for i, token in enumerate(tokens)]
        for i in range(n):
            worth = f" (worth {figure_text(measures[i, BID] + measures[i, SHADING])})"
            worth = worth if len(self.values) > 1 or self.worth else ""
            out = self.config.extra_bid == "out" and not measures[i, BID]
            does = "stays out" if out else f"bids {measures[i, BID]:.3g}"
            lines.append(f"bidder_{i}{worth} {does}")
        return lines + self._sales_in_words(measures)

    def _sales_in_words(self, measures: Floats) -> list[str]:
        """Who won what; `measures` float64 `[S + 1, M]`."""
        if not measures[-1, FILL]:
            unsold = "the slot stays" if self.config.slots == 1 else "the slots stay"
            return [f"nobody reaches the floor: {unsold} unsold"]
        winners = [i for i in range(self.config.bidders) if measures[i, WIN]]
        if self.config.slots == 1 and len(winners) > 1:
            names = ", ".join(f"bidder_{i}" for i in winners)
            return [f"shared by {names} at {measures[-1, CLEARING_PRICE]:.3g}"]
        lines = []
        for i in sorted(winners, key=lambda i: (-measures[i, BID], -measures[i, SPEND])):
            paid = f"{figure_text(measures[i, SPEND])} (profit {figure_text(measures[i, PROFIT])})"
            lines.append(f"sold to bidder_{i} for {paid}")
        return lines
