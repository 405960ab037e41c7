"""Bots in the seats of a training run: asked once, before training, they play as tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
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
    agents: dict[str, Any] = dict(arm.plain["agents"])
    for seat, config in arm.agents.items():
        if what_it_runs(config) is not None and not is_live(config):
            file = _policy_file(arm, seat, config, run, allowed, tell)
            own = TableConfig(file=str(file.resolve()), table_hash="").bound(
                arm.market, arm.market.seat(seat)
            )
            agents[seat] = own.model_dump(mode="json")
    return arm_from_plain(arm.name, {**arm.plain, "agents": agents})


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
    text = json.dumps([about, seat], sort_keys=True)
    name = f"{seat}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.safetensors"
    path = run.path / FOLDER / name
    if path.is_file():
        read_policy(path)
        return path
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
    return path
