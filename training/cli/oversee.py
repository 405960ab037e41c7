"""`tacit deals` and `tacit why`: what was done in a run, deal by deal, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results, Wide
from .printing import objective_lines

if TYPE_CHECKING:
    from tacit.emergence.stats import Estimate
    from tacit.training.config.arms import Arm
    from tacit.training.record.deals import Deals
    from tacit.training.storage.load_run import Run
    from tacit.training.storage.run_folder import RunFolder

AT_ONCE = 0.5  # seconds: what takes less is not announced
SEEDS = 16  # of every arm that blame trains, where nothing says how many
SHOWN = 20  # deals that are printed where nothing says how many

OneArm = Annotated[
    str | None, typer.Option("--arm", help="of which arm (needed where there are several)")
]


def deals(
    run: str,
    arm: OneArm = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", help="of which seed, 0 .. n-1 (default: all)")
    ] = None,
    rounds: Annotated[
        str | None, typer.Option("--rounds", metavar="A:B", help="default: the last 1,000")
    ] = None,
    evaluation: Annotated[
        int | None,
        typer.Option("--evaluation", metavar="N", min=1, help="instead: N rounds as trained"),
    ] = None,
    worst: Annotated[
        int | None, typer.Option("--worst", min=1, help="so many, by harm, the worst first")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="only those that meet a condition")
    ] = None,
    branch: Annotated[
        int | None,
        typer.Option("--branch", min=0, help="of one that a breaker left (default: the last one)"),
    ] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="the columns that a condition may name")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="all of them into .parquet or .csv")
    ] = None,
    wide: Wide = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """What was done, deal by deal: played again from the run, bit for bit."""
    from tacit.envs.errors import ConfigError
    from tacit.training.record import table_file
    from tacit.training.record.deals import worst as worst_of
    from tacit.training.record.evaluation_deals import evaluation_deals
    from tacit.training.record.selection import plan_deals, produce
    from tacit.training.storage.load_run import load_run

    if where is not None:
        table_file.need("--where")
    if output is not None:
        table_file.check_name(output)
    whole = load_run(run, results)
    chosen = one_arm(whole, arm)
    if columns:
        for name in produce(plan_deals(whole.folder, chosen, [0], (0, 1))):
            say(name)
        return
    seeds = seed or range(chosen.seeds)
    if evaluation is not None:
        if rounds is not None:
            raise ConfigError("--evaluation: has rounds of its own; leave --rounds out.")
        found = evaluation_deals(whole.folder, chosen, seeds, evaluation)
    else:
        plan = plan_deals(whole.folder, chosen, seeds, _rounds(rounds), branch)
        with replaying(plan.rounds, plan.seconds) as report:
            found = produce(plan, report, doubt)
    if where is not None:
        found = table_file.where(found, where)
    if worst is not None:
        found = worst_of(found, worst)
    if output is not None:
        table_file.write(output, found)
    _print(whole.folder, chosen, found, worst, output, wide)


def _print(
    run: RunFolder, arm: Arm, found: Deals, worst: int | None, output: Path | None, wide: bool
) -> None:
    """The first deals as a table, and how many there are."""
    from tacit.training.record.deals import in_words, row_names, size
    from tacit.training.record.persons_acts import ordered_actions
    from tacit.training.show.terminal import TextTable, console

    out, most = console(wide=wide), worst or SHOWN
    names = list(islice(row_names(found), most))
    ordered = {k: ordered_actions(run, arm, k) for k in {name.seed for name in names}}
    rows = [
        {
            "deal": str(name),
            **({"harm": f"{found['harm'].at(k):.3g}"} if "harm" in found else {}),
            **({"to": found["harmed"].at(k) or "nobody"} if "harm" in found else {}),
            "what was done": "; ".join(
                [
                    *in_words(arm, found, k),
                    *ordered[name.seed].get((name.branch, name.round, name.copy), ()),
                ]
            ),
        }
        for k, name in enumerate(names)
    ]
    if rows:
        out.print(TextTable(rows, f"{run.name}, arm {arm.name}"))
    else:
        out.print("No deal meets the condition.")
    if "harm" not in found:
        out.print(
            "harm is not told: this market knows no honest or competitive play for every seat."
        )
    count = size(found)
    if output is not None:
        say(f"wrote {count:,} deals to {output}")
    elif count > len(rows):
        say(
            f"{count:,} deals, of which {len(rows)} are shown; -o FILE.parquet or .csv has them all"
        )


def why(
    run: str,
    deal: Annotated[
        str | None, typer.Argument(metavar="DEAL", help="as tacit deals names it: s0/b0/c0/r1200")
    ] = None,
    arm: OneArm = None,
    worst: Annotated[
        int | None, typer.Option("--worst", min=1, max=100, help="so many, by harm")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", help="with --worst: of which seed")
    ] = None,
    rounds: Annotated[
        str | None, typer.Option("--rounds", metavar="A:B", help="with --worst: of which rounds")
    ] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Why a deal was done: claims, truth, beliefs, and what else would have brought."""
    from tacit.envs.errors import ConfigError
    from tacit.training.record.deals import deal_name, row_names
    from tacit.training.record.deals import worst as worst_of
    from tacit.training.record.replay import SeedReplay
    from tacit.training.record.selection import plan_deals, produce
    from tacit.training.record.why import check_is_of_training, explain
    from tacit.training.show.terminal import console
    from tacit.training.show.why_text import why_lines
    from tacit.training.storage.load_run import load_run

    if (deal is None) == (worst is None):
        raise ConfigError("DEAL: give one, as tacit deals names it, or --worst N.")
    names = [] if deal is None else [deal_name(deal)]
    whole = load_run(run, results)
    chosen = one_arm(whole, arm)
    if worst is not None:
        plan = plan_deals(whole.folder, chosen, seed or range(chosen.seeds), _rounds(rounds))
        with replaying(plan.rounds, plan.seconds) as report:
            names = list(row_names(worst_of(produce(plan, report, doubt), worst)))
    for place, name in enumerate(names):
        if name.seed >= chosen.seeds:
            raise ConfigError(
                f"DEAL: arm {chosen.name} has seeds 0 to {chosen.seeds - 1}, got {name.seed}."
            )
        check_is_of_training(name)
        if place:
            console().print("")
        replay = SeedReplay(whole.folder, chosen, name.seed, name.branch)
        at = min(max(name.round, replay.first), replay.end)
        count = replay.rounds_to(at) + replay.rounds_to_confirm(at)
        with replaying(count * chosen.train.copies, count * replay.speed, AT_ONCE) as report:
            found = explain(replay, name, report)
            if (wrong := replay.confirm(report)) is not None:
                doubt(wrong)
        for line in why_lines(found):
            console().print(line, soft_wrap=True)


def blame(
    run: str,
    settings: Annotated[
        list[str] | None, typer.Argument(help="key=value: the reference is the arm with these")
    ] = None,
    arm: OneArm = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="an arm of the run (default: the same arm)")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=2, help="of every arm (default: the arm's, at most 16)"),
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", help="that the harm is in (default: what lost most)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
    wide: Wide = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """To what a harm is due: KPI, rules, learner, patience, exploration, training."""
    import json
    import sys

    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.config.load import parse_overrides
    from tacit.training.config.mistakes import MistakeList
    from tacit.training.outcome.finishing import hash_of
    from tacit.training.outcome.summary import read_summary
    from tacit.training.runs.runner import Interrupted
    from tacit.training.show.progress_bar import ProgressBar
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.storage.load_run import load_run
    from tacit.training.storage.run_folder import named
    from tacit.training.studies import blame as study

    whole = load_run(run, results)
    chosen = one_arm(whole, arm)
    mistakes = MistakeList()
    changes = parse_overrides(settings or [], mistakes)
    mistakes.raise_if_any()
    if reference is None and not changes:
        raise ConfigError("--reference: give an arm of the run, or key=value settings.")
    base = chosen if reference is None else one_arm(whole, reference)
    other = study.changed(base, changes, "reference") if changes else base
    count = seeds or max(2, min(chosen.seeds, SEEDS))
    arms = study.plan(chosen, other, count)
    known = read_summary(whole.folder.summary)[chosen.name]["measures"]
    if measure is not None and measure not in known:
        raise ConfigError(f"--measure: unknown '{measure}'. {nearest(measure, known)}")
    pair = hash_of([chosen.plain, other.plain, count])[:8]
    folder = named(results, f"{whole.folder.name[:60]}_blame_{pair}")
    if not as_json:
        different = len(set(study.same_as(arms).values()))
        say(f"trains {different} arms of {count} seeds in {folder.path}")
    try:
        with ProgressBar(chosen.market.headline, quiet=as_json) as bar:
            found = study.blame(chosen, other, folder, count, measure, bar)
    except Interrupted as stopped:
        say("stopped; everything is kept. The same command goes on from here", is_error=True)
        sys.exit(stopped.exit_code)
    if as_json:
        print(json.dumps(found.plain(), allow_nan=False))
        return
    console().print(
        f"{found.measure}: {stats_text(found.arm)} in {chosen.name}, {stats_text(found.reference)}"
        f" in the reference"
    )
    console(wide=wide).print(TextTable(found.rows()))
    if found.harm.low <= 0 <= found.harm.high:
        console().print("No harm is shown: the interval of the whole includes 0.")
    if len(found.shares) > 1:
        console().print(
            f"Interaction: what the factors do together, less the sum of what each does taken out "
            f"alone, is {stats_text(found.interaction)}; the shares split it between both orders.",
            soft_wrap=True,
        )


def stats_text(value: Estimate) -> str:
    """A value with its interval."""
    from tacit.emergence.stats import interval, number

    return f"{number(value.mean)} {interval(value)}"


def doubt(text: str) -> None:
    """Say on standard error that what was played is not exactly the run."""
    say(f"note: {text}", is_error=True)


def one_arm(run: Run, name: str | None) -> Arm:
    """The arm that a command is about.

    Raises:
        ConfigError: there is no such arm, or there are several and none was named.
    """
    from tacit.envs.errors import ConfigError, nearest

    if name is None and len(run.arms) > 1:
        raise ConfigError(f"--arm: is needed; the run has {', '.join(run.arms)}.")
    chosen = name if name is not None else next(iter(run.arms))
    if chosen not in run.arms:
        raise ConfigError(f"--arm: unknown arm '{chosen}'. {nearest(chosen, run.arms)}")
    return run.arms[chosen]


def _rounds(text: str | None) -> tuple[int, int] | None:
    """`A:B` as two numbers.

    Raises:
        ConfigError: it is written otherwise.
    """
    from tacit.envs.errors import ConfigError

    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,15}):([0-9]{1,15})", text)
    if match is None:
        raise ConfigError(f"--rounds: must be A:B, as in 0:1000, got {text!r}.")
    return int(match[1]), int(match[2])


@contextmanager
def replaying(
    rounds: int, seconds: float, least: float = 0.0
) -> Iterator[Callable[[int], None] | None]:
    """Say how much must be played again, and show how far it has come; yields what reports it.

    Args:
        rounds: how many rounds of all copies.
        seconds: about how long they take.
        least: what takes less is not announced.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tacit.training.show.terminal import console

    if not rounds or seconds < least:
        yield None
        return
    err = console(stderr=True)
    err.print(f"plays {rounds:,} rounds again, about {max(1, round(seconds)):,} s")
    bar = Progress(
        BarColumn(26), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=rounds)
        yield lambda done: bar.update(task, advance=done)


def report(
    run: str,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the file (default: RUN.html)")
    ] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """One self-contained page about a run: card, lint, words, worst deals and why, ledger."""
    from tacit.envs.errors import ConfigError
    from tacit.training.report import collect, html_page
    from tacit.training.storage.atomic_files import write_atomically
    from tacit.training.storage.load_run import load_run

    whole = load_run(run, results)
    path = output or Path(f"{whole.folder.name}.html")
    if path.suffix not in (".html", ".htm"):
        raise ConfigError(f"-o: must end in .html, got {path}.")
    if not path.parent.is_dir():
        raise ConfigError(f"-o: {path} cannot be written: there is no folder {path.parent}.")
    with _steps() as step:
        contents = collect(whole, objective_lines([whole.folder]), step)
    write_atomically(path, html_page(contents).encode())
    say(f"wrote {path}")


@contextmanager
def _steps() -> Iterator[Callable[[str, int, int], None]]:
    """Shows what a report is working on."""
    from rich.progress import BarColumn, Progress, TextColumn

    from tacit.training.show.terminal import console

    err = console(stderr=True)
    bar = Progress(
        BarColumn(26), TextColumn("{task.description}"), console=err, transient=True,
        disable=not err.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
