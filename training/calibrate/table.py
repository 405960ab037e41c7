"""A user's CSV file as columns of numbers, and every mistake in it told at once."""

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
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError, nearest

LEAST_ROWS = 10
DAY = 86_400  # seconds


@dataclass(frozen=True)
class Field:
    """A column that a fit reads: dates become seconds since 1970, as the clock showed them."""

    name: str
    kind: Literal["date", "amount"]
    meaning: str
    required: bool = True


@dataclass(frozen=True)
class Data:
    """Columns by field, float64 `[rows]`, NaN where a cell says nothing; `file` is its name."""

    file: str
    rows: int
    columns: dict[str, NDArray[np.float64]]


def read(
    path: Path, fields: Sequence[Field], columns: str, dates: Sequence[str], missing: Sequence[str]
) -> Data:
    """The columns that `columns` ("field=column,...") names.

    Cells that are empty or in `missing` say nothing; dates are of one of the formats (those of
    `strptime`), or ISO 8601.
    Raises:
        ConfigError: unknown, absent or missing columns; cells that are no date or amount; lines of
            another length than the header's; fewer than `LEAST_ROWS` rows; no such file.
    """
    header, lines = _lines(path)
    chosen = _chosen(columns, fields, header, path.name)
    mistakes = []
    bad = [(number, line) for number, line in lines if len(line) != len(header)]
    if bad:
        number, line = bad[0]
        mistakes.append(
            f"{path.name}, line {number}: {len(line)} cells, the header has {len(header)} "
            f"({_count(bad)} so)."
        )
    if len(lines) < LEAST_ROWS:
        mistakes.append(
            f"{path.name}: {_count(lines)}, at least {LEAST_ROWS} are needed to fit quantiles."
        )
    nothing = {"", *missing}
    found: dict[str, NDArray[np.float64]] = {}
    for f in fields:
        if f.name in chosen and not bad:
            at = header.index(chosen[f.name])
            cells = [(number, line[at].strip()) for number, line in lines]
            where = f"{f.name} (column '{chosen[f.name]}')"
            found[f.name] = _column(f, cells, nothing, tuple(dates), path.name, where, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return Data(path.name, len(lines), found)


def _count(rows: Sequence[object]) -> str:
    return f"{len(rows):,} row{'s' * (len(rows) != 1)}"


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header, and numbered lines with their cells; blank lines are passed over."""
    if not path.is_file():
        raise ConfigError(f"DATA: there is no file '{path}'.")
    try:
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


def _chosen(columns: str, fields: Sequence[Field], header: list[str], file: str) -> dict[str, str]:
    """Field -> column, as `--columns` says."""
    known = {f.name: f for f in fields}
    chosen: dict[str, str] = {}
    mistakes = []
    for word in columns.split(",") if columns else []:
        name, separator, column = (part.strip() for part in word.partition("="))
        if not separator or not column:
            mistakes.append(f"--columns: must be NAME=COLUMN,..., got '{word}'.")
        elif name not in known:
            mistakes.append(f"--columns: unknown name '{name}'. {nearest(name, known)}")
        elif header.count(column) != 1:
            said = "has no" if column not in header else "has more than one"
            told = nearest(column, header) if column not in header else "Rename one."
            mistakes.append(f"--columns.{name}: {file} {said} column '{column}'. {told}")
        chosen.setdefault(name, column)
    mistakes += [
        f"--columns.{f.name}: missing. Give {f.name}=COLUMN: {f.meaning}. {nearest('', header)}"
        for f in fields
        if f.required and f.name not in chosen
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return chosen


def _column(
    f: Field, cells: list[tuple[int, str]], nothing: set[str], dates: tuple[str, ...], file: str,
    where: str, mistakes: list[str],
) -> NDArray[np.float64]:  # fmt: skip
    """One column; what is wrong with it goes to `mistakes`."""
    values = np.full(len(cells), np.nan)
    bad = []
    for k, (number, cell) in enumerate(cells):
        if cell not in nothing:
            made = seconds(cell, dates) if f.kind == "date" else amount(cell)
            if made is None:
                bad.append((number, cell))
            else:
                values[k] = made
    if bad:
        number, cell = bad[0]
        wanted, advice = "an amount >= 0", ""
        if f.kind == "date":
            wanted = "a date " + (f"of format {' or '.join(dates)}" if dates else "in ISO 8601")
            advice = " Its format: --dates FORMAT, as of Python's strptime."
        mistakes.append(
            f"{file}, line {number}, {where}: must be {wanted}, got '{cell}' ({_count(bad)} so)."
            f"{advice} If it stands for nothing: --missing '{cell}'."
        )
    elif np.isnan(values).all() and cells:
        mistakes.append(f"{file}, {where}: every cell is empty.")
    return values


def amount(cell: str) -> float | None:
    """A finite number >= 0."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


@lru_cache(maxsize=1 << 16)
def seconds(cell: str, dates: tuple[str, ...]) -> float | None:
    """A date and time in seconds since 1970, whatever the zone it names; None if it is none."""
    for pattern in dates:
        try:
            return _epoch(datetime.strptime(cell, pattern))
        except ValueError:
            continue
    try:
        return None if dates else _epoch(datetime.fromisoformat(cell))
    except ValueError:
        return None


def _epoch(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
