"""Scripted players of a tender: `truthful`, `always_bluff`, `trusting`.

`truthful` supplier: the list price if its stock is scarce, else the lowest price above its cost;
true claims, the clause kept; accepts counters that cover its cost. `truthful` buyer: states its
urgency, then as `trusting`.

`always_bluff` supplier: the list price, "scarce", the shortest promise, no clause; accepts counters
that cover its cost. `always_bluff` buyer: states "calm", then as `trusting`.

Where prices may be called final, `always_bluff` calls all of its prices final and the others none;
`trusting` counters no final price. After a refused counter all take an ask that is worth it.

`trusting` buyer (there is no such supplier): states its urgency and believes every claim and
promise. It takes the offer or counter that is worth most if all is true, ties equally likely, and
walks if none is worth anything. It expects customs to hold up what comes without the clause as
often as they do, since that is no claim. It counters only where stock is claimed (or known) to be
plenty, at the lowest price above the supplier's cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.envs.market import Seat

from .config import ProcurementConfig
from .priors import lowest_above

TIE = 1e-9  # expected values that differ by less are equal


def actions(c: ProcurementConfig, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
    """The actions of a rule at an observation, all equally likely; empty where it does not fit."""
    seen = seat.role.decode_observation(observation)
    if seat.role.name == "supplier":
        return _supplier(c, rule, seat, seen)
    if rule not in ("truthful", "always_bluff", "trusting"):
        return ()
    if "ask" in seen:  # after a refused counter: it is take or leave
        settle = "take" if _worth(c, seen, "its_") > seen["ask"] else "leave"
        return (seat.role.encode_action(settle=settle),)
    if not any(name.startswith("price_") for name in seen):  # the brief
        stated = "calm" if rule == "always_bluff" else seen["urgency"]
        return (seat.role.encode_action(stated_urgency=stated),)
    mark = ", final" if rule == "always_bluff" and c.final else ""
    return tuple(
        seat.role.encode_action(response=r + mark if r.startswith("counter") else r)
        for r in _best_responses(c, seen)
    )


def _supplier(
    c: ProcurementConfig, rule: str, seat: Seat, seen: Mapping[str, Any]
) -> tuple[int, ...]:
    """The supplier's action."""
    if rule not in ("truthful", "always_bluff"):
        return ()
    cost, bluffs = c.costs[seat.index], rule == "always_bluff"
    if "counter" in seen:
        with_clause = c.clause is not None and seen.get("own_clause") == "kept"
        cost += c.clause.cost if c.clause and with_clause else 0.0
        answer = "accept" if seen["counter"] >= cost else "refuse"
        return (seat.role.encode_action(answer=answer),)
    cost += 0.0 if bluffs or c.clause is None else c.clause.cost
    stock = seen.get("stock", "plenty")
    offer: dict[str, Any] = {"price": lowest_above(c, cost)}
    if bluffs or stock == "scarce":
        offer["price"] = c.prices[-1]
    if c.has_stock:
        offer["claim"] = "scarce" if bluffs else stock
    if len(c.days) > 1:
        offer["promise"] = c.days[0] if bluffs else seen["lead"]
    if c.clause:
        offer["clause"] = "dropped" if bluffs else "kept"
    if c.final:
        offer["final"] = "final" if bluffs else "open"
    return (seat.role.encode_action(**offer),)


def _best_responses(c: ProcurementConfig, seen: Mapping[str, Any]) -> list[str]:
    """The responses that are worth most to a buyer that believes what it reads."""
    expected_value = {"walk": 0.0}
    for i in range(c.suppliers):
        delivered = _worth(c, {name.removesuffix(f"_{i}"): x for name, x in seen.items()})
        expected_value[f"accept supplier_{i}"] = delivered - seen[f"price_{i}"]
        haggles = seen.get(f"final_{i}", "open") == "open"
        if c.counters and haggles and seen.get(f"claim_{i}", "plenty") == "plenty":
            price = lowest_above(c, c.costs[i])
            response = f"counter supplier_{i} at {price:g}"
            expected_value[response] = c.wait_discount * (delivered - price)
    most = max(expected_value.values())
    return [response for response, worth in expected_value.items() if worth > most - TIE]


def _worth(c: ProcurementConfig, seen: Mapping[str, Any], prefix: str = "") -> float:
    """What a delivery under an offer is worth to a buyer that believes it, before the price."""
    value: float = c.value
    if c.urgency:
        value = c.urgency.urgent if seen["urgency"] == "urgent" else c.urgency.calm
    value -= c.lead_cost * seen.get(f"{prefix}promise", c.days[0])
    if c.clause and seen[f"{prefix}clause"] == "dropped":
        value -= c.clause.delay_probability * c.clause.delay_cost
    return value
