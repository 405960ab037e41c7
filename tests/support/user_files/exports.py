"""Files in the shapes in which authorities publish tenders; firms and figures are invented."""

from __future__ import annotations

from pathlib import Path
from random import Random

FIRMS = ("Alder AG", "Birch; Söhne", "Cedar & Co", "Dogwood Ltd", "Élan SA")


def amounts(luck: Random, count: int) -> list[float]:
    """Bids of one tender: some size, a few per cent apart."""
    size = 10 ** luck.uniform(4, 6.5)
    return [round(size * luck.uniform(0.92, 1.08), 2) for _ in range(count)]


def grouped(number: float, thousands: str, decimal: str) -> str:
    """`1234.5` as `1.234,50`."""
    return f"{number:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def eu_tenders(path: Path, notices: int = 30) -> int:
    """An EU export: semicolons, many columns, lots within notices, three currencies; its rows."""
    luck, rows = Random(1), 0
    names = ("ID_NOTICE;DT_DISPATCH;CAE_NAME;ISO_COUNTRY_CODE;CPV;ID_LOT;TITLE;CURRENCY;"
             "BIDDER_NAME;TENDER_VALUE;B_AWARDED")  # fmt: skip
    lines = [names]
    for notice in range(notices):
        country, currency = luck.choice([("DE", "EUR"), ("PL", "PLN"), ("SE", "SEK")])
        for lot in (1, 2):
            bids = amounts(luck, luck.choice((2, 3, 4)))
            for k, bid in enumerate(bids):
                firm = FIRMS[(k + notice) % 5]
                lines.append(
                    f"2021{notice:05};{1 + notice % 28:02}/0{1 + notice % 9}/2021;Stadt;{country};"
                    f'45233{notice % 10}00-1;{lot};"Los {lot}; Straße";{currency};"{firm}";'
                    f"{bid:.2f};{'Y' if bid == min(bids) else 'N'}"
                )
                rows += 1
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    return rows


def state_letting(path: Path, calls: int = 40) -> int:
    """A US letting: a tender a row, an estimate, dollars, up to four bidders; its bids."""
    luck, bids = Random(2), 0
    pairs = ",".join(f"Bidder {k} Name,Bidder {k} Amount" for k in range(1, 5))
    lines = [f"Letting Date,Call,Contract ID,Engineer's Estimate,{pairs}"]
    for call in range(calls):
        own = amounts(luck, luck.choice((2, 3, 4)))
        estimate = grouped(sum(own) / len(own), ",", ".")
        cells = [f"{1 + call % 12:02}/{1 + call % 28:02}/2021", f"{call:03}", f"C{call:05}",
                 f'"${estimate}"']  # fmt: skip
        for k, bid in enumerate(own):
            cells += [f'"{FIRMS[(k + call) % 5]}"', f'"${grouped(bid, ",", ".")}"']
        cells += ["", ""] * (4 - len(own))
        lines.append(",".join(cells))
        bids += len(own)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return bids


def excel_export(path: Path, lots: int = 30) -> int:
    """Excel's: a mark, titles, semicolons, decimal commas, a total at the end; its bids."""
    luck, rows, total = Random(3), 0, 0.0
    lines = ["Auswertung der Vergaben 2021;;;;", "Stand: 31.12.2021;;;;", ";;;;",
             "Los;Datum;Bieter;Angebot;Bemerkung"]  # fmt: skip
    for lot in range(lots):
        for k, bid in enumerate(amounts(luck, 3)):
            firm = f'"{FIRMS[(k + lot) % 5]}"'
            lines.append(
                f"{lot:03}/21;{1 + lot % 28:02}.0{1 + lot % 9}.2021;{firm};"
                f"{grouped(bid, '.', ',')};"
            )
            rows, total = rows + 1, total + bid
    lines += [";;;;", f"Summe;;;{grouped(total, '.', ',')};"]
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return rows


def excel_demand(path: Path, hours: int = 300) -> None:
    """Excel's series of demand: a mark, a title, decimal commas, quarters of an hour, a total."""
    luck, lines, total = Random(4), ["Last 2024;", ";", "Zeit;Wert [kW]"], 0.0
    for k in range(hours):
        value = luck.uniform(900.0, 1100.0) * (3.0 if luck.random() < 0.06 else 1.0)
        lines.append(f"{1 + k // 24 % 28:02}.03.2024 {k % 24:02}:00;{grouped(value, '.', ',')}")
        total += value
    lines.append(f"Summe;{grouped(total, '.', ',')}")
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
