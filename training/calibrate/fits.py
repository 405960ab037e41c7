"""The fits by market. To add one: a file in this folder that declares `FIT`, and a line here."""

from __future__ import annotations

from tacit.envs.errors import ConfigError, nearest

from . import ad_auction, cloud_bandwidth, procurement
from .market_fit import MarketFit

FITS: dict[str, MarketFit] = {
    "procurement": procurement.FIT,
    "cloud_bandwidth": cloud_bandwidth.FIT,
    "ad_auction": ad_auction.FIT,
}


def find_fit(market: str) -> MarketFit:
    """A market's fit.

    Raises:
        ConfigError: there is none; the message names the nearest market that has one.
    """
    if market not in FITS:
        raise ConfigError(f"MARKET: nothing fits '{market}'. {nearest(market, FITS)}")
    return FITS[market]
