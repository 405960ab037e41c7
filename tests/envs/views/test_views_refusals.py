"""The PettingZoo views: what they refuse, what they replace, and what they print."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs import ad_auction_v0
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import MARKETS, make_market
from tacit.envs.views import SeatEnv, SeatVectorEnv, make_parallel, make_raw_aec
from tacit.envs.views.sb3_vec_env import SeatVecEnv

PUBLISHER = {"publisher": True, "bids": 4}
WAIT = 4  # the bidder's action behind its four bids; the publisher's is 5


@pytest.fixture
def env():
    """Two bidders and a publisher, who is to post its floor."""
    made = ad_auction_v0.parallel_env(market=PUBLISHER, episode_rounds=2, render_mode="ansi")
    made.reset(seed=0)
    return made


@pytest.fixture
def aec():
    made = ad_auction_v0.raw_env(market=PUBLISHER, episode_rounds=1, render_mode="ansi")
    made.reset(seed=0)
    return made


# --- parallel --------------------------------------------------------------------------------


def test_a_masked_action_becomes_the_first_legal_one_and_is_named(env):
    *_, infos = env.step({"publisher_0": 5})
    assert infos["publisher_0"]["masked_action"] == 5
    observations, *_, infos = env.step({"bidder_0": 3, "bidder_1": WAIT})
    assert infos["bidder_1"]["masked_action"] == WAIT
    assert "masked_action" not in infos["bidder_0"]
    assert infos["bidder_1"]["measures"]["bid"] == pytest.approx(0.2)  # the first bid
    assert env.observation_space("bidder_0").contains(observations["bidder_0"])


def test_an_idle_seat_s_action_is_ignored(env):
    *_, infos = env.step({"publisher_0": 1, "bidder_0": 3, "bidder_1": 777})
    assert all("masked_action" not in info for info in infos.values())
    *_, infos = env.step({"bidder_0": 3, "bidder_1": 1, "publisher_0": "whatever"})
    assert infos["bidder_0"]["measures"]["spend"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({}, "publisher_0 acts in this phase: its action is missing"),
        ({"publisher_0": 6}, r"publisher_0: action 6 is outside its space 0 \.\. 5"),
        ({"publisher_0": -1}, "action -1 is outside its space"),
        ({"publisher_0": 1.5}, r"publisher_0: action 1\.5 is no integer; its space is 0 \.\. 5"),
        ({"publisher_0": float("inf")}, "publisher_0: action inf is no integer"),
        ({"publisher_0": float("nan")}, "publisher_0: action nan is no integer"),
        ({"publisher_0": "1"}, "publisher_0: action '1' is no integer"),
        ({"publisher_0": None}, "action None is no integer"),
        ({"publisher_0": [1]}, r"action \[1\] is no integer"),
    ],
)
def test_a_bad_action_is_refused_and_moves_nothing(env, actions, message):
    before = env.state()
    with pytest.raises(ValueError, match=message):
        env.step(actions)
    np.testing.assert_array_equal(env.state(), before)
    env.step({"publisher_0": np.int64(2)})
    observations, *_ = env.step({"bidder_0": 3, "bidder_1": np.array(1)})
    assert set(observations) == set(env.possible_agents)


def test_an_episode_ends_by_truncation_and_then_needs_a_reset(env):
    for _ in range(2):
        env.step({"publisher_0": 0})
        *_, terminations, truncations, _ = env.step({"bidder_0": 0, "bidder_1": 0})
    assert not any(terminations.values())
    assert all(truncations.values())
    assert env.agents == []
    with pytest.raises(ValueError, match=r"call reset\(\) first"):
        env.step({"publisher_0": 0})
    env.reset()
    env.step({"publisher_0": 0})


FIRST = r"{}\(\) before an episode: call reset\(\) first"


@pytest.mark.parametrize("name", MARKETS)
def test_nothing_is_played_or_shown_before_a_reset(name):
    made = make_parallel(name)
    seat = made.possible_agents[0]
    with pytest.raises(ValueError, match=FIRST.format("step")):
        made.step(dict.fromkeys(made.possible_agents, 0))
    one_by_one = make_raw_aec(name)
    with pytest.raises(ValueError, match=FIRST.format("step")):
        one_by_one.step(0)
    with pytest.raises(ValueError, match=FIRST.format("observe")):
        one_by_one.observe(seat)
    with pytest.raises(ValueError, match=FIRST.format("last")):
        one_by_one.last()
    for env in (made, one_by_one):
        with pytest.raises(ValueError, match=FIRST.format("state")):
            env.state()
        env.reset(seed=0)
        assert env.state().shape == env.state_space.shape
    assert one_by_one.last()[0] is not None


@pytest.mark.parametrize("name", ["ad_auction", "quantity_competition", "cheap_talk"])
def test_nor_in_the_views_of_one_seat(name):
    market = make_market(name)
    seat = market.seats[0].name
    single, vector, rows = (view(market, seat) for view in (SeatEnv, SeatVectorEnv, SeatVecEnv))
    for call in (lambda: single.step(0), lambda: vector.step([0]), lambda: rows.step([0])):
        with pytest.raises(ValueError, match=FIRST.format("step")):
            call()
    for env in (single, rows):
        with pytest.raises(ValueError, match=FIRST.format("action_masks")):
            env.action_masks()
    with pytest.raises(ValueError, match=FIRST.format("step")):
        Engine(market).step([[0] * len(market.seats)])


NO_ACTIONS = [float("inf"), float("-inf"), float("nan"), None, "7", 1.0, 2**80, [1], {}]


@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize("action", NO_ACTIONS)
def test_what_is_no_action_is_refused_by_the_seat_s_name_in_every_view(name, action):
    """With the space, too, and one message in all of them."""
    together, one_by_one = make_parallel(name), make_raw_aec(name)
    together.reset(seed=0)
    one_by_one.reset(seed=0)
    seat = one_by_one.agent_selection
    last = one_by_one.action_space(seat).n - 1
    message = rf"{seat}.*: action .* is (no integer; its|outside its) space( is)? 0 \.\. {last}$"
    with pytest.raises(ValueError, match=message):
        one_by_one.step(action)
    actions = dict.fromkeys(together.agents, 0)
    with pytest.raises(ValueError, match=message):
        together.step(actions | {seat: action})
    single = SeatEnv(together.market, seat)
    single.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        single.step(action)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([float("nan"), 1.0], r"bidder_0 \(row 0\): action nan is no integer; its space is 0"),
        ([1.0, float("inf")], r"bidder_0 \(row 1\): action inf is no integer; its space is 0"),
        ([0, None], r"bidder_0 \(row 1\): action None is no integer; its space is 0"),
        ([0, 99], r"bidder_0 \(row 1\): action 99 is outside its space 0 \.\. 18"),
        ([0], r"actions must be integers of shape \(2, 1\), got int64 \(1,\)"),
        (0, r"actions must be integers of shape \(2, 1\), got int64 \(\)"),
        (None, r"actions must be integers of shape \(2, 1\), got object \(\)"),
        ([[0], [0, 1]], "got a ragged list"),
    ],
)
def test_many_rows_name_seat_and_row(actions, message):
    market = make_market("ad_auction")
    vector = SeatVectorEnv(market, "bidder_0", num_envs=2)
    rows = SeatVecEnv(market, "bidder_0", copies=2)
    vector.reset(seed=0)
    rows.reset()
    for env in (vector, rows):
        with pytest.raises(ValueError, match=message):
            env.step(actions)


@pytest.mark.parametrize("actions", [None, [0, 1], 3])
def test_parallel_wants_actions_by_seat_name(env, actions):
    with pytest.raises(ValueError, match=r"actions must be a dict by seat name, got a \w+$"):
        env.step(actions)


def test_without_a_length_an_episode_goes_on():
    made = ad_auction_v0.parallel_env(episode_rounds=None)
    made.reset(seed=0)
    for _ in range(150):
        *_, truncations, _ = made.step({"bidder_0": 0, "bidder_1": 0})
    assert not any(truncations.values())
    with pytest.raises(ValueError, match="episode_rounds must be at least 1"):
        ad_auction_v0.parallel_env(episode_rounds=0)


# --- one after the other ---------------------------------------------------------------------


def test_aec_refuses_what_is_masked_or_outside(aec):
    assert aec.agent_selection == "publisher_0"
    with pytest.raises(ValueError, match=r"action 5 is masked; legal are 0 \.\. 4"):
        aec.step(5)
    with pytest.raises(ValueError, match="action 6 is outside its space"):
        aec.step(6)
    assert aec.agent_selection == "publisher_0"
    aec.step(0)
    assert aec.agent_selection == "bidder_0"


def test_aec_shows_no_bid_before_all_have_bid(aec):
    aec.step(0)
    before = aec.observe("bidder_1")
    aec.step(3)
    np.testing.assert_array_equal(aec.observe("bidder_1"), before)
    assert aec.last_round == ""


def test_aec_ends_with_dead_steps_and_then_needs_a_reset(aec):
    for action in (0, 3, 1):
        aec.step(action)
    assert aec.rewards == pytest.approx({"bidder_0": 0.6, "bidder_1": 0.0, "publisher_0": 0.4})
    assert all(aec.truncations.values())
    with pytest.raises(ValueError, match="the only valid action is None"):
        aec.step(0)
    while aec.agents:
        aec.step(None)
    with pytest.raises(ValueError, match=r"call reset\(\) first"):
        aec.step(0)


# --- words -----------------------------------------------------------------------------------


def test_actions_and_observations_have_names(env):
    plain = ad_auction_v0.parallel_env()
    assert plain.decode_action("bidder_0", 7) == {"bid": 0.4}
    assert plain.encode_action("bidder_0", {"bid": 0.4}) == 7
    with pytest.raises(ValueError, match="outside its space"):
        plain.decode_action("bidder_0", 19)
    observations, *_ = env.step({"publisher_0": 2})
    seen = {name: env.decode_observation(name, o) for name, o in observations.items()}
    assert seen["bidder_1"] == {"phase": "bid", "value": 1.0, "floor": pytest.approx(0.4)}
    assert seen["publisher_0"] == {"phase": "bid"}


ROUND = """\
round 1 of episode 0
  publisher_0 posts a floor of 0.2
  bidder_0 bids 0.8
  bidder_1 bids 0.4
  sold to bidder_0 for 0.4 (profit 0.6)
  KPI: bidder_0 +0.6, bidder_1 +0, publisher_0 +0.4"""


def test_a_round_in_words(env, aec):
    assert env.render() == ""
    env.step({"publisher_0": 1})
    env.step({"bidder_0": 3, "bidder_1": 1})
    assert env.render() == ROUND
    for action in (1, 3, 1):
        aec.step(action)
    assert aec.render() == ROUND
    env.step({"publisher_0": 4})
    env.step({"bidder_0": 0, "bidder_1": 1})
    assert "nobody reaches the floor: the slot stays unsold" in env.render()


def test_human_prints_when_a_round_has_ended(capsys):
    made = ad_auction_v0.parallel_env(market=PUBLISHER, render_mode="human")
    made.reset(seed=0)
    made.step({"publisher_0": 1})
    assert capsys.readouterr().out == ""
    made.step({"bidder_0": 3, "bidder_1": 1})
    assert capsys.readouterr().out == ROUND + "\n"
    assert made.render() is None


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ValueError, match="render_mode must be None, 'ansi' or 'human'"):
        ad_auction_v0.parallel_env(render_mode="rgb_array")
