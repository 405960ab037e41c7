"""What probes and scripted players ask of the cloud market."""

from __future__ import annotations

import pytest

from tacit.envs.cloud_bandwidth import positions as at
from tacit.envs.registry import make_market

SURGE = {"enter": 0.05, "leave": 0.25}


def market_of(**keys):
    return make_market("cloud_bandwidth", {"prices": 5, **keys})


def draws(phase, **keys):
    found = market_of(**keys).analysis.draws(phase)
    return {d.column: (d.values, d.probabilities, d.lasting) for d in found}


def test_needs_are_drawn_before_requests_and_loads_last():
    keys = {"providers": 3, "tenants": 2, "capacity": 2, "critical_probability": 0.3}
    needs = ((0.0, 1.0), ((0.7, 0.3),), False)
    assert draws(1, **keys) == {at.POSTED + 9: needs, at.POSTED + 10: needs}
    assert draws(0, **keys) == {}
    load = ((0.0, 1.0), (pytest.approx((5 / 6, 1 / 6)),), True)  # .05 / (.05 + .25)
    assert draws(0, providers=3, surge=SURGE) == {at.POSTED + 3 + i: load for i in range(3)}


def test_what_a_surge_draws_from_lists_has_its_long_run_shares():
    """Of the 8 rounds of surges of 1, 2 and 5 rounds, three are the last one, two the one before,
    and one has 3, 4 and 5 left each. A surge lasts 8/3 rounds: .5 / (.5 + 3/8)."""
    surge = {"enter": 0.5, "multiplier": [2, 3], "lengths": [1, 2, 5]}
    found = draws(0, providers=2, surge=surge)
    loads, drawn = at.POSTED + 2, at.POSTED + 6
    assert set(found) == {loads, loads + 1, *range(drawn, drawn + 4)}
    for i in range(2):
        assert found[loads + i][1] == (pytest.approx((3 / 7, 4 / 7)),)
        assert found[drawn + i] == ((0.0, 1.0), ((0.5, 0.5),), True)
        left = pytest.approx((3 / 8, 2 / 8, 1 / 8, 1 / 8, 1 / 8))
        assert found[drawn + 2 + i] == ((1.0, 2.0, 3.0, 4.0, 5.0), (left,), True)


@pytest.mark.parametrize(
    ("keys", "luck"),
    [
        ({}, False),
        ({"outside_shock": 0.1}, True),
        ({"capacity": 0.4}, False),
        ({"tenants": 2}, False),
        ({"tenants": 2, "capacity": 2}, True),
    ],
)
def test_there_is_luck_in_shocks_and_lotteries(keys, luck):
    assert market_of(**keys).analysis.luck == luck


def test_shocks_are_averaged_where_demand_is_linear_and_once():
    market = market_of(outside_shock=0.1)
    expected = market.analysis.expected()
    assert expected is market.analysis.expected() is not market
    assert not expected.shocked
    for keys in ({}, {"outside_shock": 0.1, "capacity": 0.4}):
        plain = market_of(**keys)
        assert plain.analysis.expected() is plain


@pytest.mark.parametrize(
    ("keys", "scale"),
    [
        # the better margin of quality less the outside less cost: max(.75, 1.5), of two units
        ({"quality": [2.0, 2.5], "cost": [1.0, 0.75], "outside_quality": 0.25,
          "background_demand": 2}, 3.0),
        ({"quality": 2.0, "cost": 1.9, "differentiation": 0.25, "background_demand": 2}, 0.5),
        ({"demand": "unit", "reservation_price": 2.0, "cost": [1.5, 1.0], "background_demand": 3},
         3.0),
        ({"demand": "unit", "reservation_price": 2.0, "cost": 1.0, "background_demand": 0,
          "tenants": 4}, 4.0),
    ],
)  # fmt: skip
def test_a_provider_s_deal_is_worth_all_demand_at_the_best_margin(keys, scale):
    market = market_of(**keys)
    assert market.analysis.value_scale(market.roles[0]) == pytest.approx(scale)


def test_a_tenant_s_deal_is_worth_a_critical_unit():
    market = market_of(tenants=2, standard_value=2, critical_value=3.5)
    assert market.analysis.value_scale(market.role("tenant")) == 3.5


@pytest.mark.parametrize(
    ("keys", "observation"),
    [
        ({}, 3 * 5 + 1),
        ({"memory": 2}, (2 * 5 + 4) * 25 + 3 * 5 + 1),  # the older round before it
        ({"surge": {}}, 2 * (3 * 5 + 1) + 1),  # the own load behind it
        ({"surge": {}}, 2 * (3 * 5 + 1)),
    ],
)
def test_last_prices_are_the_last_digits_of_what_is_seen(keys, observation):
    market = market_of(**keys)
    for seat in market.seats:
        found = market.analysis.last_actions(seat, observation)
        assert list(found.items()) == [("provider_0", 3), ("provider_1", 1)]


def test_three_providers_are_told_apart():
    market = market_of(providers=3)
    found = market.analysis.last_actions(market.seats[2], 4 * 25 + 0 * 5 + 2)
    assert found == {"provider_0": 4, "provider_1": 0, "provider_2": 2}


@pytest.mark.parametrize("keys", [{"memory": 0}, {"headroom_claims": True}])
def test_without_memory_or_with_claims_last_actions_are_not_seen(keys):
    market = market_of(**keys)
    assert market.analysis.last_actions(market.seats[0], 0) is None


def test_benchmarks_are_steps_of_the_grid_with_the_claim_ample():
    plain, claims = market_of(tenants=2), market_of(tenants=2, headroom_claims=True)
    steps = {}
    for name in ("competitive", "collusive"):
        steps[name] = [int(s) for s in plain.benchmark_steps[name]]
        for market, factor in ((plain, 1), (claims, 2)):
            acts = [market.analysis.benchmark_action(name, s, 0) for s in market.seats[:2]]
            assert acts == [factor * int(s) for s in market.benchmark_steps[name]]
    assert steps["competitive"] < steps["collusive"]
    provider, tenant = plain.seats[0], plain.seats[2]
    assert plain.analysis.benchmark_action("rotation", provider, 0) is None
    asks = plain.analysis.benchmark_action("competitive", tenant, 0)
    parts = tenant.role.decode_action(asks)
    assert (parts["provider"], parts["priority"]) == ("provider_0", "standard")
    assert plain.analysis.benchmark_action("collusive", tenant, 0) is None
    assert plain.analysis.last_actions(tenant, 0) is None
