"""Procurement as a `Market`: roles, params, benchmarks, words. Rules: see the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tacit.envs.market import Benchmark, Claim, Lot, Market, Role
from tacit.envs.market.figures import figure_text
from tacit.envs.types import Floats, Ints

from . import positions as at
from .analysis import ProcurementAnalysis
from .benchmarks import (
    bluffing_conditions,
    bluffing_in,
    disinterest_conditions,
    disinterest_in,
)
from .blocks import CLAUSES, FINALITY, tender_blocks
from .config import ProcurementConfig
from .measures import (
    FALSE_FINAL,
    FALSE_PLENTY,
    FALSE_SCARCITY,
    FALSE_URGENCY,
    LIMIT_MEASURES,
    MARGIN,
    MEASURES,
    SURPLUS,
)


class Procurement(Market):
    """See the package's docstring."""

    analysis_class = ProcurementAnalysis
    name = "procurement"
    version = 0
    title = "suppliers answer a buyer's tender with prices, claims and promises"
    kernels = "tacit.envs.procurement.kernels"
    model = ProcurementConfig
    measures = MEASURES
    headline = "booking"
    derived_meanings: ClassVar[Mapping[str, tuple[str, str]]] = {
        "margin_per_deal": ("money", "what suppliers earn a deal"),
        "booking_per_deal": ("money", "price at signature a deal"),
        "late_days_per_deal": ("days", "that deliveries came after the promise, a deal"),
        "clause_kept": ("share", "of deals that were made with the clause"),
    }
    welfare = "welfare"
    config: ProcurementConfig

    # --- declaration ----------------------------------------------------------------------------

    def declare(self) -> None:
        """Roles, claims, params and the state's width."""
        c = self.config
        blocks = tender_blocks(c)
        self.phases = blocks.phases
        if not c.final:
            self.measures = MEASURES[:-LIMIT_MEASURES]
        supplier = Role("supplier", c.suppliers, "margin", "margin", blocks.supplier)
        self.roles = (supplier, Role("buyer", 1, "surplus", "surplus", blocks.buyer))
        claims = []
        if c.has_stock:
            claims.append(Claim("supplier", "claim", "stock", "false_scarcity", "false_plenty"))
        if len(c.days) > 1:
            # A promise above the true lead time will be kept, so no measure calls it false.
            claims.append(Claim("supplier", "promise", "lead", None, "overpromise_days"))
        if c.brief:
            false = "false_urgency"
            claims.append(Claim("buyer", "stated_urgency", "urgency", above=false, below=false))
        self.claims = tuple(claims)
        leave = ({"settle": "leave"},) if c.final else ()
        walk = ({"response": "walk"}, *leave)
        self.no_deal = {"buyer": walk, "supplier": ({"answer": "refuse"},)}
        self.params = self._params()
        self.state_width = at.SUPPLIERS + at.WIDTH * c.suppliers + int(c.final)

    def _params(self) -> Floats:
        """The constants of the kernels, float64 `[.]`, by their named positions."""
        c = self.config
        delays = c.delays.days if c.delays else ()
        steps = [c.days.index(day) for day in c.lead_times]
        lists = [*c.prices, *c.days, *steps, *c.costs, *c.scarcities, *delays]
        params = np.zeros(at.PRICES + len(lists))
        params[at.N_SUPPLIERS] = c.suppliers
        params[at.N_PRICES] = len(c.prices)
        params[at.N_DAYS] = len(c.days)
        params[at.N_LISTED] = len(c.lead_times)
        params[at.HAS_STOCK] = c.has_stock
        params[at.HAS_CLAUSE] = c.clause is not None
        params[at.HAS_RECORD] = c.record == "on_time"
        params[at.HAS_URGENCY] = c.urgency is not None
        params[at.HAS_BRIEF] = c.brief
        params[at.HAS_COUNTERS] = c.counters
        params[at.CALM_VALUE] = c.urgency.calm if c.urgency else c.value
        params[at.URGENT_VALUE] = c.urgency.urgent if c.urgency else c.value
        params[at.URGENT_SHARE] = c.urgency.probability if c.urgency else 0.0
        params[at.OUTSIDE_PRICE] = c.outside_price
        params[at.WAIT_DISCOUNT] = c.wait_discount
        params[at.STOCKOUT_COST] = c.stockout_cost
        params[at.CLAIM_FINE] = c.false_claim_fine
        params[at.LEAD_COST] = c.lead_cost
        params[at.DELAY_COST] = c.delay_cost
        params[at.LATE_FINE] = c.late_fine
        if c.clause:
            params[at.CLAUSE_COST] = c.clause.cost
            params[at.CUSTOMS_SHARE] = c.clause.delay_probability
            params[at.CUSTOMS_COST] = c.clause.delay_cost
        params[at.URGENCY_FINE] = c.false_urgency_fine
        params[at.DELAY_SHARE] = c.delays.probability if c.delays else 0.0
        params[at.N_DELAYS] = len(delays)
        params[at.CLAIMS_HEARD] = c.claims_heard
        params[at.HAS_FINAL] = c.final
        params[at.FINAL_FINE] = c.false_final_fine
        params[at.PRICES :] = lists
        return params

    @property
    def play_lots(self) -> tuple[Lot, ...]:
        """What is drawn as a tender ends: what delays the delivery, and the next private types."""
        c, suppliers = self.config, range(self.config.suppliers)
        lots = [Lot.below(at.LEAD_DRAW + i, [len(c.lead_times)]) for i in suppliers]
        for i in suppliers:
            lots += Lot.chances([at.STOCK_DRAW + i], c.scarcities[i])
            if c.clause:
                lots += Lot.chances([at.CUSTOMS_DRAW + i], c.clause.delay_probability)
            if c.delays:
                lots += Lot.chances([at.DELAY_DRAW + i], c.delays.probability)
                lots.append(Lot.below(at.DAYS_DRAW + i, [len(c.delays.days)]))
        if c.urgency:
            lots += Lot.chances([at.URGENCY_DRAW], c.urgency.probability)
        return tuple(lots)

    def too_large(self, role: Role) -> str:
        """The advice that follows when the buyer sees too much."""
        c = self.config
        offer = self.role("supplier").choices[0]
        offers = " x ".join(str(len(part.values)) for part in offer)
        records = " x 3 records" if c.record == "on_time" else ""
        return (
            f"Each of {c.suppliers} suppliers adds {offers} offers{records}. Use fewer suppliers "
            "or prices, group `lead_times`, or drop the clause, the record, or stock (scarcity: 0)."
        )

    def conditions(self) -> dict[str, list[str]]:
        """Where the closed forms hold."""
        c = self.config
        return {"bluffing": bluffing_conditions(c), "disinterest": disinterest_conditions(c)}

    # --- benchmarks -----------------------------------------------------------------------------

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
        """The closed form that holds; without values where none does."""
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

    # --- summaries and words --------------------------------------------------------------------

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
            low, high = (marks[name].values["booking"] for name in ("competitive", "collusive"))
            if high > low:
                result["collusion_index"] = (result["booking_per_deal"] - low) / (high - low)
        return result

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """A tender in words; `actions` int64 `[P, S]`, `measures` float64 `[S + 1, M]`."""
        c, n = self.config, self.config.suppliers
        offer, respond = self.phases.index("offer"), self.phases.index("respond")
        supplier, buyer = self.role("supplier"), self.role("buyer")
        lines = []
        if c.brief:
            stated = buyer.decode_action(int(actions[0, n]))["stated_urgency"]
            false = " (false)" if measures[n, FALSE_URGENCY] else ""
            lines.append(f"buyer_0 says it is {stated}{false}")
        for i in range(n):
            false_claim = bool(measures[i, FALSE_SCARCITY] or measures[i, FALSE_PLENTY])
            parts = supplier.decode_action(int(actions[offer, i]))
            lines.append(f"supplier_{i} {_offer_in_words(parts, false_claim)}")
        response = buyer.decode_action(int(actions[respond, n]))["response"]
        verb, _, rest = response.partition(" ")
        lines.append(f"buyer_0 {verb}s" + (f" {rest}" if rest else " away"))
        if verb == "counter":
            name = rest.partition(" ")[0]
            i, answering = self.seat(name).index, self.phases.index("answer")
            answer = next(iter(supplier.decode_action(int(actions[answering, i])).values()))
            shown = {"accept": "accepts", "refuse": "refuses", "sold": "has sold elsewhere"}
            broken = " (its final ask was false)" if c.final and measures[i, FALSE_FINAL] else ""
            lines.append(f"{name} {shown[answer]}{broken}")
            if c.final and answer == "refuse":
                settled = next(iter(buyer.decode_action(int(actions[-1, n])).values()))
                broken = " (its final counter was false)" if measures[n, FALSE_FINAL] else ""
                lines.append(f"buyer_0 {settled}s the ask{broken}")
        margins = ", ".join(f"supplier_{i} {figure_text(measures[i, MARGIN])}" for i in range(n))
        return [*lines, f"margins: {margins}; buyer's surplus: {figure_text(measures[n, SURPLUS])}"]


def _offer_in_words(offer: Mapping[str, Any], false_claim: bool) -> str:
    """As in `asks 0.8, claims scarce stock (false), promises 2 days, with the clause`."""
    words = [f"asks {offer['price']:.3g}"]
    if "claim" in offer:
        words.append(f"claims {offer['claim']} stock" + (" (false)" if false_claim else ""))
    if "promise" in offer:
        days = offer["promise"]
        words.append(f"promises {days} day{'s' * (days != 1)}")
    if "clause" in offer:
        words.append("with the clause" if offer["clause"] == CLAUSES[0] else "without the clause")
    if offer.get("final") == FINALITY[1]:
        words.append("says that this is final")
    return ", ".join(words)
