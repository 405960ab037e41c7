"""What probes and scripted players ask of quantity competition: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tacit.envs.analysis import Analysis, Rivalry
from tacit.envs.market import Market, Role, Seat

from .benchmarks import joint_output, nash_output

if TYPE_CHECKING:
    from .market import QuantityCompetition


class QuantityCompetitionAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: QuantityCompetition

    sees_actions_with = "market.monitoring=perfect"
    rivalry: ClassVar[Mapping[str, Rivalry]] = {
        "firm": Rivalry("quantity", part="quantity", competition=1, sellers=True)
    }
    memoryless: ClassVar[Mapping[str, Any]] = {"monitoring": "none"}

    @property
    def luck(self) -> bool:
        """Whether demand is drawn."""
        return self.market.play_draws

    def expected(self) -> Market:
        """Demand at its mean, in which profits are linear; not where the price is what is seen."""
        return self._expected

    @cached_property
    def _expected(self) -> Market:
        c = self.market.config
        if not c.demand_shock or c.monitoring == "imperfect":
            return self.market
        return type(self.market)({**c.model_dump(), "demand_shock": 0.0})

    def value_scale(self, role: Role) -> float:
        """A monopoly's profit."""
        c = self.market.config
        return (c.demand - c.cost) ** 2 / 4.0

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The output of the grid that is nearest to the benchmark's."""
        outputs = {"competitive": nash_output, "collusive": joint_output}
        if benchmark not in outputs:
            return None
        away = np.abs(self.market.grid - outputs[benchmark](self.market.config))
        return int(np.argmin(away))

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """All last outputs, with perfect monitoring."""
        c = self.market.config
        if c.monitoring != "perfect":
            return None
        steps: dict[str, int | None] = {}
        for i in range(c.firms - 1, -1, -1):
            observation, steps[f"firm_{i}"] = divmod(observation, c.outputs)
        return dict(reversed(steps.items()))
