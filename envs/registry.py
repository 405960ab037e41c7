"""The markets by name: those that ship, those of installed packages, those of the user.

A market that ships is one module and one line here. A package of somebody else offers one by an
entry point, in its own pyproject.toml:

    [project.entry-points."tacit.markets"]
    lemonade = "lemonade_market:Lemonade"

A file of one's own registers one by `tacit.register_market` (`tacit.envs.plugins`). A module is
imported when its market is first asked for, so one that fails breaks no other.
"""

from __future__ import annotations

import importlib
import traceback
import warnings
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from .errors import ConfigError, nearest
from .market import Market
from .market.check import class_mistakes

GROUP = "tacit.markets"  # of entry points

# name -> module:class
MARKETS: dict[str, str] = {
    "ad_auction": "tacit.envs.ad_auction:AdAuction",
    "procurement": "tacit.envs.procurement:Procurement",
    "cloud_bandwidth": "tacit.envs.cloud_bandwidth:CloudBandwidth",
    "quantity_competition": "tacit.envs.quantity_competition:QuantityCompetition",
    "cheap_talk": "tacit.envs.cheap_talk:CheapTalk",
}
SHIPPED = tuple(MARKETS)
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


def market_class(name: str) -> type[Market]:
    """The class of a market.

    Raises:
        ConfigError: no such market (the message names the nearest), or one of an installed package
            that does not import or is none.
    """
    if name not in MARKETS:
        find_installed()  # it may have been installed since
    if name not in MARKETS:
        raise ConfigError(f"market.name: unknown market '{name}'. {nearest(name, MARKETS)}")
    module, _, attribute = MARKETS[name].partition(":")
    if name in INSTALLED:
        return _installed_class(name, module, attribute)
    found: type[Market] = getattr(importlib.import_module(module), attribute)
    return found


def _installed_class(name: str, module: str, attribute: str) -> type[Market]:
    """The class that a package's entry point names.

    Raises:
        ConfigError: it does not import, is no market, or has another name.
    """
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


def make_market(name: str, config: Mapping[str, Any] | None = None) -> Market:
    """A market with its config: `make_market("ad_auction", {"bidders": 3})`.

    Raises:
        ConfigError: no such market, or mistakes in its keys, all at once.
    """
    return market_class(name)(config)
