"""What was private to a seat when it decided, and which of its claims were false.

A part of an observation is private as far as the market's contract says so: a claim is about it, or
nature draws it anew each round (`tacit.oversight.observed_data`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from tacit.envs.market import Market, Part, Seat
from tacit.oversight.observed_data import source_of

from .screen import block_of, shown_parts


class ClaimMade(NamedTuple):
    """A claim that was part of an action.

    Attributes:
        part: the action part.
        said: its value.
        about: the observation part that it is about.
        so: the value of that.
        is_false: whether it was not so; False where words mean only what players make of them.
    """

    part: str
    said: Any
    about: str
    so: Any
    is_false: bool


def private_parts(market: Market, seat: Seat, observation: int) -> dict[str, Any]:
    """The private parts of an observation, by name."""
    values = seat.role.decode_observation(observation)
    shown = shown_parts(block_of(seat.role, observation))
    return {part.name: values[part.name] for part in shown if is_private(market, seat, part)}


@lru_cache(maxsize=4096)
def is_private(market: Market, seat: Seat, part: Part) -> bool:
    """Whether only this seat sees a part, as far as the market declares it."""
    if len(part.values) == 1:
        return False
    source = source_of(market, seat, part)
    return source.seen_by == "private" or source.whose == "nature's"


def claims_made(market: Market, seat: Seat, observation: int, action: int) -> list[ClaimMade]:
    """The claims in a seat's action. A claim's k-th value means the k-th value of its subject."""
    saw, did = seat.role.decode_observation(observation), seat.role.decode_action(action)
    seen = {part.name: part for part in shown_parts(block_of(seat.role, observation))}
    done = {part.name: part for parts in seat.role.choices for part in parts if part.name in did}
    found = []
    for claim in market.claims:
        if claim.role == seat.role.name and claim.part in did and claim.about in seen:
            said, so = did[claim.part], saw[claim.about]
            same = done[claim.part].index(said) == seen[claim.about].index(so)
            found.append(ClaimMade(claim.part, said, claim.about, so, not same and not claim.free))
    return found
