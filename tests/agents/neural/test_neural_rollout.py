"""Samples of the compiled rollout, against play by hand, PettingZoo and tabular loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.independent.slow_rollout import SlowRollout
from support.neural import TENDER, tender
from support.toy_markets.errand import Errand
from support.toy_markets.solvable import Solvable, chain_q

from tacit.agents.batch.arrays import RolloutBuffer
from tacit.agents.batch.group import BatchGroup
from tacit.agents.group import make_group
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.policy import cumulative
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.arrays import (
    EPISODE,
    EPISODE_ROUND,
    ROUNDS_SINCE_READ,
    TRAINED_ROUNDS,
)
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi, procurement_v0
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

SEED = 5
KPI = {
    "procurement": {
        "supplier": {"margin": 1.0, "false_scarcity": -0.5, "win": 0.0},
        "buyer": {"surplus": 1.0, "false_urgency": -0.1},
    }
}
NET = {"hidden": (8,), "rounds_per_update": 12}
LOOSE = Q(exploration="constant", epsilon=0.5, initial_q=(0.0, 1.0))


def rolled(market: Market, configs: Any, rounds: int = 12, seed: int = SEED, **keys: Any):
    """A group that has played its first batch and not learned from it."""
    table = kpi.resolve(market, KPI.get(market.name))
    if not isinstance(configs, list):
        configs = [configs] * len(market.seats)
    named = {seat.name: config for seat, config in zip(market.seats, configs, strict=True)}
    group = make_group(market, table, named, seed, **{"copies": 3, **keys})
    group._learn = lambda: None
    group.run(rounds)
    return group


IPPO, IDQN = IppoConfig(**NET), IdqnConfig(**NET, epsilon=0.7, epsilon_min=0.0)
RANDOM = ScriptedConfig(rule="random")
CASES = {
    "tender": (tender, IPPO, {}),
    "tender's episodes": (tender, IPPO, {"episode_rounds": 5}),
    "scripted seats between": (tender, [IPPO, RANDOM, IDQN], {"episode_rounds": 1}),
    "not every round": (Errand, IPPO, {"copies": 6}),
    "not every round, in episodes": (Errand, [IDQN, IPPO, RANDOM], {"episode_rounds": 3}),
}


@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_play_by_hand(case):
    make, configs, keys = CASES[case]
    group = rolled(make(), configs, **keys)
    slow = SlowRollout(group)
    slow.run(12, keys.get("episode_rounds"))
    for k, name in enumerate(group.learners):
        for c in range(slow.copies):
            known, buffer = slow.samples[name, c], group.rollout_buffer
            assert buffer.counts[k, c] == len(known) > 0
            for n, one in enumerate(known):
                names = ("observation", "action", "next_observation", "rounds_between")
                own = [getattr(buffer, name)[k, n, c] for name in names]
                assert own == [getattr(one, name) for name in names]
                assert bool(buffer.truncated[k, n, c]) == one.truncated
                heads = len(one.reward)
                np.testing.assert_allclose(buffer.reward[k, n, c, :heads], one.reward, rtol=1e-12)
                assert not buffer.reward[k, n, c, heads:].any()
    between = {d.rounds_between for decisions in slow.samples.values() for d in decisions}
    assert between >= ({0, 1} if make is tender else {0, 1, 2})


def test_hand_play_drops_decisions():
    """The case above tests that only if it happens: a worker that the look-ahead does not reach."""
    group = rolled(Errand(), [IDQN, IPPO, RANDOM], episode_rounds=3)
    slow = SlowRollout(group)
    slow.run(12, 3)
    own = [d for (name, _), all_ in slow.samples.items() if name == "worker_0" for d in all_]
    assert len({d.t // 3 for d in own if d.truncated}) > 1
    assert any(d.truncated and d.t % 3 < 2 for d in own)


def test_samples_are_what_pettingzoo_shows():
    """Copy 0 of a seed is `reset(seed)` of the view: same observations, same rewards."""
    group = rolled(tender(), IPPO, episode_rounds=5)
    env = procurement_v0.parallel_env(market=TENDER, kpi=KPI["procurement"], episode_rounds=5)
    seats, buffer = env.market.seats, group.rollout_buffer
    left = [list(range(buffer.counts[s.index, 0])) for s in seats]
    last: dict[str, int] = {}
    for episode in range(2):
        _, infos = env.reset(seed=SEED) if episode == 0 else env.reset()
        while env.agents:
            actions = {}
            for seat in seats:
                mask = infos[seat.name]["action_mask"]
                actions[seat.name] = int(mask.argmax())
                if mask.sum() > 1:
                    n = left[seat.index].pop(0)
                    observation = env.session.engine.observations[0, seat.index]
                    assert buffer.observation[seat.index, n, 0] == observation
                    actions[seat.name] = int(buffer.action[seat.index, n, 0])
                    last[seat.name] = n
            ends_round = env.session.engine.phase == len(env.market.phases) - 1
            _, rewards, _, _, infos = env.step(actions)
            for seat in seats if ends_round else ():
                weights = [term.weight for term in group.seed_state.kpi[seat.name].values()]
                parts = buffer.reward[seat.index, last[seat.name], 0, : len(weights)]
                np.testing.assert_allclose(rewards[seat.name], parts @ weights, atol=1e-12)


def arrays(buffer: RolloutBuffer, copies: slice) -> list[np.ndarray]:
    """Samples of some copies."""
    names = ("observation", "action", "next_observation", "rounds_between", "truncated", "reward")
    parts = [getattr(buffer, name) for name in names]
    return [part[:, :, copies] for part in parts] + [buffer.counts[:, copies]]


@pytest.mark.parametrize("beside", [RANDOM, LOOSE], ids=["fixed", "learning"])
def test_a_copy_does_not_depend_on_how_many_there_are(beside):
    """Tabular learners have one Q over all copies; here their greedy policies never change."""
    fixed = beside.model_copy(update={"learning_rate": 1e-300}) if beside is LOOSE else beside
    few, many = (
        rolled(Errand(), [IPPO, fixed, IPPO], copies=n, episode_rounds=4).rollout_buffer
        for n in (2, 5)
    )
    for one, other in zip(arrays(few, slice(2)), arrays(many, slice(2)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(many.action[:, :, 1], many.action[:, :, 4])


def test_seeds_differ():
    one, other = (rolled(tender(), IPPO.model_copy(update={"hidden": ()}), seed=s) for s in (0, 1))
    assert not np.array_equal(one.rollout_buffer.action, other.rollout_buffer.action)


def test_sums_are_those_of_the_engine():
    """Mean measures and scores; the tables that play are the learners'."""
    group = rolled(tender(), IPPO)
    engine = Engine(group.market, group.seed_state.kpi, [SEED], 3)
    engine.reset()
    sums = engine.play(cumulative(group.market, group.tables())[None], 12)
    measures, scores = group.read()
    np.testing.assert_allclose(measures, sums.measures.sum(axis=0) / 36, rtol=1e-12)
    np.testing.assert_allclose(scores, sums.scores.sum(axis=0) / 36, rtol=1e-12)


# --- looking ahead --------------------------------------------------------------------------------


def test_the_look_ahead_finds_the_observation_that_really_comes():
    """The buyer's private urgency is drawn before its brief: a batch that ends there finds the same
    observation as one that goes on; so does an episode's end, where that round is never played."""
    longer = IPPO.model_copy(update={"rounds_per_update": 24})
    whole = rolled(tender(), longer, 24).rollout_buffer
    half = rolled(tender(), IPPO).rollout_buffer
    episodes = rolled(tender(), IPPO, episode_rounds=12).rollout_buffer
    buyer = 2
    for c in range(3):
        n = half.counts[buyer, c] - 1
        place = buyer, n, c
        for buffer in (half, episodes):
            assert buffer.truncated[place]
            assert buffer.next_observation[place] == whole.next_observation[place]
            assert buffer.rounds_between[place] == whole.rounds_between[place] == 1
        assert not whole.truncated[place]
        assert whole.observation[buyer, n + 1, c] == half.next_observation[place]
        np.testing.assert_array_equal(half.reward[place], whole.reward[place])


def test_looking_ahead_changes_nothing():
    """Batches of 4 rounds and of 12 play the same rounds as long as nobody learns."""
    short = rolled(tender(), IPPO.model_copy(update={"rounds_per_update": 4}), 4)
    for _ in range(2):
        short.rollout_buffer.counts[:] = 0
        short.run(4)
    long = rolled(tender(), IPPO)
    for one, other in zip(short.rows, long.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(short.read(), long.read(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("episode_rounds", [None, 4])
def test_the_best_policy_with_its_true_values_has_no_error(episode_rounds):
    """The chain has two phases. Under the best policy and its true values every error is zero."""
    market, q = Solvable({"game": "chain"}), np.nan_to_num(chain_q(0.9), nan=-np.inf)
    config = IppoConfig(rounds_per_update=12, hidden=(), encoding="observation", discount=0.9)
    group = rolled(market, config, 0, episode_rounds=episode_rounds)
    learner = group.learners["player_0"]
    best = (q == q.max(axis=1, keepdims=True)).astype(float)
    learner.policy[:] = best
    group._play_acting_tables()
    group.run(12)
    buffer, value = group.rollout_buffer, q.max(axis=1)
    assert buffer.counts.tolist() == [[24, 24, 24]]
    following = 0.9 ** buffer.rounds_between[0] * value[buffer.next_observation[0]]
    target = buffer.reward[0, :24, :, 0] + following
    np.testing.assert_allclose(target, value[buffer.observation[0]], rtol=1e-12)


# --- beside tabular learners ----------------------------------------------------------------------

FIXED = IppoConfig(hidden=(), rounds_per_update=400)  # a uniform policy, exactly
BESIDE = {
    "twice a round": (Errand, [LOOSE, FIXED, LOOSE], {}),
    "in episodes": (Errand, [FIXED, LOOSE, FIXED], {"episode_rounds": 4}),
    "decaying": (Errand, [Q(epsilon_decay=0.01), FIXED, LOOSE], {"episode_rounds": 7}),
}


@pytest.mark.slow  # (a market more to compile two loops for)
def test_synchronous_learners_learn_as_beside_a_fixed_table():
    learner = Q(update="synchronous", epsilon_decay=0.01)
    assert_learns_alike(Solvable(), [learner, FIXED])


@pytest.mark.parametrize("case", BESIDE)
def test_tabular_learners_learn_as_beside_a_fixed_table(case):
    make, configs, keys = BESIDE[case]
    assert_learns_alike(make(), configs, **keys)


def assert_learns_alike(market: Market, configs: list[Any], **keys: Any) -> None:
    """A tabular learner beside `FIXED` is one beside the uniform table, bit for bit."""
    mixed = rolled(market, configs, 300, **keys)
    fixed = [RANDOM if config is FIXED else config for config in configs]
    named = {seat.name: config for seat, config in zip(market.seats, fixed, strict=True)}
    tabular = TabularGroup(market, mixed.seed_state.kpi, named, SEED, copies=3, **keys)
    tabular.run(300)
    one, other = mixed.state(), tabular.state()
    counters = [TRAINED_ROUNDS, EPISODE, EPISODE_ROUND, ROUNDS_SINCE_READ]
    clocks = [state.pop("q_arrays.clock")[counters] for state in (one, other)]
    np.testing.assert_array_equal(*clocks)
    for name, array in other.items():
        np.testing.assert_array_equal(one[name], array, err_msg=name)
    np.testing.assert_array_equal(np.sort(mixed.tables()[0]), np.sort(tabular.tables()[0]))


def test_without_networks_a_group_is_tabular():
    market = Solvable()
    named = {seat.name: LOOSE for seat in market.seats}
    table = kpi.resolve(market, None)
    one = make_group(market, table, named, SEED, 2, 7, 1000)
    assert type(one) is TabularGroup
    other = TabularGroup(market, table, named, SEED, 2, 7)
    for group in (one, other):
        group.run(300)
    np.testing.assert_equal(one.state(), other.state())
    assert type(make_group(market, table, named | {"player_0": IPPO}, 0)) is BatchGroup
