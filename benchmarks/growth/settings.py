"""What is made larger, one thing at a time, with everything else as it is shipped.

A setting is a market's name, its keys and how many copies a seed plays; agents are Q-learners.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

AUCTION, CLOUD = "ad_auction", "cloud_bandwidth"


class Setting(NamedTuple):
    """A point of an axis.

    Attributes:
        axis: what is made larger.
        value: how large, as the table shows it.
        market: its name.
        keys: of the market, beside the defaults.
        copies: of the market, that a seed plays.
    """

    axis: str
    value: str
    market: str
    keys: Mapping[str, Any]
    copies: int = 1


def settings() -> Iterator[Setting]:
    """All points, axis by axis."""
    for n in (2, 3, 4, 8, 16):
        yield Setting("bidders", str(n), AUCTION, {"bidders": n})
    for n in (5, 19, 99, 499):
        yield Setting("bids", str(n), AUCTION, {"bids": n})
    for seen in ("none", "price", "bids"):
        yield Setting("observations (`observe`)", seen, AUCTION, {"observe": seen})
    for n in (1, 16, 256, 4_096):
        yield Setting("copies", f"{n:,}", AUCTION, {}, n)
    for n in (2, 3, 4):
        yield Setting("providers, 9 prices", str(n), CLOUD, {"providers": n, "prices": 9})
    for n in (5, 15, 30, 60):
        yield Setting("prices, 2 providers", str(n), CLOUD, {"prices": n})
    for n in (0, 1, 2):
        yield Setting("memory, 7 prices", str(n), CLOUD, {"prices": 7, "memory": n})
