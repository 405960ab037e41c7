"""What an experiment file claims and draws: published values, predictions, its figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Published(BaseModel):
    """A published value of one arm, and how far from it the mean (median) over seeds may lie."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    measure: str
    value: float
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


Words = str | list[str]  # verdicts, or `not` and a verdict
Expected = Words | dict[str, Words] | None  # of the only arm, or by arm


def expected_words(expected: Expected, arms: Iterable[str]) -> list[tuple[str, str]]:
    """(arm, word) for every verdict that is expected of `arms`."""
    table = expected if isinstance(expected, dict) else dict.fromkeys(arms, expected or [])
    pairs = ((arm, words) for arm, words in table.items() if arm in arms)
    return [(a, w) for a, words in pairs for w in ([words] if isinstance(words, str) else words)]


class Figure(BaseModel):
    """A `histogram` of a measure over seeds, a panel an arm; the `path` that is `impulse`, beside
    what is published of it; or `y` over `x`, `lines` of arms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Literal["impulse"] | None = None
    histogram: str | None = None
    bins: Annotated[int, Field(ge=1)] = 20
    range: tuple[float, float] | None = None
    x: str = ""
    x_label: str | None = None
    y: str = ""
    lines: dict[str, list[str]] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> Figure:
        over_x = bool(self.x and self.y and self.lines)
        if self.histogram is None and self.path is None and not over_x:
            raise ValueError("needs either histogram, or path, or x, y and lines.")
        return self


def arms_named(
    published: Iterable[Published],
    predicted: Iterable[Predicted],
    figure: Figure | None,
    expected: Expected,
) -> list[tuple[str, str]]:
    """(where, arm) for every arm that claims, figure and expected verdicts speak of."""
    named = [(f"published.{k}.arm", claim.arm) for k, claim in enumerate(published)]
    for k, claim in enumerate(predicted):
        named += [(f"predicted.{k}.arm", claim.arm), (f"predicted.{k}.versus", claim.versus)]
    for label, arms in (figure.lines if figure else {}).items():
        named += [(f"figure.lines.{label}", arm) for arm in arms]
    named += [("expected_verdict", arm) for arm in (expected if isinstance(expected, dict) else ())]
    return named
