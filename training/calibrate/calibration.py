"""Fits a market to a file, plays it, and compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tacit.envs.errors import ConfigError, build
from tacit.envs.registry import make_market
from tacit.training.config.mistakes import MistakeList

from .data_file import read_data
from .fits import find_fit
from .samples import Quantity, compare_samples


@dataclass(frozen=True)
class Request:
    """How a file is to be read and fitted, as on the command line.

    Attributes:
        columns: which of the file's columns is which, `name=column,...`.
        dates: formats of dates (`user_files/date_format.py`); by default the one that is found.
        missing: texts that stand for nothing.
        decimal: the decimal mark; None: it is found.
        options: of the market's fit, those that are given.
    """

    columns: str = ""
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    decimal: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Calibration:
    """A fitted market, and how it compares with the file.

    Attributes:
        market: its name.
        file: the data's name.
        keys: the market's keys that were fitted.
        rows: quantity by quantity, of the file and of the market when it is played.
        lines: the number of rows of the file.
        reading: how the file was read, in words.
    """

    market: str
    file: str
    keys: dict[str, Any]
    rows: list[Quantity]
    lines: int
    reading: str

    @property
    def within(self) -> bool:
        """Whether every quantity of the market is near the file's."""
        return all(row.within for row in self.rows)


def calibrate(market: str, path: Path, request: Request) -> Calibration:
    """Fit a market to a CSV file and play it.

    Raises:
        ConfigError: all that is wrong with the request or the file.
    """
    market_fit = find_fit(market)
    options, data, mistakes = None, None, MistakeList()
    with mistakes.collecting():
        options = _checked_options(market_fit.options, market, request.options)
    with mistakes.collecting():
        columns = market_fit.columns
        data = read_data(
            path, columns, request.columns, request.dates, request.missing, request.decimal
        )
    mistakes.raise_if_any()
    assert data is not None
    keys = market_fit.fit(data, options)
    observed = market_fit.of_file(data, options)
    simulated = market_fit.of_market(make_market(market, keys), data, options)
    found = compare_samples(observed, simulated)
    return Calibration(market, path.name, keys, found, data.rows, data.reading)


def _checked_options(model: type[BaseModel], market: str, given: Mapping[str, Any]) -> BaseModel:
    """The options of a market's fit, in the words of the command line where one is wrong."""
    alien = [name for name in given if name not in model.model_fields]
    if alien:
        known = ", ".join(f"--{name}" for name in model.model_fields) or "none"
        raise ConfigError([
            f"--{name}: does not belong to {market}. Options: {known}." for name in alien
        ])  # fmt: skip
    try:
        return build(model, given, "")
    except ConfigError as error:
        raise ConfigError([f"--{line}" for line in error.mistakes]) from None
