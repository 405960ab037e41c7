"""CSV files whose truth is known, as the fuzzer wrote them: bids for `screen`, series for
`calibrate`.

Encodings, separators, quotes, line ends, marks in numbers, currencies, formats of dates, titles,
totals, remarks, sizes; and damage: cut rows, texts among numbers, stray quotes, rows twice. A file
is refused (or the user is asked), or every row is accounted for, and what was read is what was
written: amounts to the last digit, which bids are of one tender, and the order of dates.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from fuzz.trial import Outcome, luck_of

from tacit.envs.errors import ConfigError
from tacit.training.calibrate.data_file import Column, read_data
from tacit.training.screening.bid_file import BidColumns, Bids, read_bids

ENCODINGS = ("utf-8",) * 6 + ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1",
             "cp1250", "shift_jis", "mac_roman")  # fmt: skip
SEPARATORS = (",", ",", ";", ";", "\t", "|")
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y",
         "%b %d, %Y", "%Y-%m-%dT%H:%M:%S", "%d.%m.%y", "%m.%Y", "epoch", "index")  # fmt: skip
CURRENCIES = ("",) * 8 + ("$", "€", " EUR", " zł")
FIRMS = (
    "Alder",
    "Birch & Co",
    "Ceda, r",
    "D;ogwood",
    "Élan",
    'F"ir',
    "Gum\nTree",
    " Holly ",
    "-",
    "0",
)
# What stands where an amount should.
NO_AMOUNT = ("", "n/a", "withdrawn", "0", "-1", "-", "1..2", "TBD", "=A1", "#REF!", "12,34,5")
WANTED = (Column("time", "date", "when"), Column("value", "amount", "how much"))


@dataclass(frozen=True)
class Way:
    """How a file is written.

    Attributes:
        encoding: of the file.
        separator: between cells.
        decimal: the decimal mark.
        thousands: the mark between thousands; empty: none.
        digits: decimals of amounts.
        currency: in front of amounts, or, if it begins with a space, behind.
        dates: a format of strptime, `epoch` or `index`.
        end: of lines.
        all_quoted: every cell is quoted, not only those that must be.
    """

    encoding: str
    separator: str
    decimal: str
    thousands: str
    digits: int
    currency: str
    dates: str
    end: str
    all_quoted: bool

    def amount(self, number: float) -> str:
        """An amount as this file writes it."""
        text = f"{number:,.{self.digits}f}".replace(",", "\0").replace(".", self.decimal)
        text = text.replace("\0", self.thousands)
        behind = self.currency.startswith(" ")
        return text + self.currency if behind else self.currency + text

    def date(self, moment: datetime) -> str:
        """A date as this file writes it."""
        if self.dates == "epoch":
            return str(int((moment - datetime(1970, 1, 1)).total_seconds()))
        if self.dates == "index":
            return str((moment - datetime(2021, 1, 1)).days)
        return moment.strftime(self.dates)

    def line(self, cells: list[str]) -> str:
        """Cells as a line."""
        return self.separator.join(self.cell(text) for text in cells) + self.end

    def cell(self, text: str) -> str:
        """A cell, quoted if it must be."""
        must = self.all_quoted or any(c in text for c in (self.separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if must else text


def _way(luck: random.Random) -> Way:
    decimal, thousands = luck.choice(((".", ""), (".", ""), (",", ""), (".", ","), (",", "."),
                                      (",", " "), (".", "'"), (",", "\u202f")))  # fmt: skip
    return Way(
        luck.choice(ENCODINGS), luck.choice(SEPARATORS), decimal, thousands,
        luck.choice((0, 0, 1, 2, 2, 2, 3)), luck.choice(CURRENCIES), luck.choice(DATES),
        luck.choice(("\n", "\n", "\r\n", "\r")), luck.random() < 0.2,
    )  # fmt: skip


def tables(folder: Path, count: int, first: int = 0) -> list[Outcome]:
    """`count` files, two thirds of bids and one third of series, from seed `first` on."""
    expected = "refused, or every row accounted for and every value as it was written"
    bids, series = Outcome("CSV files of bids", expected), Outcome("CSV files of series", expected)
    path = folder / "fuzzed.csv"
    for seed in range(first, first + count):
        luck = luck_of("tables", seed)
        if seed % 3:
            bids.count(seed, lambda luck=luck: _try_bids(path, luck))
        else:
            series.count(seed, lambda luck=luck: _try_series(path, luck))
    return [bids, series]


# --- bids ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row as it was meant.

    Attributes:
        tender: its tender.
        day: of the tender.
        firm: who bid.
        bid: the amount, as many decimals as are written; None: it says none.
    """

    tender: str
    day: datetime
    firm: str
    bid: float | None


def _bid_rows(luck: random.Random, way: Way) -> list[Row]:
    """Tenders of one to seven bids, some of which are none; no two bids are equal."""
    rows, wrong, used = [], luck.choice((0.0, 0.0, 0.05, 0.3)), set[float]()
    tenders = luck.choice((1, 2, 5, 20, 60, 60, 300))
    for t in range(tenders):
        day = datetime(2021, 1, 1) + timedelta(days=luck.randrange(1_000))
        size = 10 ** luck.uniform(1, 6)
        for k in range(luck.randint(1, len(FIRMS))):
            bid = round(size * luck.uniform(0.9, 1.1), way.digits)
            while bid in used:
                bid = round(bid + 10.0**-way.digits, way.digits)
            used.add(bid)
            rows.append(Row(f"T{t:03}", day, FIRMS[k], None if luck.random() < wrong else bid))
    return rows


def _try_bids(path: Path, luck: random.Random) -> str:
    way = _way(luck)
    rows = _bid_rows(luck, way)
    names = ["tender", "day", "firm", "bid", *["remark"] * (luck.random() < 0.4)]
    lines = [way.line(_cells(luck, way, row, len(names))) for row in rows]
    count = len(rows)
    if luck.random() < 0.15:  # a row that stands twice
        lines.append(lines[0])
        count += 1
    if luck.random() < 0.15:  # a total
        total = sum(row.bid or 0.0 for row in rows)
        lines.append(way.line(["Total", "", "", way.amount(total), *[""] * (len(names) - 4)]))
        count += 1
    broken = luck.random() < 0.1
    if broken:  # a stray quote
        k = luck.randrange(len(lines))
        place = luck.randrange(len(lines[k]))
        lines[k] = lines[k][:place] + '"' + lines[k][place:]
    cut = luck.random() < 0.1
    if cut:  # a row that is cut short
        k = luck.randrange(len(lines))
        lines[k] = way.separator.join(lines[k].split(way.separator)[:2]).rstrip("\r\n") + way.end
    title = luck.choice(
        ("", "", "", f"Tenders 2021{way.end}{way.end}", f"sep={way.separator}{way.end}")
    )
    blank = way.end * luck.choice((0, 0, 1, 3))
    text = title + way.line(names) + "".join(lines) + blank
    if not _write(path, text, way):
        return "could not be written"
    columns = BidColumns("tender", "bid", "firm", date="day")
    try:
        found = read_bids(path, columns)
    except ConfigError:
        return "refused"
    return _bids_failure(found, rows, way, count, broken or cut) or "read"


def _cells(luck: random.Random, way: Way, row: Row, width: int) -> list[str]:
    amount = luck.choice(NO_AMOUNT) if row.bid is None else way.amount(row.bid)
    cells = [row.tender, way.date(row.day), row.firm, amount]
    remarks = ("", "", "ok", "late, by a day", "two\nlines", 'said "no"', "a; b")
    return cells + [luck.choice(remarks) for _ in range(width - 4)]


def _bids_failure(found: Bids, rows: list[Row], way: Way, count: int, cut: bool) -> str | None:
    """What is wrong with bids that were read; None if nothing is.

    Args:
        found: what was read.
        rows: what was meant.
        way: how it was written.
        count: rows in the file.
        cut: a row may have been cut short or had a quote put in, so that it may be left out.
    """
    told = len(found.bid) + sum(own.rows for own in found.left_out.values())
    if found.rows != told or found.rows != count:
        return f"failed: {count} rows written, {found.rows} read, {told} told ({way})"
    meant = {row.bid: row for row in rows if row.bid is not None and row.firm != "-"}
    size = Counter(row.tender for row in meant.values())
    kept = [meant.get(round(bid, way.digits)) for bid in found.bid.tolist()]
    if None in kept:
        return f"failed: {found.bid[kept.index(None)]} was never written ({way})"
    pairs = {(row.tender, number) for row, number in zip(kept, found.tender.tolist(), strict=True)}
    if len(pairs) != len({t for t, _ in pairs}) or len(pairs) != len({n for _, n in pairs}):
        return f"failed: bids of one tender are in several, or of several in one ({way})"
    lost = sum(count for count in size.values() if count > 1) - len(kept)
    if lost > len(FIRMS) * cut:  # all bids of a tender may go with the one that was damaged
        return f"failed: {lost} good rows are left out: {found.left_out} ({way})"
    days = [row.day for _, row in sorted(zip(found.tender.tolist(), kept, strict=True),
                                         key=lambda pair: pair[0])]  # fmt: skip
    if way.dates != "%m.%Y" and days != sorted(days):
        return f"failed: tenders are not in order of time ({way})"
    return None


# --- series --------------------------------------------------------------------------------------


def _try_series(path: Path, luck: random.Random) -> str:
    way = _way(luck)
    size = 10 ** luck.uniform(0.5, 6)
    rows = luck.choice((5, 10, 40, 400, 1_500))
    step = timedelta(days=luck.choice((1, 1, 3)))
    moments = [datetime(2021, 1, 1) + step * k for k in range(rows)]
    values = [round(size * luck.uniform(0.5, 2.0), way.digits) for _ in moments]
    lines = [way.line([way.date(m), way.amount(v)]) for m, v in zip(moments, values, strict=True)]
    if luck.random() < 0.2:
        lines.append(way.line(["Total", way.amount(sum(values))]))
    if luck.random() < 0.1:
        k = luck.randrange(rows)
        lines[k] = lines[k].replace(way.separator, f'{way.separator}"', 1)
    title = luck.choice(("", "", f"Demand{way.end}"))
    if not _write(path, title + way.line(["t", "v [kW]"]) + "".join(lines), way):
        return "could not be written"
    try:
        found = read_data(path, WANTED, "time=t,value=v [kW]")
    except ConfigError:
        return "refused"
    if found.rows != rows:
        return f"failed: {rows} rows written, {found.rows} read ({way})"
    if not np.allclose(found.columns["value"], values, rtol=1e-12):
        return f"failed: {values[:3]} read as {found.columns['value'][:3]} ({way})"
    unit = step.total_seconds()
    passed = np.diff(found.columns["time"])
    if way.dates != "%m.%Y" and not np.allclose(passed, unit):
        return f"failed: steps of {unit} s read as {np.unique(passed)[:4]} ({way})"
    return "read"


def _write(path: Path, text: str, way: Way) -> bool:
    """Write the text; False if the encoding has not all of its letters."""
    try:
        path.write_bytes(text.encode(way.encoding))
    except UnicodeEncodeError:
        return False
    return True
