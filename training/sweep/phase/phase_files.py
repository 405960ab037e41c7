"""What a phase diagram leaves behind: `<sweep>/phase/<measure>...`.

<measure>.png            the figure
<measure>.csv            every cell: x, y, mean, interval, n, closed form
<measure>_onset.csv      the crossing: x, y, interval, closed form
events.out.tfevents...   the same figure for TensorBoard
"""

from __future__ import annotations

import csv
import io
from math import isfinite
from pathlib import Path
from typing import Any

from tacit.training.board.event_file import EventFile
from tacit.training.storage.atomic_files import write_atomically

from .points import Points
from .surface import Onset

DPI = 120  # pixels per inch


def write_phase(folder: Path, points: Points, found: Onset, figure: Any) -> list[Path]:
    """Write figure and tables.

    Args:
        folder: where; made if it is missing.
        points: the cells.
        found: where the level is crossed.
        figure: as `draw_phase` made it.

    Returns:
        The files, the figure first.

    Raises:
        ConfigError: the system refuses.
    """
    stem = points.measure.replace("/", "-")
    paths = [folder / f"{stem}{ending}" for ending in (".png", ".csv", "_onset.csv")]
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    png = buffer.getvalue()
    write_atomically(paths[0], png)
    closed = points.theory if points.theory is not None else [float("nan")] * len(points.x)
    cells = zip(
        points.x, points.y, points.mean, points.low, points.high, points.n, closed, strict=True
    )
    head = [points.x_key, points.y_key, points.measure, "low", "high", "n", "closed_form"]
    write_atomically(paths[1], _csv(head, cells))
    rows = zip(found.x, found.y, found.low, found.high, found.theory, strict=True)
    head = [points.x_key, points.y_key, "low", "high", "closed_form"]
    write_atomically(paths[2], _csv(head, rows))
    with EventFile(folder) as events:
        width, height = (round(inches * DPI) for inches in figure.get_size_inches())
        events.image(f"phase/{points.measure}", png, width, height)
    return paths


def _csv(head: list[str], rows: Any) -> bytes:
    """A table; numbers in full precision, unknown ones blank."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    return repr(float(value)) if isfinite(value) else ""
