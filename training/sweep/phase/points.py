"""The cells of a sweep as points of a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.emergence import stats
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.types import Floats
from tacit.training.sweep.cell_table import CellResult, only_arm
from tacit.training.sweep.plan import SweepPlan

FEWEST = 9  # points: below, a contour is a guess


@dataclass(frozen=True)
class Points:
    """A measure at points of the plane.

    Attributes:
        x_key: the setting along the x axis.
        y_key: the setting along the y axis.
        measure: its name.
        x: where, float64 `[N]`, ascending.
        y: where, float64 `[N]`, ascending among equal x.
        mean: over seeds, float64 `[N]`.
        low: the lower end of the 95 % interval of the mean, float64 `[N]`.
        high: its upper end, float64 `[N]`.
        n: seeds behind each, int `[N]`.
        theory: what a closed form says there, float64 `[N]`; None where the market has none.
        theory_name: the measure that holds it.
    """

    x_key: str
    y_key: str
    measure: str
    x: Floats
    y: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: Sequence[int]
    theory: Floats | None = None
    theory_name: str | None = None


def check_axes(plan: SweepPlan, x: str, y: str, where: Mapping[str, Any]) -> None:
    """Check that a sweep varies two keys by numbers, and nothing else that is left open.

    Raises:
        ConfigError: every mistake at once.
    """
    lines = [
        f"--{option} {key}: is not varied in this sweep. {nearest(key, plan.keys)}"
        for option, key in (("x", x), ("y", y))
        if key not in plan.keys
    ]
    if x == y:
        lines.append(f"--y {y}: is the same key as --x.")
    lines += [
        f"--where {key}=VALUE: the sweep varies {key} as well; which value is meant?"
        for key in plan.keys
        if key not in (x, y, *where)
    ]
    if lines:
        raise ConfigError(lines)


def points_of(
    results: Sequence[CellResult], x: str, y: str, measure: str, theory: str | None = None
) -> Points:
    """The points of a plane.

    Args:
        results: of one arm.
        x, y: keys along the axes.
        measure: what is drawn.
        theory: the measure that holds a closed form of it; None: `<measure>_theory` if there is.

    Raises:
        ConfigError: values that are no numbers, an unknown measure, or too few points.
    """
    only_arm(results)
    known = dict.fromkeys(name for result in results for name in result.summary["measures"])
    for option, name in (("measure", measure), ("theory", theory)):
        if name is not None and name not in known:
            raise ConfigError(f"--{option}: unknown measure '{name}'. {nearest(name, known)}")
    if theory is None and f"{measure}_theory" in known:
        theory = f"{measure}_theory"
    rows = []
    for result in results:
        values = [v for v in result.values(measure) or [] if v is not None]
        if not values:
            continue  # not defined in this cell: a hole in the diagram
        place = (_number(result, x), _number(result, y))
        closed = result.summary["measures"].get(theory, {}).get("mean", np.nan)
        estimate = stats.estimate(measure, values)
        rows.append((*place, estimate.mean, estimate.low, estimate.high, estimate.n, closed))
    if len(rows) < FEWEST:
        raise ConfigError(
            f"SWEEP: {len(rows)} cells have '{measure}'; a phase diagram needs at least {FEWEST}."
        )
    rows.sort(key=lambda row: row[:2])
    xs, ys, mean, low, high, n, closed_form = np.array(rows, float).T
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        raise ConfigError("SWEEP: a phase diagram needs at least two values along each axis.")
    has_theory = theory is not None and bool(np.isfinite(closed_form).all())
    return Points(
        x, y, measure, xs, ys, mean, low, high, [int(each) for each in n],
        closed_form if has_theory else None, theory if has_theory else None,
    )  # fmt: skip


def _number(result: CellResult, key: str) -> float:
    value = result.settings[key]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{key}: cell {result.k} has {value!r}, which is no number to be drawn.")
    return float(value)
