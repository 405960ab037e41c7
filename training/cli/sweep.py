"""`tacit sweep`: one experiment under many settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, AllowHost, ArmOption, Results, Settings, Trust

if TYPE_CHECKING:
    from tacit.training.sweep.engine import SweepEngine
    from tacit.training.sweep.phase.closed_form import ClosedForm
    from tacit.training.sweep.phase.points import Points
    from tacit.training.sweep.plan import SweepPlan
    from tacit.training.sweep.sweep_folder import SweepFolder
    from tacit.training.tabulate.into_tables import Bot

ENGINES = ("processes", "ray", "slurm")
MOST_TOLD = 20  # failed cells that are listed


def sweep(
    config: Annotated[str, typer.Argument(help="an experiment, a YAML file, or a SWEEP to go on")],
    settings: Settings = None,
    grid: Annotated[
        list[str] | None, typer.Option("--grid", help="key=value,value,... (repeatable)")
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", help="key=low:high[:log|:int], drawn from (repeatable)"),
    ] = None,
    random: Annotated[int, typer.Option("--random", help="draws of the ranges")] = 0,
    draw_seed: Annotated[int, typer.Option("--draw-seed", help="seed of these draws")] = 0,
    arm: ArmOption = None,
    name: Annotated[str | None, typer.Option("--name", help="name of the sweep")] = None,
    engine: Annotated[str, typer.Option("--engine", help="processes, ray or slurm")] = "processes",
    processes: Annotated[
        int | None, typer.Option("--processes", help="how many; by default one a core", min=1)
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="of a Ray cluster; by default one is started")
    ] = None,
    per_node: Annotated[
        bool, typer.Option("--per-node", help="Ray's machines do not see the results' folder")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="cells, what is done, and an estimate; train nothing")
    ] = False,
    results: Results = DEFAULT_RESULTS,
    as_json: Annotated[bool, typer.Option("--json", help="print counts alone, as JSON")] = False,
    trust_agents: Trust = False,
    allow_host: AllowHost = None,
) -> None:
    """Train CONFIG once for every combination of settings; what is done is kept."""
    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.sweep.sweeping import ask_bots, bots_to_ask, cost_line, sweeping

    if engine not in ENGINES:
        raise ConfigError(f"--engine: unknown engine '{engine}'. {nearest(engine, ENGINES)}")
    if engine != "ray" and (address is not None or per_node):
        raise ConfigError("--address and --per-node: belong to --engine ray.")
    folder, plan, raw = _planned(
        config, settings, grid, ranges, random, draw_seed, arm, name, results,
        trust_agents or dry_run,
    )  # fmt: skip
    bots = bots_to_ask(folder, plan, raw) if trust_agents or dry_run else []
    if bots and per_node:
        raise ConfigError("--per-node: bots are tables in the sweep's folder, which all must see.")
    if dry_run:
        _tell_plan(folder, plan, raw, processes, as_json, bots)
        return
    with sweeping(folder, plan, raw) as stored:
        if bots:
            say(cost_line(bots, plan), is_error=True)
            ask_bots(bots, tuple(allow_host or ()), partial(say, is_error=True))
        if engine == "slurm":
            _print_script(folder, stored)
            return
        code = _train(folder, stored, _engine(engine, processes, address, per_node), as_json)
    sys.exit(code)


def _planned(
    config: str,
    settings: list[str] | None,
    grid: list[str] | None,
    ranges: list[str] | None,
    random: int,
    draw_seed: int,
    arm: list[str] | None,
    name: str | None,
    results: Path,
    is_trusted: bool,
) -> tuple[SweepFolder, SweepPlan, dict[str, Any]]:
    """The folder, the plan and the experiment's data: of a sweep that stands, or of a new one."""
    from tacit.envs.errors import ConfigError
    from tacit.training.config.files import read_yaml
    from tacit.training.sweep.sweep_folder import PLAN, SweepFolder
    from tacit.training.sweep.sweeping import make_plan, sweep_folder

    for path in (results / config, Path(config)):
        if (path / PLAN).is_file():
            given = [settings, grid, ranges, arm, name, random or None]
            if any(word is not None for word in given):
                raise ConfigError(
                    f"CONFIG: {path} is a sweep that has its plan; it goes on as it is. Give the "
                    "experiment's name to plan another."
                )
            folder = SweepFolder(path)
            plan = folder.read_plan()
            return folder, plan, read_yaml(folder.experiment_file(plan))
    plan, raw = make_plan(
        config, grid or [], ranges or [], random, settings or [], arm or [], draw_seed, is_trusted
    )
    return sweep_folder(results, name or f"{plan.experiment}_sweep"), plan, raw


def _engine(engine: str, processes: int | None, address: str | None, per_node: bool) -> SweepEngine:
    from tacit.training.sweep.processes import Processes
    from tacit.training.sweep.ray_engine import RayCluster

    if engine == "ray":
        return RayCluster(address, processes, is_shared=not per_node)
    return Processes(processes)


def _tell_plan(
    folder: SweepFolder,
    plan: SweepPlan,
    raw: dict[str, Any],
    processes: int | None,
    as_json: bool,
    bots: Sequence[Bot],
) -> None:
    """Print how many cells there are, how far they are, and what the rest costs."""
    from tacit.training.storage.machine import workers
    from tacit.training.sweep.estimate import estimate
    from tacit.training.sweep.sweep_folder import CellState

    if bots:
        _tell_bots(plan, bots, as_json)
        return
    states = folder.states(plan)
    counts = {state.name.lower(): states.count(state) for state in CellState}
    left = [k for k, state in enumerate(states) if state != CellState.DONE]
    cost = estimate(raw, plan, left)
    side_by_side = processes or workers()
    if as_json:
        print(json.dumps({"cells": plan.count, **counts, "core_seconds": cost.core_seconds}))
        return
    say(f"{plan.count:,} cells of {plan.experiment}: {', '.join(plan.keys)}")
    say(", ".join(f"{number:,} {state}" for state, number in counts.items() if number))
    for k in left[:3]:
        say(f"  cell {k}: {' '.join(plan.words(k))}")
    if left:
        seconds = cost.core_seconds / min(side_by_side, len(left))
        say(
            f"about {_duration(cost.core_seconds)} of one core, {_duration(seconds)} on "
            f"{side_by_side} (from {cost.cells} cells, played for a moment)"
        )


def _tell_bots(plan: SweepPlan, bots: Sequence[Bot], as_json: bool) -> None:
    """What asking bots costs, and what would be run; what training costs is not known before."""
    from tacit.agents.external.config import what_it_runs
    from tacit.training.sweep.sweeping import cost_line

    if as_json:
        least, most = (sum(bot.cost[which] for bot in bots) for which in (0, 1))
        asked = {"tables": len(bots), "questions": least, "questions_at_most": most}
        print(json.dumps({"cells": plan.count, **asked}))
        return
    say(f"{plan.count:,} cells of {plan.experiment}: {', '.join(plan.keys)}")
    say(cost_line(bots, plan))
    for what in dict.fromkeys(what_it_runs(bot.config) for bot in bots):
        say(f"  --trust-agents would run {what}")
    say("how long training takes is told once they have answered")


def _duration(seconds: float) -> str:
    """`40 s`, `12 min`, `7.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:,.1f} h"


def _print_script(folder: SweepFolder, plan: SweepPlan) -> None:
    """Print the script for a scheduler."""
    from tacit.training.sweep.slurm import array_script
    from tacit.training.sweep.sweeping import to_train

    cells = to_train(folder, plan)
    if not cells:
        say(f"{folder.path}: all {plan.count:,} cells are done", is_error=True)
        return
    say(array_script(folder, cells), end="")
    say(f"planned {plan.count:,} cells in {folder.path}; nothing was submitted", is_error=True)


def _train(folder: SweepFolder, plan: SweepPlan, engine: SweepEngine, as_json: bool) -> int:
    """Train what is left; returns the exit code."""
    from tacit.training.runs.runner import Interrupted
    from tacit.training.show.sweep_bar import SweepBar
    from tacit.training.sweep.sweeping import to_train, train_cells

    cells = to_train(folder, plan)
    try:
        with SweepBar(plan.count, plan.count - len(cells), quiet=as_json) as bar:
            failed, elsewhere = train_cells(folder, plan, engine, bar, cells)
    except Interrupted as stopped:
        say(f"stopped; everything is kept. Go on: {folder.command('sweep')}", is_error=True)
        return stopped.exit_code
    done = plan.count - len(failed) - len(elsewhere)
    if as_json:
        counts = {"cells": plan.count, "done": done, "failed": failed, "elsewhere": elsewhere}
        print(json.dumps(counts))
        return 1 if failed or elsewhere else 0
    say(f"{folder.path}: {done:,} of {plan.count:,} cells done")
    for k, why in list(failed.items())[:MOST_TOLD]:
        say(f"  cell {k} failed: {why} ({folder.failure_log(plan, k)})")
    if len(failed) > MOST_TOLD:
        say(f"  and {len(failed) - MOST_TOLD:,} more")
    if elsewhere:
        say(f"  {len(elsewhere):,} cells are being trained by other processes")
    if failed or elsewhere:
        say(f"the same command tries them again: {folder.command('sweep')}")
        return 1
    say(f"compare the cells: {folder.command('compare')}")
    return 0


def phase(
    sweep: Annotated[str, typer.Argument(metavar="SWEEP", help="path or name of a sweep")],
    x: Annotated[str, typer.Option("--x", help="the key along x")],
    y: Annotated[str, typer.Option("--y", help="the key along y")],
    measure: Annotated[
        str | None, typer.Option("--measure", help="what is drawn (default: the market's)")
    ] = None,
    level: Annotated[float, typer.Option("--level", help="whose crossing is drawn")] = 0.5,
    theory: Annotated[
        str | None, typer.Option("--theory", help="measure that holds a closed form of it")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="key=value: only these cells (repeatable)")
    ] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="only this arm")] = None,
    refine: Annotated[
        int, typer.Option("--refine", help="cells to train where they tell most", min=0)
    ] = 0,
    processes: Annotated[
        int | None, typer.Option("--processes", help="for --refine; by default one a core", min=1)
    ] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Where in the plane of two settings a measure crosses a level: figure, tables, TensorBoard."""
    import numpy as np

    from tacit.training.sweep.cell_table import only_arm, parse_filter, read_results
    from tacit.training.sweep.phase.drawing import draw_phase
    from tacit.training.sweep.phase.phase_files import write_phase
    from tacit.training.sweep.phase.points import check_axes, points_of
    from tacit.training.sweep.phase.surface import distance_to_theory, onset
    from tacit.training.sweep.sweep_folder import existing_sweep

    folder = existing_sweep(sweep, results)
    plan = folder.read_plan()
    wanted = parse_filter(where or [], plan)
    check_axes(plan, x, y, wanted)

    def read() -> Points:
        found = list(read_results(folder, folder.read_plan(), wanted, arm))
        only_arm(found)
        return points_of(found, x, y, measure or str(found[0].headline), theory)

    points = read()
    if refine and _refine(folder, plan, read, points, level, refine, wanted, processes):
        sys.exit(1)
    points = read() if refine else points
    crossing = onset(points, level, _closed_form(folder, plan, points, wanted, arm))
    title = f"{plan.experiment}: {points.measure.replace('_', ' ')}, {len(points.x)} cells"
    figure = draw_phase(points, level, crossing, f"{title}, {_seeds(points.n)} seeds each")
    paths = write_phase(folder.path / "phase", points, crossing, figure)
    crosses = np.isfinite(crossing.y)
    if not crosses.any():
        side = "above" if points.mean.min() > level else "below"
        say(
            f"{points.measure} crosses {level:g} nowhere: it is {side} in all {len(points.x)} cells"
        )
    else:
        say(
            f"{points.measure} crosses {level:g} at {y} = {crossing.y[crosses].min():.3g} to "
            f"{crossing.y[crosses].max():.3g}, for {x} = {crossing.x[crosses].min():.3g} to "
            f"{crossing.x[crosses].max():.3g}"
        )
    apart = distance_to_theory(crossing)
    if apart is not None:
        say(
            f"from the closed form: {apart[0]:.4f} along {y} in the mean, {apart[1]:.4f} at most "
            f"({apart[2]} places)"
        )
    for path in paths:
        say(f"wrote {path}")


def _closed_form(
    folder: SweepFolder, plan: SweepPlan, points: Points, where: Mapping[str, Any], arm: str | None
) -> ClosedForm | None:
    """The closed form of what is drawn, in the market of a cell that is drawn."""
    from tacit.training.sweep.cell_table import read_results
    from tacit.training.sweep.phase.closed_form import closed_form

    if points.theory_name is None:
        return None
    first = next(read_results(folder, plan, where, arm))
    config = folder.cell(plan, first.k).read_config() or {}
    market = config["arms"][first.arm]["market"]
    return closed_form(market, points.x_key, points.y_key, points.theory_name)


def _refine(
    folder: SweepFolder,
    plan: SweepPlan,
    read: Callable[[], Points],
    points: Points,
    level: float,
    count: int,
    fixed: Mapping[str, Any],
    processes: int | None,
) -> bool:
    """Add cells and train them; whether one failed."""
    from tacit.training.config.files import read_yaml
    from tacit.training.runs.runner import Interrupted
    from tacit.training.show.sweep_bar import SweepBar
    from tacit.training.sweep.phase.refined import check_real, refine_crossing
    from tacit.training.sweep.processes import Processes
    from tacit.training.sweep.sweeping import sweeping

    check_real(plan, points.x_key, points.y_key)
    raw = read_yaml(folder.experiment_file(plan))
    try:
        with sweeping(folder, plan, raw) as stored, SweepBar(count, 0) as bar:
            failed = refine_crossing(folder, read, level, count, fixed, Processes(processes), bar)
            say(f"{folder.read_plan().count - stored.count} cells added", is_error=True)
    except Interrupted as stopped:
        say(f"stopped; everything is kept. Go on: {folder.command('sweep')}", is_error=True)
        sys.exit(stopped.exit_code)
    for k, why in failed.items():
        say(f"  cell {k} failed: {why}", is_error=True)
    return bool(failed)


def _seeds(counts: Sequence[int]) -> str:
    """`8`, or `6 to 8`."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def compare_sweep(
    folder: SweepFolder,
    measure: str | None,
    where: Sequence[str],
    by: str | None,
    sort: bool,
    csv: Path | None,
) -> None:
    """Print the cells of a sweep side by side."""
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.sweep.cell_table import parse_filter, read_results
    from tacit.training.sweep.comparing import compare_cells
    from tacit.training.sweep.comparing_text import row_cells, write_table

    plan = folder.read_plan()
    results = read_results(folder, plan, parse_filter(where, plan))
    if by is not None:  # refined cells have values that no others share
        results = (result for result in results if result.k < plan.grid)
    name, rows = compare_cells(results, measure, by, sort)
    console().print(TextTable([row_cells(row, name) for row in rows]))
    if len(rows) > 1:
        say("difference: to the first row, over equal seeds; p: corrected for all rows (Holm)")
    if csv is not None:
        write_table(csv, name, rows)
        say(f"wrote {csv}")
