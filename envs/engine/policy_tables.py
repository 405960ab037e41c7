"""Policy tables, as compiled loops read them: float64 `[O, A]`, zero outside legal actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Role, Seat
from tacit.envs.types import Bools, Floats

PolicyTable = Floats  # float64 [O, A]: a row of action probabilities for each observation

SUM_TOLERANCE = 1e-6  # a user's row of probabilities may miss 1 by so much


def mask(role: Role) -> Bools:
    """Legal actions, bool `[O, A]`."""
    first, count = role.legal[:, 0], role.legal[:, 1]
    columns = np.arange(role.actions)
    legal: Bools = (columns >= first[:, None]) & (columns < (first + count)[:, None])
    return legal


def uniform(role: Role) -> PolicyTable:
    """Every legal action equally likely, float64 `[O, A]`."""
    table = np.zeros((role.observations, role.actions))
    count = role.legal[:, 1]
    table[mask(role)] = np.repeat(1.0 / count, count)
    return table


def cumulative(market: Market, tables: Sequence[PolicyTable]) -> Floats:
    """Tables of all seats as one row of cumulative probabilities, for `Engine.play`.

    Args:
        market: whose seats they are.
        tables: one for each seat, float64 `[O, A]`.

    Returns:
        float64 `[sum of O * A]`, seats end to end. The last legal entry of every row is exactly 1,
        so that rounding lets no draw below 1 fall outside.
    """
    flat = []
    for seat, table in zip(market.seats, tables, strict=True):
        rows = np.cumsum(table, axis=1)
        last = seat.role.legal.sum(axis=1) - 1
        columns = np.arange(seat.role.actions)
        rows[columns[None, :] >= last[:, None]] = 1.0
        flat.append(rows.ravel())
    return np.concatenate(flat)


def by_seat(market: Market, tables: Mapping[str, Any] | None) -> list[PolicyTable]:
    """A checked table for every seat, float64 `[O, A]`; a seat without one gets `uniform`.

    Args:
        market: whose roles and seats the names are.
        tables: arrays or nested lists `[O, A]`, by role or seat.

    Raises:
        ConfigError: unknown names, wrong shapes, rows that are no probabilities, all at once.
    """
    given = dict(tables or {})
    owners = {r.name for r in market.roles} | {s.name for s in market.seats}
    mistakes = [
        f"tables.{name}: unknown role or seat. {nearest(name, owners)}"
        for name in given
        if name not in owners
    ]
    found: list[PolicyTable] = []
    for seat in market.seats:
        name = seat.name if seat.name in given else seat.role.name
        if name not in given:
            found.append(uniform(seat.role))
            continue
        table, mistake = _parse(seat, given[name])
        mistakes += [f"tables.{name}: {mistake}"] if mistake else []
        found.append(table)
    if mistakes:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return found


def _parse(seat: Seat, raw: Any) -> tuple[PolicyTable, str]:
    """The table as float64 `[O, A]`, and what is wrong with it; an empty text if nothing is."""
    shape = (seat.role.observations, seat.role.actions)
    try:
        table = np.asarray(raw, np.float64)
    except (TypeError, ValueError):
        return np.zeros(shape), f"must be a table of numbers of shape {shape}."
    if table.shape != shape:
        return table, f"must be of shape {shape} (observations, actions), got {table.shape}."
    wrong = ~np.isfinite(table).all(axis=1) | (table < 0).any(axis=1)
    wrong |= np.abs(table.sum(axis=1) - 1.0) > SUM_TOLERANCE
    if wrong.any():
        o = int(wrong.argmax())
        return table, f"row {o} must be probabilities that sum to 1, got {table[o].tolist()}."
    outside = (table > 0) & ~mask(seat.role)
    if outside.any():
        o, a = (int(k) for k in np.argwhere(outside)[0])
        return table, f"row {o} gives action {a} a probability, which is illegal there."
    return table, ""
