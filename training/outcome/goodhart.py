"""Goodhart gap of a run: what an arm loses against the same arm paid the fundamentals.

The *reference* is the arm of the run that differs in the KPI alone, and whose KPI is every seat's
fundamental. `goodhart_gap` is the share lost of the mean fundamental of those seats whose KPI is
another; `goodhart_gap/<welfare>` that of the measure that the market declares as its welfare.
Paired over shared seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from tacit.emergence import stats
from tacit.emergence.objective.goodhart import goodhart_gap
from tacit.emergence.payoffs import rewards_only_fundamental, rewards_only_fundamentals
from tacit.training.config.arms import Arm


def add_goodhart_gaps(arms: Mapping[str, Arm], summaries: Mapping[str, dict[str, Any]]) -> None:
    """Add the gaps to the measures of every arm that has a reference.

    Args:
        arms: of one run.
        summaries: of the same arms; changed in place.
    """
    for name, arm in arms.items():
        reference = next((n for n, other in arms.items() if _is_reference(arm, other)), None)
        if reference is None:
            continue
        measures, paid_fully = summaries[name]["measures"], summaries[reference]["measures"]
        for label, names in _compared(arm).items():
            if names and all(n in measures and n in paid_fully for n in names):
                gaps = goodhart_gap(_mean(paid_fully, names), _mean(measures, names))
                defined = [x for x in gaps if isfinite(x)]
                if defined:
                    per_seed = [x if isfinite(x) else None for x in gaps]
                    measures[label] = {**stats.student(defined).plain(), "per_seed": per_seed}


def _compared(arm: Arm) -> dict[str, list[str]]:
    """The name of each gap, and the measures whose mean it compares."""
    own = [
        f"{seat.role.fundamental}/{seat.name}"
        for seat in arm.market.seats
        if not rewards_only_fundamental(seat, arm.kpi)
    ]
    compared = {"goodhart_gap": own}
    if arm.market.welfare is not None:
        compared[f"goodhart_gap/{arm.market.welfare}"] = [arm.market.welfare]
    return compared


def _is_reference(arm: Arm, other: Arm) -> bool:
    """Whether the other arm is this one with the fundamentals as KPI, and this one has others."""
    if rewards_only_fundamentals(arm.market, arm.kpi):
        return False
    if not rewards_only_fundamentals(other.market, other.kpi):
        return False
    same = {"kpi": other.plain["kpi"], "seeds": other.seeds}
    return other.same({**arm.plain, **same})


def _mean(measures: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    """The mean of several measures in each seed; NaN where one is not defined."""
    rows = [[np.nan if x is None else x for x in measures[n]["per_seed"]] for n in names]
    return [float(x) for x in np.mean(rows, axis=0)]
