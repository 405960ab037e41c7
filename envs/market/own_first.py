"""Observations read own-first, so that one table means the same in every seat of a role.

Markets list what seats did in the order of the seats: provider_1 sees provider_0's price before its
own. For a table that several seats hold, an observation is read in another order: first what is
about the seat itself, then what is about its partners, then what is about the others. Which part is
about whom says the market, by `Part.of` or by a meaning that names a seat ("bidder_1's last bid").
No kernel is changed: the order is a permutation of indices.
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


def own_first(role: Role, seat: str, partners: Sequence[str]) -> list[str]:
    """All seats of a role as one of them sees them: itself, its partners, the others in order."""
    others = [f"{role.name}_{k}" for k in range(role.seats)]
    order = [seat, *(name for name in partners if name != seat)]
    return order + [name for name in others if name not in order]


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
    role = seat.role
    place = dict(
        zip(own_first(role, seat.name, partners), own_first(role, other.name, partners),
            strict=True)
    )  # fmt: skip
    found = [
        role.block_start(k) + _within_block(market, role, block, place)
        for k, block in enumerate(role.blocks)
    ]
    return np.concatenate(found).astype(np.int64)


def _within_block(market: Market, role: Role, block: Block, place: dict[str, str]) -> Ints:
    """`as_seen_from` for the observations of one block, int64 `[size of the block]`."""
    index = np.arange(block.size)
    sizes = [len(part.values) for part in block.sees]
    steps = [prod(sizes[k + 1 :]) for k in range(len(sizes))]
    named = {_kind_and_seat(role, part): k for k, part in enumerate(block.sees)}
    found = np.zeros_like(index)
    for k, part in enumerate(block.sees):
        kind, seat = _kind_and_seat(role, part)
        to = named.get((kind, place[seat]), k) if seat is not None else k
        if block.sees[to].values != part.values:
            raise ConfigError(
                f"{part.name} and {block.sees[to].name} of {market.name} have other values"
            )
        found += index // steps[k] % sizes[k] * steps[to]
    return found


def _kind_and_seat(role: Role, part: Part) -> tuple[str, str | None]:
    """What a part tells, and the seat of the role that it is about; None: about no single one."""
    pattern = rf"\b{re.escape(role.name)}_(\d+)\b"
    match = re.search(pattern, part.of or "") or re.search(pattern, part.meaning)
    if match is None or int(match[1]) >= role.seats:
        return part.name, None
    stem = re.sub(rf"_{match[1]}$", "", part.name)
    return f"{stem}: {re.sub(pattern, role.name, part.meaning)}", match[0]
