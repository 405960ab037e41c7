"""A policy in another seat of its role plays there as it played in its own."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.external.moved_seat import moved_table
from tacit.agents.policy import deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market


def tit_for_tat(market, seat):
    return Scripted(ScriptedConfig(rule="tit_for_tat"), market, market.seat(seat)).table()


@pytest.mark.parametrize(
    ("name", "config", "seats"),
    [
        ("cloud_bandwidth", {"prices": 5}, ("provider_0", "provider_1")),
        ("cloud_bandwidth", {"prices": 3, "providers": 3}, ("provider_2", "provider_0")),
        ("ad_auction", {"observe": "bids"}, ("bidder_0", "bidder_1")),
        ("quantity_competition", {"outputs": 5}, ("firm_1", "firm_0")),
    ],
)
def test_tit_for_tat_stays_tit_for_tat(name, config, seats):
    """It answers its rivals and not itself, so rows that changed places wrongly show."""
    market = make_market(name, config)
    start, end = (tit_for_tat(market, seat) for seat in seats)
    assert not np.array_equal(start, end)
    np.testing.assert_array_equal(moved_table(market, start, *seats), end)


def test_what_is_read_is_the_own_action_whoever_looks():
    """`own + 1` in seat 0 reads the first part, and in seat 1 the second."""
    market = make_market("cloud_bandwidth", {"prices": 4})
    role = market.roles[0]
    seen = np.array([role.observation_digits(o)[1:] for o in range(role.observations)])
    own = [deterministic(role, np.minimum(seen[:, k] + 1, 3)) for k in (0, 1)]
    np.testing.assert_array_equal(moved_table(market, own[0], "provider_0", "provider_1"), own[1])


def test_numbers_of_another_role_stay():
    """A tenant sees the prices of providers, and these do not move with the tenant."""
    market = make_market("cloud_bandwidth", {"differentiation": 0, "tenants": 2, "prices": 3})
    role = market.seat("tenant_0").role
    rows = np.arange(role.observations) % role.legal[:, 1] + role.legal[:, 0]
    table = deterministic(role, rows)
    np.testing.assert_array_equal(moved_table(market, table, "tenant_0", "tenant_1"), table)


def test_seats_of_two_roles_are_refused():
    market = make_market("procurement")
    with pytest.raises(ConfigError, match="not of one role"):
        moved_table(market, np.zeros((7, 8)), "supplier_0", "buyer_0")
