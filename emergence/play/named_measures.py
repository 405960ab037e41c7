"""Mean measures of play under the names of summary.json."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import Market


def named_measures(market: Market, measures: NDArray[np.float64]) -> dict[str, float]:
    """Mean measures `[S + 1, M]` by name, and what the market derives from them.

    `profit/bidder_0` per seat, `profit` their mean; a measure of the market itself goes by its
    bare name; `<fundamental>/best` and `/worst` are the seats that earn most and least.
    """
    named: dict[str, float] = {}
    for measure in market.measures:
        column = market.columns[measure.name]
        seats = [s for s in market.seats if s.role.name in measure.roles]
        values = [float(measures[s.index, column]) for s in seats]
        named |= {f"{measure.name}/{s.name}": v for s, v in zip(seats, values, strict=True)}
        if "market" in measure.roles:
            named[measure.name] = float(measures[-1, column])
        elif seats:
            named[measure.name] = float(np.mean(values))
        for role in market.roles:
            if role.fundamental == measure.name and role.seats > 1:
                named[f"{measure.name}/best"] = max(values)
                named[f"{measure.name}/worst"] = min(values)
    return named | market.derived(named)
