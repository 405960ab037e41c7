"""What probes and scripted players ask of this market: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.market import Role, Seat

from . import kernels as k

if TYPE_CHECKING:
    from .market import CloudBandwidth


class CloudBandwidthAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: CloudBandwidth

    sees_actions_with = "market.memory=1"
    conduct: ClassVar[Mapping[str, str]] = {"provider": "price"}
    price_competition = True
    memoryless: ClassVar[Mapping[str, Any]] = {"memory": 0}
    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    def draws(self, phase: int) -> tuple[Draw, ...]:
        c, coin = self.market.config, (0.0, 1.0)
        tenants, loads = k.POSTED + 3 * c.providers, k.POSTED + c.providers
        if phase:
            needs = ((1.0 - c.critical_probability, c.critical_probability),)
            return tuple(Draw(tenants + t, coin, needs) for t in range(c.tenants))
        if c.surge is None:
            return ()
        share = c.surge.share
        found = [
            Draw(loads + i, coin, ((1.0 - share, share),), lasting=True) for i in range(c.providers)
        ]
        for n, (values, law) in enumerate(c.surge.kinds if c.surge.listed else ()):
            first = tenants + c.tenants + n * c.providers
            found += [Draw(first + i, values, (law,), lasting=True) for i in range(c.providers)]
        return tuple(found)

    @property
    def luck(self) -> bool:
        c = self.market.config
        return bool(c.outside_shock or (c.tenants and c.capacity))

    def value_scale(self, role: Role) -> float:
        """A provider's: all demand at a price that leaves buyers nothing; a tenant's: a unit."""
        c = self.market.config
        if role.name == "tenant":
            return c.critical_value
        least = c.reservation_price if c.demand == "unit" else c.outside_quality
        pairs = zip(c.each(c.quality), c.each(c.cost), strict=True)
        worth = max(least - cost if c.demand == "unit" else a - least - cost for a, cost in pairs)
        return max(worth, c.differentiation) * (c.background_demand or c.tenants or 1.0)

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        outcome = {"competitive": self.market.nash, "collusive": self.market.joint}.get(benchmark)
        if seat.role.name == "tenant":  # asks provider_0, without priority
            asks = seat.role.encode_action(provider="provider_0", priority="standard")
            return asks if benchmark == "competitive" else None
        if outcome is None:
            return None
        step = int(self.market.nearest_prices(outcome)[seat.index])
        return 2 * step if self.market.config.headroom_claims else step

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        c = self.market.config
        if seat.role.name == "tenant" or c.memory == 0 or c.headroom_claims:
            return None
        index = observation // 2 if c.surge else observation
        steps: dict[str, int | None] = {}
        for i in range(c.providers - 1, -1, -1):
            index, steps[f"provider_{i}"] = divmod(index, c.prices)
        return dict(reversed(steps.items()))
