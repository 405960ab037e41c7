"""A user's CSV file as columns of numbers; every mistake in it is reported at once."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Floats

LEAST_ROWS = 10
DAY = 86_400  # seconds

Cell = tuple[int, str]  # its line in the file, and its text
Line = tuple[int, list[str]]  # number of the line, and its cells


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
    """

    file: str
    rows: int
    columns: dict[str, Floats]


def read_data(
    path: Path,
    wanted: Sequence[Column],
    columns: str,
    dates: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> DataFile:
    """Read the columns that a fit wants.

    Args:
        path: the file: UTF-8, with commas and a header.
        wanted: the fit's columns.
        columns: which of the file's is which, `name=column,...`.
        dates: formats of dates (those of `strptime`), tried in turn; by default ISO 8601.
        missing: texts that stand for nothing, besides the empty cell.

    Raises:
        ConfigError: unknown, absent or missing columns; cells that are no date or amount; lines of
            another length than the header's; fewer than `LEAST_ROWS` rows; no such file.
    """
    header, lines = _read_lines(path)
    chosen = _chosen_columns(columns, wanted, header, path.name)
    mistakes = []
    other_length = [(number, cells) for number, cells in lines if len(cells) != len(header)]
    if other_length:
        number, cells = other_length[0]
        mistakes.append(
            f"{path.name}, line {number}: {len(cells)} cells, the header has {len(header)} "
            f"({_count(other_length)} so)."
        )
    if len(lines) < LEAST_ROWS:
        mistakes.append(
            f"{path.name}: {_count(lines)}, at least {LEAST_ROWS} are needed to fit quantiles."
        )
    values: dict[str, Floats] = {}
    # Where lines differ in length their cells may belong to other columns: read none of them.
    for column in wanted if not other_length else ():
        if column.name in chosen:
            at = header.index(chosen[column.name])
            cells_of = [(number, cells[at].strip()) for number, cells in lines]
            reader = _ColumnReader(column, chosen[column.name], path.name, tuple(dates), mistakes)
            values[column.name] = reader.read(cells_of, {"", *missing})
    if mistakes:
        raise ConfigError(mistakes)
    return DataFile(path.name, len(lines), values)


def _count(rows: Sequence[object]) -> str:
    return f"{len(rows):,} row{'s' * (len(rows) != 1)}"


def _read_lines(path: Path) -> tuple[list[str], list[Line]]:
    """The header, and the other lines; blank ones are passed over."""
    if not path.is_file():
        raise ConfigError(f"DATA: there is no file '{path}'.")
    try:
        # utf-8-sig: a byte-order mark, as spreadsheets write it, is not part of the first name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name}: not UTF-8 text (byte {error.start}).") from None
    except (OSError, csv.Error) as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from None
    if not lines:
        raise ConfigError(
            f"{path.name}: empty; a header and at least {LEAST_ROWS} rows are needed."
        )
    return [name.strip() for name in lines[0][1]], lines[1:]


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
    dates: tuple[str, ...]
    mistakes: list[str]

    def read(self, cells: Sequence[Cell], nothing: set[str]) -> Floats:
        """Values of the cells, float64 `[R]`; NaN where a cell is one of `nothing`."""
        values = np.full(len(cells), np.nan)
        unreadable: list[Cell] = []
        for k, (number, text) in enumerate(cells):
            if text in nothing:
                continue
            is_date = self.column.kind == "date"
            value = parse_date(text, self.dates) if is_date else parse_amount(text)
            if value is None:
                unreadable.append((number, text))
            else:
                values[k] = value
        if unreadable:
            self.mistakes.append(self._complaint(unreadable))
        elif np.isnan(values).all() and cells:
            self.mistakes.append(f"{self.file}, {self._where}: every cell is empty.")
        return values

    @property
    def _where(self) -> str:
        return f"{self.column.name} (column '{self.title}')"

    def _complaint(self, unreadable: Sequence[Cell]) -> str:
        number, text = unreadable[0]
        wanted, advice = "an amount >= 0", ""
        if self.column.kind == "date":
            formats = f"of format {' or '.join(self.dates)}" if self.dates else "in ISO 8601"
            wanted = f"a date {formats}"
            advice = " Its format: --dates FORMAT, as of Python's strptime."
        return (
            f"{self.file}, line {number}, {self._where}: must be {wanted}, got '{text}' "
            f"({_count(unreadable)} so).{advice} If it stands for nothing: --missing '{text}'."
        )


def parse_amount(text: str) -> float | None:
    """A finite number >= 0; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


@lru_cache(maxsize=1 << 16)  # dates repeat, and strptime is slow
def parse_date(text: str, dates: tuple[str, ...]) -> float | None:
    """A date and time in seconds since 1970, whatever the zone it names; None if it is none.

    Args:
        text: the date.
        dates: formats of `strptime`, tried in turn; if there are none, ISO 8601.
    """
    for pattern in dates:
        try:
            return _seconds(datetime.strptime(text, pattern))
        except ValueError:
            continue
    try:
        return None if dates else _seconds(datetime.fromisoformat(text))
    except ValueError:
        return None


def _seconds(moment: datetime) -> float:
    """Seconds since 1970, the clock's time read as UTC: only distances and times of day matter."""
    return moment.replace(tzinfo=UTC).timestamp()
