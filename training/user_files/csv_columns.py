"""Named columns of a user's CSV file, in one pass; a million rows take a few seconds.

    raw = read_columns(path, {"--tender": ["pid"], "--bid": ["norm_bid"]})
    raw.cells["--bid"].words[raw.cells["--bid"].code[7]]        # the text in row 7

Texts repeat, so each is kept once and rows hold its number. What is asked of a text (is it a
number, is it empty) is asked once, and a million rows need tens of megabytes.

Encoding, separator and the line of names are found (`dialect.py`). Blank lines are skipped; a row
with too few cells is filled up with empty ones, and marked. A stray quote that makes one cell of
several rows is refused: these rows would be lost without a message.
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

from .dialect import Dialect, find_dialect

CHUNK = 100  # rows that are read at a time: few enough for the processor's cache
LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Words:
    """A column: one text a row.

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
        """`ask` of every row's text, float64 `[R]`; it is called once for each different text."""
        found: Floats = np.array([ask(word) for word in self.words], float)[self.code]
        return found


@dataclass(frozen=True)
class RawColumns:
    """The R rows of a file, as text.

    Attributes:
        cells: by option, one text a row; several columns of one option are joined by '-'.
        line: number of the file's line where the row ends, counted from 1, int64 `[R]`.
        digest: a hash of all cells of the row, int64 `[R]`; equal rows have equal ones. Python's
            hashes of texts differ from process to process.
        short: whether the row has fewer cells than the header, bool `[R]`.
        long: whether it has more, and something in them, bool `[R]`.
        spare: the number of columns that no option names.
        dialect: how the file is written.
    """

    cells: dict[str, Words]
    line: Ints
    digest: Ints
    short: Bools
    long: Bools
    spare: int
    dialect: Dialect


def read_columns(
    path: Path,
    wanted: Mapping[str, Sequence[str]],
    separator: str | None = None,
    repeated: Sequence[str] = (),
) -> RawColumns:
    """Read the wanted columns.

    Args:
        path: the file.
        wanted: names of columns by option.
        separator: between cells; None: it is found.
        repeated: options whose columns stand in a row several times: `firm;bid;firm;bid`, or
            `bid_1;bid_2`. Such a row of the file becomes several rows, one for each bid.

    Raises:
        ConfigError: no such file; every column that is missing, with the nearest there is; a file
            that is not CSV; or a stray quote that makes one cell of several rows.
    """
    dialect = find_dialect(path, separator)
    try:
        with path.open(newline="", encoding=dialect.encoding) as file:
            for _ in range(dialect.header_line - 1):
                file.readline()
            rows = csv.reader(file, delimiter=dialect.separator, strict=True)
            header = [name.strip() for name in next(rows)]
            positions = _positions(header, wanted, path, repeated)
            return _Rows(path, dialect, rows, len(header)).read(positions)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    except csv.Error as error:
        line = dialect.header_line - 1 + rows.line_num
        if "unexpected end of data" in str(error):
            raise ConfigError(
                f"{path}: a quote opens and never closes; the last row that could be read ends "
                f"before line {line}."
            ) from None
        raise ConfigError(f"{path}: line {line} is no row of CSV: {error}.") from None


def read_header(path: Path, separator: str | None = None) -> list[str]:
    """The names of a file's columns.

    Args:
        path: the file.
        separator: between cells; None: it is found.

    Raises:
        ConfigError: there is no such file, it is empty, or it cannot be read.
    """
    dialect = find_dialect(path, separator)
    try:
        with path.open(newline="", encoding=dialect.encoding) as file:
            for _ in range(dialect.header_line - 1):
                file.readline()
            return [name.strip() for name in next(csv.reader(file, delimiter=dialect.separator))]
    except (OSError, UnicodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None


Positions = dict[str, list[int]]  # by option, which cells of a row are wanted


def _positions(
    header: list[str],
    wanted: Mapping[str, Sequence[str]],
    path: Path,
    repeated: Sequence[str],
) -> list[Positions]:
    """The wanted cells of a row, once for each time that `repeated` columns stand in it."""
    count = Counter(header)
    mistakes = []
    times: dict[str, list[int]] = {}
    for option, names in wanted.items():
        for name in names:
            if option in repeated:
                times[option] = _places(header, name)
                if len(times[option]) < 2:
                    mistakes.append(
                        f"--wide: {path.name} has not two columns '{name}' ({option}). A # stands "
                        f"for a number: 'Bidder # Amount'. {nearest(name, count)}"
                    )
            elif name not in count:
                mistakes.append(
                    f"{option}: {path.name} has no column '{name}'. {nearest(name, count)}"
                )
            elif count[name] > 1:
                mistakes.append(
                    f"{option}: {path.name} has {count[name]} columns '{name}'. If a row holds "
                    "several bids of one tender: --wide."
                )
    if len({len(places) for places in times.values()}) > 1:
        counts = ", ".join(f"{len(places)} of {option}" for option, places in times.items())
        mistakes.append(f"--wide: {path.name} has {counts}; as many of each are needed.")
    if mistakes:
        raise ConfigError(mistakes)
    own = {o: [header.index(n) for n in names] for o, names in wanted.items() if o not in times}
    if not times:
        return [own]
    count_of_each = len(next(iter(times.values())))
    return [
        own | {option: [places[k]] for option, places in times.items()}
        for k in range(count_of_each)
    ]


def _places(header: Sequence[str], name: str) -> list[int]:
    """Positions of all columns of one name, which may have a number behind it (`bid_2`).

    A `#` in the name stands for a number: `Bidder # Amount`.
    """
    if "#" in name and name not in header:
        numbered = re.compile(re.escape(name).replace(re.escape("#"), r"\d+"))
    else:
        numbered = re.compile(re.escape(name) + r"(?:[ _.-]?\d+)?")
    return [k for k, title in enumerate(header) if numbered.fullmatch(title)]


class _Texts:
    """The texts of a column as they are read: each is numbered where it first occurs."""

    def __init__(self) -> None:
        # Looking up a text that is new gives it the next number: its default is the length so far.
        self._number: defaultdict[str, int] = defaultdict()
        self._number.default_factory = self._number.__len__
        self._code = array("q")

    def extend(self, cells: Iterable[str]) -> None:
        """Add the cells of further rows."""
        self._code.extend(map(self._number.__getitem__, cells))

    def words(self) -> Words:
        """The column so far; blanks around texts are dropped, which can make two of them equal."""
        number: dict[str, int] = {}
        own = [number.setdefault(text.strip(), len(number)) for text in self._number]
        code = _ints(self._code)
        if len(number) < len(own):
            code = np.array(own, np.int64)[code]
        return Words(list(number), code)


@dataclass
class _Rows:
    """Reads the rows below a header."""

    path: Path
    dialect: Dialect
    rows: Any  # a csv.reader that has read the header
    width: int  # cells of the header

    def read(self, positions: Sequence[Positions]) -> RawColumns:
        """All rows; of one row of the file, one for each of `positions`, side by side."""
        rows, width = self.rows, self.width
        texts = {option: _Texts() for option in positions[0]}
        line, digest, short, long = array("q"), array("q"), array("q"), array("q")
        before = self.dialect.header_line - 1  # lines that the reader has not counted
        start = rows.line_num
        while chunk := list(islice(rows, CHUNK)):
            # The usual chunk: one line a row, as many cells as the header.
            if rows.line_num - start == len(chunk) and set(map(len, chunk)) == {width}:
                line.extend(range(before + start + 1, before + rows.line_num + 1))
            else:
                chunk = self._uncommon(chunk, before + start, line, short, long)
            start = rows.line_num
            digest.extend(map(hash, map(tuple, chunk)))
            for option, own in positions[0].items():
                places = [each[option] for each in positions]
                if len(own) > 1 or len(places) > 1:  # year-month-day, or several bids a row
                    texts[option].extend(
                        "-".join([row[k].strip() for k in place])
                        for row in chunk
                        for place in places
                    )
                else:
                    texts[option].extend(map(itemgetter(own[0]), chunk))
        is_short, is_long = np.zeros((2, len(line)), bool)
        is_short[short] = is_long[long] = True
        times = len(positions)
        # The several bids of one row of the file are no repetitions of one another.
        digests = np.repeat(_ints(digest), times)
        return RawColumns(
            cells={option: own.words() for option, own in texts.items()},
            line=np.repeat(_ints(line), times),
            digest=digests + np.tile(np.arange(times), len(line)),
            short=np.repeat(is_short, times),
            long=np.repeat(is_long, times),
            spare=width - len({k for each in positions for own in each.values() for k in own}),
            dialect=self.dialect,
        )

    def _uncommon(
        self,
        chunk: Sequence[list[str]],
        start: int,
        line: array[int],
        short: array[int],
        long: array[int],
    ) -> list[list[str]]:
        """The rows of a chunk of which some are blank, too short, too long, or take several lines.

        Args:
            chunk: as the reader gave it.
            start: number of the last line before it.
            line: the line where each row ends is appended.
            short: the numbers of rows that had too few cells are appended.
            long: those of rows that had too many, and something in them, are appended.

        Returns:
            The rows that are not blank, each with as many cells as the header or more.

        Raises:
            ConfigError: a stray quote makes one cell of several rows.
        """
        filled = []
        for row in chunk:
            first = start + 1
            start += 1 + sum(len(LINE_BREAK.findall(cell)) for cell in row)
            if start > first:
                self._check_quotes(row, first, start)
            if row:
                if len(row) < self.width:
                    short.append(len(line))
                elif any(cell.strip() for cell in row[self.width :]):
                    long.append(len(line))
                line.append(start)
                filled.append(row + [""] * (self.width - len(row)))
        return filled

    def _check_quotes(self, row: Sequence[str], first: int, last: int) -> None:
        """Refuse a cell that seems to hold whole rows.

        A cell with line breaks may be meant: a remark of several lines. It is a stray quote's if

        - the next quote stands in the same column n rows below: the cell holds exactly as many
          separators as n rows have, n * (width - 1);
        - a whole line within it has as many separators as a row;
        - the row has more cells than the header; or fewer, and this one holds separators.

        Raises:
            ConfigError: such a cell.
        """
        mark, usual = self.dialect.separator, self.width - 1
        for cell in row:
            _, *inside = LINE_BREAK.split(cell)
            held = cell.count(mark)
            whole_rows = held == len(inside) * usual or any(
                line.count(mark) == usual for line in inside[:-1]
            )
            other_length = len(row) > self.width or (held and len(row) < self.width)
            if inside and ((held and whole_rows) or other_length):
                raise ConfigError(
                    f"{self.path}: a quote that opens in line {first} closes in line {last} and "
                    "takes in the rows between them. Remove the quotes, or close the first."
                )


def _ints(numbers: array[int]) -> Ints:
    return np.frombuffer(numbers, np.int64) if numbers else np.empty(0, np.int64)
