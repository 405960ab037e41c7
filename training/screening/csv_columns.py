"""Named columns of a user's CSV file, in one pass; a million rows take a few seconds.

    raw = read_columns(path, {"--tender": ["pid"], "--bid": ["norm_bid"]})
    raw.cells["--bid"]        # text, one entry a row

Separator comma, semicolon or tab, whichever the first line holds most of; UTF-8. Blank lines are
passed over, a row with too few cells is filled up and marked.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Bools, Ints

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class RawColumns:
    """The R rows of a file, as text.

    Attributes:
        cells: by option, one text a row; several columns of one option are joined by '-'.
        line: the line of the file where the row ends, int64 `[R]`.
        digest: a hash of all cells of the row, good within this process, int64 `[R]`.
        short: whether the row has fewer cells than the header, bool `[R]`.
        spare: the number of columns that no option names.
    """

    cells: dict[str, list[str]]
    line: Ints
    digest: Ints
    short: Bools
    spare: int


def read_columns(path: Path, wanted: Mapping[str, Sequence[str]]) -> RawColumns:
    """Read the wanted columns.

    Args:
        path: the file.
        wanted: names of columns by option.

    Raises:
        ConfigError: no such file; every column that is missing, with the nearest there is; or a
            file that is not CSV.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file.")
    try:
        # utf-8-sig: a byte-order mark, as spreadsheets write it, is not part of the first name.
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            if not head.strip():
                raise ConfigError(f"{path}: is empty; its first line must name the columns.")
            file.seek(0)
            rows = csv.reader(file, delimiter=max(SEPARATORS, key=head.count))
            header = [name.strip() for name in next(rows)]
            return _read_rows(rows, len(header), _positions(header, wanted, path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error.reason}).") from None
    except (OSError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None


def _positions(
    header: list[str], wanted: Mapping[str, Sequence[str]], path: Path
) -> dict[str, list[int]]:
    """By option, which cells of a row are wanted."""
    count = Counter(header)
    mistakes = []
    for option, names in wanted.items():
        for name in names:
            if name not in count:
                mistakes.append(
                    f"{option}: {path.name} has no column '{name}'. {nearest(name, count)}"
                )
            elif count[name] > 1:
                mistakes.append(f"{option}: {path.name} has {count[name]} columns '{name}'.")
    if mistakes:
        raise ConfigError(mistakes)
    return {option: [header.index(name) for name in names] for option, names in wanted.items()}


def _read_rows(rows: Any, width: int, positions: Mapping[str, list[int]]) -> RawColumns:
    """Read rows of `width` cells from a csv.reader."""
    needed = list(dict.fromkeys(k for own in positions.values() for k in own))
    texts: dict[int, list[str]] = {k: [] for k in needed}
    columns = list(texts.items())
    line: list[int] = []
    digest: list[int] = []
    short: list[bool] = []
    for row in rows:
        if not row:
            continue
        cut = len(row) < width
        if cut:
            row = row + [""] * (width - len(row))
        short.append(cut)
        line.append(rows.line_num)
        digest.append(hash(tuple(row)))
        for k, column in columns:
            column.append(row[k].strip())
    return RawColumns(
        cells={option: _joined([texts[k] for k in own]) for option, own in positions.items()},
        line=np.array(line, np.int64),
        digest=np.array(digest, np.int64),
        short=np.array(short, bool),
        spare=width - len(needed),
    )


def _joined(columns: list[list[str]]) -> list[str]:
    """Several columns as one, their cells joined by '-': year-month-day."""
    if len(columns) == 1:
        return columns[0]
    return ["-".join(parts) for parts in zip(*columns, strict=True)]
