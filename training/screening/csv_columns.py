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
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError, nearest


@dataclass(frozen=True)
class RawColumns:
    """Rows of a file, R of them, as text; several columns of one option are joined by '-'."""

    cells: dict[str, list[str]]
    line: NDArray[np.int64]  # of the file, where the row ends
    digest: NDArray[np.int64]  # a hash of all cells of the row, of this process
    short: NDArray[np.bool_]  # rows with fewer cells than the header
    spare: int  # columns that no option names


def read_columns(path: Path, wanted: Mapping[str, Sequence[str]]) -> RawColumns:
    """The wanted columns, option -> names.

    Raises:
        ConfigError: no such file, every column that is missing with the nearest there is, or a
            file that is not CSV.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            if not head.strip():
                raise ConfigError(f"{path}: is empty; its first line must name the columns.")
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=head.count))
            header = [name.strip() for name in next(rows)]
            return _read(rows, len(header), _positions(header, wanted, path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error.reason}).") from None
    except (OSError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None


def _positions(
    header: list[str], wanted: Mapping[str, Sequence[str]], path: Path
) -> dict[str, list[int]]:
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


def _read(rows: Any, width: int, places: Mapping[str, list[int]]) -> RawColumns:
    needed = list(dict.fromkeys(k for own in places.values() for k in own))
    kept: dict[int, list[str]] = {k: [] for k in needed}
    into = list(kept.items())
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
        for k, cells in into:
            cells.append(row[k].strip())
    joined = {
        option: kept[own[0]]
        if len(own) == 1
        else ["-".join(parts) for parts in zip(*(kept[k] for k in own), strict=True)]
        for option, own in places.items()
    }
    return RawColumns(
        joined, np.array(line, np.int64), np.array(digest, np.int64), np.array(short, bool),
        width - len(needed),
    )  # fmt: skip
