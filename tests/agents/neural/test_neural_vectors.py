"""What is written in LLVM's vectors, against NumPy and against the same formulas in float64."""

from __future__ import annotations

import numpy as np
import pytest
from support.neural import ippo, tender

from tacit.agents.neural.arrays import MinibatchCells
from tacit.agents.neural.simd import products
from tacit.envs.jit.loops import compiled

BUYER = tender().seat("buyer_0")
BOUNDS = {"float32": 1e-4, "float64": 1e-12}
# One entry; rows and columns that fill no tile; tiles of every size, narrow ones too; many vectors.
SHAPES = [(1, 1, 1), (7, 15, 9), (13, 100, 5), (10, 47, 64), (13, 3, 9), (20, 4, 7)]


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_products_are_numpy_s(m, n, k, turned, precision, luck):
    """Also of a transpose; and nothing is written behind the last entry."""
    left, right, bias = (luck.normal(size=s).astype(precision) for s in ((m, k), (k, n), n))
    outputs = luck.uniform(-1, 1, (m, n)).astype(precision)
    flat = np.ascontiguousarray(left.T if turned else left).reshape(-1)
    strides = (1, m) if turned else (k, 1)
    whole = left.astype(float) @ right
    known = {
        products.product: (bias, whole),
        products.affine: (bias, whole + bias),
        products.affine_tanh: (bias, np.tanh(whole + bias)),
        products.product_tanh_grad: (outputs.reshape(-1), whole * (1 - outputs.astype(float) ** 2)),
    }
    for function, (extra, result) in known.items():
        out = np.full(m * n + 20, 7.0, precision)
        function(flat, 0, *strides, right.reshape(-1), 0, n, out, 0, n, m, n, k, extra, 0)
        bound = max(BOUNDS[precision], 7e-7 if function is products.affine_tanh else 0.0)
        np.testing.assert_allclose(out[: m * n].reshape(m, n), result, atol=bound)
        np.testing.assert_array_equal(out[m * n :], 7.0)


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("n", [1, 15, 16, 47, 64])
def test_a_transpose_with_one_column_or_many(n, precision, luck):
    left, right = (luck.normal(size=s).astype(precision) for s in ((13, 9), (13, n)))
    out = np.full(9 * n + 20, 7.0, precision)
    products.product_of_transpose(left.reshape(-1), 0, 9, right.reshape(-1), 0, n, out, 0, 9, n, 13)
    known = left.T.astype(float) @ right
    np.testing.assert_allclose(out[: 9 * n].reshape(9, n), known, atol=BOUNDS[precision])
    np.testing.assert_array_equal(out[9 * n :], 7.0)
    plain = np.zeros(9 * n, precision)
    products.product(
        left.reshape(-1), 0, 1, 9, right.reshape(-1), 0, n, plain, 0, n, 9, n, 13, right[0], 0
    )
    np.testing.assert_array_equal(out[: 9 * n], plain)


@pytest.fixture(scope="module")
def transposed():
    """`transpose`, which other loops compile in, as a function."""
    from numba import njit

    transpose = compiled("tacit.agents.neural.network_loop").transpose

    @njit
    def found(weights, begin, inputs, width, out):
        transpose(weights, begin, inputs, width, out)

    return found


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize(
    ("inputs", "width"), [(1, 1), (8, 8), (16, 24), (13, 7), (21, 15), (9, 64)]
)
def test_a_transpose_of_weights(inputs, width, precision, luck, transposed):
    """Whole blocks, and what is left of rows and columns; nothing is written behind."""
    weights = luck.normal(size=5 + inputs * width).astype(precision)
    out = np.full(inputs * width + 9, 7.0, precision)
    transposed(weights, 5, inputs, width, out)
    known = weights[5:].reshape(inputs, width).T.reshape(-1)
    np.testing.assert_array_equal(out, np.r_[known, np.full(9, 7.0)])


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("width", [1, 15, 16, 47, 200])
def test_sums_of_chosen_rows(width, precision, luck):
    """The bias and three rows of weights each; nothing is written before or behind."""
    weights = luck.normal(size=(6, width)).astype(precision)  # the last one is the bias
    chosen = luck.integers(0, 5, (7, 3)).astype(np.int32)
    known = weights[5] + weights[chosen].astype(float).sum(axis=1)
    sums = {products.sum_rows: known, products.sum_rows_tanh: np.tanh(known)}
    for function, result in sums.items():
        out = np.full(7 * width + 20, 7.0, precision)
        function(chosen.reshape(-1), 3, weights.reshape(-1), 0, 5 * width, out, 10, 7, width)
        np.testing.assert_allclose(out[10:-10].reshape(7, width), result, atol=1e-6)
        np.testing.assert_array_equal(np.r_[out[:10], out[-10:]], 7.0)


def test_tanh_of_what_is_no_number_is_no_number():
    x, out = np.array([np.nan, 0.5]), np.zeros(2)
    products.sum_rows_tanh(np.zeros(0, np.int32), 0, x, 0, 0, out, 0, 1, 2)
    assert np.isnan(out[0])
    assert not np.isnan(out[1])


def random_cells(rows: int, actions: int, luck) -> MinibatchCells:
    """One minibatch; every row has legal actions of its own, and one row was not met."""
    first = luck.integers(0, actions, rows)
    legal = np.stack([first, luck.integers(1, actions - first + 1)], axis=1).astype(np.int32)
    columns = np.arange(actions)
    inside = (columns >= first[:, None]) & (columns < legal.sum(axis=1)[:, None])
    sums = np.stack([luck.uniform(0, 3, (rows, actions)), -luck.uniform(0, 3, (rows, actions))])
    old = np.where(inside, luck.uniform(0.05, 1, (rows, actions)), 0.0)
    met = np.delete(np.arange(rows), 2)
    return MinibatchCells(
        digits=np.zeros((rows, 1), np.int32), legal=legal,
        old_policy=old / old.sum(axis=1, keepdims=True), sizes=np.array([500]),
        row_counts=np.array([len(met)]), rows=np.append(met, 0)[None],
        visits=luck.uniform(1, 30, (1, rows)), return_sums=np.zeros((1, rows, 1)),
        advantage_sums=np.ascontiguousarray((sums * inside)[:, None]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def gradient_of():
    """`policy_gradient` of minibatch 0, which other loops compile in, as a function."""
    from numba import njit

    loops = compiled("tacit.agents.neural.ppo_loop")
    policy_gradient = loops.policy_gradient

    @njit
    def found(logits, cells, in_vectors, gradients):
        return policy_gradient(logits, cells, 0, 0.2, 0.05, in_vectors, gradients)

    return found


@pytest.mark.parametrize(("precision", "bound"), [("float32", 2e-6), ("float64", 1e-13)])
@pytest.mark.parametrize("actions", [1, 5, 8, 15, 16, 33])
def test_rows_in_vectors_are_rows_in_float64(actions, precision, bound, luck, gradient_of):
    """Rows that fit a vector, or two; the last ones are too long, and take the other way."""
    cells = random_cells(9, actions, luck)
    logits = luck.normal(0, 2, (8, actions)).astype(precision)
    mine, known = np.zeros_like(logits), np.zeros((8, actions))
    losses = gradient_of(logits, cells, True, mine)
    others = gradient_of(logits.astype(float), cells, False, known)
    np.testing.assert_allclose(losses, others, rtol=50 * bound, atol=bound)
    np.testing.assert_allclose(mine, known, atol=bound * max(1e-3, np.abs(known).max()))
    assert actions == 1 or np.abs(known).max() > 1e-4


def test_seats_of_a_thread_share_memory_and_learn_as_if_alone(luck):
    """Two learners in turns, one of them wider: each has the bits that it has alone."""
    from support.neural import CLOCK, random_samples

    batches = [random_samples(BUYER, luck, copies=c) for c in (3, 7, 5)]
    alone = []
    for keys in ({}, {"hidden": (24, 8), "minibatches": 3}):
        learner = ippo(BUYER, **keys)
        for samples in batches:
            learner.learn(samples, CLOCK)
        alone.append(learner.state())
    one, other = ippo(BUYER), ippo(BUYER, hidden=(24, 8), minibatches=3)
    for samples in batches:
        one.learn(samples, CLOCK)
        other.learn(samples, CLOCK)
    np.testing.assert_equal(one.state(), alone[0])
    np.testing.assert_equal(other.state(), alone[1])
