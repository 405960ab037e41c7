"""Learners with networks solve what can be solved by hand (`support.toy_markets.solvable`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.toy_markets.solvable import BEST, Solvable, chain_q

from tacit.agents.batch.group import BatchGroup
from tacit.agents.group import make_group
from tacit.agents.neural.actor_critic import Rates
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.envs import kpi

SMALL = {"hidden": (16,), "rounds_per_update": 32, "learning_rate": 1e-2, "discount": 0.5}
LEARNERS = {
    "ippo": IppoConfig(**SMALL, entropy=0.003),
    "idqn": IdqnConfig(
        **SMALL, learning_rate_end=1e-4, epsilon=0.5, epsilon_min=0.5, replay=4096, batch=64,
        steps=32, target_every=16,
    ),
}  # fmt: skip
UPDATES = 40


def trained(game: str, configs: Any, rounds: int, seed: int = 0, copies: int = 16) -> BatchGroup:
    """A group after so many rounds; one config for all seats, or a list."""
    market = Solvable({"game": game})
    configs = configs if isinstance(configs, list) else [configs] * len(market.seats)
    named = {seat.name: config for seat, config in zip(market.seats, configs, strict=True)}
    table = kpi.resolve(market, None)
    group = make_group(market, table, named, seed, copies, total_rounds=rounds)
    group.run(rounds)
    return group


def assert_solved(group: BatchGroup) -> None:
    """Nearly always the best action, in every row that matters and in every seat."""
    for table in group.tables():
        for o, action in BEST[group.market.config.game].items():
            assert table[o, action] > 0.9, f"observation {o}: {table[o]}"


# PyTorch's updates are compared with the compiled ones elsewhere, so one game is enough for them.
ENGINES = [
    pytest.param(game, engine, marks=[pytest.mark.slow] * (engine == "torch" and game != "chain"))
    for engine in ("compiled", "torch")
    for game in BEST
]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize(("game", "engine"), ENGINES)
def test_it_finds_what_is_best(game, name, engine):
    config = LEARNERS[name].model_copy(update={"engine": engine})
    before = trained(game, config, 0).tables()[0]
    assert not all(before[o, action] > 0.9 for o, action in BEST[game].items())
    assert_solved(trained(game, config, 32 * UPDATES))


def test_values_of_the_chain_are_learned():
    """Each phase has its own; a factor of the discount lies between rounds, none within."""
    known = chain_q(0.5)
    dqn = trained("chain", LEARNERS["idqn"], 32 * 100).learners["player_0"]
    np.testing.assert_allclose(
        np.where(np.isnan(known), np.nan, dqn.online.forward(dqn._digits)), known, atol=0.01
    )
    ppo = trained("chain", LEARNERS["ippo"].model_copy(update={"entropy": 0.0}), 32 * 100)
    critic = ppo.learners["player_0"]
    values = critic.actor_critic.values(critic.digits)[:, 0] * critic.return_scale
    visited = [1, 4]  # what the best policy visits
    np.testing.assert_allclose(values[visited], np.nanmax(known, axis=1)[visited], rtol=0.02)


@pytest.mark.slow  # (the loop beside tabular learners takes 8 s to compile)
def test_side_by_side_with_tabular_learners_and_each_other():
    q = Q(learning_rate=0.05, discount=0.5, exploration="constant", epsilon=0.5, initial_q=0.0)
    for configs in ([LEARNERS["ippo"], q], [q, LEARNERS["idqn"]], list(LEARNERS.values())):
        assert_solved(trained("dominant", configs, 32 * UPDATES))


@pytest.mark.parametrize("seed", [0, 1])
def test_pennies_are_matched_half_the_time_on_average(seed):
    """Policies circle around the even mixture; entropy makes the circles shrink, their mean is
    what `average_from` reports."""
    config = IppoConfig(
        hidden=(16,), rounds_per_update=1, learning_rate=0.02, learning_rate_end=0, discount=0,
        epochs=1, minibatches=1, normalise_advantages=False, max_gradient=0, entropy=0.1,
        adam_betas=(0.5, 0.999), average_from=0.25,
    )  # fmt: skip
    group = trained("pennies", config, 3000, seed, copies=256)
    for table in group.tables():
        np.testing.assert_allclose(table, 0.5, atol=0.05)


def test_the_mean_policy_is_that_of_the_updates_after_a_share_of_training():
    config = LEARNERS["ippo"].model_copy(update={"average_from": 0.5})
    group = trained("bandit", config, 0, seed=1)
    group.total_rounds = 32 * 10
    seen = []
    for _ in range(10):
        group.run(32)
        seen.append(group.learners["player_1"].acting().copy())
    # (an update's share of training is what was done when its batch began)
    np.testing.assert_allclose(group.tables()[1], np.mean(seen[5:], axis=0), atol=1e-12)
    assert np.abs(group.tables()[1] - seen[-1]).max() > 0.01


def test_until_then_the_policy_is_reported():
    config = LEARNERS["ippo"].model_copy(update={"average_from": 0.99})
    group = trained("bandit", config, 64)
    np.testing.assert_array_equal(group.tables()[0], group.learners["player_0"].acting())


def test_rates_fall_over_training(monkeypatch):
    """Linearly, from the first update's to what is left at the last; epsilon with the rounds."""
    ends = {"learning_rate_end": 0.0, "entropy_end": 0.001}
    group = trained("dominant", LEARNERS["ippo"].model_copy(update=ends), 0)
    group.total_rounds, used = 32 * 4, []
    actor_critic = group.learners["player_0"].actor_critic
    update = actor_critic.update

    def recorded(*arguments):
        used.extend(own for own in arguments if isinstance(own, Rates))
        return update(*arguments)

    monkeypatch.setattr(actor_critic, "update", recorded)
    group.run(32 * 4)
    np.testing.assert_allclose([r.learning_rate for r in used], [0.01, 0.0075, 0.005, 0.0025])
    np.testing.assert_allclose([r.entropy_weight for r in used], [0.003, 0.0025, 0.002, 0.0015])
    decaying = {"epsilon": 0.8, "epsilon_decay": 0.01, "epsilon_min": 0.1}
    dqn = trained("dominant", LEARNERS["idqn"].model_copy(update=decaying), 64).learners["player_0"]
    np.testing.assert_allclose(dqn.epsilon, 0.8 * np.exp(-0.64))
    np.testing.assert_allclose(np.sort(dqn.acting()[0])[:2], dqn.epsilon / 3)
    late = trained("dominant", LEARNERS["idqn"].model_copy(update=decaying), 320)
    assert late.learners["player_1"].epsilon == 0.1
