"""Every key of every market trains from the command line, on top of the shipped experiments."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support.markets.needed import Entries

from tacit.agents.registry import AGENTS
from tacit.envs.registry import SHIPPED, market_class
from tacit.training.runs.runner import train

pytestmark = pytest.mark.plots("constructed")
SHORT = ("seeds=1", "train.rounds=300", "train.measure_last=100")
SURGE = "market.surge={enter: .2, leave: .4, multiplier: 2}"
SLOTS = ["market.slots=2", "market.click_rates=[1, .5]"]
LEADS = ["market.lead_times=[0, 2]", "market.lead_cost=.1", "market.delay_cost=.1"]
BRIEF = ["market.urgency={probability: .3, urgent: 2, calm: .6}", "market.brief=true"]

TURNS = ["market.timing=alternating", "market.demand=linear", "market.price_range=[1, 2.2]",
         "market.reservation_price=3", "agents.provider.initial_q=0",
         "agents.provider.rewards_between=discounted"]  # fmt: skip
# Keys that do not touch one another share a run.
CLOUD = [
    ["market.providers=3", "market.cost=[1.0, .75, .5]", "market.prices=7"],
    ["market.providers=1", "market.price_range=[1, 2]"],
    ["market.quality=[2, 2.5]", "market.cost=[1.0, .75]"],
    ["market.outside_quality=.5", "market.outside_shock=.1"],
    ["market.differentiation=.1", "market.background_demand=2"],
    ["market.differentiation=0", "market.price_margin=.3"],
    ["market.regions=2", "market.prices=3", "market.region_sizes=[1, .5]"],
    ["market.regions=2", "market.observe=region", "market.cost=[1, 1.2, 1.2, 1]",
     "kpi.provider_0.elsewhere={measure: profit, weight: 1, scope: provider_2}"],
    ["market.demand=unit"],
    ["market.demand=unit", "market.reservation_price=5", "market.memory=0"],
    ["market.demand=linear", "market.cost=.5"],
    TURNS,
    ["market.price_range=[1, 3]", "market.start=competitive"],
    ["market.start=collusive", "market.memory=2", "market.prices=7"],
    ["market.capacity=.4"],
    [SURGE],
    [SURGE, "market.capacity=.5"],
    ["market.surge.multiplier=3", "agents.provider.discount=.9"],
    ["market.surge={enter: .2, lengths: [1, 5], multiplier: [2, 4]}", "market.capacity=1"],
    ["market.tenants=2", "market.capacity=2", "market.critical_probability=.5",
     "market.standard_value=2", "market.critical_value=4", "market.priority_surcharge=.1",
     "market.prices=7"],
    ["market.tenants=2", "kpi.tenant={uptime: 1}", "agents.tenant.discount=.5"],
    ["market.headroom_claims=true"],
    ["market.headroom_claims=true", "market.tenants=1", "market.claims_heard=false"],
    ["market.headroom_claims=true", SURGE, "market.false_headroom_fine=.2"],
    ["agents.provider_1.learning_rate=.05", "agents.provider.update=synchronous"],
    ["agents.provider.exploration=boltzmann", "agents.provider.temperature=.1",
     "agents.provider.temperature_decay=1e-5"],
    ["agents.provider.exploration=constant", "agents.provider.epsilon=.1",
     "agents.provider.initial_q=[0, 1]", "agents.provider.tie_break=random"],
    ["agents.provider.epsilon_decay=1e-3", "agents.provider.epsilon_min=.01",
     "agents.provider.stop_after=50"],
    ["agents.provider_1={name: scripted, rule: tit_for_tat}", "kpi.provider.price_change=-1"],
    ["train.copies=2", "train.episode_rounds=30", "train.evaluate_every=70", "seed=5"],
]  # fmt: skip
TENDER = [
    ["market.suppliers=2", "market.prices=[.2, .5, .9]"],
    ["market.suppliers=3", "market.cost=[.1, .2, .3]"],
    ["market.value=2", "market.cost=.1", "market.scarcity=0"],
    ["market.suppliers=2", "market.scarcity=[.1, 1]", "market.outside_price=.3"],
    ["market.counters=false", "market.wait_discount=.5"],
    ["market.stockout_cost=.4", "market.false_claim_fine=.3"],
    [*LEADS, "market.late_fine=.1"],
    [*LEADS, "market.record=on_time"],
    [*LEADS, "market.delays={probability: .5, days: [1, 3]}"],
    ["market.clause={cost: .1, delay_probability: .2, delay_cost: .3}"],
    ["market.clause.cost=.1", "market.claims_heard=false"],
    ["market.final=true", "market.false_final_fine=.1"],
    BRIEF[:1],
    [*BRIEF, "market.false_urgency_fine=.2"],
    ["kpi.buyer.savings=1", "kpi.supplier.booking=1", "agents.supplier_0.discount=.5"],
    ["agents.buyer={name: scripted, rule: trusting}"],
]
AUCTION = [
    ["market.bidders=3", "market.bids=5"],
    ["market.value={kind: uniform, low: .1, high: .9, levels: 3}"],
    ["market.value.kind=lognormal"],
    ["market.value={kind: lognormal, levels: 4, atoms: [{value: .2, probability: .1}]}"],
    ["market.value={kind: list, values: [.2, .9], probabilities: [.3, .7]}", "market.reserve=.3"],
    ["market.value={kind: list, values: [.2, .9], cycle: [[.3, .7], [.8, .2]]}"],
    ["market.value.value=2", "market.price_mix=1"],
    ["market.value={kind: fixed, values: [1, .4]}"],
    ["market.price_mix=.5", "market.observe=price"],
    SLOTS,
    [*SLOTS, "market.price_mix=1", "market.value.kind=uniform"],
    ["market.click_rates=[2]", "agents.bidder.update=synchronous"],
    ["market.publisher=true", "kpi.publisher.fill=1"],
    ["market.observe=bids", "kpi.bidder.price_change=-1"],
    ["market.chat=2", "market.ties=shared"],
    ["market.extra_bid=out", "market.observe=bids", "market.bids=4"],
    ["market.extra_bid=zero", "market.price_mix=1"],
    ["market.bidders=3", "kpi.bidder_0.mate={measure: profit, weight: 1, scope: bidder_1}"],
    ["agents.bidder_1=banchio"],
]
TALK = [
    ["market.states=3", "market.bias=.3"],
    ["market.actions=5", "kpi.sender.false_claim=-1"],
    ["market.claims_heard=false"],
    ["market.language=given"],
]
HIRES = [
    ["market.tiers=[.1, .3]", "market.share_b=.3", "kpi.employer.hire_cost=-1"],
    ["market.output=[2]", "market.outside=[[0, .5]]", "market.low_outside=[.5, 1]"],
    ["market.group_seen=false"],
]
SHIPMENTS = [
    ["market.carriers=2", "market.shippers=3", "market.offers=[0, .2, .4]"],
    ["market.urgent_value=2", "market.calm_value=.1", "market.urgent_probability=.3"],
    ["market.false_claim_fine=.3", "kpi.carrier.urgent_served=1"],
    ["market.claims_heard=false"],
]
OUTPUTS = [
    ["market.firms=3", "market.output_range=[20, 90]"],
    ["market.demand=400", "market.cost=20"],
    ["market.demand_shock=10"],
    ["market.demand_shock=10", "market.monitoring=imperfect"],
    ["market.monitoring=none", "market.outputs=5"],
    ["kpi.firm.quantity=1"],
]
SETTINGS = Entries(
    "tests/training/config/test_keys.py: SETTINGS", {
    "cloud_bandwidth": CLOUD, "procurement": TENDER, "ad_auction": AUCTION, "cheap_talk": TALK,
    "quantity_competition": OUTPUTS, "hiring": HIRES, "delivery_slots": SHIPMENTS,
}
)  # fmt: skip
# the experiments that keys are set on top of, and the arm of each
EXPERIMENTS = [
    ("calvano_baseline", "base", CLOUD),
    ("procurement", "base", TENDER),
    ("overpromise", "booking", TENDER[:3]),
    ("missing_clause", "savings", [TENDER[0], TENDER[2]]),
    ("ad_auction", "base", AUCTION),
    ("volatility_kpi", "second_1", AUCTION[:3]),
    ("banchio_skrzypacz", "feedback", AUCTION[:2]),
    ("quantity_competition", "base", OUTPUTS),
    ("cheap_talk", "bias_.1", TALK),
    ("cost_of_hire", "cost", HIRES),
    ("priority_claims", "promise", SHIPMENTS),
]  # fmt: skip
RUNS = [
    pytest.param(name, arm, settings, id=" ".join([name, *settings]))
    for name, arm, each in EXPERIMENTS
    for settings in each
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arm", "settings"), RUNS)
def test_it_trains_and_is_measured(name: str, arm: str, settings: list[str], tmp_path: Path):
    arms = [] if arm == "base" else [arm]
    found = train(name, [*SHORT, *settings], arms=arms, results=tmp_path)
    measures = found["measures"] if arm == "base" else found["arms"][arm]["measures"]
    means = {k: entry["mean"] for k, entry in measures.items()}
    market = market_class(found["market"] if arm == "base" else found["arms"][arm]["market"])
    assert math.isfinite(means[market.headline])
    assert all(math.isfinite(v) for k, v in means.items() if k.startswith("welfare"))


@pytest.mark.parametrize("name", SHIPPED)
def test_no_key_of_a_market_is_left_out(name):
    tried = {s.split("=")[0].split(".")[1] for each in SETTINGS[name] for s in each
             if s.startswith("market.")}  # fmt: skip
    assert tried == set(market_class(name).model.model_fields)


def test_no_key_of_the_learner_is_left_out():
    tried = {s.split("=")[0].split(".")[2] for each in CLOUD for s in each
             if s.startswith("agents.") and s.split("=")[0].count(".") == 2}  # fmt: skip
    assert tried == set(AGENTS["q_learning"].model_fields) - {"name"}
