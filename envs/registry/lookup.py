"""A market by its name: its class, or the market itself with a config."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tacit.envs.errors import ConfigError, nearest

from .installed import INSTALLED, find_installed, installed_class
from .shipped import MARKETS

if TYPE_CHECKING:
    from tacit.envs.market import Market


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
        return installed_class(name, module, attribute)
    found: type[Market] = getattr(importlib.import_module(module), attribute)
    return found


def make_market(name: str, config: Mapping[str, Any] | None = None) -> Market:
    """A market with its config: `make_market("ad_auction", {"bidders": 3})`.

    Raises:
        ConfigError: no such market, or mistakes in its keys, all at once.
    """
    return market_class(name)(config)
