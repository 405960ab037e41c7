"""What a prior means in the seats of a tender: the figures that it gives, and rows made of them.

A *supplier* with plenty of stock claims scarcity with `false_claim` and tells the truth else; a
scarce one tells the truth. Its promise is true with 1 - `false_claim`, else a shorter one.
It says `final` with `says_final`, and takes a counter below its own final price with `false_final`.
Prices and answers are assumed.

A *buyer* looks at the cheapest offer (ties equally likely). An offer that says that haggling is in
vain (scarce stock, a final price) is believed with 1 - `suspicion`, and then taken if it is worth
its price. Else the offer is taken at the rate by which people accept such a share of the surplus,
(value - price) / (value - cost), if it claims nothing of the kind; a doubted claim is answered by a
counter below the ask, or by walking away where there is none. A calm buyer says so, an urgent one
says "calm" with `false_claim`. After a refused counter that was final, it takes the ask with
`false_final`; after another one, at the rate of acceptance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tacit.envs.analysis import PriorKeys, PriorNumbers, PriorRow
from tacit.envs.market import Seat

from .blocks import CLAUSES, FINALITY, STOCKS, URGENCIES
from .config import ProcurementConfig

LIMITS = {
    "says_final": "P(an ask or a counter is called final)",
    "false_final": "P(what was called final is gone back on, when that makes a deal)",
}
PRIOR_KEYS = {
    "supplier": PriorKeys(
        figures={"false_claim": "P(a statement of fact is false, where a falsehood could pay)"},
        optional=LIMITS,
        words={
            "price_if_plenty": ("lowest", "highest", "any"),
            "price_if_scarce": ("highest", "lowest", "any"),
            "answer": ("covers_cost", "any"),
        },
    ),
    "buyer": PriorKeys(
        figures={"suspicion": "P(a statement is taken for false)"},
        optional={
            "false_claim": "P(an urgent buyer says that it is calm)",
            **LIMITS,
        },
        words={"counter_price": ("any", "lowest", "next")},
        acceptance=True,
    ),
}  # fmt: skip

Chances = dict[Any, float]  # a value, or the parts of an action -> its probability


def prior_row(c: ProcurementConfig, prior: PriorNumbers, seat: Seat, observation: int) -> PriorRow:
    """What a prior says about an observation of a seat that has a choice there."""
    seen = seat.role.decode_observation(observation)
    if seat.role.name == "supplier":
        if "counter" in seen:
            return _answer(c, prior, seat, seen)
        return _offer(c, prior, seat, seen)
    if "own_word" in seen:
        return _settlement(c, prior, seat, seen)
    if "price_0" in seen:
        return _response(c, prior, seat, seen)
    return _brief(prior, seat, seen)


# --- the supplier ---------------------------------------------------------------------------------


def _offer(
    c: ProcurementConfig, prior: PriorNumbers, seat: Seat, seen: Mapping[str, Any]
) -> PriorRow:
    """Claim by the truth, price by the claim; promise, clause and finality on their own."""
    false, stock = prior.figures["false_claim"], seen.get("stock", "plenty")
    claims: Chances = {"scarce": 1.0}
    if stock == "plenty":
        claims = {"scarce": false, "plenty": 1.0 - false} if c.has_stock else {"plenty": 1.0}
    parts: list[tuple[str, Chances]] = []
    without = []
    if len(c.days) > 1:
        parts.append(("promise", _promises(c, false, seen["lead"])))
    if c.clause:
        without.append("clause")
        parts.append(("clause", _uniform(CLAUSES)))
    if c.final:
        parts.append(("final", _finality(prior)))
        without += [] if "says_final" in prior.figures else ["final"]
    found: dict[int, float] = defaultdict(float)
    for claim, chance in claims.items():
        said = {"claim": claim} if c.has_stock else {}
        for price, share in _prices(c, prior, seat, claim).items():
            offers = [(dict(said, price=price), chance * share)]
            for name, values in parts:
                offers = [
                    ({**offer, name: value}, weight * p)
                    for offer, weight in offers
                    for value, p in values.items()
                ]
            for offer, weight in offers:
                found[seat.role.encode_action(**offer)] += weight
    from_data = c.has_stock or len(c.days) > 1
    return PriorRow(_positive(found), from_data, tuple(without))


def _prices(c: ProcurementConfig, prior: PriorNumbers, seat: Seat, claim: str) -> Chances:
    """The prices that are asked beside a claim, by assumption."""
    word = prior.words[f"price_if_{claim}"]
    if word == "any":
        return _uniform(c.prices)
    return {c.prices[-1] if word == "highest" else lowest_above(c, c.costs[seat.index]): 1.0}


def _promises(c: ProcurementConfig, false: float, lead: int) -> Chances:
    """The promised days: the truth, or falsely fewer."""
    shorter = [day for day in c.days if day < lead]
    if not shorter:
        return {lead: 1.0}
    return {lead: 1.0 - false, **{day: false / len(shorter) for day in shorter}}


def _answer(
    c: ProcurementConfig, prior: PriorNumbers, seat: Seat, seen: Mapping[str, Any]
) -> PriorRow:
    """Takes a counter that covers its cost; one below its own final price with `false_final`."""
    if prior.words["answer"] == "any":
        return PriorRow({})
    cost = c.costs[seat.index]
    if c.clause and seen["own_clause"] == CLAUSES[0]:
        cost += c.clause.cost
    accept, from_data = float(seen["counter"] >= cost), False
    bound = seen.get("own_final") == FINALITY[1] and seen["counter"] < seen.get("own_price", 0.0)
    if accept and bound:
        if "false_final" not in prior.figures:
            return PriorRow({})
        accept, from_data = prior.figures["false_final"], True
    row = {seat.role.encode_action(answer="accept"): accept}
    row[seat.role.encode_action(answer="refuse")] = 1.0 - accept
    return PriorRow(_positive(row), from_data)


# --- the buyer ------------------------------------------------------------------------------------


def _brief(prior: PriorNumbers, seat: Seat, seen: Mapping[str, Any]) -> PriorRow:
    """States its urgency; an urgent buyer falsely with `false_claim`."""
    if "false_claim" not in prior.figures:
        return PriorRow({})
    calm, urgent = URGENCIES
    lie = prior.figures["false_claim"] if seen["urgency"] == urgent else 1.0
    row = {seat.role.encode_action(stated_urgency=calm): lie}
    row[seat.role.encode_action(stated_urgency=urgent)] = 1.0 - lie
    return PriorRow(_positive(row), from_data=True)


def _response(
    c: ProcurementConfig, prior: PriorNumbers, seat: Seat, seen: Mapping[str, Any]
) -> PriorRow:
    """Takes, counters or leaves the cheapest offer."""
    value = _value(c, seen)
    asks = [seen[f"price_{i}"] for i in range(c.suppliers)]
    cheapest = [i for i, ask in enumerate(asks) if ask == min(asks)]
    found: dict[int, float] = defaultdict(float)
    for i in cheapest:
        taken = 0.0
        if asks[i] <= value:
            in_vain = seen.get(f"claim_{i}") == STOCKS[1] or seen.get(f"final_{i}") == FINALITY[1]
            share = _share(value, asks[i], c.costs[i])
            taken = 1.0 - prior.figures["suspicion"] if in_vain else prior.accepts(share)
        found[seat.role.encode_action(response=f"accept supplier_{i}")] += taken / len(cheapest)
        for response, chance in _refusals(c, prior, i, asks[i]).items():
            action = seat.role.encode_action(response=response)
            found[action] += (1.0 - taken) * chance / len(cheapest)
    no_word = c.final and c.counters and "says_final" not in prior.figures
    return PriorRow(_positive(found), True, ("final",) if no_word else ())


def _refusals(c: ProcurementConfig, prior: PriorNumbers, i: int, ask: float) -> Chances:
    """Responses of a buyer that does not take supplier i's ask: counters below it, or walking."""
    below = [price for price in c.prices if price < ask]
    if not (below and c.counters):
        return {"walk": 1.0}
    word = prior.words["counter_price"]
    if word == "next":
        below = below[-1:]
    elif word == "lowest":
        below = [price for price in below if price > c.costs[i]][:1] or below[:1]
    counters = {f"counter supplier_{i} at {price:g}": 1.0 / len(below) for price in below}
    if not c.final:
        return counters
    marks = dict(zip(("", ", final"), _finality(prior).values(), strict=True))
    return {text + mark: p * q for text, p in counters.items() for mark, q in marks.items()}


def _settlement(
    c: ProcurementConfig, prior: PriorNumbers, seat: Seat, seen: Mapping[str, Any]
) -> PriorRow:
    """Takes the ask after a refused counter, or leaves it."""
    value, taken = _value(c, seen), 0.0
    if seen["ask"] <= value:
        if seen["own_word"] == "broken":
            if "false_final" not in prior.figures:
                return PriorRow({})
            taken = prior.figures["false_final"]
        else:
            taken = prior.accepts(_share(value, seen["ask"], min(c.costs)))
    row = {seat.role.encode_action(settle="take"): taken}
    row[seat.role.encode_action(settle="leave")] = 1.0 - taken
    return PriorRow(_positive(row), from_data=True)


# --- shared ---------------------------------------------------------------------------------------


def lowest_above(c: ProcurementConfig, cost: float) -> float:
    """The lowest listed price above a cost, else the list price."""
    return next((p for p in c.prices if p > cost), c.prices[-1])


def _value(c: ProcurementConfig, seen: Mapping[str, Any]) -> float:
    """What a delivery is worth to the buyer, money."""
    if not c.urgency:
        return c.value
    return c.urgency.urgent if seen["urgency"] == URGENCIES[1] else c.urgency.calm


def _share(value: float, price: float, cost: float) -> float:
    """The buyer's share of the surplus at a price, 0 .. 1."""
    return min(1.0, max(0.0, (value - price) / (value - cost))) if value > cost else 0.0


def _finality(prior: PriorNumbers) -> Chances:
    """Open and final; equally likely without data."""
    final = prior.figures.get("says_final", 0.5)
    return {FINALITY[0]: 1.0 - final, FINALITY[1]: final}


def _uniform(values: tuple[Any, ...]) -> Chances:
    return {value: 1.0 / len(values) for value in values}


def _positive(row: Mapping[int, float]) -> dict[int, float]:
    return {action: p for action, p in row.items() if p > 0}
