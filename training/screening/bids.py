"""A user's tenders from a CSV file, one bid a row; what is left out is told, and why.

    kept = read_bids(Path("bids.csv"), BidColumns(tender="pid", bid="norm_bid"))

A row is kept if every column that the user names can be read in it, if it is no row that stood
before, and if its tender keeps another bid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError

from .csv_columns import RawColumns, read_columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "."))
LONGEST = max(len(word) for word in MISSING)
SHOWN = 3  # lines named for each reason


@dataclass(frozen=True)
class BidColumns:
    """Which column holds what; `date` may be several, joined by commas: year,month,day."""

    tender: str
    bid: str
    bidder: str | None = None
    reserve: str | None = None
    date: str | None = None

    def wanted(self) -> dict[str, list[str]]:
        """Option -> columns, for `read_columns`."""
        named = {f"--{option}": [name] for option, name in vars(self).items() if name is not None}
        if self.date is not None:
            named["--date"] = self.date.split(",")
        return named


@dataclass(frozen=True)
class Reason:
    """How many rows were left out for it, and the lines of the first of them."""

    rows: int
    lines: list[int]


@dataclass(frozen=True)
class Bids:
    """Kept bids, B of them. Tenders are numbered in order of time; without dates, of the file."""

    tender: Ints  # [B]
    bid: Floats  # [B], as a share of the reserve where there is one
    bidder: Ints | None  # [B], positions in `bidders`
    bidders: list[str]
    dates: list[str] | None  # by tender's number, as written
    rows: int  # of the file
    left_out: dict[str, Reason]
    notes: list[str]


@dataclass
class _Sieve:
    """Which rows are still kept, and why others are not."""

    raw: RawColumns
    path: Path
    keep: Flags = field(init=False)
    left_out: dict[str, Reason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keep = np.ones(len(self.raw.line), bool)

    def leave(self, reason: str, bad: Flags) -> None:
        """Leave out the rows `[R]` that are bad and still kept."""
        bad = bad & self.keep
        if bad.any():
            lines = [int(x) for x in self.raw.line[bad][:SHOWN]]
            self.left_out[reason] = Reason(int(bad.sum()), lines)
            self.keep = self.keep & ~bad

    def readable(self, option: str, name: str, values: Floats, kind: str, advice: str) -> None:
        """Leave out rows whose cell is missing or gave NaN; refuse a column of mostly these."""
        cells = self.raw.cells[option]
        missing = _missing(cells)
        bad = ~missing & ~np.isfinite(values)
        if missing.all() or 2 * bad.sum() > (~missing).sum():
            k = int(np.flatnonzero(bad)[0]) if bad.any() else 0
            raise ConfigError(
                f"{option}: column '{name}' of {self.path.name} holds no {kind}s: "
                f"{bad.sum() + missing.sum():,} of {len(cells):,} cells are none (line "
                f"{self.raw.line[k]}: '{cells[k]}'). {advice}"
            )
        self.leave(f"no {name}", missing)
        self.leave(f"{name} is no {kind}", bad)


def read_bids(path: Path, columns: BidColumns) -> Bids:
    """Every usable bid of a file.

    Raises:
        ConfigError: no such file or column, a column of something else, or too little to use.
    """
    raw = read_columns(path, columns.wanted())
    if not len(raw.line):
        raise ConfigError(f"{path}: holds no rows below its header.")
    sieve = _Sieve(raw, path)
    sieve.leave("fewer cells than the header", raw.short)
    tender, _ = numbered(raw.cells["--tender"])
    sieve.leave(f"no {columns.tender}", _missing(raw.cells["--tender"]))
    bid = _amounts(sieve, "--bid", columns.bid)
    if columns.reserve is not None:
        reserve = _amounts(sieve, "--reserve", columns.reserve)
        sieve.leave("two reserves in its tender", _split(tender, reserve, sieve.keep))
        bid = bid / np.where(reserve > 0, reserve, np.nan)
    bidder, bidders = None, list[str]()
    if columns.bidder is not None:
        sieve.leave(f"no {columns.bidder}", _missing(raw.cells["--bidder"]))
        bidder, bidders = numbered(raw.cells["--bidder"])
    days = _days(sieve, columns.date) if columns.date is not None else None
    notes = _doubled(sieve, tender, bid, bidder)
    sieve.leave("the only bid of its tender", _alone(tender, sieve.keep))
    keep = sieve.keep
    if len(np.unique(tender[keep])) < 2:
        told = "; ".join(told_reasons(sieve.left_out)) or "none is left out"
        raise ConfigError(
            f"{path}: screens need two tenders with two bids or more; of {len(keep):,} rows "
            f"{keep.sum():,} can be used ({told})."
        )
    number, dates = _in_time(tender[keep], days, raw, keep)
    own = None if bidder is None else bidder[keep]
    return Bids(number, bid[keep], own, bidders, dates, len(keep), sieve.left_out, notes)


def told_reasons(left_out: Mapping[str, Reason]) -> list[str]:
    """`41 rows: no norm_bid (lines 57, 58, 99, ...)`"""
    told = []
    for reason, found in left_out.items():
        plural, more = "s" * (found.rows > 1), ", ..." if found.rows > len(found.lines) else ""
        lines = ", ".join(str(n) for n in found.lines)
        told.append(f"{found.rows:,} row{plural}: {reason} (line{plural} {lines}{more})")
    return told


def numbered(cells: Sequence[str]) -> tuple[Ints, list[str]]:
    """Words as numbers in order of first appearance, int64 `[R]`, and the words."""
    known: dict[str, int] = {}
    numbers = [known.setdefault(cell, len(known)) for cell in cells]
    return np.array(numbers, np.int64), list(known)


def _missing(cells: Sequence[str]) -> Flags:
    found = [len(cell) <= LONGEST and cell.lower() in MISSING for cell in cells]
    return np.array(found, bool)


def _amounts(sieve: _Sieve, option: str, name: str) -> Floats:
    values = np.array([_number(cell) for cell in sieve.raw.cells[option]], float)
    sieve.readable(option, name, values, "number", "Write numbers as 1234.5.")
    sieve.leave(f"{name} is not above 0", ~(values > 0))
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _split(tender: Ints, reserve: Floats, keep: Flags) -> Flags:
    """Rows of tenders whose kept rows name more than one reserve."""
    low, high = np.full(tender.max() + 1, np.inf), np.full(tender.max() + 1, -np.inf)
    np.minimum.at(low, tender[keep], reserve[keep])
    np.maximum.at(high, tender[keep], reserve[keep])
    found: Flags = (low < high)[tender]
    return found


def _alone(tender: Ints, keep: Flags) -> Flags:
    found: Flags = np.bincount(tender, keep, tender.max() + 1)[tender] < 2
    return found


def _doubled(sieve: _Sieve, tender: Ints, bid: Floats, bidder: Ints | None) -> list[str]:
    """Leave out rows that equal an earlier one in every cell, where that can only be a mistake."""
    notes = []
    again = _again(sieve.keep, sieve.raw.digest, bid, tender)
    if bidder is not None or sieve.raw.spare:
        sieve.leave("the same row again", again)
    elif again.any():
        notes.append(
            f"rows that equal an earlier one: {again.sum():,}, kept; the file has no column that "
            "could tell an equal bid from a row that stands twice"
        )
    if bidder is not None:
        second = int(_again(sieve.keep, bidder, tender).sum())
        if second:
            notes.append(f"bids of a bidder that has bid in the tender before: {second:,}, kept")
    return notes


def _again(keep: Flags, *keys: Ints | Floats) -> Flags:
    """Kept rows that have the same keys as an earlier kept one."""
    rows = np.flatnonzero(keep)
    order = rows[np.lexsort([key[rows] for key in keys])]
    same = np.ones(max(0, len(order) - 1), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    found = np.zeros(len(keep), bool)
    found[order[1:][same]] = True
    return found


# --- time -----------------------------------------------------------------------------------------

DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")


def day_of(cell: str) -> float:
    """2007-06-07, 2007/6/7 or 2007.6.7, with or without a time of day, as a number that grows with
    time; a plain number (a year, a week) as itself; NaN for what is neither."""
    match = DATE.fullmatch(cell)
    if not match:
        return _number(cell)
    try:
        return float(date(*map(int, match.groups())).toordinal())
    except ValueError:
        return float("nan")


def _days(sieve: _Sieve, name: str) -> Floats:
    cells = sieve.raw.cells["--date"]
    known = {cell: day_of(cell) for cell in set(cells)}
    days = np.array([known[cell] for cell in cells], float)
    advice = "Write dates as 2007-06-07, or name the columns of year, month and day: --date y,m,d."
    sieve.readable("--date", name, days, "date", advice)
    return days


def _in_time(
    tender: Ints, days: Floats | None, raw: RawColumns, keep: Flags
) -> tuple[Ints, list[str] | None]:
    """Tenders renumbered from 0, by their first day if there are any; and their dates."""
    _, number = np.unique(tender, return_inverse=True)
    if days is None:
        return number.astype(np.int64), None
    rows = np.flatnonzero(keep)
    order = np.lexsort((rows, days[rows], number))
    first = order[np.r_[True, number[order][1:] != number[order][:-1]]]  # one row a tender
    rank = np.argsort(days[rows[first]], kind="stable")
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    return place[number], [raw.cells["--date"][rows[k]] for k in first[rank]]
