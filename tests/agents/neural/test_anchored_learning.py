"""PPO that is held to a prior: the gradient, the limits of the weight, and what it learns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.independent.slow_neural import SlowPpo, relative
from support.neural import CLOCK, random_samples, tender, terms

from tacit.agents.anchor import AnchorConfig
from tacit.agents.group import make_group
from tacit.agents.neural.arrays import AnchorArrays
from tacit.agents.neural.config import IppoConfig
from tacit.agents.neural.network import Adam
from tacit.agents.neural.ppo import Ippo, ppo_loss
from tacit.agents.registry import _actor_critic_class, make_learner
from tacit.agents.scripted import ScriptedConfig
from tacit.emergence.anchored.equilibrium import action_values
from tacit.emergence.tree import enumerate_round, legal_actions
from tacit.emergence.tree.initial_states import state_without_past
from tacit.envs import kpi as kpis
from tacit.envs.engine.policy_tables import mask
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = tender()
BUYER = MARKET.seat("buyer_0")
BOUNDS = {"float32": 2e-5, "float64": 1e-10}
SMALL = {"hidden": (16, 16), "epochs": 2, "entropy": 0.05}


def random_prior(seat, luck):
    """A table with mass on every legal action."""
    raw = mask(seat.role) * luck.gamma(1.0, 1.0, mask(seat.role).shape)
    return raw / raw.sum(axis=1, keepdims=True)


def held(seat, prior, weight, **keys) -> Ippo:
    """A learner with a prior at hand."""
    config = IppoConfig(**{**SMALL, **keys}, anchor={"policy": "random", "weight": weight})
    return Ippo(config, seat, terms(1.0, -0.5), 0, _actor_critic_class(config), prior)


def gradients(learner, samples, monkeypatch):
    """Of actor and critic in turns, one minibatch at fixed weights."""
    learner._at_once = None
    found, next_settings = [], Adam.next_settings
    train_epoch = learner.actor_critic.train_epoch

    def one_epoch(*given):
        losses = train_epoch(*given)
        found.extend(network.gradient.copy() for network in learner.actor_critic.networks)
        return losses

    monkeypatch.setattr(learner.actor_critic, "train_epoch", one_epoch)
    monkeypatch.setattr(
        Adam, "next_settings", lambda self, _, steps=1: next_settings(self, 0.0, steps)
    )
    monkeypatch.setattr(Adam, "step", lambda self, gradient, _: setattr(self, "gradient", gradient))
    learner.learn(samples, CLOCK)
    return found


# --- the gradient ---------------------------------------------------------------------------------


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_the_gradient_is_that_of_every_sample(engine, precision, normalised, luck, monkeypatch):
    keys = {"engine": engine, "precision": precision, "normalise_advantages": normalised}
    learner = held(BUYER, random_prior(BUYER, luck), 0.7, minibatches=1, **keys)
    for network in learner.actor_critic.networks:
        network.parameters += 0.2 * luck.standard_normal(network.parameters.shape)
        width = learner.encoding.width * 16
        network.parameters[width : width + 16] = 0.0  # the row for parts that are not seen
    samples, slow = random_samples(BUYER, luck, heads=2), SlowPpo(learner)
    known = slow.learn(samples, move=False)
    found = gradients(learner, samples, monkeypatch)
    for one, other in zip(found, known, strict=True):
        assert relative(one, other) < BOUNDS[precision]


def test_the_divergence_has_the_slopes_of_finite_differences(luck):
    """By the logits of one row, in float64: of the readable loss and of the compiled gradient."""
    rows, actions, weight, h = 3, 5, 0.4, 1e-6
    legal = np.array([[0, 5], [1, 3], [2, 1]], np.int32)
    prior = luck.dirichlet(np.ones(actions), rows)
    logits = luck.standard_normal((rows, actions))
    visits = np.array([[4.0, 2.0, 1.0]])
    zero = np.zeros((2, 1, rows, actions))
    cells = SimpleNamespace(
        rows=np.arange(rows)[None], row_counts=[rows], sizes=[7], legal=legal, visits=visits,
        old_policy=np.full((rows, actions), 0.2), advantage_sums=zero,
        return_sums=np.zeros((1, rows, 1)),
    )  # fmt: skip
    config = SimpleNamespace(clip=0.2, value_weight=0.5)
    anchor = AnchorArrays(np.log(prior), weight)

    def loss(x):
        values = torch.zeros((rows, 1), dtype=torch.float64)
        return ppo_loss(x, values, cells, 0, np.ones(1), config, 0.0, anchor)[0]

    def by_hand(x):
        total = 0.0
        for i in range(rows):
            own = slice(legal[i, 0], legal[i].sum())
            p = np.exp(x[i, own]) / np.exp(x[i, own]).sum()
            total += visits[0, i] / 7 * weight * (p * np.log(p / prior[i, own])).sum()
        return total

    x = torch.tensor(logits, requires_grad=True)
    loss(x).backward()
    assert loss(x).item() == pytest.approx(by_hand(logits), rel=1e-12)
    for i in range(rows):
        for a in range(actions):
            step = np.zeros_like(logits)
            step[i, a] = h
            slope = (by_hand(logits + step) - by_hand(logits - step)) / (2 * h)
            assert x.grad[i, a].item() == pytest.approx(slope, abs=1e-8)


# --- the weight -----------------------------------------------------------------------------------


def group(**anchors):
    """Two suppliers and a buyer; anchors by role."""
    configs = {
        seat.name: IppoConfig(hidden=(8,), rounds_per_update=16, anchor=anchors.get(seat.role.name))
        for seat in MARKET.seats
    }
    return make_group(MARKET, kpis.resolve(MARKET, None), configs, 3, copies=4, total_rounds=64)


def test_weight_0_has_the_bits_of_no_anchor():
    none, zero = group(), group(supplier={"policy": "truthful", "weight": 0})
    for one in (none, zero):
        one.run(64)
    np.testing.assert_equal(none.state(), zero.state())
    other = group(supplier={"policy": "random", "weight": 0.1})
    other.run(64)
    assert any(not np.array_equal(a, b) for a, b in zip(none.tables(), other.tables(), strict=True))


def test_an_infinite_weight_plays_the_prior():
    cloned = group(supplier={"policy": "truthful", "weight": "inf"})
    before = [table.copy() for table in cloned.tables()]
    script = make_group(
        MARKET, kpis.resolve(MARKET, None),
        {s.name: ScriptedConfig(rule="truthful" if s.role.name == "supplier" else "random")
         for s in MARKET.seats}, 3,
    )  # fmt: skip
    cloned.run(32)
    for seat, table, first, known in zip(
        MARKET.seats, cloned.tables(), before, script.tables(), strict=True
    ):
        if seat.role.name == "supplier":
            np.testing.assert_array_equal(table, known)
        else:
            assert not np.array_equal(table, first)


def test_at_once_has_the_bits_of_its_steps():
    anchor = {"policy": "random", "weight": 0.3}
    whole, stepwise = group(buyer=anchor), group(buyer=anchor)
    for learner in stepwise.learners.values():
        learner._at_once = None
    for one in (whole, stepwise):
        one.run(64)
    np.testing.assert_equal(whole.state(), stepwise.state())


def test_an_anchor_needs_the_market():
    config = IppoConfig(anchor={"policy": "random", "weight": 1})
    with pytest.raises(ConfigError, match="anchor: needs the market"):
        make_learner(config, BUYER, terms(1.0), 0)


# --- what is learned ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_held_seat_learns_its_best_policy():
    """Against a script: prior x exp(Q / w), with Q from the tree of the round."""
    market = make_market("procurement")
    anchor = AnchorConfig(policy="random", weight=0.2)
    seats = {"supplier_0": IppoConfig(
        encoding="observation", hidden=(), rounds_per_update=1, discount=0, learning_rate=0.02,
        learning_rate_end=0, entropy=0, epochs=1, minibatches=1, normalise_advantages=False,
        max_gradient=0, adam_betas=(0.5, 0.999), average_from=0.5, anchor=anchor,
    ), "buyer_0": ScriptedConfig(rule="random")}  # fmt: skip
    kpi = kpis.resolve(market, None)
    learned = make_group(market, kpi, seats, 0, copies=512, total_rounds=800)
    learned.run(800)
    tables = learned.tables()
    start = state_without_past(market, kpi)
    tree = enumerate_round(market, kpi, legal_actions(market), start)
    q = action_values(tree, tables)[0]
    role = market.seats[0].role
    best = np.where(mask(role), np.exp(q / 0.2), 0.0)
    best /= best.sum(axis=1, keepdims=True)
    assert np.abs(tables[0] - best).max() < 0.02
