"""`tacit reproduce`: trains an experiment that has references, compares, writes the table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.config.arms import Experiment
from tacit.training.config.load import load
from tacit.training.config.references import KINDS
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.progress import ProgressListener
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.atomic_files import write_atomically
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

from .checks import HEAD, MORE_SEEDS, YES, Check, checks, references_of
from .figures import draw, draw_in_run
from .reference_tables import experiment_file, table_page


class Reproduction(NamedTuple):
    """A reproduction, in what can be told of it.

    Attributes:
        name: of the experiment.
        question: of the experiment.
        cells: the rows of its table, in the order of `HEAD`.
        folder: that was written.
        written: the names of the files in it.
        is_good: no row is off.
        needs_seeds: a row waits for more seeds.
    """

    name: str
    question: str
    cells: list[list[str]]
    folder: str
    written: list[str]
    is_good: bool
    needs_seeds: bool


def reproducible() -> list[str]:
    """Experiments that have references, words apart."""
    found = []
    for name in files.names("experiments"):
        raw = files.read_yaml(files.find(name, ("experiments",), "NAME"))
        if any(raw.get(key) for key in ("references", "published", "predicted")):
            found.append(name)
    return found


def overview(results: Path) -> list[dict[str, str]]:
    """The table of `--list`: source, references by kind, compute, and what was found here."""
    rows = []
    for name in reproducible():
        file = experiment_file(name)
        kinds = Counter[str](row.kind for row in file.all_references(file.arms or ["base"]))
        counts = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
        rows.append({
            "name": name, "source": file.source, "references": counts,
            "compute": file.compute, "here": _found_here(name, results),
        })  # fmt: skip
    return rows


def _found_here(name: str, results: Path) -> str:
    """How many rows of the table below `results` are within, and if it was made as shipped."""
    table = results / "reproduce" / name / "table.csv"
    if not table.is_file():
        return "not run"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    good = sum(row["within"] == YES for row in rows)
    found = f"{good} of {len(rows)} within"
    page = table.with_suffix(".md")
    # The page names the command; settings would follow the experiment's name.
    if page.is_file() and f"`tacit reproduce {name}`" not in page.read_text():
        found += ", other settings"
    return found


def reproduce(
    experiment: Experiment, overrides: Sequence[str], results: Path, listener: ProgressListener
) -> tuple[list[Check], Path]:
    """Train what is missing in `results/<name>`, compare, write `results/reproduce/<name>/`.

    An experiment that shares another's arms uses that one's run.

    Args:
        experiment: with at least one reference that is no word.
        overrides: the `key=value` words with which it was loaded.
        results: where runs are kept.
        listener: receives the progress of training.

    Returns:
        The rows of the table, and the folder that was written.

    Raises:
        ConfigError: there is nothing to compare, or training is refused.
        Interrupted: stopped by Ctrl-C.
    """
    references = references_of(experiment, list(experiment.arms))
    if all(reference.kind == "word" for reference in references):
        raise ConfigError(f"NAME: {experiment.name} has no references to compare with.")
    shares = experiment.file.shares
    trained = experiment if shares is None else load(shares, overrides)
    run = RunFolder(results / trained.name)
    train_experiment(trained, run, listener, draw_in_run)
    arms = read_summary(run.summary)
    rows = checks(experiment, arms)
    folder = results / "reproduce" / experiment.name
    # The run may hold further arms, from earlier calls: they belong into the figure as well.
    drawn = read_experiment(run) if shares is None else experiment
    _write(folder, drawn, arms, rows, overrides)
    return rows, folder


def outcome(
    experiment: Experiment, overrides: Sequence[str], results: Path, listener: ProgressListener
) -> Reproduction:
    """`reproduce`, and what can be told of it."""
    rows, folder = reproduce(experiment, overrides, results, listener)
    return Reproduction(
        name=experiment.name,
        question=experiment.file.question,
        cells=[list(row.cells()) for row in rows],
        folder=str(folder),
        written=sorted(p.name for p in folder.iterdir()),
        is_good=all(row.within is not False for row in rows),
        needs_seeds=any(row.lacks == MORE_SEEDS for row in rows),
    )


def _write(
    folder: Path,
    experiment: Experiment,
    arms: Mapping[str, dict[str, Any]],
    rows: Sequence[Check],
    overrides: Sequence[str],
) -> None:
    """table.md, table.csv and figure.png of a reproduction under its settings."""
    cells = [row.cells() for row in rows]
    text = table_page(experiment.name, experiment.file, cells, overrides)
    write_atomically(folder / "table.md", text.encode())
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([HEAD, *cells])
    write_atomically(folder / "table.csv", buffer.getvalue().encode())
    draw(experiment, arms, folder / "figure.png")
