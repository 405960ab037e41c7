"""Cells as points of a plane, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.training.sweep.axes import Axis
from tacit.training.sweep.cell_table import CellResult
from tacit.training.sweep.phase.closed_form import closed_form
from tacit.training.sweep.phase.points import check_axes, points_of
from tacit.training.sweep.phase.refined import check_real
from tacit.training.sweep.plan import SweepPlan

PLAN = SweepPlan("e", "h", axes=tuple(Axis(f"market.{k}", (1, 2)) for k in "abc"))


def result(k, x, y, values=(0.25, 0.75), theory=None):
    measures = {"m": {"per_seed": list(values)}}
    if theory is not None:
        measures["m_theory"] = {"per_seed": [theory] * 2, "mean": theory}
    return CellResult(k, {"market.a": x, "market.b": y}, "base", {"measures": measures})


def grid(**options):
    return [result(k, [0.5 + k // 3], k % 3, **options) for k in reversed(range(9))]


def test_points_are_ordered_whatever_the_order_of_cells():
    found = points_of(grid(), "market.a", "market.b", "m")
    assert found.x.tolist() == [0.5] * 3 + [1.5] * 3 + [2.5] * 3
    assert found.y.tolist() == [0, 1, 2] * 3
    assert found.mean.tolist() == [0.5] * 9
    # Student's t with 1 degree of freedom: 12.706 x .25
    assert found.high - found.mean == pytest.approx(12.7062 * 0.25, abs=1e-4)
    assert found.n == [2] * 9
    assert found.theory is None


def test_a_closed_form_stands_beside_the_measure():
    found = points_of(grid(theory=0.4), "market.a", "market.b", "m")
    assert found.theory.tolist() == [0.4] * 9
    assert found.theory_name == "m_theory"
    with pytest.raises(ConfigError, match="--theory: unknown measure 'm_theroy'"):
        points_of(grid(theory=0.4), "market.a", "market.b", "m", "m_theroy")


def test_a_cell_without_the_measure_is_a_hole():
    rows = [*grid(), result(9, 7, 7, values=(None, None))]
    assert len(points_of(rows, "market.a", "market.b", "m").x) == 9
    with pytest.raises(ConfigError, match="8 cells have 'm'; a phase diagram needs at least 9"):
        points_of(rows[:8], "market.a", "market.b", "m")


@pytest.mark.parametrize("value", ["a", True, [1, 2], None])
def test_values_that_are_no_numbers(value):
    with pytest.raises(ConfigError, match=r"market\.b: cell 9 has .* no number"):
        points_of([*grid(), result(9, 1, value)], "market.a", "market.b", "m")


def test_one_value_along_an_axis():
    rows = [result(k, 1, k) for k in range(9)]
    with pytest.raises(ConfigError, match="at least two values along each axis"):
        points_of(rows, "market.a", "market.b", "m")


def test_axes_that_are_refused_all_at_once():
    with pytest.raises(ConfigError) as error:
        check_axes(PLAN, "market.x", "market.a", {})
    assert [line.split(":")[0] for line in error.value.mistakes] == [
        "--x market.x", "--where market.b=VALUE", "--where market.c=VALUE",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="is the same key as --x"):
        check_axes(PLAN, "market.a", "market.a", {"market.b": 1, "market.c": 1})
    check_axes(PLAN, "market.a", "market.b", {"market.c": 1})


def test_between_whole_numbers_nothing_is_added():
    real = SweepPlan("e", "h", axes=(Axis("market.a", (0, 0.5)), Axis("market.b", (1, 2))))
    with pytest.raises(ConfigError, match=r"market\.b has whole numbers only"):
        check_real(real, "market.a", "market.b")


def test_the_closed_form_of_a_market():
    """The equilibrium's rate of bluffs b: bluffs and scarce stocks make the buyer indifferent."""
    from tacit.training.config.load import load

    arm = load("bluff_equilibrium", arms=["scarcity_.2"]).arms["scarcity_.2"]
    market = arm.plain["market"]
    form = closed_form(market, "market.scarcity", "market.stockout_cost", "bluff_rate_theory")
    assert form(0.2, market["stockout_cost"]) == arm.market.analysis.theory()["bluff_rate"]
    other = load("bluff_equilibrium", ["market.scarcity=0.35", "market.stockout_cost=0.1"],
                 ["scarcity_.2"])  # fmt: skip
    theory = next(iter(other.arms.values())).market.analysis.theory()
    assert form(0.35, 0.1) == theory["bluff_rate"]
    assert np.isnan(form(-1.0, 0.1))  # no market has such a scarcity
    assert closed_form(market, "market.scarcity", "market.cost", "booking_theory") is None
    # Theory is the market's: it does not move with a setting of learners.
    flat = closed_form(market, "market.scarcity", "train.rounds", "bluff_rate_theory")
    assert flat(0.2, 1.0) == flat(0.2, 2.0)
