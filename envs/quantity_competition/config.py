"""Keys of quantity competition, and the combinations that are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.errors import InvalidKey
from tacit.envs.types import NonNegative, Positive


class QuantityCompetitionConfig(BaseModel):
    """Keys of the market (money and units are abstract)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    firms: Annotated[int, Field(ge=2, le=8)] = Field(2, description="number of firms")
    demand: Positive = Field(300.0, description="mean of d: the price is d - total output")
    demand_shock: NonNegative = Field(
        0.0, description="each round d is lower or higher by this, equally likely; nobody sees it"
    )
    cost: NonNegative = Field(0.0, description="c, of a unit of output")
    outputs: Annotated[int, Field(ge=2, le=1000)] = Field(15, description="outputs on the grid")
    output_range: tuple[NonNegative, NonNegative] = Field(
        (70.0, 105.0), description="[low, high] of everybody's grid"
    )
    monitoring: Literal["perfect", "imperfect", "none"] = Field(
        "perfect", description="what a firm sees: all last outputs, the last price only, nothing"
    )

    @model_validator(mode="after")
    def _prices_are_positive(self) -> QuantityCompetitionConfig:
        """A price that were cut off at 0 would make profits nonlinear in d, and theory another."""
        low, high = self.output_range
        if low >= high:
            raise InvalidKey("output_range", f"low must be below high, got {[low, high]}.")
        if self.demand <= self.cost:
            message = f"must be above cost ({self.cost:g}), got {self.demand:g}."
            raise InvalidKey("demand", message)
        most = (self.demand - self.demand_shock) / self.firms
        if high > most:
            raise InvalidKey(
                "output_range",
                f"high must be at most {most:g}, got {high:g}: {self.firms} firms that produce "
                "more would make the price negative.",
            )
        return self
