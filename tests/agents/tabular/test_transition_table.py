"""Rounds looked up in a transition table are the rounds that the kernels play, bit for bit."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
from support.groups import (
    CALLS,
    assert_resumed_alike,
    assert_runs_alike,
    assert_same,
    assert_stop_alike,
    figure_sums,
)

from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular import group as tabular
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.lookup import lots as lots_module
from tacit.agents.tabular.lookup import transition_table
from tacit.agents.tabular.lookup.lots import count_lots, lot_keys
from tacit.agents.tabular.lookup.transition_table import MOST_CELLS, transition_table_for
from tacit.agents.tabular.multiplicative_weights import MultiplicativeWeightsConfig as Hedge
from tacit.envs import kpi, rng
from tacit.envs.ad_auction import AdAuction
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Lot
from tacit.envs.market.declarations import SMALLEST
from tacit.envs.registry import make_market

FOUR = {"prices": 4}
SHARED = {"ties": "shared", "bids": 4}
MOVES = {"price_change": -0.5}


def decaying(**keys) -> Q:
    return Q(epsilon_decay=0.01, epsilon_min=0.05, **keys)


CASES = {
    "no memory": ("cloud_bandwidth", FOUR | {"memory": 0}, None, [decaying()]),
    "memory 1": ("cloud_bandwidth", FOUR, None, [decaying(learning_rate=0.15)]),
    "memory 2": ("cloud_bandwidth", {"prices": 3, "memory": 2}, None, [decaying()]),
    "rewards depend on the past": ("cloud_bandwidth", FOUR, {"profit": 1} | MOVES, [decaying()]),
    "no KPI terms": ("cloud_bandwidth", FOUR, {}, [decaying(initial_q=1)]),
    "three of a kind": ("cloud_bandwidth", {"prices": 3, "providers": 3}, None, [decaying()]),
    "capacity": ("cloud_bandwidth", FOUR | {"capacity": 0.4}, {"sla_breach": -1}, [decaying()]),
    "claims": ("cloud_bandwidth", {"prices": 2, "headroom_claims": True}, None, [decaying()]),
    "one learns at once": (
        "cloud_bandwidth", FOUR, {"profit": 1} | MOVES, [decaying(update="synchronous"), decaying()]
    ),
    "one does not learn": (
        "cloud_bandwidth", FOUR, None, [ScriptedConfig(rule="random"), decaying(discount=0.5)]
    ),
    "auction": ("ad_auction", SHARED | {"observe": "bids"}, None, [decaying()]),
    "auction, feedback": ("ad_auction", SHARED, MOVES, [decaying(update="synchronous")]),
    "multiplicative weights": (
        "cloud_bandwidth", FOUR, {"profit": 1} | MOVES, [Hedge(), decaying()]
    ),
    "boltzmann": (
        "ad_auction", SHARED | {"observe": "price"}, None,
        [Q(exploration="boltzmann", temperature=0.5, initial_q=(0, 1))],
    ),
    "auction, ties drawn": ("ad_auction", {"bids": 4}, MOVES, [decaying()]),
    "auction, ties drawn, three bid": (
        "ad_auction", {"bids": 3, "bidders": 3, "observe": "price", "price_mix": 1}, MOVES,
        [decaying()],
    ),
    "auction, ties drawn, all updated": (
        "ad_auction", {"bids": 4, "observe": "bids"}, MOVES,
        [decaying(update="synchronous"), Hedge()],
    ),
    "auction, values drawn": (
        "ad_auction", {"bids": 3, "value": {"kind": "uniform", "levels": 2}}, MOVES, [decaying()]
    ),
    "auction, values drawn, parts of a day": (
        "ad_auction",
        {"bids": 2, "value": {"kind": "list", "values": [0.5, 1.0], "cycle": [[0.3, 0.7], [1, 0]]}},
        MOVES, [decaying()],
    ),
    "shocks": ("cloud_bandwidth", FOUR | {"outside_shock": 0.1}, MOVES, [decaying()]),
    "shocks, capacity": (
        "cloud_bandwidth", FOUR | {"outside_shock": 0.1, "capacity": 0.4}, None, [decaying()]
    ),
    "demand drawn, price seen": (
        "quantity_competition", {"outputs": 4, "monitoring": "imperfect"}, None, [decaying()]
    ),
    "greedy, equal values": (
        "ad_auction", SHARED, None, [Q(exploration="none", tie_break="random", initial_q=0)]
    ),
}  # fmt: skip


def learners(case: str, look_up: str, seed: int = 3) -> TabularGroup:
    name, config, table, agents = CASES[case]
    market = make_market(name, config)
    agents = agents * len(market.seats) if len(agents) == 1 else agents
    named = {seat.name: agent for seat, agent in zip(market.seats, agents, strict=True)}
    resolved = kpi.resolve(market, None if table is None else {market.roles[0].name: table})
    each = TabularGroup(market, resolved, named, seed)
    each.look_up = look_up
    return each


@pytest.mark.parametrize("case", CASES)
def test_rounds_looked_up_are_those_that_the_kernels_play(case):
    looked, played = learners(case, "always"), learners(case, "never")
    assert_runs_alike(looked, played)
    assert looked.lookup_table is not None
    assert played.lookup_table is None
    assert played.read()[0].any()


def test_both_stop_in_the_same_round():
    def stopping(look_up: str) -> TabularGroup:
        market = make_market("cloud_bandwidth", FOUR)
        agents = {s.name: Q(stop_after=150, epsilon_decay=0.02) for s in market.seats}
        each = TabularGroup(market, kpi.resolve(market, None), agents, 0)
        each.look_up = look_up
        return each

    assert_stop_alike(stopping("always"), stopping("never"))


@pytest.mark.parametrize("rounds", [256, 257, 100])
def test_saved_in_the_middle_either_goes_on_with_the_other(rounds):
    assert_resumed_alike(lambda look_up: learners("rewards depend on the past", look_up), rounds)


def test_sums_that_begin_apart_are_played_by_the_kernels():
    """A branch may take over sums in which a profit and the reward for it differ."""
    looked, played = (learners("auction, ties drawn", each) for each in ("always", "never"))
    looked.run(400)
    table = looked.lookup_table
    assert table is not None
    used = table.columns.column_of[table.columns.column_of >= 0]
    assert len(np.unique(used)) < len(used)
    state = looked.state()
    state["q_arrays.score_sums"] += np.arange(len(state["q_arrays.score_sums"]))
    for each in (looked, played):
        each.load(state)
    assert table.columns.sums_of(figure_sums(looked)) is None
    assert_runs_alike(looked, played)
    for each in (looked, played):
        each.read()
    assert table.columns.sums_of(figure_sums(looked)) is not None
    assert looked.run(300) == played.run(300) == 300
    assert_same(looked, played)


# --- where there is none -----------------------------------------------------------------------


def test_too_many_cells_are_played_by_the_kernels():
    market = make_market("cloud_bandwidth", {"memory": 2})  # 15^4 states x 15^2 joint actions
    agents = {seat.name: decaying() for seat in market.seats}
    groups = [TabularGroup(market, kpi.resolve(market, None), agents, 0) for _ in range(2)]
    for each, look_up in zip(groups, ("always", "never"), strict=True):
        each.look_up = look_up
        each.run(500)
        assert each.lookup_table is None
    assert_same(*groups)


LARGEST = {
    "cloud_bandwidth": {"providers": 16, "prices": 1000, "memory": 0, "differentiation": 0},
    "four sellers at 100 prices": {"providers": 4, "prices": 100, "memory": 0},
    "figures of ten sellers": {"providers": 10, "prices": 4, "memory": 0},
    "ad_auction": {"bidders": 16, "bids": 999, "ties": "shared"},
    "lots of sixteen bidders": {"bidders": 16, "bids": 2},
    "lots of private values": {
        "bidders": 2,
        "bids": 2,
        "value": {"kind": "uniform", "levels": 999},
    },
}


@pytest.mark.parametrize("case", LARGEST)
def test_the_largest_market_is_counted_before_anything_is_made_for_it(case, monkeypatch):
    def enumerate_(*_: object) -> None:
        raise AssertionError("an enumeration was begun")

    monkeypatch.setattr(transition_table, "_Enumeration", enumerate_)
    auction = case == "ad_auction" or case.startswith("lots")
    market = make_market("ad_auction" if auction else "cloud_bandwidth", LARGEST[case])
    agents = {seat.name: Q(initial_q=0) for seat in market.seats}
    large = TabularGroup(market, kpi.resolve(market, None), agents, 0)
    large.look_up = "always"
    assert large.can_look_up
    tracemalloc.start()
    assert large.run(50) == 50
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert large.lookup_table is None
    assert peak < 64 * 2**20  # what is left is imports and compiled code


@pytest.mark.parametrize(
    ("name", "config", "keys"),
    [
        ("cloud_bandwidth", {"surge": {}}, {}),
        ("cloud_bandwidth", {"tenants": 1}, {}),
        ("ad_auction", {"bidders": 3, "slots": 2, "click_rates": [1, 0.5]}, {}),
        ("cloud_bandwidth", FOUR, {"copies": 2}),
        ("cloud_bandwidth", FOUR, {"episode_rounds": 10}),
        ("cloud_bandwidth", {"prices": 1, "price_range": [1.5, 1.5]}, {}),
    ],
)
def test_unknown_draws_copies_and_episodes_are_not_looked_up(name, config, keys):
    market = make_market(name, config)
    agents = {seat.name: Q(initial_q=0) for seat in market.seats}
    assert not TabularGroup(market, kpi.resolve(market, None), agents, 0, **keys).can_look_up


def outcomes(lots, keys, round_: int) -> np.ndarray:
    """What is drawn with each key, a row for each lot, and one of zeros."""
    for number in (0, round_, 0):  # episode, round, phase
        keys = rng.child_keys(keys, np.array([number]))
    rows = [np.searchsorted(lot.edges, rng.draws_of(keys, lot.slot), "right") for lot in lots]
    return np.array([*rows, np.zeros(len(keys))])


@pytest.mark.parametrize("case", CASES)
def test_a_round_depends_on_the_lot_and_on_nothing_else_that_is_drawn(case, luck):
    """The same states, actions and lots under other keys: the same rounds."""
    name, config = CASES[case][:2]
    market = make_market(name, config)
    lots = market.play_lots
    assert lots is not None
    one, two = Engine(market, seeds=[0], copies=256), Engine(market, seeds=[1], copies=256)
    sizes = [seat.role.actions for seat in market.seats]
    for engine in (one, two):
        engine.reset()
    for round_ in range(3):
        for own, other in zip(two.rows, one.rows, strict=True):
            own[:] = other
        actions = luck.integers(sizes, size=(256, len(sizes)))
        for engine in (one, two):
            engine.step(actions)
        nature = [rng.copy_keys([seed], 256, rng.NATURE) for seed in (0, 1)]
        drawn = [outcomes(lots, keys, round_) for keys in nature]
        same = (drawn[0] == drawn[1]).all(axis=0)
        assert same.sum() > 5
        for own, other in zip(one.rows, two.rows, strict=True):
            np.testing.assert_equal(own[same], other[same])


@pytest.mark.parametrize("n", [2, 3, 5, 6, 7, 10, 16, 999])
def test_edges_are_the_least_draws_of_each_outcome(n):
    edges = Lot.below(0, [n]).edges
    assert len(edges) == n - 1
    for k, edge in enumerate(edges, 1):
        assert edge == int(edge / SMALLEST) * SMALLEST
        assert (int(edge * n), int((edge - SMALLEST) * n)) == (k, k - 1)


@pytest.mark.parametrize("edges", [(0.0, 0.5), (0.5, 0.5), (0.6, 0.5), (0.5, 1.0)])
def test_edges_that_part_nothing_are_refused(edges):
    with pytest.raises(ValueError, match="must ascend between 0 and 1"):
        Lot(0, edges)


def test_every_lot_has_a_key_that_draws_it():
    lots = (Lot.below(3, [2, 3]), Lot(7, (0.001, 0.9)))
    keys = lot_keys(lots)
    assert keys is not None
    assert len(keys) == count_lots(lots) == 12
    rows = outcomes(lots, keys, 0)
    assert (rows[0] * 3 + rows[1]).tolist() == list(range(12))


def test_a_lot_that_no_key_is_found_for_is_played_by_the_kernels(monkeypatch):
    monkeypatch.setattr(lots_module, "MOST_CANDIDATES", 2**16)
    monkeypatch.setattr(AdAuction, "play_lots", property(lambda self: (Lot(0, (2.0**-53, 0.5)),)))
    looked, played = (learners("auction, ties drawn", each) for each in ("always", "never"))
    for rounds in CALLS:
        assert looked.run(rounds) == played.run(rounds) == rounds
    assert looked.lookup_table is None
    assert_same(looked, played)


def test_states_that_pay_alike_share_rows():
    """After 16 pairs of bids, and before any, only the last price matters."""
    looked = learners("auction, ties drawn", "always")
    looked.run(300)
    table = looked.lookup_table
    assert table is not None
    assert len(table.states) == 16
    assert table.arrays.kinds.max() + 1 == 4
    assert table.arrays.rewards.shape == (2, 4, 4 * 4 * 2)
    assert table.arrays.next_rows.shape == (1, 4 * 4 * 2, 2)
    assert table.arrays.state_figures.shape[1] == 4 * 4 * 4 * 2


# --- when one is made --------------------------------------------------------------------------


def test_a_table_is_made_once_its_cells_have_been_asked_for(monkeypatch):
    monkeypatch.setattr(tabular, "LOOK_UP_FROM", 100)
    market = make_market("cloud_bandwidth", FOUR)  # 16 states x 16 joint actions
    agents = {seat.name: decaying() for seat in market.seats}
    first, second = (TabularGroup(market, kpi.resolve(market, None), agents, s) for s in (0, 1))
    assert first.run(99) == 99
    assert first.run(200) == 200
    assert first.lookup_table is None
    second.run(100)
    assert second.lookup_table is not None
    assert len(second.lookup_table.states) == 16
    first.run(100)
    assert first.lookup_table is second.lookup_table


def test_the_kernels_play_while_another_thread_makes_the_table(monkeypatch):
    monkeypatch.setattr(tabular, "LOOK_UP_FROM", 100)
    market = make_market("cloud_bandwidth", FOUR)
    agents = {seat.name: decaying() for seat in market.seats}
    maker, other, alone = (
        TabularGroup(market, kpi.resolve(market, None), agents, s) for s in (0, 1, 1)
    )
    begun, go_on, make = threading.Event(), threading.Event(), transition_table._make

    def slowly(*words):
        begun.set()
        assert go_on.wait(60)
        return make(*words)

    monkeypatch.setattr(transition_table, "_make", slowly)
    thread = threading.Thread(target=maker.run, args=(300,))
    thread.start()
    try:
        assert begun.wait(60)
        assert other.run(300) == 300  # before the table is there
        assert other.lookup_table is None
    finally:
        go_on.set()
        thread.join()
    other.run(300)
    assert other.lookup_table is maker.lookup_table is not None
    alone.look_up = "never"
    alone.run(600)
    assert_same(other, alone)


def test_a_state_that_a_table_lacks_is_enumerated_anew():
    """Before the first round nothing has been posted: no play leads there."""
    market = make_market("cloud_bandwidth", FOUR)
    table, engine = kpi.resolve(market, None), Engine(market)
    engine.reset()
    start = engine.rows.copy()
    engine.step(np.array([[0, 3]]))
    usual = transition_table_for(market, table, engine.rows, MOST_CELLS)
    assert usual is not None
    assert not usual.holds(start.state[0])
    fuller = transition_table_for(market, table, start, 0)
    assert fuller is not None
    assert fuller.holds(start.state[0])
    assert fuller.holds(engine.rows.state[0])
    assert transition_table_for(market, table, engine.rows, 0) is fuller
