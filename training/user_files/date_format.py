"""Dates as people write them: which comes first, day or month, and what a plain number counts.

A column is read in one way: the one by which most of its cells are dates. `03/04/2021` is the third
of April or the fourth of March: where no other cell of the column shows which, the user is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import combinations

from tacit.envs.errors import ConfigError, nearest

NOT_A_DATE = (float("nan"), float("nan"))
DAY = 86_400  # seconds
CACHED = 1 << 16  # texts of a format whose moments are remembered
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Seconds since 1970 in UTC, and by how many seconds the clock that wrote the text was ahead of UTC.
# Of the format `index`: the number itself, and 0.
Moment = tuple[float, float]

# A time of day and an offset from UTC behind a date; both may be missing.
CLOCK = (
    r"(?:(?:[T ]|, )(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?(?: ?(?P<half>[AaPp])[Mm])?)?"
    r"(?: ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?"
)


@dataclass(frozen=True)
class DateFormat:
    """A way to write dates.

    Attributes:
        name: what the user calls it, as in `--dates DD/MM/YYYY`.
        read: gives the moment of a text; NOT_A_DATE if the text is no date of this format.
    """

    name: str
    read: Callable[[str], Moment]


def _by_pattern(pattern: str, order: str) -> Callable[[str], Moment]:
    """A reader of dates.

    Args:
        pattern: a regular expression of a date, with three groups.
        order: which group is year, month, day: `ymd`, `dmy` or `mdy`.
    """
    compiled = re.compile(pattern + CLOCK)

    @lru_cache(maxsize=CACHED)
    def read(text: str) -> Moment:
        match = compiled.fullmatch(text)
        if match is None:
            return NOT_A_DATE
        parts = dict(zip(order, match.groups()[:3], strict=True))
        month = parts["m"]
        try:
            number = int(month) if month.isdigit() else MONTHS.index(month[:3].lower()) + 1
            return _moment(int(parts["y"]), number, int(parts["d"]), match)
        except (ValueError, OverflowError):
            return NOT_A_DATE

    return read


def _moment(year: int, month: int, day: int, match: re.Match[str]) -> Moment:
    """The moment of a date whose time of day and offset a match of CLOCK holds.

    Raises:
        ValueError: there is no such day or time.
    """
    hour, half = int(match["hour"] or 0), (match["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a half day")
        hour = hour % 12 + 12 * (half == "p")
    part = float(f"0.{match['part'] or 0}")
    shown = datetime(
        year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0), tzinfo=UTC
    )
    zone = match["zone"]
    ahead = 0.0
    if zone and zone not in ("Z", "UTC"):
        digits = zone[1:].replace(":", "")
        ahead = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1.0 if zone[0] == "-" else 1.0)
    return shown.timestamp() + part - ahead, ahead


NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def _counted(unit: float) -> Callable[[str], Moment]:
    """A reader of plain numbers that count units of so many seconds since 1970."""

    def read(text: str) -> Moment:
        return (float(text) * unit, 0.0) if NUMBER.fullmatch(text) else NOT_A_DATE

    return read


def _whole_number(text: str) -> Moment:
    """A year, a number of a week or a row: a number that stands for itself."""
    return (float(text), 0.0) if re.fullmatch(r"[-+]?\d+(?:\.0*)?", text) else NOT_A_DATE


YEAR, ONE, TWO, NAME = r"(\d{4})", r"(\d{1,2})", r"(\d\d)", r"([A-Za-z]{3,9})"
ISO = DateFormat("YYYY-MM-DD", _by_pattern(f"{YEAR}[-/.]{ONE}[-/.]{ONE}", "ymd"))
# With points between its parts a date has the day first, so MONTH_FIRST does not allow them.
DAY_FIRST = DateFormat("DD/MM/YYYY", _by_pattern(f"{ONE}[-/.]{ONE}[-/.]{YEAR}", "dmy"))
MONTH_FIRST = DateFormat("MM/DD/YYYY", _by_pattern(f"{ONE}[-/]{ONE}[-/]{YEAR}", "mdy"))
INDEX = DateFormat("index", _whole_number)
EPOCH = DateFormat("epoch", _counted(1.0))
# In the order in which they are tried; of several that read a column alike, the first is used.
KNOWN: Sequence[DateFormat] = (
    ISO,
    DateFormat("YYYYMMDD", _by_pattern(f"((?:19|20)\\d\\d){TWO}{TWO}", "ymd")),
    DAY_FIRST,
    MONTH_FIRST,
    DateFormat("DD Mon YYYY", _by_pattern(f"{ONE}[- .]+{NAME}[- .,]+{YEAR}", "dmy")),
    DateFormat("Mon DD, YYYY", _by_pattern(f"{NAME}[- .]+{ONE}[ ,]+{YEAR}", "mdy")),
    EPOCH,
    DateFormat("epoch_ms", _counted(1e-3)),
    DateFormat("epoch_us", _counted(1e-6)),
    INDEX,
)
# Those that are tried on a column. What a plain number counts is found by `_counted_format`.
FOUND = [form for form in KNOWN if form not in (EPOCH, INDEX) and "epoch" not in form.name]
# A plain number counts seconds, milliseconds or microseconds if it then lies between these years.
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1990, 2100))


def format_named(name: str) -> DateFormat:
    """The format that a user names: one of `KNOWN`, or a format of Python's `strptime`.

    Raises:
        ConfigError: it is neither.
    """
    for known in KNOWN:
        if known.name.lower() == name.lower():
            return known
    if "%" not in name:
        names = [known.name for known in KNOWN]
        raise ConfigError(
            f"--dates: unknown '{name}'. {nearest(name, names)} Or a format as of Python's "
            "strptime, such as %d.%m.%Y."
        )

    @lru_cache(maxsize=CACHED)
    def read(text: str) -> Moment:
        try:
            moment = datetime.strptime(text, name)
        except ValueError:
            return NOT_A_DATE
        ahead = (moment.utcoffset() or timedelta()).total_seconds()
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.timestamp(), ahead

    return DateFormat(name, read)


# Ways to write dates that are not tried, as their years have two digits or they name no day.
RARE = ("%d-%b-%y", "%d %b %y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%m.%Y", "%m/%Y", "%Y-%m",
        "%Y.%m", "%b %Y", "%b-%y", "%B %Y")  # fmt: skip


def rare_formats(text: str) -> str:
    """The formats of `RARE` in which a text may be a date: `--dates %m.%Y`; empty if there is none.

    Those that agree about the day are named by the first.
    """
    days: dict[object, str] = {}
    for name in RARE:
        try:
            days.setdefault(datetime.strptime(text, name), name)
        except ValueError:
            continue
    return " or ".join(f"--dates {name}" for name in days.values())


@dataclass(eq=False)
class TwoDates(Exception):
    """A column can be read in two ways.

    Attributes:
        text: a cell that shows it.
        readings: each of the two ways, and the day that it reads in the cell.
    """

    text: str
    readings: tuple[tuple[DateFormat, date], tuple[DateFormat, date]]

    def __str__(self) -> str:
        ways = " or ".join(f"{day.isoformat()} ({way.name})" for way, day in self.readings)
        return f"'{self.text}' can be {ways}"


def find_date_format(texts: Iterable[str]) -> DateFormat:
    """The way by which most of a column's texts are dates.

    Args:
        texts: its cells, without those that say nothing.

    Raises:
        TwoDates: two ways read equally many texts, and one text as different moments.
    """
    own = list(dict.fromkeys(texts))
    if (counted := _counted_format(own)) is not None:
        return counted
    counts = {form: sum(_is_date(form.read(text)) for text in own) for form in FOUND}
    most = max(counts.values(), default=0)
    best = [form for form, count in counts.items() if count == most]
    for first, form in combinations(best, 2):
        for text in own:
            one, other = first.read(text), form.read(text)
            if _is_date(one) and _is_date(other) and one != other:
                days = [datetime.fromtimestamp(moment[0], UTC).date() for moment in (one, other)]
                raise TwoDates(text, ((first, days[0]), (form, days[1])))
    return best[0]


def _is_date(moment: Moment) -> bool:
    return moment[0] == moment[0]


def _counted_format(texts: Sequence[str]) -> DateFormat | None:
    """What a column of plain numbers counts.

    Returns:
        None where most texts are no plain numbers, or are days in eight digits.
    """
    numbers = [float(text) for text in texts if NUMBER.fullmatch(text)]
    whole = [number for number in numbers if number.is_integer()]
    if 2 * len(numbers) <= len(texts):
        return None
    for form, unit in (("epoch", 1.0), ("epoch_ms", 1e-3), ("epoch_us", 1e-6)):
        if all(EARLIEST <= number * unit <= LATEST for number in numbers):
            return format_named(form)
    if 2 * len(whole) <= len(texts) or _are_days(texts):
        return None
    return INDEX


def _are_days(texts: Sequence[str]) -> bool:
    """Whether most texts are days in eight digits (YYYYMMDD)."""
    eight = format_named("YYYYMMDD")
    return 2 * sum(_is_date(eight.read(text)) for text in texts) > len(texts)
