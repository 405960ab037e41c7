"""What probes and scripted players ask of this market: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.market import Market, Role, Seat

from .config import EPSILON
from .kernels import LAST_BIDS

if TYPE_CHECKING:
    from .market import AdAuction


class AdAuctionAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: AdAuction

    sees_actions_with = "market.observe=bids"
    conduct: ClassVar[Mapping[str, str]] = {"bidder": "bid"}
    wins: ClassVar[Mapping[str, str]] = {"bidder": "win"}
    memoryless: ClassVar[Mapping[str, Any]] = {"observe": "none"}

    def draws(self, phase: int) -> tuple[Draw, ...]:
        if phase or len(self.market.values) == 1:
            return ()
        bidders, times = self.market.config.bidders, self.market.config.value.by_time()
        levels = tuple(float(k) for k in range(len(self.market.values)))
        chances = tuple(tuple(float(p) for p in row) for row in times)
        time, first = LAST_BIDS + 3 * bidders, LAST_BIDS + bidders
        day: tuple[Draw, ...] = ()
        if len(times) > 1:
            parts = tuple(float(k) for k in range(len(times)))
            day = (Draw(time, parts, ((1.0 / len(parts),) * len(parts),), lasting=True),)
        given = time if day else None
        return day + tuple(Draw(first + i, levels, chances, given) for i in range(bidders))

    def expected(self) -> Market:
        """Ties are shared: what a sampled winner gets on average (private values stay drawn)."""
        if self.market.config.ties == "shared":
            return self.market
        return type(self.market)({**self.market.config.model_dump(), "ties": "shared"})

    @property
    def luck(self) -> bool:
        return self.market.config.ties == "sampled"

    def value_scale(self, role: Role) -> float:
        return self.market.values[-1] * self.market.config.click_rates[0]

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """Where everybody's token is the first, and competitive bids are the likeliest ones."""
        first = int(seat.role.legal[observation, 0])
        if seat.role.name == "publisher":
            return first if benchmark == "competitive" else None
        seen = seat.role.decode_observation(observation)
        if self.market.phases[seen["phase"]] == "floor":
            return first
        low = self.market.lowest_bid
        bids = {
            "competitive": self._competitive_bid(seat, seen.get("time", 0), seen["value"]),
            "collusive": low,
            "rotation": min(low + 1, len(self.market.grid) - 1),  # the designated winner's bid
        }
        bid = bids.get(benchmark)
        if bid is None or self.market.phases[seen["phase"]] == "chat":
            return None if bid is None else first
        return first + bid

    def _competitive_bid(self, seat: Seat, time: int, value: float) -> int | None:
        market = self.market
        stage, strategy = market.stages[time], market.strategy_at(time)
        if strategy is not None:
            return int(strategy[market.values.index(value)].argmax())
        if len(market.values) > 1 or market.config.price_mix > 0:
            return None
        bids = stage.ranked([market.grid[-1]] * market.config.bidders)  # seat k takes rank k
        at_most = np.searchsorted(market.grid, bids[seat.index] + EPSILON, "right")
        return max(0, int(at_most) - 1)

    def chances(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        return tuple(self.market.probabilities) if part == "value" else None

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        seen = seat.role.decode_observation(observation)
        if "last_bid_0" not in seen:
            return None
        levels = ("none", *self.market.grid)
        index = {
            f"bidder_{i}": levels.index(seen[f"last_bid_{i}"])
            for i in range(self.market.config.bidders)
        }
        return {name: self.market.config.chat + k - 1 if k else None for name, k in index.items()}
