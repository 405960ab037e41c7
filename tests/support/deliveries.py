"""Small CSV files for the tests of `tacit calibrate`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2024, 1, 1)
ORDERS = "sent=Sent,scheduled=Due,delivered=Delivered"
DEMAND = "time=Time,value=Value"


def csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A file of such rows."""
    lines = [",".join(header), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def orders(path: Path, due_and_late: Iterable[tuple[int, int]]) -> Path:
    """An order a day: (days from sending to schedule, days late)."""
    days = [START + timedelta(days=k) for k in range(1000)]
    rows = [
        (f"{sent:%Y-%m-%d}", *(f"{sent + timedelta(days=d):%Y-%m-%d}" for d in (due, due + late)))
        for sent, (due, late) in zip(days, due_and_late, strict=False)
    ]
    return csv(path, ("Sent", "Due", "Delivered"), rows)


def demand(path: Path, values: Iterable[float | None], seconds: int = 300) -> Path:
    """A series of demand; None leaves its row out."""
    rows = [
        (START + timedelta(seconds=seconds * k), v) for k, v in enumerate(values) if v is not None
    ]
    return csv(path, ("Time", "Value"), rows)
