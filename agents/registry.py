"""The agents by name: a config model each. A new learner is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market

from .neural.config import IdqnConfig, IppoConfig, batch_rounds
from .sb3.config import Sb3Config
from .scripted import Scripted, ScriptedConfig
from .tabular.config import QLearningConfig, check_synchronous

MOST_CELLS = 2**26  # of all seats; a seed's learning takes about 45 bytes for each

AGENTS: dict[str, type[BaseModel]] = {
    "q_learning": QLearningConfig,
    "ippo": IppoConfig,
    "idqn": IdqnConfig,
    "sb3": Sb3Config,
    "scripted": ScriptedConfig,
}
SUMMARIES = {
    "q_learning": "tabular Q-learning, asynchronous or synchronous, many explorations",
    "ippo": "independent PPO: an actor and a critic per seat, evaluated once per observation",
    "idqn": "independent double DQN with replay and a target network",
    "sb3": "PPO, A2C or DQN of Stable-Baselines3, read back as tables",
    "scripted": "players with known behaviour: benchmarks, grim trigger, tit-for-tat, ...",
}


def make_config(values: Mapping[str, Any], prefix: str) -> BaseModel:
    """The checked config of an agent given as `{name: ..., keys}`."""
    name = values.get("name")
    if str(name) not in AGENTS:
        raise ConfigError(f"{prefix}: unknown agent '{name}'. {nearest(str(name), AGENTS)}")
    return build(AGENTS[str(name)], values, prefix)


def check_size(market: Market) -> None:
    """Whether everybody's policy table [O, A] fits into memory.

    Raises:
        ConfigError: how large they are, and what to drop.
    """
    cells = {role: role.seats * role.observations * role.actions for role in market.roles}
    total = sum(cells.values())
    if total > MOST_CELLS:
        role = max(cells, key=lambda each: cells[each])
        raise ConfigError(
            f"market: policy tables would hold {total:,} numbers, more than {MOST_CELLS:,}: each "
            f"{role.name} sees {role.observations:,} observations and has {role.actions} actions. "
            f"{market.too_large(role)}"
        )


def check_agents(market: Market, configs: Mapping[str, BaseModel]) -> None:
    """Whether every seat's agent can play this market.

    Raises:
        ConfigError: all that cannot; seats of a role that share a config are told once.
    """
    check_size(market)
    mistakes: list[str] = []
    checked = []
    for seat in market.seats:
        config = configs[seat.name]
        if (seat.role.name, config) in checked:
            continue
        checked.append((seat.role.name, config))
        try:
            if isinstance(config, ScriptedConfig):
                Scripted(config, market, seat)
            elif isinstance(config, QLearningConfig):
                check_synchronous(market, {seat.name: config})
            elif isinstance(config, Sb3Config):
                from .sb3.model import check_sb3  # torch takes a second to import

                check_sb3(config, seat)
        except ConfigError as error:
            mistakes += error.mistakes
    try:
        batch_rounds(configs)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
