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
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Bools, Floats, Ints

SEPARATORS = ",;\t"
CHUNK = 100  # rows that are read at a time: so few stay in the processor's cache
LINE_BREAK = re.compile(r"\r\n|\r|\n")


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


class _Texts:
    """The texts of a column as they are read: each is numbered where it first occurs."""

    def __init__(self) -> None:
        self._number: defaultdict[str, int] = defaultdict()
        self._number.default_factory = self._number.__len__
        self._code = array("q")

    def extend(self, cells: Iterable[str]) -> None:
        """Add the cells of further rows."""
        self._code.extend(map(self._number.__getitem__, cells))

    def words(self) -> Words:
        """All rows, without the blanks around their texts."""
        number: dict[str, int] = {}
        own = [number.setdefault(text.strip(), len(number)) for text in self._number]
        code = _ints(self._code)
        if len(number) < len(own):
            code = np.array(own, np.int64)[code]
        return Words(list(number), code)


def _read_rows(rows: Any, width: int, positions: Mapping[str, list[int]]) -> RawColumns:
    """Read rows of `width` cells from a csv.reader."""
    texts = {option: _Texts() for option in positions}
    line, digest, short = array("q"), array("q"), array("q")
    start = rows.line_num
    while chunk := list(islice(rows, CHUNK)):
        if rows.line_num - start == len(chunk) and min(map(len, chunk)) >= width:
            line.extend(range(start + 1, rows.line_num + 1))
        else:
            chunk = _uncommon_rows(chunk, start, width, line, short)
        start = rows.line_num
        digest.extend(map(hash, map(tuple, chunk)))
        for option, own in positions.items():
            if len(own) == 1:
                texts[option].extend(map(itemgetter(own[0]), chunk))
            else:  # year-month-day
                texts[option].extend("-".join([row[k].strip() for k in own]) for row in chunk)
    is_short = np.zeros(len(line), bool)
    is_short[short] = True
    return RawColumns(
        cells={option: own.words() for option, own in texts.items()},
        line=_ints(line),
        digest=_ints(digest),
        short=is_short,
        spare=width - len({k for own in positions.values() for k in own}),
    )


def _uncommon_rows(
    chunk: Sequence[list[str]], start: int, width: int, line: array[int], short: array[int]
) -> list[list[str]]:
    """The rows of a chunk in which some are blank, too short or longer than a line.

    Args:
        chunk: as read.
        start: the line of the file before it.
        width: cells that a row must have; what is missing is filled up.
        line: receives where each row ends.
        short: receives the numbers of rows that had too few cells.
    """
    filled = []
    for row in chunk:
        start += 1 + sum(len(LINE_BREAK.findall(cell)) for cell in row)
        if row:
            if len(row) < width:
                short.append(len(line))
            line.append(start)
            filled.append(row + [""] * (width - len(row)))
    return filled


def _ints(numbers: array[int]) -> Ints:
    return np.frombuffer(numbers, np.int64) if numbers else np.empty(0, np.int64)
