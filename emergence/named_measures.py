"""Mean measures of play under the names of summary.json."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tacit.envs.market import Market, Measure
from tacit.envs.types import Floats, Ints


def named_measures(market: Market, measures: Floats) -> dict[str, float]:
    """Mean measures by name, and the figures that the market derives from them.

    Args:
        market: the market that was played.
        measures: means over rounds, float64 `[S + 1, M]`; row S is the market's own.

    Returns:
        `<measure>/<seat>` for each seat that has it, and `<measure>`: the market's own value if the
        market has the measure, else the mean over seats. `<fundamental>/best` and
        `<fundamental>/worst`: the largest and the smallest value of a role's seats.
    """
    named = measures_by_name(market, measures)
    return named | market.derived(named)


def measures_by_name(market: Market, measures: Floats) -> dict[str, float]:
    """`named_measures` without the figures that the market derives.

    Args:
        market: the market that was played.
        measures: means over rounds, float64 `[S + 1, M]`; row S is the market's own.
    """
    named: dict[str, float] = {}
    for place in _places(market):
        values = measures[place.seats, place.column]
        listed = values.tolist()
        named |= zip(place.names, listed, strict=True)
        if place.is_market:
            named[place.measure] = float(measures[-1, place.column])
        elif listed:
            named[place.measure] = float(np.add.reduce(values) / len(listed))
        if place.is_fundamental:
            named[f"{place.measure}/best"] = max(listed)
            named[f"{place.measure}/worst"] = min(listed)
    return named


class _Place(NamedTuple):
    """Where a measure stands: asked for at every evaluation point of every repetition.

    Attributes:
        measure: its name.
        column: of the measures of a round.
        seats: of the K seats that have it, int64 `[K]`.
        names: `<measure>/<seat>` for each of these seats.
        is_market: whether the market itself has it.
        is_fundamental: whether it is the fundamental of a role with several seats.
    """

    measure: str
    column: int
    seats: Ints
    names: tuple[str, ...]
    is_market: bool
    is_fundamental: bool


_PLACES: WeakKeyDictionary[Market, tuple[_Place, ...]] = WeakKeyDictionary()


def _places(market: Market) -> tuple[_Place, ...]:
    """The places of all measures of a market, in order; found once for each market."""
    if market not in _PLACES:
        _PLACES[market] = tuple(_place(market, measure) for measure in market.measures)
    return _PLACES[market]


def _place(market: Market, measure: Measure) -> _Place:
    seats = [s for s in market.seats if s.role.name in measure.roles]
    return _Place(
        measure.name,
        market.columns[measure.name],
        np.array([s.index for s in seats], np.int64),
        tuple(f"{measure.name}/{s.name}" for s in seats),
        "market" in measure.roles,
        any(role.fundamental == measure.name and role.seats > 1 for role in market.roles),
    )
