"""Procurement as a `Market`: roles, parts, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import (
    Benchmark,
    Claim,
    Market,
    Role,
)

from .analysis import ProcurementAnalysis
from .benchmarks import (
    bluffing_conditions,
    bluffing_in,
    disinterest_conditions,
    disinterest_in,
)
from .config import ProcurementConfig
from .measures import (
    FALSE_PLENTY,
    FALSE_SCARCITY,
    FALSE_URGENCY,
    MARGIN,
    MEASURES,
    SURPLUS,
)
from .parts import CLAUSES, sheet


class Procurement(Market):
    """See the module's docstring."""

    analysis_class = ProcurementAnalysis
    name = "procurement"
    version = 0
    title = "suppliers answer a buyer's tender with prices, claims and promises"
    kernels = "tacit.envs.procurement.kernels"
    model = ProcurementConfig
    measures = MEASURES
    headline = "booking"
    welfare = "welfare"
    config: ProcurementConfig

    def declare(self) -> None:
        c = self.config
        parts = sheet(c)
        self.phases = parts.phases
        supplier = Role("supplier", c.suppliers, "margin", "margin", parts.supplier)
        self.roles = (supplier, Role("buyer", 1, "surplus", "surplus", parts.buyer))
        said = (
            (c.has_stock, Claim("supplier", "claim", "stock", "false_scarcity", "false_plenty")),
            (len(c.days) > 1, Claim("supplier", "promise", "lead", None, "overpromise_days")),
            (
                c.brief,
                Claim("buyer", "stated_urgency", "urgency", "false_urgency", "false_urgency"),
            ),
        )
        self.claims = tuple(claim for there, claim in said if there)
        self.params = self._params()
        self.state_width = 3 + 4 * c.suppliers

    def _params(self) -> NDArray[np.float64]:
        c = self.config
        calm, urgent, share = c.value, c.value, 0.0
        if c.urgency:
            calm, urgent, share = c.urgency.calm, c.urgency.urgent, c.urgency.probability
        clause = (0.0, 0.0, 0.0)
        if c.clause:
            clause = (c.clause.cost, c.clause.delay_probability, c.clause.delay_cost)
        delays = c.delays.days if c.delays else ()
        head = [
            c.suppliers, len(c.prices), len(c.days), len(c.lead_times), c.has_stock,
            c.clause is not None, c.record == "on_time", c.urgency is not None, c.brief,
            c.counters, calm, urgent, share, c.outside_price, c.wait_discount, c.stockout_cost,
            c.false_claim_fine, c.lead_cost, c.delay_cost, c.late_fine, *clause,
            c.false_urgency_fine, c.delays.probability if c.delays else 0.0, len(delays),
            c.claims_heard,
        ]  # fmt: skip
        listed = [c.days.index(day) for day in c.lead_times]
        lists = (c.prices, c.days, listed, c.costs, c.scarcities, delays)
        return np.array([*head, *(x for each in lists for x in each)], np.float64)

    def too_large(self, role: Role) -> str:
        c = self.config
        size = self.role("supplier").choices[0]
        offers = " x ".join(str(len(part.values)) for part in size)
        records = " x 3 records" if c.record == "on_time" else ""
        return (
            f"Each of {c.suppliers} suppliers adds {offers} offers{records}. Use fewer suppliers "
            "or prices, group `lead_times`, or drop the clause, the record, or stock (scarcity: 0)."
        )

    def conditions(self) -> dict[str, list[str]]:
        """Where the closed forms hold."""
        c = self.config
        return {"bluffing": bluffing_conditions(c), "disinterest": disinterest_conditions(c)}

    def benchmarks(self) -> dict[str, Benchmark]:
        """Reference prices, and the equilibrium where one is known in closed form.

        Competitive: the lowest listed price above every cost, to which rivals undercut each other.
        Collusive: the highest listed price that the buyer's (calm) value still covers, which is
        also what a single supplier would ask of a buyer that cannot haggle. Both leave claims and
        delays aside. Equilibrium: `benchmarks.bluffing`, `benchmarks.disinterest`.
        """
        c = self.config
        value = c.urgency.calm if c.urgency else c.value
        low = next((p for p in c.prices if p > max(c.cost)), c.prices[-1])
        high = max([p for p in c.prices if p <= value], default=low)
        source = "one tender without claims, derived in tacit.envs.procurement"
        return {
            "competitive": Benchmark({"booking": low}, source),
            "collusive": Benchmark({"booking": max(low, high)}, source),
            "equilibrium": self._equilibrium(),
        }

    def _equilibrium(self) -> Benchmark:
        c = self.config
        bluff, feign = bluffing_conditions(c), disinterest_conditions(c)
        if not bluff:
            found = bluffing_in(c)
            values = {"margin": found.margin, "surplus": found.surplus}
            values["false_scarcity"] = (1 - c.scarcity[0]) * found.bluff
            chances = f"bluff {found.bluff:.3f}, accepted {found.accept:.3f}"
            story = f"bluffing, regime {found.regime}: {chances}"
        elif not feign:
            assert c.urgency is not None
            lies = disinterest_in(c)
            values = {"margin": lies.margin, "surplus": lies.surplus}
            values["false_urgency"] = c.urgency.probability * lies.lie
            chances = f"lie {lies.lie:.3f}, believed {lies.cheap:.3f}"
            story = f"feigned disinterest, regime {lies.regime}: {chances}"
        else:
            why = "; ".join(feign if c.brief else bluff)
            return Benchmark({}, f"no closed form here: {why}")
        return Benchmark(values, f"{story} (tacit.envs.procurement.benchmarks)")

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """Per deal: what suppliers earn, late days, price, and the share with the clause."""
        names = [seat.name for seat in self.seats if seat.role.name == "supplier"]
        deals = sum(means[f"win/{name}"] for name in names)

        def per_deal(measure: str) -> float:
            total = sum(means[f"{measure}/{name}"] for name in names)
            return total / deals if deals else float("nan")

        result = {f"{m}_per_deal": per_deal(m) for m in ("margin", "booking", "late_days")}
        if self.config.clause:
            result["clause_kept"] = 1.0 - per_deal("clause_dropped")
        if self.config.suppliers > 1:
            marks = self.benchmarks()
            low, high = (marks[k].values["booking"] for k in ("competitive", "collusive"))
            if high > low:
                result["collusion_index"] = (result["booking_per_deal"] - low) / (high - low)
        return result

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        c, n = self.config, self.config.suppliers
        offers, response = self.phases.index("offer"), self.phases.index("respond")
        supplier, buyer = self.role("supplier"), self.role("buyer")
        lines = []
        if c.brief:
            stated = buyer.decode_action(int(actions[0, n]))["stated_urgency"]
            lines.append(
                f"buyer_0 says it is {stated}" + " (false)" * bool(measures[n, FALSE_URGENCY])
            )
        for i in range(n):
            false = bool(measures[i, FALSE_SCARCITY] or measures[i, FALSE_PLENTY])
            lines.append(
                f"supplier_{i} {_told(supplier.decode_action(int(actions[offers, i])), false)}"
            )
        said = buyer.decode_action(int(actions[response, n]))["response"]
        verb, _, rest = said.partition(" ")
        lines.append(f"buyer_0 {verb}s" + (f" {rest}" if rest else " away"))
        if verb == "counter":
            name = rest.partition(" ")[0]
            answer = supplier.decode_action(int(actions[-1, self.seat(name).index]))
            shown = {"accept": "accepts", "refuse": "refuses", "sold": "has sold elsewhere"}
            lines.append(f"{name} {shown[next(iter(answer.values()))]}")
        margins = ", ".join(f"supplier_{i} {measures[i, MARGIN]:.3g}" for i in range(n))
        return [*lines, f"margins: {margins}; buyer's surplus: {measures[n, SURPLUS]:.3g}"]


def _told(offer: Mapping[str, Any], false: bool) -> str:
    """An offer in words."""
    words = [f"asks {offer['price']:.3g}"]
    if "claim" in offer:
        words.append(f"claims {offer['claim']} stock" + " (false)" * false)
    if "promise" in offer:
        words.append(f"promises {offer['promise']} days")
    if "clause" in offer:
        words.append("with the clause" if offer["clause"] == CLAUSES[0] else "without the clause")
    return ", ".join(words)
