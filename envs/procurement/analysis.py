"""What probes and scripted players ask of this market: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.market import Role, Seat

from . import kernels as k
from . import readings, scripts

if TYPE_CHECKING:
    from .market import Procurement


class ProcurementAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: Procurement

    memoryless: ClassVar[Mapping[str, Any]] = {"record": "none"}
    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    def draws(self, phase: int) -> tuple[Draw, ...]:
        c = self.market.config
        if phase:
            return ()
        found = []
        days = tuple(float(position) for position in range(len(c.days)))
        leads = tuple(c.lead_times.count(day) / len(c.lead_times) for day in c.days)
        for i, scarce in enumerate(c.scarcities):
            own = k.SUPPLIERS + i * k.WIDTH
            found.append(Draw(own + k.STOCK, (0.0, 1.0), ((1.0 - scarce, scarce),)))
            found.append(Draw(own + k.LEAD, days, (leads,)))
        urgent = c.urgency.probability if c.urgency else 0.0
        found.append(Draw(k.URGENT, (0.0, 1.0), ((1.0 - urgent, urgent),)))
        return tuple(found)

    @property
    def luck(self) -> bool:
        clause, delays = self.market.config.clause, self.market.config.delays
        held_up = clause is not None and 0 < clause.delay_probability < 1
        if delays is None or delays.probability == 0:
            return held_up
        return held_up or delays.probability < 1 or len(set(delays.days)) > 1

    def value_scale(self, role: Role) -> float:
        c = self.market.config
        return c.urgency.urgent if c.urgency else c.value

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        return scripts.actions(self.market.config, rule, seat, observation)

    def chances(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        c = self.market.config
        if part == "stock":
            return 1.0 - c.scarcities[seat.index], c.scarcities[seat.index]
        if part == "lead":
            return tuple(c.lead_times.count(day) / len(c.lead_times) for day in c.days)
        if part == "urgency" and c.urgency:
            return 1.0 - c.urgency.probability, c.urgency.probability
        return None

    def theory(self) -> dict[str, float]:
        return readings.theory(self.market.config)

    def policy_figures(self, tables: Sequence[NDArray[np.float64]]) -> dict[str, float]:
        return readings.figures(self.market.config, {r.name: r for r in self.market.roles}, tables)
