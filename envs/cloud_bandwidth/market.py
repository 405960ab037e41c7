"""Cloud bandwidth as a `Market`: roles, parts, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError
from tacit.envs.market import (
    Benchmark,
    Block,
    Claim,
    Market,
    Measure,
    Part,
    Role,
)

from . import kernels as k
from . import rationing
from .analysis import CloudBandwidthAnalysis
from .benchmarks import PricingOutcome, solve
from .config import CloudBandwidthConfig
from .measures import (
    MEASURES,
    PRICE,
    PROFIT,
    QUANTITY,
    SURPLUS,
    UNSERVED,
    is_plain,
    measures_of,
)
from .rationing import Rationing, trivial_capacity

MOST_TABLED = 2**16  # numbers of a demand table; beyond, demand is computed in every round
NEEDS, LOADS, CLAIMS = ("standard", "critical"), ("calm", "surge"), ("ample", "tight")


class CloudBandwidth(Market):
    """See the module's docstring."""

    analysis_class = CloudBandwidthAnalysis
    name = "cloud_bandwidth"
    version = 0
    title = "providers post prices in repeated competition; tenants may ask for priority"
    kernels = "tacit.envs.cloud_bandwidth.kernels"
    model = CloudBandwidthConfig
    measures: tuple[Measure, ...] = MEASURES
    headline = "price"
    welfare = "welfare"
    config: CloudBandwidthConfig

    def declare(self) -> None:
        c = self.config
        self.nash, self.joint = solve(c)
        self.grid = self._grid()  # [N, m]
        self.measures = measures_of(c)
        self.phases = ("post", "request") if c.tenants else ("post",)
        provider = Role("provider", c.providers, "profit", "profit", self._provider_blocks())
        tenant = Role("tenant", c.tenants, "surplus", "surplus", self._tenant_blocks())
        self.roles = (provider, tenant) if c.tenants else (provider,)
        if c.headroom_claims:
            told = Claim("provider", "claim", "load", "false_headroom", "false_headroom")
            self.claims = (told,)
        self.params = self._params()
        listed = c.surge is not None and c.surge.listed
        self.state_width = k.POSTED + (5 if listed else 3) * c.providers + c.tenants

    def _grid(self) -> NDArray[np.float64]:
        """Prices float64 [N, m]: of `price_range`, or around each provider's benchmarks."""
        c = self.config
        if c.price_range is not None:
            return np.tile(np.linspace(*c.price_range, c.prices), (c.providers, 1))
        low, high = self.nash.prices.min(axis=1), self.joint.prices.max(axis=1)
        short = int(np.argmin(high - low))
        if (high - low)[short] < 1e-4:
            raise ConfigError(
                f"market.price_range: missing. The grid lies around Nash {low[short]:.4g} and "
                f"joint-profit price {high[short]:.4g} of provider_{short}, no interval here."
            )
        margin = c.price_margin * (high - low)
        if c.prices == 1:
            raise ConfigError("market.price_range: missing. One price needs its value: [p, p].")
        return np.linspace(low - margin, high + margin, c.prices, axis=1)

    def _price_part(self, name: str, provider: int | None, meaning: str) -> Part:
        """Prices in money; steps of the own grid where providers' grids differ."""
        own = self.grid[0 if provider is None else provider]
        if provider is None and not np.array_equal(self.grid.min(axis=0), self.grid.max(axis=0)):
            return Part(f"{name}_step", tuple(range(self.config.prices)), f"{meaning} (own grid)")
        return Part(name, tuple(float(p) for p in own), meaning)

    def _provider_blocks(self) -> tuple[Block, ...]:
        c = self.config
        sees = tuple(
            self._price_part(f"{when}_price_{i}", i, f"provider_{i}'s price, {ago}")
            for when, ago in (("earlier", "two rounds ago"), ("last", "last round"))[2 - c.memory :]
            for i in range(c.providers)
        )
        if c.surge or c.headroom_claims:
            loads = LOADS if c.surge else LOADS[:1]  # what a claim is about, or always calm
            sees += (Part("load", loads, "its own background demand this round"),)
        sees = sees or (Part("memory", ("none",), "it remembers nothing"),)
        does: tuple[Part, ...] = (self._price_part("price", None, "the price it posts"),)
        if c.headroom_claims:
            does += (Part("claim", CLAIMS, "what it says of its load: ample is calm, tight surge"),)
        return (Block(0, sees, does), Block(1)) if c.tenants else (Block(0, sees, does),)

    def _tenant_blocks(self) -> tuple[Block, ...]:
        c = self.config
        sees: tuple[Part, ...] = (Part("need", NEEDS, "what a unit is worth to it"),)
        sees += tuple(
            self._price_part(f"price_{i}", i, f"provider_{i}'s price") for i in range(c.providers)
        )
        if c.headroom_claims:
            sees += tuple(
                Part(f"claim_{i}", CLAIMS, f"provider_{i}'s claim") for i in range(c.providers)
            )
        names = ("none", *(f"provider_{i}" for i in range(c.providers)))
        does = (
            Part("provider", names, "whom it asks for a unit"),
            Part("priority", NEEDS, "what it says of its need: critical asks for priority"),
        )
        return Block(0), Block(1, sees, does)

    def _params(self) -> NDArray[np.float64]:
        c = self.config
        n, m = c.providers, c.prices
        surge: list[float] = []
        if c.surge:
            sizes, lengths = c.surge.multipliers, c.surge.lengths or ()
            surge = [c.surge.enter, c.surge.leave, len(sizes), len(lengths), *sizes, *lengths]
        rule = k.CHEAPEST if c.demand == "unit" else k.BEST_OFFER if c.homogeneous else k.LOGIT
        cost, quality = np.array(c.each(c.cost)), np.array(c.each(c.quality))
        joints = m**n
        shocks = 3 if c.outside_shock > 0 else 1
        tabled = joints if joints * shocks * (n + 1) <= MOST_TABLED else 0
        grid = k.COST + n
        surge_at = grid + 2 * n * m
        table = surge_at + len(surge)
        head = [
            n, m, joints, joints**c.memory, rule, c.differentiation, c.outside_quality,
            c.outside_shock, c.reservation_price, c.background_demand, c.capacity or np.inf,
            c.surge is not None, surge_at, c.tenants, c.critical_probability, c.standard_value,
            c.critical_value, c.priority_surcharge, c.headroom_claims, c.false_headroom_fine,
            c.claims_heard, self._start(), is_plain(c), tabled, grid, table,
        ]  # fmt: skip
        utility = quality[:, None] - self.grid
        params = np.concatenate(
            [[float(x) for x in head], cost, self.grid.ravel(), utility.ravel(), surge]
        )
        return np.concatenate([params, self._table(params, shocks)]) if tabled else params

    def _table(self, params: NDArray[np.float64], shocks: int) -> NDArray[np.float64]:
        """What `demand` says, for every shock and joint price."""
        n = self.config.providers
        state = np.zeros(k.POSTED + n)
        measures = np.zeros((n + 1, QUANTITY + 1))
        rows = []
        for shock in range(shocks) if shocks > 1 else [1]:
            for joint in np.ndindex(*[self.config.prices] * n):
                state[k.POSTED :] = joint
                gain = k.demand(params, state, shock, measures)
                rows += [*measures[:n, QUANTITY], gain]
        return np.array(rows)

    def _start(self) -> int:
        """Index of the prices remembered before the first round; -1: drawn."""
        c = self.config
        if c.start == "random":
            return -1
        actions = self.nearest_prices(self.nash if c.start == "competitive" else self.joint)
        joint = 0
        for a in [*actions] * c.memory:
            joint = joint * c.prices + int(a)
        return joint

    def nearest_prices(self, outcome: PricingOutcome) -> NDArray[np.int64]:
        """The step of each provider's grid nearest to an outcome's price, int64 [N]."""
        steps: NDArray[np.int64] = np.abs(self.grid - outcome.price[:, None]).argmin(axis=1)
        return steps

    @property
    def play_draws(self) -> bool:
        c = self.config
        return bool(c.outside_shock or c.tenants or c.surge)

    def too_large(self, role: Role) -> str:
        if role.name == "tenant":
            return "Use fewer providers, fewer prices, or no headroom_claims."
        return "Use memory 1 or 0, fewer prices, or fewer providers."

    def conditions(self) -> dict[str, list[str]]:
        """`rationing`: some requests may go unserved, so that priority is worth something."""
        return {"rationing": trivial_capacity(self.config)}

    # --- benchmarks ------------------------------------------------------------------------------

    def benchmarks(self) -> dict[str, Benchmark]:
        """Static Nash and joint-profit outcomes, derived in `benchmarks`, prices off the grid; and
        the equilibria of the rationing game, derived in `rationing`."""

        def values(outcome: PricingOutcome) -> dict[str, float]:
            mean = {"price": outcome.price.mean(), "profit": outcome.profits.mean()}
            return {name: float(x) for name, x in mean.items()}

        source = "posting game without tenants, solved in tacit.envs.cloud_bandwidth.benchmarks"
        return {
            "competitive": Benchmark(values(self.nash), f"Nash of the {source}"),
            "collusive": Benchmark(values(self.joint), f"joint profit of the {source}"),
            **self._rationing(),
        }

    def _rationing(self) -> dict[str, Benchmark]:
        """Of tenants, where nothing but their requests can vary: one provider, one price."""
        c = self.config
        if not c.tenants or c.providers > 1 or c.prices > 1 or c.surge or c.outside_shock:
            return {}
        measures = np.zeros((2, QUANTITY + 1))
        k.demand(self.params, np.zeros(self.state_width), 1, measures)
        background = c.background_demand * float(measures[0, QUANTITY])
        return rationing.told(c, float(self.grid[0, 0]), background)

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """Index of the sum of profits, the price per unit, and rates of tenants by need."""
        c = self.config
        result = {}
        if means["quantity"]:
            extra = means.get("payment", 0.0) and c.priority_surcharge
            if not extra:
                result["price_paid"] = means["revenue"] / means["quantity"]
        if c.tenants:
            return result | self._tenant_rates(means)
        low, high = float(self.nash.profits.sum()), float(self.joint.profits.sum())
        if high - low > 1e-9:
            total = sum(means[f"profit/provider_{i}"] for i in range(c.providers))
            result["collusion_index"] = (total - low) / (high - low)
        return result

    def _tenant_rates(self, means: Mapping[str, float]) -> dict[str, float]:
        c = self.config
        names = [f"tenant_{i}" for i in range(c.tenants)]
        critical = [means[f"critical/{t}"] for t in names]
        result = {}
        if sum(critical) > 0:
            lost = [means[f"critical_unserved/{t}"] for t in names]
            rates = [x / y if y else 0.0 for x, y in zip(lost, critical, strict=True)]
            result["critical_unserved_rate"] = sum(lost) / sum(critical)
            result["critical_unserved_rate/min"] = min(rates)
            result["critical_unserved_rate/max"] = max(rates)
        if sum(critical) < c.tenants:
            standard = c.tenants - sum(critical)
            result["exaggeration_rate"] = c.tenants * means["exaggeration"] / standard
        if c.providers == 1 and c.background_demand == 0:
            capacity = c.tenants if c.capacity is None else c.capacity
            game = Rationing(c.tenants, capacity, c.critical_probability)
            best = game.efficient_value(c.standard_value, c.critical_value)
            best -= c.each(c.cost)[0] * min(capacity, c.tenants)
            if best > 0:
                result["welfare_share"] = means["welfare"] / best
        return result

    # --- words -----------------------------------------------------------------------------------

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        lines = []
        n = self.config.providers
        for seat in self.seats[:n]:
            does = seat.role.decode_action(int(actions[0, seat.index]))
            says = f" and says it is {does['claim']}" if "claim" in does else ""
            lines.append(f"{seat.name} posts {measures[seat.index, PRICE]:.3g}{says}")
        for seat in self.seats[n:]:
            does = seat.role.decode_action(int(actions[1, seat.index]))
            asks = f"asks {does['provider']}" if does["provider"] != "none" else "stays away"
            urgent = " for priority" if does["priority"] == "critical" and "asks" in asks else ""
            lines.append(f"{seat.name} {asks}{urgent}: surplus {measures[seat.index, SURPLUS]:.3g}")
        for seat in self.seats[:n]:
            row = measures[seat.index]
            lost = "" if is_plain(self.config) else f", leaves {row[UNSERVED]:.3g} unserved"
            lines.append(f"{seat.name} sells {row[QUANTITY]:.3g}{lost} (profit {row[PROFIT]:.3g})")
        return lines
