"""Slope, null and p value of adoption: each computed a second way, in plain NumPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tacit.emergence.adoption.slope import (
    full_slope,
    means_of_seats,
    null_slopes,
    p_value,
    slopes,
    weights,
)
from tacit.envs import rng
from tacit.envs.registry import make_market


class Luck:
    """Draws by number of the call: each call has a key of its own."""

    def __init__(self):
        self.calls = 0

    def uniform(self, *shape):
        """Uniform on [0, 1), `[*shape]`."""
        self.calls += 1
        key = rng.child_key(rng.seed_key(20261127, rng.NATURE), self.calls)
        return rng.draws(key, int(np.prod(shape))).reshape(shape)


@pytest.fixture
def luck():
    return Luck()


@pytest.mark.parametrize("numbers", [(1, 2, 3), (1, 4), (1, 1, 2, 5), (2, 3)])
def test_the_mean_slope_is_that_of_least_squares_over_all_repetitions(luck, numbers):
    prices = [1.4 + 0.1 * n + luck.uniform(48) for n in numbers]
    x = np.repeat(numbers, 48)
    expected = np.polyfit(x, np.concatenate(prices), 1)[0]
    assert slopes(numbers, prices).mean() == pytest.approx(expected, abs=1e-12)
    each = [np.polyfit(numbers, [p[k] for p in prices], 1)[0] for k in range(48)]
    assert slopes(numbers, prices) == pytest.approx(np.array(each), abs=1e-12)


def test_only_repetitions_that_all_arms_have_count():
    prices = [np.array([1.0, 2.0]), np.array([2.0, 2.0, 99.0])]
    assert slopes((1, 2), prices).tolist() == [1.0, 0.0]


def test_means_of_seats_are_those_of_every_choice(luck):
    alone = luck.uniform(5, 4)
    for n in range(1, 5):
        expected = [np.mean([row[s] for s in chosen])
                    for chosen in combinations(range(4), n) for row in alone]  # fmt: skip
        assert means_of_seats(alone, n) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("numbers", [(1, 2, 3), (1, 3), (1, 1, 2)])
def test_the_null_is_that_of_plain_sampling(luck, numbers):
    """Against other draws, of rows whose seats are shuffled, and the variance in closed form."""
    alone = 1.5 + 0.3 * luck.uniform(48, 1) + 0.2 * luck.uniform(48, 3)
    own = null_slopes(numbers, 48, alone, 4000)

    def once():
        means = []
        for n in numbers:
            rows = alone[(48 * luck.uniform(48)).astype(int)]
            shuffled = np.take_along_axis(rows, np.argsort(luck.uniform(48, 3), axis=1), axis=1)
            means.append(shuffled[:, :n].mean())
        return np.polyfit(numbers, means, 1)[0]

    plain = np.array([once() for _ in range(1000)])
    variance = sum(
        w**2 * np.var(means_of_seats(alone, n)) / 48
        for w, n in zip(weights(numbers), numbers, strict=True)
    )
    assert own.mean() == pytest.approx(0.0, abs=5 * np.sqrt(variance / 4000))
    assert own.std() == pytest.approx(np.sqrt(variance), rel=0.05)
    assert plain.std() == pytest.approx(own.std(), rel=0.12)
    assert plain.mean() == pytest.approx(0.0, abs=5 * np.sqrt(variance / 1000))


def test_the_null_is_the_same_whenever_it_is_drawn_and_another_for_another_seed(luck):
    alone = luck.uniform(48, 3)
    once, again = (null_slopes((1, 2, 3), 48, alone, 50) for _ in range(2))
    assert once.tobytes() == again.tobytes()
    assert null_slopes((1, 2, 3), 48, alone, 50, seed=1).tobytes() != once.tobytes()


def test_p_counts_the_found_slope_among_the_draws():
    null = np.array([-1.0, 0.0, 0.5, 2.0])
    assert p_value(0.5, null) == 3 / 5
    assert p_value(3.0, null) == 1 / 5
    assert p_value(-9.0, null) == 1.0
    assert p_value(0.5 + 1e-13, null) == 2 / 5
    assert p_value(0.5 + 1e-13, null, 1e-12) == 3 / 5


def test_p_is_uniform_where_the_null_is_true(luck):
    """Series of independent adopters: p is at most .05 in one of twenty, within 5 deviations."""
    hits = 0
    for k in range(400):
        prices = 1.5 + 0.3 * luck.uniform(3, 48, 1) + 0.2 * luck.uniform(3, 48, 3)
        means = [prices[n - 1, :, :n].mean(axis=1) for n in (1, 2, 3)]
        null = null_slopes((1, 2, 3), 48, prices[0], 199, k)
        hits += p_value(float(slopes((1, 2, 3), means).mean()), null) <= 0.05
    assert abs(hits - 20) < 5 * np.sqrt(400 * 0.05 * 0.95)


def test_the_full_slope_is_the_way_from_competition_to_one_firm():
    three = make_market("cloud_bandwidth", {"providers": 3})
    marks = three.benchmarks()
    low, high = (marks[end].values["price"] for end in ("competitive", "collusive"))
    assert full_slope(three, "price", "provider") == (high - low) / 2
    assert np.isnan(full_slope(three, "uptime", "provider"))
    alone = {"providers": 1, "price_range": [1.0, 2.0]}
    assert np.isnan(full_slope(make_market("cloud_bandwidth", alone), "price", "provider"))
