"""The yardstick in JAX learns, and its advantages are right: else its speed would mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from support.paths import benchmark_module


@pytest.fixture(scope="module")
def jax_ippo():
    """Imported when a test asks for it: JAX takes a second."""
    pytest.importorskip("jax")
    return benchmark_module("peers.jax_ippo")


def test_advantages_are_sums_of_temporal_differences(luck, jax_ippo):
    settings = jax_ippo.Settings(3, discount=0.9, gae_lambda=0.7)
    values, paid = luck.normal(size=(2, 5, 4))
    after = luck.normal(size=4)
    found = jax_ippo.advantages(settings, values, after, paid)
    following = np.vstack([values[1:], after])
    delta = paid + 0.9 * following - values
    for t in range(5):
        slow = sum((0.9 * 0.7) ** (k - t) * delta[k] for k in range(t, 5))
        np.testing.assert_allclose(found[t], slow, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("batched", [True, False])
def test_it_finds_a_dominant_action(batched, jax_ippo):
    """A gift costs its giver 1 a piece and pays both .4: every seat of every seed gives none."""
    gifts = np.arange(3.0)
    own, other = np.meshgrid(gifts, gifts, indexing="ij")
    payoff = np.stack([0.4 * (own + other) - own, 0.4 * (own + other) - other], axis=-1)
    settings = jax_ippo.Settings(
        16, seeds=2, rounds=32, actions=3, hidden=16, batched=batched, entropy=0.0
    )
    run, rewards = jax_ippo.train(settings, np.float32(payoff), jax_ippo.begin(settings, 0), 60)
    assert rewards.shape == (60, 4)
    assert np.all(np.abs(np.asarray(rewards[0]) + 0.2) < 0.1)
    assert np.all(np.asarray(rewards[-1]) > -0.02)
    assert int(run.steps) == 60 * settings.epochs * settings.minibatches
