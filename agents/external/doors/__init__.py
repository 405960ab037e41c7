"""Doors: a function of Python, a program that speaks JSON lines, an endpoint of chat completions.

    door = open_door(ExternalConfig(command=("python", "bot.py")))
    answer = door.ask(Questions(market, "bidder_0").at(0))
    door.close()

Opening a door runs what the config names: nothing here is called when configs are read or shown.
"""

from __future__ import annotations

from pydantic import BaseModel

from tacit.agents.external.config import ChatConfig, ExternalConfig
from tacit.envs.errors import ConfigError

from .answers import BotAnswer, DoorClosed
from .door import Door, FunctionDoor
from .json_lines import CallDoor, CommandDoor

__all__ = [
    "BotAnswer",
    "CallDoor",
    "CommandDoor",
    "Door",
    "DoorClosed",
    "FunctionDoor",
    "open_door",
]


def open_door(config: BaseModel, allowed: tuple[str, ...] = ()) -> Door:
    """Start what an agent's config names, or get ready to send requests to it.

    Args:
        config: an `ExternalConfig` or a `ChatConfig`.
        allowed: hosts to which requests may go, beside this machine.

    Raises:
        ConfigError: another kind of agent, or a prompt that cannot be read.
        DoorClosed: it does not start, or its host is not allowed.
    """
    if isinstance(config, ExternalConfig):
        if config.call is not None:
            return CallDoor(config.call, config.seconds, config.start_seconds)
        return CommandDoor(config.command or (), config.seconds)
    if isinstance(config, ChatConfig):
        from .chat import ChatDoor  # TLS takes a moment to import

        return ChatDoor(config, allowed)
    raise ConfigError(f"agent: {type(config).__name__} is no agent behind a door.")
