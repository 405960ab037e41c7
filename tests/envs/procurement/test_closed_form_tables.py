"""Closed forms of procurement as tables and figures, at the bounds of their regimes and conditions;
what probes ask of the market."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.envs.procurement import positions as at
from tacit.envs.procurement.benchmarks import (
    bluffing,
    bluffing_conditions,
    disinterest,
    disinterest_conditions,
)
from tacit.envs.procurement.equilibrium import equilibrium_table
from tacit.envs.registry import make_market

BRIEF = {"brief": True, "counters": False, "scarcity": 0, "urgency": {"probability": 0.6},
         "false_urgency_fine": 0.2}  # fmt: skip
# Of the default market: t = (.9 x .6 - .2) / (.9 x .6 + .2) = .34 / .74
BLUFF = 0.2 * (0.4 / 0.74) / (0.8 * (0.34 / 0.74))
ACCEPT = (0.4 * 0.1 + 0.05) / (0.8 - 0.9 * 0.4)
# Of the brief: (1 - .6) .4 / (.6 x .4), and .2 / .4
FEIGN, CHEAP = 2 / 3, 0.5


def conduct(keys, seat):
    """What a seat does at every observation with a choice: what it sees, and action -> chance."""
    market = make_market("procurement", keys)
    role = market.seats[seat].role
    table = equilibrium_table(market.config, market.seats[seat])
    assert table.sum(axis=1) == pytest.approx(np.ones(len(table)))
    for o, row in enumerate(table):
        first, count = role.legal[o]
        assert row[first : first + count].sum() == pytest.approx(1.0)
        if count > 1:
            acts = {tuple(role.decode_action(a).values()): row[a] for a in np.flatnonzero(row)}
            yield role.decode_observation(o), acts


def test_a_supplier_bluffs_with_plenty_and_takes_any_counter():
    seen = []
    for sees, acts in conduct({}, 0):
        seen.append(sees)
        if "counter" in sees:
            assert acts == {("accept",): 1.0}
        elif sees["stock"] == "scarce":
            assert acts == {(0.8, "scarce"): 1.0}
        else:
            wanted = {(0.8, "scarce"): BLUFF, (0.4, "plenty"): 1 - BLUFF}
            assert acts == pytest.approx(wanted)
    assert {"counter" in sees for sees in seen} == {True, False}


def test_a_buyer_counters_a_claim_as_often_as_makes_bluffing_worth_nothing():
    wanted = {
        (0.4, "plenty"): {("accept supplier_0",): 1.0},
        (0.4, "scarce"): {("accept supplier_0",): 1.0},
        (0.8, "plenty"): {("counter supplier_0 at 0.4",): 1.0},
        (0.8, "scarce"): {
            ("accept supplier_0",): ACCEPT, ("counter supplier_0 at 0.4",): 1 - ACCEPT,
        },
    }  # fmt: skip
    found = {(sees["price_0"], sees["claim_0"]): acts for sees, acts in conduct({}, 1)}
    assert found.keys() == wanted.keys()
    for offer, acts in wanted.items():
        assert found[offer] == pytest.approx(acts)


def test_where_haggling_does_not_pay_everybody_asks_the_list_price_and_is_believed():
    dear = {"wait_discount": 0.1, "value": 1.0, "outside_price": 0.5}  # .1 x .6 < .2
    for sees, acts in conduct(dear, 0):
        if "counter" not in sees:
            assert acts == {(0.8, sees["stock"]): 1.0}
    assert all(acts == {("accept supplier_0",): 1.0} for _, acts in conduct(dear, 1))


def test_feigned_disinterest_by_hand():
    for sees, acts in conduct(BRIEF, 0):
        cheap = CHEAP if sees["stated_urgency"] == "calm" else 0.0
        assert acts == pytest.approx({(0.4,): cheap, (0.8,): 1 - cheap} if cheap else {(0.8,): 1})
    for sees, acts in conduct(BRIEF, 1):
        urgent = sees["urgency"] == "urgent"
        if "price_0" in sees:
            buys = urgent or sees["price_0"] == 0.4
            assert acts == {("accept supplier_0" if buys else "walk",): 1.0}
        elif urgent:
            assert acts == pytest.approx({("calm",): FEIGN, ("urgent",): 1 - FEIGN})
        else:
            assert acts == {("calm",): 1.0}


@pytest.mark.parametrize(
    ("keys", "theory"),
    [
        ({}, {"bluff_rate": BLUFF, "accept_rate": ACCEPT}),
        # a cost shifts all prices
        ({"cost": 0.1, "prices": [0.5, 0.9], "value": 1.1, "outside_price": 0.82},
         {"bluff_rate": BLUFF, "accept_rate": ACCEPT}),
        (BRIEF, {"feign_rate": FEIGN, "cheap_rate": CHEAP}),
        ({"suppliers": 2}, {}),
    ],
)  # fmt: skip
def test_figures_of_the_closed_form_are_those_of_its_tables(keys, theory):
    market = make_market("procurement", keys)
    assert market.analysis.theory() == pytest.approx(theory)
    if theory:
        tables = [equilibrium_table(market.config, seat) for seat in market.seats]
        assert market.analysis.policy_figures(tables) == pytest.approx(theory)
    else:
        assert market.analysis.policy_figures([None] * 3) == {}


def test_without_a_closed_form_the_keys_that_are_in_its_way_are_named():
    for keys, line in (
        ({"suppliers": 2}, "no closed form here: suppliers: must be 1, got 2"),
        ({**BRIEF, "counters": True}, "no closed form here: counters: must be false"),
    ):
        market = make_market("procurement", keys)
        with pytest.raises(ConfigError, match=line):
            equilibrium_table(market.config, market.seats[0])


@pytest.mark.parametrize(
    ("keys", "against"),
    [
        ({"value": 0.8}, []),  # exactly the high price
        ({"value": 0.79}, ["value: must be at least the high price 0.8, got 0.79"]),
        ({"outside_price": 0.36}, []),  # exactly .9 x .4
        ({"outside_price": 0.35}, ["outside_price"]),
        ({"outside_price": 0.8}, []),
        ({"outside_price": 0.81}, ["outside_price"]),
        # from cost + .9 (low - cost) on: .1 + .9 x .3 = .37
        ({"cost": 0.1, "outside_price": 0.37}, []),
        ({"cost": 0.1, "outside_price": 0.36}, ["outside_price: must lie in 0.37 .. 0.8"]),
        ({"scarcity": 0}, ["scarcity"]),
        ({"scarcity": 1}, ["scarcity"]),
        ({"counters": False}, ["counters"]),
        ({"cost": 0.4, "outside_price": 0.5}, ["prices: the low one must exceed cost 0.4"]),
        ({"prices": [0.4, 0.6, 0.8]}, ["prices: must be two, got 3"]),
        ({"lead_times": [0, 0]}, []),
        ({"lead_times": [0, 1]}, ["lead_times: must be [0], got [0, 1]"]),
        ({"delays": {}}, ["delays"]),
        ({"clause": {}}, ["clause"]),
        ({"record": "on_time"}, ["record: must be none, got on_time"]),
        ({"claims_heard": False}, ["claims_heard"]),
        ({"urgency": {}}, ["urgency: must be null"]),
        ({"suppliers": 2, "record": "on_time"}, ["suppliers: must be 1, got 2", "record"]),
    ],
)  # fmt: skip
def test_conditions_of_bluffing_at_their_bounds(keys, against):
    found = bluffing_conditions(make_market("procurement", keys).config)
    assert len(found) == len(against)
    assert all(line.startswith(begin) for line, begin in zip(found, against, strict=True))


@pytest.mark.parametrize(
    ("keys", "against"),
    [
        ({}, []),
        ({"urgency": {"urgent": 0.8}}, ["urgency.urgent: must exceed 0.8, got 0.8"]),
        ({"urgency": {"urgent": 0.81}}, []),
        ({"urgency": {"calm": 0.4}}, ["urgency.calm: must lie between 0.4 and 0.8, got 0.4"]),
        ({"urgency": {"calm": 0.8}}, ["urgency.calm: must lie between 0.4 and 0.8, got 0.8"]),
        ({"urgency": {"calm": 0.41}}, []),
        ({"urgency": {"calm": 0.79}}, []),
        ({"counters": True}, ["counters"]),
        ({"scarcity": 0.1}, ["scarcity: must be 0, got 0.1"]),
        ({"brief": False, "false_urgency_fine": 0}, ["brief: must be true"]),
    ],
)
def test_conditions_of_feigned_disinterest_at_their_bounds(keys, against):
    found = disinterest_conditions(make_market("procurement", BRIEF | keys).config)
    assert len(found) == len(against)
    assert all(line.startswith(begin) for line, begin in zip(found, against, strict=True))


# Numbers that a computer holds exactly.
EXACT = {"low": 0.25, "high": 0.5, "value": 0.75, "scarcity": 0.125, "discount": 1.0,
         "stockout": 0.5, "outside": 0.25, "fine": 0.0625}  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "regime"),
    [
        ({}, "mixed"),
        ({"scarcity": 0.25}, "pooling"),  # exactly t = (.5 - .25) / (.5 + .5)
        ({"scarcity": 0.2499}, "mixed"),
        ({"fine": 0.25}, "honest"),  # exactly high - low
        ({"fine": 0.2499}, "mixed"),
        ({"discount": 0.5}, "no haggling"),  # .5 x .5 is exactly v - high
        ({"discount": 0.5001}, "pooling"),  # t is hardly above 0: all scarcity is beyond it
    ],
)
def test_regimes_of_bluffing_at_their_bounds(keys, regime):
    assert bluffing(**(EXACT | keys)).regime == regime


@pytest.mark.parametrize(
    ("keys", "regime", "lie", "cheap"),
    [
        ({}, "mixed", 0.25 * 0.25 / (0.75 * 0.25), 0.5),
        ({"urgent_share": 0.5}, "inert", 1.0, 1.0),  # exactly low / high
        ({"urgent_share": 0.5, "win_weight": -0.125}, "mixed", 0.5, 0.5),  # above 1/3
        ({"urgent_share": 0.75, "win_weight": 0.5}, "inert", 1.0, 1.0),  # exactly .75 / 1
        ({"fine": 0.25}, "honest", 0.0, 1.0),  # exactly high - low
        ({"fine": 0.0}, "babbling", 1.0, 0.0),
    ],
)
def test_regimes_of_feigned_disinterest_at_their_bounds(keys, regime, lie, cheap):
    plain = {"low": 0.25, "high": 0.5, "urgent": 1.0, "calm": 0.375, "urgent_share": 0.75,
             "fine": 0.125}  # fmt: skip
    found = disinterest(**(plain | keys))
    assert found.regime == regime
    assert (found.lie, found.cheap) == pytest.approx((lie, cheap))


# --- what probes ask ------------------------------------------------------------------------------


def test_nature_draws_every_supplier_s_stock_and_lead_time_and_the_buyer_s_urgency():
    keys = {"suppliers": 2, "scarcity": [0.1, 0.5], "lead_times": [3, 1, 0, 1],
            "urgency": {"probability": 0.3}}  # fmt: skip
    analysis = make_market("procurement", keys).analysis
    found = {draw.column: (draw.values, draw.probabilities) for draw in analysis.draws(0)}
    leads = ((0.0, 1.0, 2.0), ((0.25, 0.5, 0.25),))  # positions of 0, 1 and 3 days
    wanted = {at.URGENT: ((0.0, 1.0), ((0.7, 0.3),))}
    for i, scarce in enumerate((0.1, 0.5)):
        wanted[at.supplier(i) + at.STOCK] = ((0.0, 1.0), ((1 - scarce, scarce),))
        wanted[at.supplier(i) + at.LEAD] = leads
    assert found == wanted
    assert analysis.draws(1) == ()
    assert make_market("procurement").analysis.draws(0)[-1].probabilities == ((1.0, 0.0),)
    seats = analysis.market.seats
    assert analysis.part_probabilities(seats[1], "stock") == (0.5, 0.5)
    assert analysis.part_probabilities(seats[0], "stock") == (0.9, 0.1)
    assert analysis.part_probabilities(seats[0], "lead") == (0.25, 0.5, 0.25)
    assert analysis.part_probabilities(seats[2], "urgency") == (0.7, 0.3)
    assert analysis.part_probabilities(seats[2], "price_0") is None
    plain = make_market("procurement")
    assert plain.analysis.part_probabilities(plain.seats[1], "urgency") is None


def test_days_ascend_once_each_whatever_the_order_of_the_list():
    market = make_market("procurement", {"lead_times": [64, 1, 64, 7, 0]})
    assert market.config.days == (0, 1, 7, 64)
    assert market.analysis.draws(0)[1].probabilities == ((0.2, 0.2, 0.2, 0.4),)


@pytest.mark.parametrize(
    ("keys", "luck"),
    [
        ({}, False),
        ({"clause": {"delay_probability": 0.5}}, True),
        ({"clause": {"delay_probability": 0}}, False),
        ({"clause": {"delay_probability": 1}}, False),
        ({"delays": {"probability": 0.5, "days": [2]}}, True),
        ({"delays": {"probability": 1, "days": [2, 2]}}, False),
        ({"delays": {"probability": 1, "days": [2, 9]}}, True),
        ({"delays": {"probability": 0, "days": [2, 9]}}, False),
        ({"delays": {"probability": 0}, "clause": {"delay_probability": 0.5}}, True),
        ({"delays": {"probability": 1}, "clause": {"delay_probability": 0.5}}, True),
    ],
)
def test_there_is_luck_where_customs_or_delays_are_uncertain(keys, luck):
    assert make_market("procurement", keys).analysis.luck == luck


def test_a_deal_is_worth_what_an_urgent_buyer_gets():
    for keys, scale in (({"value": 1.5}, 1.5), ({**BRIEF, "urgency": {"urgent": 1.25}}, 1.25)):
        market = make_market("procurement", keys)
        assert [market.analysis.value_scale(role) for role in market.roles] == [scale, scale]
