"""What the shipped experiments say, with their seeds and intervals."""

from __future__ import annotations

import pytest

from tacit.training.config.load import load
from tacit.training.runs.runner import train
from tacit.training.studies.checks import checks

pytestmark = [pytest.mark.slow, pytest.mark.full_mirror]


@pytest.fixture(scope="module")
def volatility(tmp_path_factory):
    """Both price rules with and without the KPI on volatility, as many seeds as it ships."""
    arms = ["second_0", "second_1", "second_2", "first_0", "first_2"]
    return train("volatility_kpi", arms=arms, results=tmp_path_factory.mktemp("results"))["arms"]


def test_a_volatility_kpi_lowers_the_second_price_and_raises_the_first(volatility):
    price = {name: arm["measures"]["clearing_price"] for name, arm in volatility.items()}
    assert {entry["n"] for entry in price.values()} == {48}
    assert price["second_2"]["ci95"][1] < price["second_0"]["ci95"][0]
    assert price["first_0"]["ci95"][1] < price["first_2"]["ci95"][0]
    rows = checks(load("volatility_kpi"), volatility)
    assert [row.within for row in rows] == [True] * 4  # two predictions, two verdicts


def test_in_second_price_one_bidder_sits_still_and_earns_nothing(volatility):
    charged, free = (volatility[name]["measures"] for name in ("second_2", "second_0"))
    assert charged["profit/worst"]["ci95"][1] < 0.02
    assert charged["profit/best"]["ci95"][0] > 0.2
    assert charged["winner_share"]["ci95"][0] > 0.95
    assert free["profit/best"]["ci95"][1] < 0.1


def test_at_the_end_prices_stand_still_with_the_kpi_and_without(volatility):
    """The KPI decides where prices come to rest, not whether."""
    for name, arm in volatility.items():
        assert arm["measures"]["price_change"]["ci95"][1] < 0.001, name


@pytest.mark.parametrize(
    "claim",
    [r for r in load("banchio_skrzypacz").file.references if r.kind == "literature"],
    ids=lambda c: c.arm,
)
def test_the_pricing_rule_decides_whether_learners_compete(claim, tmp_path):
    """Banchio, Skrzypacz, EC 2022, to what 24 seeds can tell."""
    arms = train("banchio_skrzypacz", ["seeds=24"], arms=[claim.arm], results=tmp_path)["arms"]
    found = arms[claim.arm]["measures"][claim.measure]
    assert found["n"] == 24
    assert abs(found["mean"] - claim.value) < 0.05


@pytest.mark.parametrize(("arm", "low", "high"), [("a_1.2", 0.8, 1.0), ("a_1.8", 0.0, 0.2)])
def test_the_payment_rule_decides_it_by_degrees(arm, low, high, tmp_path):
    """Figure 2 of Banchio, Skrzypacz, far from its steep part, to what 12 seeds can tell."""
    arms = train("payment_rule", ["seeds=12"], arms=[arm], results=tmp_path)["arms"]
    assert low <= arms[arm]["measures"]["nearer_collusive"]["mean"] <= high


def test_the_commonest_strategy_of_two_prices_is_win_stay_lose_shift(tmp_path):
    """Den Boer, Meylahn, Schinkel, to what 200 seeds can tell."""
    probes = train("two_prices", ["seeds=200"], results=tmp_path)["measures"]
    for claim in load("two_prices").file.references:
        assert abs(probes[claim.measure]["mean"] - claim.value) < 0.1, claim.measure
    assert probes["both/win_stay_lose_shift"]["mean"] > 3 * probes["both/grim"]["mean"]


def test_the_audit_flags_q_learners_and_passes_multiplicative_weights(tmp_path):
    arms = ["q_learning", "weights", "competitive"]
    found = train("regret_audit", ["seeds=8"], arms=arms, results=tmp_path)["arms"]
    regret = {name: arm["measures"]["calibrated_regret"]["ci95"] for name, arm in found.items()}
    assert regret["q_learning"][0] > 0.05
    assert max(regret["weights"][1], regret["competitive"][1]) < 0.05
