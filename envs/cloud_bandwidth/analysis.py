"""What probes and scripted players ask of the cloud market: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tacit.envs.analysis import ActionCap, Analysis, Draw, Rivalry
from tacit.envs.jit.in_python import in_python
from tacit.envs.market import Market, Role, Seat

from . import positions as at
from .edgeworth_cycle import cycle_answer, joint_step
from .grid_benchmarks import critical_discounts, trigger_payoffs
from .measures import is_plain

if TYPE_CHECKING:
    from .market import CloudBandwidth


class CloudBandwidthAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: CloudBandwidth

    sees_actions_with = "market.memory=1"
    memoryless: ClassVar[Mapping[str, Any]] = {"memory": 0}
    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    @property
    def rivalry(self) -> Mapping[str, Rivalry]:
        """By prices; where providers have grids of their own, an action is a step of one."""
        part = self.market.role("provider").choices[0][0]
        is_price = isinstance(part.values[0], float)
        return {"provider": Rivalry("price", part.name, -1, sellers=True, amounts=is_price)}

    @property
    def stage_game(self) -> bool:
        """With alternating moves a rival's price stays: a round is no game of its own."""
        return not self.market.in_turn

    def unlike(self, seats: Sequence[Seat]) -> str | None:
        """Providers whose grids of prices are not the same."""
        grids = [self.market.grid[s.index].tolist() for s in seats if s.role.name == "provider"]
        differ = any(grid != grids[0] for grid in grids)
        return "their price grids differ (market.cost, market.quality)" if differ else None

    def seat_groups(self, role: Role) -> Sequence[Sequence[str]]:
        """Providers region by region, the same firm at the same place; tenants together."""
        names = [f"{role.name}_{k}" for k in range(role.seats)]
        size = self.market.config.providers if role.name == "provider" else role.seats
        return [names[k : k + size] for k in range(0, role.seats, size)]

    # --- nature ---------------------------------------------------------------------------------

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """Before posting: loads, and what was drawn of surges. Before requests: tenants' needs."""
        c, coin = self.market.config, (0.0, 1.0)
        if phase:
            needs = ((1.0 - c.critical_probability, c.critical_probability),)
            first = in_python(at.needs)(c.posts)
            return tuple(Draw(first + t, coin, needs) for t in range(c.tenants))
        if c.surge is None:
            return ()
        loads, share = in_python(at.loads)(c.posts), c.surge.share
        found = [
            Draw(loads + i, coin, ((1.0 - share, share),), lasting=True) for i in range(c.posts)
        ]
        first = in_python(at.drawn)(c.posts, c.tenants)
        for values, probabilities in c.surge.drawn if c.surge.listed else ():
            found += [
                Draw(first + i, values, (probabilities,), lasting=True) for i in range(c.posts)
            ]
            first += c.posts
        return tuple(found)

    @property
    def luck(self) -> bool:
        """Whether demand is shocked, or tenants' requests are rationed by lottery."""
        c = self.market.config
        return bool(self.market.shocked or (c.tenants and c.capacity))

    def expected(self) -> Market:
        """Demand in its mean over the shocks, where profits and surplus are linear in it."""
        return self._expected

    @cached_property
    def _expected(self) -> Market:
        return self.market.without_shocks() or self.market

    def value_scale(self, role: Role) -> float:
        """A provider's: all demand at a price that leaves buyers nothing; a tenant's: a unit."""
        c = self.market.config
        if role.name == "tenant":
            return c.critical_value
        pairs = zip(c.each(c.quality), c.each(c.cost), strict=True)
        if c.demand != "logit":
            margin = max(c.reservation_price - cost for _, cost in pairs)
        else:
            margin = max(a - c.outside_quality - cost for a, cost in pairs)
        demand = c.background_demand * max(c.region_sizes or (1.0,))
        return max(margin, c.differentiation) * (demand or c.tenants or 1.0)

    def action_caps(self, role: Role) -> tuple[ActionCap, ...]:
        """Of a price: what buyers of unit and linear demand pay at most."""
        c = self.market.config
        if role.name != "provider" or c.demand == "logit":
            return ()
        return (ActionCap("price", c.reservation_price, "reservation_price"),)

    # --- scripted players -----------------------------------------------------------------------

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The grid's own equilibrium or joint optimum (`grid_benchmarks`), and the claim `ample`.

        Where providers move in turn, the competitive ones follow their cycle. A tenant asks
        provider_0, without priority.
        """
        if seat.role.name == "tenant":
            asks = seat.role.encode_action(provider="provider_0", priority="standard")
            return asks if benchmark == "competitive" else None
        if benchmark not in ("competitive", "collusive"):
            return None
        if self.market.in_turn:
            return self._action_in_turn(benchmark, observation)
        step = int(self.market.benchmark_steps[benchmark][seat.index])
        # With claims an action is 2 * price + claim, and `ample` is claim 0.
        return 2 * step if self.market.config.headroom_claims else step

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """`truthful` of a tenant: it asks provider_0, for priority if its need is critical."""
        if rule != "truthful" or seat.role.name != "tenant":
            return ()
        need = seat.role.decode_observation(observation).get("need")
        if need is None:
            return ()  # while providers post, tenants wait
        priority = "critical" if need == "critical" else "standard"
        return (seat.role.encode_action(provider="provider_0", priority=priority),)

    def _action_in_turn(self, benchmark: str, observation: int) -> int | None:
        """A benchmark's step where providers move in turn; None where it takes a rival's price."""
        c, top = self.market.config, joint_step(self.market.lone_profit)
        if observation == (c.prices if c.memory else 1):
            return c.prices  # the only legal action of a provider that waits
        if benchmark == "collusive":
            return top
        return cycle_answer(observation, top) if c.memory else None

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """The last prices, as far as a provider remembers them; claims are not remembered.

        Only those of the own region where a seat sees no others (`observe: region`).
        """
        c = self.market.config
        if seat.role.name == "tenant" or c.memory == 0 or c.headroom_claims or self.market.in_turn:
            return None
        # The own load is the last digit of an observation, before it the last provider's price.
        index = observation // 2 if c.surge else observation
        steps: dict[str, int | None] = {}
        seen = range(c.posts)
        if c.observe == "region":
            seen = range(c.providers * (seat.index // c.providers), c.posts)[: c.providers]
        for i in reversed(seen):
            index, steps[f"provider_{i}"] = divmod(index, c.prices)
        return dict(reversed(steps.items()))

    # --- theory ---------------------------------------------------------------------------------

    def theory(self) -> dict[str, float]:
        """With several regions: how patient providers must be to hold the collusive prices.

        `critical_discount/alone`, where each seat would be punished in its own region only;
        `critical_discount/pooled`, where a provider would be punished in all of its regions
        (`grid_benchmarks`). Empty where profits are not those of a demand table.
        """
        market = self.market
        if (
            market.config.regions == 1
            or not market.params[at.TABLED]
            or not is_plain(market.config)
        ):
            return {}
        collusive, competitive = (
            market.benchmark_steps[name] for name in ("collusive", "competitive")
        )
        payoffs = [
            trigger_payoffs(market.region_profits(k), collusive[seats], competitive[seats])
            for k, seats in enumerate(market.seats_by_region)
        ]
        alone, pooled = critical_discounts(np.array(payoffs))
        return {"critical_discount/alone": alone, "critical_discount/pooled": pooled}
