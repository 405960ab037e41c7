"""Markets of installed packages, which offer them by an entry point in their own pyproject.toml:

[project.entry-points."tacit.markets"]
lemonade = "lemonade_market:Lemonade"
"""

from __future__ import annotations

import importlib
import traceback
import warnings
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tacit.envs.errors import ConfigError

from .shipped import MARKETS

if TYPE_CHECKING:
    from tacit.envs.market import Market

GROUP = "tacit.markets"  # of entry points
INSTALLED: dict[str, str] = {}  # name -> the package that offers it


class MarketNameWarning(UserWarning):
    """A package offers a market under a name that belongs to another one."""


def find_installed() -> None:
    """Make the markets of installed packages known; none is imported."""
    for entry in metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist is not None else entry.module
        if MARKETS.get(entry.name, entry.value) != entry.value:
            warnings.warn(
                f"the package {package} offers a market '{entry.name}' ({entry.value}), which is "
                f"left out: the name belongs to {MARKETS[entry.name]}.",
                MarketNameWarning,
                stacklevel=2,
            )
            continue
        MARKETS[entry.name] = entry.value
        INSTALLED[entry.name] = package


def installed_class(name: str, module: str, attribute: str) -> type[Market]:
    """The class that a package's entry point names.

    Raises:
        ConfigError: it does not import, is no market, or has another name.
    """
    from tacit.envs.market import Market  # with NumPy, which a list of names does not need
    from tacit.envs.market.check import class_mistakes

    where = f"market '{name}' of the package {INSTALLED[name]} ({module}:{attribute})"
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        at = "" if frame.filename.startswith("<") else f", {frame.filename}, line {frame.lineno}"
        told = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{where}: does not import ({told}{at}).") from error
    if not (isinstance(found, type) and issubclass(found, Market)):
        raise ConfigError(f"{where}: is no subclass of tacit.envs.market.Market.")
    if mistakes := class_mistakes(found):
        raise ConfigError([f"{where}: {line}" for line in mistakes])
    if found.name != name:
        raise ConfigError(f"{where}: calls itself '{found.name}'; both names must be one.")
    return found
