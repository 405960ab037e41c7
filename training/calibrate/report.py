"""What `tacit calibrate` says of a result: lines, rows of a table, JSON."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite

from .calibration import Calibration
from .preset import in_yaml

NEAR = "within: 10 % of the file's figure or one unit of what is counted; a share, one point"


def title(result: Calibration) -> str:
    """The lines above the table."""
    fitted = f"{result.market} fitted to {result.file}, {result.lines:,} rows"
    return f"{fitted}\n  read: {result.reading}"


def rows(result: Calibration) -> list[dict[str, str]]:
    """The table: each figure of the file beside that of the market."""
    return [
        {
            "quantity": row.quantity,
            "unit": row.unit,
            "figure": row.figure,
            "observed": f"{row.observed:.4g}",
            "simulated": f"{row.simulated:.4g}",
            "n": f"{row.n:,}",
            "within": "yes" if row.within else "no",
        }
        for row in result.rows
    ]


def fitted_keys(result: Calibration) -> str:
    """The market's keys as YAML."""
    return in_yaml({"market": {"name": result.market, **result.keys}}).rstrip()


def as_json(result: Calibration) -> dict[str, object]:
    """The result as data; a figure that does not exist is null."""
    figures = [
        {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in asdict(row).items()}
        for row in result.rows
    ]
    return {
        "market": {"name": result.market, **result.keys},
        "file": result.file,
        "rows": result.lines,
        "figures": figures,
        "within": result.within,
    }
