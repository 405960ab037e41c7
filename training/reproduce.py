"""Reproductions: what was published or predicted, beside what is measured here."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.emergence import stats
from tacit.emergence.stats import interval, number
from tacit.emergence.verdict import WORDS
from tacit.envs.errors import ConfigError

from . import checkpoint, figures, files
from .claims import Predicted, Published, expected_words
from .config import Experiment, ExperimentFile, load, read
from .layout import RunFolder
from .runner import Watcher, train_experiment
from .stored import load_run
from .summary import difference, estimate_of, read_summary

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
    within: bool


def checks(experiment: Experiment, arms: Mapping[str, dict[str, Any]]) -> list[Check]:
    """Every published value, prediction and expected verdict whose arms were run."""
    published, predicted = _claims(experiment, set(arms))
    expected = expected_words(experiment.file.expected_verdict, arms)
    rows = [_published(c, arms) for c in published] + [_predicted(c, arms) for c in predicted]
    return rows + [_verdict(arm, word, arms[arm]) for arm, word in expected if _known(word)]


def _claims(experiment: Experiment, arms: set[str]) -> tuple[list[Published], list[Predicted]]:
    file = experiment.file
    both = [c for c in file.predicted if {c.arm, c.versus} <= arms]
    return [c for c in file.published if c.arm in arms], both


def _published(claim: Published, arms: Mapping[str, dict[str, Any]]) -> Check:
    own = estimate_of(arms[claim.arm], claim.measure)
    if own is not None and claim.statistic == "median":
        own = stats.median(arms[claim.arm]["measures"][claim.measure]["per_seed"])
    if own is None:
        return Check(claim.quantity, f"{claim.value:g}", "not defined", "-", 0, "-", False)
    within = abs(own.mean - claim.value) <= claim.tolerance
    return Check(
        claim.quantity, f"{claim.value:g}", f"{own.mean:.4f}",
        interval(own), own.n, f"{claim.tolerance:g}", within,
    )  # fmt: skip


def _predicted(claim: Predicted, arms: Mapping[str, dict[str, Any]]) -> Check:
    """`expected: above | below`: the intervals of two arms are disjoint, in this order; `same`: the
    mean paired difference is within the tolerance."""
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


def _known(word: str) -> bool:
    """Whether a rule can give this word."""
    return any(word.removeprefix(NOT) in words for words in WORDS.values())


def _verdict(name: str, word: str, arm: Mapping[str, Any]) -> Check:
    """`not WORD` holds if the arm was judged, and otherwise."""
    behaviour = next(b for b, words in WORDS.items() if word.removeprefix(NOT) in words)
    given = [v["word"] for v in arm["verdicts"] if v["behaviour"] == behaviour]
    undecided = any(w.startswith("undecided") for w in given)
    same = word.removeprefix(NOT) in given
    within = bool(given) and not undecided and same != word.startswith(NOT)
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
        file = ExperimentFile(**read(files.find(name, ("experiments",), "NAME")))
        values = [f"{c.value:g}" for c in file.published] or [c.expected for c in file.predicted]
        values = [*values[:6], "..."] if len(values) > 7 else values
        table = results / "reproduce" / name / "table.csv"
        here = "not run"
        if table.is_file():
            lines = list(csv.DictReader(table.read_text().splitlines()))
            good = sum(line["within"] == "yes" for line in lines)
            here = f"{good} of {len(lines)} within"
        rows.append({
            "name": name, "source": file.source, "published": "/".join(values),
            "compute": file.compute, "here": here,
        })  # fmt: skip
    return rows


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
    write(folder, load_run(run) if shares is None else experiment, arms, rows)
    return rows, folder


def write(
    folder: Path, experiment: Experiment, arms: Mapping[str, dict[str, Any]], rows: Sequence[Check]
) -> None:
    """table.md, table.csv and figure.png of a reproduction."""
    head = ["quantity", "published", "measured", "95 %", "n", "tolerance", "within"]
    cells = [
        [c.quantity, c.published, c.measured, c.interval, str(c.n), c.tolerance, _yes(c.within)]
        for c in rows
    ]
    lines = [f"# {experiment.name}", "", experiment.file.question, ""]
    lines += [f"Source: {experiment.file.source}.", ""] if experiment.file.source else []
    lines += [f"Command: `tacit reproduce {experiment.name}`", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in cells]
    checkpoint.write_atomically(folder / "table.md", ("\n".join(lines) + "\n").encode())
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([head, *cells])
    checkpoint.write_atomically(folder / "table.csv", buffer.getvalue().encode())
    figures.draw(experiment, arms, folder / "figure.png")


def _yes(within: bool) -> str:
    return "yes" if within else "no"
