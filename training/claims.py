"""What an experiment file claims and draws: published values, predictions, its figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Published(BaseModel):
    """A published value of one arm, and how far from it the mean (median) over seeds may lie.

    `value` may name a measure of the arm instead, as closed forms are: `bluff_rate_theory`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    measure: str
    value: float | str
    tolerance: Annotated[float, Field(ge=0)]
    statistic: Literal["mean", "median"] = "mean"


class Predicted(BaseModel):
    """The interval of an arm's measure lies wholly above or below that of another arm; or, in a
    negative control, their means are the `same` to within a tolerance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    versus: str
    measure: str
    expected: Literal["above", "below", "same"]
    tolerance: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _tolerance_where_it_counts(self) -> Predicted:
        if (self.tolerance is None) == (self.expected == "same"):
            raise ValueError("a tolerance goes with expected: same, and only with it.")
        return self


class Panel(BaseModel):
    """Measures `y` of arms over a setting `x`, with the curve of the market's closed form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: str
    x_label: str | None = None
    y: list[str]
    arms: list[str]


class Figure(BaseModel):
    """`panels` of points on curves of theory; a `histogram` of a measure over seeds, a panel an
    arm; or `y` over `x`, `lines` of arms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panels: list[Panel] = []
    histogram: str | None = None
    bins: Annotated[int, Field(ge=1)] = 20
    range: tuple[float, float] | None = None
    x: str = ""
    x_label: str | None = None
    y: str = ""
    lines: dict[str, list[str]] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> Figure:
        if not self.panels and self.histogram is None and not (self.x and self.y and self.lines):
            raise ValueError("needs either panels, or histogram, or x, y and lines.")
        return self


def arms_named(
    published: Iterable[Published], predicted: Iterable[Predicted], figure: Figure | None
) -> list[tuple[str, str]]:
    """(where, arm) for every arm that claims and figure speak of."""
    named = [(f"published.{k}.arm", claim.arm) for k, claim in enumerate(published)]
    for k, claim in enumerate(predicted):
        named += [(f"predicted.{k}.arm", claim.arm), (f"predicted.{k}.versus", claim.versus)]
    for k, panel in enumerate(figure.panels if figure else []):
        named += [(f"figure.panels.{k}.arms", arm) for arm in panel.arms]
    for label, arms in (figure.lines if figure else {}).items():
        named += [(f"figure.lines.{label}", arm) for arm in arms]
    return named
