"""What becomes of a run's records: means, intervals, gaps, words, by hand-made repetitions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tacit.emergence.play.limit_path import LimitPath
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.outcome.final_measures import agent_steps, end_figures, final_measures
from tacit.training.outcome.goodhart import add_goodhart_gaps
from tacit.training.outcome.judging import _control_arms, are_withheld
from tacit.training.outcome.probing import _check_figures
from tacit.training.outcome.summary import (
    arm_summary,
    assemble,
    difference,
    estimate_of,
    unconverged_seeds,
)
from tacit.training.outcome.training_curve import (
    add_curve_point,
    read_training_curves,
    summarise_curves,
)
from tacit.training.runs.evaluation import point_tags

NAN = float("nan")


def record(measures, probes=None, **more):
    plain = {"agent_steps": 100, "seconds": 4.0, "measures": measures, "probes": probes or {}}
    return plain | more


# --- one repetition -------------------------------------------------------------------------------


def test_decisions_are_counted_by_seats_and_phases():
    assert agent_steps(make_market("ad_auction", {"bidders": 3}), 10) == 30
    # a supplier offers and answers, the buyer responds
    assert agent_steps(make_market("procurement"), 10) == 30


def mean_of(points, last, **group):
    group = SimpleNamespace(**({"stop_after": 0, "stopped": False} | group))
    path = LimitPath(1, np.zeros((1, 1)), np.full((1, 1, 1), 9.0))
    arrays = [(count, np.full((1, 1), x)) for count, x in points]
    return float(final_measures(group, path, arrays, last)[0, 0])


def test_the_last_rounds_are_weighted_by_their_number_and_those_that_stopped_by_their_path():
    points = [(50, 1.0), (30, 2.0), (10, 5.0)]
    assert mean_of(points, 10) == 5.0
    assert mean_of(points, 40) == pytest.approx((30 * 2 + 10 * 5) / 40)
    assert mean_of(points, 90) == pytest.approx((50 + 60 + 50) / 90)
    assert mean_of(points, 10, stop_after=5, stopped=True) == 9.0
    assert mean_of(points, 10, stop_after=5, stopped=False) == 5.0
    assert mean_of(points, 10, stop_after=0, stopped=True) == 5.0


@pytest.mark.parametrize(
    ("period", "shares"), [(1, (1, 0, 0)), (2, (0, 1, 0)), (3, (0, 0, 1)), (9, (0, 0, 1))]
)
def test_a_cycle_has_one_length(period, shares):
    market = make_market("ad_auction")
    group = SimpleNamespace(
        market=market, stop_after=7, stopped=True, rounds=100, stable_rounds=8,
        tables=lambda: [np.ones((1, 1))] * 2,
    )  # fmt: skip
    found = end_figures(group, LimitPath(period, np.zeros((1, 1)), np.zeros((1, 1, 1))))
    assert tuple(found[f"cycle_{kind}_share"] for kind in ("1", "2", "3plus")) == shares
    assert (found["rounds_to_stop"], found["converged"]) == (92.0, 1.0)
    group.stopped = False
    found = end_figures(group, LimitPath(0, np.zeros((1, 1)), np.zeros((1, 1, 1))))
    assert (found["rounds_to_stop"], found["converged"]) == (100.0, 0.0)
    assert np.isnan([found[f"cycle_{kind}_share"] for kind in ("1", "2", "3plus")]).all()
    group.stop_after = 0
    found = end_figures(group, LimitPath(0, np.zeros((1, 1)), np.zeros((1, 1, 1))))
    assert np.isnan([found["rounds_to_stop"], found["converged"]]).all()


def test_a_point_s_tags_are_each_seat_s_own_numbers():
    """Terms seat by seat, then rewards; two terms of the first seat, one of the second."""
    kpi = {"bidder_0": {"profit": 1.0, "win": 0.5}, "bidder_1": {"profit": 1.0}}
    (arm,) = load({"market": "ad_auction", "kpi": kpi}).arms.values()
    market = arm.market
    measures = np.arange(3 * len(market.measures), dtype=float).reshape(3, -1)
    tags = point_tags(arm, measures, np.array([10.0, 11.0, 12.0, 20.0, 21.0]))
    kpis = {name: x for name, x in tags.items() if name.startswith("kpi/")}
    assert kpis == {"kpi/bidder_0/profit": 10, "kpi/bidder_0/win": 11, "kpi/bidder_1/profit": 12}
    assert (tags["reward/bidder_0"], tags["reward/bidder_1"]) == (20, 21)
    profit, revenue = market.columns["profit"], market.columns["revenue"]
    assert tags["fundamental/bidder_1"] == tags["measure/bidder_1/profit"] == measures[1, profit]
    assert tags["measure/market/revenue"] == measures[2, revenue]


def test_a_probe_returns_numbers_by_the_names_that_it_declares():
    _check_figures("leadership", {"rises_led": 1.0, "leadership/bidder_0": np.float64(2)})
    for figures, message in (
        ([1.0], "must return figures by name"),
        ({"rises_led/x": 1.0}, "returns 'rises_led/x', which its FIGURES do not declare"),
        ({"leadership": 1.0}, "returns 'leadership', which"),
        ({"rises_led": 1.0, "leadership/x": "1"}, "'leadership/x' must be a number, got '1'"),
    ):
        with pytest.raises(ConfigError, match=message):
            _check_figures("leadership", figures)


# --- over repetitions -----------------------------------------------------------------------------


def test_a_measure_needs_every_seed_and_a_figure_those_that_have_it():
    (arm,) = load("ad_auction").arms.values()
    records = [
        record({"a": 1.0, "b": 1.0, "converged": 1.0}, {"p": {"f": 3.0, "g": None}, "q": {"h": 1}}),
        record({"a": 3.0, "b": None, "converged": 0.0}, {"p": {"f": None, "g": None}}, seconds=6.0),
    ]
    found = arm_summary("mine", arm, records)
    assert (found["seeds"], found["agent_steps"], found["agent_steps_per_second"]) == (2, 200, 20.0)
    assert found["unconverged"] == 1
    assert set(found["measures"]) == {"a", "converged", "f", "h"}
    a, f = found["measures"]["a"], found["measures"]["f"]
    assert (a["mean"], a["n"], a["per_seed"]) == (2.0, 2, [1.0, 3.0])
    assert (f["mean"], f["n"], f["per_seed"], f["ci95"]) == (3.0, 1, [3.0, None], [None, None])
    assert "training_curve" not in found
    still = arm_summary("mine", arm, [record({"a": 1.0}, seconds=0.0)])
    assert still["agent_steps_per_second"] is None
    assert "unconverged" not in still


def test_a_lone_base_is_flat():
    assert assemble("mine", {"base": {"x": 1}}) == {"x": 1}
    assert assemble("mine", {"other": {"x": 1}}) == {
        "experiment": "mine", "arms": {"other": {"x": 1}},
    }  # fmt: skip
    assert set(assemble("mine", {"base": {}, "b": {}})["arms"]) == {"base", "b"}


def test_a_difference_is_over_the_seeds_that_both_arms_have():
    one = {"measures": {"x": {"per_seed": [5.0, None, 9.0, 7.0], "ci95": [None, 3], "mean": 2,
                              "n": 3}}}  # fmt: skip
    two = {"measures": {"x": {"per_seed": [1.0, 2.0, 3.0]}}}
    found = difference(one, two, "x")
    assert (found.mean, found.n) == (5.0, 2)  # 4 and 6
    assert difference(one, {"measures": {"x": {"per_seed": [None, 1.0, None]}}}, "x") is None
    assert difference(one, {"measures": {}}, "x") is None
    assert difference({"measures": {}}, one, "x") is None
    e = estimate_of(one, "x")
    assert (e.mean, e.high, e.n, np.isnan(e.low)) == (2, 3, 3, True)
    assert estimate_of(one, "y") is None


def test_curves_end_with_the_shortest_and_count_who_is_defined():
    curves = [
        {"rounds": [10, 20, 30], "figures": {"f": [1.0, None, 5.0]}},
        {"rounds": [10, 20], "figures": {"f": [3.0, None]}},
    ]
    found = summarise_curves(curves)
    assert found["rounds"] == [10, 20]
    first, second = found["figures"]["f"]
    assert (first["mean"], first["n"]) == (2.0, 2)
    # 1 and 3: 2 +- 12.706
    assert first["ci95"] == pytest.approx([2 - 12.7062, 2 + 12.7062], abs=1e-4)
    assert second == {"mean": None, "ci95": [None, None], "n": 0}
    assert summarise_curves([]) == summarise_curves([{}, curves[0]]) == {}
    curve = read_training_curves(found)["f"]
    assert curve.rounds == (10, 20)
    assert (curve.means[0].mean, curve.means[0].n) == (2.0, 2)
    assert np.isnan([curve.means[1].mean, curve.means[1].low, curve.means[1].high]).all()
    assert read_training_curves({}) == {}


def test_a_point_keeps_a_place_for_what_is_not_defined(monkeypatch):
    from tacit.training.outcome import training_curve

    figures = iter([{"f": 1, "g": NAN}, {}, {"f": NAN, "g": 2.5}])
    monkeypatch.setattr(training_curve, "training_curve_figures", lambda _: next(figures))
    curve = {}
    assert [add_curve_point(curve, None, rounds) for rounds in (10, 20, 30)] == [
        {"f": 1}, {}, {"g": 2.5},
    ]  # fmt: skip
    assert curve == {"rounds": [10, 30], "figures": {"f": [1.0, None], "g": [None, 2.5]}}


# --- beside other arms ----------------------------------------------------------------------------

GAPS = {
    "market": {"name": "ad_auction", "bidders": 3},
    "seeds": 2,
    "arms": {
        "paid": {},
        "calm": {"kpi.bidder_1.profit": 1, "kpi.bidder_1.price_change": -1},
        "short": {"kpi.bidder.price_change": -1, "train.rounds": 1000, "train.measure_last": 100},
    },
}


def measures(**per_seed):
    return {"measures": {name.replace("__", "/"): {"per_seed": x} for name, x in per_seed.items()}}


def test_a_gap_is_the_share_of_the_fundamental_that_another_kpi_costs_its_seats():
    """Seat 1 alone is paid by another KPI: it earns 3 of 4 and nothing of what is nothing."""
    arms = load(GAPS).arms
    found = {
        "paid": measures(profit__bidder_0=[1, 1], profit__bidder_1=[4.0, 0.0], welfare=[2, 4]),
        "calm": measures(profit__bidder_0=[9, 9], profit__bidder_1=[3.0, 0.0], welfare=[1, 1]),
        "short": measures(profit__bidder_0=[9, 9], profit__bidder_1=[3.0, 0.0], welfare=[1, 1]),
    }
    add_goodhart_gaps(arms, found)
    gap = found["calm"]["measures"]["goodhart_gap"]
    assert (gap["per_seed"], gap["n"], gap["mean"]) == ([0.25, None], 1, 0.25)
    welfare = found["calm"]["measures"]["goodhart_gap/welfare"]
    assert welfare["per_seed"] == [0.5, 0.75]
    for other in ("paid", "short"):  # nothing to compare it with
        assert not any(name.startswith("goodhart") for name in found[other]["measures"])


def test_a_measure_that_one_of_the_arms_lacks_has_no_gap():
    arms = load(GAPS).arms
    found = {
        "paid": measures(profit__bidder_0=[1, 1], welfare=[2, 4]),
        "calm": measures(profit__bidder_1=[3.0, 0.0], welfare=[1, 1]),
        "short": measures(),
    }
    add_goodhart_gaps(arms, found)
    assert "goodhart_gap" not in found["calm"]["measures"]
    assert "goodhart_gap/welfare" in found["calm"]["measures"]


def test_one_in_twenty_seeds_may_be_cut_off():
    def cut_off(count, seeds):
        per_seed = [0.0] * count + [1.0] * (seeds - count)
        return {"seeds": seeds, "measures": {"converged": {"per_seed": per_seed}}}

    assert [are_withheld(cut_off(k, 40)) for k in (0, 2, 3)] == [False, False, True]
    assert unconverged_seeds(cut_off(3, 40)) == 3
    never = {"seeds": 40, "measures": {}}
    assert (are_withheld(never), unconverged_seeds(never)) == (False, None)


def test_a_control_arm_differs_in_what_it_controls_for_alone():
    arms = load({
        "market": {"name": "cloud_bandwidth", "prices": 3, "headroom_claims": True},
        "seeds": 2,
        "arms": {
            "own": {},
            "other": {"market.memory": 0, "market.prices": 4},
            "blind": {"market.memory": 0, "seeds": 3},
            "blind_again": {"market.memory": 0},
            "deaf": {"market.claims_heard": False},
        },
    }).arms  # fmt: skip
    assert _control_arms(arms["own"], arms) == {"memoryless": "blind", "unheard": "deaf"}
    assert _control_arms(arms["blind"], arms) == {}  # it is without memory itself
