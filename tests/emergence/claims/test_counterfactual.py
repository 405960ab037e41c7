"""Counterfactual words: which edges differ in the word alone, and what follows each, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.claims import counterfactual
from tacit.emergence.claims.channels import channels
from tacit.emergence.claims.counterfactual import (
    all_counterfactual_claims,
    counterfactual_claims,
)
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

STATES, ACTIONS, BIAS = 3, 5, 0.1


def cheap_talk(says, does):
    """A sender that says `says[t]` in state t, a receiver that does `does[m]` after word m."""
    market = make_market("cheap_talk", {"states": STATES, "actions": ACTIONS, "bias": BIAS})
    sender, receiver = (seat.role for seat in market.seats)
    speaks, listens = np.zeros(sender.observations, int), np.zeros(receiver.observations, int)
    for role, acts, own in ((sender, speaks, says), (receiver, listens, does)):
        acts[:] = role.legal[:, 0]
        first = next(o for o in range(role.observations) if role.legal[o, 1] > 1)
        acts[first : first + len(own)] += own
    tables = [deterministic(sender, speaks), deterministic(receiver, listens)]
    return freeze(market, kpis.resolve(market, None), tables, 0)


def test_what_every_word_would_have_led_to():
    """States 0, .5, 1 and acts 0 to 1 by quarters: the sender loses (act - state - .1)^2."""
    says, does = [0, 0, 2], [1, 2, 4]
    population = cheap_talk(says, does)
    (channel,) = channels(population.market)
    found = counterfactual_claims(population, channel)
    order = np.argsort(found.truth)
    assert found.truth[order].tolist() == [0, 1, 2]
    assert found.exact
    assert found.claims_a_round == pytest.approx(1.0)
    said = np.zeros((3, 3))
    said[range(3), says] = 1 / 3
    np.testing.assert_allclose(found.weight[order], said)
    state, act = np.arange(3)[:, None] / 2, np.array(does)[None, :] / 4
    np.testing.assert_allclose(found.expected_value[order, :, 0], -((act - state - BIAS) ** 2))
    np.testing.assert_allclose(found.expected_value[order, :, 1], -((act - state) ** 2))
    (listener,) = found.listeners
    assert listener.seat == 1
    assert listener.probability.tolist() == [[[1.0]] * 3] * 3
    receiver = population.market.seats[1].role
    heard = [receiver.decode_observation(int(o)) for o in listener.observations[0, :, 0]]
    assert len({str(seen) for seen in heard}) == 3
    assert (listener.observations == listener.observations[0]).all()  # the word is all it hears


def test_a_word_is_weighted_by_how_often_it_is_said():
    market = make_market("cheap_talk", {"states": STATES, "actions": ACTIONS})
    tables = [uniform(seat.role) for seat in market.seats]
    population = freeze(market, kpis.resolve(market, None), tables, 0)
    found = counterfactual_claims(population, channels(market)[0])
    # A row for each state: receivers answer after the word, in the next phase.
    assert found.weight.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.weight, 1 / 9)


def test_actions_with_another_word_are_allowed_wherever_one_is():
    """Four actions behind two others: word 0 or 1 at price 0 or 1. Played is price 1, word 0."""
    channel = SimpleNamespace(
        act=2, acts=4, said=np.array([0, 1, 0, 1]), rest=np.array([0, 0, 1, 1])
    )
    own = np.array([[1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 0], [1, 1, 0, 0, 0, 0]], bool)
    wider = counterfactual._with_counterfactuals(own, channel)
    assert wider.astype(int).tolist() == [
        [1, 0, 0, 0, 1, 1],
        [0, 0, 1, 1, 1, 1],
        [1, 1, 0, 0, 0, 0],
    ]
    assert own.sum() == 6  # as it was


def test_edges_of_a_row_differ_in_the_word_alone():
    """Two nodes, two prices, two words: in node 1 the other seat has two actions."""
    channel = SimpleNamespace(
        seat=SimpleNamespace(index=1), act=2, said=np.array([0, 1, 0, 1]),
        rest=np.array([0, 0, 1, 1]),
    )  # fmt: skip
    node = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    actions = np.array(
        [[0, 5], [0, 2], [0, 3], [0, 4], [1, 4], [0, 5], [0, 4], [1, 5], [0, 9]]
    )  # (the last one makes no claim here)
    layer = SimpleNamespace(node=node, actions=actions)
    edges = counterfactual._counterfactual_edges(layer, np.arange(8), channel)
    assert sorted(edges.tolist()) == [[1, 2], [3, 0], [4, 7], [6, 5]]
    with pytest.raises(AssertionError, match="without its counterfactual"):
        counterfactual._counterfactual_edges(layer, np.arange(7), channel)


def test_nodes_behind_an_edge_lie_in_the_order_of_draws():
    """Edge 3 leads to nodes 1 and 4, edge 0 to node 2, edge 2 to nodes 0 and 3; edge 1 nowhere."""
    layer = SimpleNamespace(origin=np.array([2, 3, 0, 2, 3]))
    nodes, possible = counterfactual._nodes_after(layer, np.array([[3, 0], [2, 1]]))
    assert possible.tolist() == [[[True, True], [True, False]], [[True, True], [False, False]]]
    assert nodes[possible].tolist() == [1, 4, 2, 0, 3]


def test_only_the_last_population_is_kept(monkeypatch):
    one, other = cheap_talk([0, 0, 2], [1, 2, 4]), cheap_talk([0, 1, 2], [0, 2, 4])
    first = all_counterfactual_claims(one)
    assert all_counterfactual_claims(one) is first
    assert all_counterfactual_claims(other) is not first
    assert all_counterfactual_claims(one) is not first

    def refuse(*_):
        raise ConfigError("too large")

    monkeypatch.setattr(counterfactual, "counterfactual_claims", refuse)
    ((channel, claims),) = all_counterfactual_claims(cheap_talk([0, 0, 0], [0, 0, 0]))
    assert (channel.seat.name, claims) == ("sender_0", None)
