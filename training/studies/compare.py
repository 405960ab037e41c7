"""Comparisons: one row an arm, with interval, n and the paired difference to the first arm."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.emergence.stats import interval, number
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.training.board import bands
from tacit.training.board.bands import differing
from tacit.training.config.arms import Arm, Experiment
from tacit.training.runs.checkpoint import finished
from tacit.training.runs.load_run import read_experiment
from tacit.training.runs.run_folder import RunFolder
from tacit.training.runs.summary import difference, estimate_of, read_summary


@dataclass(frozen=True)
class ArmRow:
    """One arm of a comparison; cells are text, `numbers` what a CSV holds."""

    cells: dict[str, str]
    numbers: dict[str, Any]


def compare(
    runs: Sequence[RunFolder], measure: str | None = None
) -> tuple[str, list[ArmRow], list[Experiment]]:
    """The measure compared, a row an arm, and the experiments behind them.

    Differences are paired by seed, to the first arm.
    """
    experiments = [read_experiment(run) for run in runs]
    arms: dict[str, tuple[Arm, dict[str, Any]]] = {}
    for run, experiment in zip(runs, experiments, strict=True):
        found = read_summary(run.summary)
        for name, arm in experiment.arms.items():
            label = f"{run.name}/{name}" if len(runs) > 1 else name
            if name in found:
                arms[label] = (arm, found[name])
    if not arms:
        seeds = [(name, k) for name, arm in experiments[0].arms.items() for k in range(arm.seeds)]
        done = sum(finished(runs[0].checkpoint(*seed)) is not None for seed in seeds)
        raise ConfigError(
            f"{runs[0].path}: {done} of {len(seeds)} seeds are finished, the summary is not "
            f"written yet; tacit resume {runs[0].name}"
        )
    first_arm, first = next(iter(arms.values()))
    measure = measure or first_arm.market.headline
    if measure not in first["measures"]:
        raise ConfigError(f"--measure: unknown '{measure}'. {nearest(measure, first['measures'])}")
    settings = columns({label: arm for label, (arm, _) in arms.items()})
    rows = [
        _row(label, settings[label], arm, summary, first if k else None, measure)
        for k, (label, (arm, summary)) in enumerate(arms.items())
    ]
    return measure, rows, experiments


def columns(arms: Mapping[str, Arm]) -> dict[str, dict[str, str]]:
    """The settings in which arms differ, as table columns; a KPI of several weights is one."""
    varied = differing(arms)
    keys = [k for k in bands.columns(varied) if not k.startswith(("kpi.", "train."))]
    owners = sorted(
        {k.split(".")[1] for row in varied.values() for k in row if k.startswith("kpi.")}
    )
    result = {}
    for label, arm in arms.items():
        cells = {k.split(".", 1)[1]: _cell(varied[label][k]) for k in keys}
        for owner in owners:
            seats = [s for s in arm.kpi if s == owner or s.startswith(f"{owner}_")]
            cells[f"KPI ({owner})"] = kpis.short(arm.kpi[seats[0]]) if seats else "-"
        result[label] = cells
    return result


def _cell(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(
    label: str,
    settings: Mapping[str, str],
    arm: Arm,
    summary: Mapping[str, Any],
    first: Mapping[str, Any] | None,
    measure: str,
) -> ArmRow:
    own = estimate_of(summary, measure)
    cells = {"arm": label, **settings}
    numbers: dict[str, Any] = {"arm": label, **settings, "measure": measure}
    if own is None:
        return ArmRow({**cells, measure: "not defined"}, numbers)
    cells |= {measure: number(own.mean), "95 %": interval(own), "n": str(own.n)}
    numbers |= {"mean": own.mean, "low": own.low, "high": own.high, "n": own.n}
    gap = difference(summary, first, measure) if first else None
    cells["difference to first"] = f"{number(gap.mean)} {interval(gap)}" if gap else "-"
    if gap:
        numbers |= {"difference": gap.mean, "difference_low": gap.low, "difference_high": gap.high}
    fundamental = arm.market.roles[0].fundamental
    best, worst = (estimate_of(summary, f"{fundamental}/{end}") for end in ("best", "worst"))
    if best and worst:
        cells["best / worst seat earns"] = f"{number(best.mean)} / {number(worst.mean)}"
        numbers |= {"best_seat": best.mean, "worst_seat": worst.mean}
    share = estimate_of(summary, "winner_share")
    if share:
        cells["winner's share"] = number(share.mean)
        numbers["winner_share"] = share.mean
    words = dict.fromkeys(v["word"] for v in summary.get("verdicts", []))
    if words:
        decided = [word for word in words if not word.startswith("undecided")]
        cells["verdict"] = ", ".join(decided) or "undecided"  # (n stands in its own column)
        numbers["verdict"] = cells["verdict"]
    return ArmRow(cells, numbers)


def write_csv(path: Path, rows: Sequence[ArmRow]) -> None:
    """The comparison with full precision."""
    keys = list(dict.fromkeys(k for row in rows for k in row.numbers))
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, keys, restval="")
            writer.writeheader()
            writer.writerows(row.numbers for row in rows)
    except OSError as error:
        raise ConfigError(f"--csv: {path} cannot be written: {error.strerror}.") from None
