"""`tacit exam`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.cli.options import Config, Settings, Wide
from tacit.training.plain_text import say

if TYPE_CHECKING:
    from tacit.agents.external.example_bots import Cap
    from tacit.training.own_agent.examine import Exam

FLAWS = 1  # the exit code where a flaw was found
LEARNED_SEEDS, MOST_SEEDS = 4, 1_000


def exam(
    agent: Annotated[str, typer.Argument(help="a policy file, or a scripted player's name")],
    config: Config,
    settings: Settings = None,
    seat: Annotated[str | None, typer.Option("--seat", help="the seat that it plays")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="by default the first")] = None,
    cap: Annotated[
        str | None, typer.Option("--cap", metavar="PART=VALUE", help="a cap on an action part")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", help="repetitions with learners; 0: none")
    ] = LEARNED_SEEDS,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="write a page: exam.html")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
    wide: Wide = False,
) -> None:
    """Examine a bot: does it bluff, punish, follow, settle on high prices? Exit code 1: it does."""
    from tacit.envs.errors import ConfigError
    from tacit.training.config.load import load
    from tacit.training.own_agent.examine import examine
    from tacit.training.own_agent.subject import find_subject

    if not 0 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"--seeds: must be 0 .. {MOST_SEEDS:,}, got {seeds}.")
    _check_output(output)
    experiment = load(config, settings or [], [arm] if arm is not None else [])
    chosen = next(iter(experiment.arms.values()))
    limit = _cap(cap)
    subject = find_subject(agent, chosen.market, seat, limit)
    with _steps(as_json) as step:
        found = examine(chosen, subject, step, cap=limit, learned_seeds=seeds)
    if as_json:
        print(json.dumps(found.plain(), allow_nan=False))
    else:
        _print(found, wide)
    if output is not None:
        _write(found, output, as_json)
    if found.named:
        sys.exit(FLAWS)


def _check_output(output: Path | None) -> None:
    """Refuse a page that could not be written, before anything is computed.

    Raises:
        ConfigError: another ending, or no such folder.
    """
    from tacit.envs.errors import ConfigError

    if output is None:
        return
    if output.suffix not in (".html", ".htm"):
        raise ConfigError(f"-o: must end in .html, got {output}.")
    if not output.parent.is_dir():
        raise ConfigError(f"-o: {output} cannot be written: there is no folder {output.parent}.")


def _cap(text: str | None) -> Cap | None:
    """`price=1.9` as a part and a number.

    Raises:
        ConfigError: it is written otherwise.
    """
    from math import isfinite

    from tacit.envs.errors import ConfigError

    if text is None:
        return None
    part, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not part or not isfinite(number):
        raise ConfigError(f"--cap: must be PART=VALUE, as in price=1.9, got {text!r}.")
    return part, number


def _print(found: Exam, wide: bool) -> None:
    """The exam on the terminal."""
    from tacit.training.own_agent.exam_text import finding_lines, head_lines, rest_lines
    from tacit.training.show.terminal import TextTable, console

    out = console(wide=wide)
    for line in (*head_lines(found), "", *finding_lines(found), ""):
        out.print(line, soft_wrap=True)
    out.print(TextTable(found.rows))
    for line in ("", *rest_lines(found)):
        out.print(line, soft_wrap=True)


def _write(found: Exam, path: Path, as_json: bool) -> None:
    """The page."""
    from datetime import UTC, datetime

    from tacit.training.own_agent.exam_figures import exam_figures
    from tacit.training.own_agent.exam_page import exam_page
    from tacit.training.storage.atomic_files import write_atomically

    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    write_atomically(path, exam_page(found, exam_figures(found), made).encode())
    say(f"wrote {path}", is_error=as_json)


@contextmanager
def _steps(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Shows what an exam is working on."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from tacit.training.plain_text import visible
    from tacit.training.show.terminal import console

    err = console(stderr=True)
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True,
        disable=quiet or not err.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=None)
        yield lambda what: bar.update(task, description=visible(what))
