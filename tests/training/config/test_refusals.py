"""What a market refuses, as a user meets it: field, bound and value; and what an experiment asks of
its market."""

from __future__ import annotations

import pytest
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import mistakes, write

from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.config.names import arm_mistake, folder_mistake

CLOUD, TENDER = "calvano_baseline", "procurement"
SUPPLIERS = ["market.suppliers=4", "market.prices=[.1,.2,.3,.4,.5]", "market.lead_times=[0,1,2,3]"]
TRIVIAL = "everybody is served, so priority is worth nothing; this experiment requires 'rationing'."
# an experiment, what is set on top of it, and the message
REFUSED = [
    (TENDER, ["market.prices=[.8,.4]"], "market.prices: must ascend, but 0.8 stands before 0.4."),
    (TENDER, ["market.prices=[]"], "market.prices: is empty: it must list at least one."),
    (TENDER, ["market.prices=.4"], "market.prices: must be a list, got 0.4."),
    (CLOUD, ["market.price_range=[2,1]"],
     "market.price_range: low must be below high, got [2.0, 1.0]."),
    (CLOUD, ["market.price_range=[]"], "market.price_range: has too few entries: []."),
    (CLOUD, ["market.price_range=[1,2,3]"],
     "market.price_range: must have at most 2, got 3: [1, 2, 3]."),
    ("ad_auction", ["market.value={kind: list, values: [2,1]}"],
     "market.value.values: must ascend, got [2.0, 1.0]."),
    (TENDER, ["market.scarcity=1.5"], "market.scarcity: must be less than or equal to 1, got 1.5."),
    (TENDER, ["market.suppliers=2", "market.scarcity=[.5,-1]"],
     "market.scarcity.1: must be greater than or equal to 0, got -1."),
    (TENDER, ["market.urgency={probability: 2}"],
     "market.urgency.probability: must be less than or equal to 1, got 2."),
    (TENDER, ["market.clause.delay_probability=-1"],
     "market.clause.delay_probability: must be greater than or equal to 0, got -1."),
    (CLOUD, ["market.critical_probability=1.2"],
     "market.critical_probability: must be less than or equal to 1, got 1.2."),
    (CLOUD, ["market.surge.enter=0"], "market.surge.enter: must be greater than 0, got 0."),
    (CLOUD, ["market.surge=true"], "market.surge: must be a table of keys, got True."),
    ("ad_auction", ["market.price_mix=-.1"],
     "market.price_mix: must be greater than or equal to 0, got -0.1."),
    (CLOUD, ["market.cost=[1.0]"],
     "market.cost: must have one entry for each of 2 providers, got 1: [1.0]."),
    (CLOUD, ["market.providers=3", "market.quality=[2,2]"],
     "market.quality: must have one entry for each of 3 providers, got 2: [2.0, 2.0]."),
    (TENDER, ["market.cost=[.1,.2]"],
     "market.cost: must be one number, or a list with one for each of 1 suppliers, got 2: "
     "[0.1, 0.2]."),
    ("ad_auction", ["market.slots=2"], "market.click_rates: must be as many as slots (2), got 1."),
    (CLOUD, ["market.capacity=0"], "market.capacity: must be greater than 0, got 0."),
    (CLOUD, ["market.capacity=-2"], "market.capacity: must be greater than 0, got -2."),
    (CLOUD, ["market.memory=5"], "market.memory: must be less than or equal to 2, got 5."),
    (CLOUD, ["market.differentiation=0", "market.capacity=.5"],
     "market.capacity: 0.5 binds (demand up to 1) and products are homogeneous: no equilibrium in "
     "pure strategies exists. Set differentiation above 0 with logit demand, or capacity at least "
     "1."),
    (CLOUD, ["market.providers=4", "market.memory=2"],
     "market: a provider would see 2,562,890,625 observations, more than 16,777,216. Use memory 1 "
     "or 0, fewer prices, or fewer providers."),
    (CLOUD, ["market.providers=3", "market.memory=2"],
     "market: policy tables would hold 512,578,125 numbers, more than 67,108,864: each provider "
     "sees 11,390,625 observations and has 15 actions. Use memory 1 or 0, fewer prices, or fewer "
     "providers."),
    (TENDER, [*SUPPLIERS, "market.clause={}"],
     "market: a buyer would see 40,960,002 observations, more than 16,777,216. Each of 4 suppliers "
     "adds 5 x 2 x 4 x 2 offers. Use fewer suppliers or prices, group `lead_times`, or drop the "
     "clause, the record, or stock (scarcity: 0)."),
    ("ad_auction", ["market.bidders=8", "market.observe=bids"],
     "market: a bidder would see 25,600,000,000 observations, more than 16,777,216. Use `observe: "
     "price`, fewer bidders, or fewer bids, value levels or chat tokens."),
    ("surge_priority", ["market.capacity=6"],
     f"market.capacity: must be below tenants + background_demand (6 + 0), got 6: {TRIVIAL}"),
    ("surge_priority", ["market.capacity=null"],
     f"market.capacity: must be below tenants + background_demand (6 + 0), got null: {TRIVIAL}"),
    ("surge_priority", ["market.background_demand=2", "market.capacity=8"],
     f"market.capacity: must be below tenants + background_demand (6 + 2), got 8: {TRIVIAL}"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "settings", "line"), REFUSED)
def test_the_message_has_field_bound_and_value(config, settings, line):
    assert mistakes(*settings, config=config) == [line]


def test_the_command_line_says_so_and_ends_with_2(tmp_path, monkeypatch, capsys):
    tacit = Terminal(tmp_path, monkeypatch, capsys)
    (line,) = mistake_lines(tacit("train", "surge_priority", "market.capacity=6"))
    assert line.endswith(TRIVIAL)
    assert list(tmp_path.iterdir()) == []


# --- what an experiment requires -----------------------------------------------------------------


def test_scarce_capacity_is_what_rationing_needs():
    for settings in (["market.capacity=5"], ["market.capacity=6", "market.background_demand=2"]):
        assert load("surge_priority", settings, arms=["uptime_.4"]).arms
    assert not make_market("cloud_bandwidth", {"tenants": 2, "capacity": 2}).conditions()[
        "rationing"
    ]  # (background demand of 1 is in the way)
    (line,) = make_market("cloud_bandwidth").conditions()["rationing"]
    assert line == "tenants: must be at least 1, got 0: nobody asks for priority"


CLOSED = """
market: procurement
requires: [bluffing]
arms: {plain: {}, poor: {market.outside_price: 0.3}}
"""


def test_an_experiment_may_insist_on_a_closed_form(tmp_path):
    path = write(tmp_path / "x.yaml", CLOSED)
    outside = (
        "must lie in 0.36 .. 0.8 (wait_discount x low price .. high price), got {}; this "
        "experiment requires 'bluffing'."
    )
    assert mistakes(config=path) == [f"arms.poor: market.outside_price: {outside.format('0.3')}"]
    assert load(path, arms=["plain"]).arms
    found = mistakes("market.outside_price=.9", config=path)
    assert found == [f"market.outside_price: {outside.format('0.9')}"]


def test_an_unknown_condition_is_reported_with_the_nearest(tmp_path):
    path = write(tmp_path / "x.yaml", "market: procurement\nrequires: [blufing]")
    line = "requires: procurement has no 'blufing'. Did you mean 'bluffing'?"
    assert mistakes(config=path) == [line]
    line = "requires: ad_auction has no 'blufing'. There are none."
    assert mistakes("market={name: ad_auction}", config=path) == [line]
    path = write(tmp_path / "x.yaml", "market: procurement\nrequires: bluffing")
    assert mistakes(config=path) == ["requires: must be a list, got 'bluffing'."]


# --- whose mistake it is -------------------------------------------------------------------------

ARMS = """
market: ad_auction
arms:
  a: {market.slots: 2}
  b: {kpi.bidder.wni: 1, agents.bidder.epslon: 3}
  c: {kpi.bidder.wni: 1}
  d: {}
"""


def test_a_mistake_in_an_arm_s_own_settings_names_the_arm(tmp_path):
    path = write(tmp_path / "x.yaml", ARMS)
    own = [
        "arms.a: market.click_rates: must be as many as slots (2), got 1.",
        "arms.b, c: kpi.bidder.wni: unknown measure of ad_auction. Did you mean 'win'?",
        "arms.b: agents.bidder.epslon: unknown key. Did you mean 'epsilon'?",
    ]
    assert mistakes(config=path) == own
    assert mistakes(config=path, arms=["c"]) == [own[1].replace("b, c", "c")]
    everybody = "train.rounds: must be greater than or equal to 1, got 0."
    assert sorted(mistakes("train.rounds=0", config=path)) == sorted([everybody, *own])


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        *((taken, "is kept for a file of the run") for taken in (
            "config.yaml", "incentives.json", "summary.json", "ledger.jsonl", "seals.json",
            "Seals.JSON", "events.out.x", "curves.out.", "a.png", "B.TMP", "x.lock",
        )),
        *((free, None) for free in ("config", "png", "events.out", "a.png.b", "base", "x" * 100)),
        ("_band", "begins with an underscore"),
        ("x" * 101, "is longer than 100 bytes"),
        ("\u00e9" * 51, "is longer than 100 bytes"),
        (".x", "begins with a dot or a dash"),
        ("-x", "begins with a dot or a dash"),
        ("a/b", "holds a space, a slash or a backslash"),
        ("a\\b", "holds a space, a slash or a backslash"),
        ("a b", "holds a space, a slash or a backslash"),
        ("a\x1b", "holds characters that cannot be printed"),
        ("", "is no name"),
        (3, "is no name"),
    ],
)  # fmt: skip
def test_an_arm_has_a_name_that_no_file_of_the_run_has(name, mistake):
    assert arm_mistake(name) == mistake
    if mistake not in ("is kept for a file of the run", "begins with an underscore"):
        assert folder_mistake(name) == mistake
