"""What lint says of every shipped arm, beside what training found: `python -m benchmarks.lint`.

Writes `lint.md`. Lint is run anew; what was trained is read from the committed tables of
`tacit reproduce` in results/reference. A row of these tables is evidence of harm by a KPI if

- it compares the arm with one of which lint says less, in a measure that got worse (a measure's
  sign; of the headline: the side to which lint widens the range), its interval on that side of 0;
- or it is the word `KPI-made`.

It is evidence against it if the row shows two such arms equal, or a difference to the good side.
Harm that was learned under a KPI that is the fundamental is counted apart: a word of collusion,
`learned`, one of keeping or exaggerating a prior's lies, or a collusion index whose interval lies
above .1. Lint does not foresee any of it. `undecided` is evidence of nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tacit.emergence.payoffs import rewards_only_fundamentals
from tacit.oversight.lint import HIGH, MEDIUM, NOTE, ArmReport
from tacit.oversight.lint.text import percent, range_words
from tacit.training.config import files
from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.load import load
from tacit.training.config.references import Reference
from tacit.training.outcome.linting import lint_arm

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results" / "reference"
PAGE = Path(__file__).parent / "lint.md"

RANK = {None: 0, NOTE: 0, MEDIUM: 1, HIGH: 2}
FORESEEN, ALARM, MISSED = "foreseen", "false alarm", "missed"
QUIET, LEARNED, NOTHING = "rightly quiet", "learned, not foreseen", "no committed row"
COLLUSION = ("tacit collusion", "above competition", "below competition")
INDEX, COLLUDES = "collusion_index", 0.1
KPI_MADE, LEARNED_WORD, UNDECIDED = "KPI-made", "learned", "undecided"
OF_PRIORS = ("inherited", "amplified", "overshoot")


@dataclass(frozen=True)
class Row:
    """A row of a committed table with the reference that it answers.

    Attributes:
        reference: arm, measure and what it is compared with.
        measured: as the table shows it.
        low: lower end of the interval; None where there is none.
        high: upper end.
        within: whether it is as the reference says.
    """

    reference: Reference
    measured: str
    low: float | None
    high: float | None
    within: bool


def rows_of(experiment: Experiment) -> list[Row]:
    """The committed rows of an experiment; none where it has no table."""
    path = REFERENCE / experiment.name / "table.csv"
    if not path.is_file():
        return []
    references = experiment.file.all_references(experiment.file.arms or ["base"])
    by_quantity = {r.quantity: r for r in references}
    by_quantity |= {f"verdict of {r.arm}": r for r in references if r.word}
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            reference = by_quantity.get(cells["quantity"])
            if reference is not None:
                low, high = _interval(cells["95 %"])
                found.append(Row(reference, cells["measured"], low, high, cells["within"] == "yes"))
    return found


def _interval(text: str) -> tuple[float | None, float | None]:
    if not text.startswith("["):
        return None, None
    low, high = text.strip("[]").split(",")
    return float(low), float(high)


def direction(arm: Arm, report: ArmReport, measure: str) -> int:
    """Which change of a measure is bad: -1 less, +1 more, 0 nobody says.

    Derived measures (`late_days_per_deal`) are judged as the measure that their name begins with.
    """
    name = measure.split("/")[0]
    stable = report.stable
    if name == arm.market.headline and stable is not None:
        lower = stable.kpi[0] < stable.fundamentals[0]
        return -1 if lower else int(stable.kpi[1] > stable.fundamentals[1])
    known = [m for m in arm.market.measures if name.startswith(m.name) and m.roles]
    if not known or "/" in measure:
        return 0
    return -max(known, key=lambda m: len(m.name)).sign


def judge(
    name: str, experiment: Experiment, reports: dict[str, ArmReport], rows: list[Row]
) -> tuple[str, str]:
    """What training says of an arm's prediction, and the row that says it.

    Returns:
        One of the outcomes above, and the evidence in words.
    """
    arm, report = experiment.arms[name], reports[name]
    flagged = RANK[report.severity] > 0
    good: list[str] = []
    for row in rows:
        r = row.reference
        if r.word and r.arm == name:
            if row.measured == KPI_MADE:
                return (FORESEEN if flagged else MISSED), f"word: {KPI_MADE}"
            learned = (*COLLUSION, LEARNED_WORD, *OF_PRIORS)
            if row.measured.startswith(learned) and not flagged:
                return LEARNED, f"word: {row.measured}"
            if row.measured != UNDECIDED:
                good.append(f"word: {row.measured}")
        if r.measure == INDEX and r.arm == name and row.low is not None and row.low > COLLUDES:
            return LEARNED, f"{INDEX} {row.measured}"
    for row in rows:
        r = row.reference
        if name not in (r.arm, r.versus) or not isinstance(r.versus, str):
            continue
        other = r.versus if r.arm == name else r.arm
        if other not in reports or RANK[reports[other].severity] > RANK[report.severity]:
            continue
        shown = f"{r.measure} {row.measured}, {r.arm} against {r.versus}"
        if r.expected == "same" and row.within:
            good.insert(0, f"{shown}: same")
            continue
        bad = direction(arm, report, r.measure) * (1 if r.arm == name else -1)
        if not bad or row.low is None or row.high is None:
            continue
        if bad * row.low > 0 and bad * row.high > 0:
            if RANK[reports[other].severity] < RANK[report.severity]:
                return FORESEEN, shown
            if not flagged and not rewards_only_fundamentals(arm.market, arm.kpi):
                return MISSED, shown
        elif flagged and RANK[reports[other].severity] < RANK[report.severity]:
            good.insert(0, f"{shown}: no worse")
    compared = [x for x in good if not x.startswith("word")]
    if flagged:
        return (ALARM, compared[0]) if compared else (NOTHING, "-")
    return (QUIET, good[0]) if good else (NOTHING, "-")


def said(report: ArmReport) -> str:
    """Lint's gravest finding in a cell."""
    if RANK[report.severity] == 0:
        return "note" if report.severity else "no finding"
    finding = next(f for f in report.findings if f.severity == report.severity)
    if finding.free is not None:
        free = finding.free
        loser = next(x for x in free.losers if not x.counted)
        what = f"{free.part} {free.to} for {free.value} is free, costs {loser.measure}"
        return f"{report.severity}: {what} {percent(loser.share or 0)}"
    harm = finding.harms[0]
    share = "" if harm.share is None else f" ({percent(harm.share)})"
    return (
        f"{report.severity}: {harm.measure} {range_words(harm.kpi)} "
        f"instead of {range_words(harm.fundamentals)}{share}"
    )


def page() -> str:
    """The page with the table and its counts."""
    counts: Counter[str] = Counter()
    lines = []
    for name in files.names("experiments"):
        experiment = load(name)
        reports = {arm: lint_arm(resolved) for arm, resolved in experiment.arms.items()}
        rows = rows_of(experiment)
        for arm, report in reports.items():
            outcome, evidence = judge(arm, experiment, reports, rows)
            counts[outcome] += 1
            lines.append(f"| {name} | {arm} | {said(report)} | {evidence} | {outcome} |")
    total = [f"| {outcome} | {counts[outcome]} |" for outcome in
             (FORESEEN, ALARM, MISSED, LEARNED, QUIET, NOTHING)]  # fmt: skip
    return "\n".join([
        "# Lint beside training",
        "",
        "Written by `python -m benchmarks.lint`: `tacit lint` of every shipped arm, beside the",
        "committed tables of `tacit reproduce`. The rules by which a row counts stand at the top",
        "of `benchmarks/lint.py`. Lint knows KPIs and rules, not learners: harm that is learned",
        "under a KPI that is the fundamental itself is counted as `learned, not foreseen`.",
        "",
        "| outcome | arms |",
        "|---|---|",
        *total,
        "",
        "| experiment | arm | lint | trained | outcome |",
        "|---|---|---|---|---|",
        *lines,
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
