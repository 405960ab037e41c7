"""The markets by name. A new market is one module and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from .errors import ConfigError, nearest
from .market import Market

# name -> module:class; a market's module is imported when the market is first asked for
MARKETS: dict[str, str] = {
    "ad_auction": "tacit.envs.ad_auction:AdAuction",
    "procurement": "tacit.envs.procurement:Procurement",
    "cloud_bandwidth": "tacit.envs.cloud_bandwidth:CloudBandwidth",
    "quantity_competition": "tacit.envs.quantity_competition:QuantityCompetition",
    "cheap_talk": "tacit.envs.cheap_talk:CheapTalk",
}


def market_class(name: str) -> type[Market]:
    """The class of a market.

    Raises:
        ConfigError: no such market; the message names the nearest.
    """
    if name not in MARKETS:
        raise ConfigError(f"market.name: unknown market '{name}'. {nearest(name, MARKETS)}")
    module, _, attribute = MARKETS[name].partition(":")
    found: type[Market] = getattr(importlib.import_module(module), attribute)
    return found


def make_market(name: str, config: Mapping[str, Any] | None = None) -> Market:
    """A market with its config: `make_market("ad_auction", {"bidders": 3})`.

    Raises:
        ConfigError: no such market, or mistakes in its keys, all at once.
    """
    return market_class(name)(config)
