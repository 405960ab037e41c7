"""Fits a market to a user's file, and compares what the fitted market does with the file.

    result = calibrate("procurement", Path("orders.csv"), Request(columns="sent=...,..."))
    result.keys      # the market's keys that were fitted
    result.rows      # quantity by quantity: of the file, and of the market when it is played

A fit reads nothing but the file. What it is compared with is played by the engine, in the market
with the fitted keys and otherwise its defaults; no figure of the list that was fitted is shown.
Each market has a file here with: `FIELDS`, the columns that it reads; `Options`; `fit`;
`of_file` and `of_market`, the samples that are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market
from tacit.envs.registry import make_market
from tacit.training.config.mistakes import MistakeList

from . import ad_auction, cloud_bandwidth, procurement
from .samples import Quantity, Sample, compare
from .table import Data, Field, read


class Fitter(Protocol):
    """What a market's file here has."""

    @property
    def FIELDS(self) -> tuple[Field, ...]:
        """Columns that it reads."""
        ...

    @property
    def QUESTION(self) -> str:
        """Of a preset; `{file}` stands for the data's name."""
        ...

    @property
    def AGENTS(self) -> Mapping[str, Any]:
        """Of a preset, where the market's default learners do not fit."""
        ...

    @property
    def Options(self) -> type[BaseModel]:
        """What can be chosen."""
        ...

    def fit(self, data: Data, options: Any) -> dict[str, Any]:
        """The market's keys."""
        ...

    def of_file(self, data: Data, options: Any) -> list[Sample]:
        """What the file holds."""
        ...

    def of_market(self, market: Market, data: Data, options: Any) -> list[Sample]:
        """The same of a market, played; of the data only what there is to compare."""
        ...


FITTERS: dict[str, Fitter] = {
    "procurement": procurement,
    "cloud_bandwidth": cloud_bandwidth,
    "ad_auction": ad_auction,
}


@dataclass(frozen=True)
class Request:
    """How a file is to be read and fitted, as on the command line."""

    columns: str = ""
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # of the market's fit: those given


@dataclass(frozen=True)
class Calibration:
    """A fitted market: its keys, and how it compares with the file."""

    market: str
    file: str
    keys: dict[str, Any]
    rows: list[Quantity]
    lines: int

    @property
    def within(self) -> bool:
        """Whether every quantity of the market is near the file's."""
        return all(row.within for row in self.rows)


def fitter(market: str) -> Fitter:
    """A market's fit; an unknown market is a ConfigError that names the nearest."""
    if market not in FITTERS:
        raise ConfigError(f"MARKET: nothing fits '{market}'. {nearest(market, FITTERS)}")
    return FITTERS[market]


def calibrate(market: str, path: Path, request: Request) -> Calibration:
    """Fit a market to a CSV file and play it.

    Raises:
        ConfigError: all that is wrong with the request or the file.
    """
    chosen = fitter(market)
    options, data, mistakes = None, None, MistakeList()
    with mistakes.collecting():
        options = _options(chosen, market, request.options)
    with mistakes.collecting():
        data = read(path, chosen.FIELDS, request.columns, request.dates, request.missing)
    mistakes.raise_if_any()
    assert data is not None
    keys = chosen.fit(data, options)
    observed = chosen.of_file(data, options)
    simulated = chosen.of_market(make_market(market, keys), data, options)
    return Calibration(market, path.name, keys, compare(observed, simulated), data.rows)


def _options(chosen: Fitter, market: str, given: Mapping[str, Any]) -> BaseModel:
    alien = [name for name in given if name not in chosen.Options.model_fields]
    if alien:
        known = ", ".join(f"--{name}" for name in chosen.Options.model_fields) or "none"
        raise ConfigError([f"--{a}: does not belong to {market}. Options: {known}." for a in alien])
    try:
        return build(chosen.Options, given, "")
    except ConfigError as error:
        raise ConfigError([f"--{line}" for line in error.mistakes]) from None
