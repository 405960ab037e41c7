"""`tacit compare`: one row an arm, with interval, n and the paired difference to the first arm."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tacit.emergence.objective.harm import harm_measures
from tacit.emergence.objective.own_firm_loss import LOSS, SHARE
from tacit.emergence.objective.split import harm_splits
from tacit.emergence.stats import Estimate, interval, number
from tacit.emergence.words import short, words_given
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arm_settings import column_values, differing_settings
from tacit.training.config.arms import Arm
from tacit.training.outcome.judging import ADOPTION
from tacit.training.outcome.summary import (
    difference,
    estimate_of,
    read_summary,
    unconverged_seeds,
)
from tacit.training.outcome.tripped import counts_text
from tacit.training.storage.checkpoint import finished
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

ArmSummary = Mapping[str, Any]  # an arm's part of summary.json
DIFFERENCE, OWN_LOSS = "difference to first", "own-firm loss"  # columns
WARNINGS = ("not converged", "breakers", "people")  # columns that are rare
HARM = "harm = by KPI alone + by learning"


@dataclass(frozen=True)
class ArmRow:
    """One arm of a comparison.

    Attributes:
        cells: text by column, every column.
        numbers: what a CSV holds, with full precision.
        brief: text by column, for a narrow page: intervals beside means, verdicts in short; then
            what makes the arms differ.
        words: the verdicts' words in full.
    """

    cells: dict[str, str]
    numbers: dict[str, Any]
    brief: dict[str, str]
    words: list[str]


def compare(runs: Sequence[RunFolder], measure: str | None = None) -> list[ArmRow]:
    """One row an arm of all runs; differences are paired by seed, to the first arm.

    Args:
        runs: their folders. Of several, arms are called `run/arm` (`run_labels`).
        measure: what to compare; by default the headline measure of the first arm's market.

    Raises:
        ConfigError: the first run has no results yet, or the first arm no such measure.
    """
    arms = _finished_arms(runs)
    if not arms:
        raise ConfigError(_not_finished(runs[0]))
    first_arm, first = next(iter(arms.values()))
    measure = measure or first_arm.market.headline
    if measure not in first["measures"]:
        raise ConfigError(f"--measure: unknown '{measure}'. {nearest(measure, first['measures'])}")
    settings = setting_cells({label: arm for label, (arm, _) in arms.items()})
    rows = [
        _row(label, settings[label], arm, summary, first if k else None, measure)
        for k, (label, (arm, summary)) in enumerate(arms.items())
    ]
    # Every row has the columns of all, in one order: a warning may be in some rows only.
    of_some = dict.fromkeys(column for row in rows for column in row.brief)
    results = ("arm", measure, "n", DIFFERENCE, *WARNINGS, OWN_LOSS, "verdict")
    columns = [c for c in results if c in of_some] + [c for c in of_some if c not in results]
    return [replace(row, brief={c: row.brief.get(c, "") for c in columns}) for row in rows]


def brief_cells(rows: Sequence[ArmRow]) -> list[dict[str, str]]:
    """The brief cells of some rows of a comparison, without columns that are blank in all."""
    filled = {column for row in rows for column, cell in row.brief.items() if cell}
    return [{c: cell for c, cell in row.brief.items() if c in filled} for row in rows]


def run_labels(runs: Sequence[RunFolder]) -> dict[str, RunFolder]:
    """Runs by what tells them apart: the last part of their path, or more where others share it.

    A run that is named twice is there once.
    """
    paths = {run.path.resolve(): run for run in reversed(runs)}
    places = list(dict.fromkeys(run.path.resolve() for run in runs))
    labels: dict[str, RunFolder] = {}
    for place in places:
        others = [other.parts for other in places if other != place]
        length = 1
        while any(parts[-length:] == place.parts[-length:] for parts in others):
            length += 1
        labels["/".join(place.parts[-length:])] = paths[place]
    return labels


def arm_label(run: str, arm: str, runs: int) -> str:
    """What an arm is called beside those of other runs: `run/arm`; of one run, `arm`."""
    return f"{run}/{arm}" if runs > 1 else arm


def _finished_arms(runs: Sequence[RunFolder]) -> dict[str, tuple[Arm, ArmSummary]]:
    """Arms that have a summary, by label."""
    labels = run_labels(runs)
    arms: dict[str, tuple[Arm, ArmSummary]] = {}
    for run_label, run in labels.items():
        summaries = read_summary(run.summary)
        for name, arm in read_experiment(run).arms.items():
            if name in summaries:
                arms[arm_label(run_label, name, len(labels))] = (arm, summaries[name])
    return arms


def _not_finished(run: RunFolder) -> str:
    arms = read_experiment(run).arms
    seeds = [(name, k) for name, arm in arms.items() for k in range(arm.seeds)]
    done = sum(finished(run.checkpoint(*seed)) is not None for seed in seeds)
    return (
        f"{run.path}: {done} of {len(seeds)} seeds are finished, the summary is not written yet; "
        f"{run.resume}"
    )


def setting_cells(arms: Mapping[str, Arm]) -> dict[str, dict[str, str]]:
    """By arm, the cells of the settings in which arms differ; the weights of a KPI share one."""
    differing = differing_settings(arms)
    keys = [k for k in column_values(differing) if not k.startswith(("kpi.", "train."))]
    owners = sorted(
        {k.split(".")[1] for own in differing.values() for k in own if k.startswith("kpi.")}
    )
    cells_by_arm = {}
    for label, arm in arms.items():
        cells = {k.split(".", 1)[1]: _cell(differing[label][k]) for k in keys}
        for owner in owners:
            seats = [s.name for s in arm.market.seats if owner in (s.name, s.role.name)]
            cells[f"KPI ({owner})"] = kpis.label(arm.kpi[seats[0]]) if seats else "-"
        cells_by_arm[label] = cells
    return cells_by_arm


def with_interval(value: Estimate) -> str:
    """`.496 [.450, .542]`."""
    return f"{number(value.mean)} {interval(value)}"


def _cell(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(
    label: str,
    settings: Mapping[str, str],
    arm: Arm,
    summary: ArmSummary,
    first: ArmSummary | None,
    measure: str,
) -> ArmRow:
    """The row of an arm; `first` is the summary of the arm that it is compared with, if any."""
    own = estimate_of(summary, measure)
    unconverged = unconverged_seeds(summary)
    cells = {"arm": label, **settings}
    numbers: dict[str, Any] = {"arm": label, **settings, "measure": measure}
    brief = {"arm": label}
    if own is None:
        undefined = {measure: "not defined"}
        return ArmRow({**cells, **undefined}, numbers, {**brief, **undefined, **settings}, [])
    cells |= {measure: number(own.mean), "95 %": interval(own), "n": str(own.n)}
    brief |= {measure: with_interval(own), "n": str(own.n)}
    numbers |= {"mean": own.mean, "low": own.low, "high": own.high, "n": own.n}
    if unconverged:
        cells["not converged"] = f"{unconverged} of {summary['seeds']}"
    if tripped := counts_text(summary):
        cells["breakers"] = tripped
        numbers |= {
            f"breakers_{key}": x for key, x in summary["breakers"].items() if key != "trips"
        }
    if changed := counts_text(summary, "people"):
        cells["people"] = changed
        numbers |= {f"people_{key}": x for key, x in summary["people"].items()}
    if unconverged is not None:
        numbers["unconverged"] = unconverged
    gap = difference(summary, first, measure) if first else None
    cells[DIFFERENCE] = brief[DIFFERENCE] = with_interval(gap) if gap else "-"
    if gap:
        numbers |= {"difference": gap.mean, "difference_low": gap.low, "difference_high": gap.high}
    brief |= {name: cells[name] for name in WARNINGS if name in cells}
    row = ArmRow(cells, numbers, brief, words_given(summary.get("verdicts", [])))
    _add_earnings(row, arm, summary)
    _add_beside_headline(row, arm, summary)
    _add_own_firm_loss(row, summary)
    _add_harm(row, arm, summary)
    if row.words:
        cells["verdict"] = numbers["verdict"] = ", ".join(row.words)
        brief["verdict"] = ", ".join(map(short, row.words))
    brief |= dict(settings)
    brief |= {HARM: cells[HARM]} if HARM in cells else {}
    return row


def _add_earnings(row: ArmRow, arm: Arm, summary: ArmSummary) -> None:
    """What the best and the worst seat earn of their role's fundamental."""
    fundamental = arm.market.roles[0].fundamental
    best, worst = (estimate_of(summary, f"{fundamental}/{end}") for end in ("best", "worst"))
    if best and worst:
        row.cells["best / worst seat earns"] = f"{number(best.mean)} / {number(worst.mean)}"
        row.numbers.update(best_seat=best.mean, worst_seat=worst.mean)


def _add_beside_headline(row: ArmRow, arm: Arm, summary: ArmSummary) -> None:
    """Further measures that the market puts beside its headline."""
    for name, title in arm.market.beside_headline.items():
        found = estimate_of(summary, name)
        if found:
            row.cells[title] = number(found.mean)
            row.numbers[name] = found.mean


def _add_own_firm_loss(row: ArmRow, summary: ArmSummary) -> None:
    """What a seat's KPI costs its own firm."""
    found, share = estimate_of(summary, LOSS), estimate_of(summary, SHARE)
    if found:
        row.cells[OWN_LOSS] = row.brief[OWN_LOSS] = _loss_cell(found, share)
        ends = {f"{LOSS}_low": found.low, f"{LOSS}_high": found.high}
        row.numbers.update({LOSS: found.mean}, **ends)
        if share:
            row.numbers[SHARE] = share.mean


def _loss_cell(loss: Estimate, share: Estimate | None) -> str:
    """`.025 [.015, .034] 8%`; `0` where no repetition loses anything."""
    if loss.mean == 0.0:
        return "0"
    return with_interval(loss) + (f" {share.mean:.0%}" if share else "")


def _add_harm(row: ArmRow, arm: Arm, summary: ArmSummary) -> None:
    """The largest harm that is shown, and what of it best replies to the KPI alone would do."""
    splits = harm_splits(harm_measures(arm.market), lambda name: estimate_of(summary, name))
    if splits:
        largest = splits[0]
        row.cells[HARM] = largest.short() if largest.shown(arm.market) else "-"
        row.numbers.update(
            harm_in=largest.measure,
            harm=largest.whole.mean,
            harm_by_kpi=largest.by_kpi.mean,
            harm_by_learning=largest.by_learning.mean,
        )


def adoption_lines(runs: Sequence[RunFolder], arm: str | None = None) -> list[str]:
    """What is found of series of adopters, a line each: slope, p value, word.

    Args:
        runs: their folders.
        arm: only the series that ends in this arm; by default all.
    """
    return [
        f"{ADOPTION}, {verdict['evidence'][0]}: {verdict['word']}"
        for label, (_, summary) in _finished_arms(runs).items()
        for verdict in summary.get("verdicts", [])
        if verdict["behaviour"] == ADOPTION and verdict["evidence"] and arm in (None, label)
    ]


def write_csv(path: Path, rows: Sequence[ArmRow]) -> None:
    """Write a comparison with full precision.

    Raises:
        ConfigError: the file cannot be written.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row.numbers))
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, keys, restval="")
            writer.writeheader()
            writer.writerows(row.numbers for row in rows)
    except OSError as error:
        raise ConfigError(f"--csv: {path} cannot be written: {error.strerror}.") from None
