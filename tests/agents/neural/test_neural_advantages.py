"""Generalised advantages in a seat's own time, value heads, and the cells that sum them up."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.slow_neural import dealt, in_order, listed, slow_advantages
from support.neural import CLOCK, ippo, tender, terms, written

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.envs import rng
from tacit.envs.jit.loops import compiled

BUYER = tender().seat("buyer_0")
OBSERVATIONS = BUYER.role.observations


def found(samples: SeatSamples, values, weights, discount=0.9, lam=0.8):
    """Advantages [n] and returns [n, H] as the compiled loop has them; values [O, H]."""
    loops, n = compiled("tacit.agents.batch.advantages_loop"), samples.total
    number = np.zeros(OBSERVATIONS, np.int32)
    rows = loops.visited(samples, number)
    row_of, did = np.zeros(n, np.int32), np.zeros(n, np.int32)
    advantage, returns = np.zeros(n), np.zeros((n, len(weights)))
    squares = loops.advantages(samples, number, values[rows], np.array(weights), discount, lam,
                               row_of, did, advantage, returns)  # fmt: skip
    np.testing.assert_allclose(squares, (returns**2).sum(axis=0))
    np.testing.assert_array_equal(rows[row_of], listed(samples, "seen"))
    np.testing.assert_array_equal(did, listed(samples, "did"))
    return advantage, returns


@pytest.mark.parametrize(("discount", "lam"), [(0.9, 0.8), (0.0, 0.95), (0.95, 0.0), (0.5, 1.0)])
def test_advantages_are_sums_of_discounted_errors(discount, lam, luck):
    """Gaps of 0 to 3 rounds, cuts anywhere, copies of different lengths, three heads."""
    samples = written(BUYER, luck, heads=3)
    assert {0, 1, 3} < set(listed(samples, "gap").tolist())
    assert listed(samples, "cut").any()
    values, weights = luck.normal(0, 3, (OBSERVATIONS, 3)), (1.0, -2.0, 0.0)
    by_head, known = slow_advantages(samples, values, discount, lam)
    advantage, returns = found(samples, values, weights, discount, lam)
    np.testing.assert_allclose(returns, known, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(advantage, by_head @ weights, rtol=1e-10, atol=1e-10)


def test_by_hand():
    """Two decisions in one round, three rounds of nothing, then the end of an episode."""
    column = [[0], [1], [2]]
    seen, following = np.array(column, np.int32), np.array([[1], [2], [3]], np.int32)
    samples = SeatSamples(
        seen, np.zeros((3, 1), np.int32), following, np.array([[0], [3], [1]], np.int32),
        np.array([[0], [0], [1]], np.uint8), np.array([[[0.0]], [[5.0]], [[1.0]]]), np.array([3]),
    )  # fmt: skip
    values = np.zeros((OBSERVATIONS, 1))
    values[:4, 0] = 1.0, 2.0, 3.0, 4.0
    last = 1.0 + 0.5 * 4.0 - 3.0  # its value behind the cut counts, no trace does
    middle = 5.0 + 0.5**3 * 3.0 - 2.0 + 0.5**3 * 0.8 * last
    first = 0.0 + 2.0 - 1.0 + 0.8 * middle  # no discount within a round
    advantage, returns = found(samples, values, (1.0,), 0.5)
    np.testing.assert_allclose(advantage, [last, middle, first], rtol=1e-14)
    np.testing.assert_allclose(returns[:, 0], [last + 3, middle + 2, first + 1], rtol=1e-14)


def test_true_values_have_no_advantage(luck):
    """Whatever lambda: with a reward of 1 every round and gaps between, all errors are zero."""
    samples = written(BUYER, luck)
    samples.reward[:, :, 0] = (1 - 0.9 ** samples.gap.astype(float)) / (1 - 0.9)
    values = np.full((OBSERVATIONS, 1), 1 / (1 - 0.9))
    np.testing.assert_allclose(found(samples, values, (1.0,))[0], 0.0, atol=1e-10)


# --- heads ----------------------------------------------------------------------------------------


def test_one_head_for_each_term_is_one_head_for_their_sum(luck):
    samples, weights = written(BUYER, luck, heads=3), np.array([1.0, -0.5, 2.0])
    values = luck.normal(0, 3, (OBSERVATIONS, 3))
    whole = samples._replace(reward=samples.reward @ weights[:, None])
    several, returns = found(samples, values, weights)
    one, sums = found(whole, values @ weights[:, None], (1.0,))
    np.testing.assert_allclose(several, one, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(returns @ weights, sums[:, 0], rtol=1e-10, atol=1e-10)


def test_two_halves_of_a_term_are_the_term(luck):
    samples, values = written(BUYER, luck, heads=2), luck.normal(0, 3, (OBSERVATIONS, 2))
    split, of = [0, 0, 1], np.array([0.5, 0.5, -1.0])
    halves = samples._replace(reward=samples.reward[:, :, split])
    np.testing.assert_allclose(
        found(halves, values[:, split], of)[0], found(samples, values, (1.0, -1.0))[0], rtol=1e-10
    )


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_a_head_of_weight_zero_watches(engine, luck):
    """The critic learns all terms alike, whatever they weigh; the actor follows the weights."""
    one, other = (ippo(BUYER, terms(*w), engine=engine) for w in ((1.0, 0.0), (0.0, 1.0)))
    for _ in range(3):
        samples = written(BUYER, luck, heads=2)
        for each in (one, other):
            each.learn(samples, CLOCK)
    mine, yours = one.state(), other.state()
    critics = [name for name in mine if name.startswith("engine.critic")]
    assert critics
    for name in (*critics, "unit"):
        np.testing.assert_array_equal(mine[name], yours[name])
    assert not np.array_equal(mine["engine.actor.parameters"], yours["engine.actor.parameters"])


def test_new_weights_apply_at_the_next_update(luck):
    """Heads know unweighted terms: one that was re-weighted goes on as if it always had been."""
    changed, always = (ippo(BUYER, terms(*w)) for w in ((1.0, 0.0), (0.0, 1.0)))
    for _ in range(2):
        samples = written(BUYER, luck, heads=2)
        for each in (changed, always):
            each.learn(samples, CLOCK)
    always.engine.actor.load(changed.engine.actor.state())
    always.load(always.state())
    changed.weights[:] = 0.0, 1.0
    samples = written(BUYER, luck, heads=2)
    for each in (changed, always):
        each.learn(samples, CLOCK)
    np.testing.assert_equal(changed.state(), always.state())


@pytest.mark.parametrize("hidden", [(), (16, 16)])
def test_the_unit_of_a_term_does_not_matter(hidden, luck):
    """Profit in cents with a hundredth of the weight: the same policy, the same critic."""
    keys = {"precision": "float64", "hidden": hidden, "learning_rate": 0.01}
    euros, cents = ippo(BUYER, terms(1.0), **keys), ippo(BUYER, terms(0.01), **keys)
    for _ in range(5):
        samples = written(BUYER, luck)
        euros.learn(samples, CLOCK)
        cents.learn(samples._replace(reward=100.0 * samples.reward), CLOCK)
    np.testing.assert_allclose(cents.unit, 100.0 * euros.unit, rtol=1e-6)
    for one, other in zip(cents.engine.networks, euros.engine.networks, strict=True):
        assert np.abs(other.parameters).max() > 0.1
        np.testing.assert_allclose(one.parameters, other.parameters, atol=1e-5)


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 4, 7])
def test_minibatches_hold_every_sample_once(parts, luck):
    samples, heads = written(BUYER, luck, heads=2), 2
    learner = ippo(BUYER, terms(1.0, 1.0), minibatches=parts, epochs=1)
    rows = learner._samples.visited(samples, learner._number)
    batch = tuple(np.array(x) for x in learner._advantages(samples, rows))
    row_of, did, advantage, returns = batch
    key = np.uint64(5)
    groups = dealt(samples.total, parts, np.uint64(rng.fold(key, 0)))
    assert sorted(np.concatenate(groups).tolist()) == list(range(samples.total))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    cells = next(learner._epochs(rows, batch, key))
    for b, group in enumerate(groups):
        assert cells.size[b] == len(group)
        gains, losses = np.zeros_like(cells.sides[:, b])
        visits, total = np.zeros(len(rows)), np.zeros((len(rows), heads))
        for i in group:
            (gains if advantage[i] > 0 else losses)[row_of[i], did[i]] += advantage[i]
            visits[row_of[i]] += 1
            total[row_of[i]] += returns[i]
        np.testing.assert_array_equal(cells.met[b, : cells.found[b]], np.flatnonzero(visits))
        pairs = ((cells.sides[0], gains), (cells.sides[1], losses), (cells.visits, visits),
                 (cells.total, total))  # fmt: skip
        for mine, known in pairs:
            np.testing.assert_allclose(mine[b], known, atol=1e-10)


def test_advantages_are_normalised_over_the_update(luck):
    samples, learner = written(BUYER, luck), ippo(BUYER)
    rows = learner._samples.visited(samples, learner._number)
    advantage = learner._advantages(samples, rows)[2]
    np.testing.assert_allclose([advantage.mean(), advantage.std()], [0.0, 1.0], atol=1e-6)


def test_visited_rows_are_those_seen_and_those_to_come(luck):
    samples, number = written(BUYER, luck, copies=3, most=4), np.zeros(OBSERVATIONS, np.int32)
    rows = compiled("tacit.agents.batch.advantages_loop").visited(samples, number)
    known = {int(getattr(samples, name)[place])
             for place in in_order(samples) for name in ("seen", "following")}  # fmt: skip
    assert rows.tolist() == sorted(known)
    np.testing.assert_array_equal(number[rows], np.arange(len(rows)))
    assert (number >= 0).sum() == len(rows)
