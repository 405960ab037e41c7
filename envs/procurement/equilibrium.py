"""Policy tables of the two closed forms of `benchmarks.py`.

What never happens in equilibrium is filled in as the closed forms assume: a high price without the
claim "scarce" is believed and countered, a low one is accepted; a calm buyer walks from a high one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.market import Seat
from tacit.envs.types import Floats

from .benchmarks import (
    bluffing_conditions,
    bluffing_in,
    disinterest_conditions,
    disinterest_in,
)
from .config import ProcurementConfig

Mixed = list[tuple[dict[str, Any], float]]  # the parts of an action, and its probability


def equilibrium_table(c: ProcurementConfig, seat: Seat) -> Floats:
    """A seat's policy table float64 `[O, A]` in the closed form whose conditions the config meets.

    Raises:
        ConfigError: it meets the conditions of neither.
    """
    role = seat.role
    if not disinterest_conditions(c):
        rule = _disinterest
    elif not bluffing_conditions(c):
        rule = _bluffing
    else:
        why = "; ".join(disinterest_conditions(c) if c.brief else bluffing_conditions(c))
        raise ConfigError(f"market: no closed form here: {why}.")
    table = np.zeros((role.observations, role.actions))
    for o in range(role.observations):
        if role.legal[o, 1] == 1:
            table[o, role.legal[o, 0]] = 1.0
            continue
        for parts, probability in rule(c, role.decode_observation(o)):
            table[o, role.encode_action(**parts)] += probability
    return table


def _disinterest(c: ProcurementConfig, seen: Mapping[str, Any]) -> Mixed:
    """What a seat does in feigned disinterest; supplier or buyer by what it sees."""
    found, (low, high) = disinterest_in(c), c.prices
    if "lead" in seen:  # the supplier makes its offer
        cheap = found.cheap if seen["stated_urgency"] == "calm" else 0.0
        return [({"price": low}, cheap), ({"price": high}, 1.0 - cheap)]
    if "price_0" in seen:  # the buyer responds
        buys = seen["urgency"] == "urgent" or seen["price_0"] == low
        return [({"response": "accept supplier_0" if buys else "walk"}, 1.0)]
    lie = found.lie if seen["urgency"] == "urgent" else 1.0  # the buyer's brief
    return [({"stated_urgency": "calm"}, lie), ({"stated_urgency": "urgent"}, 1.0 - lie)]


def _bluffing(c: ProcurementConfig, seen: Mapping[str, Any]) -> Mixed:
    """What a seat does in bluffing; supplier or buyer by what it sees."""
    found, (low, high) = bluffing_in(c), c.prices
    if "counter" in seen:  # a supplier with stock: any listed price is better than nothing
        return [({"answer": "accept"}, 1.0)]
    if "price_0" in seen:  # the buyer responds
        counter = f"counter supplier_0 at {low:g}"
        if seen["price_0"] == low or found.regime == "no haggling":
            return [({"response": "accept supplier_0"}, 1.0)]
        accept = found.accept if seen["claim_0"] == "scarce" else 0.0
        return [({"response": "accept supplier_0"}, accept), ({"response": counter}, 1.0 - accept)]
    if seen["stock"] == "scarce":  # the supplier makes its offer
        return [({"price": high, "claim": "scarce"}, 1.0)]
    honest = high if found.regime == "no haggling" else low
    return [
        ({"price": high, "claim": "scarce"}, found.bluff),
        ({"price": honest, "claim": "plenty"}, 1.0 - found.bluff),
    ]
