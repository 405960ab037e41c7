"""A user's CSV file as columns of numbers; every mistake in it is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Floats, Ints
from tacit.training.config.mistakes import MistakeList
from tacit.training.user_files.column_formats import date_format_of, number_format_of
from tacit.training.user_files.csv_columns import RawColumns, Words, read_columns, read_header
from tacit.training.user_files.date_format import (
    DAY,
    INDEX,
    NOT_A_DATE,
    DateFormat,
    Moment,
    rare_formats,
)

LEAST_ROWS = 10
NOTHING = float("nan")


@dataclass(frozen=True)
class Column:
    """A column that a fit reads.

    Attributes:
        name: as in `--columns NAME=...`.
        kind: dates become seconds since 1970, as the clock showed them; amounts are numbers >= 0.
        meaning: for the message where it is missing.
        required: whether the fit works only with it.
    """

    name: str
    kind: Literal["date", "amount"]
    meaning: str
    required: bool = True


@dataclass(frozen=True)
class DataFile:
    """A file that was read, R rows of it.

    Attributes:
        file: its name.
        rows: R.
        columns: values by the name of their `Column`, float64 `[R]`: seconds, or amounts in the
            file's unit; NaN where a cell says nothing.
        reading: how the file was read, in words.
    """

    file: str
    rows: int
    columns: dict[str, Floats]
    reading: str = ""


def read_data(
    path: Path,
    wanted: Sequence[Column],
    columns: str,
    dates: Sequence[str] = (),
    missing: Sequence[str] = (),
    decimal: str | None = None,
) -> DataFile:
    """Read the columns that a fit wants.

    Args:
        path: the file, a CSV with a header.
        wanted: the fit's columns.
        columns: which of the file's is which, `name=column,...`.
        dates: formats of dates (`user_files/date_format.py`), tried in turn; by default the one
            that is found.
        missing: texts that stand for nothing, besides the empty cell.
        decimal: the decimal mark; None: it is found.

    Raises:
        ConfigError: unknown, absent or missing columns; cells that are no date or amount, or can be
            read in two ways; lines of another length than the header's; fewer than `LEAST_ROWS`
            rows; no such file.
    """
    if not path.is_file():
        raise ConfigError(f"DATA: there is no file '{path}'.")
    chosen = _chosen_columns(columns, wanted, read_header(path), path.name)
    raw = read_columns(path, {f"--columns.{name}": [title] for name, title in chosen.items()})
    mistakes = MistakeList()
    other_length = np.flatnonzero(raw.short | raw.long)
    if len(other_length):
        kind = "fewer" if raw.short[other_length[0]] else "more"
        mistakes.append(
            f"{path.name}, line {raw.line[other_length[0]]}: {kind} cells than the header "
            f"({_count(len(other_length))} so)."
        )
    rows = len(raw.line)
    if rows < LEAST_ROWS:
        mistakes.append(
            f"{path.name}: {_count(rows)}, at least {LEAST_ROWS} are needed to fit quantiles."
        )
    values: dict[str, Floats] = {}
    ways: list[str] = []
    # Where lines differ in length their cells may belong to other columns: read none of them.
    for column in wanted if not len(other_length) else ():
        if column.name in chosen:
            reader = _ColumnReader(column, chosen[column.name], path.name, raw, mistakes)
            with mistakes.collecting():
                values[column.name], way = reader.read({"", *missing}, dates, decimal)
                ways.append(f"{chosen[column.name]}: {way}")
    mistakes.raise_if_any()
    return DataFile(path.name, rows, values, "; ".join([raw.dialect.text, *ways]))


def _count(rows: int) -> str:
    return f"{rows:,} row{'s' * (rows != 1)}"


def _chosen_columns(
    columns: str, wanted: Sequence[Column], header: list[str], file: str
) -> dict[str, str]:
    """The file's column by the name of each `Column`, as `--columns` says."""
    known = {column.name: column for column in wanted}
    chosen: dict[str, str] = {}
    mistakes = []
    for word in columns.split(",") if columns else []:
        name, separator, title = (part.strip() for part in word.partition("="))
        if not separator or not title:
            mistakes.append(f"--columns: must be NAME=COLUMN,..., got '{word}'.")
        elif name not in known:
            mistakes.append(f"--columns: unknown name '{name}'. {nearest(name, known)}")
        elif title not in header:
            advice = nearest(title, header)
            mistakes.append(f"--columns.{name}: {file} has no column '{title}'. {advice}")
        elif header.count(title) > 1:
            mistakes.append(
                f"--columns.{name}: {file} has more than one column '{title}'. Rename one."
            )
        chosen.setdefault(name, title)
    mistakes += [
        f"--columns.{c.name}: missing. Give {c.name}=COLUMN: {c.meaning}. {nearest('', header)}"
        for c in wanted
        if c.required and c.name not in chosen
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return chosen


@dataclass(frozen=True)
class _ColumnReader:
    """Reads the cells of one column; what is wrong with them is added to `mistakes`."""

    column: Column
    title: str  # in the file's header
    file: str
    raw: RawColumns
    mistakes: MistakeList

    def read(
        self, nothing: set[str], dates: Sequence[str], decimal: str | None
    ) -> tuple[Floats, str]:
        """Values of the cells, and how they were read.

        Args:
            nothing: texts that stand for nothing.
            dates: formats that the user has told.
            decimal: the decimal mark, where the user has told it.

        Returns:
            float64 `[R]`, NaN where a cell says nothing; and the format in words.

        Raises:
            ConfigError: the column can be read in two ways.
        """
        cells = self.raw.cells[f"--columns.{self.column.name}"]
        told = [word for word in cells.words if word not in nothing]
        if self.column.kind == "date":
            formats: Sequence[str | None] = dates or [None]
            ways = [date_format_of(self._option, self.title, told, form) for form in formats]
            values = self._seconds(cells, ways, nothing)
            way = " or ".join(form.name for form in ways)
        else:
            numbers = number_format_of(self._option, self.title, told, decimal)
            values = cells.each(lambda w: NOTHING if w in nothing else numbers.read(w))
            values = np.where(values >= 0, values, np.nan)
            way = numbers.text
        empty = cells.each(lambda word: word in nothing) > 0
        unreadable = np.flatnonzero(np.isnan(values) & ~empty)
        if len(unreadable):
            self.mistakes.append(self._complaint(cells, unreadable, dates))
        elif np.isnan(values).all() and len(values):
            self.mistakes.append(f"{self.file}, {self._where}: every cell is empty.")
        return values, way

    def _seconds(self, cells: Words, ways: Sequence[DateFormat], nothing: set[str]) -> Floats:
        """Seconds since 1970 by the clock of the first row, so that times of day are its own."""
        moments: dict[str, Moment] = {}
        for word in cells.words:
            found = (form.read(word) for form in ways if word not in nothing)
            moments[word] = next((m for m in found if m[0] == m[0]), NOT_A_DATE)
        ahead = next((m[1] for m in moments.values() if m[0] == m[0]), 0.0)
        unit = DAY if ways[0] is INDEX else 1.0
        return cells.each(lambda word: moments[word][0] * unit + ahead)

    @property
    def _option(self) -> str:
        return f"--columns.{self.column.name}"

    @property
    def _where(self) -> str:
        return f"{self.column.name} (column '{self.title}')"

    def _complaint(self, cells: Words, unreadable: Ints, dates: Sequence[str]) -> str:
        row = int(unreadable[0])
        text, wanted, advice = cells.at(row), "an amount >= 0", ""
        if self.column.kind == "date":
            wanted = f"a date of format {' or '.join(dates)}" if dates else "a date"
            advice = " Its format: --dates FORMAT, such as DD/MM/YYYY, epoch, index or %m.%Y."
            rare = rare_formats(text)
            advice += f" Here it may be {rare}." if rare and not dates else ""
        return (
            f"{self.file}, line {self.raw.line[row]}, {self._where}: must be {wanted}, got "
            f"'{text}' ({_count(len(unreadable))} so).{advice} If it stands for nothing: "
            f"--missing '{text}'."
        )
