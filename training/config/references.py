"""What an experiment's results are put beside, and what it draws.

A *reference* is one row of `tacit reproduce`. Its `kind` says what evidence it is:

    literature     a number that others published, with its source
    closed form    a number that follows from the market's rules by a derivation kept in the code
    prediction     what this project expected of its own experiment, a number or a direction
    word           the verdict that this project expected, with the date on which it was written

Only the first two can be *reproduced*: a prediction that comes true shows that its writer
understood the experiment, not that anybody else found the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tacit.envs.errors import InvalidKey, nearest

Kind = Literal["literature", "closed form", "prediction", "word"]
KINDS: tuple[str, ...] = get_args(Kind)
REPRODUCIBLE = KINDS[:2]  # kinds of which `reproduced` is said
SECOND_HAND = "second hand"  # of a published number that was read in somebody else's notes
NOT = "not "  # before a verdict that must not be given


def _kind(value: Any) -> Any:
    if value not in KINDS:
        raise ValueError(f"unknown kind {value!r}. {nearest(str(value), KINDS)}")
    return value


class Reference(BaseModel):
    """One row of `tacit reproduce`: what a measured figure, or a verdict, is compared with.

    A number (`value`) asks that the measured mean or median lies within the tolerance. A direction
    (`versus`, `expected`) asks that the interval lies wholly above or below another one or a
    number; `same` asks that two means are equal to within a tolerance. A word (`word`) asks that a
    rule gives it.

    Attributes:
        kind: what evidence it is, one of `KINDS`.
        quantity: the name of the row in tables; of a word `verdict of ARM`.
        arm, measure: what is compared.
        value: a number, in the measure's unit; or the name of another measure of the arm, as closed
            forms are: `bluff_rate_theory`.
        versus: the other arm, or a number.
        expected: where the interval lies; `same`: the mean paired difference is small.
        tolerance: the largest distance, in the measure's unit.
        statistic: of the measure over seeds.
        source: of a published number: the paper, and the place in it.
        read: whether a published number was checked in the paper or the authors' files, or is
            known from somebody else's notes only.
        word: a verdict; `not WORD` for one that must not be given.
        written: the date on which a word, or a prediction, was written. Its writer had not seen
            the run then.
        fitted: what was chosen after a first version had missed; empty if nothing was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[Kind, BeforeValidator(_kind)]
    arm: str
    quantity: str = ""
    measure: str = ""
    value: Annotated[float, Field(allow_inf_nan=False)] | str | None = None
    versus: Annotated[float, Field(allow_inf_nan=False)] | str | None = None
    expected: Literal["above", "below", "same"] | None = None
    tolerance: Annotated[float, Field(ge=0)] | None = None
    statistic: Literal["mean", "median"] = "mean"
    source: str = ""
    read: Literal["checked", "second hand"] = "checked"
    word: str = ""
    written: date | None = None
    fitted: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Reference:
        if self.kind == "word":
            self._needs("word", "written")
            return self
        self._needs("quantity", "measure")
        if self.kind == "literature":
            self._needs("source")
        if self.versus is None and self.expected is None:
            self._needs("value", "tolerance")
            return self
        self._needs("versus", "expected")
        if (self.tolerance is None) == (self.expected == "same"):
            raise InvalidKey("tolerance", "goes with expected: same, and only with it.")
        if self.expected == "same" and not isinstance(self.versus, str):
            raise InvalidKey("versus", "must be another arm with expected: same (or give a value).")
        return self

    def _needs(self, *keys: str) -> None:
        for key in keys:
            if getattr(self, key) in (None, ""):
                raise InvalidKey(key, f"missing, and a row of kind {self.kind} needs it.")

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it names."""
        return (self.arm, self.versus) if isinstance(self.versus, str) else (self.arm,)

    @property
    def label(self) -> str:
        """Its kind, and whether a published number is known from notes only."""
        return f"{self.kind}, {SECOND_HAND}" if self.read == SECOND_HAND else self.kind


# --- keys of earlier versions ---------------------------------------------------------------------

# One or several verdicts; `not WORD` for one that must not be given.
Words = str | list[str]
Expected = Words | dict[str, Words] | None  # of every arm, or by arm

OLD_KEYS = {  # of experiment files; each is still read, as references of these kinds
    "published": "literature, closed form",
    "predicted": "prediction",
    "expected_verdict": "word",
}


def old_key_notes(raw: Mapping[str, Any]) -> list[str]:
    """A line that gives the present name of the old keys that an experiment file uses, if any."""
    used = [key for key in OLD_KEYS if raw.get(key)]
    kinds = ", ".join(OLD_KEYS[key] for key in used)
    if not used:
        return []
    return [f"{', '.join(used)}: read; the present name is references, with kind: {kinds}"]


def with_kinds(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment file's keys, with the kind that each entry of an old key has today.

    A published number takes the file's source; where the file has none, it is not called
    literature.
    """
    values, source = dict(raw), raw.get("source")
    for key in ("published", "predicted"):
        entries = values.get(key)
        if isinstance(entries, list | tuple):
            values[key] = [
                {**_old_kind(key, entry, source), **entry} if isinstance(entry, Mapping) else entry
                for entry in entries
            ]
    return values


def _old_kind(key: str, entry: Mapping[str, Any], source: Any) -> dict[str, Any]:
    if key == "predicted" or not (source or isinstance(entry.get("value"), str)):
        return {"kind": "prediction"}
    if isinstance(entry.get("value"), str):
        return {"kind": "closed form"}
    return {"kind": "literature", "source": source}


def expected_words(expected: Expected, arms: Iterable[str]) -> list[tuple[str, str]]:
    """(arm, word) for every verdict that an `expected_verdict` expects of `arms`."""
    by_arm = expected if isinstance(expected, dict) else dict.fromkeys(arms, expected or [])
    found: list[tuple[str, str]] = []
    for arm, words in by_arm.items():
        if arm in arms:
            found += [(arm, word) for word in ([words] if isinstance(words, str) else words)]
    return found


# --- figures --------------------------------------------------------------------------------------


class Panel(BaseModel):
    """Measures `y` of arms over a setting `x`, with the curve of the market's closed form.

    Attributes:
        x: the setting, as a dotted key of the market; or the weight of an anchor, beside which the
            curve is that of the computed anchored equilibrium.
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
    """The figure of an experiment; exactly one of six kinds.

    Attributes:
        panels: points on curves of theory.
        path: an impulse response, a panel an arm, beside what is published of it.
        histogram: of this measure over seeds, a panel an arm.
        bins, range: of the histogram.
        x, x_label, y, lines: the measure y over the setting x, a line for each list of arms.
        compare: measures, a panel each, in it every arm with its interval.
        adoption: of each series of adopters, their mean by how many they are, beside the null.
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
    adoption: bool = False
    arms: list[str] = []

    @model_validator(mode="after")
    def _one_kind(self) -> Figure:
        kinds = [
            bool(self.panels),
            self.path is not None,
            self.histogram is not None,
            bool(self.x and self.y and self.lines),
            bool(self.compare),
            self.adoption,
        ]
        if sum(kinds) != 1:
            raise ValueError(
                "needs either panels, or histogram, or compare, or path, or adoption, or x, y and "
                "lines."
            )
        return self


# --- adopters -------------------------------------------------------------------------------------


class AdoptionConfig(BaseModel):
    """Which arms tell what adopters of one vendor's software do, by how many they are.

    Attributes:
        measure: of seats, such as the price they post; the market has benchmarks of it.
        alone: the arm in which every seat learns for itself: the null is drawn from it.
        series: by name, arms with the seats that adopt in each; judged is the last of the arms in
            which most seats adopt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    alone: str
    series: dict[str, dict[str, list[str]]]

    @model_validator(mode="after")
    def _numbers_differ(self) -> AdoptionConfig:
        if not self.series:
            raise InvalidKey("series", "names no series of arms, so nobody adopts anywhere.")
        last: dict[str, str] = {}
        for name, arms in self.series.items():
            for arm, seats in arms.items():
                if not seats:
                    raise InvalidKey(f"series.{name}.{arm}", "names no seat that adopts.")
                twice = [seat for seat in dict.fromkeys(seats) if seats.count(seat) > 1]
                if twice:
                    raise InvalidKey(f"series.{name}.{arm}", f"names {', '.join(twice)} twice.")
            numbers = sorted({len(seats) for seats in arms.values()})
            if len(numbers) < 2:
                found = f"only {numbers[0]}" if numbers else "no arm"
                message = f"needs arms with at least two numbers of adopters, got {found}."
                raise InvalidKey(f"series.{name}", message)
            if (end := self.widest(name)) in last:
                message = f"ends in {end}, and so does {last[end]}: a word needs an arm of its own."
                raise InvalidKey(f"series.{name}", message)
            last[end] = name
        return self

    def widest(self, series: str) -> str:
        """The arm that a series is judged at: the last of those in which most seats adopt."""
        arms = self.series[series]
        most = max(len(seats) for seats in arms.values())
        return [arm for arm, seats in arms.items() if len(seats) == most][-1]

    def arms_of(self, series: str) -> list[str]:
        """The arms of a series by number of adopters, then that in which everybody is alone."""
        arms = self.series[series]
        ordered = sorted(arms, key=lambda arm: len(arms[arm]))
        return [*ordered, *([self.alone] if self.alone not in arms else [])]

    def arms_named(self) -> list[tuple[str, str]]:
        """(key, arm) for every arm that is named."""
        named = [("adoption.alone", self.alone)]
        return named + [
            (f"adoption.series.{name}", arm) for name, arms in self.series.items() for arm in arms
        ]


def arms_named(
    references: Mapping[str, Iterable[Reference]], figure: Figure | None, expected: Expected
) -> list[tuple[str, str]]:
    """(key, arm) for every arm that references, figure and expected verdicts name.

    Args:
        references: by the key of the file under which they stand.
        figure: what is drawn.
        expected: the file's `expected_verdict`.
    """
    named: list[tuple[str, str]] = []
    for key, rows in references.items():
        for k, row in enumerate(rows):
            keys = (f"{key}.{k}.arm", f"{key}.{k}.versus")
            named += zip(keys, row.arms, strict=False)  # one arm where `versus` is none
    for k, panel in enumerate(figure.panels if figure else []):
        named += [(f"figure.panels.{k}.arms", arm) for arm in panel.arms]
    for label, arms in (figure.lines if figure else {}).items():
        named += [(f"figure.lines.{label}", arm) for arm in arms]
    named += [("figure.arms", arm) for arm in (figure.arms if figure else [])]
    named += [("expected_verdict", arm) for arm in (expected if isinstance(expected, dict) else ())]
    return named
