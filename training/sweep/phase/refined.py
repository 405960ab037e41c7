"""Refinement: cells are added where they tell most, and trained, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.sweep.engine import SweepEngine, SweepListener
from tacit.training.sweep.plan import Settings, SweepPlan
from tacit.training.sweep.sweep_folder import SweepFolder
from tacit.training.sweep.sweeping import to_train, train_cells

from .points import Points
from .refining import AT_A_TIME, next_points


def refine_crossing(
    folder: SweepFolder,
    read: Callable[[], Points],
    level: float,
    count: int,
    fixed: Mapping[str, Any],
    engine: SweepEngine,
    listener: SweepListener,
) -> dict[int, str]:
    """Add cells to a sweep and train them.

    A sweep that was interrupted here has cells in its plan that are not trained: they are trained
    first, and count among the cells that are asked for.

    Args:
        folder: of the sweep, whose lock is held.
        read: reads the points that are known.
        level: whose crossing is drawn.
        count: cells to add.
        fixed: values of the keys that are not along the axes.
        engine: trains them.
        listener: receives the progress.

    Returns:
        Why cells failed, by number: none are added after that.

    Raises:
        ConfigError: too few cells are known, or the library is missing.
        Interrupted: stopped by a signal; what was trained is kept.
    """
    plan = folder.read_plan()
    waiting = to_train(folder, plan)
    failed = train_cells(folder, plan, engine, listener, waiting)[0] if waiting else {}
    left = count - sum(k >= plan.grid for k in waiting)
    while left > 0 and not failed:
        plan = folder.read_plan()
        points = read()
        chosen = next_points(points, level, min(AT_A_TIME, left))
        if not chosen:
            break
        cells = [_settings(plan, points, x, y, fixed) for x, y in chosen]
        longer = plan.with_added(cells)
        folder.write_plan(longer, files.read_yaml(folder.experiment_file(plan)))
        failed, _ = train_cells(
            folder, longer, engine, listener, list(range(plan.count, longer.count))
        )
        left -= len(chosen)
    return failed


def _settings(
    plan: SweepPlan, points: Points, x: float, y: float, fixed: Mapping[str, Any]
) -> Settings:
    """The settings of a new cell, in the order of the plan's keys."""
    values = {**fixed, points.x_key: x, points.y_key: y}
    return tuple((key, values[key]) for key in plan.keys)


def check_real(plan: SweepPlan, x: str, y: str) -> None:
    """Check that both axes have real numbers, between which cells can be added.

    Raises:
        ConfigError: every axis of whole numbers only.
    """
    whole = [
        axis.key
        for axis in plan.axes
        if axis.key in (x, y) and all(isinstance(v, int) for v in axis.values)
    ]
    whole += [each.key for each in plan.ranges if each.key in (x, y) and each.kind == "int"]
    if whole:
        raise ConfigError([
            f"--refine: {key} has whole numbers only, between which no cells are added. (If it may "
            "be any number, write one of its values with a point.)"
            for key in whole
        ])  # fmt: skip
