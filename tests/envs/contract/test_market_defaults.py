"""What a key of a market is where nobody sets it: with another default, old files mean others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.markets.needed import Entries

from tacit.envs.errors import ConfigError
from tacit.envs.registry import SHIPPED, make_market

DEFAULTS = Entries(
    "tests/envs/contract/test_market_defaults.py: DEFAULTS", {
    "ad_auction": {
        "bidders": 2, "value": {"kind": "common", "value": 1.0}, "bids": 19, "price_mix": 0.0,
        "slots": 1, "click_rates": (1.0,), "reserve": 0.0, "publisher": False, "ties": "sampled",
        "observe": "none", "extra_bid": "none", "chat": 0,
    },
    "procurement": {
        "suppliers": 1, "prices": (0.4, 0.8), "value": 1.0, "urgency": None, "cost": (0.0,),
        "scarcity": (0.2,), "outside_price": 0.72, "counters": True, "wait_discount": 0.9,
        "stockout_cost": 0.2, "false_claim_fine": 0.05, "lead_times": (0,), "delays": None,
        "lead_cost": 0.0, "delay_cost": 0.0, "late_fine": 0.0, "clause": None, "record": "none",
        "brief": False, "false_urgency_fine": 0.0, "claims_heard": True,
        "final": False, "false_final_fine": 0.0,
    },
    "cloud_bandwidth": {
        "providers": 2, "regions": 1, "observe": "all", "region_sizes": None,
        "quality": 2.0, "cost": 1.0, "outside_quality": 0.0, "outside_shock": 0.0,
        "differentiation": 0.25, "demand": "logit", "reservation_price": 2.0,
        "timing": "simultaneous", "background_demand": 1.0, "prices": 15, "price_margin": 0.1,
        "price_range": None, "memory": 1, "start": "random", "capacity": None, "surge": None,
        "tenants": 0, "critical_probability": 0.3, "standard_value": 1.0, "critical_value": 3.0,
        "priority_surcharge": 0.0, "headroom_claims": False, "false_headroom_fine": 0.05,
        "claims_heard": True,
    },
    "quantity_competition": {
        "firms": 2, "demand": 300.0, "demand_shock": 0.0, "cost": 0.0, "outputs": 15,
        "output_range": (70.0, 105.0), "monitoring": "perfect",
    },
    "cheap_talk": {
        "states": 6, "actions": 11, "bias": 0.1, "language": "free", "claims_heard": True,
    },
    "hiring": {
        "tiers": (0.2, 0.4, 0.6), "output": (1.0, 1.4), "outside": ((0.1, 0.3), (0.3, 0.5)),
        "low_outside": (0.2, 0.65), "share_b": 0.5, "group_seen": True,
    },
    "delivery_slots": {
        "carriers": 1, "shippers": 2, "offers": (0.1, 0.5), "urgent_value": 1.0,
        "calm_value": 0.4, "urgent_probability": 0.5, "false_claim_fine": 0.0,
        "claims_heard": True,
    },
}
)  # fmt: skip

# Keys that are tables themselves: what is given, and what all of the table is then.
TABLES = [
    (
        "ad_auction", "value", {"kind": "uniform"},
        {"kind": "uniform", "low": 0.2, "high": 1.0, "levels": 5},
    ),
    (
        "ad_auction", "value", {"kind": "lognormal"},
        {"kind": "lognormal", "mu": -0.7, "sigma": 0.5, "cap": 1.0, "levels": 10, "atoms": ()},
    ),
    (
        "ad_auction", "value", {"kind": "list", "values": [0.5, 1]},
        {"kind": "list", "values": (0.5, 1.0), "probabilities": None, "cycle": None},
    ),
    (
        "cloud_bandwidth", "surge", {},
        {"enter": 0.05, "leave": 0.25, "multiplier": 2.0, "lengths": None},
    ),
    ("procurement", "urgency", {}, {"probability": 0.5, "urgent": 1.0, "calm": 0.5}),
    ("procurement", "delays", {}, {"probability": 0.1, "days": (7,)}),
    ("procurement", "clause", {}, {"cost": 0.05, "delay_probability": 0.3, "delay_cost": 0.6}),
]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_every_key_has_its_default(name):
    assert make_market(name).config.model_dump() == DEFAULTS[name]


@pytest.mark.parametrize(("name", "key", "given", "whole"), TABLES)
def test_every_key_of_a_table_has_its_default(name, key, given, whole):
    assert make_market(name, {key: given}).config.model_dump()[key] == whole


def places(keys: Any) -> Iterator[tuple[Any, Any]]:
    """Every table or list in keys with each key or position of a number in it."""
    for key in keys if isinstance(keys, dict) else range(len(keys)):
        if isinstance(keys[key], dict | list):
            yield from places(keys[key])
        elif type(keys[key]) in (int, float):
            yield keys, key


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [2.0**53, 1e100, 1e308])
@pytest.mark.parametrize("market", SHIPPED)
def test_a_number_however_large_is_refused_in_words_or_nothing_overflows(market, number):
    keys = make_market(market).config.model_dump(mode="json")
    refused = 0
    for node, key in places(keys):
        kept, node[key] = node[key], number
        try:
            make_market(market, keys)
        except ConfigError:
            refused += 1
        node[key] = kept
    assert refused == len([*places(keys)]) or number < 1e308
