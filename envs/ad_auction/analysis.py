"""What probes and scripted players ask of the ad auction: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tacit.envs.analysis import Analysis, Draw, Rivalry
from tacit.envs.market import Market, Role, Seat

from . import positions as at
from .config import EPSILON

if TYPE_CHECKING:
    from .market import AdAuction


class AdAuctionAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: AdAuction

    sees_actions_with = "market.observe=bids"
    rivalry: ClassVar[Mapping[str, Rivalry]] = {
        "bidder": Rivalry("bid", part="bid", competition=1, sellers=False)
    }
    wins: ClassVar[Mapping[str, str]] = {"bidder": "win"}
    memoryless: ClassVar[Mapping[str, Any]] = {"observe": "none"}

    # --- nature ---------------------------------------------------------------------------------

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """Before the first phase: the part of the day, then every bidder's value given it."""
        market = self.market
        if phase or len(market.values) == 1:
            return ()
        levels = tuple(float(level) for level in range(len(market.values)))
        rows = tuple(tuple(float(p) for p in row) for row in market.config.value.by_time())
        time = at.time(market.config.bidders)
        day: tuple[Draw, ...] = ()
        if len(rows) > 1:
            parts = tuple(float(part) for part in range(len(rows)))
            equal = (1.0 / len(parts),) * len(parts)
            day = (Draw(time, parts, (equal,), lasting=True),)
        first, given = at.values(market.config.bidders), time if day else None
        values = (Draw(first + i, levels, rows, given) for i in range(market.config.bidders))
        return (*day, *values)

    def expected(self) -> Market:
        """Ties are shared: what a sampled winner gets on average. Private values stay drawn."""
        return self._expected

    @cached_property
    def _expected(self) -> Market:
        if self.market.config.ties == "shared":
            return self.market
        return type(self.market)({**self.market.config.model_dump(), "ties": "shared"})

    @property
    def luck(self) -> bool:
        """Whether ties are sampled."""
        return self.market.config.ties == "sampled"

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Of the own value; the mean over the day."""
        return tuple(self.market.probabilities) if part == "value" else None

    def value_scale(self, role: Role) -> float:
        """The highest value of all clicks of the best slot."""
        return self.market.values[-1] * self.market.config.click_rates[0]

    # --- scripted players -----------------------------------------------------------------------

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The bid of a benchmark.

        A mixed strategy plays its likeliest bid. Everybody's token is the first one, and a
        publisher posts the lowest floor.
        """
        first = int(seat.role.legal[observation, 0])
        if seat.role.name == "publisher":
            return first if benchmark == "competitive" else None
        seen = seat.role.decode_observation(observation)
        phase = self.market.phases[seen["phase"]]
        if phase == "floor":
            return first
        market, low = self.market, self.market.lowest_bid
        # Who may stay out does so under collusion: only as many bid as there are slots.
        stays_out = market.config.extra_bid == "out"
        bids = self._known_bids(seat) or {
            "competitive": self._competitive_bid(seat, seen.get("time", 0), seen["value"]),
            "collusive": low if seat.index < market.config.slots or not stays_out else 0,
            # In a rotation the designated winner bids one step above the others.
            "rotation": min(low + 1, len(market.offers) - 1),
        }
        bid = bids.get(benchmark)
        if bid is None:
            return None
        return first if phase == "chat" else first + bid

    def _known_bids(self, seat: Seat) -> dict[str, int | None]:
        """The steps of both benchmarks where bidders have known values of their own; else none.

        A rotation is of equals: there is none here.
        """
        market = self.market
        if not market.worth:
            return {}
        known = market.known_round
        found: dict[str, int | None] = {"collusive": known.step(known.collusive[seat.index])}
        if known.competitive is not None:
            found["competitive"] = known.step(known.competitive[seat.index])
        return found

    def _competitive_bid(self, seat: Seat, time: int, value: float) -> int | None:
        """Which choice is the competitive bid; None if no single bid is one."""
        market = self.market
        stage, strategy = market.stages[time], market.strategy_at(time)
        if strategy is not None:
            return int(strategy[market.values.index(value)].argmax())
        if len(market.values) > 1 or market.config.price_mix > 0:
            return None
        # Several slots, one common value: envy-free bids, of which seat k takes those of rank k.
        bids = stage.ranked([market.grid[-1]] * market.config.bidders)
        at_most = np.searchsorted(market.offers, bids[seat.index] + EPSILON, "right")
        return max(0, int(at_most) - 1)

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """The last bids, with `observe: bids`."""
        seen = seat.role.decode_observation(observation)
        if "last_bid_0" not in seen:
            return None
        levels = ("none", *self.market.shown)
        actions: dict[str, int | None] = {}
        for i in range(self.market.config.bidders):
            level = levels.index(seen[f"last_bid_{i}"])
            # Actions count the tokens of the chat first, then the bids from the lowest.
            actions[f"bidder_{i}"] = self.market.config.chat + level - 1 if level else None
        return actions
