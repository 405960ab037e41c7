"""`tacit reproduce` and `tacit best-response`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, ArmOption, Results, Settings, Wide

if TYPE_CHECKING:
    from tacit.training.studies.reproduce import Reproduction

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
    wide: Wide = False,
) -> None:
    """References beside what is measured, with interval and n; exit code 1 if one is not within."""
    from tacit.envs.errors import ConfigError
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.reference_tables import collect_tables
    from tacit.training.studies.reproduce import overview

    if update_reference and settings:
        raise ConfigError("--update-reference: takes an experiment as it is, without key=value.")
    if listing:
        console(wide=wide).print(TextTable(overview(results)))
        if update_reference:
            collect_tables(REFERENCE)
            say(f"wrote {REFERENCE / 'table.md'}")
        return
    if name is not None and "=" in name and not Path(name).is_file():
        advice = "settings go behind one experiment's NAME; --all takes experiments as they are."
        raise ConfigError(f"{name}: {advice}")
    if every == (name is not None):
        raise ConfigError("NAME: give one experiment or --all; see tacit reproduce --list.")
    if every:
        found = _reproduce_all(results, update_reference, wide)
    else:
        found = [_reproduce(str(name), settings or [], results)]
        _tell(found[0], update_reference, wide)
    if not all(outcome.is_good for outcome in found):
        sys.exit(1)


def _reproduce_all(results: Path, update_reference: bool, wide: bool) -> list[Reproduction]:
    """Reproduce every experiment; each is told when it ends."""
    from tacit.training.storage.machine import workers
    from tacit.training.studies.reproduce import reproducible
    from tacit.training.studies.side_by_side import reproduce_side_by_side

    names = reproducible()
    found: list[Reproduction] = []

    def tell(outcome: Reproduction) -> None:
        found.append(outcome)
        say(f"{outcome.name}: {len(found)} of {len(names)}")
        _tell(outcome, update_reference, wide)

    if workers() > 1:
        say(f"{len(names)} experiments side by side; each is shown when it ends", is_error=True)
        reproduce_side_by_side(names, results, tell)
    else:
        for name in names:
            tell(_reproduce(name, [], results))
    return found


def _reproduce(name: str, settings: list[str], results: Path) -> Reproduction:
    """Reproduce one experiment, with a progress bar."""
    from tacit.training.config.load import load
    from tacit.training.show.progress_bar import ProgressBar
    from tacit.training.studies.reproduce import outcome

    experiment = load(name, settings)
    headline = next(iter(experiment.arms.values())).market.headline
    with ProgressBar(headline) as progress_bar:
        return outcome(experiment, settings, results, progress_bar)


def _tell(outcome: Reproduction, update_reference: bool, wide: bool) -> None:
    """Print a reproduction's table, and copy it to the references if that is asked for."""
    import shutil

    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.checks import HEAD
    from tacit.training.studies.reference_tables import collect_tables

    cells = [dict(zip(HEAD, row, strict=True)) for row in outcome.cells]
    console(wide=wide).print(TextTable(cells, outcome.question))
    say(f"wrote {outcome.folder}/{{{','.join(outcome.written)}}}")
    if update_reference:
        target = REFERENCE / outcome.name
        shutil.copytree(outcome.folder, target, dirs_exist_ok=True)
        collect_tables(REFERENCE)
        say(f"wrote {target}, {REFERENCE / 'table.md'}")
    if outcome.needs_seeds:
        say("verdicts need 48 seeds: add seeds=48")


def best_response(
    run: str,
    seat: Annotated[str | None, typer.Option("--seat", help="only this seat")] = None,
    arm: ArmOption = None,
    results: Results = DEFAULT_RESULTS,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
    wide: Wide = False,
) -> None:
    """What each seat of RUN would gain by leaving its policy: in its KPI, in its fundamental."""
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.storage.load_run import load_run
    from tacit.training.studies.best_responses import best_responses

    rows, note = best_responses(load_run(run, results).folder, seat, arm or [])
    if as_json:
        print(json.dumps([row.plain() for row in rows], allow_nan=False))
        return
    console(wide=wide).print(TextTable([row.cells() for row in rows]))
    console().print(note, soft_wrap=True)
