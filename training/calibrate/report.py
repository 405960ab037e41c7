"""What `tacit calibrate` prints and writes."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path

from tacit.training.show.terminal import TextTable, console

from . import (
    Calibration,
    Request,
    calibrate,
    preset,
)
from .samples import Quantity

NEAR = "within: 10 % of the file's figure or one unit of what is counted; a share, one point"


def run(
    market: str, data: Path, request: Request, source: str, target: Path | None, as_json: bool
) -> bool:
    """Fit, print, and write if asked; whether all figures are near the file's."""
    if target is not None:
        preset.check(target)
    result = calibrate(market, data, request)
    if target is not None:
        preset.write(target, preset.text(result, request, source, target.name))
    if as_json:
        print(json.dumps(in_json(result), allow_nan=False))
        return result.within
    out = console()
    title = f"{result.market} fitted to {result.file}, {result.lines:,} rows"
    out.print(title, soft_wrap=True)
    out.print(TextTable([_cells(row) for row in result.rows]))
    out.print(NEAR)
    if target is None:
        out.print("\n" + preset.in_yaml({"market": {"name": market, **result.keys}}).rstrip())
    else:
        out.print(f"wrote {target}; next: tacit train {target}", soft_wrap=True)
    return result.within


def _cells(row: Quantity) -> dict[str, str]:
    return {
        "quantity": row.quantity, "unit": row.unit, "figure": row.figure,
        "observed": f"{row.observed:.4g}", "simulated": f"{row.simulated:.4g}", "n": f"{row.n:,}",
        "within": "yes" if row.within else "no",
    }  # fmt: skip


def in_json(result: Calibration) -> dict[str, object]:
    """The result as data; a figure that does not exist is null."""
    rows = [
        {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in asdict(row).items()}
        for row in result.rows
    ]
    return {
        "market": {"name": result.market, **result.keys}, "file": result.file,
        "rows": result.lines, "figures": rows, "within": result.within,
    }  # fmt: skip
