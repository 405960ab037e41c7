"""The PettingZoo views of every market: their API, and one trajectory in three views."""

from __future__ import annotations

import warnings

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, parallel_api_test
from support.every_market import CASES
from support.markets.needed import Entries
from support.play import random_actions

from tacit.envs.engine.engine import Engine
from tacit.envs.registry import SHIPPED, make_market
from tacit.envs.views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

EVERY = pytest.mark.parametrize("case", CASES)


# --- PettingZoo's own tests ------------------------------------------------------------------


@EVERY
def test_parallel_api_without_any_warning(case):
    name, market = case
    parallel_api_test(make_parallel(name, market=market), num_cycles=40)


ONE_SHAPE = [
    # a finite observation is a row of digits: MultiDiscrete, which the test does not list
    "Observation space for each agent probably should be gymnasium.spaces.box",
    # digit 0 is a value like any other, and the first of each: the first round is all zeros
    "Observation numpy array is all zeros",
]
ROLES = [
    # who posts a price and who answers it see different things
    "Agents have different observation space sizes",
    "Observations are different shapes",
]


@EVERY
def test_aec_api_with_the_warnings_that_finite_markets_cannot_avoid(case):
    name, market = case
    allowed = ONE_SHAPE + (ROLES if len(make_market(name, market).roles) > 1 else [])
    with warnings.catch_warnings():
        for message in allowed:
            warnings.filterwarnings("ignore", message)
        api_test(make_aec(name, market=market), num_cycles=40)


# --- determinism -----------------------------------------------------------------------------


def parallel_episode(env, seed, luck) -> list:
    """Everything that an episode shows, under random actions."""
    history = [env.reset(seed=seed)]
    while env.agents:
        actions = {a: int(luck.integers(env.action_space(a).n)) for a in env.agents}
        history.append((actions, env.step(actions), env.state()))
    return history


def aec_episode(env, seed, luck) -> list:
    env.reset(seed=seed)
    history = []
    for agent in env.agent_iter():
        last = env.last()
        legal = np.flatnonzero(last[-1]["action_mask"])
        action = None if last[3] else int(luck.choice(legal))
        history.append((agent, last, action, env.state()))
        env.step(action)
    return history


# the config of each market that draws most
DRAWS = Entries(
    "tests/envs/views/test_views.py: DRAWS",
    {
        "ad_auction": {"publisher": True, "bidders": 3, "bids": 4, "observe": "bids"},
        "procurement": {"suppliers": 2, "clause": {}, "lead_times": [0, 2]},
        "cloud_bandwidth": {"prices": 3, "tenants": 3, "capacity": 2, "surge": {"enter": 0.5}},
        "quantity_competition": {"monitoring": "imperfect", "demand_shock": 10},
        "cheap_talk": {},
        "hiring": {},
        "delivery_slots": {"carriers": 2, "shippers": 3},
    },
)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(("make", "episode"),
                         [(make_parallel, parallel_episode), (make_aec, aec_episode)])  # fmt: skip
def test_a_seed_fixes_every_episode_that_follows(make, episode, name):
    """A reset without a seed goes on with the next episode; the same seed again replays all."""

    def episodes(env, seed) -> list:
        luck = [np.random.default_rng(k) for k in (1, 1)]  # noqa: TID251 (the same in both)
        return [episode(env, s, each) for s, each in zip((seed, None), luck, strict=True)]

    one, two = (make(name, market=DRAWS[name], episode_rounds=20) for _ in range(2))
    first = episodes(one, 5)
    np.testing.assert_equal(episodes(two, 5), first)
    np.testing.assert_equal(episodes(one, 5), first)
    assert repr(first[0]) != repr(first[1])
    assert repr(episodes(two, 6)) != repr(first)


# --- one trajectory --------------------------------------------------------------------------


def assert_agree(engine: Engine, env, infos: dict) -> None:
    """State and measures of the finished round, bit for bit."""
    np.testing.assert_array_equal(env.state(), engine.rows.state[0])
    for seat in engine.market.seats:
        owned = [m.name for m in engine.market.measured(seat.role.name)]
        row = engine.measures[0, seat.index, [engine.market.columns[name] for name in owned]]
        assert infos[seat.name]["measures"] == dict(zip(owned, row, strict=True))


@pytest.mark.slow
@EVERY
def test_both_views_and_the_engine_play_the_same(case, luck):
    """Equal observations have equal legal sets, too."""
    name, market = case
    together, by_turns = (
        make(name, market=market, episode_rounds=40) for make in (make_parallel, make_raw_aec)
    )
    engine = Engine(together.market, seeds=[8])
    engine.reset()
    for env in (together, by_turns):
        env.reset(seed=8)
    names = together.possible_agents
    masks: dict[tuple, list] = {}
    while together.agents:
        actions = random_actions(engine, luck)
        acting = [s for s in engine.market.seats if engine.market.acts(s, engine.phase)]
        for seat in acting:
            assert by_turns.agent_selection == seat.name
            by_turns.step(actions[0, seat.index])
        shown = together.step({s.name: actions[0, s.index] for s in acting})
        engine.step(actions)
        paid = engine.rewards[0].tolist() if engine.phase == 0 else [0.0] * len(names)
        assert shown[1] == by_turns.rewards == dict(zip(names, paid, strict=True))
        if engine.phase == 0:
            assert_agree(engine, together, shown[4])
            assert_agree(engine, by_turns, by_turns.infos)
        for seat, o in zip(engine.market.seats, engine.observations[0], strict=True):
            digits = seat.role.observation_digits(o)
            np.testing.assert_array_equal(shown[0][seat.name], digits)
            np.testing.assert_array_equal(by_turns.observe(seat.name), digits)
            mask = shown[4][seat.name]["action_mask"].tolist()
            assert masks.setdefault((seat.role.name, *digits), mask) == mask
    assert engine.round == 40


def test_pettingzoo_makes_it_by_name():
    kpi = {"bidder": {"profit": 1, "price_change": -1}}
    made = pettingzoo.make("parallel", "tacit/ad_auction-v0", market={"bidders": 3}, kpi=kpi)
    assert made.possible_agents == ["bidder_0", "bidder_1", "bidder_2"]
    _, infos = made.reset(seed=0)
    assert list(infos["bidder_2"]["kpi"]) == ["profit", "price_change"]
    assert pettingzoo.make("aec", "tacit/ad_auction-v0").unwrapped.possible_agents
