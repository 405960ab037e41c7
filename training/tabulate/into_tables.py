"""Bots in the seats of a training run: asked once, before training, they play as tables.

A run asks its bots once (`with_tables`). The cells of a sweep share what they can: cells in which a
seat is asked the very same questions have the same table (`bots_of`, `ask`, `frozen`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tacit.agents.external.config import ChatConfig, asked_as, is_live, what_it_runs
from tacit.agents.external.doors import DoorClosed, open_door
from tacit.agents.external.policy_file import card_of, read_policy, write_policy
from tacit.agents.external.question import Questions
from tacit.agents.external.table_agent import TableConfig
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm, Experiment, arm_from_plain
from tacit.training.storage.run_folder import RunFolder
from tacit.training.trust.outside_agents import check_no_outside_agents

from .asking import SUFFIX
from .tabulation import RESOLUTION, estimate, tabulate
from .words import plain, result_lines

FOLDER = "agents"  # of a run: policy files of bots, and what they were asked


def with_tables(
    experiment: Experiment,
    run: RunFolder,
    is_trusted: bool,
    allowed: tuple[str, ...],
    tell: Callable[[str], None],
) -> Experiment:
    """The experiment with a policy file in the place of every bot.

    Args:
        experiment: whose agents may be bots.
        run: its folder; files go into `agents` in it, and a bot that was asked is not asked again.
        is_trusted: whether its bots may be run.
        allowed: hosts to which requests may go, beside this machine.
        tell: told what is going on, a line each.

    Raises:
        ConfigError: bots are not trusted (all that would be run is named), a bot does not start, or
            is no function of what its seat sees.
    """
    if not is_trusted:
        check_no_outside_agents(experiment)
    arms = {name: _with_tables(arm, run, allowed, tell) for name, arm in experiment.arms.items()}
    return replace(experiment, arms=arms)


def _with_tables(
    arm: Arm, run: RunFolder, allowed: tuple[str, ...], tell: Callable[[str], None]
) -> Arm:
    files = {
        seat: _policy_file(arm, seat, config, run, allowed, tell)
        for seat, config in arm.agents.items()
        if what_it_runs(config) is not None and not is_live(config)
    }
    return _in_seats(arm, files)


# --- cells of a sweep ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Bot:
    """A bot of a sweep that is asked once for all cells that ask it the same.

    Attributes:
        arm: the first one in which it plays.
        seat: its seat there.
        config: what it is.
        file: where its table is kept, within the sweep's folder.
        about: what its answers belong to, plain JSON values.
    """

    arm: Arm
    seat: str
    config: BaseModel
    file: Path
    about: Mapping[str, Any]

    @property
    def is_known(self) -> bool:
        """Whether its table is there."""
        return self.file.is_file()

    @property
    def cost(self) -> tuple[int, int]:
        """How many questions it will be asked: if its answers never vary, and at most."""
        questions = Questions(self.arm.market, self.seat)
        return estimate(questions, RESOLUTION, not isinstance(self.config, ChatConfig))


def bots_of(experiment: Experiment, folder: Path) -> dict[Path, Bot]:
    """The bots of an experiment that are asked beforehand, by the files of their tables; nothing is
    run.

    Args:
        experiment: say that of a cell.
        folder: the sweep's.
    """
    found: dict[Path, Bot] = {}
    for arm in experiment.arms.values():
        for seat, config in arm.agents.items():
            if what_it_runs(config) is not None and not is_live(config):
                questions = Questions(arm.market, seat)
                about = {"agent": asked_as(config), "questions": questions_hash(questions)}
                file = folder / FOLDER / _name(seat, about)
                found.setdefault(file, Bot(arm, seat, config, file, about))
    return found


def questions_hash(questions: Questions) -> str:
    """SHA-256 of all that a seat is asked, in words and parts."""
    asked = [questions.at(int(o)).plain() for o in questions.decisions]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def ask(bot: Bot, allowed: tuple[str, ...], tell: Callable[[str], None]) -> None:
    """Ask a bot whose user trusts it, and write its table.

    Raises:
        ConfigError: it does not start or answer, or is no function of what it sees.
    """
    _ask(bot.arm, bot.seat, bot.config, bot.file, bot.about, allowed, tell)


def frozen(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment of a cell with tables in the place of bots that were asked. Bots that were not
    asked stay as they are, and training refuses them.

    Raises:
        ConfigError: a table does not fit.
    """
    arms = {}
    for name, arm in experiment.arms.items():
        known = bots_of(replace(experiment, arms={name: arm}), folder)
        tables = {bot.seat: bot.file for bot in known.values() if bot.is_known}
        arms[name] = _in_seats(arm, tables) if tables else arm
    return replace(experiment, arms=arms)


def _in_seats(arm: Arm, files: Mapping[str, Path]) -> Arm:
    """The arm with policy files in some seats."""
    agents: dict[str, Any] = dict(arm.plain["agents"])
    for seat, file in files.items():
        own = TableConfig(file=str(file.resolve()), table_hash="").bound(
            arm.market, arm.market.seat(seat)
        )
        agents[seat] = own.model_dump(mode="json")
    return arm_from_plain(arm.name, {**arm.plain, "agents": agents})


# --- one bot -------------------------------------------------------------------------------------


def _policy_file(
    arm: Arm,
    seat: str,
    config: BaseModel,
    run: RunFolder,
    allowed: tuple[str, ...],
    tell: Callable[[str], None],
) -> Path:
    """The policy file of a bot in a seat, made where there is none yet.

    Raises:
        ConfigError: the bot does not start, does not answer, or is no function of what it sees.
    """
    about = {"agent": asked_as(config), "market": arm.plain["market"]}
    path = run.path / FOLDER / _name(seat, about)
    if path.is_file():
        read_policy(path)
    else:
        _ask(arm, seat, config, path, about, allowed, tell)
    return path


def _name(seat: str, about: Mapping[str, Any]) -> str:
    """The name of a bot's policy file: another bot, or other questions, have another one."""
    text = json.dumps([about, seat], sort_keys=True)
    return f"{seat}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.safetensors"


def _ask(
    arm: Arm,
    seat: str,
    config: BaseModel,
    path: Path,
    about: Mapping[str, Any],
    allowed: tuple[str, ...],
    tell: Callable[[str], None],
) -> None:
    """Ask a bot at every row, and write its policy file.

    Raises:
        ConfigError: the bot does not start, does not answer, or is no function of what it sees.
    """
    questions = Questions(arm.market, seat)
    least, most = estimate(questions, RESOLUTION, not isinstance(config, ChatConfig))
    tell(f"{seat}: asking {what_it_runs(config)}: about {least:,} questions, up to {most:,}")
    try:
        door = open_door(config, allowed)
    except DoorClosed as closed:
        raise ConfigError(f"agents.{seat}: {closed}") from None
    kept = path.with_name(path.name + SUFFIX)
    try:
        found = tabulate(door, arm.market, seat, file=kept, about=about)
    finally:
        door.close()
    for line in result_lines(found, questions):
        tell(f"  {line}")
    if not found.passes_gate:
        reasons = "; ".join(found.reasons)
        raise ConfigError(
            f"agents.{seat}: cannot be trained against as a table: {reasons}. What it answered: "
            f"{kept}"
        )
    origin = {"agent": about["agent"], "tabulated": plain(found)}
    write_policy(path, found.table, card_of(arm.market, seat, found.table, arm.kpi, origin))
