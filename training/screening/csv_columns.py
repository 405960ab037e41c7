"""Named columns of a user's CSV file, in one pass; a million rows take a few seconds.

    raw = read_columns(path, {"--tender": ["pid"], "--bid": ["norm_bid"]})
    raw.cells["--bid"].words[raw.cells["--bid"].code[7]]        # the text in row 7

Texts repeat, so each is kept once and rows hold numbers: what is asked of a text (is it a number,
does it say nothing) is asked once, and a million rows need tens of megabytes.

Separator comma, semicolon or tab, whichever the first line holds most of; UTF-8. Blank lines are
passed over, a row with too few cells is filled up and marked.
"""

from __future__ import annotations

import csv
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Bools, Floats, Ints

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Words:
    """One text a row.

    Attributes:
        words: the texts that occur, in order of first appearance.
        code: which of them each row holds, int64 `[R]`.
    """

    words: list[str]
    code: Ints

    def at(self, row: int) -> str:
        """The text in a row."""
        return self.words[int(self.code[row])]

    def each(self, ask: Callable[[str], float]) -> Floats:
        """A number of every row's text, float64 `[R]`; `ask` is called once for each text."""
        found: Floats = np.array([ask(word) for word in self.words], float)[self.code]
        return found


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

    cells: dict[str, Words]
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
    needed = {k for own in positions.values() for k in own}
    known: dict[str, dict[str, int]] = {option: {} for option in positions}
    codes = {option: array("q") for option in positions}
    single = [(own[0], known[o], codes[o]) for o, own in positions.items() if len(own) == 1]
    joined = [(own, known[o], codes[o]) for o, own in positions.items() if len(own) > 1]
    line, digest, short = array("q"), array("q"), array("q")
    for row in rows:
        if not row:
            continue
        if len(row) < width:
            short.append(len(line))
            row = row + [""] * (width - len(row))
        line.append(rows.line_num)
        digest.append(hash(tuple(row)))
        for k, numbers, code in single:
            code.append(numbers.setdefault(row[k].strip(), len(numbers)))
        for own, numbers, code in joined:  # year-month-day
            text = "-".join([row[k].strip() for k in own])
            code.append(numbers.setdefault(text, len(numbers)))
    is_short = np.zeros(len(line), bool)
    is_short[short] = True
    return RawColumns(
        cells={option: Words(list(known[option]), _ints(codes[option])) for option in positions},
        line=_ints(line),
        digest=_ints(digest),
        short=is_short,
        spare=width - len(needed),
    )


def _ints(numbers: array[int]) -> Ints:
    return np.frombuffer(numbers, np.int64) if numbers else np.empty(0, np.int64)
