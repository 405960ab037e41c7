"""Markets of users become known by their names."""

from __future__ import annotations

import sys
from pathlib import Path

from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.market.check import class_mistakes
from tacit.envs.registry import MARKETS
from tacit.envs.registry.registration import register_environments

REMEMBERED: dict[str, str] = {}  # modules that have registered something -> their files


def register_market(cls: type[Market]) -> type[Market]:
    """Make a market known by its name, as the shipped ones are; usable as a decorator.

    Raises:
        ConfigError: the class lacks an attribute, the name belongs to another market, or the class
            is defined in `__main__`, where compiled loops could not import its kernels.
    """
    if mistakes := class_mistakes(cls):
        raise ConfigError(mistakes)
    home = f"{cls.__module__}:{cls.__qualname__}"
    if cls.__module__ == "__main__":
        raise ConfigError(
            f"{cls.__qualname__}: a market is defined in a module of its own, not in the script "
            "that is run: compiled loops import its kernels."
        )
    if MARKETS.get(cls.name, home) != home:
        raise ConfigError(f"{home}: the name '{cls.name}' belongs to {MARKETS[cls.name]}.")
    MARKETS[cls.name] = home
    register_environments(cls.name, cls.version)
    remember(cls.__module__)
    return cls


def remember(module: str) -> None:
    """Note that a module has registered something, so that worker processes import it too."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if path and module != "__main__" and module.partition(".")[0] != "tacit":
        REMEMBERED[module] = str(Path(path).resolve())
