"""A user's tenders from a CSV file, one bid a row; what is left out is counted, with its reason.

    bids = read_bids(Path("bids.csv"), BidColumns(tender="pid", bid="norm_bid"))

A row is kept if every column that the user names can be read in it, if it is no row that stood
before, and if its tender keeps another bid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.types import Bools, Floats, Ints
from tacit.training.user_files.column_formats import (
    date_format_of,
    number_format_of,
    read_numbers,
    read_seconds,
)
from tacit.training.user_files.csv_columns import RawColumns, read_columns
from tacit.training.user_files.date_format import rare_formats
from tacit.training.user_files.number_format import unit_of
from tacit.training.user_files.row_sieve import (
    LeftOut,
    RowSieve,
    reason_lines,
    telling_words,
)

FAR_APART = 10  # highest over lowest bid of a tender, above which a reader should look twice


@dataclass(frozen=True)
class BidColumns:
    """Which column of a file holds what.

    Attributes:
        tender: which tender the bid is for.
        bid: the amount; the lowest wins.
        bidder: who bid.
        reserve: the tender's reserve, of which bids become shares.
        date: one column, or several joined by commas: year,month,day.
        decimal: the decimal mark of amounts; None: it is found.
        dates: the format of dates (`user_files/date_format.py`); None: it is found.
        separator: between cells; None: it is found.
        wide: a row holds several bids of its tender, in columns of one name (or numbered).
        last: of the bids of a bidder in a tender only the last counts, by date or in order of the
            file.

    A tender or a date may need several columns, joined by commas: `notice,lot`, `year,month,day`.
    """

    tender: str
    bid: str
    bidder: str | None = None
    reserve: str | None = None
    date: str | None = None
    decimal: str | None = None
    dates: str | None = None
    separator: str | None = None
    wide: bool = False
    last: bool = False

    def by_option(self) -> dict[str, list[str]]:
        """Columns by option, for `read_columns`."""
        names = {"--tender": self.tender, "--bid": self.bid, "--bidder": self.bidder,
                 "--reserve": self.reserve, "--date": self.date}  # fmt: skip
        several = ("--tender", "--date")
        return {
            option: name.split(",") if option in several else [name]
            for option, name in names.items()
            if name is not None
        }


@dataclass(frozen=True)
class Bids:
    """The kept bids, B of them.

    Attributes:
        tender: the number of each bid's tender, int64 `[B]`; in order of time, without dates in
            order of the file.
        bid: the amounts, float64 `[B]`; shares of the reserve where there is one.
        bidder: the position in `bidders` of who bid, int64 `[B]`; None without that column.
        bidders: names.
        dates: of the tenders, by their number, as written; None without that column.
        rows: of the file.
        left_out: rows that are not kept, by reason.
        notes: what else the user should know.
        reading: how the file was read, in words.
    """

    tender: Ints
    bid: Floats
    bidder: Ints | None
    bidders: list[str]
    dates: list[str] | None
    rows: int
    left_out: dict[str, LeftOut]
    notes: list[str]
    reading: str = ""


def read_bids(path: Path, columns: BidColumns) -> Bids:
    """Every usable bid of a file.

    Raises:
        ConfigError: no such file or column, a column of something else, or too little to use.
    """
    repeated = [o for o in ("--bid", "--bidder") if columns.wide and o in columns.by_option()]
    raw = read_columns(path, columns.by_option(), columns.separator, repeated)
    if not len(raw.line):
        raise ConfigError(f"{path}: holds no rows below its header.")
    sieve = RowSieve(raw, path)
    sieve.leave_out("fewer cells than the header", raw.short)
    sieve.leave_out("more cells than the header", raw.long)
    tender = raw.cells["--tender"].code
    sieve.leave_out_missing("--tender", columns.tender)
    ways: dict[str, str] = {}  # how each column was read
    bid = _amounts(sieve, "--bid", columns.bid, columns.decimal, ways)
    if columns.reserve is not None:
        reserve = _amounts(sieve, "--reserve", columns.reserve, columns.decimal, ways)
        sieve.leave_out("two reserves in its tender", _two_reserves(tender, reserve, sieve.keep))
        bid = bid / np.where(reserve > 0, reserve, np.nan)
    bidder, bidders = None, list[str]()
    if columns.bidder is not None:
        sieve.leave_out_missing("--bidder", columns.bidder)
        bidder, bidders = raw.cells["--bidder"].code, raw.cells["--bidder"].words
    days = None
    if columns.date is not None:
        days = _days(sieve, columns.date, columns.dates, ways)
    if columns.last:
        if bidder is None:
            raise ConfigError("--last: needs --bidder, who bids again.")
        sieve.leave_out(
            "an earlier bid of its bidder", _bid_again(sieve.keep, bidder, tender, days)
        )
    notes = _leave_out_duplicates(sieve, tender, bid, bidder)
    sieve.leave_out("the only bid of its tender", _only_bids(tender, sieve.keep))
    keep = sieve.keep
    notes += _far_apart(tender[keep], bid[keep])
    if len(np.unique(tender[keep])) < 2:
        reasons = "; ".join(reason_lines(sieve.left_out)) or "none is left out"
        alone = sieve.left_out.get("the only bid of its tender", LeftOut(0, []))
        advice = ""
        if 2 * alone.rows > len(keep) and not columns.wide:
            advice = " If a row holds several bids of its tender: --wide, with --bid 'Bid #'."
        raise ConfigError(
            f"{path}: screens need two tenders with two bids or more; of {len(keep):,} rows "
            f"{keep.sum():,} can be used ({reasons}).{advice}"
        )
    number, dates = _tenders_in_time(tender[keep], days, raw, keep)
    return Bids(
        tender=number,
        bid=bid[keep],
        bidder=None if bidder is None else bidder[keep],
        bidders=bidders,
        dates=dates,
        rows=len(keep),
        left_out=sieve.left_out,
        notes=notes,
        reading=_reading(raw, ways, bid, keep),
    )


def _reading(raw: RawColumns, ways: Mapping[str, str], bid: Floats, keep: Bools) -> str:
    """How the file was read, and its first kept row as an example."""
    first = int(np.flatnonzero(keep)[0])
    row = [f"tender {raw.cells['--tender'].at(first)}", f"bid {bid[first]:,.10g}"]
    if "--date" in raw.cells:
        row.append(f"date {raw.cells['--date'].at(first)}")
    parts = [raw.dialect.text, *(f"{name}: {way}" for name, way in ways.items())]
    return f"{'; '.join(parts)}; line {raw.line[first]}: {', '.join(row)}"


def _amounts(
    sieve: RowSieve, option: str, name: str, decimal: str | None, ways: dict[str, str]
) -> Floats:
    """Amounts of all rows, float64 `[R]`; rows without one that is above 0 are left out."""
    cells = sieve.raw.cells[option]
    way = number_format_of(option, name, telling_words(cells), decimal)
    ways[name] = way.text
    values = read_numbers(cells, way)
    if not way.unit:
        named = cells.each(lambda word: bool(unit_of(word))) > 0
        if named.any() and 2 * named.sum() < len(named):
            sieve.leave_out(f"{name} names a unit, most others none", named)
    sieve.leave_out_unreadable(option, name, values, "number", "Write numbers as 1234.5.")
    sieve.leave_out(f"{name} is not above 0", ~(values > 0))
    return values


def _two_reserves(tender: Ints, reserve: Floats, keep: Bools) -> Bools:
    """Rows of tenders whose kept rows name more than one reserve, bool `[R]`."""
    low, high = np.full(tender.max() + 1, np.inf), np.full(tender.max() + 1, -np.inf)
    np.minimum.at(low, tender[keep], reserve[keep])
    np.maximum.at(high, tender[keep], reserve[keep])
    found: Bools = (low < high)[tender]
    return found


def _far_apart(tender: Ints, bid: Floats) -> list[str]:
    """A note where many tenders hold bids of different orders of magnitude.

    `tender` int64 and `bid` float64: of the kept rows, `[B]`.
    """
    _, number = np.unique(tender, return_inverse=True)
    low, high = np.full((2, number.max(initial=-1) + 1), np.nan)
    np.fmin.at(low, number, bid)
    np.fmax.at(high, number, bid)
    many = int((high >= FAR_APART * low).sum())
    if 10 * many < len(low):
        return []
    return [
        f"in {many:,} of {len(low):,} tenders the highest bid is {FAR_APART} times the lowest or "
        "more: does one tender stand for several (--tender notice,lot), or is a point or comma "
        "misread (--decimal)?"
    ]


def _only_bids(tender: Ints, keep: Bools) -> Bools:
    """Rows of tenders that keep fewer than two, bool `[R]`."""
    found: Bools = np.bincount(tender, keep, tender.max() + 1)[tender] < 2
    return found


# --- duplicates -----------------------------------------------------------------------------------


def _leave_out_duplicates(
    sieve: RowSieve, tender: Ints, bid: Floats, bidder: Ints | None
) -> list[str]:
    """Leave out rows that equal an earlier one in every cell, where that can only be a mistake.

    Without a column that could tell two equal bids of a tender apart, such rows may be two bids.

    Returns:
        Notes about what was kept.
    """
    notes = []
    same_row = _repeated(sieve.keep, sieve.raw.digest, bid, tender)
    if bidder is not None or sieve.raw.spare:
        sieve.leave_out("the same row again", same_row)
    elif same_row.any():
        notes.append(
            f"rows that equal an earlier one: {same_row.sum():,}, kept; the file has no column "
            "that could tell an equal bid from a row that stands twice"
        )
    if bidder is not None:
        second = int(_repeated(sieve.keep, bidder, tender).sum())
        if second:
            notes.append(f"bids of a bidder that has bid in the tender before: {second:,}, kept")
    return notes


def _bid_again(keep: Bools, bidder: Ints, tender: Ints, days: Floats | None) -> Bools:
    """Kept rows whose bidder bids in the tender once more later on, bool `[R]`."""
    rows = np.flatnonzero(keep)
    when = (days[rows],) if days is not None else ()
    order = rows[np.lexsort((rows, *when, bidder[rows], tender[rows]))]
    again = (bidder[order[1:]] == bidder[order[:-1]]) & (tender[order[1:]] == tender[order[:-1]])
    found = np.zeros(len(keep), bool)
    found[order[:-1][again]] = True
    return found


def _repeated(keep: Bools, *keys: Ints | Floats) -> Bools:
    """Kept rows that have the same keys as an earlier kept one, bool `[R]`; keys are `[R]` each."""
    rows = np.flatnonzero(keep)
    # lexsort is stable: among rows with the same keys, the first of the file stays first.
    order = rows[np.lexsort([key[rows] for key in keys])]
    same = np.ones(max(0, len(order) - 1), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    found = np.zeros(len(keep), bool)
    found[order[1:][same]] = True
    return found


# --- time -----------------------------------------------------------------------------------------


def _days(sieve: RowSieve, name: str, told: str | None, ways: dict[str, str]) -> Floats:
    """Dates of all rows as numbers, float64 `[R]`; rows without one are left out."""
    cells = sieve.raw.cells["--date"]
    way = date_format_of("--date", name, telling_words(cells), told)
    ways[name] = way.name
    days = read_seconds(cells, way)
    advice = (
        "Name their format, such as --dates DD/MM/YYYY or --dates %m.%Y, or the columns of year, "
        "month and day: --date y,m,d."
    )
    unread = (cells.words[k] for k in np.unique(cells.code[~np.isfinite(days)]))
    rare = next((found for word in unread if (found := rare_formats(word))), "")
    advice += f" Here it may be {rare}." if rare else ""
    sieve.leave_out_unreadable("--date", name, days, "date", advice)
    return days


def _tenders_in_time(
    tender: Ints, days: Floats | None, raw: RawColumns, keep: Bools
) -> tuple[Ints, list[str] | None]:
    """Number tenders from 0, by their first day if there are any.

    Args:
        tender: of the kept rows, int64 `[B]`.
        days: of all rows, float64 `[R]`.
        raw: the file.
        keep: bool `[R]`.

    Returns:
        The new numbers, int64 `[B]`, and the tenders' dates in this order.
    """
    _, number = np.unique(tender, return_inverse=True)
    if days is None:
        return number.astype(np.int64), None
    rows = np.flatnonzero(keep)
    order = np.lexsort((rows, days[rows], number))
    # The first row of every tender in this order is the one with its first day.
    first = order[np.r_[True, number[order][1:] != number[order][:-1]]]
    rank = np.argsort(days[rows[first]], kind="stable")
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    return place[number], [raw.cells["--date"].at(rows[k]) for k in first[rank]]
