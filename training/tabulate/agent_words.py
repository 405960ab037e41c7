"""The agent that a word of the command line names: a file, a function of Python, or a command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tacit.agents.external.config import CALL
from tacit.agents.registry import AGENTS, make_config
from tacit.envs.errors import ConfigError
from tacit.training.config import files

WHERE = "AGENT"


def agent_config(word: str) -> BaseModel:
    """The config of an agent that a word names.

    Args:
        word: a YAML file or the name of one in `configs/agents`, `module:function`, or a command
            such as `"python bot.py"`. Nothing of it is run.

    Raises:
        ConfigError: no such file or program, or mistakes in the file's keys.
    """
    if word.endswith((".yaml", ".yml")) or word in files.names("agents"):
        path = files.find(word, ("agents",), WHERE)
        values = files.read_yaml(path)
        if not isinstance(values, dict):
            raise ConfigError(f"{word}: must be a table of keys.")
        return make_config(_with_prompt(values, Path(str(path)).parent), WHERE)
    if word in AGENTS:
        return make_config({"name": word}, WHERE)
    if CALL.fullmatch(word):
        return make_config({"name": "external", "call": word}, WHERE)
    try:
        words = shlex.split(word)
    except ValueError as error:
        raise ConfigError(f"{WHERE}: {word!r}: {error}.") from None
    if not words:
        raise ConfigError(f"{WHERE}: must be a YAML file, module:function or a command.")
    return make_config({"name": "external", "command": words}, WHERE)


def _with_prompt(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The keys, with the path of a prompt leading out from the file's folder."""
    prompt = values.get("prompt")
    return {**values, "prompt": str(folder / prompt)} if isinstance(prompt, str) else values
