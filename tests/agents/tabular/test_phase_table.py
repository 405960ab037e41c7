"""Rounds of several phases that are looked up are the rounds that the kernels play, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.groups import (
    PUBLISHER,
    assert_resumed_alike,
    assert_runs_alike,
    assert_same,
    assert_stop_alike,
    figure_sums,
)
from support.play import random_actions
from support.toy_markets.errand import Errand
from support.toy_markets.overheard import Overheard
from support.toy_markets.solvable import Solvable

from tacit.agents.policy import uniform
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular import group as tabular
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.lookup.lots import lots_by_phase
from tacit.agents.tabular.lookup.phase_table import PhaseTable, estimated_cells
from tacit.envs import kpi, rng
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Lot, Market
from tacit.envs.one_file.hiring import Hiring
from tacit.envs.registry import make_market
from tacit.training.config.load import load

TENDER = {"prices": [0.4, 0.7]}
PAIR = {"suppliers": 2, "counters": False, "scarcity": 0, "prices": [0.3, 0.5]}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "hiring": ("hiring", {}),
    "hiring, no group seen": ("hiring", {"group_seen": False, "low_outside": [0.0, 1.0]}),
    "delivery": ("delivery_slots", {}),
    "delivery, two carriers": ("delivery_slots", {"carriers": 2, "offers": [0.1]}),
    "cheap talk": ("cheap_talk", {}),
    "tender": ("procurement", TENDER),
    "tender, brief": (
        "procurement", {"scarcity": 0, "counters": False, "brief": True, "urgency": {}},
    ),
    "tender, final prices": ("procurement", {"final": True, "prices": [0.4, 0.7]}),
    "tender, clause": ("procurement", PAIR | {"clause": {}}),
    "tender, record, delays": (
        "procurement",
        PAIR | {"lead_times": [0, 2], "record": "on_time", "prices": [0.5],
                "delays": {"probability": 0.2, "days": [1, 2]}},
    ),
    "auction, floor": ("ad_auction", PUBLISHER),
    "auction, chat": ("ad_auction", {"bids": 3, "chat": 2, "observe": "price"}),
}  # fmt: skip
DISCOUNTED = Q(
    epsilon_decay=0.01, epsilon_min=0.05, initial_q=0, discount=0.9, rewards_between="discounted"
)
AGENTS = {
    "patient": Q(epsilon_decay=0.01, epsilon_min=0.05, initial_q=0, discount=0.8),
    "rewards discounted": DISCOUNTED,
    "softly": Q(exploration="boltzmann", temperature=0.2, initial_q=(0, 1)),
}
EVERY = [("patient", case) for case in CASES] + [
    (agent, case) for agent in list(AGENTS)[1:] for case in ("tender", "hiring", "auction, floor")
]


def learners(case: str, look_up: str, agent: str = "patient", **keys: Any) -> TabularGroup:
    market = make_market(*CASES[case])
    agents = {seat.name: AGENTS[agent] for seat in market.seats}
    return grouped(market, agents, look_up, **keys)


def grouped(market: Market, agents: dict[str, Any], look_up: str, **keys: Any) -> TabularGroup:
    each = TabularGroup(market, kpi.resolve(market, None), agents, 3, **keys)
    each.look_up = look_up  # type: ignore[assignment]
    return each


def assert_alike(looked: TabularGroup, played: TabularGroup) -> None:
    assert_runs_alike(looked, played)
    assert isinstance(looked.lookup_table, PhaseTable)
    assert played.lookup_table is None
    assert played.read()[0].any()


@pytest.mark.parametrize(("agent", "case"), EVERY)
def test_rounds_looked_up_are_those_that_the_kernels_play(agent, case):
    assert_alike(*(learners(case, look_up, agent) for look_up in ("always", "never")))


@pytest.mark.parametrize("fixed", ["script", "table"])
def test_seats_that_do_not_learn(fixed):
    market = make_market("hiring", {})
    agents: dict[str, Any] = {"employer_0": AGENTS["patient"]}
    keys: dict[str, Any] = {}
    if fixed == "script":
        agents["candidate_0"] = ScriptedConfig(rule="random")
    else:
        keys["fixed_tables"] = {"candidate_0": uniform(market.roles[1])}
    assert_alike(*(grouped(market, agents, look_up, **keys) for look_up in ("always", "never")))


def test_a_seat_that_acts_in_two_phases(monkeypatch):
    monkeypatch.setattr(Solvable, "play_lots", ())
    market = Solvable({"game": "chain"})
    assert_alike(*(grouped(market, {"player_0": DISCOUNTED}, x) for x in ("always", "never")))


def test_both_stop_in_the_same_round():
    market = make_market("hiring", {})
    agents = {s.name: Q(stop_after=150, epsilon_decay=0.05, initial_q=5) for s in market.seats}
    assert_stop_alike(*(grouped(market, agents, look_up) for look_up in ("always", "never")))


@pytest.mark.parametrize("rounds", [256, 257, 100])
def test_saved_in_the_middle_either_goes_on_with_the_other(rounds):
    assert_resumed_alike(lambda look_up: learners("tender", look_up), rounds)


def test_sums_that_begin_apart_are_played_by_the_kernels():
    looked, played = (learners("hiring", each) for each in ("always", "never"))
    looked.run(400)
    table = looked.lookup_table
    assert table is not None
    state = looked.state()
    state["q_arrays.score_sums"] += np.arange(len(state["q_arrays.score_sums"]))
    for each in (looked, played):
        each.load(state)
    assert table.columns.sums_of(figure_sums(looked)) is None
    assert_runs_alike(looked, played)


# --- what is drawn -----------------------------------------------------------------------------


def outcomes(lots, keys, round_: int, phase: int) -> np.ndarray:
    """What is drawn with each key, a row for each lot, and one of zeros."""
    for number in (0, round_, phase):
        keys = rng.child_keys(keys, np.array([number]))
    rows = [np.searchsorted(lot.edges, rng.draws_of(keys, lot.slot), "right") for lot in lots]
    return np.array([*rows, np.zeros(len(keys))])


@pytest.mark.parametrize("case", CASES)
def test_a_phase_depends_on_the_lot_and_on_nothing_else_that_is_drawn(case, luck):
    """The same states, actions and lots under other keys: the same phases."""
    market = make_market(*CASES[case])
    one, two = (Engine(market, seeds=[seed], copies=4096) for seed in (0, 1))
    for engine in (one, two):
        engine.reset()
    for round_ in range(3):
        for phase, lots in enumerate(lots_by_phase(market)):
            for own, other in zip(two.rows, one.rows, strict=True):
                own[:] = other
            actions = random_actions(one, luck)
            for engine in (one, two):
                engine.step(actions)
            nature = [rng.copy_keys([seed], 4096, rng.NATURE) for seed in (0, 1)]
            drawn = [outcomes(lots, keys, round_, phase) for keys in nature]
            same = (drawn[0] == drawn[1]).all(axis=0)
            assert same.sum() > 5
            for own, other in zip(one.rows, two.rows, strict=True):
                np.testing.assert_equal(own[same], other[same])


def test_a_draw_belongs_to_the_last_phase_or_to_the_one_that_it_names(monkeypatch):
    market, other = make_market("hiring", {}), Lot(9, (0.5,), phase=0)
    declared = market.play_lots
    monkeypatch.setattr(Hiring, "play_lots", (other, *declared))
    assert lots_by_phase(market) == [(other,), declared]
    looked, played = (learners("hiring", each) for each in ("always", "never"))
    assert_alike(looked, played)  # a lot that nothing depends on changes nothing
    monkeypatch.setattr(Hiring, "play_lots", (Lot(9, (0.5,), phase=2),))
    with pytest.raises(ConfigError, match=r"Hiring\.play_lots: phase 2: phases are 0 \.\. 1"):
        lots_by_phase(market)


# --- where there is none -----------------------------------------------------------------------


def test_what_is_not_declared_is_not_looked_up():
    for market in (Errand({}), make_market("cloud_bandwidth", {"tenants": 1})):
        assert not grouped(market, {s.name: Q(initial_q=0) for s in market.seats}, "always"
                           ).can_look_up  # fmt: skip
    for keys in ({"copies": 2}, {"episode_rounds": 10}):
        assert not learners("hiring", "always", **keys).can_look_up


def test_rules_that_read_what_was_done_in_another_phase_are_played():
    market = Overheard({})
    agents = {seat.name: AGENTS["patient"] for seat in market.seats}
    looked, played = (grouped(market, agents, look_up) for look_up in ("always", "never"))
    assert looked.can_look_up
    assert_runs_alike(looked, played)
    assert looked.lookup_table is None


LARGEST = {
    "many joint actions": ("procurement", {"suppliers": 3, "lead_times": [0, 1, 2, 3]}),
    "many lots": ("ad_auction", {"bidders": 16, "bids": 2, "publisher": True}),
    "more than int64 can count": (
        "ad_auction", {"bidders": 16, "bids": 999, "publisher": True, "ties": "shared"},
    ),
    "many figures": ("delivery_slots", {"carriers": 2, "shippers": 4}),
}  # fmt: skip


@pytest.mark.parametrize("case", LARGEST)
def test_too_many_cells_are_played_by_the_kernels(case):
    market = make_market(*LARGEST[case])
    agents = {seat.name: AGENTS["patient"] for seat in market.seats}
    looked, played = (grouped(market, agents, look_up) for look_up in ("always", "never"))
    assert looked.can_look_up
    for each in (looked, played):
        assert each.run(50) == 50
    assert looked.lookup_table is None
    assert_same(looked, played)


def test_a_table_is_made_once_its_cells_are_worth_it(monkeypatch):
    monkeypatch.setattr(tabular, "LOOK_UP_FROM", 100)
    market = make_market("hiring", {})
    each = grouped(market, {seat.name: AGENTS["patient"] for seat in market.seats}, "auto")
    cells = 24 * 3 + 24 * 2 * 12  # states and tiers; offers, answers and next candidates
    for rounds in (cells, 2 * cells, cells - 1):
        each.run(rounds)
        assert each.lookup_table is None
    each.run(100)
    table = each.lookup_table
    assert isinstance(table, PhaseTable)
    assert len(table.arrays.next_node) == cells
    assert len(table.states) == 24


@pytest.mark.parametrize(
    ("experiment", "arm"),
    [("overpromise", "booking"), ("missing_clause", "savings"), ("priority_claims", "revenue"),
     ("cheap_talk", "bias_0"), ("cost_of_hire", "profit"), ("unheard", "heard")],
)  # fmt: skip
def test_shipped_experiments_are_looked_up_as_is_estimated(experiment, arm):
    chosen = load(experiment, arms=[arm]).arms[arm]
    group = chosen.group(0)
    group.look_up = "always"
    group.run(2)
    assert isinstance(group.lookup_table, PhaseTable)
    cells = len(group.lookup_table.arrays.next_node)
    assert cells / 20 < estimated_cells(chosen.market) < 2 * cells
    assert 4 * cells < chosen.train.rounds * chosen.seeds
