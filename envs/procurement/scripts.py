"""Scripted players of a tender: `truthful`, `always_bluff`, `trusting`.

| rule | supplier | buyer |
|---|---|---|
| `truthful` | scarce: the list price; else the lowest that covers its cost; says what is so, keeps
the clause; takes counters that cover its cost | states its urgency; then as `trusting` |
| `always_bluff` | the list price, "scarce", the shortest promise, no clause; takes counters that
cover its cost | "calm"; then as `trusting` |
| `trusting` | (no such rule) | states its urgency, believes every claim and promise: the offer or
counter that is worth most if all is true, ties equally likely; walks if none is worth anything |

A trusting buyer expects customs to hold up what comes without the clause as often as they do: that
is no claim. It counters only where stock is claimed (or known) to be plenty, at the lowest price
that covers the supplier's cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.envs.market import Seat

from .config import ProcurementConfig

TIE = 1e-9  # worth that differs by less is equal


def actions(c: ProcurementConfig, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
    """What the rule does at an observation, all equally likely; empty where it does not fit."""
    seen = seat.role.decode_observation(observation)
    if seat.role.name == "supplier":
        return _supplier(c, rule, seat, seen)
    if rule not in ("truthful", "always_bluff", "trusting"):
        return ()
    if not any(name.startswith("price_") for name in seen):
        stated = "calm" if rule == "always_bluff" else seen["urgency"]
        return (seat.role.encode_action(stated_urgency=stated),)
    return tuple(seat.role.encode_action(response=r) for r in _best(c, seen))


def _supplier(
    c: ProcurementConfig, rule: str, seat: Seat, seen: Mapping[str, Any]
) -> tuple[int, ...]:
    if rule not in ("truthful", "always_bluff"):
        return ()
    cost, bluff = c.costs[seat.index], rule == "always_bluff"
    if "counter" in seen:
        with_clause = c.clause is not None and seen.get("own_clause") == "kept"
        cost += c.clause.cost if c.clause and with_clause else 0.0
        answer = "accept" if seen["counter"] >= cost else "refuse"
        return (seat.role.encode_action(answer=answer),)
    cost += 0.0 if bluff or c.clause is None else c.clause.cost
    stock = seen.get("stock", "plenty")
    says: dict[str, Any] = {"price": _floor(c, cost)}
    if bluff or stock == "scarce":
        says["price"] = c.prices[-1]
    if c.has_stock:
        says["claim"] = "scarce" if bluff else stock
    if len(c.days) > 1:
        says["promise"] = c.days[0] if bluff else seen["lead"]
    if c.clause:
        says["clause"] = "dropped" if bluff else "kept"
    return (seat.role.encode_action(**says),)


def _floor(c: ProcurementConfig, cost: float) -> float:
    """The lowest listed price above a cost, else the list price."""
    return next((p for p in c.prices if p > cost), c.prices[-1])


def _best(c: ProcurementConfig, seen: Mapping[str, Any]) -> list[str]:
    """The responses that are worth most to a buyer that believes what it reads."""
    value = c.value
    if c.urgency:
        value = c.urgency.urgent if seen["urgency"] == "urgent" else c.urgency.calm
    worth = {"walk": 0.0}
    for i in range(c.suppliers):
        good = value - c.lead_cost * seen.get(f"promise_{i}", c.days[0])
        if c.clause and seen[f"clause_{i}"] == "dropped":
            good -= c.clause.delay_probability * c.clause.delay_cost
        worth[f"accept supplier_{i}"] = good - seen[f"price_{i}"]
        if c.counters and seen.get(f"claim_{i}", "plenty") == "plenty":
            counter = _floor(c, c.costs[i])
            worth[f"counter supplier_{i} at {counter:g}"] = c.wait_discount * (good - counter)
    most = max(worth.values())
    return [response for response, w in worth.items() if w > most - TIE]
