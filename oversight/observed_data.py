"""Whose data a seat sees: every part of its observations, as far as the market's contract tells.

A market may declare it: `Part.of` and `Part.age`. Else the contract says some of it: what a claim
is about is private to the seat that makes it; a part that is another seat's action in an earlier
phase is that action; `Analysis.last_actions` says which digits are last round's actions;
`Analysis.part_probabilities` says what nature draws anew; and words may name a seat ("bidder_1's
last bid"). Where it says nothing, neither does this: "the market does not declare it".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from tacit.envs.market import WAIT, Block, Market, Part, Role, Seat

UNDECLARED = "the market does not declare it"
OWN, RIVAL, OTHER_ROLE, NATURE = "own", "rival's", "another role's", "nature's"


class Source(NamedTuple):
    """Where a part of an observation comes from.

    Attributes:
        whose: OWN, RIVAL, OTHER_ROLE, nature's, or UNDECLARED.
        seen_by: private, seen by others, or UNDECLARED.
        age: how many rounds old it is, in words.
        because: what in the contract says so.
    """

    whose: str
    seen_by: str
    age: str
    because: str


THIS_ROUND = "0 rounds: an earlier phase of the same round"
AGES = {"last round": "1 round, by its words", "two rounds ago": "2 rounds, by its words"}
PAST_WORDS = {"last", "ago"}
NOT_DECLARED = Source(UNDECLARED, UNDECLARED, UNDECLARED, UNDECLARED)


def observed_data(market: Market) -> dict[str, Any]:
    """By seat: every part that it sees, and whether it uses rivals' data.

    A *rival* is another seat of the same role.
    """
    found: dict[str, Any] = {}
    for seat in market.seats:
        parts = {part.name: source_of(market, seat, part) for part in seat.role.observation_parts
                 if part.name != "phase"}  # fmt: skip
        found[seat.name] = {
            "parts": {name: source._asdict() for name, source in parts.items()},
            "uses_rivals_data": rivals_data(parts),
        }
    return found


def rivals_data(parts: dict[str, Source]) -> str:
    """Whether a seat uses rivals' data, and because of what."""
    shown = [name for name, source in parts.items() if source.whose == RIVAL]
    unknown = [name for name, source in parts.items() if source.whose == UNDECLARED]
    if shown:
        return f"yes, because it sees {', '.join(shown)}"
    if unknown:
        told = ", ".join(unknown)
        return f"cannot be told, because the market does not declare whose these are: {told}"
    return "no, because the market declares of every part that it sees that it is no rival's"


def remembered_parts(market: Market, seat: Seat) -> list[str]:
    """Names of the parts that a seat sees of earlier rounds.

    These are parts that are a round old or older, and such of which the market does not declare the
    age but says in words that they are of before: "last", "ago".
    """
    found = []
    for part in seat.role.observation_parts[1:]:
        age = source_of(market, seat, part).age
        words = set(re.findall(r"\w+", part.meaning.lower()))
        if age_in_rounds(age) > 0 or (age == UNDECLARED and words & PAST_WORDS):
            found.append(part.name)
    return found


def rival_parts(market: Market, seat: Seat) -> dict[str, int]:
    """Names of the parts that a seat sees of its rivals, with how many rounds old they are."""
    sources = {p.name: source_of(market, seat, p) for p in seat.role.observation_parts[1:]}
    return {
        name: age_in_rounds(source.age) for name, source in sources.items() if source.whose == RIVAL
    }


def age_in_rounds(age: str) -> int:
    """How many rounds old a part is by the words of its `Source`; 0 where they say nothing."""
    match = re.match(r"(\d+) rounds?\b", age)
    return int(match[1]) if match else 0


def source_of(market: Market, seat: Seat, part: Part) -> Source:
    """Where one part of a seat's observation comes from, by the first rule that knows it."""
    if len(part.values) == 1:
        told = f"it has one value, {part.values[0]}"
        return Source("a constant", "it tells nothing", "it never changes", told)
    if any(c.about == part.name and c.role == seat.role.name for c in market.claims):
        because = "a claim of this role is about it, and claims are about private parts"
        return Source(OWN, "private", "of this round", because)
    if part.of is not None:
        return _declared(market, seat, part, part.of)
    return (
        _last_action(market, seat, part)
        or _named_seat(market, seat, part)
        or _earlier_act(market, seat, part)
        or _drawn(market, seat, part)
        or NOT_DECLARED
    )


def _declared(market: Market, seat: Seat, part: Part, of: str) -> Source:
    """What `Part.of` and `Part.age` say."""
    if of in [other.name for other in market.seats]:
        whose = _relation(market, seat, of)
    elif of == seat.role.name:
        whose = RIVAL if seat.role.seats > 1 else OWN
    else:
        whose = NATURE if of == "nature" else OTHER_ROLE
    age = UNDECLARED if part.age is None else f"{part.age} round{'s' * (part.age != 1)}"
    return Source(whose, _audience(market, part), age, "the market declares it")


# --- rules ---------------------------------------------------------------------------------------


def _last_action(market: Market, seat: Seat, part: Part) -> Source | None:
    """A digit on which `Analysis.last_actions` of one seat depends, and of no other."""
    if market.analysis_class is None:
        return None
    changed: set[str] = set()
    for first, second in _pairs(seat.role, part):
        one = market.analysis.last_actions(seat, first)
        two = market.analysis.last_actions(seat, second)
        if one is None or two is None:
            return None
        changed |= {name for name in one if one[name] != two.get(name)}
    if len(changed) != 1:
        return None
    whose = _relation(market, seat, changed.pop())
    return Source(whose, _audience(market, part), "1 round", "Analysis.last_actions")


def _pairs(role: Role, part: Part) -> Iterator[tuple[int, int]]:
    """Observations that differ in this part alone: its first digit, and each other one."""
    for k, block in enumerate(role.blocks):
        names = [p.name for p in block.sees]
        if part.name in names:
            step = prod(len(p.values) for p in block.sees[names.index(part.name) + 1 :])
            start = role.block_start(k)
            yield from ((start, start + step * digit) for digit in range(1, len(part.values)))


def _named_seat(market: Market, seat: Seat, part: Part) -> Source | None:
    """A part whose meaning begins with, or names, one seat: "bidder_1's last bid"."""
    words = set(re.findall(r"\w+", part.meaning))
    named = [other.name for other in market.seats if other.name in words]
    if len(named) != 1:
        return None
    age = THIS_ROUND if _act_of(market, seat, part) else AGES.get(_words(part), UNDECLARED)
    because = f"its meaning names {named[0]}: {part.meaning!r}"
    return Source(_relation(market, seat, named[0]), _audience(market, part), age, because)


def _earlier_act(market: Market, seat: Seat, part: Part) -> Source | None:
    """A part that is an action part of an earlier phase of the round."""
    acting = _act_of(market, seat, part)
    if acting is None:
        return None
    whose = OTHER_ROLE if acting != seat.role.name else UNDECLARED
    because = f"a {acting} does it in an earlier phase"
    return Source(whose, _audience(market, part), THIS_ROUND, because)


def _act_of(market: Market, seat: Seat, part: Part) -> str | None:
    """The role that does an action part of this name and these values before the part is seen.

    A part about one of several seats has the seat's number behind the name: `price_1`.
    """
    names = {part.name, re.sub(r"_\d+$", "", part.name)}
    sees = [b.phase for b in seat.role.blocks if part in b.sees]
    for role in market.roles:
        for block in role.blocks:
            if block.does != WAIT and sees and block.phase < min(sees) and _has(block, names, part):
                return role.name
    return None


def _has(block: Block, names: set[str], part: Part) -> bool:
    return any(p.name in names and p.values == part.values for p in block.does)


def _words(part: Part) -> str:
    """What the meaning of a part says behind its comma: "provider_1's price, last round"."""
    return part.meaning.rpartition(", ")[2]


def _drawn(market: Market, seat: Seat, part: Part) -> Source | None:
    """A part that nature draws anew each round."""
    if market.analysis_class is None:
        return None
    if market.analysis.part_probabilities(seat, part.name) is None:
        return None
    return Source(NATURE, UNDECLARED, "of this round", "Analysis.part_probabilities")


# --- words ---------------------------------------------------------------------------------------


def _relation(market: Market, seat: Seat, other: str) -> str:
    """What another seat's data are to a seat."""
    if other == seat.name:
        return OWN
    role = market.seat(other).role.name
    return RIVAL if role == seat.role.name else f"{OTHER_ROLE} ({other})"


def _audience(market: Market, part: Part) -> str:
    """Which roles see a part about one seat."""
    roles = [role.name for role in market.roles if part in role.observation_parts]
    return f"seen by every {' and every '.join(roles)}"
