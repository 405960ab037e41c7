"""Reproductions: what was published or predicted, beside what is measured here."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.emergence import stats
from tacit.emergence.stats import interval, number
from tacit.emergence.verdict import WORDS
from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.config.arms import Experiment
from tacit.training.config.experiment_file import ExperimentFile, read_experiment_file
from tacit.training.config.load import load
from tacit.training.config.references import Predicted, Published, expected_words
from tacit.training.runs import checkpoint
from tacit.training.runs.load_run import read_experiment
from tacit.training.runs.run_folder import RunFolder
from tacit.training.runs.runner import Watcher, train_experiment
from tacit.training.runs.summary import difference, estimate_of, read_summary

from . import figures

HEAD = ["quantity", "published", "measured", "95 %", "n", "tolerance", "within"]
NOT = "not "  # before a verdict that must not be given


@dataclass(frozen=True)
class Check:
    """One row of a reproduction table."""

    quantity: str
    published: str
    measured: str
    interval: str
    n: int
    tolerance: str
    within: bool | None  # None: too few seeds to say


def checks(experiment: Experiment, arms: Mapping[str, dict[str, Any]]) -> list[Check]:
    """Every published value, prediction and expected verdict whose arms were run."""
    published, predicted = _claims(experiment, set(arms))
    expected = expected_words(experiment.file.expected_verdict, arms)
    rows = [_published(c, arms) for c in published] + [_predicted(c, arms) for c in predicted]
    return rows + [_verdict(arm, word, arms[arm]) for arm, word in expected if _known(word)]


def _claims(experiment: Experiment, arms: set[str]) -> tuple[list[Published], list[Predicted]]:
    file = experiment.file
    both = [c for c in file.predicted if arms.issuperset(c.arms)]
    return [c for c in file.published if c.arm in arms], both


def _published(claim: Published, arms: Mapping[str, dict[str, Any]]) -> Check:
    own = estimate_of(arms[claim.arm], claim.measure)
    if own is not None and claim.statistic == "median":
        own = stats.median(arms[claim.arm]["measures"][claim.measure]["per_seed"])
    value = _value(claim, arms[claim.arm])
    shown = str(claim.value) if value is None else f"{value:.4g}"
    if own is None or value is None:
        return Check(claim.quantity, shown, "not defined", "-", 0, "-", False)
    within = abs(own.mean - value) <= claim.tolerance
    return Check(
        claim.quantity, shown, f"{own.mean:.4f}",
        interval(own), own.n, f"{claim.tolerance:g}", within,
    )  # fmt: skip


def _value(claim: Published, arm: Mapping[str, Any]) -> float | None:
    """The published number, or the arm's measure that stands for it."""
    if not isinstance(claim.value, str):
        return claim.value
    found = estimate_of(arm, claim.value)
    return None if found is None else found.mean


def _predicted(claim: Predicted, arms: Mapping[str, dict[str, Any]]) -> Check:
    """`expected: above | below`: the intervals of two arms are disjoint, in this order; `same`: the
    mean paired difference is within the tolerance."""
    if not isinstance(claim.versus, str):
        return _against(claim, claim.versus, arms[claim.arm])
    arm, versus = arms[claim.arm], arms[claim.versus]
    own, other = estimate_of(arm, claim.measure), estimate_of(versus, claim.measure)
    gap = difference(arm, versus, claim.measure)
    if own is None or other is None or gap is None:
        return Check(claim.quantity, claim.expected, "not defined", "-", 0, "-", False)
    bound = "disjoint" if claim.tolerance is None else f"{claim.tolerance:g}"
    if claim.tolerance is not None:
        within = abs(gap.mean) <= claim.tolerance
    elif claim.expected == "above":
        within = own.low > other.high
    else:
        within = own.high < other.low
    measured = f"{number(own.mean)} against {number(other.mean)}"
    return Check(claim.quantity, claim.expected, measured, interval(gap), own.n, bound, within)


def _against(claim: Predicted, bound: float, arm: Mapping[str, Any]) -> Check:
    """The arm's interval lies wholly above, or below, a number."""
    own, expected = estimate_of(arm, claim.measure), f"{claim.expected} {number(bound)}"
    if own is None:
        return Check(claim.quantity, expected, "not defined", "-", 0, "-", False)
    within = own.low > bound if claim.expected == "above" else own.high < bound
    return Check(
        claim.quantity, expected, number(own.mean), interval(own), own.n, "interval", within
    )


def _known(word: str) -> bool:
    """Whether a rule can give this word."""
    return any(word.removeprefix(NOT) in words for words in WORDS.values())


def _verdict(name: str, word: str, arm: Mapping[str, Any]) -> Check:
    """`not WORD` holds if the arm was judged, and otherwise; undecided for want of seeds, nothing
    is said either way."""
    behaviour = next(b for b, words in WORDS.items() if word.removeprefix(NOT) in words)
    given = [v["word"] for v in arm["verdicts"] if v["behaviour"] == behaviour]
    few = any(w.startswith("undecided at n") for w in given)
    same = word.removeprefix(NOT) in given
    decided = bool(given) and not any(w.startswith("undecided") for w in given)
    within = None if few else decided and same != word.startswith(NOT)
    return Check(
        f"verdict of {name}", word, ", ".join(given) or "none", "-", arm["seeds"], "-", within
    )


def known() -> list[str]:
    """Experiments that have something to reproduce."""
    found = []
    for name in files.names("experiments"):
        raw = files.read_yaml(files.find(name, ("experiments",), "NAME"))
        if raw.get("published") or raw.get("predicted"):
            found.append(name)
    return found


def overview(results: Path) -> list[dict[str, str]]:
    """One row an experiment: source, what is published, compute, and whether it was run here."""
    rows = []
    for name in known():
        file = _file(name)
        values = [_short(c.value) for c in file.published] or [c.expected for c in file.predicted]
        values = [*values[:6], "..."] if len(values) > 7 else values
        table = results / "reproduce" / name / "table.csv"
        here = "not run"
        if table.is_file():
            lines = list(csv.DictReader(table.read_text().splitlines()))
            good = sum(line["within"] == "yes" for line in lines)
            here = f"{good} of {len(lines)} within"
            page_of = table.with_suffix(".md")
            if page_of.is_file() and f"`tacit reproduce {name}`" not in page_of.read_text():
                here += ", other settings"
        rows.append({
            "name": name, "source": file.source, "published": "/".join(dict.fromkeys(values)),
            "compute": file.compute, "here": here,
        })  # fmt: skip
    return rows


def _short(value: float | str) -> str:
    return "closed form" if isinstance(value, str) else f"{value:g}"


def reproduce(
    experiment: Experiment, overrides: Sequence[str], results: Path, watcher: Watcher
) -> tuple[list[Check], Path]:
    """Train what is missing in `results/<name>`, compare, and write `results/reproduce/<name>/`.

    An experiment that shares another's arms uses that one's run. `overrides`: as it was loaded.
    """
    if not any(_claims(experiment, set(experiment.arms))):
        raise ConfigError(f"NAME: {experiment.name} publishes and predicts nothing to compare.")
    shares = experiment.file.shares
    trained = experiment if shares is None else load(shares, overrides)
    run = RunFolder(results / trained.name)
    train_experiment(trained, run, watcher)
    arms = read_summary(run.summary)
    rows = checks(experiment, arms)
    folder = results / "reproduce" / experiment.name
    write(folder, read_experiment(run) if shares is None else experiment, arms, rows, overrides)
    return rows, folder


def write(
    folder: Path,
    experiment: Experiment,
    arms: Mapping[str, dict[str, Any]],
    rows: Sequence[Check],
    overrides: Sequence[str],
) -> None:
    """table.md, table.csv and figure.png of a reproduction under its settings."""
    cells = [
        [c.quantity, c.published, c.measured, c.interval, str(c.n), c.tolerance, shown(c.within)]
        for c in rows
    ]
    text = page(experiment.name, experiment.file, cells, overrides)
    checkpoint.write_atomically(folder / "table.md", text.encode())
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([HEAD, *cells])
    checkpoint.write_atomically(folder / "table.csv", buffer.getvalue().encode())
    figures.draw(experiment, arms, folder / "figure.png")


def shown(within: bool | None) -> str:
    """The last cell of a row."""
    return {True: "yes", False: "no", None: "more seeds"}[within]


# --- pages ---------------------------------------------------------------------------------------


def page(
    name: str,
    file: ExperimentFile,
    cells: Sequence[Sequence[str]],
    overrides: Sequence[str] = (),
) -> str:
    """table.md of one reproduction; `overrides`: settings that are not the experiment's own."""
    lines = [f"# {name}", "", file.question, ""]
    lines += [f"Source: {file.source}.", ""] if file.source else []
    command = shlex.join(["tacit", "reproduce", name, *overrides])
    lines += [f"Command: `{command}`", "", *_markdown([HEAD, *cells])]
    notes = fitted(file)
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def collected(folder: Path) -> str:
    """table.md over all tables of a folder: their rows, and the command of each."""
    rows, notes = [["experiment", *HEAD, "command"]], []
    for table in sorted(folder.glob("*/table.csv")):
        name = table.parent.name
        rows += [[name, *row, f"`tacit reproduce {name}`"] for row in read_cells(table)]
        if name in files.names("experiments"):  # (a reference may be of a file elsewhere)
            notes += [f"- `{name}`, {note}" for note in fitted(_file(name))]
    good = sum(row[-2] == "yes" for row in rows[1:])
    text = f"{good} of {len(rows) - 1} rows are within."
    if notes:
        text += f" For {len(notes)} of them something was chosen after a first version had missed; "
        text += "what, stands below the table."
    how = "Collected from the tables beside it by `tacit reproduce --list --update-reference`."
    lines = ["# All reproductions", "", text, "", how, "", *_markdown(rows)]
    lines += ["", *notes] if notes else []
    return "\n".join(lines) + "\n"


def collect(folder: Path) -> None:
    """Write table.md over all tables of a folder, and the page of each anew."""
    for name in files.names("experiments"):
        table = folder / name / "table.csv"
        if not table.is_file():
            continue
        text = page(name, _file(name), read_cells(table))
        checkpoint.write_atomically(table.with_suffix(".md"), text.encode())
    checkpoint.write_atomically(folder / "table.md", collected(folder).encode())


def read_cells(table: Path) -> list[list[str]]:
    """The rows of a table.csv without its head."""
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))[1:]


def fitted(file: ExperimentFile) -> list[str]:
    """What was chosen after a miss, a line a claim."""
    claims: list[Published | Predicted] = [*file.published, *file.predicted]
    claims = [claim for claim in claims if claim.fitted]
    return [f"{c.quantity}: chosen after a miss: {c.fitted}" for c in claims]


def _file(name: str) -> ExperimentFile:
    return ExperimentFile(**read_experiment_file(files.find(name, ("experiments",), "NAME")))


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as a table, the first its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
