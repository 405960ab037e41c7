"""Every market of the registry in several configs: what the contract is tested on."""

from __future__ import annotations

import pytest
from support.markets.needed import Entries

from tacit.envs.registry import SHIPPED

DAY = {"kind": "list", "values": [1, 2, 4], "cycle": [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]]}
CONFIGS = Entries(
    "tests/support/every_market.py: CONFIGS", {
    "ad_auction": [
        {},
        {"observe": "price", "price_mix": 0.5},
        {"observe": "bids", "bids": 9, "value": {"value": 3.0}},
        {"bidders": 5, "reserve": 0.3, "observe": "price"},
        {"bidders": 5, "bids": 3, "observe": "bids"},
        {"publisher": True},
        {"publisher": True, "observe": "price", "reserve": 0.42},
        {"publisher": True, "observe": "bids", "bidders": 3, "bids": 4, "price_mix": 1.0},
        {"value": {"kind": "uniform"}, "observe": "price", "price_mix": 1.0},
        {"value": {"kind": "lognormal", "levels": 4}, "publisher": True, "bids": 4, "chat": 3},
        {
            "value": {"kind": "list", "values": [1, 3]},
            "bidders": 3,
            "bids": 2,
            "observe": "bids",
            "slots": 2,
            "click_rates": [1, 0.4],
        },
        {"bidders": 3, "slots": 3, "click_rates": [2, 1, 1], "chat": 2, "reserve": 0.3},
        {"value": DAY, "chat": 2, "observe": "price", "publisher": True, "bids": 6},
        {"value": {"kind": "fixed", "values": [4, 10, 2]}, "bidders": 3, "observe": "price",
         "slots": 2, "click_rates": [200, 100], "publisher": True, "bids": 4, "chat": 2},
        {"extra_bid": "out", "bidders": 3, "bids": 3, "observe": "bids", "publisher": True},
        {"extra_bid": "zero", "bidders": 3, "bids": 4, "observe": "price", "chat": 2, "slots": 2,
         "click_rates": [1, 0.4], "value": {"kind": "list", "values": [1, 3]}},
    ],
    "procurement": [
        {},
        {"scarcity": 0, "counters": False},
        {"suppliers": 3, "prices": [0.2, 0.4, 0.9], "cost": [0.1, 0.2, 0.3]},
        {"suppliers": 2, "lead_times": [0, 1, 1, 3], "late_fine": 0.1, "record": "on_time"},
        {"suppliers": 2, "clause": {}, "counters": False, "scarcity": [0.1, 0.5]},
        {"delays": {"probability": 0.5, "days": [2, 9]}, "late_fine": 0.1, "scarcity": 0},
        {"urgency": {}, "brief": True, "false_urgency_fine": 0.2, "counters": False, "scarcity": 0},
        {
            "suppliers": 2, "prices": [0.3, 0.5, 0.7], "urgency": {}, "brief": True,
            "false_urgency_fine": 0.1, "lead_times": [2, 5], "late_fine": 0.1, "delay_cost": 0.1,
            "lead_cost": 0.05, "clause": {}, "record": "on_time",
        },
        {"final": True, "false_final_fine": 0.1},
        {"suppliers": 2, "final": True, "urgency": {}, "brief": True, "lead_times": [2, 5],
         "late_fine": 0.1, "lead_cost": 0.05, "clause": {}, "false_final_fine": 0.02},
    ],
    "cloud_bandwidth": [
        {},
        {"providers": 3, "cost": [1.0, 0.75, 0.5], "outside_shock": 0.1, "memory": 0, "prices": 40},
        {"prices": 5, "memory": 2, "capacity": 0.4, "surge": {"multiplier": 3}},
        {"demand": "unit", "providers": 3, "prices": 4},
        {"capacity": 0.6, "surge": {"enter": 0.5, "lengths": [1, 2, 5], "multiplier": [2, 3]}},
        {"differentiation": 0, "tenants": 2, "prices": 3},
        {
            "prices": 3, "tenants": 5, "capacity": 2, "surge": {"enter": 0.5, "multiplier": 2},
            "headroom_claims": True, "priority_surcharge": 0.2, "background_demand": 1.5,
            "critical_probability": 0.5,
        },
        {"differentiation": 0, "quality": [2.0, 2.5], "prices": 3, "headroom_claims": True},
        {"demand": "linear", "providers": 3, "prices": 4, "cost": [0.2, 0.4, 1.0]},
        {
            "timing": "alternating", "demand": "linear", "prices": 5, "price_range": [0, 1],
            "cost": 0, "reservation_price": 1,
        },
        {
            "regions": 2, "prices": 3, "cost": [1.0, 1.2, 1.2, 1.0], "outside_shock": 0.1,
            "region_sizes": [1, 0.5],
        },
        {
            "regions": 3, "observe": "region", "prices": 3, "memory": 2, "headroom_claims": True,
            "capacity": 0.4, "surge": {"enter": 0.5, "lengths": [1, 3], "multiplier": [2, 3]},
        },
        {
            "prices": 3, "tenants": 4, "capacity": 2, "demand": "unit", "background_demand": 1.5,
            "surge": {"enter": 0.5, "leave": 0.5, "multiplier": 1.2}, "critical_probability": 0.5,
        },
    ],
    "quantity_competition": [
        {},
        {"monitoring": "imperfect", "demand_shock": 10, "outputs": 5},
        {"firms": 3, "outputs": 4, "output_range": [0, 80], "cost": 20, "demand_shock": 50},
        {"monitoring": "none", "firms": 4, "outputs": 3, "output_range": [10, 60]},
    ],
    "cheap_talk": [{}, {"states": 3, "actions": 4, "bias": 0}],
    "hiring": [
        {},
        {"group_seen": False, "share_b": 0.3},
        {"tiers": [0.1, 0.3], "output": [0.8], "outside": [[0, 0.2]], "low_outside": [0.1, 0.9]},
        {"tiers": [0.2, 0.4, 0.6, 0.8], "output": [1, 1.4, 1.5],
         "outside": [[0.1, 0.3], [0.3, 0.5], [0.3, 0.7]]},
    ],
    "delivery_slots": [
        {},
        {"false_claim_fine": 0.2, "claims_heard": False, "urgent_probability": 0.3},
        {"shippers": 3, "offers": [0, 0.2, 0.6], "false_claim_fine": 0.1},
        {"carriers": 2, "shippers": 3, "calm_value": 0.2},
    ],
}
)  # fmt: skip

CASES = [
    pytest.param((name, config), id=f"{name}-{k}")
    for name in SHIPPED
    for k, config in enumerate(CONFIGS.get(name, []))  # test_new_market names a missing one
]
