"""Cloud bandwidth as a `Market`: roles, params, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.jit.in_python import in_python
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Benchmark, Claim, Lot, Market, Measure, Role
from tacit.envs.market.figures import figure_text
from tacit.envs.types import Floats, Ints

from . import positions as at
from .analysis import CloudBandwidthAnalysis
from .benchmarks import PricingOutcome, solve
from .blocks import provider_blocks, tenant_blocks
from .config import CloudBandwidthConfig
from .edgeworth_cycle import edgeworth_cycle, joint_step
from .grid_benchmarks import collusive_steps, competitive_steps, grid_profits
from .measures import (
    DERIVED,
    MEASURES,
    PRICE,
    PROFIT,
    QUANTITY,
    SURPLUS,
    UNSERVED,
    is_plain,
    measures_of,
    regional_figures,
    specialisation_of,
)
from .rationing import Rationing, rationing_benchmarks, trivial_capacity

DEMAND_TEMPLATE = "tacit.envs.cloud_bandwidth.demand_loop"
MOST_TABLED = 2**16  # numbers of a demand table; beyond, demand is computed in every round
SMALLEST_GAP = 1e-4  # between benchmark prices, for a grid around them


class CloudBandwidth(Market):
    """See the package's docstring.

    Attributes set by `declare`, beside those of `Market`:
        nash: the competitive outcome of the posting game; with alternating moves of their cycle.
        joint: its joint-profit outcome.
        grid: prices, each provider's ascending, money, float64 `[N, m]`.
    """

    analysis_class = CloudBandwidthAnalysis
    name = "cloud_bandwidth"
    version = 0
    title = "providers post prices in repeated competition; tenants may ask for priority"
    kernels = "tacit.envs.cloud_bandwidth.kernels"
    model = CloudBandwidthConfig
    measures: tuple[Measure, ...] = MEASURES
    headline = "price"
    derived_meanings: ClassVar[Mapping[str, tuple[str, str]]] = DERIVED
    welfare = "welfare"
    config: CloudBandwidthConfig

    # --- declaration ----------------------------------------------------------------------------

    def declare(self) -> None:
        """Benchmarks, from which the grid follows; then roles, params and the state's width.

        Raises:
            ConfigError: the benchmarks span no grid, and `price_range` gives none.
        """
        c = self.config
        self.nash, self.joint = solve(c)
        self.grid = self._grid()
        if self.in_turn:
            self.nash = self._cycle()
        self.measures = measures_of(c)
        self.phases = ("post", "request") if c.tenants else ("post",)
        provider = Role("provider", c.posts, "profit", "profit", provider_blocks(c, self.grid))
        tenant = Role("tenant", c.tenants, "surplus", "surplus", tenant_blocks(c, self.grid))
        self.roles = (provider, tenant) if c.tenants else (provider,)
        if c.headroom_claims:
            false = "false_headroom"
            self.claims = (Claim("provider", "claim", "load", above=false, below=false),)
        self.params = self._params()
        if c.start != "random":
            self.params[at.START_MEMORY] = self._start_memory()
        listed = c.surge is not None and c.surge.listed
        self.state_width = in_python(at.drawn)(c.posts, c.tenants) + (2 * c.posts if listed else 0)
        self.state_width += self.in_turn  # whose turn it is

    @property
    def in_turn(self) -> bool:
        """Whether providers move in turn."""
        return self.config.timing == "alternating"

    @property
    def lone_profit(self) -> Floats:
        """What provider_0 would earn alone under linear demand, by its price, money, `[m]`."""
        c, prices = self.config, self.grid[0]
        sold = c.background_demand * np.maximum(1.0 - prices / c.reservation_price, 0.0)
        profit: Floats = (prices - c.each(c.cost)[0]) * sold
        return profit

    def _cycle(self) -> PricingOutcome:
        """The competitive outcome where providers move in turn.

        Raises:
            ConfigError: the grid has no price above the joint-profit price.
        """
        if joint_step(self.lone_profit) == self.config.prices - 1:
            ends = [float(price) for price in self.grid[0, [0, -1]]]
            raise ConfigError(
                f"market.price_range: with timing: alternating must have a price above the "
                f"joint-profit price {self.joint.price[0]:.4g}, got {ends}."
            )
        return edgeworth_cycle(self.grid[0], self.lone_profit)

    def _grid(self) -> Floats:
        """Prices float64 `[N, m]`: of `price_range`, or around each provider's benchmarks."""
        c = self.config
        if c.price_range is not None:
            return np.tile(np.linspace(*c.price_range, c.prices), (c.posts, 1))
        low, high = self.nash.prices.min(axis=1), self.joint.prices.max(axis=1)
        narrowest = int(np.argmin(high - low))
        if (high - low)[narrowest] < SMALLEST_GAP:
            raise ConfigError(
                f"market.price_range: missing. The grid lies around Nash {low[narrowest]:.4g} and "
                f"joint-profit price {high[narrowest]:.4g} of provider_{narrowest}, no interval "
                "here."
            )
        margin = c.price_margin * (high - low)
        if c.prices == 1:
            raise ConfigError("market.price_range: missing. One price needs its value: [p, p].")
        return np.linspace(low - margin, high + margin, c.prices, axis=1)

    # --- params ---------------------------------------------------------------------------------

    def _params(self) -> Floats:
        """The constants of the kernels, float64 `[.]`, by their named positions."""
        c = self.config
        n, m = c.posts, c.prices
        joints, own_joints = m**n, m**c.providers
        shocks = 3 if c.outside_shock > 0 else 1
        numbers = c.regions * own_joints * shocks * (c.providers + 1)
        tabled = own_joints if numbers <= MOST_TABLED else 0
        utility = np.array(c.each(c.quality))[:, None] - self.grid
        surge = self._surge_block()
        masses = in_python(at.masses)(n)
        grid = masses + c.regions
        surge_at = grid + 2 * n * m
        params = np.zeros(surge_at + len(surge))
        params[at.N_PROVIDERS] = n
        params[at.N_PRICES] = m
        params[at.JOINTS] = joints
        params[at.MEMORY_SIZE] = joints**c.memory
        params[at.RULE] = self._rule()
        params[at.MU] = c.differentiation
        params[at.OUTSIDE] = c.outside_quality
        params[at.SHOCK_SIZE] = c.outside_shock
        params[at.RESERVATION] = c.reservation_price
        params[at.FIRMS] = c.providers
        params[at.CAPACITY] = c.capacity or np.inf
        params[at.HAS_SURGE] = c.surge is not None
        params[at.SURGE] = surge_at
        params[at.N_TENANTS] = c.tenants
        params[at.RHO] = c.critical_probability
        params[at.STANDARD_VALUE] = c.standard_value
        params[at.CRITICAL_VALUE] = c.critical_value
        params[at.SURCHARGE] = c.priority_surcharge
        params[at.CLAIMS] = c.headroom_claims
        params[at.FINE] = c.false_headroom_fine
        params[at.CLAIMS_HEARD] = c.claims_heard
        params[at.START_MEMORY] = -1  # `declare` knows better, once there is a demand table
        params[at.PLAIN] = is_plain(c)
        params[at.TABLED] = tabled
        params[at.GRID] = grid
        params[at.TABLE] = surge_at + len(surge)
        params[at.ALTERNATING] = self.in_turn
        params[at.REGIONS] = c.regions
        params[at.OWN_REGION] = c.observe == "region"
        params[at.REGION_JOINTS] = own_joints
        params[at.COST : masses] = c.each(c.cost)
        params[masses:grid] = [c.region(k).background_demand for k in range(c.regions)]
        params[grid:surge_at] = [*self.grid.ravel(), *utility.ravel()]
        params[surge_at:] = surge
        return np.concatenate([params, self._demand_table(params, shocks)]) if tabled else params

    def _rule(self) -> int:
        """The rule of demand."""
        if self.config.demand in ("unit", "linear"):
            return at.CHEAPEST if self.config.demand == "unit" else at.LINEAR
        return at.BEST_OFFER if self.config.homogeneous else at.LOGIT

    def _surge_block(self) -> list[float]:
        """The block of `params` that `surges.py` reads; empty without surges."""
        surge = self.config.surge
        if surge is None:
            return []
        sizes, lengths = surge.multipliers, surge.lengths or ()
        return [surge.enter, surge.leave, len(sizes), len(lengths), *sizes, *lengths]

    def _demand_table(self, params: Floats, shocks: int) -> Floats:
        """What `demand` returns for every shock and joint price, in the order it is looked up.

        Args:
            params: the constants before the table, float64 `[.]`.
            shocks: 1 or 3.

        Returns:
            float64 `[R * shocks * J * (N + 1)]`, R regions of N providers each.
        """
        c = self.config
        table = np.empty((c.regions, shocks, c.prices**c.providers, c.providers + 1))
        which = np.arange(3) if shocks > 1 else np.ones(1, dtype=np.int64)  # (shock 1: none)
        compiled(DEMAND_TEMPLATE).fill_demand_table(params, which, table)
        return table.reshape(-1)

    def _start_memory(self) -> int:
        """Index of the prices remembered before the first round, where these are a benchmark's."""
        c = self.config
        joint = 0
        for a in [*self.benchmark_steps[c.start]] * c.memory:
            joint = joint * c.prices + int(a)
        return joint

    def nearest_prices(self, outcome: PricingOutcome) -> Ints:
        """The step of each provider's grid nearest to an outcome's price, int64 `[N]`."""
        steps: Ints = np.abs(self.grid - outcome.price[:, None]).argmin(axis=1)
        return steps

    @cached_property
    def benchmark_steps(self) -> dict[str, Ints]:
        """The steps that compete and that collude on the grid, each int64 `[N]`.

        The grid's own (`grid_benchmarks`) where profits are those of a demand table; with tenants,
        surges or capacity, and on grids too large for a table, the nearest to the benchmarks.
        """
        nearest = {name: self.nearest_prices(outcome) for name, outcome in
                   (("competitive", self.nash), ("collusive", self.joint))}  # fmt: skip
        c = self.config
        if not self.params[at.TABLED] or not is_plain(c):
            return nearest
        found: dict[str, list[Ints]] = {"competitive": [], "collusive": []}
        for k, seats in enumerate(self.seats_by_region):
            grid, profits = self.grid[seats], self.region_profits(k)
            competitive = competitive_steps(grid, profits, self.nash.price[seats])
            if competitive is None:
                competitive = nearest["competitive"][seats]
            found["competitive"].append(competitive)
            found["collusive"].append(collusive_steps(grid, profits, self.joint.price[seats]))
        return {name: np.concatenate(steps) for name, steps in found.items()}

    @property
    def seats_by_region(self) -> list[slice]:
        """The provider seats of every region."""
        n = self.config.providers
        return [slice(k * n, (k + 1) * n) for k in range(self.config.regions)]

    def region_profits(self, region: int) -> Floats:
        """Profits of a region's seats under its joint prices, money, `[N, m, .., m]`.

        Expected over shocks, from the demand table: only where there is one.
        """
        c, seats = self.config, self.seats_by_region[region]
        shares = self._tables()[region].mean(axis=0)[:, :-1]
        mass = c.region(region).background_demand
        return grid_profits(self.grid[seats], np.array(c.each(c.cost)[seats]), mass, shares)

    # --- shocks ---------------------------------------------------------------------------------

    @property
    def shocked(self) -> bool:
        """Whether the outside option moves from round to round."""
        return bool(self.params[at.SHOCK_SIZE] > 0.0)

    @property
    def play_draws(self) -> bool:
        """Shocks, needs and lotteries, and surges."""
        return bool(self.shocked or self.config.tenants or self.config.surge)

    @property
    def play_lots(self) -> tuple[Lot, ...] | None:
        """Shocks, one of three; what tenants and surges draw is not declared."""
        others = self.config.tenants or self.config.surge
        return None if others else (Lot.below(at.SHOCK, [3]),) * self.shocked

    def without_shocks(self) -> CloudBandwidth | None:
        """The same market with demand in its mean over the shocks; None where that is another game.

        Measures are linear in demand if providers only post prices, and if demand is tabled the
        mean of its tables is the table of its mean.
        """
        if not self.shocked or not self.params[at.TABLED] or not is_plain(self.config):
            return None
        still = CloudBandwidth(self.config.model_dump())
        mean = self._tables().mean(axis=1)
        still.params = np.concatenate([self.params[: int(self.params[at.TABLE])], mean.ravel()])
        still.params[at.SHOCK_SIZE] = 0.0
        return still

    def _tables(self) -> Floats:
        """The demand table, float64 `[R, shocks, J, N + 1]`."""
        c, table = self.config, self.params[int(self.params[at.TABLE]) :]
        return table.reshape(c.regions, -1, int(self.params[at.TABLED]), c.providers + 1)

    def too_large(self, role: Role) -> str:
        """The advice that follows when a role sees too much."""
        if role.name == "tenant":
            return "Use fewer providers, fewer prices, or no headroom_claims."
        fewer = ["memory 1 or 0", "fewer prices", "fewer providers"]
        if self.config.regions > 1 and self.config.observe == "all":
            fewer.insert(0, "observe: region")
        return f"Use {', '.join(fewer[:-1])}, or {fewer[-1]}."

    def conditions(self) -> dict[str, list[str]]:
        """`rationing`: some requests may go unserved, so that priority is worth something."""
        return {"rationing": trivial_capacity(self.config)}

    # --- benchmarks -----------------------------------------------------------------------------

    def benchmarks(self) -> dict[str, Benchmark]:
        """Static Nash and joint-profit outcomes, and the equilibria of the rationing game.

        Derived in `benchmarks.py` and `rationing.py`; prices lie off the grid.
        """

        def values(outcome: PricingOutcome) -> dict[str, float]:
            found = {"price": outcome.price.mean(), "profit": outcome.profits.mean()}
            if np.ptp(outcome.profits) > 0:  # providers differ
                found |= {f"profit/provider_{i}": x for i, x in enumerate(outcome.profits)}
            found |= self._allocation(outcome)
            return {name: float(x) for name, x in found.items()}

        source = "posting game without tenants, solved in tacit.envs.cloud_bandwidth.benchmarks"
        competitive = f"Nash of the {source}"
        if self.in_turn:
            competitive = "Edgeworth cycle; tacit.envs.cloud_bandwidth.edgeworth_cycle"
        return {
            "competitive": Benchmark(values(self.nash), competitive),
            "collusive": Benchmark(values(self.joint), f"joint profit of the {source}"),
            **self._rationing(),
        }

    def _allocation(self, outcome: PricingOutcome) -> dict[str, float]:
        """Prices by region, and who serves which where nothing is random and capacity is no limit.

        Quantities are then profits by margins, which are above 0 unless products are homogeneous.
        """
        c, by_region = self.config, (self.config.regions, self.config.providers)
        if c.regions == 1:
            return {}
        prices = outcome.price.reshape(by_region).mean(axis=1)
        found = {f"region_price/{k}": float(p) for k, p in enumerate(prices)}
        margins = outcome.price - np.array(c.each(c.cost))
        if not self.play_draws and is_plain(c) and margins.min() > SMALLEST_GAP:
            sold = (outcome.profits / margins).reshape(by_region)
            shares = sold / sold.sum(axis=1, keepdims=True)
            found["specialisation"] = specialisation_of(shares.tolist())
        return found

    def _rationing(self) -> dict[str, Benchmark]:
        """Of tenants, where nothing but their requests can vary: one provider, one price."""
        c = self.config
        if not c.tenants or c.providers > 1 or c.prices > 1 or c.surge or c.outside_shock:
            return {}
        share = float(self._demand_table(self.params, 1)[0])
        background = c.background_demand * share
        return rationing_benchmarks(c, float(self.grid[0, 0]), background)

    # --- summaries and words --------------------------------------------------------------------

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """Index of the sum of profits, the price per unit, and rates of tenants by need."""
        c = self.config
        result = {}
        if means["quantity"]:
            surcharged = means.get("payment", 0.0) and c.priority_surcharge
            if not surcharged:
                result["price_paid"] = means["revenue"] / means["quantity"]
        if c.tenants:
            return result | self._tenant_rates(means)
        everywhere = {"collusion_index": slice(0, c.posts)}
        if c.regions > 1:
            everywhere |= {f"collusion_index/{k}": s for k, s in enumerate(self.seats_by_region)}
        for name, seats in everywhere.items():
            low, high = (float(x.profits[seats].sum()) for x in (self.nash, self.joint))
            if high - low > 1e-9:
                total = sum(means[f"profit/provider_{i}"] for i in range(c.posts)[seats])
                result[name] = (total - low) / (high - low)
        return result | regional_figures(c, means)

    def _tenant_rates(self, means: Mapping[str, float]) -> dict[str, float]:
        """Critical needs unserved, exaggeration, and the share of the efficient welfare."""
        c = self.config
        names = [f"tenant_{i}" for i in range(c.tenants)]
        critical = [means[f"critical/{name}"] for name in names]
        result = {}
        if sum(critical) > 0:
            lost = [means[f"critical_unserved/{name}"] for name in names]
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

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """A round in words; `actions` int64 `[P, S]`, `measures` float64 `[S + 1, M]`."""
        lines = []
        n, c = self.config.posts, self.config
        for seat in self.seats[:n]:
            where = f" in region {seat.index // c.providers}" if c.regions > 1 else ""
            posted = seat.role.decode_action(int(actions[0, seat.index]))
            claim = f" and says it is {posted['claim']}" if "claim" in posted else ""
            lines.append(f"{seat.name} posts {measures[seat.index, PRICE]:.3g}{where}{claim}")
        for seat in self.seats[n:]:
            request = seat.role.decode_action(int(actions[1, seat.index]))
            asked = "stays away"
            if request["provider"] != "none":
                priority = " for priority" if request["priority"] == "critical" else ""
                asked = f"asks {request['provider']}{priority}"
            surplus = figure_text(measures[seat.index, SURPLUS])
            lines.append(f"{seat.name} {asked}: surplus {surplus}")
        for seat in self.seats[:n]:
            row = measures[seat.index]
            lost = ""
            if not is_plain(self.config):  # a plain market has no such column
                lost = f", leaves {figure_text(row[UNSERVED])} unserved"
            sold, profit = figure_text(row[QUANTITY]), figure_text(row[PROFIT])
            lines.append(f"{seat.name} sells {sold}{lost} (profit {profit})")
        return lines
