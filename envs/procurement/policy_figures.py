"""What policies do where a closed form predicts it: the probabilities that it is about.

| figure | is |
|---|---|
| `bluff_rate` | P(list price, "scarce" given plenty of stock), supplier |
| `accept_rate` | P(accept given list price, "scarce"), buyer |
| `feign_rate` | P("calm" given urgent), buyer |
| `cheap_rate` | P(low price given "calm"), supplier |

The closed forms are in `benchmarks.py`. A cost shifts all prices there, which leaves these
probabilities as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tacit.envs.market import Role
from tacit.envs.types import Floats

from .benchmarks import (
    bluffing_conditions,
    bluffing_in,
    disinterest_conditions,
    disinterest_in,
)
from .config import ProcurementConfig


def predicted(c: ProcurementConfig) -> dict[str, float]:
    """The figures of the closed form that holds under a config; none where none does."""
    if not bluffing_conditions(c):
        bluff = bluffing_in(c)
        return {"bluff_rate": bluff.bluff, "accept_rate": bluff.accept}
    if not disinterest_conditions(c):
        feign = disinterest_in(c)
        return {"feign_rate": feign.lie, "cheap_rate": feign.cheap}
    return {}


def measured(
    c: ProcurementConfig, roles: Mapping[str, Role], tables: Sequence[Floats]
) -> dict[str, float]:
    """The same figures of policies.

    Args:
        c: the config.
        roles: the market's, by name.
        tables: a policy table float64 `[O, A]` for each seat, suppliers first.
    """
    supplier, buyer = roles["supplier"], roles["buyer"]
    # Closed forms have one supplier; with more, none of the conditions below is met.
    selling, *_, buying = tables
    high = c.prices[-1]
    if not bluffing_conditions(c):
        bluff = supplier.encode_action(price=high, claim="scarce")
        accept = buyer.encode_action(response="accept supplier_0")
        plenty = _observation(supplier, stock="plenty", counter=None)
        offered = _observation(buyer, price_0=high, claim_0="scarce")
        return {"bluff_rate": selling[plenty, bluff], "accept_rate": buying[offered, accept]}
    if not disinterest_conditions(c):
        feign = buyer.encode_action(stated_urgency="calm")
        cheap = supplier.encode_action(price=c.prices[0])
        urgent = _observation(buyer, urgency="urgent", price_0=None)
        calm = _observation(supplier, stated_urgency="calm")
        return {"feign_rate": buying[urgent, feign], "cheap_rate": selling[calm, cheap]}
    return {}


def _observation(role: Role, **parts: Any) -> int:
    """The first observation with a decision that shows these parts; None: it does not show it."""
    for o in np.flatnonzero(role.legal[:, 1] > 1):
        seen = role.decode_observation(int(o))
        if all(seen.get(name) == value for name, value in parts.items()):
            return int(o)
    raise ValueError(f"no observation of a {role.name} shows {parts}")
