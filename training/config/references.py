"""What an experiment file publishes, predicts and draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Published(BaseModel):
    """A published value of one arm, and how far from it the mean (median) over seeds may lie.

    Attributes:
        quantity: the name of the row in tables.
        arm, measure: what is compared with the value.
        value: a number, or the name of another measure of the arm, as closed forms are:
            `bluff_rate_theory`.
        tolerance: the largest distance, in the measure's unit.
        statistic: of the measure over seeds.
        fitted: what was chosen after a first version had missed the value; empty if nothing was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    measure: str
    value: float | str
    tolerance: Annotated[float, Field(ge=0)]
    statistic: Literal["mean", "median"] = "mean"
    fitted: str = ""


class Predicted(BaseModel):
    """A prediction: an interval lies wholly above or below another one or a number, or, in a
    negative control, two means are the same to within a tolerance.

    Attributes:
        quantity: the name of the row in tables.
        arm, measure: whose interval over seeds it is.
        versus: the other arm, or a number.
        expected: where the interval lies; `same`: the mean paired difference is small.
        tolerance: of `same`, in the measure's unit.
        fitted: what was chosen after a first version had missed; empty if nothing was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    arm: str
    versus: str | Annotated[float, Field(allow_inf_nan=False)]
    measure: str
    expected: Literal["above", "below", "same"]
    tolerance: Annotated[float, Field(ge=0)] | None = None
    fitted: str = ""

    @model_validator(mode="after")
    def _tolerance_where_it_counts(self) -> Predicted:
        if (self.tolerance is None) == (self.expected == "same"):
            raise ValueError("a tolerance goes with expected: same, and only with it.")
        if self.expected == "same" and not isinstance(self.versus, str):
            raise ValueError("expected: same needs another arm in versus (or publish the value).")
        return self

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it names."""
        return (self.arm, self.versus) if isinstance(self.versus, str) else (self.arm,)


# One or several verdicts; `not WORD` for one that must not be given.
Words = str | list[str]
Expected = Words | dict[str, Words] | None  # of every arm, or by arm


def expected_words(expected: Expected, arms: Iterable[str]) -> list[tuple[str, str]]:
    """(arm, word) for every verdict that is expected of `arms`."""
    by_arm = expected if isinstance(expected, dict) else dict.fromkeys(arms, expected or [])
    found: list[tuple[str, str]] = []
    for arm, words in by_arm.items():
        if arm in arms:
            found += [(arm, word) for word in ([words] if isinstance(words, str) else words)]
    return found


class Panel(BaseModel):
    """Measures `y` of arms over a setting `x`, with the curve of the market's closed form.

    Attributes:
        x: the setting, as a dotted key of the market.
        x_label: of the axis; by default the key.
        y: measures, which are also figures of the market's theory.
        y_label: of the axis.
        arms: a point each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: str
    x_label: str | None = None
    y: list[str]
    y_label: str = "probability"
    arms: list[str]


class Figure(BaseModel):
    """The figure of an experiment; exactly one of five kinds.

    Attributes:
        panels: points on curves of theory.
        path: an impulse response, a panel an arm, beside what is published of it.
        histogram: of this measure over seeds, a panel an arm.
        bins, range: of the histogram.
        x, x_label, y, lines: the measure y over the setting x, a line for each list of arms.
        compare: measures, a panel each, in it every arm with its interval.
        arms: the only arms of `compare`; by default all.
    """

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
        kinds = [
            bool(self.panels),
            self.path is not None,
            self.histogram is not None,
            bool(self.x and self.y and self.lines),
            bool(self.compare),
        ]
        if sum(kinds) != 1:
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
    """(key, arm) for every arm that references, figure and expected verdicts name."""
    named = [(f"published.{k}.arm", value.arm) for k, value in enumerate(published)]
    for k, prediction in enumerate(predicted):
        keys = (f"predicted.{k}.arm", f"predicted.{k}.versus")
        named += zip(keys, prediction.arms, strict=False)  # one arm where `versus` is a number
    for k, panel in enumerate(figure.panels if figure else []):
        named += [(f"figure.panels.{k}.arms", arm) for arm in panel.arms]
    for label, arms in (figure.lines if figure else {}).items():
        named += [(f"figure.lines.{label}", arm) for arm in arms]
    named += [("figure.arms", arm) for arm in (figure.arms if figure else [])]
    named += [("expected_verdict", arm) for arm in (expected if isinstance(expected, dict) else ())]
    return named
