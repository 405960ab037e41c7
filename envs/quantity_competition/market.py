"""Quantity competition as a `Market`: roles, params, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tacit.envs.market import Benchmark, Block, Lot, Market, Measure, Part, Role
from tacit.envs.types import Floats, Ints

from . import positions as at
from .analysis import QuantityCompetitionAnalysis
from .benchmarks import joint_output, nash_output, profit_of
from .config import QuantityCompetitionConfig
from .measures import MEASURES, PRICE, PROFIT, QUANTITY


class QuantityCompetition(Market):
    """See the package's docstring.

    Attributes set by `declare`, beside those of `Market`:
        grid: outputs, ascending, units, float64 `[m]`.
    """

    analysis_class = QuantityCompetitionAnalysis
    name = "quantity_competition"
    version = 0
    title = "firms choose outputs in repeated competition, and see outputs or the price only"
    kernels = "tacit.envs.quantity_competition.kernels"
    model = QuantityCompetitionConfig
    measures: tuple[Measure, ...] = MEASURES
    headline = "price"
    welfare = "welfare"
    config: QuantityCompetitionConfig

    def declare(self) -> None:
        """One role, one phase; the prices that can be seen are numbered."""
        c = self.config
        self.grid = np.linspace(*c.output_range, c.outputs)
        shocks = np.array([-c.demand_shock, c.demand_shock] if c.demand_shock else [0.0])
        step = (c.output_range[1] - c.output_range[0]) / (c.outputs - 1)
        totals = c.firms * c.output_range[0] + step * np.arange(c.firms * (c.outputs - 1) + 1)
        # Prices that differ by rounding only are one price.
        possible = np.round(c.demand + shocks[:, None] - totals, 9)
        prices, numbers = np.unique(possible.astype(np.float64), return_inverse=True)
        output = Part("quantity", tuple(float(q) for q in self.grid), "the output it sells")
        self.phases = ("produce",)
        blocks = (Block(0, self._sees(prices), (output,)),)
        self.roles = (Role("firm", c.firms, "profit", "profit", blocks),)
        constants = [
            c.firms, c.outputs, c.demand, c.demand_shock, c.cost, at.MONITORING.index(c.monitoring),
            at.GRID + c.outputs,
        ]  # fmt: skip
        self.params = np.array([*constants, *self.grid, *numbers.ravel()], np.float64)
        self.state_width = at.STATE_WIDTH

    def _sees(self, prices: Floats) -> tuple[Part, ...]:
        """What a firm sees; `prices` float64 `[.]` are all that can be, ascending."""
        c = self.config
        if c.monitoring == "none":
            return (Part("memory", ("none",), "it sees nothing"),)
        if c.monitoring == "imperfect":
            return (Part("last_price", tuple(float(p) for p in prices), "last round's price"),)
        outputs = tuple(float(q) for q in self.grid)
        return tuple(
            Part(f"last_quantity_{i}", outputs, f"firm_{i}'s output, last round")
            for i in range(c.firms)
        )

    @property
    def play_draws(self) -> bool:
        """Whether demand is drawn."""
        return self.config.demand_shock > 0.0

    @property
    def play_lots(self) -> tuple[Lot, ...]:
        """High or low demand."""
        return (Lot.below(at.DEMAND_DRAW, [2]),) if self.play_draws else ()

    def too_large(self, role: Role) -> str:
        """The advice that follows when a firm sees too much."""
        return "Use fewer firms, fewer outputs, or monitoring: imperfect."

    def benchmarks(self) -> dict[str, Benchmark]:
        """The Cournot equilibrium and the monopoly output in equal parts; they may lie off the
        grid."""
        c = self.config

        def of(output: float, what: str) -> Benchmark:
            total = c.firms * output
            values = {"price": c.demand - total, "profit": profit_of(c, output)}
            values["welfare"] = c.firms * values["profit"] + total * total / 2.0
            return Benchmark(
                values, f"{what}, closed form in tacit.envs.quantity_competition.benchmarks"
            )

        return {
            "competitive": of(nash_output(c), "Cournot equilibrium"),
            "collusive": of(joint_output(c), "joint profit"),
        }

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """`collusion_index`: the sum of profits between Cournot and joint profit."""
        c = self.config
        low, high = (c.firms * profit_of(c, f(c)) for f in (nash_output, joint_output))
        total = sum(means[f"profit/firm_{i}"] for i in range(c.firms))
        return {"collusion_index": (total - low) / (high - low)}

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """A round in words; `actions` int64 `[1, N]`, `measures` float64 `[N + 1, M]`."""
        lines = [
            f"{seat.name} sells {row[QUANTITY]:.4g} (profit {row[PROFIT]:.5g})"
            for seat, row in zip(self.seats, measures, strict=False)
        ]
        return [*lines, f"the price is {measures[-1, PRICE]:.4g}"]
