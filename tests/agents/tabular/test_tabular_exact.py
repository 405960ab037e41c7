"""Tabular runs: when they stop, that they can be repeated exactly, and what they refuse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.groups import PUBLISHER, copied, everybody, group

from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.envs.errors import ConfigError, build


def test_a_group_stops_when_its_policies_have_been_stable():
    learner = Q(stop_after=200, epsilon_decay=0.01, discount=0.5)
    stopping = group({"bids": 5, "observe": "price"}, everybody(learner))
    other = group({"bids": 5, "observe": "price"}, everybody(learner))
    played = stopping.run(100_000)
    greedy = other.seed_state.q_arrays.greedy
    stable, before = 0, greedy.copy()
    for _ in range(played):
        assert stable < 200
        other.run(1)
        stable = stable + 1 if np.array_equal(greedy, before) else 0
        before = greedy.copy()
        assert other.stable_rounds == stable
    assert stable == 200
    assert stopping.stopped
    assert stopping.rounds == played < 100_000


def test_a_group_stops_only_if_every_learner_asks_for_it():
    agents = {"bidder_0": Q(stop_after=1), "bidder_1": Q()}
    assert group(agents=agents).run(5000) == 5000
    longest = {"bidder_0": Q(stop_after=1), "bidder_1": Q(stop_after=300)}
    assert group(agents=longest).stop_after == 300


# --- exactly repeatable ----------------------------------------------------------------------


def test_threads_and_neighbours_change_nothing():
    def learned(seed: int) -> dict[str, np.ndarray]:
        each = group(PUBLISHER, seed=seed, copies=2, episode_rounds=11)
        each.run(2000)
        return each.state()

    alone = [learned(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as threads:
        beside = list(threads.map(learned, range(4)))
    for one, two in zip(alone, beside, strict=True):
        np.testing.assert_equal(one, two)
    assert not np.array_equal(alone[0]["q_arrays.q"], alone[1]["q_arrays.q"])


@pytest.mark.parametrize("rounds", [256, 300, 57])
@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
def test_saved_and_loaded_it_goes_on_as_if_never_stopped(rounds, update):
    config, agents = {"observe": "bids", "bids": 4}, everybody(Q(update=update, epsilon_decay=0.01))
    whole, first, second = (group(config, agents, episode_rounds=20) for _ in range(3))
    whole.run(2 * rounds)
    first.run(rounds)
    second.load(copied(first))
    second.run(rounds)
    np.testing.assert_equal(second.state(), whole.state())


def test_a_state_that_does_not_fit_changes_nothing():
    each, other = group(), group({"bids": 5})
    each.run(10)
    before = copied(each)
    with pytest.raises(ValueError, match="does not fit this configuration"):
        each.load(other.state())
    with pytest.raises(ValueError, match="does not fit this configuration"):
        each.load({})
    np.testing.assert_equal(each.state(), before)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"initial_q": (2, 1)}, "agents.bidder.initial_q: low must not be above high"),
        (
            {"epsilon": 0.1, "epsilon_min": 0.2},
            "agents.bidder.epsilon_min: must be at most epsilon (0.1), got 0.2.",
        ),
        ({"discount": 1}, "agents.bidder.discount: must be less than 1, got 1."),
        ({"learning_rate": 0}, "agents.bidder.learning_rate: must be greater than 0, got 0."),
        ({"epsilon_dcay": 1}, "agents.bidder.epsilon_dcay: unknown key. Did you mean 'epsilon_d"),
    ],
)
def test_a_mistake_is_reported_with_its_key(keys, message):
    with pytest.raises(ConfigError) as error:
        build(Q, keys, "agents.bidder")
    assert error.value.mistakes[0].startswith(message)


def test_synchronous_updates_need_one_phase():
    with pytest.raises(ConfigError, match=r"agents\.publisher_0\.update: synchronous needs a mark"):
        group(PUBLISHER, {"publisher_0": Q(update="synchronous")})
