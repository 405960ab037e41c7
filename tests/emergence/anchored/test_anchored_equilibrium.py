"""The computed anchored equilibrium: against the core of the market, and its own definition."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

import tacit
from tacit.agents.anchor import AnchorConfig, Anchored
from tacit.agents.policy import mask, uniform
from tacit.emergence.anchored import equilibrium as module
from tacit.emergence.anchored.equilibrium import anchored_equilibrium, equilibria, others
from tacit.emergence.anchored.inheritance import inheritance, known_equilibrium
from tacit.emergence.registry import PROBES
from tacit.emergence.tree import enumerate_round, expected_outcome, legal_actions
from tacit.emergence.tree.initial_states import state_without_past
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.procurement.benchmarks import anchored_bluffing
from tacit.envs.registry import make_market
from tacit.training.config.agent_settings import read_prior

MARKET = make_market("procurement")
KPI = kpis.resolve(MARKET, None)
B0 = 0.05


def priors(floor=0.01, supplier="supplier_diplomacy", buyer="buyer_people"):
    """People's priors as tables."""
    found = []
    for seat, name in zip(MARKET.seats, (supplier, buyer), strict=True):
        content = read_prior(name, "test")
        config = AnchorConfig(policy=name, weight=1, floor=floor, content=content)
        found.append(config.prior(MARKET, seat))
    return found


def held(supplier, buyer, floor=0.01):
    return [Anchored(p, w) for p, w in zip(priors(floor), (supplier, buyer), strict=True)]


def rates(tables):
    return MARKET.analysis.policy_figures(tables)


# --- the core -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "peak", "surplus"), [(0.951, 0.638, 0.345), (0.862, 0.481, 0.387)]
)
def test_on_the_core_bluffing_overshoots_where_the_buyer_has_people_s_trust(accept, peak, surplus):
    weights = np.geomspace(0.01, 10, 600)
    found = [anchored_bluffing(MARKET.config, B0, accept, w, w) for w in weights]
    top = max(found, key=lambda own: own.bluff)
    assert top.bluff == pytest.approx(peak, abs=5e-4)
    assert top.surplus == pytest.approx(surplus, abs=1.5e-3)
    assert found[-1].bluff == pytest.approx(B0, abs=5e-3)


def test_on_the_core_nothing_overshoots_where_the_buyer_s_prior_is_its_equilibrium():
    theory = MARKET.analysis.theory()
    found = [
        anchored_bluffing(MARKET.config, B0, theory["accept_rate"], w, w).bluff
        for w in np.geomspace(0.002, 10, 300)
    ]
    assert max(found) <= theory["bluff_rate"]
    assert found[0] == pytest.approx(theory["bluff_rate"], abs=1e-3)


def test_the_core_solves_its_own_conditions():
    """By logits, at unequal weights, and with a cost, which shifts all prices."""

    def logit(p):
        return np.log(p / (1 - p))

    dearer = {"cost": 0.1, "prices": [0.5, 0.9], "value": 1.1, "outside_price": 0.82}
    for c in (MARKET.config, make_market("procurement", dearer).config):
        b, a, _ = anchored_bluffing(c, 0.1, 0.7, 0.05, 0.2)
        t = 0.2 / (0.2 + 0.8 * b)
        assert logit(b) - logit(0.1) == pytest.approx((0.44 * a - 0.09) / 0.05, abs=1e-9)
        assert logit(a) - logit(0.7) == pytest.approx((0.74 * t - 0.34) / 0.2, abs=1e-9)


# --- the whole market -----------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.03, 0.1])
def test_nobody_gains_by_another_policy_in_any_row(weight):
    """The definition by finite differences of the whole objective, without `action_values`."""
    seats = held(weight, 2 * weight)
    tables = known_equilibrium(MARKET, KPI, seats)
    start = state_without_past(MARKET, KPI)
    tree = enumerate_round(MARKET, KPI, legal_actions(MARKET), start)
    for s, (seat, own) in enumerate(zip(MARKET.seats, seats, strict=True)):
        for o in np.flatnonzero(seat.role.legal[:, 1] > 1):
            legal = np.flatnonzero(mask(seat.role)[o])
            worth = []
            for a in legal:
                changed = [table.copy() for table in tables]
                changed[s][o] = 0.0
                changed[s][o, a] = 1.0
                worth.append(float(expected_outcome(tree, changed, tree.rewards[:, s])))
            if len(set(np.round(worth, 12))) == 1:
                np.testing.assert_allclose(tables[s][o], own.prior[o], atol=1e-6)
                continue
            # ln(pi / prior) is linear in the payoff of an action; its slope is reach / weight.
            excess = np.log(tables[s][o, legal] / own.prior[o, legal])
            reach = _reach(tree, tables, s, int(o))
            slopes = (excess - excess[0]) * own.weight * reach
            np.testing.assert_allclose(slopes, np.array(worth) - worth[0], atol=1e-6)


def _reach(tree, tables, s, o):
    """How often a seat meets an observation, from the tree's layers."""
    from tacit.emergence.tree import edge_probability

    passed, total = edge_probability(tree, tables), 0.0
    for p, layer in enumerate(tree.layers):
        if layer.acts[s]:
            before = passed[p - 1][layer.origin] if p else 1.0
            total += (before * layer.probability)[layer.observations[:, s] == o].sum()
    return total


def test_the_limits_are_the_prior_and_the_closed_form():
    theory = MARKET.analysis.theory()
    assert rates(known_equilibrium(MARKET, KPI, held(inf, inf))) == rates(priors())
    far, near = (rates(known_equilibrium(MARKET, KPI, held(w, w))) for w in (100.0, 0.002))
    assert far["bluff_rate"] == pytest.approx(rates(priors())["bluff_rate"], abs=1e-3)
    assert near["bluff_rate"] == pytest.approx(theory["bluff_rate"], abs=0.02)
    assert near["accept_rate"] == pytest.approx(theory["accept_rate"], abs=0.02)


def test_the_whole_market_is_near_its_core():
    tables = priors()
    b0, a0 = rates(tables)["bluff_rate"], rates(tables)["accept_rate"]
    for weight in (0.03, 0.06, 0.1):
        core = anchored_bluffing(MARKET.config, b0, a0, weight, weight)
        whole = rates(known_equilibrium(MARKET, KPI, held(weight, weight)))
        assert whole["bluff_rate"] == pytest.approx(core.bluff, abs=0.02)
        assert whole["accept_rate"] == pytest.approx(core.accept, abs=0.02)


@pytest.mark.slow
def test_no_other_solution_is_found_from_random_tables():
    for weight in (0.06, 0.3):
        seats = held(weight, weight)
        known = known_equilibrium(MARKET, KPI, seats)
        found = others(MARKET, KPI, seats, 12)
        assert len(found) == 1
        for one, other in zip(found[0], known, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_curve_is_its_points():
    seats, weights = held(1.0, 1.0), [1.0, 0.3, 0.1]
    curve = equilibria(MARKET, KPI, seats, weights)
    for weight, tables in zip(weights, curve, strict=True):
        known = known_equilibrium(MARKET, KPI, held(weight, weight))
        for one, other in zip(tables, known, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_where_it_is_not_computed_it_says_why(monkeypatch):
    remembers = make_market("procurement", {"record": "on_time", "lead_times": [0, 1]})
    seats = [Anchored() for _ in remembers.seats]
    with pytest.raises(ConfigError, match="seats remember earlier rounds"):
        anchored_equilibrium(remembers, kpis.resolve(remembers, None), seats)
    monkeypatch.setattr(module, "MOST_CELLS", 10)
    with pytest.raises(ConfigError, match="cells, over 10"):
        anchored_equilibrium(MARKET, KPI, held(1.0, 1.0))


# --- the probe ------------------------------------------------------------------------------------


def test_the_probe_puts_four_rates_side_by_side():
    tables = [uniform(seat.role) for seat in MARKET.seats]
    both = tacit.freeze(MARKET, KPI, tables, 0, learned=True, anchors=held(0.1, 0.1))
    found = inheritance(both)
    assert found["played/bluff_rate"] == found["played/accept_rate"] == 0.25
    assert found["prior/bluff_rate"] == pytest.approx(0.99 * 0.051304 + 0.01 / 4, abs=1e-6)
    assert found["equilibrium/bluff_rate"] == pytest.approx(0.2941, abs=1e-4)
    assert found["anchored/bluff_rate"] == pytest.approx(0.516, abs=1e-3)


def test_a_seat_without_a_prior_has_none_and_no_prior_no_figure():
    tables = [uniform(seat.role) for seat in MARKET.seats]
    one = tacit.freeze(MARKET, KPI, tables, 0, learned=True, anchors=[Anchored(), held(0, 1)[1]])
    found = inheritance(one)
    assert np.isnan(found["prior/bluff_rate"])
    assert found["prior/accept_rate"] == pytest.approx(0.944, abs=1e-3)
    assert inheritance(tacit.freeze(MARKET, KPI, tables, 0)) == {}


def test_it_applies_where_a_closed_form_holds():
    probe = PROBES["inheritance"]
    assert probe.applies(MARKET, KPI)
    auction = make_market("ad_auction")
    assert "no closed form" in probe.why_not(auction, kpis.resolve(auction, None))
