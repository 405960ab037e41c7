"""What probes and scripted players ask of procurement: see `tacit.envs.analysis`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tacit.envs.analysis import ActionCap, Analysis, Draw, PriorKeys, PriorNumbers, PriorRow
from tacit.envs.jit.in_python import in_python
from tacit.envs.market import Role, Seat
from tacit.envs.types import Floats

from . import policy_figures, priors, scripted
from . import positions as at

if TYPE_CHECKING:
    from .market import Procurement


class ProcurementAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: Procurement

    memoryless: ClassVar[Mapping[str, Any]] = {"record": "none"}
    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}
    prior_keys: ClassVar[Mapping[str, PriorKeys]] = priors.PRIOR_KEYS

    # --- nature ---------------------------------------------------------------------------------

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """Before the first phase: every supplier's stock and lead time, the buyer's urgency."""
        c = self.market.config
        if phase:
            return ()
        found = []
        days = tuple(float(position) for position in range(len(c.days)))
        leads = self._lead_probabilities()
        coin = (0.0, 1.0)
        for i, scarce in enumerate(c.scarcities):
            own = in_python(at.supplier)(i)
            found.append(Draw(own + at.STOCK, coin, ((1.0 - scarce, scarce),)))
            found.append(Draw(own + at.LEAD, days, (leads,)))
        urgent = c.urgency.probability if c.urgency else 0.0
        found.append(Draw(at.URGENT, coin, ((1.0 - urgent, urgent),)))
        return tuple(found)

    def _lead_probabilities(self) -> tuple[float, ...]:
        """Of the distinct lead times; repeats in the list count."""
        c = self.market.config
        return tuple(c.lead_times.count(day) / len(c.lead_times) for day in c.days)

    @property
    def luck(self) -> bool:
        """Whether customs or unforeseen delays are uncertain."""
        clause, delays = self.market.config.clause, self.market.config.delays
        held_up = clause is not None and 0 < clause.delay_probability < 1
        if delays is None or delays.probability == 0:
            return held_up
        return held_up or delays.probability < 1 or len(set(delays.days)) > 1

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Of the own stock, lead time and urgency."""
        c = self.market.config
        if part == "stock":
            return 1.0 - c.scarcities[seat.index], c.scarcities[seat.index]
        if part == "lead":
            return self._lead_probabilities()
        if part == "urgency" and c.urgency:
            return 1.0 - c.urgency.probability, c.urgency.probability
        return None

    def value_scale(self, role: Role) -> float:
        """The buyer's value, the urgent one if there are two."""
        c = self.market.config
        return c.urgency.urgent if c.urgency else c.value

    def action_caps(self, role: Role) -> tuple[ActionCap, ...]:
        """Of an ask: the buyer's value (the urgent one), and the price outside."""
        if role.name != "supplier":
            return ()
        worth = "urgency.urgent" if self.market.config.urgency else "value"
        return (
            ActionCap("price", self.value_scale(role), worth),
            ActionCap("price", self.market.config.outside_price, "outside_price"),
        )

    # --- players and theory ---------------------------------------------------------------------

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """The rules of `scripted.py`."""
        return scripted.actions(self.market.config, rule, seat, observation)

    def prior_row(self, prior: PriorNumbers, seat: Seat, observation: int) -> PriorRow:
        """The rows of `priors.py`."""
        return priors.prior_row(self.market.config, prior, seat, observation)

    def theory(self) -> dict[str, float]:
        """The figures of `policy_figures.py` as closed forms predict them."""
        return policy_figures.predicted(self.market.config)

    def policy_figures(self, tables: Sequence[Floats]) -> dict[str, float]:
        """The same figures of policy tables float64 `[O, A]`, one for each seat."""
        roles = {role.name: role for role in self.market.roles}
        return policy_figures.measured(self.market.config, roles, tables)
