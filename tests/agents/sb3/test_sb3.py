"""Learners of Stable-Baselines3 in seats: what they are trained on, bits, records, mistakes."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from support.toy_markets.errand import Errand
from support.toy_markets.solvable import Solvable

from tacit.agents.batch.config import Clock
from tacit.agents.batch.group import BatchGroup
from tacit.agents.batch.learner import Diverged
from tacit.agents.batch.rollout_buffer import samples_of
from tacit.agents.group import make_group
from tacit.agents.neural.config import IppoConfig
from tacit.agents.registry import check_agents, make_config
from tacit.agents.sb3.buffers import KeyedRolloutBuffer
from tacit.agents.sb3.config import Sb3Config
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.envs import kpi
from tacit.envs.engine.policy_tables import mask
from tacit.envs.errors import ConfigError

SMALL = {"policy_kwargs": {"net_arch": [8]}}
CONFIGS = {
    "PPO": Sb3Config(
        rounds_per_update=8, kwargs={"n_epochs": 2, "batch_size": 32, **SMALL}, learning_rate=0.01
    ),
    "A2C": Sb3Config(algorithm="A2C", rounds_per_update=8, learning_rate_end=0.0, kwargs=SMALL),
    "DQN": Sb3Config(
        algorithm="DQN", rounds_per_update=8, steps=4, learning_rate=0.01,
        kwargs={"batch_size": 16, "target_update_interval": 100, "buffer_size": 300, **SMALL},
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("algorithm", CONFIGS)


def group(market, config, seed=0, others=None, **keys) -> BatchGroup:
    """All seats with one config, but for `others`."""
    agents = {seat.name: config for seat in market.seats} | (others or {})
    keys = {"copies": 4, "total_rounds": 64} | keys
    return make_group(market, kpi.resolve(market, None), agents, seed, **keys)


def weights(one: BatchGroup) -> dict[str, np.ndarray]:
    return {k: v for k, v in one.state().items() if k.startswith("learner")}


# --- what it trains on ---------------------------------------------------------------------------


@pytest.mark.parametrize("market", [Solvable({"game": "chain"}), Errand()], ids=["chain", "errand"])
def test_ppo_trains_on_the_seat_s_own_samples(market, monkeypatch):
    """Probabilities that played, and advantages in the seat's own time, recomputed slowly."""
    filled = []
    fill = KeyedRolloutBuffer.fill

    def recorded(self, *given):
        filled.append(given)
        fill(self, *given)

    monkeypatch.setattr(KeyedRolloutBuffer, "fill", recorded)
    one = group(market, CONFIGS["PPO"], episode_rounds=5)
    tables = [learner.acting().copy() for learner in one.learners.values()]
    models = [learner.model.policy for learner in one.learners.values()]
    digits = [learner.digits for learner in one.learners.values()]
    with torch.no_grad():
        values = [m.predict_values(d).numpy()[:, 0] for m, d in zip(models, digits, strict=True)]
    copied = []
    learn = one._learn

    def copy_and_learn():
        samples = [samples_of(one.rollout_buffer, k) for k in range(len(tables))]
        copied.extend(type(s)(*(x.copy() for x in s)) for s in samples)
        learn()

    monkeypatch.setattr(one, "_learn", copy_and_learn)
    one.run(8)
    assert len(filled) == len(tables)
    for seat, table, value, own, (_, observations, columns, _) in zip(
        market.seats, tables, values, copied, filled, strict=True
    ):
        actions, old_values, logs, advantages, returns = columns
        assert len(observations) == own.total > 0
        np.testing.assert_allclose(np.exp(logs), table[observations, actions], rtol=1e-5)
        np.testing.assert_allclose(old_values, value[observations], rtol=1e-5, atol=1e-6)
        slow = slow_advantages(own, value, one.learners[seat.name].weights)
        np.testing.assert_allclose(advantages, slow, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(returns, slow + old_values, rtol=1e-5, atol=1e-6)


def slow_advantages(samples, value, term_weights, discount=0.95, gae_lambda=0.95):
    """Sums of temporal differences, written out, the latest sample first; a truncated sample uses
    the next value, and no difference behind it."""
    result = []
    for n in reversed(range(samples.counts.max())):
        for c in np.flatnonzero(samples.counts > n):
            total, factor = 0.0, 1.0
            for k in range(n, samples.counts[c]):
                step = discount ** int(samples.rounds_between[k, c])
                reward = float(samples.reward[k, c, : len(term_weights)] @ term_weights)
                after = step * value[samples.next_observation[k, c]]
                total += factor * (reward + after - value[samples.observation[k, c]])
                factor *= step * gae_lambda
                if samples.truncated[k, c]:
                    break
            result.append(total)
    return np.array(result)


@EACH
def test_tables_and_losses_know_what_is_legal(algorithm):
    """Also where SB3 looks by itself: in entropies, probabilities and next values."""
    market = Solvable({"game": "chain"})
    one = group(market, CONFIGS[algorithm])
    one.run(16)
    legal = mask(market.roles[0])
    for table in (one.learners["player_0"].acting(), one.tables()[0]):
        assert np.all(table[~legal] == 0)
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    learner = one.learners["player_0"]
    with torch.no_grad():
        if algorithm == "DQN":
            ahead = learner.model.q_net_target(learner.digits).numpy()
            assert np.all((ahead < -1e7) == ~legal)
            return
        policy, actions = learner.model.policy, torch.tensor([0, 1, 2, 3, 2, 3])
        _, logs, entropy = policy.evaluate_actions(learner.digits, actions)
    played = learner.acting()[np.arange(6), actions]
    np.testing.assert_allclose(np.exp(logs.numpy()), played, rtol=1e-5)
    slow = -np.nansum(learner.acting() * np.log(np.where(legal, learner.acting(), 1.0)), axis=1)
    np.testing.assert_allclose(entropy.numpy(), slow, rtol=1e-4)


def test_where_everything_is_legal_sb3_s_policy_is_its_own():
    one = group(Solvable({"game": "dominant"}), CONFIGS["PPO"])
    assert type(one.learners["player_0"].model.policy).__name__ == "ActorCriticPolicy"


def test_minibatches_are_every_sample_once_by_key():
    def dealt(seed):
        rollout, n = KeyedRolloutBuffer(), 10
        columns = (np.arange(n), *(np.arange(n, dtype=float) + k for k in range(4)))
        rollout.fill(torch.arange(20)[:, None], np.arange(n) + 5, columns, np.uint64(seed))
        return [
            [(int(o), int(a), *map(float, floats)) for o, a, *floats in zip(*parts, strict=True)]
            for _ in range(2)
            for parts in rollout.get(4)
        ]

    first, again, other = dealt(1), dealt(1), dealt(2)
    assert [len(part) for part in first] == [4, 4, 2] * 2
    assert first == again != other
    assert first[:3] != first[3:]
    for part in (first[:3], first[3:]):
        whole = sorted(sample for batch in part for sample in batch)
        assert whole == [(i + 5, i, i, i + 1, i + 2, i + 3) for i in range(10)]


def test_dqn_discounts_by_rounds_and_never_ends():
    one = group(Solvable({"game": "chain"}), CONFIGS["DQN"])
    one.run(8)
    learner = one.learners["player_0"]
    drawn = learner.buffer.sample(64)
    within = drawn.observations[:, 0] == 0  # from road to turn no time passes
    assert 0 < int(within.sum()) < 64
    expected = torch.where(within, 1.0, 0.95).float()[:, None]
    torch.testing.assert_close(drawn.discounts, expected)
    assert not drawn.dones.any()
    assert learner.buffer.memory.stored == 4 * 8 * 2


def test_epsilon_and_the_learning_rate_fall_over_training():
    kwargs = {**CONFIGS["DQN"].kwargs, "learning_starts": 0}
    config = CONFIGS["DQN"].model_copy(update={"learning_rate_end": 0.001, "kwargs": kwargs})
    one = group(Solvable({"game": "pennies"}), config, total_rounds=160)
    shares, rates = [], []
    for _ in range(3):
        shares.append(one.learners["player_0"].acting().min())
        one.run(8)
        rates.append(one.figures["learner/player_0/learning_rate"])
    # from 1 to .05 over the first tenth of training: half of it after 8 of 160 rounds
    np.testing.assert_allclose(shares, [0.5, 0.525 / 2, 0.05 / 2])
    np.testing.assert_allclose(rates, [0.01, 0.01 - 0.009 / 20, 0.01 - 0.009 / 10])


# --- the same bits -------------------------------------------------------------------------------


def generators():
    """The states of the generators that the whole process shares."""
    numpy = np.random.get_state()  # noqa: TID251, NPY002 (it is what must not move)
    return torch.get_rng_state().numpy(), random.getstate(), numpy


@EACH
def test_a_seed_gives_the_same_weights_whatever_is_beside_it(algorithm):
    """Other seeds in other threads, and global generators in any state, which stays as it is."""
    market = Solvable({"game": "chain"})

    def train(seed):
        one = group(market, CONFIGS[algorithm], seed)
        one.run(24)
        return weights(one)

    alone = train(3)
    torch.manual_seed(99)
    random.seed(99)
    before = generators()
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(train, range(6)))
    after = generators()
    np.testing.assert_equal(beside[3], alone)
    np.testing.assert_equal(after, before)
    assert any((beside[2][name] != alone[name]).any() for name in alone)


@EACH
def test_it_goes_on_exactly_where_it_was_saved(algorithm):
    market = Solvable({"game": "chain"})
    through, first, second = (group(market, CONFIGS[algorithm], episode_rounds=5) for _ in "123")
    through.run(44)
    first.run(20)  # (in the middle of a batch)
    second.load(first.state())
    second.run(24)
    np.testing.assert_equal(second.state(), through.state())
    np.testing.assert_equal(second.tables(), through.tables())


@EACH
def test_it_sits_beside_any_other_learner(algorithm):
    market = Solvable({"game": "dominant"})
    others = {
        "ippo": IppoConfig(rounds_per_update=8, hidden=(8,)),
        "q_learning": QLearningConfig(),
        "scripted": ScriptedConfig(rule="random"),
        "sb3": CONFIGS["A2C"],
    }
    for config in others.values():
        one = group(market, CONFIGS[algorithm], others={"player_1": config})
        before = one.tables()[0].copy()
        one.run(32)
        assert one.rounds == 32
        assert (one.learners["player_0"].acting() != before).any()


# --- mistakes ------------------------------------------------------------------------------------


def refused(**keys) -> str:
    """What is said of a config of player_0."""
    market = Solvable({"game": "dominant"})

    def check():
        config = make_config({"name": "sb3", **keys}, "agents.player_0")
        check_agents(market, {seat.name: config for seat in market.seats})

    with pytest.raises(ConfigError) as caught:
        check()
    return str(caught.value)


def test_a_class_that_does_not_exist_or_fit_is_named():
    said = (
        "agents.player_0.algorithm: unknown class 'PPPO' of Stable-Baselines3. Did you mean 'PPO'?"
    )
    assert refused(algorithm="PPPO") == said
    assert "SAC has continuous actions, a market's are discrete." in refused(algorithm="SAC")


def test_keyword_arguments_are_checked_all_at_once():
    kwargs = {"n_epoch": 3, "gamma": 0.5, "env": 1, "policy_kwargs": {"activation_fn": "rely"}}
    assert refused(kwargs=kwargs).splitlines() == [
        "agents.player_0.kwargs.n_epoch: unknown key of PPO. Did you mean 'n_epochs'?",
        "agents.player_0.kwargs.gamma: tacit sets this. Set 'discount' of the agent.",
        "agents.player_0.kwargs.env: tacit sets this. It is not for you to set here.",
        "agents.player_0.kwargs.policy_kwargs.activation_fn: unknown 'rely'. Did you mean 'relu'?",
    ]
    assert "kwargs: PPO refuses them: `batch_size` must be" in refused(kwargs={"batch_size": 1})
    assert "policy_kwargs: must be a table" in refused(kwargs={"policy_kwargs": 3})
    assert "refuses them" in refused(algorithm="DQN", kwargs={"buffer_size": -1})


@pytest.mark.parametrize("algorithm", ["PPO", "A2C"])
def test_a_loss_that_explodes_stops_the_seat(algorithm):
    config = CONFIGS[algorithm].model_copy(
        update={"learning_rate": 1e30, "learning_rate_end": None}
    )
    one = group(Solvable({"game": "bandit"}), config)
    with pytest.raises(Diverged, match=r"agents.player_0: the loss of seed 0 is no finite number"):
        one.run(80)


def test_an_update_without_samples_changes_nothing():
    one = group(Errand(), CONFIGS["PPO"])
    learner = one.learners["worker_1"]
    before = learner.state()
    assert learner.learn(samples_of(one.rollout_buffer, 2), Clock(8, 8, 64)) == {}
    np.testing.assert_equal(learner.state(), before)
