"""Keys of the cloud market, and the combinations that are refused."""

from __future__ import annotations

import math
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
from tacit.envs.types import Count, Finite, NonNegative, Positive, Share


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number_or_list(value: Any) -> Any:
    """Check that a value is a finite number, or a list of them."""
    each = value if isinstance(value, list | tuple) else [value]
    if not all(map(_is_number, each)):
        raise ValueError(
            f"must be a finite number, or a list of them with one a provider, got {value!r}."
        )
    return value


PerProvider = Annotated[float | tuple[float, ...], BeforeValidator(_number_or_list)]


def _multiplier(value: Any) -> Any:
    """Check that a value is a number from 1 up, or a list of them."""
    value = _number_or_list(value)
    each = value if isinstance(value, list | tuple) else [value]
    if not each or min(each) < 1:
        raise ValueError(f"must be a number, or a list of them, from 1 up, got {value!r}.")
    return value


class Surge(BaseModel):
    """Each provider's background demand is calm or in a surge, which starts by chance.

    From a list of multipliers or lengths one is drawn when a surge starts, all entries equally
    likely, multiplier and length independently.

    Attributes:
        enter: probability, in each round, that a calm provider's demand begins to surge.
        leave: probability, in each round, that a surge ends.
        multiplier: of demand in a surge, a number or a list.
        lengths: rounds of a surge, a list in place of `leave`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enter: Annotated[float, Field(gt=0, le=1)] = 0.05
    leave: Annotated[float, Field(gt=0, le=1)] = 0.25
    multiplier: Annotated[float | tuple[float, ...], BeforeValidator(_multiplier)] = 2.0
    lengths: tuple[Count, ...] | None = None

    @field_validator("lengths")
    @classmethod
    def _some(cls, lengths: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if lengths == ():
            raise ValueError("must list at least one number of rounds, got [].")
        return lengths

    @property
    def multipliers(self) -> tuple[float, ...]:
        """All that a surge may multiply demand by, equally likely."""
        return self.multiplier if isinstance(self.multiplier, tuple) else (self.multiplier,)

    @property
    def listed(self) -> bool:
        """Whether anything is drawn from a list when a surge starts."""
        return self.lengths is not None or len(self.multipliers) > 1

    @property
    def drawn(self) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
        """Long-run distributions of what is drawn when a surge starts, each as values and their
        probabilities: the multiplier's step in its list; then, with `lengths`, the rounds left.
        """
        count = len(self.multipliers)
        steps = tuple(float(n) for n in range(count))
        found = [(steps, (1.0 / count,) * count)]
        if self.lengths:
            # A round with r rounds left occurs once in every surge of at least r rounds.
            left, total = range(1, max(self.lengths) + 1), sum(self.lengths)
            shares = tuple(sum(length >= r for length in self.lengths) / total for r in left)
            found.append((tuple(float(r) for r in left), shares))
        return tuple(found)

    @property
    def share(self) -> float:
        """Long-run share of rounds in a surge."""
        if self.lengths is None:
            return self.enter / (self.enter + self.leave)
        return self.enter / (self.enter + len(self.lengths) / sum(self.lengths))


LEAST_DIFFERENTIATION = 1e-9  # of the largest amount
LEAST_CAPACITY = 1e-6  # of the most demand: below, rounding decides what is sold
MOST_REGIONS = 4
MOST_POSTS = 16  # seats that post prices: each has slots of draws of its own
LARGEST_INDEX = 2**53  # of remembered prices: a state holds it as a float64


class CloudBandwidthConfig(BaseModel):
    """Keys of the cloud market (money and units are abstract)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: Annotated[int, Field(ge=1, le=16)] = Field(2, description="number of providers")
    regions: Annotated[int, Field(ge=1, le=MOST_REGIONS)] = Field(
        1, description="separate markets; each provider has a seat, and posts a price, in each"
    )
    observe: Literal["all", "region"] = Field(
        "all", description="whose remembered prices a seat sees: of all regions, or of its own"
    )
    region_sizes: tuple[Positive, ...] | None = Field(
        None, description="what background_demand is multiplied by, region by region; null: by 1"
    )
    quality: PerProvider = Field(
        2.0, description="a: what its product is worth; a number, or a list by provider (or seat)"
    )
    cost: PerProvider = Field(
        1.0, description="c: cost of a unit; a number, or a list by provider (or seat)"
    )
    outside_quality: Finite = Field(0.0, description="a_0: what not buying is worth")
    outside_shock: NonNegative = Field(
        0.0, description="h: each round -h, 0 or +h is added to a_0; nobody sees it"
    )
    differentiation: NonNegative = Field(
        0.25, description="mu: how products differ; 0: the best offer takes all, ties split"
    )
    demand: Literal["logit", "unit", "linear"] = Field(
        "logit",
        description="logit; or of the cheapest: one unit up to reservation_price, or 1 - p/it",
    )
    reservation_price: Positive = Field(
        2.0, description="of unit and linear demand: nobody pays more"
    )
    timing: Literal["simultaneous", "alternating"] = Field(
        "simultaneous", description="all post every round, or two take turns and one price stays"
    )
    background_demand: NonNegative = Field(
        1.0, description="mass of the consumers that are no seats: units when all of them buy"
    )
    prices: Annotated[int, Field(ge=1, le=1000)] = Field(
        15, description="number of prices on the grid"
    )
    price_margin: NonNegative = Field(
        0.1, description="xi: from Nash - xi (M - N) to monopoly + xi (M - N), own prices' grid"
    )
    price_range: tuple[Finite, Finite] | None = Field(
        None, description="[low, high] of everybody's grid instead"
    )
    memory: Annotated[int, Field(ge=0, le=2)] = Field(
        1, description="rounds of all prices that a provider remembers"
    )
    start: Literal["random", "competitive", "collusive"] = Field(
        "random", description="prices remembered before the first round"
    )
    capacity: Positive | None = Field(None, description="C: units a provider can serve a round")
    surge: Surge | None = Field(
        None, description="{enter, leave or lengths, multiplier} of own demand"
    )
    tenants: Annotated[int, Field(ge=0, le=32)] = Field(0, description="N: seats that request")
    critical_probability: Share = Field(0.3, description="rho: chance that a need is critical")
    standard_value: NonNegative = Field(1.0, description="of a unit for a standard need")
    critical_value: NonNegative = Field(3.0, description="of a unit for a critical need")
    priority_surcharge: NonNegative = Field(0.0, description="r: paid for every priority request")
    headroom_claims: bool = Field(False, description="providers say whether they have headroom")
    false_headroom_fine: NonNegative = Field(0.05, description="paid for a false claim")
    claims_heard: bool = Field(
        True,
        description="false: nobody hears what others claim, as if all said the same (a control)",
    )

    @field_validator("quality", "cost")
    @classmethod
    def _one_each(cls, value: float | tuple[float, ...], info: ValidationInfo) -> Any:
        providers = info.data.get("providers")
        if not isinstance(value, tuple) or providers is None or len(value) == providers:
            return value
        regions = info.data.get("regions", 1)
        if regions > 1 and len(value) == providers * regions:
            return value
        seats = ""
        if regions > 1:
            seats = (
                f", or for each of their {providers * regions} seats, region by region (all "
                "regions have the same providers)"
            )
        raise ValueError(
            f"must have one entry for each of {providers} providers{seats}, got {len(value)}: "
            f"{list(value)}."
        )

    @field_validator("region_sizes")
    @classmethod
    def _one_a_region(cls, value: tuple[float, ...] | None, info: ValidationInfo) -> Any:
        regions = info.data.get("regions")
        if value is not None and regions is not None and len(value) != regions:
            raise ValueError(
                f"must have one entry for each of {regions} regions, got {len(value)}: "
                f"{list(value)}."
            )
        return value

    @field_validator("price_range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None, info: ValidationInfo) -> Any:
        if value is None:
            return value
        low, high = value
        one = info.data.get("prices") == 1
        if one and low != high:
            raise ValueError(f"one price needs low = high, got {list(value)} (or set prices).")
        if not one and low >= high:
            raise ValueError(f"low must be below high, got {list(value)}.")
        return value

    @field_validator("capacity")
    @classmethod
    def _bounded(cls, value: float | None) -> Any:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"must be finite, or null for as much as is asked, got {value}.")
        return value

    @model_validator(mode="after")
    def _regions_are_played(self) -> CloudBandwidthConfig:
        """Regions have background consumers only, and all providers post in each round."""
        if self.regions == 1:
            return self
        needed = {
            "tenants": (self.tenants == 0, f"0, got {self.tenants}: tenants would choose a region"),
            "timing": (self.timing == "simultaneous", f"simultaneous, got {self.timing}"),
            "providers": (
                self.posts <= MOST_POSTS,
                f"at most {MOST_POSTS // self.regions}, got {self.providers}: {self.posts} seats "
                f"would post prices, at most {MOST_POSTS} can",
            ),
        }
        index = self.prices ** (self.posts * self.memory)
        needed["prices"] = (
            index <= LARGEST_INDEX,
            f"fewer, got {self.prices}: with memory {self.memory} the {self.posts} seats have "
            f"{index:.3g} remembered prices, at most {LARGEST_INDEX:.3g} have an index",
        )
        wrong = [(key, what) for key, (is_met, what) in needed.items() if not is_met]
        if wrong:
            also = "".join(f" {key} must be {what}." for key, what in wrong[1:])
            key, what = wrong[0]
            raise InvalidKey(key, f"with regions: {self.regions} must be {what}.{also}")
        return self

    @model_validator(mode="after")
    def _capacity_is_solvable(self) -> CloudBandwidthConfig:
        capacity = self.capacity
        if capacity is not None and self.tenants and capacity != int(capacity):
            message = f"must be a whole number with tenants, got {capacity:g}: each needs one unit."
            raise InvalidKey("capacity", message)
        if capacity is not None and self.homogeneous and self.providers > 1 and self.binding:
            raise InvalidKey(
                "capacity",
                f"{capacity:g} binds (demand up to {self.peak_demand:g}) and products are "
                "homogeneous: no equilibrium in pure strategies exists. Set differentiation above "
                f"0 with logit demand, or capacity at least {self.peak_demand:g}.",
            )
        if self.binding and capacity is not None and capacity < LEAST_CAPACITY * self.peak_demand:
            raise InvalidKey(
                "capacity",
                f"must be at least a millionth of the demand, "
                f"{LEAST_CAPACITY * self.peak_demand:g}, got {capacity:g}.",
            )
        if self.surge and self.binding and self.providers > 6:
            raise InvalidKey(
                "providers",
                f"must be at most 6 with surges and binding capacity, got {self.providers}: "
                "benchmarks go through all loads.",
            )
        return self

    @model_validator(mode="after")
    def _differentiation_divides(self) -> CloudBandwidthConfig:
        """Below the bound, quotients by it overflow, and shares are those of 0 in any case."""
        amounts = (*self.each(self.quality), *self.each(self.cost), self.outside_quality,
                   self.outside_shock, *(self.price_range or ()))  # fmt: skip
        least = LEAST_DIFFERENTIATION * max(map(abs, amounts))
        # The bound itself is allowed; the product may have been rounded up.
        if not self.homogeneous and self.differentiation < least * (1 - 1e-12):
            raise InvalidKey(
                "differentiation",
                f"must be 0 or at least {least:.2g}, {LEAST_DIFFERENTIATION:g} of the largest "
                f"quality, cost or price, got {self.differentiation:g}.",
            )
        return self

    @model_validator(mode="after")
    def _turns_are_solvable(self) -> CloudBandwidthConfig:
        """With alternating moves the competitive benchmark is the cycle of `edgeworth_cycle.py`."""
        if self.timing != "alternating":
            return self
        needed = {
            "providers": (self.providers == 2, f"2, got {self.providers}"),
            "demand": (self.demand == "linear", f"linear, got {self.demand}"),
            "memory": (self.memory < 2, f"0 or 1, got {self.memory}: the mover sees one price"),
            "surge": (self.surge is None, "null"),
            "capacity": (self.capacity is None, f"null, got {self.capacity}"),
            "tenants": (self.tenants == 0, f"0, got {self.tenants}"),
            "headroom_claims": (not self.headroom_claims, "false, got true"),
            "cost": (len(set(self.each(self.cost))) == 1, f"one for both, got {self.cost}"),
            "price_range": (
                self.price_range is not None and self.price_range[0] in self.each(self.cost),
                f"[{self.each(self.cost)[0]:g}, high], from cost up, got "
                f"{None if self.price_range is None else list(self.price_range)}",
            ),
        }
        for key, (is_met, what) in needed.items():
            if not is_met:
                raise InvalidKey(key, f"with timing: alternating must be {what}.")
        return self

    @property
    def posts(self) -> int:
        """Seats that post a price: each provider has one in every region, region by region."""
        return self.providers * self.regions

    def region(self, number: int) -> CloudBandwidthConfig:
        """One region as a market of its own; `number` 0 .. regions - 1."""
        if self.regions == 1:
            return self
        seats = slice(number * self.providers, (number + 1) * self.providers)
        size = 1.0 if self.region_sizes is None else self.region_sizes[number]
        return self.model_copy(
            update={
                "regions": 1, "observe": "all", "region_sizes": None,
                "quality": self.each(self.quality)[seats], "cost": self.each(self.cost)[seats],
                "background_demand": self.background_demand * size,
            }
        )  # fmt: skip

    @property
    def homogeneous(self) -> bool:
        """Whether the best offer takes all."""
        return self.demand != "logit" or self.differentiation == 0

    @property
    def peak_demand(self) -> float:
        """The most background demand that one provider can meet."""
        most = self.background_demand * max(self.region_sizes or (1.0,))
        return most * (max(self.surge.multipliers) if self.surge else 1.0)

    @property
    def binding(self) -> bool:
        """Whether background demand alone can exceed a provider's capacity."""
        return self.capacity is not None and self.capacity < self.peak_demand

    def each(self, value: float | tuple[float, ...]) -> tuple[float, ...]:
        """A number or list as one entry per seat that posts prices."""
        if not isinstance(value, tuple):
            return (float(value),) * self.posts
        return value * self.regions if len(value) == self.providers else value
