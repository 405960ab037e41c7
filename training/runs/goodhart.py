"""Goodhart gap: what an arm loses against its twin that is paid the fundamentals.

The twin is the arm of the run that differs in the KPI alone, and whose KPI is every seat's
fundamental. `goodhart_gap` is the share lost of the mean fundamental of those seats whose KPI is
another; `goodhart_gap/welfare` that of welfare, where the market has it. Paired over shared seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np

from tacit.emergence import stats
from tacit.emergence.objective.harm import goodhart_gap, is_fundamental, paid_fundamental
from tacit.training.config.arms import Arm

Summary = dict[str, Any]


def write(arms: Mapping[str, Arm], summaries: Mapping[str, Summary]) -> None:
    """Add the gap to the measures of every arm that has a twin."""
    for name, arm in arms.items():
        twin = next((other for other, a in arms.items() if _twins(arm, a)), None)
        if twin is None:
            continue
        measures, before = summaries[name]["measures"], summaries[twin]["measures"]
        own = [
            f"{seat.role.fundamental}/{seat.name}"
            for seat in arm.market.seats
            if not paid_fundamental(seat, arm.kpi)
        ]
        for label, names in (("goodhart_gap", own), ("goodhart_gap/welfare", ["welfare"])):
            if names and all(n in measures and n in before for n in names):
                gap = goodhart_gap(_mean(before, names), _mean(measures, names))
                known = [x for x in gap if isfinite(x)]
                if known:
                    plain = stats.student(known).plain()
                    per_seed = [x if isfinite(x) else None for x in gap]
                    measures[label] = {**plain, "per_seed": per_seed}


def _twins(arm: Arm, other: Arm) -> bool:
    """Whether the other arm is this one under the fundamentals as KPI, and this one is not."""
    if is_fundamental(arm.market, arm.kpi) or not is_fundamental(other.market, other.kpi):
        return False
    same = {"kpi": other.plain["kpi"], "seeds": other.seeds}
    return other.same({**arm.plain, **same})


def _mean(measures: Mapping[str, Any], names: list[str]) -> list[float]:
    """Per seed, over several measures."""
    rows = [[np.nan if x is None else x for x in measures[n]["per_seed"]] for n in names]
    return [float(x) for x in np.mean(rows, axis=0)]
