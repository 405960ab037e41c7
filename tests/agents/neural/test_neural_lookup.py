"""Rollouts whose rounds are looked up have the bits of rollouts that are played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tacit.agents.batch.group import BatchGroup
from tacit.agents.batch.lookup.search import ENTRIES_AT_ONCE, entries_at_most
from tacit.agents.group import make_group
from tacit.agents.neural.config import IppoConfig
from tacit.agents.scripted import ScriptedConfig
from tacit.envs import kpi
from tacit.envs.registry import make_market

NET = IppoConfig(hidden=(4,), rounds_per_update=16)
MIXED = {"provider_1": ScriptedConfig(rule="random")}
PER_STATE = {"provider": {"profit": 1.0, "price_change": -0.5}}


def group(market: dict[str, Any] | None = None, agents: Any = None, table: Any = None,
          **keys: Any) -> BatchGroup:  # fmt: skip
    """Two providers; many copies, so that a table is soon worth it."""
    made = make_market("cloud_bandwidth", {"prices": 3} | (market or {}))
    named = {seat.name: NET for seat in made.seats} | (agents or {})
    keys = {"copies": 8, "total_rounds": 1000, **keys}
    return make_group(made, kpi.resolve(made, table), named, 0, **keys)


def assert_same_bits(one: BatchGroup, other: BatchGroup, rounds: Any) -> None:
    for stretch in rounds:
        one.run(stretch)
        other.run(stretch)
        np.testing.assert_equal(one.state(), other.state())
    for mine, yours in zip(one.read(), other.read(), strict=True):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"episode_rounds": 10},
        {"agents": MIXED},
        {"table": PER_STATE},
        {"market": {"providers": 3}},
    ],
    ids=str,
)
def test_looked_up_rounds_are_played_rounds(keys, monkeypatch):
    one, other = group(**keys), group(**keys)
    other._lookup = None
    counted, play = [], one._lookup.play

    def count(*args, **options):
        counted.append(play(*args, **options))
        return counted[-1]

    monkeypatch.setattr(one._lookup, "play", count)
    assert_same_bits(one, other, (16, 48, 5, 11, 40))
    assert sum(counted) > 20
    if not keys:
        assert 16 in counted  # a whole batch


def test_a_zero_keeps_its_sign():
    """Below cost and without a buyer every provider earns -0.0 in every round."""
    one, other = (group({"price_range": [0.5, 0.8], "quality": -1000.0}) for _ in range(2))
    other._lookup = None
    for each in (one, other):
        each.run(48)
    assert np.signbit(other.seed_state.rows.measures).any()
    played = other.state()
    assert [k for k, x in one.state().items() if x.tobytes() != played[k].tobytes()] == []


def test_a_seed_that_begins_elsewhere_plays_one_round_and_finds_the_table_of_another():
    """Copies begin in states to which none returns: a table of every seed would cost more than its
    first batch."""
    first = group()
    first.run(48)
    own = make_group(
        first.market,
        kpi.resolve(first.market, None),
        {seat.name: NET for seat in first.market.seats},
        5,
        8,
        total_rounds=1000,
    )
    played: list[int] = []
    rollout = own._rollout
    own._rollout = lambda *args: played.append(rollout(*args)) or played[-1]
    assert not first._lookup._source.holds(own.seed_state.rows.state[0])
    own.run(32)
    assert played == [1]
    assert own._lookup.table is first._lookup.table


@pytest.mark.parametrize("batch", [5, 16, 48])
def test_of_an_episode_only_the_first_and_the_last_round_are_played(batch):
    """Wherever in it a batch begins; a single round that a batch leaves is played, too."""
    learner = NET.model_copy(update={"rounds_per_update": batch})
    agents = {f"provider_{k}": learner for k in range(2)}
    one, other = (group(agents=agents, episode_rounds=10) for _ in range(2))
    one.run(batch * 6)
    played: list[int] = []
    rollout = one._rollout
    one._rollout = lambda *args: played.append(rollout(*args)) or played[-1]
    other._lookup = None
    other.run(batch * 6)
    assert_same_bits(one, other, [batch] * 10)
    assert sum(played) <= 10 * batch * 2 / 10 + 2 * 10  # (two rounds at the end of a batch)
    assert max(played) <= 2


def test_a_group_asks_for_what_it_would_look_up():
    """Not for the end of an episode, to which alone a short stretch leads."""
    cells = 3**4
    one = group(episode_rounds=10, copies=1)
    one.run(16 * (cells // 16 + 3))
    assert one._lookup.table is not None


@pytest.mark.parametrize("more", [0, ENTRIES_AT_ONCE])
@pytest.mark.parametrize("actions", [2, 15, 16, 17, 31, 100])
def test_an_action_is_found_as_numpy_finds_it(actions, more, luck):
    """Also where a draw is an entry of the row, and where entries repeat."""
    line = np.full(-(-actions // ENTRIES_AT_ONCE) * ENTRIES_AT_ONCE + more, 2.0)
    line[:actions] = np.cumsum(luck.dirichlet(np.full(actions, 0.3)))
    line[actions - 1] = 1.0
    for draw in [0.0, *luck.random(50), *line[: actions - 1], np.nextafter(1.0, 0.0)]:
        known = np.searchsorted(line, draw, side="right")
        assert entries_at_most(line, draw) == known, (line, draw)


def test_a_state_that_was_loaded_is_looked_up_too():
    one, other = group(), group()
    one.run(64)
    other.run(16)
    other.load(one.state())
    other._lookup = None
    assert_same_bits(one, other, (21, 27))


@pytest.mark.parametrize("keys", [{}, {"episode_rounds": 10}], ids=str)
def test_a_group_that_has_played_nothing_looks_up_from_a_state(keys):
    """What only played rounds would have filled is not read."""
    one = group(**keys)
    one.run(64)
    each, other = group(**keys), group(**keys)
    for fresh in (each, other):
        fresh.seed_state.episode_keys[:] = 12345
        fresh.load(one.state())
    other._lookup = None
    assert_same_bits(each, other, (16, 21, 27))


def test_a_second_seed_whose_first_round_is_in_the_table():
    market = make_market("quantity_competition")
    named = {seat.name: NET for seat in market.seats}
    terms = kpi.resolve(market, None)
    for seed in (0, 1):
        one, other = (make_group(market, terms, named, seed, 64, total_rounds=1000)
                      for _ in range(2))  # fmt: skip
        one.seed_state.episode_keys[:] = 12345
        other._lookup = None
        assert_same_bits(one, other, (16, 48))


def test_markets_that_draw_and_large_tables_are_played():
    """Slower, and never wrong."""
    assert not group({"tenants": 2})._lookup.allowed
    assert not group(
        {"outside_shock": 0.1}
    )._lookup.allowed  # lots, for which Q-learners have a table
    large = group({"prices": 15, "memory": 2})
    large.run(48)
    assert large._lookup.table is None


def test_it_stops_behind_a_round_when_it_is_told_to():
    each = group()
    each.run(32)
    each.halt[0] = 1
    assert each.run(64) == 1
    before = each.rounds
    each.halt[0] = 0
    each.run(16)
    assert each.rounds == before + 16
