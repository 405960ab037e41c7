"""Generalised advantages in a seat's own time, value heads, and the cells that sum them up."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.slow_neural import dealt, in_order, listed, slow_advantages
from support.neural import CLOCK, ippo, random_samples, tender, terms

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.neural.arrays import NEGATIVE, POSITIVE
from tacit.envs import rng
from tacit.envs.jit.loops import compiled

BUYER = tender().seat("buyer_0")
OBSERVATIONS = BUYER.role.observations


def compiled_advantages(samples: SeatSamples, values, weights, discount=0.9, gae_lambda=0.8):
    """Advantages [n] and returns [n, H] of the compiled loop; values [O, H]."""
    loops, n = compiled("tacit.agents.batch.advantages_loop"), samples.total
    row_numbers = np.zeros(OBSERVATIONS, np.int32)
    observations = loops.number_observations(samples, row_numbers)
    rows, actions = np.zeros(n, np.int32), np.zeros(n, np.int32)
    advantages, returns = np.zeros(n), np.zeros((n, len(weights)))
    squares, total = loops.generalised_advantages(
        samples, row_numbers, values[observations], np.array(weights), discount, gae_lambda,
        rows, actions, advantages, returns,
    )  # fmt: skip
    np.testing.assert_allclose(squares, (returns**2).sum(axis=0))
    np.testing.assert_allclose(total, advantages.sum(), atol=1e-9)
    np.testing.assert_array_equal(observations[rows], listed(samples, "observation"))
    np.testing.assert_array_equal(actions, listed(samples, "action"))
    return advantages, returns


@pytest.mark.parametrize(
    ("discount", "gae_lambda"), [(0.9, 0.8), (0.0, 0.95), (0.95, 0.0), (0.5, 1.0)]
)
def test_advantages_are_sums_of_discounted_errors(discount, gae_lambda, luck):
    """0 to 3 rounds between, truncations anywhere, copies of different lengths, three heads."""
    samples = random_samples(BUYER, luck, heads=3)
    assert {0, 1, 3} < set(listed(samples, "rounds_between").tolist())
    assert listed(samples, "truncated").any()
    values, weights = luck.normal(0, 3, (OBSERVATIONS, 3)), (1.0, -2.0, 0.0)
    by_head, known = slow_advantages(samples, values, discount, gae_lambda)
    advantages, returns = compiled_advantages(samples, values, weights, discount, gae_lambda)
    np.testing.assert_allclose(returns, known, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(advantages, by_head @ weights, rtol=1e-10, atol=1e-10)


def test_by_hand():
    """Two decisions in one round, three rounds without any, then the end of an episode."""
    samples = SeatSamples(
        observation=np.array([[0], [1], [2]], np.int32),
        action=np.zeros((3, 1), np.int32),
        next_observation=np.array([[1], [2], [3]], np.int32),
        rounds_between=np.array([[0], [3], [1]], np.int32),
        truncated=np.array([[0], [0], [1]], np.uint8),
        reward=np.array([[[0.0]], [[5.0]], [[1.0]]]),
        counts=np.array([3]),
    )
    values = np.zeros((OBSERVATIONS, 1))
    values[:4, 0] = 1.0, 2.0, 3.0, 4.0
    last = 1.0 + 0.5 * 4.0 - 3.0  # the value behind a truncation counts, advantages there do not
    middle = 5.0 + 0.5**3 * 3.0 - 2.0 + 0.5**3 * 0.8 * last
    first = 0.0 + 2.0 - 1.0 + 0.8 * middle  # no discount within a round
    advantages, returns = compiled_advantages(samples, values, (1.0,), 0.5)
    np.testing.assert_allclose(advantages, [last, middle, first], rtol=1e-14)
    np.testing.assert_allclose(returns[:, 0], [last + 3, middle + 2, first + 1], rtol=1e-14)


def test_true_values_have_no_advantage(luck):
    """Whatever lambda: with a reward of 1 in every round, all errors are zero."""
    samples = random_samples(BUYER, luck)
    between = samples.rounds_between.astype(float)
    samples.reward[:, :, 0] = (1 - 0.9**between) / (1 - 0.9)
    values = np.full((OBSERVATIONS, 1), 1 / (1 - 0.9))
    advantages, _ = compiled_advantages(samples, values, (1.0,))
    np.testing.assert_allclose(advantages, 0.0, atol=1e-10)


# --- heads ----------------------------------------------------------------------------------------


def test_one_head_for_each_term_is_one_head_for_their_sum(luck):
    samples, weights = random_samples(BUYER, luck, heads=3), np.array([1.0, -0.5, 2.0])
    values = luck.normal(0, 3, (OBSERVATIONS, 3))
    whole = samples._replace(reward=samples.reward @ weights[:, None])
    several, returns = compiled_advantages(samples, values, weights)
    one, sums = compiled_advantages(whole, values @ weights[:, None], (1.0,))
    np.testing.assert_allclose(several, one, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(returns @ weights, sums[:, 0], rtol=1e-10, atol=1e-10)


def test_two_halves_of_a_term_are_the_term(luck):
    samples, values = random_samples(BUYER, luck, heads=2), luck.normal(0, 3, (OBSERVATIONS, 2))
    split, of = [0, 0, 1], np.array([0.5, 0.5, -1.0])
    halves = samples._replace(reward=samples.reward[:, :, split])
    several, _ = compiled_advantages(halves, values[:, split], of)
    one, _ = compiled_advantages(samples, values, (1.0, -1.0))
    np.testing.assert_allclose(several, one, rtol=1e-10)


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_a_head_of_weight_zero_is_trained_too(engine, luck):
    """The critic learns all terms alike, whatever they weigh; the actor follows the weights."""
    one, other = (ippo(BUYER, terms(*w), engine=engine) for w in ((1.0, 0.0), (0.0, 1.0)))
    for _ in range(3):
        samples = random_samples(BUYER, luck, heads=2)
        for each in (one, other):
            each.learn(samples, CLOCK)
    mine, yours = one.state(), other.state()
    critics = [name for name in mine if name.startswith("actor_critic.critic")]
    assert critics
    for name in (*critics, "return_scale"):
        np.testing.assert_array_equal(mine[name], yours[name])
    name = "actor_critic.actor.parameters"
    assert not np.array_equal(mine[name], yours[name])


def test_new_weights_apply_at_the_next_update(luck):
    """Heads predict unweighted terms: with new weights it goes on as if they had always held."""
    changed, always = (ippo(BUYER, terms(*w)) for w in ((1.0, 0.0), (0.0, 1.0)))
    for _ in range(2):
        samples = random_samples(BUYER, luck, heads=2)
        for each in (changed, always):
            each.learn(samples, CLOCK)
    always.actor_critic.actor.load(changed.actor_critic.actor.state())
    always.load(always.state())
    changed.weights[:] = 0.0, 1.0
    samples = random_samples(BUYER, luck, heads=2)
    for each in (changed, always):
        each.learn(samples, CLOCK)
    np.testing.assert_equal(changed.state(), always.state())


@pytest.mark.parametrize("hidden", [(), (16, 16)])
def test_the_unit_of_a_term_does_not_matter(hidden, luck):
    """Profit in cents with a hundredth of the weight: the same policy, the same critic."""
    keys = {"precision": "float64", "hidden": hidden, "learning_rate": 0.01}
    euros, cents = ippo(BUYER, terms(1.0), **keys), ippo(BUYER, terms(0.01), **keys)
    for _ in range(5):
        samples = random_samples(BUYER, luck)
        euros.learn(samples, CLOCK)
        cents.learn(samples._replace(reward=100.0 * samples.reward), CLOCK)
    np.testing.assert_allclose(cents.return_scale, 100.0 * euros.return_scale, rtol=1e-6)
    pairs = zip(cents.actor_critic.networks, euros.actor_critic.networks, strict=True)
    for one, other in pairs:
        assert np.abs(other.parameters).max() > 0.1
        np.testing.assert_allclose(one.parameters, other.parameters, atol=1e-5)


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 4, 7])
def test_minibatches_hold_every_sample_once(parts, luck):
    samples, heads = random_samples(BUYER, luck, heads=2), 2
    learner = ippo(BUYER, terms(1.0, 1.0), minibatches=parts, epochs=1)
    observations = learner._advantage_loops.number_observations(samples, learner._row_numbers)
    batch = tuple(np.array(x) for x in learner._advantages(samples, observations))
    rows, actions, advantages, returns = batch
    key = rng.child_key(np.uint64(5), 0)
    groups = dealt(samples.total, parts, key)
    assert sorted(np.concatenate(groups).tolist()) == list(range(samples.total))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    cells = learner._cells_of(observations)
    learner._minibatch_loops.sum_by_cell(*batch, key, cells)
    for b, group in enumerate(groups):
        assert cells.sizes[b] == len(group)
        positive, negative = np.zeros_like(cells.advantage_sums[:, b])
        visits, sums = np.zeros(len(observations)), np.zeros((len(observations), heads))
        for i in group:
            (positive if advantages[i] > 0 else negative)[rows[i], actions[i]] += advantages[i]
            visits[rows[i]] += 1
            sums[rows[i]] += returns[i]
        np.testing.assert_array_equal(cells.rows[b, : cells.row_counts[b]], np.flatnonzero(visits))
        pairs = ((cells.advantage_sums[POSITIVE], positive),
                 (cells.advantage_sums[NEGATIVE], negative),
                 (cells.visits, visits), (cells.return_sums, sums))  # fmt: skip
        for mine, known in pairs:
            np.testing.assert_allclose(mine[b], known, atol=1e-10)


def test_advantages_are_normalised_over_the_update(luck):
    samples, learner = random_samples(BUYER, luck), ippo(BUYER)
    observations = learner._advantage_loops.number_observations(samples, learner._row_numbers)
    advantages = learner._advantages(samples, observations).advantages
    np.testing.assert_allclose([advantages.mean(), advantages.std()], [0.0, 1.0], atol=1e-6)


def test_observations_met_are_those_before_and_behind_an_action(luck):
    samples = random_samples(BUYER, luck, copies=3, most=4)
    row_numbers = np.zeros(OBSERVATIONS, np.int32)
    loops = compiled("tacit.agents.batch.advantages_loop")
    observations = loops.number_observations(samples, row_numbers)
    known = {int(getattr(samples, name)[place])
             for place in in_order(samples)
             for name in ("observation", "next_observation")}  # fmt: skip
    assert observations.tolist() == sorted(known)
    np.testing.assert_array_equal(row_numbers[observations], np.arange(len(observations)))
    assert (row_numbers >= 0).sum() == len(observations)
