"""Learned probabilities beside their closed form, and the points of other figures."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.training.board.plot_style import COLOURS
from tacit.training.config.load import load
from tacit.training.config.references import Figure
from tacit.training.studies import figures
from tacit.training.studies.theory_figures import theory_curve, theory_panels, tick_labels

PANELS = [
    {"x": "market.scarcity", "x_label": "scarce", "y": ["bluff_rate", "accept_rate"],
     "arms": ["low", "high"]},
    {"x": "market.stockout_cost", "y": ["bluff_rate"], "arms": ["dear"]},
]  # fmt: skip
ARMS = {
    "low": {"market.scarcity": 0.1},
    "high": {"market.scarcity": 0.3},
    "dear": {"market.stockout_cost": 0.4},
}


@pytest.fixture(scope="module")
def experiment():
    return load({"market": "procurement", "arms": ARMS, "seeds": 2})


def measured(**means):
    """An arm's part of summary.json: an interval of .1 below and .2 above."""
    return {
        "measures": {
            name: {"mean": x, "ci95": [x - 0.1, x + 0.2], "n": 7} for name, x in means.items()
        }
    }


def test_a_curve_is_the_closed_form_at_each_value_and_nothing_beyond_it(experiment):
    """Bluffing so often that the buyer is indifferent: b = pi (1 - t) / ((1 - pi) t)."""
    arm = experiment.arms["low"]
    c = arm.market.config
    at = np.array([0.1, 0.2, 1.5])
    haggling = c.wait_discount * (c.value - c.prices[0])
    t = (haggling - (c.value - c.prices[1])) / (haggling + c.stockout_cost)
    curve = theory_curve(arm, "market.scarcity", "bluff_rate", at)
    assert curve[:2] == pytest.approx([x * (1 - t) / ((1 - x) * t) for x in (0.1, 0.2)])
    assert np.isnan(curve[2])  # no probability
    assert np.isnan(theory_curve(arm, "market.scarcity", "feign_rate", at)).all()
    with pytest.raises(ConfigError, match=r"x must be a key of the market, got train\.rounds"):
        theory_curve(arm, "train.rounds", "bluff_rate", at)


def test_a_panel_has_a_curve_and_the_points_of_its_arms(experiment):
    arms = {
        "low": measured(bluff_rate=0.2, accept_rate=0.6),
        "high": measured(bluff_rate=0.5),
        "dear": measured(bluff_rate=0.4),
    }
    figure = theory_panels(experiment, arms, Figure(panels=PANELS))
    first, second = figure.axes
    bluff, accept = first.containers
    assert bluff.lines[0].get_xydata() == pytest.approx(np.array([[0.1, 0.2], [0.3, 0.5]]))
    assert accept.lines[0].get_xydata() == pytest.approx(np.array([[0.1, 0.6]]))
    (spread,) = bluff.lines[2]
    assert spread.get_segments()[1] == pytest.approx(np.array([[0.3, 0.4], [0.3, 0.7]]))
    assert [container.get_label() for container in first.containers] == [
        "bluff rate", "accept rate",
    ]  # fmt: skip
    curve = next(line for line in first.lines if len(line.get_xdata()) > 2)
    assert curve.get_color() == COLOURS[0]
    # 15 % of the range of x beyond the first and the last arm
    assert (curve.get_xdata()[0], curve.get_xdata()[-1]) == pytest.approx((0.07, 0.33))
    arm = experiment.arms["low"]
    wanted = theory_curve(arm, "market.scarcity", "bluff_rate", curve.get_xdata())
    assert curve.get_ydata() == pytest.approx(wanted)
    assert (first.get_xlabel(), second.get_xlabel()) == ("scarce", "market.stockout_cost")
    only = next(line for line in second.lines if len(line.get_xdata()) > 2)
    assert (only.get_xdata()[0], only.get_xdata()[-1]) == pytest.approx((0.3, 0.5))  # one arm
    assert "n = 7 seeds" in figure.get_suptitle().replace("\n", " ")


def test_a_panel_without_an_arm_that_ran_is_left_out(experiment):
    spec = Figure(panels=PANELS)
    assert len(theory_panels(experiment, {"dear": measured(bluff_rate=0.4)}, spec).axes) == 1
    assert theory_panels(experiment, {}, spec) is None
    assert theory_panels(experiment, {"another": measured(bluff_rate=0.4)}, spec) is None
    some = {"low": measured(), "dear": measured(bluff_rate=0.4)}
    first, _ = theory_panels(experiment, some, spec).axes
    assert len(first.containers[0].lines[0].get_xydata()) == 0  # it ran, and has no such figure


def test_a_curve_does_not_go_below_nothing(experiment):
    panel = {"x": "market.stockout_cost", "y": ["bluff_rate"], "arms": ["none", "dear"]}
    both = load({"market": "procurement", "seeds": 1,
                 "arms": {"none": {"market.stockout_cost": 0}, "dear": ARMS["dear"]}})  # fmt: skip
    arms = {name: measured(bluff_rate=0.4) for name in both.arms}
    (axis,) = theory_panels(both, arms, Figure(panels=[panel])).axes
    curve = next(line for line in axis.lines if len(line.get_xdata()) > 2)
    assert curve.get_xdata()[0] == 0.0
    assert curve.get_xdata()[-1] == pytest.approx(0.46)


def test_lines_hold_a_point_an_arm_and_the_earnings_of_the_role_with_rivals():
    """A charge, a negative weight, grows to the right."""
    spec = {"x": "kpi.bidder.price_change", "y": "revenue", "lines": {"one": ["a", "b"]}}
    arms = {"a": {}, "b": {"kpi.bidder.price_change": -1}}
    market = {"name": "ad_auction", "publisher": True}
    experiment = load({"market": market, "arms": arms, "seeds": 2, "figure": spec})
    ends = {"profit/best": 0.3, "profit/worst": 0.1, "payment/best": 9.0, "payment/worst": 8.0}
    summary = {
        "a": measured(revenue=0.9, **ends),
        "b": measured(revenue=0.6, **{name: x + 0.05 for name, x in ends.items()}),
    }
    left, right = figures._lines(experiment, summary, experiment.file.figure).axes
    (points,) = left.containers
    assert points.lines[0].get_xydata() == pytest.approx(np.array([[0.0, 0.9], [-1.0, 0.6]]))
    (spread,) = points.lines[2]
    assert spread.get_segments()[0] == pytest.approx(np.array([[0.0, 0.8], [0.0, 1.1]]))
    best, worst = (line for line in right.lines if len(line.get_xdata()) == 2)
    assert best.get_ydata() == pytest.approx([0.3, 0.35])
    assert worst.get_ydata() == pytest.approx([0.1, 0.15])
    assert left.xaxis_inverted()
    assert right.get_ylabel() == "profit per round"


def test_labels_of_weights_that_would_touch_are_left_out():
    weights = [0.001, 0.01, 0.03, 0.06, 0.1, 0.3, 1, 10]
    assert tick_labels(weights) == ["0.001", "0.01", "0.03", "0.06", "", "0.3", "1", "10"]
    assert tick_labels([0.5]) == ["0.5"]
