"""A seat's policy in another seat of its role: what it does there if it plays the same way.

Seats of a role see the same parts, and some parts are numbered by seat: `last_price_0` is the last
price of `provider_0`, whoever looks. The policy of provider_0 that cuts below `last_price_1` must
therefore cut below `last_price_0` in the seat of provider_1: the two parts change places. A part is
numbered by the seats of the own role if its name is a stem that ends in the name of a part of the
role's actions (`last_price`, and `price`) and the seat's number. Numbers of other roles stay.
"""

from __future__ import annotations

import re

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Part, Role
from tacit.envs.types import Ints

NUMBERED = re.compile(r"(.*)_(\d+)")


def moved_table(market: Market, table: PolicyTable, start: str, end: str) -> PolicyTable:
    """The table float64 `[O, A]` with which seat `end` plays as `table` plays in seat `start`.

    Raises:
        ConfigError: the seats are not of one role, or parts that would change places have different
            numbers of values.
        KeyError: no such seat.
    """
    one, other = market.seat(start), market.seat(end)
    if one.role is not other.role:
        raise ConfigError(f"{start}, {end}: are not of one role, so no policy fits both.")
    first = min(seat.index for seat in market.seats if seat.role is one.role)
    swap = {one.index - first: other.index - first, other.index - first: one.index - first}
    moved: PolicyTable = table[exchanged_rows(one.role, swap)]
    return moved


def exchanged_rows(role: Role, swap: dict[int, int]) -> Ints:
    """The row to look up in place of each row, int64 `[O]`: seats' numbers changed by `swap`.

    Raises:
        ConfigError: parts that would change places have different numbers of values.
    """
    own = tuple(part.name for parts in role.choices for part in parts)
    rows = np.arange(role.observations)
    for k, block in enumerate(role.blocks):
        sizes = [len(part.values) for part in block.sees]
        names = [part.name for part in block.sees]
        order = [names.index(_exchanged(part, own, swap, names)) for part in block.sees]
        if [sizes[i] for i in order] != sizes:
            raise ConfigError(f"{role.name}: parts {', '.join(names)} cannot change places.")
        start = role.block_start(k)
        grid = np.arange(block.size).reshape(sizes or [1])
        rows[start : start + block.size] = start + grid.transpose(order or [0]).ravel()
    return rows


def _exchanged(part: Part, own: tuple[str, ...], swap: dict[int, int], names: list[str]) -> str:
    """The name of the part that stands in a part's place; its own if it has no number of a seat."""
    match = NUMBERED.fullmatch(part.name)
    if match is None or not match[1].endswith(own):
        return part.name
    other = f"{match[1]}_{swap.get(int(match[2]), int(match[2]))}"
    return other if other in names else part.name
