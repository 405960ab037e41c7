"""How a user's CSV file is written: its encoding, its separator, and the line that names columns.

Spreadsheets write a byte-order mark, a title above the header, semicolons where the comma is the
decimal mark, and often a code page in place of UTF-8, of which the Western one is read. What was
found is part of the line that the user is shown (`Dialect.text`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tacit.envs.errors import ConfigError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LOOKED_AT = 100  # lines at the beginning from which separator and header are found
# Byte-order marks, and the encodings that they mean; the longer ones first.
MARKS = {
    b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16",
}  # fmt: skip
WITHOUT_MARK = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")  # known by their zero bytes
CODE_PAGE = "cp1252"  # of Western spreadsheets; all but five bytes are characters in it


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Attributes:
        encoding: as Python names it.
        separator: one character.
        header_line: number of the line that names the columns, counted from 1.
    """

    encoding: str
    separator: str
    header_line: int

    @property
    def text(self) -> str:
        """In words: `semicolons, names in line 3`."""
        parts = [f"{SEPARATORS.get(self.separator, repr(self.separator))}s"]
        if self.header_line > 1:
            parts.append(f"names in line {self.header_line}")
        if self.encoding == CODE_PAGE:
            parts.append("not UTF-8: read as Windows-1252")
        return ", ".join(parts)


def find_dialect(path: Path, separator: str | None = None) -> Dialect:
    """How a file is written, from its first lines.

    Args:
        path: the file.
        separator: the one to use, one character; None: the one that splits most lines into equally
            many cells.

    Raises:
        ConfigError: there is no such file, it is empty, or it cannot be read; or the separator is
            not one character.
    """
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ConfigError(f"--separator: must be one character, got {separator!r}.")
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file.")
    try:
        encoding = _encoding(path)
        with path.open(newline="", encoding=encoding) as file:
            lines = list(islice(file, LOOKED_AT))
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    if not any(line.strip() for line in lines):
        raise ConfigError(f"{path}: is empty; its first line must name the columns.")
    skipped = 0
    told = lines[0].strip().lower()
    if told.startswith("sep=") and len(told) == 5:  # a first line by which Excel is told
        skipped, separator = 1, separator or told[-1]
    own = lines[skipped:]
    chosen = separator or max(SEPARATORS, key=lambda mark: _alike(own, mark))
    return Dialect(encoding, chosen, skipped + _header(own, chosen))


def _encoding(path: Path) -> str:
    """The encoding: by the byte-order mark; else UTF-8, if the whole file is; else CODE_PAGE.

    Raises:
        ConfigError: it holds zero bytes, as no text does.
    """
    with path.open("rb") as file:
        head = file.read(1000)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _wide_encoding(path, head)
    with path.open(encoding="utf-8") as text:
        try:
            while text.read(1 << 20):
                pass
        except UnicodeDecodeError:
            return CODE_PAGE
    return "utf-8"


def _wide_encoding(path: Path, head: bytes) -> str:
    """The encoding of a file without a mark whose letters take two or four bytes.

    Raises:
        ConfigError: it holds zero bytes for another reason.
    """
    for name in WITHOUT_MARK:
        try:
            text = head[: len(head) // 4 * 4].decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and any(mark in text for mark in SEPARATORS):
            return name
    raise ConfigError(f"{path}: holds zero bytes, so it is no text. Export it as CSV, UTF-8.")


def _cells(line: str, separator: str) -> list[str]:
    """The cells of one line; a quote that is still open at its end is taken to end there."""
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        return []


def _alike(lines: Sequence[str], separator: str) -> tuple[int, int]:
    """How many lines have the most frequent number of cells that is two or more, and that number.

    The separator for which this pair is largest is taken.
    """
    widths = Counter(len(_cells(line, separator)) for line in lines)
    usual = Counter({width: n for width, n in widths.items() if width > 1}).most_common(1)
    return (usual[0][1], usual[0][0]) if usual else (0, 0)


def _header(lines: Sequence[str], separator: str) -> int:
    """The number, from 1, of the first line with as many cells as most lines, over half not empty.

    A title above a table has fewer cells, or cells that a spreadsheet left empty.
    """
    rows = [_cells(line, separator) for line in lines]
    widths = Counter(len(row) for row in rows if row)
    usual = max(widths.items(), key=lambda pair: (pair[1], pair[0]))[0]
    for number, row in enumerate(rows, 1):
        named = sum(bool(cell.strip()) for cell in row)
        # Rows may be cut short: a line with more cells than most can be the header as well.
        if len(row) >= usual and 2 * named > usual:
            return number
    return 1
