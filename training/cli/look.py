"""`tacit compare`, `board`, `list` and `show`: finished runs, and what can be run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results, Wide
from .printing import print_comparison
from .sweep import compare_sweep

SIGNALLED = 128  # exit codes above it name a signal


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="paths or names of runs")],
    measure: Annotated[
        str | None, typer.Option("--measure", help="what to compare (default: the market's)")
    ] = None,
    board: Annotated[bool, typer.Option("--board", help="then open TensorBoard")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="write full precision here")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="of a sweep: only cells with key=value")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="of a sweep: average cells with one value of this")
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="of a sweep: the greatest first")] = False,
    wide: Wide = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """One row an arm: mean, interval, n, paired difference to the first arm, who earns what."""
    from tacit.envs.errors import ConfigError
    from tacit.training.storage.load_run import load_run
    from tacit.training.studies.compare import write_csv
    from tacit.training.sweep.sweep_folder import existing_sweep, is_sweep

    if is_sweep(runs[0], results):
        if len(runs) > 1 or board:
            raise ConfigError("RUN: a sweep is compared alone: tacit compare SWEEP.")
        compare_sweep(existing_sweep(runs[0], results), measure, where or [], by, sort, csv)
        return
    if where or by or sort:
        raise ConfigError("--where, --by and --sort: belong to a sweep: tacit compare SWEEP.")
    folders = [load_run(run, results).folder for run in runs]
    rows = print_comparison(folders, measure, wide=wide)
    if csv is not None:
        write_csv(csv, rows)
        say(f"wrote {csv}")
    if board:
        _board(folders[0].path if len(folders) == 1 else results, len(folders) == 1)


def board(
    run: Annotated[str | None, typer.Argument(help="a run or a sweep; none: all runs")] = None,
    port: Annotated[int, typer.Option(help="first port to try", min=1, max=65000)] = 6006,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """TensorBoard on a run, its curves coloured by arm (Ctrl-C ends it)."""
    from tacit.envs.errors import ConfigError
    from tacit.training.storage.run_folder import existing_run
    from tacit.training.sweep.sweep_folder import is_sweep

    if run is None and not results.is_dir():
        raise ConfigError(f"--results: there is no folder {results}.")
    if run is not None and is_sweep(run, results):
        _board_sweep(run, results, port)
    path = existing_run(run, results).path if run else results
    _board(path, run is not None, port)


def _board(path: Path, one_run: bool, port: int = 6006) -> None:
    """Print the links, serve until Ctrl-C, and exit with TensorBoard's code."""
    from tacit.training.board import server as tensorboard

    port = tensorboard.free_port(port)
    _serve(path, port, tensorboard.links(port, one_run))


def _board_sweep(sweep: str, results: Path, port: int) -> None:
    """TensorBoard on a sweep: a row and the bands of every cell that is done."""
    from tacit.training.board import server as tensorboard
    from tacit.training.sweep.board.cells_board import FIRST_CELLS, write_board
    from tacit.training.sweep.sweep_folder import existing_sweep

    folder = existing_sweep(sweep, results)
    say(f"{folder.path}: writing a board of its cells; what is written stays", is_error=True)
    path, new = write_board(folder, folder.read_plan())
    say(f"wrote {new:,} cells into {path}")
    port = tensorboard.free_port(port)
    _serve(path, port, tensorboard.sweep_links(port, FIRST_CELLS))


def _serve(path: Path, port: int, links: Mapping[str, str]) -> None:
    """Print links, serve until Ctrl-C, and exit with TensorBoard's code."""
    from tacit.training.board import server as tensorboard
    from tacit.training.runs.signals import stopping_on_signals

    say(f"TensorBoard: {next(iter(links.values()))}")
    for page, address in links.items():
        say(f"  {page}: {address}")
    with stopping_on_signals():
        code = tensorboard.serve(tensorboard.command(path, port))
    if code > SIGNALLED:
        say("stopped; what was written is kept", is_error=True)
    sys.exit(code)


def list_(
    name: Annotated[str | None, typer.Argument(help="one of them, in detail")] = None,
    wide: Wide = False,
) -> None:
    """Markets, KPIs, agents, experiments; for a NAME: keys, defaults, bounds, measures."""
    from tacit.training.show.terminal import console

    if name is None:
        from tacit.training.show.overview import everything

        parts = everything()
    else:
        from tacit.training.show.listing import one

        parts = one(name)
    for part in parts:
        console(wide=wide).print(part, soft_wrap=isinstance(part, str))


def explain(
    word: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]", help="none: everything that has a name")
    ] = None,
) -> None:
    """What a word of a verdict, a measure, a probe or a column means, in plain sentences."""
    from tacit.training.show.findings.explain_text import explain as explained
    from tacit.training.show.findings.explain_text import names

    for line in explained(" ".join(word)) if word else names():
        say(line)


def show(
    run: str,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="SEAT", help="a learned policy in words")
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="only this arm (policies: default the first)")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="whose policy, 0 .. n-1 (default: 0)", min=0)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="of a policy, every line of its table")
    ] = False,
    wide: Wide = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """A run: question, KPIs in words, results; or one learned policy, read out."""
    from tacit.envs.errors import ConfigError
    from tacit.training.board.verdict_text import verdict_lines
    from tacit.training.outcome.summary import read_summary
    from tacit.training.show.run_text import (
        learned_policy_lines,
        live_lines,
        not_measured_lines,
        own_firm_lines,
        run_lines,
    )
    from tacit.training.show.terminal import console
    from tacit.training.storage.load_run import load_run

    folder = load_run(run, results).folder
    if policy is not None:
        for line in learned_policy_lines(folder, arm, policy, seed or 0, every):
            console().print(line, soft_wrap=True)
        return
    if seed is not None:
        raise ConfigError("--seed: goes with --policy SEAT; results are told over all seeds.")
    if every:
        raise ConfigError("--all: goes with --policy SEAT, of whose table every line is shown.")
    for line in run_lines(folder, arm):
        console().print(line, soft_wrap=True)
    print_comparison([folder], None, arm=arm, disclaimer=False, wide=wide)
    summaries = read_summary(folder.summary)
    shown = {name: own for name, own in summaries.items() if arm in (None, name)}
    told = [
        *live_lines(shown), *own_firm_lines(shown), *not_measured_lines(folder, arm),
        *verdict_lines(shown),
    ]  # fmt: skip
    for line in told:
        console().print(line, soft_wrap=True)
