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
    fitted: str = ""  # what was chosen after a first version had missed


class Predicted(BaseModel):
    """The interval of an arm's measure lies wholly above or below that of another arm, or a number;
    or, in a negative control, two arms' means are the `same` to within a tolerance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    versus: str | Annotated[float, Field(allow_inf_nan=False)]
    measure: str
    expected: Literal["above", "below", "same"]
    tolerance: Annotated[float, Field(ge=0)] | None = None
    fitted: str = ""  # what was chosen after a first version had missed

    @model_validator(mode="after")
    def _tolerance_where_it_counts(self) -> Predicted:
        if (self.tolerance is None) == (self.expected == "same"):
            raise ValueError("a tolerance goes with expected: same, and only with it.")
        if self.expected == "same" and not isinstance(self.versus, str):
            raise ValueError("expected: same needs another arm in versus (or publish the value).")
        return self

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms it speaks of."""
        return (self.arm, self.versus) if isinstance(self.versus, str) else (self.arm,)


Words = str | list[str]  # verdicts, or `not` and a verdict
Expected = Words | dict[str, Words] | None  # of the only arm, or by arm


def expected_words(expected: Expected, arms: Iterable[str]) -> list[tuple[str, str]]:
    """(arm, word) for every verdict that is expected of `arms`."""
    table = expected if isinstance(expected, dict) else dict.fromkeys(arms, expected or [])
    pairs = ((arm, words) for arm, words in table.items() if arm in arms)
    return [(a, w) for a, words in pairs for w in ([words] if isinstance(words, str) else words)]


class Panel(BaseModel):
    """Measures `y` of arms over a setting `x`, with the curve of the market's closed form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: str
    x_label: str | None = None
    y: list[str]
    y_label: str = "probability"
    arms: list[str]


class Figure(BaseModel):
    """`panels` of points on curves of theory; a `histogram` of a measure over seeds, a panel an
    arm; `y` over `x`, `lines` of arms; `compare`, a panel a measure, each arm with its interval
    (`arms`: only these); or the `path` that is `impulse`, beside what is published of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panels: list[Panel] = []
    path: Literal["impulse"] | None = None
    histogram: str | None = None
    bins: Annotated[int, Field(ge=1)] = 20
    range: tuple[float, float] | None = None
    x: str = ""
    x_label: str | None = None
    y: str = ""
    lines: dict[str, list[str]] = {}
    compare: list[str] = []
    arms: list[str] = []

    @model_validator(mode="after")
    def _one_kind(self) -> Figure:
        over = bool(self.x and self.y and self.lines)
        kinds = (self.histogram is not None) + over + bool(self.compare) + bool(self.panels)
        if kinds + (self.path is not None) != 1:
            raise ValueError(
                "needs either panels, or histogram, or compare, or path, or x, y and lines."
            )
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
        keys = (f"predicted.{k}.arm", f"predicted.{k}.versus")
        named += zip(keys, claim.arms, strict=False)
    for k, panel in enumerate(figure.panels if figure else []):
        named += [(f"figure.panels.{k}.arms", arm) for arm in panel.arms]
    for label, arms in (figure.lines if figure else {}).items():
        named += [(f"figure.lines.{label}", arm) for arm in arms]
    named += [("figure.arms", arm) for arm in (figure.arms if figure else [])]
    named += [("expected_verdict", arm) for arm in (expected if isinstance(expected, dict) else ())]
    return named
