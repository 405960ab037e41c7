"""Vendors: one supplier of policies in several seats, and what these seats share.

    policies:
      vendor_a: [provider_0, provider_1]                           # shares weights
      vendor_b: {seats: [provider_2, provider_3], share: [data, random_stream]}

    weights         one table, updated by the experience of all its seats
    data            a table each, which learns from the experience of all the vendor's seats
    objective       each seat is paid the sum of the KPIs of the vendor's seats
    random_stream   the draws of the vendor's first seat explore in all of them, and make their
                    first Q values where these are drawn; else each seat has its own

Seats hold one policy if their tables are equal when read own-first (`envs.market.own_first`).
Q-learning with shared data is shared weights but for the first values: both make the same updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.market.own_first import as_seen_from

from .policy import PolicyTable

WEIGHTS, DATA, OBJECTIVE, RANDOM_STREAM = "weights", "data", "objective", "random_stream"
SHARES = (WEIGHTS, DATA, OBJECTIVE, RANDOM_STREAM)
LEARNING = (WEIGHTS, DATA, RANDOM_STREAM)  # what is shared by learners, not by KPIs


class Vendor(NamedTuple):
    """A supplier of policies.

    Attributes:
        name: of the vendor.
        seats: names of the seats that it runs, in order of the market; at least two, of one role.
        share: which of SHARES, in that order.
    """

    name: str
    seats: tuple[str, ...]
    share: tuple[str, ...]

    @property
    def plain(self) -> dict[str, list[str]]:
        """As data, every key present."""
        return {"seats": list(self.seats), "share": list(self.share)}

    @property
    def shares_learning(self) -> bool:
        """Whether its seats' learners are not independent."""
        return any(what in LEARNING for what in self.share)

    @property
    def words(self) -> str:
        """Who shares what."""
        share = " and ".join(self.share).replace("_", " ")
        return f"{self.name} runs {', '.join(self.seats)}, which share {share}"


Vendors = tuple[Vendor, ...]


def separated(vendors: Vendors) -> Vendors:
    """The vendors that are left where each seat is trained by itself: KPIs stay as they are."""
    return tuple(v._replace(share=(OBJECTIVE,)) for v in vendors if OBJECTIVE in v.share)


# --- policies that several seats hold -------------------------------------------------------------


def own_first_tables(
    market: Market, vendors: Vendors, tables: Sequence[PolicyTable]
) -> list[PolicyTable]:
    """Policy tables in which the rows of a vendor's seats have the order of its first seat.

    So seats that hold one policy have equal tables, with equal hashes. Seats that share an
    objective alone may have grids of their own: their tables keep the market's order.

    Args:
        market: that is played.
        vendors: of the arm.
        tables: of every seat, float64 `[O, A]`, rows by the market's own indices.
    """
    found = list(tables)
    for vendor in vendors:
        first = market.seat(vendor.seats[0])
        for name in vendor.seats[1:]:
            seat = market.seat(name)
            try:
                order = as_seen_from(market, seat, first, vendor.seats)
            except ConfigError:
                if vendor.shares_learning:
                    raise
                continue
            table = np.empty_like(tables[seat.index])
            table[order] = tables[seat.index]
            found[seat.index] = table
    return found
