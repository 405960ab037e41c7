"""One seat as Gymnasium and SB3 environments: their checks, and one trajectory in all of them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common import env_checker
from stable_baselines3.common.vec_env import DummyVecEnv
from support.independent.pure import pure
from support.toy_markets.errand import Errand
from support.toy_markets.solvable import Solvable

import tacit.envs
from tacit.envs.engine.policy_tables import cumulative, uniform
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.rng import moment, u
from tacit.envs.views.gymnasium_env import SeatEnv
from tacit.envs.views.gymnasium_vector_env import SeatVectorEnv
from tacit.envs.views.sb3_vec_env import SeatVecEnv
from tacit.envs.views.seat_batch import SeatBatch
from tacit.envs.views.session import Session

TENDER = {
    "suppliers": 2, "prices": [0.3, 0.7], "urgency": {}, "brief": True,
    "false_urgency_fine": 0.1, "lead_times": [2, 5], "late_fine": 0.1,
}  # fmt: skip


def market(name, config=None):
    """A market by name, shipped or of the tests."""
    toys = {"errand": Errand, "solvable": Solvable}
    return toys[name](config) if name in toys else make_market(name, config)


# market, its config, a seat of it, rounds of an episode
CASES = {
    "one phase": ("ad_auction", {"observe": "bids", "bids": 4}, "bidder_1", 5),
    "buyer": ("procurement", TENDER, "buyer_0", 4),
    "supplier": ("procurement", TENDER, "supplier_1", 4),
    "twice a round": ("errand", None, "caller_0", 3),
    "not every round": ("errand", None, "worker_1", 3),
    "for ever": ("errand", None, "worker_0", None),
}
EITHER = pytest.mark.parametrize("case", CASES)


def parts(case):
    """The market, the seat's name, and keys of every constructor."""
    name, config, seat, episode_rounds = CASES[case]
    made = market(name, config)
    kpi = {seat: {made.seat(seat).role.fundamental: 2.0}}
    return made, seat, {"kpi": kpi, "episode_rounds": episode_rounds}


# --- the checks of Gymnasium and SB3 -------------------------------------------------------------


@EITHER
def test_gymnasium_and_sb3_have_nothing_to_say(case):
    """(Warnings are errors.)"""
    made, seat, keys = parts(case)
    env = SeatEnv(made, seat, **keys)
    check_env(env, skip_render_check=True)
    env_checker.check_env(env)


def test_gymnasium_makes_it_by_name():
    keys = {"market": {"bidders": 3}, "kpi": {"bidder": {"profit": 1, "spend": 0.5}}}
    env = gymnasium.make("tacit/ad_auction-v0", seat="bidder_2", **keys)
    _, info = env.reset(seed=0)
    assert list(info["kpi"]) == ["profit", "spend"]
    envs = gymnasium.make_vec(
        "tacit/ad_auction-v0", 3, "vector_entry_point", seat="bidder_2", **keys
    )
    assert envs.reset(seed=0)[1]["kpi"]["spend"].shape == (3,)


@pytest.mark.slow
def test_importing_the_markets_imports_no_torch():
    """Nor does any name of `tacit.envs` but `SeatVecEnv`."""
    names = ["Analysis", "Engine", "Market", "SeatEnv", "SeatVectorEnv", "make_market"]
    found = "print({'torch', 'stable_baselines3'} & set(sys.modules))"
    code = f"import sys, tacit.envs; {found}; [getattr(tacit.envs, n) for n in {names}]; {found}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "set()"]


def test_the_package_offers_its_nouns():
    found = {name: getattr(tacit.envs, name) for name in tacit.envs.__all__}
    assert {label: thing.__name__ for label, thing in found.items()} == {n: n for n in found}
    assert set(found) <= set(dir(tacit.envs))
    assert found["SeatVecEnv"] is SeatVecEnv
    with pytest.raises(AttributeError, match=r"tacit\.envs.* has no attribute 'SeatEnvs'"):
        tacit.envs.SeatEnvs  # noqa: B018


# --- one trajectory ------------------------------------------------------------------------------


@EITHER
def test_the_vector_env_is_many_envs(case, luck):
    """Observations, rewards, ends and infos, through several ends of episodes, row by row."""
    made, seat, keys = parts(case)
    ours = SeatVectorEnv(made, seat, num_envs=3, **keys)
    makers = [lambda c=c: SeatEnv(made, seat, copy=c, **keys) for c in range(3)]
    theirs = SyncVectorEnv(makers, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP)
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    for seed in (7, None):
        result = ours.reset(seed=seed)
        np.testing.assert_equal(result, theirs.reset(seed=[seed] * 3))
        ends = 0
        for _ in range(25):
            actions = luck.integers(ours.single_action_space.n, size=3)
            result, others = ours.step(actions), theirs.step(actions)
            for infos in (result[4], others[4]):  # (numpy compares no arrays within arrays)
                infos["final_obs"] = list(infos.get("final_obs", []))
            np.testing.assert_equal(result, others)
            ends += result[3].sum()
        assert (ends > 3) == (keys["episode_rounds"] is not None)


@EITHER
def test_the_vec_env_of_sb3_is_many_envs(case, luck):
    made, seat, keys = parts(case)
    ours = SeatVecEnv(made, seat, copies=3, **keys)
    lean = SeatVecEnv(made, seat, copies=3, infos=False, **keys)
    theirs = DummyVecEnv([lambda c=c: SeatEnv(made, seat, copy=c, **keys) for c in range(3)])
    for seed in (7, None):
        theirs._seeds = [seed] * 3  # (its own seed() gives every env another)
        assert ours.seed(seed) == lean.seed(seed) == theirs._seeds
        first = theirs.reset()
        np.testing.assert_equal(ours.reset(), first)
        np.testing.assert_equal(lean.reset(), first)
        np.testing.assert_equal(ours.reset_infos, theirs.reset_infos)
        for _ in range(25):
            np.testing.assert_equal(ours.action_masks(), theirs.env_method("action_masks"))
            actions = luck.integers(ours.action_space.n, size=3)
            result, short = ours.step(actions), lean.step(actions)
            np.testing.assert_equal(result, theirs.step(actions))
            np.testing.assert_equal(short[:3], result[:3])
            kept = ("TimeLimit.truncated", "terminal_observation")
            for brief, info, done in zip(short[3], result[3], result[2], strict=True):
                np.testing.assert_equal(brief, {k: info[k] for k in kept} if done else {})


@EITHER
def test_a_seed_fixes_every_episode_that_follows(case):
    made, seat, keys = parts(case)

    def play(env, seed):
        history = [env.reset(seed=seed)]
        for k in range(40):
            history.append(env.step(k % env.action_space.n))
            if history[-1][3]:
                history.append(env.reset())
        return history

    one, two = SeatEnv(made, seat, **keys), SeatEnv(made, seat, **keys)
    first = play(one, 5)
    np.testing.assert_equal(play(two, 5), first)
    np.testing.assert_equal(play(one, 5), first)
    assert repr(play(two, 6)) != repr(first)


class Slow:
    """A seat in its own time, phase by phase over `Session`: the slow recomputation."""

    def __init__(self, made, seat, kpi, episode_rounds):
        self.session = Session(made, kpi, episode_rounds)
        self.seat = self.session.by_name[seat]
        self.row = cumulative(made, [uniform(s.role) for s in made.seats])[None]
        self.seats = SeatBatch(made, seat, kpi, None, 1, episode_rounds)  # (only its keys are used)

    def others(self):
        """What the uniform tables draw in this phase, by seat index."""
        engine = self.session.engine
        key = np.uint64(moment(self.seats.keys[1, 0], engine.episode, engine.round, engine.phase))
        drawn = {}
        for seat in self.session.acting[engine.phase]:
            _, _, first, end = self.session.views[seat.index]
            share = 1.0 / (end - first)
            draw, action, total = u(key, seat.index), first, share
            while action < end - 1 and draw >= total:
                action, total = action + 1, total + share
            drawn[seat.index] = action
        return drawn

    def forward(self, own):
        """Play phases up to the seat's next decision or the episode's end."""
        paid, rounds, measures = 0.0, 0, {}
        while True:
            drawn = self.others()
            if own is not None:
                drawn[self.seat.index], own = own, None
            if self.session.advance(list(drawn.items())):
                _, rewards, infos = self.session.outputs()
                paid, rounds = paid + rewards[self.seat.name], rounds + 1
                for name, value in infos[self.seat.name]["measures"].items():
                    measures[name] = measures.get(name, 0.0) + value
                if self.session.over:
                    return paid, rounds, measures, True
            if self.decides():
                return paid, rounds, measures, False

    def decides(self):
        view = self.session.views[self.seat.index]
        return view.end - view.first > 1

    def ahead(self):
        """Behind the end: unpaid phases with other draws, up to the next decision's observation."""
        engine, kernels = self.session.engine, import_module(self.session.market.kernels)
        observe, play = pure(kernels.observe), pure(kernels.play)
        rows, params, phases = engine.rows, engine.game.params, len(self.session.market.phases)
        while not self.decides():
            for index, action in self.others().items():
                rows.actions[0, index] = action
            look, now = self.seats.keys[2, 0], (engine.episode, engine.round)
            key = np.uint64(moment(look, *now, phases + engine.phase))
            play(params, rows.state[0], engine.phase, rows.actions[0], rows.measures[0], key)
            engine.tick()
            for s in range(len(self.session.seats)):
                seen = observe(params, rows.state[0], engine.phase, s)
                rows.observations[0, s] = seen
            self.session._observe()
        return self.session.views[self.seat.index].shown


@EITHER
def test_a_step_is_an_own_decision_and_is_paid_up_to_the_next(case, luck):
    """Against the PettingZoo session stepped phase by phase, for one episode."""
    made, seat, keys = parts(case)
    env, slow = SeatEnv(made, seat, **keys), Slow(made, seat, keys["kpi"], keys["episode_rounds"])
    observation, info = env.reset(seed=3)
    slow.session.reset(3)
    slow.seats.reseed(3)
    if not slow.decides():
        slow.forward(None)
    over, steps = False, 0
    while not over and steps < 40:
        view = slow.session.views[slow.seat.index]
        np.testing.assert_array_equal(observation, view.shown)
        np.testing.assert_array_equal(info["action_mask"], view.mask)
        legal = np.flatnonzero(view.mask)
        assert len(legal) > 1
        action = int(luck.choice(legal))
        observation, paid, dead, over, info = env.step(action)
        reward, rounds, measures, ended = slow.forward(action)
        assert (over, dead, info["rounds"]) == (ended, False, rounds)
        assert paid == pytest.approx(reward, abs=1e-12)
        for name, value in info["measures"].items():
            assert value == pytest.approx(measures.get(name, 0.0), abs=1e-12)
        terms = [2.0 * value for value in info["kpi"].values()]
        assert sum(terms) == pytest.approx(paid, abs=1e-12)
        steps += 1
    if over:
        np.testing.assert_array_equal(observation, slow.ahead())
    assert over == (keys["episode_rounds"] is not None)


def test_the_last_observation_is_the_decision_that_would_have_come():
    """A chain of one round an episode: the final observation shows where the turn leads."""
    env = SeatEnv(market("solvable", {"game": "chain"}), "player_0", episode_rounds=1)
    for turn in (0, 1):
        env.reset(seed=0)
        observation, paid, _, over, _ = env.step(0)
        assert (observation.tolist(), paid, over) == ([1, 0, 0], 0.0, False)
        observation, paid, dead, over, info = env.step(2 + turn)
        assert observation.tolist() == [0, turn, 0]
        assert (paid, dead, over, info["rounds"]) == ([1.0, 0.8][turn], False, True, 1)
        assert env.reset()[0].tolist() == [0, 0, 0]


def test_tables_are_played_and_illegal_actions_are_named():
    made = market("errand")
    worker = np.zeros((5, 4))
    worker[0, 3] = worker[4, 3] = 1.0  # waits
    worker[1:4, 2] = 1.0  # tries hardest
    env = SeatEnv(made, "caller_0", tables={"worker": worker})
    env.reset(seed=0)
    _, paid, _, _, info = env.step(3)  # a bonus where a worker is called: the first is
    assert (paid, info["masked_action"], info["action_mask"].tolist()) == (0.0, 3, [0, 0, 1, 1])
    _, paid, _, _, info = env.step(3)
    assert "masked_action" not in info
    assert 1.5 <= paid < 1.7  # effort 2 of worker 0, less half a bonus, and luck


def test_what_others_know_and_do_in_secret_changes_nothing_that_a_seat_sees():
    """A supplier's steps are the same whatever its rival draws and offers, as it sees neither."""
    made = make_market("procurement", {"suppliers": 2, "counters": False})
    role = made.role("supplier")
    first_legal = np.zeros((role.observations, role.actions))
    first_legal[np.arange(role.observations), role.legal[:, 0]] = 1.0
    seen, done = [], []
    for table in (uniform(role), first_legal):
        env = SeatEnv(made, "supplier_0", tables={"supplier_1": table})
        shown = [env.reset(seed=1)[0]]
        for _ in range(50):
            shown.append(env.step(int(role.legal[0, 0]))[0])
            done.append(env.seats.rows.actions[0].tolist())
        seen.append(np.array(shown))
    np.testing.assert_array_equal(*seen)
    assert (seen[0] != seen[0][0]).any()
    assert done[:50] != done[50:]


# --- all seats of a role -------------------------------------------------------------------------


def test_a_role_s_name_makes_every_seat_a_row(luck):
    made = make_market("ad_auction", {"observe": "bids", "bids": 4, "bidders": 3})
    env = SeatVecEnv(made, "bidder", copies=2, episode_rounds=4)
    session = Session(made, None, 4)
    env.seed(9)
    shown = env.reset()
    session.reset(9)
    assert env.num_envs == 6
    for _ in range(4):
        for k in range(3):
            np.testing.assert_array_equal(shown[k], session.views[k].shown)
        actions = luck.integers(env.action_space.n, size=6)
        shown, rewards, dones, infos = env.step(actions)
        session.advance(list(enumerate(actions[:3].tolist())))
        _, paid, by_name = session.outputs()
        np.testing.assert_allclose(rewards[:3], list(paid.values()), rtol=1e-6)
        for k in range(3):
            assert infos[k]["measures"] == by_name[f"bidder_{k}"]["measures"]
        assert dones.tolist() == [session.over] * 6
    assert [info["TimeLimit.truncated"] for info in infos] == [True] * 6
    for k in range(3):
        np.testing.assert_array_equal(infos[k]["terminal_observation"], session.views[k].shown)


def test_seats_of_a_role_that_take_turns_share_steps():
    """A worker that was not called has one legal action in its row."""
    env = SeatVecEnv(market("errand"), "worker", copies=64, episode_rounds=8)
    env.seed(0)
    env.reset()
    for _ in range(20):
        masks = env.action_masks().reshape(64, 2, 4)
        assert sorted(np.unique(masks.sum(axis=2), axis=1).ravel().tolist()) == [1] * 64 + [3] * 64
        env.step(masks.reshape(128, 4).argmax(axis=1))


# --- mistakes ------------------------------------------------------------------------------------


def test_mistakes_are_named_all_at_once():
    made = make_market("ad_auction", {"bids": 3})
    table = uniform(made.role("bidder"))
    wrong = {"bidder_0": table[:, :2], "bidder_1": table * 0.5, "biddr": table}
    with pytest.raises(ConfigError) as caught:
        SeatEnv(made, "bidder_0", tables=wrong)
    text = str(caught.value)
    assert "tables.biddr: unknown role or seat. Did you mean 'bidder'?" in text
    assert "tables.bidder_0: must be of shape (1, 3) (observations, actions), got (1, 2)." in text
    assert "tables.bidder_1: row 0 must be probabilities that sum to 1, got [0.1666" in text
    with pytest.raises(ConfigError, match=r"tables.bidder: must be a table of numbers"):
        SeatEnv(made, "bidder_0", tables={"bidder": "truthful"})
    with pytest.raises(ConfigError, match=r"seat: unknown seat or role 'bider_0'. Did you mean"):
        SeatEnv(made, "bider_0")
    with pytest.raises(
        ConfigError, match="'bidder' is a role of several seats: bidder_0, bidder_1"
    ):
        SeatEnv(made, "bidder")
    with pytest.raises(ConfigError, match=r"kpi.bidder.profti: unknown measure"):
        SeatEnv(made, "bidder_0", kpi={"bidder": {"profti": 1}})


def test_an_action_that_is_illegal_in_a_table_is_refused():
    made = market("errand")
    table = uniform(made.role("worker"))
    table[0] = [1, 0, 0, 0]
    with pytest.raises(ConfigError, match="row 0 gives action 0 a probability, which is illegal"):
        SeatEnv(made, "caller_0", tables={"worker": table})


@pytest.mark.parametrize("episode_rounds", [3, None])
def test_a_seat_that_never_decides_is_reported(episode_rounds):
    made = market("errand")
    caller = np.zeros((3, 4))
    caller[0, 0] = caller[1:, 2] = 1.0  # always calls worker 0
    env = SeatEnv(made, "worker_1", tables={"caller": caller}, episode_rounds=episode_rounds)
    with pytest.raises(ConfigError, match=r"worker_1 met no decision in 10,000 rounds \(copy 0\)"):
        env.reset()


@pytest.mark.parametrize("action", [-1, 3, 0.5, 1.0, float("inf"), "0", None, [1], np.array([1])])
def test_an_action_outside_the_space_is_refused(action):
    env = SeatEnv(make_market("ad_auction", {"bids": 3}), "bidder_0")
    env.reset(seed=0)
    assert not env.action_space.contains(action)
    with pytest.raises(ValueError, match=r"bidder_0.*: action .* its space(| is) 0 \.\. 2"):
        env.step(action)


def test_steps_out_of_order_are_refused():
    env = SeatEnv(make_market("ad_auction", {"bids": 3}), "bidder_0", episode_rounds=1)
    with pytest.raises(ValueError, match=r"step\(\) before an episode: call reset\(\) first"):
        env.step(0)
    env.reset()
    env.step(0)
    with pytest.raises(ValueError, match="after the end of an episode"):
        env.step(0)
    for wrong in ({"episode_rounds": 0}, {"copy": -1}):
        with pytest.raises(ValueError, match=r"at least|must be >= 0"):
            SeatEnv(env.seats.market, "bidder_0", **wrong)
    vector = SeatVectorEnv(env.seats.market, "bidder_0", num_envs=2)
    vector.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must be integers of shape \(2, 1\), got"):
        vector.step(np.zeros(3, int))
    with pytest.raises(
        ValueError, match=r"bidder_0 \(row 0\): action 0\.\d+ is no integer; its space is 0 \.\. 2"
    ):
        vector.step(np.zeros(2))


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
def test_a_seat_is_asked_for(make):
    with pytest.raises(ConfigError, match=r"seat.*bidder_0"):
        make("tacit/ad_auction-v0")
