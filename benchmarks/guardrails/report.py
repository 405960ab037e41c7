"""The table and the figure of the study."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from tacit.emergence.stats import Estimate, interval, number, paired, student
from tacit.training.board.plot_style import BLUE, GREEN, GREY, RED, plain_axis

from .cells import LOGGING, RAILS, Case
from .play import Played

EXPECTED = Path(__file__).parent / "expected.yaml"
COLOURS = {"better": GREEN, "worse": RED, "same": GREY}
COLUMNS = (
    "guardrail", "harm", "95 %", "to logging only", "welfare", "difference", "found", "expected",
    "what was done",
)  # fmt: skip
TINY = 1e-9  # differences of welfare below it are rounding


@dataclass(frozen=True)
class Row:
    """A guardrail in an experiment, as it came out.

    Attributes:
        rail: the guardrail.
        why_not: why it was not tried; empty: it was.
        harm, welfare: over seeds.
        change, cost: differences of the two to logging only, seed by seed.
        found: better, same or worse, of harm and of welfare.
        expected: the same, as it was written before.
        because: why it was expected.
        told: what was done, in words.
    """

    rail: str
    why_not: str = ""
    harm: Estimate | None = None
    welfare: Estimate | None = None
    change: Estimate | None = None
    cost: Estimate | None = None
    found: tuple[str, str] = ("", "")
    expected: tuple[str, str] = ("", "")
    because: str = ""
    told: str = ""


def rows_of(case: Case, played: Mapping[str, tuple[list[Played], str]]) -> list[Row]:
    """The rows of an experiment, from what was played by guardrail."""
    expectations = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))[case.config]
    base, _ = played[LOGGING]
    rows = []
    for rail in RAILS:
        cell = case.cells[rail]
        if cell.why_not:
            rows.append(Row(rail, cell.why_not))
            continue
        found, told = played[rail]
        pairs = [(own, b) for own, b in zip(found, base, strict=False) if isfinite(own.harm)]
        own = [x for x, _ in pairs]
        harm = student([x.harm for x in own])
        welfare = student([x.welfare for x in own])
        change = paired([x.harm for x in own], [b.harm for _, b in pairs])
        cost = paired([x.welfare for x in own], [b.welfare for _, b in pairs])
        words = _word(change, case.better), _word(cost, 1)
        said = expectations.get(rail, {})
        expected = (said.get("harm", ""), said.get("welfare", ""))
        rows.append(
            Row(rail, "", harm, welfare, change, cost, words, expected, said.get("because", ""),
                "; ".join(filter(None, (told, _more(own))))),
        )  # fmt: skip
    return rows


def _word(difference: Estimate, better: int) -> str:
    low, high = sorted((better * difference.low, better * difference.high))
    if low > TINY:
        return "better"
    return "worse" if high < -TINY else "same"


def _more(found: Sequence[Played]) -> str:
    """How often a breaker tripped, and how near prices are to the end of a band."""
    told = []
    tripped = sum(own.trips > 0 for own in found)
    if tripped:
        most = max(own.trips for own in found)
        told.append(f"tripped in {tripped} of {len(found)} seeds, at most {most} times")
    if isfinite(found[0].at_end):
        at_end = student([own.at_end for own in found])
        beside = student([own.next_to_it for own in found])
        told.append(
            f"{at_end.mean:.0%} of prices at the end of the band, {beside.mean:.0%} one step within"
        )
    return "; ".join(told)


def cells_of(row: Row) -> list[str]:
    """A row as text, in order of COLUMNS."""
    if row.why_not or not (row.harm and row.welfare and row.change and row.cost):
        return [row.rail, "-", "", "", "-", "", "", "", row.why_not.removeprefix("-: ")]
    change, cost, found, expected = "-", "-", "-", "-"
    if row.rail != LOGGING:
        change = f"{number(row.change.mean)} {interval(row.change)}"
        cost = f"{number(row.cost.mean)} {interval(row.cost)}"
        found, expected = "; ".join(row.found), "; ".join(row.expected)
    return [
        row.rail, number(row.harm.mean), interval(row.harm), change, number(row.welfare.mean), cost,
        found, expected, row.told,
    ]  # fmt: skip


def write(folder: Path, results: Mapping[str, tuple[Case, list[Row]]], seconds: float) -> None:
    """Write `table.md`, `table.csv` and `guardrails.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "# What guardrails do", "",
        "`python -m benchmarks.guardrails`; docs/oversight/guardrails.md reads it aloud. harm: of "
        "the measure that is named; found: harm and welfare beside logging only, seed by seed: "
        "same means that the interval of the difference holds 0. expected: written before the "
        f"first run. Processor time: {seconds:.0f} s.", "",
    ]  # fmt: skip
    for case, rows in results.values():
        more = "less of it is the harm" if case.better > 0 else "more of it is the harm"
        lines += [f"## {case.config}, arm {case.arm}: {case.figure} ({more}); n = {case.seeds}", ""]
        lines += [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(cells_of(row))} |" for row in rows] + [""]
        told = [row for row in rows if row.expected[0]]
        right = sum(row.found == row.expected for row in told)
        lines += [f"{right} of {len(told)} as expected, harm and welfare.", ""]
    (folder / "table.md").write_text("\n".join(lines), encoding="utf-8")
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["experiment", "arm", "measure", "seeds", *COLUMNS])
        for case, rows in results.values():
            for row in rows:
                writer.writerow([case.config, case.arm, case.figure, case.seeds, *cells_of(row)])
    _draw(folder / "guardrails.png", results)


def _draw(path: Path, results: Mapping[str, tuple[Case, list[Row]]]) -> None:
    """A panel an experiment: harm with its interval by guardrail, beside that of logging only."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.1 * len(results) + 1.4, 5.2), layout="constrained")
    axes: Any = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    for axis, (case, rows) in zip(axes, results.values(), strict=True):
        plain_axis(axis)
        for at, row in enumerate(rows):
            if row.harm is None:
                axis.text(0.02, at, "no meaning here", transform=axis.get_yaxis_transform(),
                          va="center", fontsize=7, color="0.6")  # fmt: skip
                continue
            is_base = row.rail == LOGGING
            colour = BLUE if is_base else COLOURS[row.found[0]]
            spread = [[row.harm.mean - row.harm.low], [row.harm.high - row.harm.mean]]
            axis.errorbar(row.harm.mean, at, xerr=spread, fmt="o", ms=4, color=colour, capsize=2)
            if is_base:
                axis.axvline(row.harm.mean, color=BLUE, lw=0.8, alpha=0.5)
        arrow = "more is better" if case.better > 0 else "less is better"
        axis.set_title(f"{case.config}\n(n = {case.seeds})", fontsize=9)
        axis.set_xlabel(f"{case.figure}: {arrow}", fontsize=8)
        axis.set_yticks(range(len(rows)), [row.rail for row in rows], fontsize=8)
    axes[0].invert_yaxis()
    figure.suptitle(
        "What guardrails do to a harm that learning agents cause: green less of it, red more, grey "
        "no difference; blue: logging only (95 % over seeds)", fontsize=9,
    )  # fmt: skip
    figure.savefig(path, dpi=140)
