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
    from tacit.training.config.arms import Arm
    from tacit.training.own_agent.examine import Exam
    from tacit.training.own_agent.subject import Subject

FLAWS = 1  # the exit code where a flaw was found
LEARNED_SEEDS, MOST_SEEDS = 4, 1_000


def exam(
    agent: Annotated[
        str, typer.Argument(help="a policy file, a scripted player's name, or as of tabulate")
    ],
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
    calls: Annotated[
        int | None, typer.Option("--calls", help="questions at most, to a bot behind a door", min=0)
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="a host that requests may go to (repeatable)"),
    ] = None,
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
    from tacit.training.own_agent.subject import found_caps

    if not 0 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"--seeds: must be 0 .. {MOST_SEEDS:,}, got {seeds}.")
    _check_output(output)
    experiment = load(config, settings or [], [arm] if arm is not None else [])
    chosen = next(iter(experiment.arms.values()))
    given = _cap(cap)
    found_first = found_caps(chosen, seat)
    limit = given or (found_first[0][0] if found_first else None)
    with (
        _steps(as_json) as step,
        _subject(agent, chosen, seat, limit, step, tuple(allow_host or ()), calls) as subject,
    ):
        caps = found_caps(chosen, subject.seat)
        if given is not None:
            caps = ((given, "the option --cap"),)
        found = examine(chosen, subject, step, caps=caps, learned_seeds=seeds)
    if as_json:
        print(json.dumps(found.plain(), allow_nan=False))
    else:
        _print(found, wide)
    if output is not None:
        _write(found, output, as_json)
    if found.named:
        sys.exit(FLAWS)


@contextmanager
def _subject(
    agent: str,
    arm: Arm,
    seat: str | None,
    cap: Cap | None,
    step: Callable[[str], None],
    allowed: tuple[str, ...],
    calls: int | None,
) -> Iterator[Subject]:
    """Who is examined; a bot behind a door is started, asked, and ended.

    Raises:
        ConfigError: there is no such bot, or it fits no seat.
    """
    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.own_agent.subject import find_subject, is_known

    if is_known(agent):
        yield find_subject(agent, arm.market, seat, cap)
        return
    from tacit.training.own_agent.behind_door import asked_subject

    deciding = [s for s in arm.market.seats if int(s.role.legal[:, 1].max()) > 1]
    names = [s.name for s in deciding]
    if seat is None and len({s.role.name for s in deciding}) == 1:
        seat = names[0]
    if seat not in names:
        raise ConfigError(
            f"--seat: {'is needed' if seat is None else 'unknown'}. {nearest(seat or '', names)}"
        )
    with asked_subject(agent, arm.market, str(seat), step, allowed, calls) as subject:
        yield subject


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
