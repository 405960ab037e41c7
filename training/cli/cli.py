"""The command line. Thin: every command parses, calls, and prints; numerics load on demand."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tacit.training.config.arms import Experiment
    from tacit.training.runs.run_folder import RunFolder

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Watch bluffing and collusion emerge from the KPIs you write.",
)

TRAIN, COMPARE, PROVE = "Train", "Compare", "Prove"

Results = Annotated[Path, typer.Option("--results", help="where runs are kept")]
Config = Annotated[str, typer.Argument(help="an experiment, a market, or a YAML file")]
Settings = Annotated[
    list[str] | None, typer.Argument(help="key=value, applied last, over every arm")
]
ArmOption = Annotated[list[str] | None, typer.Option("--arm", help="only this arm (repeatable)")]
JsonFlag = Annotated[bool, typer.Option("--json", help="print the summary alone, as JSON")]
DEFAULT_RESULTS = Path("results")
REFERENCE = Path("results/reference")  # committed, wherever runs are kept


def main() -> None:
    """Run a command; a user's mistake is told in words, with exit code 2 and no traceback."""
    try:
        app()
    except ValueError as error:
        from tacit.envs.errors import ConfigError  # (--help needs none of it)

        if not isinstance(error, ConfigError):
            raise
        count = len(error.mistakes)
        print(f"error: {count} mistake{'s' * (count > 1)}", file=sys.stderr)
        for line in error.mistakes:
            print(f"  {line}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader, `| head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command(rich_help_panel=TRAIN)
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
    show: Annotated[bool, typer.Option("--show", help="print the config, train nothing")] = False,
) -> None:
    """Train CONFIG under its KPIs, all arms and seeds; what stands finished is kept."""
    from tacit.training.config.files import dump_yaml
    from tacit.training.config.load import load
    from tacit.training.runs.run_folder import named

    experiment = load(config, settings or [], arm or [], as_arm)
    if show:
        for note in experiment.notes:
            print(f"# {note}")
        arms = {label: a.plain for label, a in experiment.arms.items()}
        print(dump_yaml({"experiment": experiment.name, "arms": arms}), end="")
        return
    run = named(results, name or experiment.name)
    _train(experiment, run, as_json, as_shipped=not settings)


@app.command(rich_help_panel=TRAIN)
def resume(run: str, results: Results = DEFAULT_RESULTS, as_json: JsonFlag = False) -> None:
    """Go on with a run that was stopped; the result is the same, bit for bit."""
    from tacit.training.runs.load_run import read_experiment
    from tacit.training.runs.run_folder import existing_run

    folder = existing_run(run, results)
    _train(read_experiment(folder), folder, as_json)


def _train(experiment: Experiment, run: RunFolder, as_json: bool, as_shipped: bool = False) -> None:
    from tacit.training.runs.runner import Interrupted, train_experiment
    from tacit.training.show.terminal import ProgressBar

    market = next(iter(experiment.arms.values())).market
    try:
        with ProgressBar(market.headline, quiet=as_json) as watcher:
            summary = train_experiment(experiment, run, watcher)
    except Interrupted:
        where = _results_option(run)
        print(f"stopped; everything is kept. Go on: tacit resume {run.name}{where}",
              file=sys.stderr)  # fmt: skip
        sys.exit(130)
    if as_json:
        print(json.dumps(summary, allow_nan=False))
        return
    _print_comparison([run], None, experiment.file.question)
    _print_next(run, as_shipped)


def _results_option(run: RunFolder) -> str:
    parent = run.path.parent
    return "" if parent == DEFAULT_RESULTS else f" --results {parent}"


def _print_comparison(
    runs: list[RunFolder],
    measure: str | None,
    title: str | None = None,
    arm: str | None = None,
    disclaimer: bool = True,
) -> list[Any]:
    from tacit.emergence.verdict import DISCLAIMER
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.compare import compare as compare_runs

    _, rows, _ = compare_runs(runs, measure)
    rows = [row for row in rows if arm in (None, row.cells["arm"])]
    console().print(TextTable([row.cells for row in rows], title or None))
    if disclaimer and any("verdict" in row.cells for row in rows):
        console().print(DISCLAIMER, soft_wrap=True)
    return rows


def _print_next(run: RunFolder, as_shipped: bool) -> None:
    """What was drawn, what the figures mean (said of the experiment as shipped), what is next."""
    from tacit.training.runs.load_run import read_experiment
    from tacit.training.runs.summary import read_summary
    from tacit.training.show.terminal import console
    from tacit.training.studies.figures import draw

    experiment, out = read_experiment(run), console()
    if experiment.file.explains and as_shipped:
        out.print(f"\n{experiment.file.explains.strip()}", soft_wrap=True)
    figure = run.path / f"{experiment.name}.png"
    if draw(experiment, read_summary(run.summary), figure):
        out.print(f"figure: {figure}", soft_wrap=True)
    out.print(f"next:   tacit board {run.name}{_results_option(run)}", soft_wrap=True)


@app.command(rich_help_panel=COMPARE)
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="paths or names of runs")],
    measure: Annotated[
        str | None, typer.Option("--measure", help="what to compare (default: the market's)")
    ] = None,
    board: Annotated[bool, typer.Option("--board", help="then open TensorBoard")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="write full precision here")] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """One row an arm: mean, interval, n, paired difference to the first arm, who earns what."""
    from tacit.training.runs.run_folder import existing_run
    from tacit.training.studies.compare import write_csv

    folders = [existing_run(run, results) for run in runs]
    rows = _print_comparison(folders, measure)
    if csv is not None:
        write_csv(csv, rows)
        print(f"wrote {csv}")
    if board:
        _board(folders[0].path if len(folders) == 1 else results, len(folders) == 1)


@app.command(rich_help_panel=COMPARE)
def board(
    run: Annotated[str | None, typer.Argument(help="a run; none: all of them")] = None,
    port: Annotated[int, typer.Option(help="first port to try", min=1, max=65000)] = 6006,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """TensorBoard on a run, its curves coloured by arm (Ctrl-C ends it)."""
    from tacit.envs.errors import ConfigError
    from tacit.training.runs.run_folder import existing_run

    if run is None and not results.is_dir():
        raise ConfigError(f"--results: there is no folder {results}.")
    path = existing_run(run, results).path if run else results
    _board(path, run is not None, port)


def _board(path: Path, one_run: bool, port: int = 6006) -> None:
    from tacit.training.board import server as tensorboard

    port = tensorboard.free_port(port)
    links = tensorboard.links(port, one_run)
    print(f"TensorBoard: {next(iter(links.values()))}")
    for page, address in links.items():
        print(f"  {page}: {address}", flush=True)
    sys.exit(tensorboard.serve(tensorboard.command(path, port)))


@app.command(rich_help_panel=PROVE)
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
    """Published against measured, with interval and n; exit code 1 if one is not within."""
    from tacit.envs.errors import ConfigError
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies import reproduce as reproductions

    if listing:
        console().print(TextTable(reproductions.overview(results)))
        if update_reference:
            reproductions.collect(REFERENCE)
            print(f"wrote {REFERENCE / 'table.md'}")
        return
    if name is not None and "=" in name and not Path(name).is_file():
        advice = "settings go behind one experiment's NAME; --all takes experiments as they are."
        raise ConfigError(f"{name}: {advice}")
    if every == (name is not None):
        raise ConfigError("NAME: give one experiment or --all; see tacit reproduce --list.")
    good = True
    for chosen in reproductions.known() if every else [str(name)]:
        good &= _reproduce(chosen, settings or [], results, update_reference)
    if not good:
        sys.exit(1)


def _reproduce(name: str, settings: list[str], results: Path, update_reference: bool) -> bool:
    import shutil

    from tacit.envs.errors import ConfigError
    from tacit.training.config.load import load
    from tacit.training.show.terminal import ProgressBar, TextTable, console
    from tacit.training.studies.reproduce import collect, shown
    from tacit.training.studies.reproduce import reproduce as run_reproduction

    experiment = load(name, settings)
    if update_reference and settings:
        raise ConfigError("--update-reference: takes an experiment as it is, without key=value.")
    headline = next(iter(experiment.arms.values())).market.headline
    with ProgressBar(headline) as watcher:
        rows, folder = run_reproduction(experiment, settings, results, watcher)
    cells = [
        {"quantity": c.quantity, "published": c.published, "measured": c.measured,
         "95 %": c.interval, "n": str(c.n), "tolerance": c.tolerance,
         "within": shown(c.within)}
        for c in rows
    ]  # fmt: skip
    console().print(TextTable(cells, experiment.file.question))
    written = ",".join(sorted(p.name for p in folder.iterdir()))
    print(f"wrote {folder}/{{{written}}}")
    if update_reference:
        target = REFERENCE / experiment.name
        shutil.copytree(folder, target, dirs_exist_ok=True)
        collect(REFERENCE)
        print(f"wrote {target}, {REFERENCE / 'table.md'}")
    if any(c.within is None for c in rows):
        print("verdicts need 48 seeds: add seeds=48")
    return all(c.within is not False for c in rows)


@app.command("best-response", rich_help_panel=PROVE)
def best_response(
    run: str,
    seat: Annotated[str | None, typer.Option("--seat", help="only this seat")] = None,
    arm: ArmOption = None,
    results: Results = DEFAULT_RESULTS,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
) -> None:
    """What each seat of RUN would gain by leaving its policy: in its KPI, in its fundamental."""
    from tacit.training.runs.run_folder import existing_run
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.best_responses import best_responses

    rows, note = best_responses(existing_run(run, results), seat, arm or [])
    if as_json:
        print(json.dumps([row.plain() for row in rows], allow_nan=False))
        return
    console().print(TextTable([row.cells() for row in rows]))
    console().print(note, soft_wrap=True)


@app.command(rich_help_panel=PROVE)
def calibrate(
    market: Annotated[str, typer.Argument(help="a market; see tacit list")],
    data: Annotated[Path, typer.Argument(help="a CSV file with a header", metavar="DATA.csv")],
    columns: Annotated[
        str, typer.Option(metavar="NAME=COLUMN,...", help="which column is what")
    ] = "",
    dates: Annotated[
        list[str] | None, typer.Option(help="format of dates, as of strptime (repeatable)")
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="text that stands for nothing (repeatable)")
    ] = None,
    interval: Annotated[float | None, typer.Option(help="cloud: seconds of a round")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="cloud: a surge exceeds so many medians")
    ] = None,
    parts: Annotated[int | None, typer.Option(help="auction: parts of a day")] = None,
    floor: Annotated[float | None, typer.Option(help="auction: no value is below it")] = None,
    source: Annotated[str, typer.Option(help="where the data are from, for the preset")] = "",
    write: Annotated[Path | None, typer.Option(help="write the preset to this YAML file")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit a market to your data; quantiles of the file beside those of the market, played."""
    from tacit.training.calibrate import Request
    from tacit.training.calibrate import report as reports

    asked = {"interval": interval, "threshold": threshold, "parts": parts, "floor": floor}
    options = {name: value for name, value in asked.items() if value is not None}
    request = Request(columns, tuple(dates or ()), tuple(missing or ()), options)
    if not reports.run(market, data, request, source, write, as_json):
        sys.exit(1)


@app.command(rich_help_panel=PROVE)
def screen(
    bids: Annotated[Path, typer.Argument(metavar="BIDS.csv", help="one bid a row")],
    tender: Annotated[str, typer.Option("--tender", metavar="C", help="column: which tender")],
    bid: Annotated[str, typer.Option("--bid", metavar="C", help="column: the bid; lowest wins")],
    bidder: Annotated[
        str | None, typer.Option("--bidder", metavar="C", help="who bid: adds rotation and pairs")
    ] = None,
    reserve: Annotated[
        str | None, typer.Option("--reserve", metavar="C", help="bids become shares of it")
    ] = None,
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="C", help="adds time; or three: year,month,day"),
    ] = None,
    rho: Annotated[str, typer.Option("--rho", help="where D(rho) is read")] = "-.05,-.01,.01,.05",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Screens for arranged bids on BIDS.csv, beside a competitive control: a reason to look."""
    from tacit.training.screening import report as screening
    from tacit.training.screening.bids import BidColumns
    from tacit.training.screening.figure import draw
    from tacit.training.show.terminal import TextTable, console

    columns = BidColumns(tender, bid, bidder, reserve, date)
    done = screening.screen(bids, columns, screening.parse_rhos(rho))
    figure = results / "screen" / f"{bids.stem}.png"
    draw(done, figure)
    if as_json:
        print(json.dumps(screening.as_json(done), allow_nan=False))
        return
    out = console()
    for line in screening.heading(done):
        out.print(line, soft_wrap=True)
    out.print(TextTable(screening.rows(done)))
    for line in screening.remarks(done):
        out.print(line, soft_wrap=True)
    print(f"figure: {figure}")


@app.command("list", rich_help_panel=COMPARE)
def list_(
    name: Annotated[str | None, typer.Argument(help="one of them, in detail")] = None,
) -> None:
    """Markets, KPIs, agents, experiments; for a NAME: keys, defaults, bounds, measures."""
    from tacit.training.show import listing
    from tacit.training.show.terminal import console

    for part in listing.everything() if name is None else listing.one(name):
        console().print(part, soft_wrap=isinstance(part, str))


@app.command(rich_help_panel=COMPARE)
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
    results: Results = DEFAULT_RESULTS,
) -> None:
    """A run: question, KPIs in words, results; or one learned policy, read out."""
    from tacit.envs.errors import ConfigError
    from tacit.training.board import verdict_text as words
    from tacit.training.runs.run_folder import existing_run
    from tacit.training.runs.summary import read_summary
    from tacit.training.show import listing
    from tacit.training.show.terminal import console

    folder = existing_run(run, results)
    if policy is not None:
        for line in listing.policy(folder, arm, policy, seed or 0):
            console().print(line, soft_wrap=True)
        return
    if seed is not None:
        raise ConfigError("--seed: goes with --policy SEAT; results are told over all seeds.")
    for line in listing.about_run(folder, arm):
        console().print(line, soft_wrap=True)
    _print_comparison([folder], None, arm=arm, disclaimer=False)
    for line in words.lines(read_summary(folder.summary)):
        console().print(line, soft_wrap=True)
