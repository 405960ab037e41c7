"""Tables of reproductions as pages: one a reproduction, and one that is collected from all."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Sequence
from pathlib import Path

from tacit.training.config import files
from tacit.training.config.experiment_file import ExperimentFile, read_experiment_file
from tacit.training.config.references import Predicted, Published
from tacit.training.storage.atomic_files import write_atomically

from .checks import HEAD


def table_page(
    name: str,
    file: ExperimentFile,
    cells: Sequence[Sequence[str]],
    overrides: Sequence[str] = (),
) -> str:
    """table.md of one reproduction.

    Args:
        name: of the experiment.
        file: its file.
        cells: the rows of its table, in the order of `HEAD`.
        overrides: settings under which it was made that are not the experiment's own.
    """
    lines = [f"# {name}", "", file.question, ""]
    lines += [f"Source: {file.source}.", ""] if file.source else []
    command = shlex.join(["tacit", "reproduce", name, *overrides])
    lines += [f"Command: `{command}`", "", *_markdown([HEAD, *cells])]
    notes = fitted_notes(file)
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def collected_page(folder: Path) -> str:
    """table.md over all tables of a folder: their rows, and the command of each.

    Args:
        folder: what holds them, as `NAME/table.csv`.
    """
    rows, notes = [["experiment", *HEAD, "command"]], []
    for table in sorted(folder.glob("*/table.csv")):
        name = table.parent.name
        rows += [[name, *row, f"`tacit reproduce {name}`"] for row in read_cells(table)]
        if name in files.names("experiments"):  # a table may be of an experiment file elsewhere
            notes += [f"- `{name}`, {note}" for note in fitted_notes(experiment_file(name))]
    within = 1 + HEAD.index("within")  # a row begins with the experiment's name
    good = sum(row[within] == "yes" for row in rows[1:])
    text = f"{good} of {len(rows) - 1} rows are within."
    if notes:
        text += f" For {len(notes)} of them something was chosen after a first version had missed; "
        text += "what, stands below the table."
    how = "Collected from the tables beside it by `tacit reproduce --list --update-reference`."
    lines = ["# All reproductions", "", text, "", how, "", *_markdown(rows)]
    lines += ["", *notes] if notes else []
    return "\n".join(lines) + "\n"


def collect_tables(folder: Path) -> None:
    """Write the collected table.md of a folder, and the page of each table anew.

    Args:
        folder: what holds the tables, as `NAME/table.csv`.
    """
    for name in files.names("experiments"):
        table = folder / name / "table.csv"
        if not table.is_file():
            continue
        text = table_page(name, experiment_file(name), read_cells(table))
        write_atomically(table.with_suffix(".md"), text.encode())
    write_atomically(folder / "table.md", collected_page(folder).encode())


def read_cells(table: Path) -> list[list[str]]:
    """The rows of a table.csv, in the order of `HEAD`, without the head."""
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))[1:]


def experiment_file(name: str) -> ExperimentFile:
    """The experiment file of this name.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    return ExperimentFile(**read_experiment_file(files.find(name, ("experiments",), "NAME")))


def fitted_notes(file: ExperimentFile) -> list[str]:
    """What was chosen after a first version had missed its reference, a line a reference."""
    references: list[Published | Predicted] = [*file.published, *file.predicted]
    fitted = [reference for reference in references if reference.fitted]
    return [f"{ref.quantity}: chosen after a miss: {ref.fitted}" for ref in fitted]


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of a table in Markdown, the first its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
