"""How observations and infos look, by choice, in every view: one trajectory, truthful spaces."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test
from stable_baselines3.common import env_checker
from support.every_market import CONFIGS

from tacit.envs.errors import ConfigError
from tacit.envs.registry import MARKETS, make_market
from tacit.envs.views.choices import INFOS, OBSERVATIONS, ObservationForm
from tacit.envs.views.gymnasium_env import SeatEnv
from tacit.envs.views.gymnasium_vector_env import SeatVectorEnv
from tacit.envs.views.pettingzoo_env import make_aec, make_parallel, make_raw_aec
from tacit.envs.views.sb3_vec_env import SeatVecEnv

# the richest config of each market
LARGE = {name: configs[-1] for name, configs in CONFIGS.items()}
EVERY = pytest.mark.parametrize("name", MARKETS)
OTHERS = pytest.mark.parametrize("observation", OBSERVATIONS[1:])
CHOICES = [("onehot", "flat"), ("box", "mask"), ("onehot", None), ("digits", "flat")]
CHOSEN = pytest.mark.parametrize(("observation", "infos"), CHOICES)


def expected(role, digits, observation):
    """The other forms of one observation, part by part."""
    sizes = [len(part.values) for part in role.observation_parts]
    if observation == "digits":
        return digits
    if observation == "box":
        return np.float32([d / (n - 1) if n > 1 else 0 for d, n in zip(digits, sizes, strict=True)])
    rows = [np.arange(n) == d for d, n in zip(digits, sizes, strict=True)]
    return np.concatenate(rows).astype(np.float32)


def flattened(info):
    """The flat form of a nested info."""
    flat = {f"measures/{name}": value for name, value in info["measures"].items()}
    flat |= {f"kpi/{name}": value for name, value in info["kpi"].items()}
    return flat | {"masked_action": -1} | {
        name: value for name, value in info.items() if name not in ("measures", "kpi")
    }  # fmt: skip


def as_chosen(info, infos):
    """What a nested info is in another form."""
    if infos == "flat":
        return flattened(info)
    return {"action_mask": info["action_mask"]} if infos == "mask" else {}


# --- the forms themselves ------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_a_form_can_be_turned_back(name, observation, luck):
    for role in make_market(name, LARGE[name]).roles:
        form = ObservationForm(role, observation)
        seen = luck.integers(role.observations, size=20)
        digits = np.array([role.observation_digits(o) for o in seen])
        shown = form(digits)
        assert all(form.space.contains(each) for each in shown)
        assert shown.dtype == form.space.dtype
        np.testing.assert_array_equal(shown, [expected(role, d, observation) for d in digits])
        np.testing.assert_array_equal(form.digits(shown), digits)
        np.testing.assert_array_equal(form.digits(shown[0]), digits[0])


MISTAKES = [
    ({"observation": "onehto"}, r"^observation: unknown form 'onehto'\. Did you mean 'onehot'\?$"),
    ({"observation": 7}, r"^observation: unknown form 7\. One of: box, digits, onehot\.$"),
    ({"observation": None}, r"^observation: unknown form None\. "),
    ({"observation": ["box"]}, r"^observation: unknown form \['box'\]\. Did you mean 'box'\?$"),
    ({"infos": "flt"}, r"^infos: unknown form 'flt'\. Did you mean 'flat'\?$"),
    ({"infos": 3}, r"^infos: unknown form 3\. One of: None, flat, mask, nested\.$"),
    ({"observation": "x", "infos": "y"}, r"^observation: .*\ninfos: unknown form 'y'\. One of"),
]


@pytest.mark.parametrize(("keys", "message"), MISTAKES)
@pytest.mark.parametrize("view", [SeatEnv, SeatVectorEnv, SeatVecEnv, make_parallel, make_raw_aec])
def test_an_unknown_form_is_refused_with_the_nearest(view, keys, message):
    seats = isinstance(view, type)
    given = (make_market("ad_auction"), "bidder_0") if seats else ("ad_auction",)
    with pytest.raises(ConfigError, match=message):
        view(*given, **keys)


# --- PettingZoo ----------------------------------------------------------------------------------


def play_parallel(name, rounds=3, **keys):
    """All outputs of a random episode, without infos, and the infos."""
    env = make_parallel(name, market=LARGE[name], episode_rounds=rounds, **keys)
    luck = np.random.default_rng(4)  # noqa: TID251 (the same in all)
    observations, infos = env.reset(seed=1)
    played, told = [(observations,)], [infos]
    while env.agents:
        actions = {s: int(luck.integers(env.action_space(s).n)) for s in env.agents}
        *outputs, infos = env.step(actions)
        played.append(tuple(outputs))
        told.append(infos)
    return env, played, told


@EVERY
@CHOSEN
def test_parallel_shows_one_trajectory_in_every_form(name, observation, infos):
    env, played, told = play_parallel(name, observation=observation, infos=infos)
    _, plain, nested = play_parallel(name)
    for (shown, *rest), (digits, *known) in zip(played, plain, strict=True):
        assert rest == known
        for seat in env.possible_agents:
            assert env.observation_space(seat).contains(shown[seat])
            role = env.market.seat(seat).role
            np.testing.assert_array_equal(shown[seat], expected(role, digits[seat], observation))
    for one, two in zip(told, nested, strict=True):
        for seat in env.possible_agents:
            np.testing.assert_equal(one[seat], as_chosen(two[seat], infos))


@EVERY
@CHOSEN
def test_aec_shows_what_parallel_does(name, observation, infos):
    keys = {"market": LARGE[name], "observation": observation, "infos": infos}
    together, env = make_parallel(name, **keys), make_raw_aec(name, **keys)
    shown, told = together.reset(seed=2)
    env.reset(seed=2)
    for seat in env.possible_agents:
        assert env.observation_space(seat) == together.observation_space(seat)
        np.testing.assert_array_equal(env.observe(seat), shown[seat])
        np.testing.assert_equal(env.infos[seat], told[seat])
    assert env.state_space.contains(env.state())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")
@pytest.mark.filterwarnings("ignore:Agents have different observation space sizes")
@pytest.mark.filterwarnings("ignore:Observations are different shapes")
@EVERY
@OTHERS
def test_pettingzoo_has_nothing_to_say(name, observation):
    keys = {"market": LARGE[name], "observation": observation, "infos": "flat"}
    parallel_api_test(make_parallel(name, **keys), num_cycles=30)
    api_test(make_aec(name, **keys), num_cycles=30)


@EVERY
def test_observations_in_words_are_the_same_from_every_form(name):
    plain = make_parallel(name, market=LARGE[name])
    first, _ = plain.reset(seed=3)
    for observation in OBSERVATIONS[1:]:
        env = make_parallel(name, market=LARGE[name], observation=observation)
        shown, _ = env.reset(seed=3)
        for seat in env.possible_agents:
            words = plain.decode_observation(seat, first[seat])
            assert env.decode_observation(seat, shown[seat]) == words


# --- one seat ------------------------------------------------------------------------------------

SEATS = {
    "ad_auction": "bidder_1",
    "procurement": "supplier_0",
    "cloud_bandwidth": "provider_0",
    "quantity_competition": "firm_1",
    "cheap_talk": "receiver_0",
    "hiring": "candidate_0",
    "delivery_slots": "shipper_1",
}
LENGTH = {"episode_rounds": 2}


def seat_of(name):
    return make_market(name, LARGE[name]), SEATS[name]


@EVERY
@OTHERS
def test_gymnasium_and_sb3_have_nothing_to_say(name, observation):
    env = SeatEnv(*seat_of(name), observation=observation, infos="flat", **LENGTH)
    check_env(env, skip_render_check=True)
    env_checker.check_env(env)


@EVERY
@CHOSEN
def test_a_seat_sees_one_trajectory_in_every_form(name, observation, infos, luck):
    plain = SeatEnv(*seat_of(name), **LENGTH)
    env = SeatEnv(*seat_of(name), observation=observation, infos=infos, **LENGTH)
    role = plain.seats.role
    (digits, nested), (shown, info) = plain.reset(seed=5), env.reset(seed=5)
    for _ in range(8):
        assert env.observation_space.contains(shown)
        np.testing.assert_array_equal(shown, expected(role, digits, observation))
        np.testing.assert_equal(info, as_chosen(nested, infos))
        action = int(luck.integers(env.action_space.n))
        digits, *known, over, nested = plain.step(action)
        shown, *rest, over_too, info = env.step(action)
        assert (rest, over_too) == (known, over)
        if over:
            (digits, nested), (shown, info) = plain.reset(), env.reset()


@EVERY
@CHOSEN
def test_rows_are_the_single_env_in_every_form(name, observation, infos, luck):
    """The vector env and the one of SB3, through an end of an episode."""
    keys = {"observation": observation, "infos": infos, **LENGTH}
    vector = SeatVectorEnv(*seat_of(name), num_envs=1, **keys)
    theirs = gymnasium.vector.SyncVectorEnv(
        [lambda: SeatEnv(*seat_of(name), **keys)],
        autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,
    )
    rows = SeatVecEnv(*seat_of(name), **keys)
    assert vector.observation_space == theirs.observation_space
    assert rows.observation_space == theirs.single_observation_space
    rows.seed(6)
    first = rows.reset()
    result = vector.reset(seed=6)
    np.testing.assert_equal(result, theirs.reset(seed=[6]))
    np.testing.assert_array_equal(result[0], first)
    for _ in range(5):
        actions = luck.integers(vector.single_action_space.n, size=1)
        result, others = vector.step(actions), theirs.step(actions)
        for told in (result[4], others[4]):  # (numpy compares no arrays within arrays)
            told["final_obs"] = list(told.get("final_obs", []))
        others[4].setdefault("final_info", result[4].get("final_info"))
        others[4].setdefault("_final_info", result[4].get("_final_info"))
        result[4].setdefault("final_info", None)
        result[4].setdefault("_final_info", None)
        np.testing.assert_equal(result, others)
        shown, _, done, (info,) = rows.step(actions)
        np.testing.assert_array_equal(shown, result[0])
        if done[0]:
            np.testing.assert_array_equal(info["terminal_observation"], result[4]["final_obs"][0])
        assert ("action_mask" in info) == (infos is not None)
        assert ("masked_action" in info) == (infos == "flat")


COPIERS = {"deepcopy": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}


@pytest.mark.parametrize("copied", COPIERS.values(), ids=COPIERS)
@CHOSEN
def test_a_copy_goes_on_in_its_form(observation, infos, copied):
    keys = {"observation": observation, "infos": infos}
    env = SeatEnv(*seat_of("ad_auction"), **keys)
    env.reset(seed=1)
    env.step(1)
    other = copied(env)
    np.testing.assert_equal(other.step(2), env.step(2))
    both = make_parallel("ad_auction", **keys)
    both.reset(seed=1)
    again = copied(both)
    actions = dict.fromkeys(both.agents, 1)
    np.testing.assert_equal(again.step(actions), both.step(actions))
    rows = SeatVecEnv(*seat_of("ad_auction"), **keys)
    rows.reset()
    twice = copied(rows)
    np.testing.assert_equal(twice.step(np.array([1])), rows.step(np.array([1])))


def test_every_flat_info_of_a_seat_has_the_same_keys():
    """So that libraries can stack them; also where an action was replaced."""
    _, _, told = play_parallel("procurement", infos="flat", rounds=5)
    for seat in told[0]:
        assert len({tuple(infos[seat]) for infos in told}) == 1
        assert not any(isinstance(value, dict) for value in told[0][seat].values())
    assert {infos[seat]["masked_action"] for infos in told for seat in infos} > {-1}


def test_true_and_false_mean_what_they_meant():
    keys = {"num_envs": 2}
    made = make_market("procurement")
    for given, same in ((True, "nested"), (False, "mask")):
        one, two = (SeatVectorEnv(made, "supplier_0", infos=i, **keys) for i in (given, same))
        np.testing.assert_equal(one.reset(seed=1), two.reset(seed=1))
    illegal = np.array([7, 7])  # an answer to a counter-offer, before any was made
    assert "masked_action" in one.step(illegal)[4]
    assert "masked_action" not in two.step(illegal)[4]
    lean = [SeatVecEnv(made, "supplier_0", infos=i) for i in (False, None)]
    for env in lean:
        env.reset()
    assert [env.step(illegal[:1])[3] for env in lean] == [[{}], [{}]]
    assert INFOS[0] == "nested"
    assert OBSERVATIONS[0] == "digits"
