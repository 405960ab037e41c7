"""`tacit reproduce` and `tacit best-response`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, ArmOption, Results, Settings

REFERENCE = Path("results/reference")  # committed; the same wherever runs are kept


def reproduce(
    name: Annotated[str | None, typer.Argument(help="an experiment; see --list")] = None,
    settings: Settings = None,
    every: Annotated[bool, typer.Option("--all", help="all of them")] = False,
    listing: Annotated[bool, typer.Option("--list", help="what can be reproduced")] = False,
    update_reference: Annotated[
        bool,
        typer.Option(
            "--update-reference", help="write results/reference as well (with --list: its table.md)"
        ),
    ] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """References beside what is measured, with interval and n; exit code 1 if one is not within."""
    from tacit.envs.errors import ConfigError
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.reference_tables import collect_tables
    from tacit.training.studies.reproduce import overview, reproducible

    if listing:
        console().print(TextTable(overview(results)))
        if update_reference:
            collect_tables(REFERENCE)
            say(f"wrote {REFERENCE / 'table.md'}")
        return
    if name is not None and "=" in name and not Path(name).is_file():
        advice = "settings go behind one experiment's NAME; --all takes experiments as they are."
        raise ConfigError(f"{name}: {advice}")
    if every == (name is not None):
        raise ConfigError("NAME: give one experiment or --all; see tacit reproduce --list.")
    good = True
    for chosen in reproducible() if every else [str(name)]:
        good &= _reproduce(chosen, settings or [], results, update_reference)
    if not good:
        sys.exit(1)


def _reproduce(name: str, settings: list[str], results: Path, update_reference: bool) -> bool:
    """Reproduce one experiment and print its table; whether no row is off."""
    import shutil

    from tacit.envs.errors import ConfigError
    from tacit.training.config.load import load
    from tacit.training.show.progress_bar import ProgressBar
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.checks import HEAD, MORE_SEEDS
    from tacit.training.studies.reference_tables import collect_tables
    from tacit.training.studies.reproduce import reproduce as run_reproduction

    experiment = load(name, settings)
    if update_reference and settings:
        raise ConfigError("--update-reference: takes an experiment as it is, without key=value.")
    headline = next(iter(experiment.arms.values())).market.headline
    with ProgressBar(headline) as progress_bar:
        rows, folder = run_reproduction(experiment, settings, results, progress_bar)
    cells = [dict(zip(HEAD, row.cells(), strict=True)) for row in rows]
    console().print(TextTable(cells, experiment.file.question))
    written = ",".join(sorted(p.name for p in folder.iterdir()))
    say(f"wrote {folder}/{{{written}}}")
    if update_reference:
        target = REFERENCE / experiment.name
        shutil.copytree(folder, target, dirs_exist_ok=True)
        collect_tables(REFERENCE)
        say(f"wrote {target}, {REFERENCE / 'table.md'}")
    if any(row.lacks == MORE_SEEDS for row in rows):
        say("verdicts need 48 seeds: add seeds=48")
    return all(row.within is not False for row in rows)


def best_response(
    run: str,
    seat: Annotated[str | None, typer.Option("--seat", help="only this seat")] = None,
    arm: ArmOption = None,
    results: Results = DEFAULT_RESULTS,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
) -> None:
    """What each seat of RUN would gain by leaving its policy: in its KPI, in its fundamental."""
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.storage.load_run import load_run
    from tacit.training.studies.best_responses import best_responses

    rows, note = best_responses(load_run(run, results).folder, seat, arm or [])
    if as_json:
        print(json.dumps([row.plain() for row in rows], allow_nan=False))
        return
    console().print(TextTable([row.cells() for row in rows]))
    console().print(note, soft_wrap=True)
