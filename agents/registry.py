"""The agents by name: a config model each. A new learner is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tacit.envs.errors import ConfigError, build, nearest

from .q_learning import QLearningConfig
from .scripted import ScriptedConfig

AGENTS: dict[str, type[BaseModel]] = {
    "q_learning": QLearningConfig,
    "scripted": ScriptedConfig,
}
SUMMARIES = {
    "q_learning": "tabular Q-learning, asynchronous or synchronous, many explorations",
    "scripted": "players with known behaviour: benchmarks, grim trigger, tit-for-tat, ...",
}


def make_config(values: Mapping[str, Any], prefix: str) -> BaseModel:
    """The checked config of an agent given as `{name: ..., keys}`."""
    name = values.get("name")
    if name not in AGENTS:
        raise ConfigError(f"{prefix}: unknown agent '{name}'. {nearest(str(name), AGENTS)}")
    return build(AGENTS[str(name)], values, prefix)
