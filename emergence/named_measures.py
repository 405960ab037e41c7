"""Mean measures of play under the names of summary.json."""

from __future__ import annotations

import numpy as np

from tacit.envs.market import Market
from tacit.envs.types import Floats


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
