"""`policies` in a configuration: what it means, what is refused, and what redirects make of it."""

import numpy as np
import pytest
from support.training_fixtures import arm, mistakes

from tacit.agents.vendor import Vendor, own_first_tables
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Part
from tacit.envs.market.own_first import as_seen_from, own_first
from tacit.envs.registry import make_market
from tacit.training.config.arm_settings import settings_by_role
from tacit.training.config.arms import arm_from_plain
from tacit.training.config.in_force import arm_in_force

CLOUD = {"config": "cloud_bandwidth"}
PAIR = "policies.vendor_a=[provider_0, provider_1]"
ROLLBACK = "breakers.b={watch: price, high: 1, action: rollback, redirect: {%s}%s}"


def with_share(*share, seats="provider_0, provider_1"):
    return f"policies.vendor_a={{seats: [{seats}], share: [{', '.join(share)}]}}"


def test_a_list_of_seats_shares_weights():
    found = arm(PAIR, **CLOUD)
    assert found.vendors == (Vendor("vendor_a", ("provider_0", "provider_1"), ("weights",)),)
    assert found.vendors[0].words == "vendor_a runs provider_0, provider_1, which share weights"
    assert arm_from_plain("base", found.plain).plain == found.plain
    assert settings_by_role(found)["policies.vendor_a.share"] == ["weights"]


def test_a_vendor_can_be_taken_away_again():
    assert arm(PAIR, "policies.vendor_a=null", **CLOUD).plain == arm(**CLOUD).plain
    assert arm(PAIR, "policies={}", **CLOUD).plain == arm(**CLOUD).plain


def test_a_shared_objective_is_a_kpi_that_is_not_shared_twice():
    found = arm(with_share("objective"), **CLOUD)
    assert {n: (t.scope, t.weight) for n, t in found.kpi["provider_1"].items()} == {
        "profit_of_provider_0": ("provider_0", 1.0),
        "profit": ("own", 1.0),
    }
    again = arm_from_plain("base", found.plain)
    assert again.kpi == found.kpi


# --- refused, in words, all at once ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["policies.v=[provider_0, provider_9]"],
         "policies.v: unknown seat 'provider_9'. Did you mean 'provider_1'?"),
        (["policies.v=[provider_0]"],
         "policies.v: a vendor needs at least two seats, or it shares nothing; got one."),
        (["policies.v=[provider_0, provider_0]"], "policies.v: names provider_0 twice."),
        (["policies.v=[provider_0, tenant_0]", "market.tenants=2", "market.capacity=1"],
         "policies.v: seats must be of one role, got provider and tenant."),
        (["market.providers=3", "policies.v=[provider_0, provider_1]",
          "policies.w=[provider_1, provider_2]"],
         "policies.w: provider_1 is run by v already."),
        (["policies.v=[provider_0, provider_1]", "market.cost=[1, 1.2]"],
         "policies.v: one table cannot serve provider_0, provider_1: their price grids differ "
         "(market.cost, market.quality)."),
        (["policies.v={seats: [provider_0, provider_1], share: [wights]}"],
         "policies.v.share: unknown 'wights'. Did you mean 'weights'?"),
        (["policies.v={seats: [provider_0, provider_1], share: []}"],
         "policies.v.share: must be a list of weights, data, objective, random_stream, got []."),
        (["policies.v={seat: [provider_0, provider_1]}"],
         "policies.v.seat: unknown key. Did you mean 'seats'?"),
        (["policies.v=7"], "policies.v.seats: must be a list of seats, got 7."),
        (["policies=7"], "policies: must be a table of vendors, got 7."),
        ([PAIR, "kpi.provider_0={profit: 2}"],
         "policies.vendor_a: weights need one KPI; those of provider_0 and provider_1 differ."),
        ([with_share("data"), "kpi.provider_0={profit: 2}"],
         "policies.vendor_a: data need one KPI; those of provider_0 and provider_1 differ."),
        ([PAIR, "agents.provider_1.learning_rate=.5"],
         "policies.vendor_a: weights need one agent; those of provider_0 and provider_1 differ."),
        ([PAIR, "agents.provider.update=synchronous"],
         "policies.vendor_a: weights can be shared by q_learning that updates the action taken; "
         "provider_0 has q_learning that updates all actions."),
        ([with_share("random_stream"), "agents.provider=ippo"],
         "policies.vendor_a: random_stream can be shared by q_learning that updates the action "
         "taken; provider_0 has ippo."),
        (["market.providers=3", PAIR, "agents.provider_2=ippo"],
         "policies: provider_2 updates in batches; beside it an objective alone can be shared."),
        ([ROLLBACK % ("policies: separate", "")],
         "breakers.b.redirect.policies: no seats share weights, data or draws here; nothing is to "
         "be separated."),
        ([PAIR, ROLLBACK % ("updates: synchronous", "")],
         "breakers.b.redirect.updates: vendor_a shares learning, for which updates must be "
         "asynchronous; add policies: separate."),
        ([PAIR, ROLLBACK % ("partners: exchanged", ", scope: arm")],
         "breakers.b.redirect.partners: the seats of vendor_a hold one policy, which cannot go on "
         "in several seeds; add policies: separate."),
    ],
)  # fmt: skip
def test_refusals(settings, line):
    assert line in mistakes(*settings, **CLOUD)


def test_all_mistakes_are_told_at_once():
    told = mistakes(
        "market.providers=3", "policies.v=[provider_0, provder_1]", "policies.w=[provider_2]",
        "policies.x={seats: [provider_0, provider_1], share: lies}", "agents.provider.epsilon=2",
        **CLOUD,
    )  # fmt: skip
    assert len([line for line in told if line.startswith("policies.")]) == 4
    assert any(line.startswith("agents.provider.epsilon") for line in told)


def test_objectives_can_be_shared_whatever_learns():
    assert arm(with_share("objective"), "agents.provider=ippo", **CLOUD).vendors
    assert arm(with_share("objective"), "market.cost=[1, 1.2]", **CLOUD).vendors


def test_tables_of_seats_that_share_an_objective_alone_keep_the_markets_order_where_grids_differ():
    share = with_share("objective")
    for settings, is_moved in ((("market.prices=3",), True), (("market.cost=[1, 1.2]",), False)):
        found = arm(share, *settings, **CLOUD)
        role = found.market.seats[0].role
        cells = np.arange(float(role.observations * role.actions))
        tables = [cells.reshape(role.observations, -1)] * 2
        ordered = own_first_tables(found.market, found.vendors, tables)
        assert np.array_equal(ordered[0], tables[0])
        assert np.array_equal(ordered[1], tables[1]) != is_moved


# --- redirects ------------------------------------------------------------------------------------


def test_separate_policies_leave_the_objective_and_end_the_rest():
    share = with_share("weights", "objective", "random_stream")
    configured = arm(share, ROLLBACK % ("policies: separate", ""), **CLOUD)
    trip = {"breaker": "b", "action": "rollback", "round": 10, "branch": 0, "to": 0, "from": 0}
    after = arm_in_force(configured, [trip])
    assert [vendor.share for vendor in after.vendors] == [("objective",)]
    assert after.kpi == configured.kpi
    weights = arm(PAIR, ROLLBACK % ("policies: separate", ""), **CLOUD)
    after = arm_in_force(weights, [trip])
    assert after.vendors == ()
    assert "policies" not in after.plain
    assert weights.breakers["b"].changes.words == "policies separate"


# --- observations, own-first ----------------------------------------------------------------------


def test_own_first_puts_partners_before_the_others():
    seats = [f"firm_{k}" for k in range(4)]
    assert own_first("firm_2", ("firm_0", "firm_2"), [seats]) == [
        "firm_2", "firm_0", "firm_1", "firm_3",
    ]  # fmt: skip
    assert Part("x", (1,), "no seat").of is None


@pytest.mark.parametrize(
    ("name", "config", "role"),
    [
        ("cloud_bandwidth", {"providers": 3, "prices": 3, "memory": 2}, "provider"),
        ("ad_auction", {"bidders": 3, "bids": 3, "observe": "bids"}, "bidder"),
        ("quantity_competition", {"firms": 3, "outputs": 3, "output_range": [10, 40]}, "firm"),
    ],
)
def test_seats_that_change_places_see_what_the_order_says(name, config, role):
    """Two rounds with some actions, and again with the actions of two seats exchanged."""
    market = make_market(name, config)
    seats = [s for s in market.seats if s.role.name == role]
    swaps = [(0, 1), (1, 2), (0, 2)]
    for one, other in swaps:
        order = list(range(len(market.seats)))
        order[one], order[other] = other, one
        engines = [Engine(market, seeds=[3]) for _ in range(2)]
        for engine in engines:
            engine.reset()
        for actions in ([0, 1, 2], [2, 0, 1]):
            padded = actions + [0] * (len(market.seats) - 3)
            engines[0].step([padded])
            engines[1].step([[padded[k] for k in order]])
        partners = tuple(seat.name for seat in seats)
        if (one, other) == (0, 1):  # the third seat keeps its place behind both
            for seat, there in ((0, 1), (1, 0)):
                seen = int(engines[0].observations[0, seat])
                index = as_seen_from(market, seats[seat], seats[there], partners)
                assert index[seen] == engines[1].observations[0, there]
        index = as_seen_from(market, seats[one], seats[other], partners)
        assert sorted(index.tolist()) == list(range(seats[one].role.observations))


def test_of_several_groups_the_own_one_comes_first_and_all_have_one_order_of_members():
    regions = [["firm_0", "firm_1", "firm_2"], ["firm_3", "firm_4", "firm_5"]]
    assert own_first("firm_5", ("firm_0", "firm_4"), regions) == [
        "firm_5", "firm_4", "firm_3", "firm_2", "firm_1", "firm_0",
    ]  # fmt: skip


EXCHANGES = {  # who sits where in the other engine
    (0, 2): [2, 3, 0, 1], (1, 3): [2, 3, 0, 1],  # the regions change places
    (0, 1): [1, 0, 3, 2], (2, 3): [1, 0, 3, 2],  # the two firms, in both regions
    (0, 3): [3, 2, 1, 0], (2, 1): [3, 2, 1, 0],
}  # fmt: skip


@pytest.mark.parametrize("observe", ["all", "region"])
@pytest.mark.parametrize("memory", [1, 2])
def test_seats_of_several_regions_see_what_the_order_says(observe, memory):
    config = {"regions": 2, "prices": 3, "observe": observe, "memory": memory}
    market = make_market("cloud_bandwidth", config)
    partners = tuple(seat.name for seat in market.seats)
    for (one, other), order in EXCHANGES.items():
        engines = [Engine(market, seeds=[3]) for _ in range(2)]
        for engine in engines:
            engine.reset()
        for actions in ([0, 1, 2, 2], [2, 0, 1, 0]):
            engines[0].step([actions])
            engines[1].step([[actions[k] for k in order]])
        seen = int(engines[0].observations[0, one])
        index = as_seen_from(market, market.seats[one], market.seats[other], partners)
        assert index[seen] == engines[1].observations[0, other]
        assert sorted(index.tolist()) == list(range(market.seats[one].role.observations))
        # Firms of different regions that are not the same firm: not even the own price is at the
        # same place of what the market tells them.
        assert (index.tolist() == sorted(index)) == (observe == "region" and other - one in (2, -2))


def test_a_vendor_across_regions_shares_weights_where_their_grids_are_alike():
    regions, home = ("market.regions=2", "market.prices=3"), "market.cost=[1, 1.4, 1.4, 1]"
    across = "policies.v=[provider_0, provider_2]"
    assert arm(*regions, across, **CLOUD).vendors
    told = mistakes(*regions, home, across, **CLOUD)
    assert "their price grids differ" in "".join(told)
    homes = "policies.v=[provider_0, provider_3]", "policies.w=[provider_1, provider_2]"
    assert len(arm(*regions, home, *homes, **CLOUD).vendors) == 2
