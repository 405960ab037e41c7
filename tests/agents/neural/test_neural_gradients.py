"""Learning from cells of a table against learning from every sample: equal gradients and weights.

The reference is `slow_neural`: the papers' losses over single samples in float64.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.slow_neural import SlowDqn, SlowPpo, relative
from support.neural import CLOCK, idqn, ippo, random_samples, tender, terms

from tacit.agents.neural.network import Adam

HEADS = terms(1.0, -0.5, 0.0)
BUYER = tender().seat("buyer_0")  # phases: brief, respond; private urgency
BOUNDS = {"float32": 1e-5, "float64": 1e-10}


def moved(learner, luck):
    """The learner, with networks that differ from the table that plays."""
    width = learner.encoding.width * 16
    for network in learner.actor_critic.networks:
        network.parameters += 0.2 * luck.standard_normal(network.parameters.shape)
        network.parameters[width : width + 16] = 0.0  # the row for parts that are not seen
    return learner


def one_part(cells, b: int):
    """Minibatch b alone."""
    names = ("sizes", "row_counts", "rows", "visits", "return_sums")
    own = {name: getattr(cells, name)[b : b + 1] for name in names}
    sums = np.ascontiguousarray(cells.advantage_sums[:, b : b + 1])
    return cells._replace(**own, advantage_sums=sums)


def gradients(learner, samples, monkeypatch) -> list[np.ndarray]:
    """Every gradient of one update at fixed weights: actor and critic in turns.

    Step by step, so that they can be looked at; an update at once has the bits of its steps.
    """
    learner._at_once = None
    found: list[np.ndarray] = []
    actor_critic, next_settings = learner.actor_critic, Adam.next_settings
    train_epoch = actor_critic.train_epoch

    def by_minibatch(cells, *given):
        """Every minibatch on its own."""
        for b in range(len(cells.sizes)):
            losses = train_epoch(one_part(cells, b), *given)
            found.extend(network.gradient.copy() for network in actor_critic.networks)
        return losses

    def without_moving(self, _, steps=1):
        """A learning rate of 0."""
        return next_settings(self, 0.0, steps)

    monkeypatch.setattr(actor_critic, "train_epoch", by_minibatch)
    monkeypatch.setattr(Adam, "next_settings", without_moving)
    monkeypatch.setattr(Adam, "step", lambda self, gradient, _: setattr(self, "gradient", gradient))
    before = [network.parameters.copy() for network in actor_critic.networks]
    learner.learn(samples, CLOCK)
    for network, parameters in zip(actor_critic.networks, before, strict=True):
        np.testing.assert_array_equal(network.parameters, parameters)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_ppo_s_gradients_are_those_of_every_sample(
    engine, precision, activation, luck, monkeypatch
):
    """Ratios beyond the clip on both sides, entropy, three heads, masks, two phases."""
    keys = {"engine": engine, "precision": precision, "activation": activation, "epochs": 2}
    learner = moved(ippo(BUYER, HEADS, entropy=0.05, **keys), luck)
    samples, slow = random_samples(BUYER, luck, heads=3), SlowPpo(learner)
    known = slow.learn(samples, move=False)
    found = gradients(learner, samples, monkeypatch)
    assert 0.1 < np.mean(slow.clipped) < 0.9
    assert len(found) == len(known) == 2 * 2 * 4
    assert max(relative(f, k) for f, k in zip(found, known, strict=True)) < BOUNDS[precision]


# --- weights after 20 updates ---------------------------------------------------------------------

SAME = {
    "torch": {"engine": "torch"},
    "compiled": {},
    "compiled, relu": {"activation": "relu"},
    "torch, one for each observation": {"engine": "torch", "encoding": "observation"},
    "a softmax table": {"hidden": (), "encoding": "observation"},
    "one minibatch, any gradient": {"engine": "torch", "minibatches": 1, "max_gradient": 0},
    "advantages as they are": {"activation": "relu", "normalise_advantages": False},
}


def furthest(pairs) -> float:
    """The largest difference of weights."""
    return max(float(np.abs(own.parameters - net.flat()).max()) for own, net in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME)
def test_ppo_s_weights_after_12_updates(case, luck):
    learner = ippo(BUYER, HEADS, precision="float64", learning_rate=1e-2, **SAME[case])
    slow, before = SlowPpo(learner), [n.parameters.copy() for n in learner.actor_critic.networks]
    for _ in range(12):
        samples = random_samples(BUYER, luck, heads=3, copies=4, most=20)
        learner.learn(samples, CLOCK)
        slow.learn(samples)
    networks = learner.actor_critic.networks
    for own, start in zip(networks, before, strict=True):
        assert np.abs(own.parameters - start).max() > 0.05
    assert np.mean(slow.clipped) > 0.01
    assert furthest(zip(networks, (slow.actor, slow.critic), strict=True)) < 1e-8
    np.testing.assert_allclose(learner.return_scale, slow.return_scale, rtol=1e-8)
    np.testing.assert_allclose(learner.table(), slow.old_policy, atol=1e-8)


@pytest.mark.parametrize("sampling", ["uniform", "latest"])
@pytest.mark.parametrize("keys", [{"engine": "torch"}, {"activation": "relu"}], ids=str)
def test_dqn_s_weights_after_20_updates(keys, sampling, luck):
    """Also the order in which the ring is overwritten, and when the target is renewed."""
    more = {"precision": "float64", "replay": 150, "target_every": 7, "sampling": sampling}
    learner = idqn(BUYER, HEADS, learning_rate=3e-3, **more, **keys)
    slow, before = SlowDqn(learner), learner.online.parameters.copy()
    for _ in range(20):
        samples = random_samples(BUYER, luck, heads=3, copies=4, most=12)
        learner.learn(samples, CLOCK)
        slow.learn(samples)
    assert len(slow.kept) > 2 * 150
    assert np.abs(learner.online.parameters - before).max() > 0.05
    pairs = [(learner.online, slow.online), (learner.target, slow.target)]
    assert furthest(pairs) < 1e-8
