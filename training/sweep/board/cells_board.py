"""What TensorBoard is given of a sweep: `<sweep>/board/`, a small event file for each cell and arm.

<sweep>/board/<cell>/<arm>/     its row in the table of HParams, its means, its bands
<sweep>/board/events.out...     the columns of that table
<sweep>/board/written.json      for each cell, the hash of the summary that was written

The cells' own folders hold the curves of seeds, which TensorBoard does not read in useful time for
thousands of cells. What was written is not written again, unless the cell has another summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.board.arm_session import (
    session_texts,
    summary_means,
    summary_tags,
    text_columns,
)
from tacit.training.board.bands import INDEX
from tacit.training.board.event_file import EventFile
from tacit.training.board.plugin_messages import (
    band_charts,
    band_tags,
    hparams_columns,
    hparams_session,
)
from tacit.training.board.read_scalars import read_scalars
from tacit.training.storage.atomic_files import read_json, write_json
from tacit.training.sweep.cell_table import CellResult, cell_arms
from tacit.training.sweep.plan import SweepPlan
from tacit.training.sweep.sweep_folder import DONE, CellState, SweepFolder

BOARD = "board"
WRITTEN = "written.json"
FIRST_CELLS = "^00000[0-7]-"  # regular expression of the first eight
BANDS = "_band"  # the folder of an arm that holds its bands
ARM = "arm"  # a column, where cells have several
THEORY = "_theory"  # ends the name of a measure that holds a closed form of another


def write_board(folder: SweepFolder, plan: SweepPlan) -> tuple[Path, int]:
    """Write what is missing of the board of a sweep.

    Args:
        folder: of the sweep.
        plan: its plan.

    Returns:
        The folder to show, and how many cells were written now.

    Raises:
        ConfigError: no cell is done, a summary was altered since, or the system refuses.
    """
    path = folder.path / BOARD
    done = [k for k, state in enumerate(folder.states(plan)) if state == CellState.DONE]
    if not done:
        raise ConfigError("SWEEP: no cell is done yet, so there is nothing to show.")
    first = list(cell_arms(folder, plan, done[0]))
    shown = shown_measures(first[0])
    written = dict(read_json(path / WRITTEN))
    new = 0
    try:
        for k in done:
            cell = folder.cell(plan, k)
            summary = read_json(cell.path / DONE).get("summary_sha256")
            if written.get(cell.path.name) != summary:
                for result in cell_arms(folder, plan, k):
                    # Rows of one name are averaged.
                    name = cell.path.name + (f"/{result.arm}" if len(first) > 1 else "")
                    to = path / cell.path.name / result.arm
                    _write_arm(to, cell.path, result, shown, name)
                written[cell.path.name] = summary
                new += 1
    finally:
        if new:  # what was written before an interruption stands
            write_json(path / WRITTEN, written)
    tags = {tag for tag, _ in _bands(folder.cell(plan, done[0]).path, first[0].arm, shown)}
    banded = [name for name in shown if not tags.isdisjoint(band_tags(name))]
    _write_columns(path, plan, done, first, shown, banded)
    return path, new


def shown_measures(result: CellResult) -> list[str]:
    """The measures of a board: the market's first, the index, and those with a closed form."""
    names = result.summary["measures"]
    closed = [name for name in names if f"{name}{THEORY}" in names]
    wanted = [result.headline, INDEX, *closed, *(f"{name}{THEORY}" for name in closed)]
    return [name for name in dict.fromkeys(wanted) if name in names]


def _write_arm(to: Path, cell: Path, result: CellResult, shown: Sequence[str], name: str) -> None:
    """Write an arm of a cell: its row, its means, its bands."""
    curve = _bands(cell, result.arm, shown)
    steps = sorted({step for _, step in curve})
    row = {**result.settings, ARM: result.arm, **session_texts(result.headline, result.summary)}
    with EventFile(to) as events:
        events.summary(hparams_session(row, name))
        for step in steps:
            events.scalars(step, {tag: x for (tag, at), x in curve.items() if at == step})
        events.scalars(steps[-1] if steps else 1, summary_means(shown, result.summary))


def _bands(cell: Path, arm: str, shown: Sequence[str]) -> dict[tuple[str, int], float]:
    """The bands over seeds that a cell's own event files hold: `{(tag, step): value}`."""
    return read_scalars(cell / arm / BANDS, {tag for name in shown for tag in band_tags(name)})


def _write_columns(
    path: Path,
    plan: SweepPlan,
    done: Sequence[int],
    first: Sequence[CellResult],
    shown: Sequence[str],
    banded: Sequence[str],
) -> None:
    """Write the columns of the table, and a chart for each measure that has bands."""
    values: dict[str, dict[str, Any]] = {key: {} for key in plan.keys}
    for k in done:
        for key, value in plan.settings(k):
            values[key][repr(value)] = value  # lists, which cannot be members of a set, as well
    columns = {key: list(found.values()) for key, found in values.items()}
    if len(first) > 1:
        columns[ARM] = [result.arm for result in first]
    texts = text_columns(first[0].headline)
    with EventFile(path) as events:
        events.summary(hparams_columns(columns, texts, summary_tags(shown)))
        events.summary(band_charts(banded, f"{plan.experiment}: mean and 95 % band of cells"))
