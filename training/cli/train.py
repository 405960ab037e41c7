"""`tacit train` and `tacit resume`."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.plain_text import say

from .options import (
    DEFAULT_RESULTS,
    AllowHost,
    ArmOption,
    Config,
    JsonFlag,
    Results,
    Settings,
    Trust,
)
from .printing import print_findings, print_next

if TYPE_CHECKING:
    from tacit.training.acts.control import RunControl
    from tacit.training.config.arms import Experiment
    from tacit.training.storage.run_folder import RunFolder
    from tacit.training.trust.live_doors import MakeSource


def train(
    config: Config,
    settings: Settings = None,
    arm: ArmOption = None,
    as_arm: Annotated[
        str | None, typer.Option("--as", help="add this configuration to the run as an arm")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="name of the run")] = None,
    results: Results = DEFAULT_RESULTS,
    as_json: JsonFlag = False,
    show: Annotated[
        bool, typer.Option("--show", help="print cost and config, train nothing")
    ] = False,
    cell: Annotated[
        int | None, typer.Option("--cell", help="train this cell of the sweep CONFIG")
    ] = None,
    trust_agents: Trust = False,
    allow_host: AllowHost = None,
) -> None:
    """Train CONFIG under its KPIs, all arms and seeds; what is finished is kept."""
    from tacit.envs.errors import ConfigError
    from tacit.training.config.files import dump_yaml, experiment_path

    if cell is None:
        experiment_path(config)  # a typing mistake is told before anything slow is imported
    from tacit.training.config.load import load
    from tacit.training.storage.run_folder import named
    from tacit.training.storage.signature_files import document_beside
    from tacit.training.trust.live_doors import untold_lines
    from tacit.training.trust.outside_agents import outside_agents

    if cell is not None:
        if settings or arm or as_arm or name or show:
            raise ConfigError("--cell: a cell is trained as its sweep plans it, without options.")
        _train_cell(config, cell, results)
        return
    experiment = load(config, settings or [], arm or [], as_arm)
    if show:
        from tacit.training.runs.warm_start import check_known_starts
        from tacit.training.storage.machine import workers
        from tacit.training.studies.cost import cost_lines

        check_known_starts(experiment, named(results, name or experiment.name))
        for note in experiment.notes:
            say(f"# {note}")
        for line in cost_lines(experiment.arms, workers()):
            say(f"# {line}")
        for line in untold_lines(experiment):
            say(f"# {line}")
        arms = {label: a.plain for label, a in experiment.arms.items()}
        print(dump_yaml({"experiment": experiment.name, "arms": arms}), end="")
        return
    run = named(results, experiment.name if name is None else name)
    if outside_agents(experiment):
        from tacit.training.tabulate.into_tables import with_tables

        tell = partial(say, is_error=as_json)
        experiment = with_tables(experiment, run, trust_agents, tuple(allow_host or ()), tell)
    live = _trusted(experiment, run, trust_agents, allow_host, as_json)
    signed = document_beside(config)
    _train(experiment, run, as_json, as_shipped=not settings, signed=signed, live=live)


def resume(
    run: str,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="NAME", help="let seeds go on that this breaker holds"),
    ] = None,
    results: Results = DEFAULT_RESULTS,
    as_json: JsonFlag = False,
    trust_agents: Trust = False,
    allow_host: AllowHost = None,
) -> None:
    """Go on with a run that was stopped; the result is the same, bit for bit."""
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.storage.run_folder import existing_run

    folder = existing_run(run, results)
    experiment = read_experiment(folder)
    if release is not None:
        from tacit.training.runs.held import release as release_seeds

        count = release_seeds(folder, experiment, release)
        say(f"released: {count} seed{'s' * (count > 1)}", is_error=as_json)
    live = _trusted(experiment, folder, trust_agents, allow_host, as_json)
    _train(experiment, folder, as_json, live=live)


def _trusted(
    experiment: Experiment,
    run: RunFolder,
    trust_agents: bool,
    allow_host: list[str] | None,
    as_json: bool,
) -> MakeSource | None:
    """What asks the live agents of an experiment, after what they will cost was told; None where
    there are none, none is trusted, or nothing is left to train."""
    from tacit.training.runs.runner import left_to_train
    from tacit.training.storage.machine import workers
    from tacit.training.trust.live_doors import live_doors, trial_lines

    if not trust_agents or not any(arm.live for arm in experiment.arms.values()):
        return None
    allowed = tuple(allow_host or ())
    for line in trial_lines(left_to_train(experiment, run), allowed, workers()):
        say(line, is_error=as_json)
    return live_doors(allowed)


def _train(
    experiment: Experiment,
    run: RunFolder,
    as_json: bool,
    as_shipped: bool = False,
    signed: Path | None = None,
    live: MakeSource | None = None,
) -> None:
    """Train with a progress bar, then print the table or the summary.

    `as_shipped`: no setting was changed, so that the file's text about its result holds. `signed`:
    a document about the configuration's objectives. `live`: what asks live agents.
    """
    from tacit.training.runs.runner import Interrupted, Paused, train_experiment
    from tacit.training.show.progress_bar import ProgressBar
    from tacit.training.studies.figures import draw_in_run

    market = next(iter(experiment.arms.values())).market
    control = _control(run)
    try:
        with ProgressBar(market.headline, quiet=as_json) as progress_bar:
            summary = train_experiment(
                experiment, run, progress_bar, draw_in_run, signed, control, live
            )
    except Paused as paused:
        for line in paused.advice.splitlines():
            say(line, is_error=True)
        sys.exit(paused.exit_code)
    except Interrupted as stopped:
        by = f" by {control.stopped_by}" if control.stopped_by else ""
        say(f"stopped{by}; everything is kept. Go on: {run.resume}", is_error=True)
        sys.exit(stopped.exit_code)
    if as_json:
        print(json.dumps(summary, allow_nan=False))
        return
    print_findings(run)
    print_next(run, as_shipped)


def _train_cell(sweep: str, k: int, results: Path) -> None:
    """Train one cell of a sweep; exit code 1 if it failed."""
    from tacit.envs.errors import ConfigError
    from tacit.training.sweep.cell import train_cell
    from tacit.training.sweep.sweep_folder import existing_sweep

    folder = existing_sweep(sweep, results)
    plan = folder.read_plan()
    if not 0 <= k < plan.count:
        raise ConfigError(f"--cell: {folder.path} has cells 0 to {plan.count - 1:,}, got {k}.")
    outcome = train_cell(folder, plan, k, lambda share: None)
    if outcome.is_elsewhere:
        say(f"cell {k}: is being trained by another process", is_error=True)
        sys.exit(1)
    if outcome.failure is not None:
        say(f"cell {k} failed: {outcome.failure} ({folder.failure_log(plan, k)})", is_error=True)
        sys.exit(1)
    say(f"cell {k}: done, {folder.cell(plan, k).path}")


def _control(run: RunFolder) -> RunControl:
    """By which `tacit ctl` acts on the run; on systems without Unix sockets nothing does."""
    import socket  # here and not above: help needs none

    from tacit.training.acts.control import RunControl

    if not hasattr(socket, "AF_UNIX"):
        return RunControl()
    from tacit.training.acts.server import serving

    return RunControl(partial(serving, run))
