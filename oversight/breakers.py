"""Breakers: the rule that says when a figure of training has left the band in which all is well.

    streak = CLEAN
    for rounds, value in series:                       # readings at evaluation points
        streak = watched(streak, rounds, value, band)
        if streak.points >= points: ...                # the breaker trips

A rule is pure: it sees a series of readings, no files and no training. What follows from a trip is
done by `tacit.training.runs.breakers`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np

from tacit.emergence.named_measures import named_measures
from tacit.emergence.registry import PROBES
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.types import Floats

NAN = float("nan")


@dataclass(frozen=True)
class Band:
    """Where all is well. Both ends belong to it.

    Attributes:
        low: the lower end; None: there is none.
        high: the upper end; None: there is none.
    """

    low: float | None = None
    high: float | None = None

    def is_outside(self, value: float) -> bool:
        """Whether a reading is outside. NaN is a reading that is withheld, which is not outside."""
        return self.distance(value) < 0

    def distance(self, value: float) -> float:
        """From a reading to the nearest end: above 0 inside, 0 on it, below 0 outside; NaN of
        NaN."""
        if math.isnan(value):
            return NAN
        below = math.inf if self.low is None else value - self.low
        above = math.inf if self.high is None else self.high - value
        return min(below, above)

    def __str__(self) -> str:
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low}..{high}"


class Streak(NamedTuple):
    """Readings outside that follow on one another.

    Attributes:
        points: how many evaluation points.
        since: rounds played at the first of them; 0 where there is none.
    """

    points: int = 0
    since: int = 0


CLEAN = Streak()


def watched(streak: Streak, rounds: int, value: float, band: Band) -> Streak:
    """The streak after one more reading: longer if it is outside, else none.

    Args:
        streak: before it.
        rounds: played at its evaluation point.
        value: what was read.
        band: where all is well.
    """
    if not band.is_outside(value):
        return CLEAN
    return Streak(streak.points + 1, streak.since if streak.points else rounds)


# --- what may be watched -------------------------------------------------------------------------


def readings(market: Market, measures: Floats, figures: Mapping[str, float]) -> dict[str, float]:
    """What is read at an evaluation point, by the names that a breaker may watch.

    Args:
        market: that is played.
        measures: means since the last point, float64 `[S + 1, M]`; row S is the market's own.
        figures: of quick probes.

    Returns:
        `clearing_price`, `profit/bidder_0` (a seat), `profit/bidder` (mean over a role), what the
        market derives from them, and the figures.
    """
    by_role: dict[str, float] = {}
    for measure in market.measures:
        for role in market.roles:
            if role.name in measure.roles:
                rows = [seat.index for seat in market.seats if seat.role.name == role.name]
                mean = float(np.mean(measures[rows, market.columns[measure.name]]))
                by_role[f"{measure.name}/{role.name}"] = mean
    return {**by_role, **named_measures(market, measures), **figures}


def names_of_readings(market: Market, kpi: kpis.KpiTable) -> list[str]:
    """Every name that a breaker may watch in a market under a KPI."""
    shape = (len(market.seats) + 1, len(market.measures))
    names: dict[str, None] = {}
    for filled in (np.zeros(shape), np.ones(shape)):  # some figures are only derived of one of them
        names |= dict.fromkeys(readings(market, filled, {}))
    return [*names, *dict.fromkeys(_figure_names(market, kpi))]


def _figure_names(market: Market, kpi: kpis.KpiTable) -> Iterator[str]:
    """Figures of the probes that are taken on the way."""
    seats = [seat.name for seat in market.seats]
    ends = [*seats, *("/".join(pair) for pair in permutations(seats, 2))]
    for probe in PROBES.values():
        if probe.along_training and probe.applies(market, kpi):
            for name in probe.figures:
                yield from (f"{name}{end}" for end in ends) if name.endswith("/") else (name,)


def plain_name(watch: str) -> str:
    """The name of a reading, of which TensorBoard's tag may have been given: `measure/market/fill`
    is `fill`, `measure/bidder_0/profit` is `profit/bidder_0`, `probe/x` is `x`."""
    kind, _, rest = watch.partition("/")
    if kind == "probe" and rest:
        return rest
    owner, _, name = rest.partition("/")
    if kind == "measure" and owner and name:
        return name if owner == "market" else f"{name}/{owner}"
    return watch
