"""The table of `tacit compare SWEEP`, for the terminal and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from tacit.emergence import stats
from tacit.training.storage.atomic_files import write_atomically

from .comparing import LEVEL, ComparedCells


def row_cells(row: ComparedCells, measure: str) -> dict[str, str]:
    """A row for the terminal."""
    name = f"cell {row.cells[0]}" if len(row.cells) == 1 else f"{len(row.cells)} cells"
    cells = {"cells": name, **{key: _value(value) for key, value in row.settings.items()}}
    cells |= {
        "arm": row.arm,
        measure: stats.number(row.estimate.mean),
        "95 %": stats.interval(row.estimate),
        "n": str(row.estimate.n),
        "difference": "",
        "p": "",
    }
    if row.difference is not None:
        cells["difference"] = stats.number(row.difference.mean)
    if row.p is not None:
        cells["p"] = ("<.001" if row.p < 0.001 else stats.number(row.p)) + " *" * (row.p < LEVEL)
    return cells


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)


def write_table(path: Path, measure: str, rows: Sequence[ComparedCells]) -> None:
    """The same as CSV, in full precision.

    Raises:
        ConfigError: the system refuses.
    """
    keys = list(rows[0].settings)
    head = ["cells", *keys, "arm", measure, "low", "high", "n",
            "difference", "difference_low", "difference_high", "p"]  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        differences = (
            [""] * 3
            if row.difference is None
            else [_plain(x) for x in (row.difference.mean, row.difference.low, row.difference.high)]
        )
        settings = [json.dumps(row.settings[key]) for key in keys]
        writer.writerow([
            " ".join(map(str, row.cells)), *settings, row.arm,
            *(_plain(x) for x in (row.estimate.mean, row.estimate.low, row.estimate.high)),
            row.estimate.n, *differences, "" if row.p is None else repr(row.p),
        ])  # fmt: skip
    write_atomically(path, text.getvalue().encode())


def _plain(x: float) -> str:
    return repr(float(x)) if isfinite(x) else ""
