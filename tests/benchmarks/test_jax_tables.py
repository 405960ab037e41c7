"""The yardstick in JAX over policy tables has tacit's gradient, and learns."""

from __future__ import annotations

import numpy as np
import pytest
from support.paths import benchmark_module

from tacit.agents.neural.arrays import MinibatchCells
from tacit.agents.neural.config import IppoConfig
from tacit.agents.registry import make_learner
from tacit.envs.kpi import Term
from tacit.envs.registry import make_market


@pytest.fixture(scope="module")
def peers():
    """Imported when a test asks for it: JAX takes a second."""
    pytest.importorskip("jax")
    tables = benchmark_module("peers.jax_tables")
    return benchmark_module("peers.jax_ippo"), tables


def layers_of(network) -> list[tuple[np.ndarray, np.ndarray]]:
    """A network's weights and biases; the first layer without the row for what is not seen."""
    found = []
    for k, (inputs, outputs, weights, biases) in enumerate(network.layers.tolist()):
        matrix = network.parameters[weights:biases].reshape(inputs, outputs)
        found.append((matrix[: inputs - (k == 0)], network.parameters[biases : biases + outputs]))
    return found


def flat(layers, network) -> np.ndarray:
    """Gradients by JAX in the order of the network's parameters."""
    out = np.zeros_like(network.parameters)
    for (slope, bias), (_, outputs, weights, biases) in zip(
        layers, network.layers.tolist(), strict=True
    ):
        out[weights : weights + slope.size] = np.asarray(slope).reshape(-1)
        out[biases : biases + outputs] = np.asarray(bias)
    return out


@pytest.mark.slow
def test_its_gradient_is_tacit_s(luck, peers):
    """Of one minibatch in which every observation was met, ratios beyond the clip included."""
    import jax

    jax_ippo, tables = peers
    market = make_market("cloud_bandwidth", {"prices": 4})
    config = IppoConfig(hidden=(8, 8), minibatches=1, entropy=0.05)
    terms = {"profit": Term(measure="profit", weight=1.0)}
    actor_critic = make_learner(config, market.seats[0], terms, 0).actor_critic
    for network in actor_critic.networks:
        network.parameters += 0.3 * luck.standard_normal(len(network.parameters)).astype("f")
        start = network.layers[0, 3] - network.layers[0, 1]
        network.parameters[start : network.layers[0, 3]] = 0.0  # weights of what is not seen
    rows, actions = 16, 4
    sums = np.stack([luck.uniform(0, 3, (rows, actions)), -luck.uniform(0, 3, (rows, actions))])
    old = luck.dirichlet(np.full(actions, 3.0), rows)
    visits, returns = luck.integers(1, 9, rows).astype(float), luck.normal(size=rows)
    cells = MinibatchCells(
        digits=np.stack(np.divmod(np.arange(rows), actions), axis=1).astype(np.int32)
        + np.array([0, actions], np.int32),
        legal=np.tile(np.array([0, actions], np.int32), (rows, 1)), old_policy=old,
        sizes=np.array([int(visits.sum())]), row_counts=np.array([rows]),
        rows=np.arange(rows)[None], visits=visits[None], return_sums=returns[None, :, None],
        advantage_sums=np.ascontiguousarray(sums[:, None]),
    )  # fmt: skip
    settings = jax_ippo.Settings(1, actions=actions, hidden=8, entropy=0.05)
    weights = {
        name: layers_of(network)
        for name, network in zip(("actor", "critic"), actor_critic.networks, strict=True)
    }
    given = tables.Cells(sums[0], sums[1], visits, returns, visits.sum())
    slope = jax.grad(tables.loss)(weights, settings, given, old)
    from tacit.agents.neural.actor_critic import Rates

    actor_critic.train_epoch(cells, np.ones(1), Rates(0.0, 0.05))
    for name, network in zip(("actor", "critic"), actor_critic.networks, strict=True):
        known = network.gradient
        assert np.abs(known).max() > 0.01
        np.testing.assert_allclose(flat(slope[name], network), known, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("buckets", [(), (2, 5, 9)])
def test_it_finds_a_dominant_action(peers, buckets):
    """A gift costs its giver 1 a piece and pays both .4: every seat of every seed gives none."""
    jax_ippo, tables = peers
    gifts = np.arange(3.0)
    own, other = np.meshgrid(gifts, gifts, indexing="ij")
    payoff = np.stack([0.4 * (own + other) - own, 0.4 * (own + other) - other], axis=-1)
    settings = jax_ippo.Settings(
        16, seeds=2, rounds=32, actions=3, hidden=16, entropy=0.0, buckets=buckets
    )
    run, rewards = tables.train(
        settings, np.float32(payoff.reshape(9, 2)), jax_ippo.begin(settings, 0), 60
    )
    assert rewards.shape == (60, 4)
    assert np.all(np.abs(np.asarray(rewards[0]) + 0.2) < 0.1)
    assert np.all(np.asarray(rewards[-1]) > -0.02)
    assert int(run.steps) == 60 * settings.epochs * settings.minibatches


@pytest.mark.slow
def test_rows_that_were_not_met_change_nothing(luck, peers):
    """A copy meets few of 81 observations in 16 rounds: with buckets all else is computed alike."""
    import jax

    jax_ippo, tables = peers
    payoff = np.float32(luck.uniform(size=(81, 2)))
    found = {}
    for buckets in ((), (4, 16, 81)):
        settings = jax_ippo.Settings(1, seeds=2, rounds=16, actions=9, hidden=16, buckets=buckets)
        run, rewards = tables.train(settings, payoff, jax_ippo.begin(settings, 0), 3)
        found[buckets] = [np.asarray(x) for x in (rewards, *jax.tree.leaves(run.weights))]
    for with_all, with_few in zip(*found.values(), strict=True):
        np.testing.assert_allclose(with_few, with_all, atol=2e-5)
