"""The batched engine: what happens in a copy depends on nothing beside it, and on nothing else."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from support.play import phases, random_actions

from tacit.agents.policy import cumulative, deterministic, uniform
from tacit.envs import kpi, rng
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.registry import make_market

PUBLISHER = make_market(
    "ad_auction",
    {"publisher": True, "observe": "bids", "bidders": 3, "bids": 4, "price_mix": 0.3},
)
TABLES = cumulative(PUBLISHER, [uniform(s.role) for s in PUBLISHER.seats])[None]


def assert_same(one: CopyRows, two: CopyRows, where: slice | int = slice(None)) -> None:
    """Equal bit for bit in the rows `where` of the first."""
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a[where], b if isinstance(where, slice) else b[0])


# --- state -----------------------------------------------------------------------------------


@pytest.mark.parametrize("middle", [0, 1])
def test_going_back_replays_the_same(luck, middle):
    """Also from the middle of a round, where the floor is posted and nobody has bid."""
    engine, script = Engine(PUBLISHER, copies=16), []
    for _ in phases(engine, 3, luck):
        pass
    for _ in range(middle):
        engine.step(random_actions(engine, luck))
    kept = engine.get_state()
    for _ in range(6):
        script.append(random_actions(engine, luck))
        engine.step(script[-1])
    first = engine.get_state()
    engine.set_state(kept)
    assert (engine.round, engine.phase) == (3, middle)
    for actions in script:
        engine.step(actions)
    assert_same(engine.rows, first.rows)
    assert (engine.episode, engine.round, engine.phase) == (first.episode, first.round, first.phase)


def test_a_snapshot_is_a_copy_and_must_fit(luck):
    engine = Engine(PUBLISHER, copies=2)
    engine.reset()
    kept = engine.get_state()
    engine.step(random_actions(engine, luck))
    assert not kept.rows.actions.any()
    before = engine.rows.copy()
    more_terms = {"bidder": {"profit": 1, "win": 1}}
    other = Engine(PUBLISHER, kpi.resolve(PUBLISHER, more_terms), copies=2)
    other.reset()
    with pytest.raises(ValueError, match="does not fit"):
        engine.set_state(other.get_state())
    assert_same(engine.rows, before)


# --- independence ----------------------------------------------------------------------------


def test_copy_0_of_many_is_copy_0_alone():
    many, alone = Engine(PUBLISHER, copies=4096), Engine(PUBLISHER)
    for engine in (many, alone):
        engine.reset()
        engine.play(TABLES, 20)
    assert_same(many.rows, alone.rows, 0)
    assert len(np.unique(many.rows.state, axis=0)) > 100  # copies are not one another's copies


def test_a_seed_beside_others_is_the_seed_alone():
    beside, alone = Engine(PUBLISHER, seeds=[7, 3, 9], copies=2), Engine(PUBLISHER, seeds=[3])
    for engine in (beside, alone):
        engine.reset()
        engine.play(TABLES, 20)
    assert_same(beside.rows, alone.rows, 2)


def test_episodes_differ_and_come_back():
    engine, seen = Engine(PUBLISHER, copies=32), []
    for episode in (None, None, 0):
        engine.reset(episode)
        seen.append(engine.play(TABLES, 5).measures)
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([[0, 0, 0]], r"integers of shape \(1, 4\), got int64 \(1, 3\)"),
        ([0, 0, 0, 0], r"integers of shape \(1, 4\)"),
        ([[0.0, 0, 0, 0]], r"bidder_0 \(row 0\): action 0\.0 is no integer; its space is 0 \.\. 4"),
        ([[0, 0, float("nan"), 0]], r"bidder_2 \(row 0\): action nan is no integer"),
        ([[0, 0, None, 0]], r"bidder_2 \(row 0\): action None is no integer"),
        (
            [[0, 0, 0, 2**70]],
            r"publisher_0 \(row 0\): action 1180\d* is outside its space",
        ),
        ([[0, 0], [0]], "got a ragged list"),
        ([[0, 0, 0, 6]], r"publisher_0 \(row 0, phase 'floor'\): action 6 is outside its space"),
        ([[0, 0, 0, -1]], "action -1 is outside its space"),
        ([[0, 0, 0, 5]], r"action 5 is masked; legal are 0 \.\. 4"),
    ],
)
def test_a_bad_action_moves_nothing(actions, message):
    engine = Engine(PUBLISHER)
    engine.reset()
    before = engine.get_state()
    with pytest.raises(ValueError, match=message):
        engine.step(actions)
    assert_same(engine.rows, before.rows)
    assert engine.phase == 0


def test_idle_seats_are_not_asked():
    engine = Engine(PUBLISHER)
    engine.reset()
    engine.step(np.array([[99, -7, 0, 2]]))
    assert engine.phase == 1


def test_the_row_of_a_bad_action_is_reported():
    engine = Engine(PUBLISHER, copies=3)
    engine.reset()
    actions = np.zeros((3, 4), int)
    actions[2, 3] = 5
    with pytest.raises(ValueError, match=r"publisher_0 \(row 2"):
        engine.step(actions)


def test_nothing_is_played_before_a_reset():
    engine = Engine(PUBLISHER)
    with pytest.raises(ValueError, match=r"reset\(\)"):
        engine.step(np.zeros((1, 4), int))
    for play in (engine.play, engine.trace):
        with pytest.raises(ValueError, match=r"reset\(\)"):
            play(TABLES, 1)
    with pytest.raises(ValueError, match="seeds must be >= 0"):
        engine.reseed([-1])
    with pytest.raises(ValueError, match="1 seeds are needed, got 2"):
        engine.reseed([0, 1])
    with pytest.raises(ValueError, match="needs a seed and a copy"):
        Engine(PUBLISHER, seeds=[])


def test_tables_must_fit_and_rounds_be_whole():
    engine = Engine(PUBLISHER)
    engine.reset()
    with pytest.raises(ValueError, match="tables must be of shape"):
        engine.play(TABLES[:, :-1], 1)
    engine.step(np.zeros((1, 4), int))
    with pytest.raises(ValueError, match="finish the round"):
        engine.play(TABLES, 1)


# --- playing tables --------------------------------------------------------------------------


def sampled(engine: Engine) -> np.ndarray:
    """What uniform tables choose, from the draws of the stream ACTION."""
    actions = np.zeros_like(engine.observations)
    for r, key in enumerate(engine.actor):
        moment = np.uint64(rng.moment(key, engine.episode, engine.round, engine.phase))
        for seat in engine.market.seats:
            first, count = seat.role.legal[engine.observations[r, seat.index]]
            shares = np.cumsum(np.full(count, 1 / count))
            choice = np.searchsorted(shares, rng.u(moment, seat.index), "right")
            actions[r, seat.index] = first + min(choice, count - 1)
    return actions


def test_playing_tables_is_stepping_with_the_same_draws():
    tables, hand = Engine(PUBLISHER, copies=8), Engine(PUBLISHER, copies=8)
    tables.reset()
    sums = tables.play(TABLES, 10)
    measures = np.zeros_like(hand.measures)
    hand.reset()
    for _ in range(10):
        for _phase in PUBLISHER.phases:
            hand.step(sampled(hand))
        measures += hand.measures
    np.testing.assert_array_equal(sums.measures, measures)
    np.testing.assert_array_equal(tables.rows.state, hand.rows.state)
    assert tables.round == hand.round == 10


def test_every_copy_may_have_tables_of_its_own():
    """In copy r everybody bids the r-th bid of the grid, in two rounds."""
    market = make_market("ad_auction")
    own = [
        cumulative(
            market, [deterministic(s.role, np.full(s.role.observations, r)) for s in market.seats]
        )
        for r in range(3)
    ]
    engine = Engine(market, copies=3)
    engine.reset()
    bids = engine.play(np.array(own), 2).measures[:, : len(market.seats), market.columns["bid"]]
    for r in range(3):
        np.testing.assert_allclose(bids[r], 2 * market.grid[r])


def test_a_trace_is_copy_0_round_by_round():
    traced, played = Engine(PUBLISHER, copies=2), Engine(PUBLISHER, copies=2)
    for engine in (traced, played):
        engine.reset()
    states, measures = traced.trace(TABLES, 6)
    for t in range(6):
        np.testing.assert_array_equal(states[t], played.rows.state[0])
        played.play(TABLES, 1)
        np.testing.assert_array_equal(measures[t], played.measures[0])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"copies": 0}, "needs a seed and a copy, got 1 and 0"),
        ({"copies": -1}, "needs a seed and a copy, got 1 and -1"),
        ({"seeds": []}, "needs a seed and a copy, got 0 and 1"),
        ({"seeds": [3, -2, 0]}, "seeds must be >= 0, got -2"),
    ],
)
def test_an_engine_has_a_seed_and_a_copy_and_no_negative_seed(keys, message):
    with pytest.raises(ValueError, match=message):
        Engine(PUBLISHER, **keys)
    assert len(Engine(PUBLISHER, seeds=[0], copies=1).rows.state) == 1


def test_new_seeds_are_as_many_as_before():
    engine = Engine(PUBLISHER, seeds=[1, 2], copies=3)
    for seeds in ([4], [4, 5, 6]):
        with pytest.raises(ValueError, match=f"2 seeds are needed, got {len(seeds)}"):
            engine.reseed(seeds)
    engine.reseed([4, 5])
    assert engine.seeds == (4, 5)


def test_a_round_ends_with_its_last_phase():
    engine = Engine(make_market("procurement"))
    engine.reset()
    phases = len(engine.market.phases)
    assert phases > 1
    ended = []
    for k in range(2 * phases):
        assert (engine.round, engine.phase) == divmod(k, phases)
        ended.append(engine.tick())
    assert ended == ([False] * (phases - 1) + [True]) * 2


def test_a_copy_goes_on_by_itself_in_the_same_way(luck):
    """What is compiled or a view of rows is made anew, so that both step on with equal bits."""
    engine = Engine(PUBLISHER, seeds=[3], copies=2)
    engine.reset()
    for _ in phases(engine, 2, luck):
        pass
    other = copy.deepcopy(engine)
    assert (other.round, other.phase, other.market.name) == (2, 0, "ad_auction")
    before = [array.copy() for array in engine.rows]
    for own in (engine, other):
        own.play(TABLES, 3)
    assert_same(engine.rows, other.rows)
    assert other.rewards.base is other.rows.scores or np.shares_memory(
        other.rewards, other.rows.scores
    )
    assert not np.shares_memory(other.rows.state, engine.rows.state)
    assert any((a != b).any() for a, b in zip(before, engine.rows, strict=True))
