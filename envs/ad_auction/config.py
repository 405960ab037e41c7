"""Keys of the ad auction, and what the bidders' values are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import erf, fsum, log, sqrt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from tacit.envs.errors import InvalidKey
from tacit.envs.types import Count, Finite, NonNegative, Positive, Share

MOST_BIDDERS = 16
MOST_PARTS = 99  # of a day
EPSILON = 1e-12  # a bid equal to the reserve meets it, whatever the rounding
SUM_TOLERANCE = 1e-9  # probabilities may miss their sum by so much

Levels = Annotated[int, Field(ge=2, le=999)]
Grid = tuple[tuple[float, ...], tuple[float, ...]]  # values, ascending, and their probabilities

# --- values ----------------------------------------------------------------------------------


class _Value(BaseModel):
    """What a bidder's value of a click is drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def grid(self) -> Grid:
        """Values and their probabilities, the mean over the day."""
        raise NotImplementedError

    def by_time(self) -> tuple[tuple[float, ...], ...]:
        """Probabilities of the values in each part of the day; one part if all are alike."""
        return (self.grid()[1],)


class CommonValue(_Value):
    """Every bidder values a click at the same known amount."""

    kind: Literal["common"] = "common"
    value: Positive = 1.0

    def grid(self) -> Grid:
        """Values and their probabilities."""
        return (self.value,), (1.0,)


class UniformValue(_Value):
    """Private values, each of `levels` equidistant amounts equally likely."""

    kind: Literal["uniform"] = "uniform"
    low: NonNegative = 0.2
    high: Annotated[Positive, Field(validate_default=True)] = 1.0
    levels: Levels = 5

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low")
        if low is not None and high <= low:
            raise ValueError(f"must be greater than low ({low:g}), got {high:g}.")
        return high

    def grid(self) -> Grid:
        """Values and their probabilities."""
        last = self.levels - 1
        values = (((last - k) * self.low + k * self.high) / last for k in range(self.levels))
        return tuple(values), (1.0 / self.levels,) * self.levels


class Atom(_Value):
    """A share of all values that lies at one amount."""

    value: Positive
    probability: Share


class LognormalValue(_Value):
    """Private values: exp of a normal(mu, sigma), plus atoms, on `levels` amounts up to `cap`.

    Amount k x cap/levels has the probability of what is nearest to it; the cap has that of all
    above. Atoms are for observed values, which heap up at floor prices: their probability is taken
    from all amounts in proportion.
    """

    kind: Literal["lognormal"] = "lognormal"
    mu: Finite = -0.7
    sigma: Positive = 0.5
    cap: Positive = 1.0
    levels: Levels = 10
    atoms: tuple[Atom, ...] = ()

    @field_validator("atoms")
    @classmethod
    def _within(cls, atoms: tuple[Atom, ...], info: ValidationInfo) -> tuple[Atom, ...]:
        cap = info.data.get("cap", float("inf"))
        beyond = [a.value for a in atoms if a.value > cap]
        if beyond:
            raise ValueError(f"must lie at or below cap ({cap:g}), got {beyond[0]:g}.")
        if fsum(a.probability for a in atoms) > 1 + SUM_TOLERANCE:
            total = fsum(a.probability for a in atoms)
            raise ValueError(f"must have probabilities of at most 1 together, got {total:g}.")
        return atoms

    def grid(self) -> Grid:
        """Values and their probabilities."""
        step = self.cap / self.levels
        edges = [self._below((k + 0.5) * step) for k in range(1, self.levels)]
        smooth = max(0.0, 1.0 - fsum(a.probability for a in self.atoms))
        mass = {
            (k + 1) * step: smooth * (high - low)
            for k, (low, high) in enumerate(pairwise([0.0, *edges, 1.0]))
        }
        for atom in self.atoms:
            # An atom at an amount of the grid, but for rounding, is added to that amount.
            near = [v for v in mass if abs(v - atom.value) < 1e-9 * self.cap]
            at = near[0] if near else atom.value
            mass[at] = mass.get(at, 0.0) + atom.probability
        return tuple(sorted(mass)), tuple(mass[v] for v in sorted(mass))

    def _below(self, x: float) -> float:
        """P(value < x) of the lognormal distribution."""
        return 0.5 * (1.0 + erf((log(x) - self.mu) / (self.sigma * sqrt(2.0))))


class ListedValue(_Value):
    """Private values from a list, equally likely unless `probabilities` say otherwise.

    `cycle` gives probabilities for every part of a day instead, a row each: rounds take the rows in
    turn.
    """

    kind: Literal["list"] = "list"
    values: Annotated[tuple[NonNegative, ...], Field(min_length=1, max_length=999)]
    probabilities: tuple[Share, ...] | None = None
    cycle: tuple[tuple[Share, ...], ...] | None = None

    @field_validator("values")
    @classmethod
    def _ascending(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(values)):
            raise ValueError(f"must ascend, got {list(values)}.")
        if values[-1] <= 0:
            raise ValueError(f"must end above 0, got {list(values)}.")
        return values

    @field_validator("probabilities")
    @classmethod
    def _sum_to_one(
        cls, shares: tuple[float, ...] | None, info: ValidationInfo
    ) -> tuple[float, ...] | None:
        if shares is None or "values" not in info.data:
            return shares
        if len(shares) != len(info.data["values"]):
            wanted = len(info.data["values"])
            raise ValueError(f"must be as many as values ({wanted}), got {len(shares)}.")
        if abs(fsum(shares) - 1) > SUM_TOLERANCE:
            raise ValueError(f"must sum to 1, got {fsum(shares):g}.")
        return shares

    @field_validator("cycle")
    @classmethod
    def _rows_sum_to_one(
        cls, rows: tuple[tuple[float, ...], ...] | None, info: ValidationInfo
    ) -> tuple[tuple[float, ...], ...] | None:
        if rows is None or "values" not in info.data:
            return rows
        count = len(info.data["values"])
        if count == 1 or info.data.get("probabilities") is not None:
            raise ValueError("needs at least two values, and stands in place of probabilities.")
        if not 2 <= len(rows) <= MOST_PARTS:
            raise ValueError(f"must have 2 .. {MOST_PARTS} rows, parts of a day, got {len(rows)}.")
        for k, row in enumerate(rows):
            if len(row) != count:
                raise ValueError(f"row {k} must be as long as values ({count}), got {len(row)}.")
            if abs(fsum(row) - 1) > SUM_TOLERANCE:
                raise ValueError(f"row {k} must sum to 1, got {fsum(row):g}.")
        return rows

    def grid(self) -> Grid:
        """Values and their probabilities, the mean over the day."""
        count = len(self.values)
        if self.cycle:
            columns = zip(*self.cycle, strict=True)
            return self.values, tuple(fsum(c) / len(self.cycle) for c in columns)
        return self.values, self.probabilities or (1.0 / count,) * count

    def by_time(self) -> tuple[tuple[float, ...], ...]:
        """Probabilities of the values in each part of the day."""
        return self.cycle or super().by_time()


class FixedValue(_Value):
    """Every bidder has a known value of its own, the same in every round.

    Nothing is drawn, so there is one level of value: that of the highest bidder, which the grid of
    bids is made from.
    """

    kind: Literal["fixed"] = "fixed"
    values: Annotated[tuple[NonNegative, ...], Field(min_length=2, max_length=MOST_BIDDERS)]

    @field_validator("values")
    @classmethod
    def _somebody_buys(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if max(values) <= 0:
            raise ValueError(f"must have an entry above 0, got {list(values)}.")
        return values

    def grid(self) -> Grid:
        """The highest value, with probability 1."""
        return (max(self.values),), (1.0,)


# --- the auction -----------------------------------------------------------------------------


class AdAuctionConfig(BaseModel):
    """Keys of the ad auction (money is abstract)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bidders: Annotated[int, Field(ge=2, le=MOST_BIDDERS)] = Field(
        2, description="number of bidders"
    )
    value: Annotated[
        CommonValue | FixedValue | UniformValue | LognormalValue | ListedValue,
        Field(discriminator="kind"),
    ] = Field(
        CommonValue(),
        description="worth of a click: kind common (value), fixed (values, one a bidder), or "
        "private, drawn every round: uniform (low, high, levels), lognormal (mu, sigma, cap, "
        "levels, atoms), list (values, probabilities or cycle)",
    )
    bids: Annotated[int, Field(ge=1, le=999)] = Field(
        19, description="bids on the grid k/(bids+1) x highest value, k = 1 .. bids"
    )
    extra_bid: Literal["none", "zero", "out"] = Field(
        "none",
        description="one choice below the grid: none; a bid of 0, which wins where nobody bids "
        "more; or to stay out, which never wins",
    )
    price_mix: Share = Field(
        0.0, description="a winner pays mix x own bid + (1-mix) x next lower bid per click"
    )
    slots: Count = Field(1, description="slots for sale: the k-th highest bid gets slot k")
    click_rates: tuple[Positive, ...] = Field(
        (1.0,), description="clicks of each slot, best first", validate_default=True
    )
    reserve: NonNegative = Field(
        0.0, description="bids below it cannot win; it counts as a losing bid"
    )
    publisher: bool = Field(False, description="a seat that posts the floor first")
    ties: Literal["sampled", "shared"] = Field(
        "sampled", description="tied bids rank in a sampled order, or share what they win equally"
    )
    observe: Literal["none", "price", "bids"] = Field(
        "none", description="what bidders remember: nothing, the last price, all last bids"
    )
    chat: Annotated[int, Field(ge=0, le=99)] = Field(
        0, description="tokens of a phase before bidding in which bidders broadcast one; 0: none"
    )

    @field_validator("value", mode="before")
    @classmethod
    def _common_by_default(cls, value: Any) -> Any:
        return {"kind": "common", **value} if isinstance(value, Mapping) else value

    @field_validator("slots")
    @classmethod
    def _at_most_bidders(cls, slots: int, info: ValidationInfo) -> int:
        bidders = info.data.get("bidders", slots)
        if slots > bidders:
            raise ValueError(f"must be at most the number of bidders ({bidders}), got {slots}.")
        return slots

    @field_validator("click_rates")
    @classmethod
    def _best_first(cls, rates: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if len(rates) != info.data.get("slots", len(rates)):
            wanted = info.data["slots"]
            raise ValueError(f"must be as many as slots ({wanted}), got {len(rates)}.")
        if any(b > a for a, b in pairwise(rates)):
            raise ValueError(f"must not increase, got {list(rates)}.")
        return rates

    @model_validator(mode="after")
    def _one_value_each(self) -> AdAuctionConfig:
        if isinstance(self.value, FixedValue) and len(self.value.values) != self.bidders:
            values = list(self.value.values)
            message = f"must have one entry for each of {self.bidders} bidders, got {len(values)}: "
            raise InvalidKey("value.values", f"{message}{values}.")
        return self

    @model_validator(mode="after")
    def _reserve_can_be_met(self) -> AdAuctionConfig:
        top = self.value.grid()[0][-1] * self.bids / (self.bids + 1)
        if self.reserve > top:
            bound = f"must be at most the highest bid ({top:g}), got {self.reserve:g}"
            raise InvalidKey("reserve", f"{bound}: nothing could be sold.")
        return self
