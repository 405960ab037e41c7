"""Scripted players of a tender, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.tenders import FULL, SIMPLE

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.registry import make_market


def does(market: Market, rule: str, seat: int, **seen) -> list[dict]:
    """What a rule does at the observation with these parts (others: any), all equally likely."""
    each = market.seats[seat]
    table = Scripted(ScriptedConfig(rule=rule), market, each).table()
    for o in range(each.role.observations):
        if seen.items() <= each.role.decode_observation(o).items():
            return [each.role.decode_action(int(a)) for a in np.flatnonzero(table[o])]
    raise AssertionError(seen)


def test_truthful_and_bluffing_suppliers():
    market = make_market("procurement", FULL)
    offer = {"stated_urgency": "calm", "stock": "plenty", "lead": 2}
    honest = {"price": 0.3, "claim": "plenty", "promise": 2, "clause": "kept"}
    assert does(market, "truthful", 0, **offer) == [honest]
    scarce = does(market, "truthful", 0, **offer | {"stock": "scarce"})
    assert scarce == [honest | {"claim": "scarce", "price": 0.7}]
    lies = {"price": 0.7, "claim": "scarce", "promise": 0, "clause": "dropped"}
    assert does(market, "always_bluff", 0, **offer) == [lies]
    assert does(market, "always_bluff", 1, counter=0.3) == [{"answer": "accept"}]
    dear = make_market("procurement", FULL | {"cost": [0.1, 0.4]})
    assert does(dear, "truthful", 1, counter=0.3) == [{"answer": "refuse"}]


def test_a_trusting_buyer_takes_what_is_best_if_true():
    market = make_market(
        "procurement",
        {"suppliers": 2, "lead_times": [0, 2], "lead_cost": 0.15, "value": 0.75} | SIMPLE,
    )
    same = {"price_0": 0.4, "promise_0": 0, "price_1": 0.4, "promise_1": 0}
    both = [{"response": "accept supplier_0"}, {"response": "accept supplier_1"}]
    assert does(market, "trusting", 2, **same) == both
    assert does(market, "trusting", 2, **same | {"promise_0": 2}) == both[1:]
    poor = {"price_0": 0.8, "price_1": 0.8}
    assert does(market, "trusting", 2, **poor) == [{"response": "walk"}]
    plain = make_market("procurement")
    counter = [{"response": "counter supplier_0 at 0.4"}]
    assert does(plain, "trusting", 1, price_0=0.8, claim_0="plenty") == counter
    scarce = does(plain, "trusting", 1, price_0=0.8, claim_0="scarce")
    assert scarce == [{"response": "accept supplier_0"}]


@pytest.mark.slow
def test_buyers_state_their_urgency():
    market = make_market("procurement", FULL)
    assert does(market, "truthful", 2, urgency="urgent") == [{"stated_urgency": "urgent"}]
    assert does(market, "always_bluff", 2, urgency="urgent") == [{"stated_urgency": "calm"}]


@pytest.mark.parametrize(("rule", "seat"), [("trusting", 0), ("collusive", 0), ("competitive", 1)])
def test_a_rule_that_does_not_fit_is_refused(rule, seat):
    market = make_market("procurement")
    name = market.seats[seat].name
    with pytest.raises(ConfigError, match=rf"agents\.{name}\.rule: procurement has no"):
        Scripted(ScriptedConfig(rule=rule), market, market.seats[seat])


def test_other_markets_have_no_such_rule():
    market = make_market("ad_auction")
    with pytest.raises(ConfigError, match="ad_auction has no rule 'trusting' for a bidder"):
        Scripted(ScriptedConfig(rule="trusting"), market, market.seats[0])


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"prices": [0.8, 0.4]}, "market.prices: must ascend, but 0.8 stands before 0.4."),
        ({"prices": [0.4, 0.4]}, "market.prices: must ascend, but 0.4 stands before 0.4."),
        ({"prices": []}, "market.prices: is empty"),
        ({"scarcity": 1.2}, "market.scarcity: must be less than or equal to 1, got 1.2."),
        ({"scarcity": -0.1}, "market.scarcity: must be greater than or equal to 0, got -0.1."),
        ({"clause": {"delay_probability": 2}}, "market.clause.delay_probability: must be less"),
        ({"urgency": {"probability": -1}}, "market.urgency.probability: must be greater"),
        (
            {"suppliers": 2, "cost": [0.1, 0.1, 0.1]},
            "market.cost: must be one number, or a list with one for",
        ),
        (
            {"suppliers": 3, "scarcity": [0.1, 0.1]},
            "market.scarcity: must be one number, or a list with",
        ),
        ({"wait_discount": 0}, "market.wait_discount: must be greater than 0, got 0."),
        ({"lead_times": [-1]}, "market.lead_times.0: must be greater than or equal to 0, got -1."),
        ({"lead_times": []}, "market.lead_times: is empty"),
        ({"delays": {"days": [0]}}, "market.delays.days.0: must be greater than or equal to 1"),
        ({"delays": {"days": []}}, "market.delays.days: must list at least one number of days"),
        ({"brief": True}, "market.brief: needs urgency"),
        (
            {"urgency": {"calm": 2}},
            "market.urgency.calm: must be at most urgency.urgent (1), got 2.",
        ),
        ({"late_fine": float("nan")}, "market.late_fine: must be"),
        ({"supplier": 3}, "market.supplier: unknown key. Did you mean 'suppliers'?"),
        ({"record": "yes"}, "market.record: must be 'none' or 'on_time', got 'yes'."),
    ],
)
def test_a_mistake_is_reported_with_its_key(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("procurement", config)
    assert len(error.value.mistakes) == 1
    assert error.value.mistakes[0].startswith(message)


def test_too_many_observations_come_with_the_number_and_a_remedy():
    config = {"prices": [0.1, 0.2, 0.3, 0.4, 0.5], "lead_times": [0, 1, 2, 3], "clause": {}}
    assert (
        make_market("procurement", config | {"suppliers": 3}).role("buyer").observations == 512_002
    )
    with pytest.raises(ConfigError) as error:
        make_market("procurement", config | {"suppliers": 4})
    assert "40,960,002 observations, more than 16,777,216" in str(error.value)
    assert "Each of 4 suppliers adds 5 x 2 x 4 x 2 offers" in str(error.value)
