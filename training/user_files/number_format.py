"""Numbers as people write them: which mark is the decimal one, which separates thousands.

A column is read in one way: the one by which most of its cells are numbers. Where several ways read
equally many, they must agree on every number, else the user is asked. `1.023` beside `974`, for
example, is 1,023 or about 1. A few cells do not decide that: of numbers with three decimals every
tenth ends in a zero, which is mostly not written, so a column with hardly a number of fewer
decimals is asked about as well.

A unit may stand with the number: a currency before it or behind, `$1,234.50`, `950 EUR`; a short
word or % behind, `3.5 kW`. It is read where most cells name it and none names another.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
        unit: a sign or word that may stand with the number; empty: none may.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

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

    @cached_property
    def _without_unit(self) -> NumberFormat:
        return NumberFormat(self.decimal, self.thousands)

    def read(self, text: str) -> float:
        """The number that a text stands for; NaN if it is none."""
        if self.unit:
            return self._without_unit.read(_split_unit(text, self.unit))
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
        ending += f", in {self.unit}" if self.unit else ""
        return f"decimal {MARKS[self.decimal]}{ending}"


PLAIN = NumberFormat()
FEW = 0.02  # share of a column's texts that do not decide between two ways
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


@dataclass(eq=False)
class TwoUnits(Exception):
    """The numbers of a column are in several units.

    Attributes:
        found: the units, the most frequent first.
    """

    found: Sequence[str]

    def __str__(self) -> str:
        return f"numbers are in several units: {', '.join(self.found)}"


def find_number_format(texts: Iterable[str], decimal: str | None = None) -> NumberFormat:
    """The way by which most of a column's texts are numbers.

    Args:
        texts: its cells, without those that say nothing.
        decimal: the decimal mark, a point or a comma, where the user has told it.

    Raises:
        TwoReadings: two ways read (nearly) equally many texts, and one text as different numbers.
        TwoUnits: most name one, and not all the same.
    """
    own = list(dict.fromkeys(texts))
    unit = _unit(own)
    if unit:
        own = list(dict.fromkeys(_split_unit(text, unit) for text in own))
    # Every way reads digits alone as the same number.
    own = [text for text in own if not text.isdecimal()]
    few, fewest = int(FEW * len(own)), len(own)
    misses: dict[NumberFormat, int] = {}
    for way in FORMATS:
        if decimal in (None, way.decimal):
            misses[way] = _misses(way, own, fewest + few)
            fewest = min(fewest, misses[way])
    best = [way for way, count in misses.items() if count == fewest]
    near = [way for way, count in misses.items() if count <= fewest + few]
    for one_way, other_way in combinations(near, 2):
        for text in own:
            one, other = one_way.read(text), other_way.read(text)
            if one != other and one == one and other == other:  # two numbers; NaN is none
                raise TwoReadings(text, ((one_way, one), (other_way, other)))
    return replace(best[0], unit=unit)


def _misses(way: NumberFormat, texts: Sequence[str], most: int) -> int:
    """How many texts are no numbers in this way; above `most`, the rest is not counted."""
    misses = 0
    for text in texts:
        number = way.read(text)
        misses += number != number
        if misses > most:
            break
    return misses


# --- units ---------------------------------------------------------------------------------------

BEFORE = re.compile(r"([^\W\d_]{3}|[^\w\s.,+'-])\s?[-+]?\.?\d.*")
BEHIND = re.compile(r".*\d[.,]?\s?([^\W\d_]{1,5}|[^\w\s.,+'-])")
CODE = re.compile(r"[A-Z]{3}")  # of a currency, as in ISO 4217


def unit_of(text: str) -> str:
    """The currency or other unit that a number names, as it is written; empty if it names none."""
    if text[:1].isdecimal() and text[-1:].isdecimal():  # the usual case, ten times as fast
        return ""
    before, behind = BEFORE.fullmatch(text.lstrip("+-")), BEHIND.fullmatch(text)
    if before is not None and behind is None:
        sign = before[1]
        return sign if CODE.fullmatch(sign) or _is_currency(sign[0]) else ""
    if behind is not None and before is None:
        sign = behind[1]
        return sign if sign[0].isalpha() or sign == "%" or _is_currency(sign) else ""
    return ""


def _is_currency(sign: str) -> bool:
    return unicodedata.category(sign) == "Sc"


def _split_unit(text: str, unit: str) -> str:
    """The text without its unit; a sign before that stays: `-$5` is -5."""
    if text[:1] in ("-", "+") and text[1:].startswith(unit):
        return text[0] + text[1:].removeprefix(unit).strip()
    return text.removeprefix(unit).removesuffix(unit).strip()


def _unit(texts: Sequence[str]) -> str:
    """The unit that at least half of the texts name.

    Raises:
        TwoUnits: at least half of the texts name one, and not all the same.
    """
    found = Counter(unit_of(text) for text in texts)
    named = len(texts) - found.pop("", 0)
    if 2 * named < len(texts) or not found:
        return ""
    if len(found) > 1:
        raise TwoUnits([name for name, _ in found.most_common(3)])
    return next(iter(found))
