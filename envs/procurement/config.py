"""Keys of the procurement market."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tacit.envs.errors import InvalidKey
from tacit.envs.types import Count, NonNegative, Positive, Share

Days = Annotated[int, Field(ge=0)]

MAX_SUPPLIERS = 16


def _listed(value: Any) -> Any:
    """A list as it is; a single number as a list, which then holds for every supplier."""
    return value if isinstance(value, list | tuple) else (value,)


class Urgency(BaseModel):
    """The buyer's private value: `urgent` with this probability, else `calm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: Share = 0.5
    urgent: Positive = 1.0
    calm: Positive = 0.5


class Clause(BaseModel):
    """A clause under which the supplier clears customs.

    Dropping it saves the supplier `cost`; the delivery is then held up with a probability, which
    costs the buyer `delay_cost`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cost: NonNegative = 0.05
    delay_probability: Share = 0.3
    delay_cost: NonNegative = 0.6


class Delays(BaseModel):
    """What holds up a delivery and nobody foresees.

    With a probability it takes so many days more than the supplier knew, drawn from a list
    (repeats count).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: Share = 0.1
    days: tuple[Count, ...] = (7,)

    @field_validator("days")
    @classmethod
    def _some(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if not days:
            raise ValueError("must list at least one number of days, got [].")
        return days


class ProcurementConfig(BaseModel):
    """Keys of the procurement market (money is abstract, time is in days)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suppliers: Annotated[int, Field(ge=1, le=MAX_SUPPLIERS)] = Field(
        1, description="number of suppliers"
    )
    prices: tuple[Positive, ...] = Field(
        (0.4, 0.8), description="offers and counters come from it, ascending; list price = the last"
    )
    value: Positive = Field(1.0, description="what a delivery is worth to the buyer")
    urgency: Urgency | None = Field(
        None, description="the buyer's private value, in place of `value`"
    )
    cost: Annotated[tuple[NonNegative, ...], BeforeValidator(_listed)] = Field(
        (0.0,), description="a supplier's cost: one number, or one per supplier"
    )
    scarcity: Annotated[tuple[Share, ...], BeforeValidator(_listed)] = Field(
        (0.2,), description="probability of scarce stock: one, or one per supplier; 0 removes stock"
    )
    outside_price: NonNegative = Field(
        0.72, description="what a scarce supplier that makes no deal here is paid elsewhere"
    )
    counters: bool = Field(True, description="the buyer may counter; false: only accept or walk")
    wait_discount: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="factor on everything that a deal struck at the counter is worth"
    )
    stockout_cost: NonNegative = Field(
        0.2, description="the buyer's loss when a countered supplier had no stock or refused"
    )
    false_claim_fine: NonNegative = Field(
        0.05, description="on every false stock claim, in both directions; paid to nobody"
    )
    lead_times: tuple[Days, ...] = Field(
        (0,), description="days; the true lead time is drawn from this list, repeats count"
    )
    delays: Delays | None = Field(
        None, description="days that a delivery takes beyond what the supplier itself knew"
    )
    lead_cost: NonNegative = Field(0.0, description="the buyer's cost per promised day")
    delay_cost: NonNegative = Field(0.0, description="the buyer's cost per late day")
    late_fine: NonNegative = Field(0.0, description="per late day, from supplier to buyer")
    clause: Clause | None = Field(None, description="a clause that an offer may leave out")
    record: Literal["none", "on_time"] = Field(
        "none", description="on_time: the buyer sees who was punctual in its last two deliveries"
    )
    brief: bool = Field(False, description="the buyer first states its urgency to all")
    false_urgency_fine: NonNegative = Field(
        0.0, description="on every false urgency claim, in both directions; paid to nobody"
    )
    final: bool = Field(
        False,
        description="asks and counters may be called final, and a refused counter leaves the ask",
    )
    false_final_fine: NonNegative = Field(
        0.0, description="on a final price that its seat goes back on; paid to nobody"
    )
    claims_heard: bool = Field(
        True,
        description="false: nobody hears what others claim, as if all said the same (a control)",
    )

    @field_validator("prices", "lead_times")
    @classmethod
    def _not_empty(cls, listed: tuple[float, ...]) -> tuple[float, ...]:
        if not listed:
            raise ValueError("is empty: it must list at least one.")
        return listed

    @field_validator("prices")
    @classmethod
    def _ascending(cls, prices: tuple[float, ...]) -> tuple[float, ...]:
        falls = [(a, b) for a, b in pairwise(prices) if a >= b]
        if falls:
            a, b = falls[0]
            raise ValueError(f"must ascend, but {a:g} stands before {b:g}.")
        return prices

    @field_validator("cost", "scarcity")
    @classmethod
    def _one_each(cls, listed: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        suppliers = info.data.get("suppliers", len(listed))
        if len(listed) not in (1, suppliers):
            raise ValueError(
                f"must be one number, or a list with one for each of {suppliers} suppliers, got "
                f"{len(listed)}: {list(listed)}."
            )
        return listed

    @model_validator(mode="after")
    def _urgency_is_consistent(self) -> ProcurementConfig:
        if self.brief and self.urgency is None:
            raise InvalidKey("brief", "needs urgency: there is nothing to state without it.")
        if self.urgency and self.urgency.calm > self.urgency.urgent:
            most = f"must be at most urgency.urgent ({self.urgency.urgent:g})"
            raise InvalidKey("urgency.calm", f"{most}, got {self.urgency.calm:g}.")
        return self

    @model_validator(mode="after")
    def _final_needs_counters(self) -> ProcurementConfig:
        if self.final and not self.counters:
            raise InvalidKey("final", "needs counters: without them no price is ever gone back on.")
        return self

    @property
    def costs(self) -> tuple[float, ...]:
        """Each supplier's cost, money."""
        return self.cost * (self.suppliers if len(self.cost) == 1 else 1)

    @property
    def scarcities(self) -> tuple[float, ...]:
        """Each supplier's probability of scarce stock."""
        return self.scarcity * (self.suppliers if len(self.scarcity) == 1 else 1)

    @property
    def has_stock(self) -> bool:
        """Whether stock can be scarce at all."""
        return any(p > 0 for p in self.scarcity)

    @property
    def days(self) -> tuple[int, ...]:
        """Distinct lead times, ascending: what can be true and what can be promised."""
        return tuple(sorted(set(self.lead_times)))
