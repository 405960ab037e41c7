"""Observations read own-first, so that one table means the same in every seat of a role.

Markets list what seats did in the order of the seats: provider_1 sees provider_0's price before its
own. For a table that several seats hold, an observation is read in another order: first what is
about the seat itself, then what is about its partners, then what is about the others. Which part is
about whom says the market, by `Part.of` or by a meaning that names a seat ("bidder_1's last bid").
No kernel is changed: the order is a permutation of indices.

Where seats of a role stand in groups, such as the regions of a market, the own group comes first,
and every group has the same order of members: the own one, its partners in the own group, the rest.
So a table of one region means the same in another: the rival here is the rival there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Protocol, runtime_checkable

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.types import Ints

from .market import Market
from .roles import Block, Part, Role, Seat


@runtime_checkable
class ComparesSeats(Protocol):
    """A market's `Analysis` that can say why seats of one role are not alike; most say nothing."""

    def unlike(self, seats: Sequence[Seat]) -> str | None:
        """Why the same action means another thing in these seats of one role; None: it does not."""
        ...


@runtime_checkable
class GroupsSeats(Protocol):
    """A market's `Analysis` that can say in which groups seats of one role stand."""

    def seat_groups(self, role: Role) -> Sequence[Sequence[str]]:
        """Names of seats, group by group; those at the same place of all groups belong together."""
        ...


def groups_of(market: Market, role: Role) -> Sequence[Sequence[str]]:
    """The groups in which seats of a role stand; of most markets one, with all of them."""
    own: object = None if market.analysis_class is None else market.analysis
    if isinstance(own, GroupsSeats):
        return own.seat_groups(role)
    return [[f"{role.name}_{k}" for k in range(role.seats)]]


def own_first(seat: str, partners: Sequence[str], groups: Sequence[Sequence[str]]) -> list[str]:
    """All seats of a role as one of them sees them: itself, its partners, the others in order.

    Args:
        seat: who sees.
        partners: the seats that come directly behind it; of several groups, those of its own.
        groups: all seats of the role, group by group.
    """
    own = next(group for group in groups if seat in group)
    order = [seat, *(name for name in partners if name != seat and name in own)]
    order += [name for name in own if name not in order]
    members = [own.index(name) for name in order]
    return [group[k] for group in (own, *(g for g in groups if g is not own)) for k in members]


def as_seen_from(market: Market, seat: Seat, other: Seat, partners: Sequence[str]) -> Ints:
    """Every observation of a seat as another one of its role would see it in its place.

    Args:
        market: in which both play.
        seat: who sees.
        other: who would see, if each seat of `own_first(seat)` sat where the seat at the same place
            of `own_first(other)` sits.
        partners: names of seats of their role that come directly behind the own seat.

    Returns:
        int64 `[O]`, a permutation of 0 .. O-1: at o, the index of what `other` would see.

    Raises:
        ConfigError: parts that would change places have other values.
    """
    role, groups = seat.role, groups_of(market, seat.role)
    here, there = (own_first(name, partners, groups) for name in (seat.name, other.name))
    place = dict(zip(here, there, strict=True))
    own, others = (next(g for g in groups if s.name in g) for s in (seat, other))
    found = [
        role.block_start(k) + _within_block(market, role, block, place, own, others)
        for k, block in enumerate(role.blocks)
    ]
    return np.concatenate(found).astype(np.int64)


def _within_block(
    market: Market,
    role: Role,
    block: Block,
    place: dict[str, str],
    own: Sequence[str],
    others: Sequence[str],
) -> Ints:
    """`as_seen_from` for the observations of one block, int64 `[size of the block]`.

    `own` and `others` are the groups of the two seats.
    """
    index = np.arange(block.size)
    sizes = [len(part.values) for part in block.sees]
    steps = [prod(sizes[k + 1 :]) for k in range(len(sizes))]
    named = {_kind_and_seat(role, part, others): k for k, part in enumerate(block.sees)}
    found = np.zeros_like(index)
    for k, part in enumerate(block.sees):
        kind, seat = _kind_and_seat(role, part, own)
        to = named.get((kind, place[seat]), k) if seat is not None else k
        if block.sees[to].values != part.values:
            raise ConfigError(
                f"{part.name} and {block.sees[to].name} of {market.name} have other values"
            )
        found += index // steps[k] % sizes[k] * steps[to]
    return found


def _kind_and_seat(role: Role, part: Part, own: Sequence[str]) -> tuple[str, str | None]:
    """What a part tells, and the seat of the role that it is about; None: about no single one.

    Words name a seat ("provider_1's price") or a member of the viewer's own group, `own` ("the own
    region's provider 1").
    """
    seat, member = (
        rf"\b{re.escape(role.name)}_(\d+)\b",
        rf"\bown \w+'s {re.escape(role.name)} (\d+)\b",
    )
    for pattern, most in ((seat, role.seats), (member, len(own))):
        match = re.search(pattern, part.of or "") or re.search(pattern, part.meaning)
        if match is not None and int(match[1]) < most:
            stem = re.sub(rf"_{match[1]}$", "", part.name)
            named = match[0] if pattern == seat else own[int(match[1])]
            return f"{stem}: {re.sub(pattern, role.name, part.meaning)}", named
    return part.name, None
