"""What policies do where a closed form says what they should: the chances that it speaks of.

| figure | is |
|---|---|
| `bluff_rate` | P(list price, "scarce" given plenty of stock), supplier |
| `accept_rate` | P(accept given list price, "scarce"), buyer |
| `feign_rate` | P("calm" given urgent), buyer |
| `cheap_rate` | P(low price given "calm"), supplier |

The closed forms are in `benchmarks.py`; a cost shifts prices there, chances are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import Role

from .benchmarks import (
    bluffing_conditions,
    bluffing_in,
    disinterest_conditions,
    disinterest_in,
)
from .config import ProcurementConfig

Table = NDArray[np.float64]


def theory(c: ProcurementConfig) -> dict[str, float]:
    """The chances of the closed form that holds here; none where none does."""
    if not bluffing_conditions(c):
        bluff = bluffing_in(c)
        return {"bluff_rate": bluff.bluff, "accept_rate": bluff.accept}
    if not disinterest_conditions(c):
        feign = disinterest_in(c)
        return {"feign_rate": feign.lie, "cheap_rate": feign.cheap}
    return {}


def figures(
    c: ProcurementConfig, roles: Mapping[str, Role], tables: Sequence[Table]
) -> dict[str, float]:
    """The same chances in policy tables `[O, A]` of the supplier and the buyer."""
    supplier, buyer = roles["supplier"], roles["buyer"]
    selling, *_, buying = tables  # (closed forms have one supplier; other markets end up at {})
    high = c.prices[-1]
    if not bluffing_conditions(c):
        bluff = supplier.encode_action(price=high, claim="scarce")
        accept = buyer.encode_action(response="accept supplier_0")
        plenty = _where(supplier, stock="plenty", counter=None)
        offered = _where(buyer, price_0=high, claim_0="scarce")
        return {"bluff_rate": selling[plenty, bluff], "accept_rate": buying[offered, accept]}
    if not disinterest_conditions(c):
        feign = buyer.encode_action(stated_urgency="calm")
        cheap = supplier.encode_action(price=c.prices[0])
        urgent = _where(buyer, urgency="urgent", price_0=None)
        told = _where(supplier, stated_urgency="calm")
        return {"feign_rate": buying[urgent, feign], "cheap_rate": selling[told, cheap]}
    return {}


def _where(role: Role, **parts: Any) -> int:
    """The first observation with a decision that shows these parts (None: not shown)."""
    for o in np.flatnonzero(role.legal[:, 1] > 1):
        seen = role.decode_observation(int(o))
        if all(seen.get(name) == value for name, value in parts.items()):
            return int(o)
    raise ValueError(f"no observation of a {role.name} shows {parts}")
