"""`tacit tabulate`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.cli.options import Config, Settings
from tacit.training.plain_text import say

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tacit.agents.external.doors.door import Door
    from tacit.agents.external.question import Questions
    from tacit.training.config.arms import Arm
    from tacit.training.tabulate import Tabulation

EVERY = 5.0  # seconds between two lines of progress
Allowed = Annotated[
    list[str] | None,
    typer.Option("--allow-host", help="a host that requests may go to (repeatable)"),
]


def tabulate(
    agent: Annotated[str, typer.Argument(help="a YAML file, module:function, or a command")],
    config: Config,
    settings: Settings = None,
    seat: Annotated[str | None, typer.Option("--seat", help="whose place it takes")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="by default the first")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")] = Path(
        "policy.safetensors"
    ),
    resolution: Annotated[
        float, typer.Option("--resolution", help="the change of its answers that must be found")
    ] = 0.05,
    most: Annotated[
        int, typer.Option("--most", help="questions at most, to a bot that mixes")
    ] = 250_000,
    calls: Annotated[
        int | None, typer.Option("--calls", help="questions at most in this call", min=0)
    ] = None,
    money: Annotated[
        float | None, typer.Option("--money", help="that this call may cost", min=0)
    ] = None,
    parallel: Annotated[int, typer.Option("--parallel", help="questions under way at once")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="of orders, labels and wordings", min=0)] = 0,
    allow_host: Allowed = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only how many questions, and what they cost")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the counts alone, as JSON")
    ] = False,
) -> None:
    """Ask AGENT at every row of a seat's table in CONFIG; exit code 1 if it is no function."""
    from tacit.agents.external.config import what_it_runs
    from tacit.envs.errors import ConfigError
    from tacit.training.tabulate import Budget
    from tacit.training.tabulate.agent_words import agent_config
    from tacit.training.tabulate.asking import SUFFIX
    from tacit.training.tabulate.tabulation import check_arguments
    from tacit.training.tabulate.tabulation import tabulate as ask_all
    from tacit.training.tabulate.words import plain, result_lines

    own, questions = _chosen(config, settings, arm, seat)
    bot = agent_config(agent)
    if (what := what_it_runs(bot)) is None:
        raise ConfigError(f"AGENT: {agent} is an agent of tacit's own; tacit export writes those.")
    if not output.parent.is_dir():
        raise ConfigError(f"-o: there is no folder {output.parent}.")
    check_arguments(questions, resolution, most, parallel)
    door = None if dry_run else _opened(bot, tuple(allow_host or ()))
    for line in _plan_lines(bot, what, questions, resolution):
        say(line, is_error=as_json)
    if door is None:
        return
    kept = output.with_name(output.name + SUFFIX)
    try:
        found = ask_all(
            door, own.market, questions.seat.name, resolution=resolution, most=most,
            budget=Budget(calls, money), file=kept, about=_about(bot, own), parallel=parallel,
            seed=seed, progress=_progress(),
        )  # fmt: skip
    finally:
        door.close()
    _check_it_answered(found, bot, kept)
    if found.passes_gate:
        _write(output, found, own, questions.seat.name, bot)
    if as_json:
        print(json.dumps(plain(found), allow_nan=False))
    else:
        for line in [*result_lines(found, questions), _last_line(found, output, kept)]:
            say(line)
    if not found.passes_gate:
        sys.exit(1)


def _chosen(
    config: str, settings: list[str] | None, arm: str | None, seat: str | None
) -> tuple[Arm, Questions]:
    """The arm, and the questions to the seat.

    Raises:
        ConfigError: an unknown arm or seat, or a seat that decides nothing.
    """
    from tacit.agents.external.question import Questions
    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.config.load import load

    experiment = load(config, settings or [], [arm] if arm is not None else [])
    own = next(iter(experiment.arms.values()))
    deciding = [s for s in own.market.seats if int(s.role.legal[:, 1].max()) > 1]
    names = [s.name for s in deciding]
    if seat is None:
        if len({s.role.name for s in deciding}) != 1:
            raise ConfigError(f"--seat: is needed. {nearest('', names)}")
        seat = names[0]
    if seat not in names:
        raise ConfigError(f"--seat: unknown '{seat}'. {nearest(seat, names)}")
    return own, Questions(own.market, seat)


def _opened(bot: BaseModel, allowed: tuple[str, ...]) -> Door:
    """The door to the bot.

    Raises:
        ConfigError: it does not open.
    """
    from tacit.agents.external.doors import DoorClosed, open_door
    from tacit.envs.errors import ConfigError

    try:
        return open_door(bot, allowed)
    except DoorClosed as closed:
        raise ConfigError(f"AGENT: {closed}") from None


def _plan_lines(bot: BaseModel, what: str, questions: Questions, resolution: float) -> list[str]:
    """What is going to be asked, and what it will cost."""
    from tacit.agents.external.config import ChatConfig
    from tacit.agents.external.doors.chat import prompt_cost
    from tacit.training.tabulate.tabulation import estimate

    least, most = estimate(questions, resolution, not isinstance(bot, ChatConfig))
    rows = len(questions.decisions)
    lines = [
        f"{questions.seat.name} of {questions.market.name}: {what}",
        f"{rows:,} row{'s' * (rows != 1)}: about {least:,} questions if its answers never vary, up "
        f"to {most:,} if it mixes",
    ]
    if isinstance(bot, ChatConfig) and (bot.price_in or bot.price_out):
        each = prompt_cost(bot, questions.at(int(questions.decisions[0])))
        lines.append(
            f"about {each * least:.4g} if its answers never vary, up to {each * most:.4g} if it "
            "mixes, by the prices in its config"
        )
    return lines


def _check_it_answered(found: Tabulation, bot: BaseModel, kept: Path) -> None:
    """Refuse a program that ended before its first answer: no result, but a mistake.

    Raises:
        ConfigError: it did; the empty file of answers is removed.
    """
    from tacit.agents.external.config import ExternalConfig
    from tacit.envs.errors import ConfigError

    if found.ended and not found.answers and isinstance(bot, ExternalConfig):
        kept.unlink(missing_ok=True)
        raise ConfigError(f"AGENT: no answer came: {found.stopped}")


def _about(bot: BaseModel, arm: Arm) -> dict[str, object]:
    """What a file of answers belongs to."""
    from tacit.agents.external.config import ChatConfig, asked_as
    from tacit.agents.external.doors.prompt import read_prompt

    market = {"name": arm.market.name, **arm.market.config.model_dump(mode="json")}
    about: dict[str, object] = {"agent": asked_as(bot), "market": market}
    if isinstance(bot, ChatConfig):
        about["prompt"] = read_prompt(bot.prompt).text
    return about


def _progress() -> Callable[[int], None]:
    """Tells how many answers there are, every few seconds."""
    last = time.monotonic()

    def tell(count: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            say(f"{count:,} answers", is_error=True)

    return tell


def _write(path: Path, found: Tabulation, arm: Arm, seat: str, bot: BaseModel) -> None:
    """Write the policy file.

    Raises:
        ConfigError: the system refuses.
    """
    from tacit.agents.external.config import asked_as
    from tacit.agents.external.policy_file import card_of, write_policy
    from tacit.envs.errors import ConfigError
    from tacit.training.tabulate.words import plain

    origin = {"agent": asked_as(bot), "tabulated": plain(found)}
    try:
        write_policy(path, found.table, card_of(arm.market, seat, found.table, arm.kpi, origin))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None


def _last_line(found: Tabulation, output: Path, kept: Path) -> str:
    """Where to look, and how to go on."""
    if found.passes_gate:
        return f"wrote {output}; every question and answer: {kept}"
    if found.stopped:
        count = "1 answer is" if found.answers == 1 else f"{found.answers:,} answers are"
        return f"{count} kept in {kept}; the same command goes on from there"
    return f"every question and answer: {kept}"
