"""Numbers as people write them: which mark is the decimal one, which separates thousands.

A column is read in one way: the one by which most of its cells are numbers. Where several ways read
equally many, they must agree on every number, else the user is asked. `1.023` beside `974`, for
example, is 1,023 or about 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import isfinite

NOT_A_NUMBER = float("nan")
# Blanks that may stand between thousands: the space, the no-break and the narrow no-break space.
SPACES = " \u00a0\u202f"
MARKS = {".": "point", ",": "comma"}  # decimal marks, in words


@dataclass(frozen=True)
class NumberFormat:
    """A way to write numbers.

    Attributes:
        decimal: the mark before decimals, a point or a comma.
        thousands: characters of which one kind may stand between thousands; empty: none may.
    """

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """A number in this way; where there are marks between thousands, one that has them."""
        decimals = rf"(?:{re.escape(self.decimal)}\d*)?"
        if not self.thousands:
            plain = rf"[-+]?(?:\d+{decimals}|{re.escape(self.decimal)}\d+)"
            return re.compile(rf"{plain}(?:[eE][-+]?\d+)?")
        # Groups of three digits with the same mark before each (\1); the first one does not begin
        # with 0.
        mark = rf"[{re.escape(self.thousands)}]"
        return re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:({mark})\d{{3}}(?:\1\d{{3}})*){decimals}")

    @cached_property
    def _whole(self) -> NumberFormat:
        """The same way without marks between thousands, for numbers that have none."""
        return NumberFormat(self.decimal)

    def read(self, text: str) -> float:
        """The number that a text stands for; NaN if it is none."""
        if self == PLAIN:  # the usual case, ten times as fast as by the pattern
            try:
                number = float(text)
            except ValueError:
                return NOT_A_NUMBER
            # Python also reads `nan`, `inf` and `1_000`.
            return number if isfinite(number) and "_" not in text else NOT_A_NUMBER
        if self._pattern.fullmatch(text) is None:
            return self._whole.read(text) if self.thousands else NOT_A_NUMBER
        for mark in self.thousands:
            text = text.replace(mark, "")
        return float(text.replace(self.decimal, "."))

    @property
    def text(self) -> str:
        """In words: `decimal comma, points between thousands`."""
        names = {"": "", ".": "points", ",": "commas", "'": "apostrophes", " ": "blanks"}
        between = names[self.thousands[:1]]
        ending = f", {between} between thousands" if between else ""
        return f"decimal {MARKS[self.decimal]}{ending}"


PLAIN = NumberFormat()
# All ways that are tried. Of several that read a column equally well, the first is used.
FORMATS: Sequence[NumberFormat] = (
    PLAIN,
    NumberFormat(","),
    NumberFormat(".", ","),
    NumberFormat(",", "."),
    NumberFormat(".", "'\u2019"),
    NumberFormat(",", "'\u2019"),
    NumberFormat(".", SPACES),
    NumberFormat(",", SPACES),
)


@dataclass(eq=False)
class TwoReadings(Exception):
    """A column can be read in two ways.

    Attributes:
        text: a cell that shows it.
        readings: each of the two ways, and the number that it reads in the cell.
    """

    text: str
    readings: tuple[tuple[NumberFormat, float], tuple[NumberFormat, float]]

    def __str__(self) -> str:
        ways = " or ".join(f"{number:g} ({way.text})" for way, number in self.readings)
        return f"'{self.text}' can be {ways}"


def find_number_format(texts: Iterable[str], decimal: str | None = None) -> NumberFormat:
    """The way by which most of a column's texts are numbers.

    Args:
        texts: its cells, without those that say nothing.
        decimal: the decimal mark, a point or a comma, where the user has told it.

    Raises:
        TwoReadings: two ways read equally many texts, and one text as different numbers.
    """
    # Every way reads digits alone as the same number.
    own = [text for text in dict.fromkeys(texts) if not text.isdecimal()]
    best: list[NumberFormat] = []  # ways with the fewest misses so far
    fewest = len(own)
    for way in FORMATS:
        if decimal in (None, way.decimal):
            misses = _misses(way, own, fewest)
            if misses < fewest:
                best, fewest = [], misses
            if misses == fewest:
                best.append(way)
    for one_way, other_way in combinations(best, 2):
        for text in own:
            one, other = one_way.read(text), other_way.read(text)
            if one != other and one == one and other == other:  # two numbers; NaN is none
                raise TwoReadings(text, ((one_way, one), (other_way, other)))
    return best[0]


def _misses(way: NumberFormat, texts: Sequence[str], most: int) -> int:
    """How many texts are no numbers in this way; above `most`, the rest is not counted."""
    misses = 0
    for text in texts:
        number = way.read(text)
        misses += number != number
        if misses > most:
            break
    return misses
