"""What stable play under a KPI loses against stable play under the fundamentals alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tacit.emergence.objective.harm import harm_measures
from tacit.emergence.payoffs import rewards_only_fundamental
from tacit.envs.market import Market
from tacit.envs.types import Floats
from tacit.oversight.lint.stable.choice import measured
from tacit.oversight.lint.stable.pricing import Pricing

from .report import HIGH, MEDIUM, Harm, StableRange

ROUNDING = 1e-9
HIGH_SHARE = 0.1  # of what the fundamentals give: a loss of so much is high


def harms(pricing: Pricing, ideal: Floats, own: Floats) -> list[Harm]:
    """What stable play under the KPIs loses at its worst, the largest share first.

    Losses up to what a gain must be to count (`tacit.emergence.payoffs.gain_unit`) are none. What a
    role loses is a transfer if its own KPI is its fundamental and no measure of the market loses.

    Args:
        pricing: the market and its terms.
        ideal: outcomes under the fundamentals, float64 `[K, S + 1, M]`.
        own: outcomes under the KPIs, float64 `[R, S + 1, M]`.
    """
    market = pricing.market
    found = []
    for name in harm_measures(market):
        before, after = measured(market, ideal, name), measured(market, own, name)
        amount = float(before.min() - after.min())
        # A measure of the market itself is judged by the unit of its first role.
        roles = market.measures[market.columns[name]].roles
        level = pricing.negligible.get(roles[0], pricing.negligible[market.roles[0].name])
        if amount > level + ROUNDING:
            share = amount / float(before.min()) if before.min() > level else None
            measure = market.measures[market.columns[name]]
            found.append(
                Harm(name, measure.unit, _ends(before), _ends(after), False, amount, share)
            )
    shared = any("market" in market.measures[market.columns[h.measure]].roles for h in found)
    misled = {
        seat.role.fundamental
        for seat in market.seats
        if not rewards_only_fundamental(seat, pricing.kpi)
    }
    found = [replace(h, transfer=not shared and h.measure not in misled) for h in found]
    return sorted(found, key=lambda harm: -(harm.share or 0.0))


def worse_measures(market: Market, ideal: Floats, own: Floats) -> list[str]:
    """Measures of which less is better and of which there is more, the largest rise first.

    Args:
        market: the market.
        ideal: outcomes under the fundamentals, float64 `[K, S + 1, M]`.
        own: outcomes under the KPIs, float64 `[R, S + 1, M]`.
    """
    rises = {
        m.name: float(measured(market, own, m.name).max() - measured(market, ideal, m.name).max())
        for m in market.measures
        if m.sign < 0 and m.roles
    }
    return sorted((name for name, rise in rises.items() if rise > 0), key=lambda n: -rises[n])


def severity_of(found: Sequence[Harm]) -> str:
    """High from a tenth of what the fundamentals give on, also where that is 0; else medium.

    A mere transfer between roles is medium.
    """
    grave = [h for h in found if not h.transfer and (h.share is None or h.share >= HIGH_SHARE)]
    return HIGH if grave else MEDIUM


def stable_range(market: Market, method: str, ideal: Floats, own: Floats) -> StableRange:
    """The headline under the KPIs and under the fundamentals.

    Args:
        market: the market.
        method: how stable play was found, in words.
        ideal: outcomes under the fundamentals, float64 `[K, S + 1, M]`.
        own: outcomes under the KPIs, float64 `[R, S + 1, M]`.
    """
    measure = market.measures[market.columns[market.headline]]
    before, after = (measured(market, x, market.headline) for x in (ideal, own))
    return StableRange(
        method, measure.name, measure.unit, _ends(after), _ends(before), len(own), len(ideal)
    )


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.round([values.min(), values.max()], 9) + 0.0
    return float(low), float(high)
