"""A harm split into what the KPI asks for and what learning adds: sums by hand."""

from __future__ import annotations

import pytest

from tacit.emergence.objective.split import harm_splits
from tacit.emergence.stats import Estimate

# Of each measure: harm, by the KPI, by learning, and the mirror with its lowest and highest start.
FIGURES = {
    "revenue": {"harm": 0.5, "harm_kpi": 0.3, "harm_learning": 0.2, "mirror": 0.4,
                "mirror_low": 0.35, "mirror_high": 0.55},
    "profit": {"harm": 0.9, "harm_kpi": 0.8, "harm_learning": 0.1, "mirror": 0.1,
               "mirror_low": 0.1, "mirror_high": 0.1},
}  # fmt: skip


def estimate(without=(), empty=()):
    def found(name):
        part, _, measure = name.partition("/")
        if part in without or measure not in FIGURES:
            return None
        mean = FIGURES[measure][part]
        return Estimate(mean, mean - 0.01, mean + 0.01, 0 if part in empty else 7)

    return found


def test_the_largest_harm_comes_first_and_starts_are_the_mirror_s_turned_round():
    """What is lost is the least where best responders settle on the most."""
    profit, revenue = harm_splits(["revenue", "profit"], estimate())
    assert (profit.measure, revenue.measure) == ("profit", "revenue")
    assert (revenue.whole.mean, revenue.whole.low, revenue.whole.n) == (0.5, 0.49, 7)
    assert revenue.by_kpi.mean == 0.3
    assert revenue.by_kpi.low == pytest.approx(0.3 - (0.55 - 0.4))
    assert revenue.by_kpi.high == pytest.approx(0.3 - (0.35 - 0.4))
    assert revenue.by_learning.mean == 0.2
    assert (revenue.mirror.mean, revenue.mirror.low, revenue.mirror.high) == (0.4, 0.35, 0.55)


@pytest.mark.parametrize("part", FIGURES["revenue"])
def test_without_one_of_its_parts_there_is_no_split(part):
    assert harm_splits(["revenue"], estimate(without=(part,))) == []
    assert harm_splits(["revenue"], estimate(empty=(part,))) == []  # no seed has it
    assert harm_splits(["unknown"], estimate()) == []
