"""Speakers and listeners of the cases on claims, as policy tables, and the noise upon them.

A *rule* maps what a seat observes (part -> value) to its actions and their probabilities; it is
asked wherever the seat has a choice. `written` makes a table of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.claims.channels import channels
from tacit.envs import rng
from tacit.envs.market import Market, Seat

Seen = Mapping[str, Any]
Mixed = list[tuple[dict[str, Any], float]]  # the parts of an action, and its probability
Rule = Callable[[Seen], Mixed]
Says = Callable[[Any], dict[Any, float]]  # the truth -> each word, and how often it is said


def written(market: Market, seat: Seat, rule: Rule) -> PolicyTable:
    """The table float64 `[O, A]` of a rule."""
    role = seat.role
    table = np.zeros((role.observations, role.actions))
    for o, (first, count) in enumerate(role.legal):
        if count == 1:
            table[o, first] = 1.0
            continue
        for parts, probability in rule(role.decode_observation(o)):
            table[o, role.encode_action(**parts)] += probability
    return table


def scripted(market: Market, seat: Seat, rule: str) -> PolicyTable:
    """The table of one of the market's own rules."""
    return Scripted(ScriptedConfig.model_validate({"rule": rule}), market, seat).table()


# --- what is said ---------------------------------------------------------------------------------


def truthful(truth: Any) -> dict[Any, float]:
    """The truth."""
    return {truth: 1.0}


def saying(word: Any, how_often: float = 1.0, among: Sequence[Any] | None = None) -> Says:
    """One word so often, at all truths or `among` some; else the truth."""

    def says(truth: Any) -> dict[Any, float]:
        if truth == word or (among is not None and truth not in among):
            return {truth: 1.0}
        return {word: how_often, truth: 1.0 - how_often}

    return says


def babbling(words: Sequence[Any]) -> Says:
    """Every word, equally often."""
    return lambda truth: dict.fromkeys(words, 1.0 / len(words))


def renaming(names: Mapping[Any, Any]) -> Says:
    """Another name for every truth."""
    return lambda truth: {names[truth]: 1.0}


# --- speakers -------------------------------------------------------------------------------------


def supplier(price: float, part: str, about: str, says: Says) -> Rule:
    """A supplier of one price that takes every counter."""

    def rule(seen: Seen) -> Mixed:
        if "counter" in seen:
            return [({"answer": "accept"}, 1.0)]
        return [({"price": price, part: word}, p) for word, p in says(seen[about]).items()]

    return rule


def buyer_with_a_brief(says: Says) -> Rule:
    """A buyer that states its urgency and takes what is not above its value."""

    def rule(seen: Seen) -> Mixed:
        if "price_0" not in seen:
            return [({"stated_urgency": word}, p) for word, p in says(seen["urgency"]).items()]
        buys = seen["urgency"] == "urgent" or seen["price_0"] == 0.4
        return [({"response": "accept supplier_0" if buys else "walk"}, 1.0)]

    return rule


def sender(says: Says) -> Rule:
    """A sender of cheap talk."""
    return lambda seen: [({"message": word}, p) for word, p in says(seen["state"]).items()]


def provider(says: Says) -> Rule:
    """A provider of the first price on its grid; `ample` stands for calm, `tight` for a surge."""
    words = {"calm": "ample", "surge": "tight"}

    def rule(seen: Seen) -> Mixed:
        said = says(words[seen["load"]]).items()
        return [({"price": 1.5, "claim": word}, p) for word, p in said]

    return rule


# --- listeners ------------------------------------------------------------------------------------


def supplier_that_hears(low: float, high: float) -> Rule:
    """A supplier that asks little of a buyer that calls itself calm."""
    return lambda seen: [({"price": low if seen["stated_urgency"] == "calm" else high}, 1.0)]


def tenant(seen: Seen) -> Mixed:
    """A tenant that asks a provider that calls itself ample, if one does."""
    claims = [seen["claim_0"], seen["claim_1"]]
    best = [i for i, claim in enumerate(claims) if claim == min(claims)]
    each = 1.0 / len(best)
    return [({"provider": f"provider_{i}", "priority": "standard"}, each) for i in best]


def deaf(market: Market, seat: Seat, table: PolicyTable) -> PolicyTable:
    """What a table does where every claim that is heard is the first word."""
    said = {channel.claim.part for channel in channels(market)}
    seen = [seat.role.decode_observation(o) for o in range(len(table))]
    first = {p.name: p.values[0] for p in seat.role.observation_parts}

    def unheard(parts: dict[str, Any]) -> tuple[Any, ...]:
        heard = {n for n in parts if n.rpartition("_")[0] in said or n in said}
        return tuple(first[n] if n in heard else x for n, x in parts.items())

    known = {tuple(parts.values()): o for o, parts in enumerate(seen)}
    result: PolicyTable = table[[known[unheard(parts)] for parts in seen]]
    return result


def sceptical(market: Market, seat: Seat, table: PolicyTable) -> PolicyTable:
    """Every other time what a table does, else what it does where it is deaf."""
    half: PolicyTable = (table + deaf(market, seat, table)) / 2.0
    return half


# --- noise ----------------------------------------------------------------------------------------


def changed(
    market: Market, tables: Sequence[PolicyTable], level: float, seed: int
) -> list[PolicyTable]:
    """Tables of one population: each row is, with this probability, one other action for good.

    Args:
        market: the market.
        tables: one policy table per seat, float64 `[O, A]` each.
        level: the probability.
        seed: of the population; all draws follow from it.
    """
    result = []
    for seat, table in zip(market.seats, tables, strict=True):
        own = np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), 1))
        key = np.uint64(rng.fold(own, seat.index))
        draws = np.array([rng.u(key, o) for o in range(len(table))])
        first, count = seat.role.legal.T
        rows = np.flatnonzero((draws < level) & (count > 1))
        spoilt = table.copy()
        spoilt[rows] = 0.0
        # A draw below the level is uniform on [0, level): it also decides which action.
        place = (draws[rows] / max(level, 1e-9) * count[rows]).astype(int)
        spoilt[rows, first[rows] + place] = 1.0
        result.append(spoilt)
    return result
