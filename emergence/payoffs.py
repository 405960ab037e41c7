"""Which payoff a probe counts, and in which unit.

Probes count *fundamentals* (profit, surplus), which no KPI can change. Their unit is the distance
between two benchmarks of a seat, profit_M - profit_N: joint optimum less static Nash equilibrium.
Where a market has no such benchmarks the unit is the value scale of a role: what a deal is worth at
most (`Analysis.value_scale`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Role, Seat

COMPETITIVE_AND_COLLUSIVE = ("competitive", "collusive")  # benchmarks, the lower one first
NEGLIGIBLE_GAIN = 0.02  # of a role's value scale: a gain, loss or regret up to this is none
# Of profit_M - profit_N: a gain up to this tempts nobody and is no regret.
NEGLIGIBLE_SHARE = 0.05
SMALLEST_RANGE = 1e-9  # a distance of benchmarks up to this is rounding


def benchmark_range(market: Market) -> tuple[float, float]:
    """A seat's mean fundamental in the competitive and in the collusive benchmark.

    Gains and losses are divided by the distance of the two, profit_M - profit_N.

    Returns:
        The two values in the unit of the fundamental, NaN where the market has no such benchmark.
    """
    benchmarks = market.benchmarks()
    fundamental = market.roles[0].fundamental
    values = [
        benchmarks[name].values.get(fundamental) if name in benchmarks else None
        for name in COMPETITIVE_AND_COLLUSIVE
    ]
    low, high = (float("nan") if value is None else float(value) for value in values)
    return low, high


@dataclass(frozen=True)
class GainUnit:
    """What a gain in the fundamental is divided by, and up to which share it counts as none.

    Attributes:
        size: the unit, in money; NaN where the market has none.
        negligible: the share of the unit up to which a gain is none.
        name: the unit in words.
    """

    size: float
    negligible: float
    name: str


def gain_unit(market: Market, role: Role) -> GainUnit:
    """The unit of gains of a role's seats.

    One for all probes, so that a deviation that tempts nobody is no regret either: profit_M -
    profit_N where the market has both benchmarks, for every role, since fundamentals are money;
    else the role's value scale.
    """
    low, high = benchmark_range(market)
    if high - low > SMALLEST_RANGE:  # also False for NaN
        return GainUnit(high - low, NEGLIGIBLE_SHARE, "profit_M - profit_N")
    scale = float(market.analysis.value_scale(role))
    size = scale if isfinite(scale) and scale > 0 else float("nan")
    return GainUnit(size, NEGLIGIBLE_GAIN, "the value scale")


def fundamental_kpi(market: Market) -> kpis.KpiTable:
    """The resolved KPI table under which every seat is rewarded with its fundamental."""
    return kpis.resolve(market, {role.name: {role.fundamental: 1.0} for role in market.roles})


def rewards_only_fundamentals(market: Market, kpi: kpis.KpiTable) -> bool:
    """Whether every seat's KPI is its fundamental, in whatever unit, and nothing else."""
    return all(rewards_only_fundamental(seat, kpi) for seat in market.seats)


def rewards_only_fundamental(seat: Seat, kpi: kpis.KpiTable) -> bool:
    """Whether one seat's KPI is its fundamental, in whatever unit, and nothing else."""
    terms = [term for term in kpi[seat.name].values() if term.weight]
    plain = [
        term
        for term in terms
        if (term.transform, term.scope) == ("value", "own") and term.weight > 0
    ]
    return [term.measure for term in plain] == [seat.role.fundamental] and len(plain) == len(terms)
