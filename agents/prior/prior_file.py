"""What a prior file holds: figures with n and interval, assumptions, sources.

The files are YAML in `configs/priors/`, written by `tacit prior fit`. They hold aggregates only:
no row of the data that they were fitted from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.analysis import PriorNumbers
from tacit.envs.errors import ConfigError, InvalidKey, build
from tacit.envs.types import Count, Share

FORM = "tacit prior 1"
ROUNDING = 5e-7  # figures are written with six decimals
SHA256 = re.compile(r"[0-9a-f]{64}")


class CountedRate(BaseModel):
    """A rate that was counted.

    Attributes are the keys of the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Share = Field(description="count / n")
    low: Share = Field(description="lower end of its 95 % Wilson interval")
    high: Share = Field(description="upper end")
    count: int = Field(ge=0, description="cases in which it happened")
    n: Count = Field(description="cases in all")
    source: str = Field(description="a name of `sources`")
    meaning: str = Field("", description="what was counted")

    @model_validator(mode="after")
    def _is_consistent(self) -> CountedRate:
        if self.count > self.n:
            raise InvalidKey("count", f"must be at most n ({self.n}), got {self.count}.")
        share = self.count / self.n
        if abs(self.value - share) > ROUNDING:
            known = f"count / n is {self.count} / {self.n} = {share:.6f}"
            raise InvalidKey("value", f"is {self.value}, but {known}.")
        if not self.low - ROUNDING <= self.value <= self.high + ROUNDING:
            raise InvalidKey("low", f"{self.low} .. {self.high} does not hold {self.value}.")
        return self


class AcceptanceRate(CountedRate):
    """How often a proposal is accepted that leaves at least such a share of the surplus."""

    least_share: Share = Field(description="from which share of the surplus on it holds")


class FigureSource(BaseModel):
    """Where figures come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    citation: str
    address: str = Field(description="of the public copy, with its commit")
    licence: str
    changes: str = Field(description="what was done to the data, as CC BY 4.0 asks to say")
    file: str = Field("", description="the file that was read; empty: published aggregates")
    sha256: str = Field("", description="of that file")

    @model_validator(mode="after")
    def _file_has_hash(self) -> FigureSource:
        if bool(self.file) != bool(self.sha256):
            raise InvalidKey("sha256", "must be given with `file`, and only with it.")
        if self.sha256 and not SHA256.fullmatch(self.sha256):
            raise InvalidKey("sha256", f"must be 64 hexadecimal digits, got {self.sha256!r}.")
        return self


class PriorFile(BaseModel):
    """A prior as its file holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["tacit prior 1"]
    title: str = Field(description="whom it describes, in one line")
    market: str = Field(description="the market that it is for")
    role: str = Field(description="the role that it is for")
    figures: dict[str, CountedRate] = Field(description="rates by name")
    acceptance: tuple[AcceptanceRate, ...] = Field((), description="by share of the surplus")
    assumptions: dict[str, str] = Field(
        default_factory=dict, description="what the data do not say"
    )
    sources: dict[str, FigureSource] = Field(description="by name")

    @model_validator(mode="after")
    def _sources_are_named(self) -> PriorFile:
        for key, figure in self.every_figure():
            if figure.source not in self.sources:
                known = ", ".join(self.sources) or "none"
                text = f"unknown source '{figure.source}'. Sources: {known}."
                raise InvalidKey(f"{key}.source", text)
        return self

    @model_validator(mode="after")
    def _shares_ascend(self) -> PriorFile:
        shares = [rate.least_share for rate in self.acceptance]
        if shares and (shares[0] != 0 or any(a >= b for a, b in pairwise(shares))):
            raise InvalidKey("acceptance", f"least_share must ascend from 0, got {shares}.")
        return self

    def every_figure(self) -> Sequence[tuple[str, CountedRate]]:
        """All figures with their keys."""
        named = [(f"figures.{name}", figure) for name, figure in self.figures.items()]
        return [*named, *((f"acceptance.{k}", rate) for k, rate in enumerate(self.acceptance))]

    def numbers(self, words: Mapping[str, tuple[str, ...]]) -> PriorNumbers:
        """The prior as a market reads it.

        Args:
            words: the market's assumptions with their choices, the first being the default.
        """
        return PriorNumbers(
            {name: figure.value for name, figure in self.figures.items()},
            {name: self.assumptions.get(name, known[0]) for name, known in words.items()},
            tuple((rate.least_share, rate.value) for rate in self.acceptance),
        )


def checked_prior(values: Mapping[str, Any], where: str) -> PriorFile:
    """The prior in a table of keys, as a YAML file holds it.

    Raises:
        ConfigError: every mistake, behind `where`.
    """
    form = values.get("form")
    if form != FORM:
        told = "it has no `form`" if form is None else f"its form is {form!r}"
        raise ConfigError(f"{where}: is no prior: {told}, not '{FORM}'.")
    try:
        return build(PriorFile, values, "")
    except ConfigError as error:
        raise ConfigError([f"{where}: {line}" for line in error.mistakes]) from None
