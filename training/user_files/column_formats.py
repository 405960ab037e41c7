"""Columns of a file as numbers and dates, each in one way that is found or told."""

from __future__ import annotations

from collections.abc import Iterable

from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats

from .csv_columns import Words
from .date_format import DateFormat, TwoDates, find_date_format, format_named
from .number_format import NumberFormat, TwoReadings, TwoUnits, find_number_format


def number_format_of(
    option: str, name: str, texts: Iterable[str], decimal: str | None = None
) -> NumberFormat:
    """How a column writes numbers.

    Args:
        option: that named the column.
        name: the column.
        texts: its cells, without those that say nothing.
        decimal: the decimal mark, where the user has told it.

    Raises:
        ConfigError: it can be read in two ways, its numbers are in several units, or there is
            no such mark.
    """
    if decimal not in (None, ".", ","):
        raise ConfigError(f"--decimal: must be . or , but is {decimal!r}.")
    try:
        return find_number_format(texts, decimal)
    except TwoReadings as both:
        marks = " or ".join(f"--decimal {way.decimal}" for way, _ in both.readings)
        raise ConfigError(f"{option}: column '{name}': {both}: say which, {marks}.") from None
    except TwoUnits as several:
        raise ConfigError(
            f"{option}: column '{name}': {several}. Bring them to one, or split the file."
        ) from None


def date_format_of(
    option: str, name: str, texts: Iterable[str], told: str | None = None
) -> DateFormat:
    """How a column writes dates.

    Args:
        option: that named the column.
        name: the column.
        texts: its cells, without those that say nothing.
        told: the format's name, where the user has told it.

    Raises:
        ConfigError: it can be read in two ways, or there is no format of this name.
    """
    if told is not None:
        return format_named(told)
    try:
        return find_date_format(texts)
    except TwoDates as both:
        names = " or ".join(f"--dates {way.name}" for way, _ in both.readings)
        raise ConfigError(f"{option}: column '{name}': {both}: say which, {names}.") from None


def read_numbers(cells: Words, way: NumberFormat) -> Floats:
    """The numbers of all rows, float64 `[R]`; NaN where a cell is none."""
    return cells.each(way.read)


def read_seconds(cells: Words, way: DateFormat) -> Floats:
    """Seconds since 1970 or plain numbers of all rows, float64 `[R]`; NaN where a cell is none."""
    return cells.each(lambda word: way.read(word)[0])
