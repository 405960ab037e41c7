"""Intervals against tables, scipy, and the coverage that they promise."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from scipy import stats as reference

from tacit.emergence import stats
from tacit.emergence.student_quantiles import student_quantile


def test_student_by_hand():
    """Mean 3, standard deviation sqrt(2.5), t(.975, 4) = 2.776445: 3 +- 2.776445 sqrt(.5)."""
    e = stats.student([1, 2, 3, 4, 5])
    assert (e.mean, e.n) == (3.0, 5)
    assert e.high - 3 == pytest.approx(2.776445 * sqrt(0.5), rel=1e-6)
    assert 3 - e.low == pytest.approx(e.high - 3)


@pytest.mark.parametrize("n", [2, 3, 16, 300])
def test_student_as_scipy_has_it(n, luck):
    x = luck.normal(2, 3, n)
    wanted = reference.t.interval(0.95, n - 1, loc=x.mean(), scale=reference.sem(x))
    e = stats.student(x)
    assert (e.low, e.high) == pytest.approx(wanted, rel=1e-12)
    assert e.mean == pytest.approx(x.mean())


def test_equal_values_have_an_interval_of_no_width():
    e = stats.student([0.25] * 4)
    assert (e.low, e.mean, e.high) == (0.25, 0.25, 0.25)


def test_one_seed_has_no_interval():
    for e in (stats.student([2.0]), stats.paired([3.0], [1.0])):
        assert (e.mean, e.n) == (2.0, 1)
        assert isnan(e.low)
        assert isnan(e.high)
        assert e.plain() == {"mean": 2.0, "ci95": [None, None], "n": 1}


def test_student_covers_as_often_as_it_says(luck):
    hits = 0
    for _ in range(2000):
        e = stats.student(luck.normal(1, 1, 6))
        hits += e.low <= 1 <= e.high
    assert 0.93 < hits / 2000 < 0.97


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (37, 300)])
def test_wilson_as_scipy_has_it(k, n):
    wanted = reference.binomtest(k, n).proportion_ci(0.95, method="wilson")
    e = stats.wilson(k, n)
    assert (e.low, e.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert (e.mean, e.n) == (k / n, n)


def test_wilson_by_hand():
    """0 of 10: the upper end is z^2 / (n + z^2) = 3.841459 / 13.841459."""
    e = stats.wilson(0, 10)
    assert (e.low, e.high) == pytest.approx((0, 3.841459 / 13.841459), abs=1e-7)


def test_wilson_stays_within_0_and_1():
    for n in range(1, 40):
        for k in range(n + 1):
            e = stats.wilson(k, n)
            assert 0 <= e.low <= e.mean <= e.high <= 1


def test_a_paired_difference_takes_out_what_seeds_share(luck):
    shared = luck.normal(0, 10, 20)
    own, other = shared + luck.normal(1, 0.1, 20), shared
    e = stats.paired(own, other)
    assert e.high - e.low < 0.2 < stats.student(own).high - stats.student(own).low
    wanted = reference.ttest_rel(own, other).confidence_interval()
    assert (e.low, e.high) == pytest.approx((wanted.low, wanted.high))


def test_a_paired_difference_is_over_the_seeds_that_both_have():
    e = stats.paired([1.0, 2.0, 6.0, 9.0], [1.0, 1.0, 1.0])
    assert (e.mean, e.n) == (2.0, 3)


@pytest.mark.parametrize(("n", "k"), [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (25, 8)])
def test_the_median_lies_between_the_order_statistics_of_the_usual_tables(n, k, luck):
    """The k-th smallest and the k-th largest, as in tables of the sign test (95 %, two-sided)."""
    x = luck.permutation(np.arange(1.0, n + 1))  # the k-th smallest value is k
    e = stats.median(x)
    assert (e.low, e.mean, e.high, e.n) == (k, (n + 1) / 2, n + 1 - k, n)


def test_a_median_of_five_has_no_interval():
    """All five lie on one side of the median with probability 2 / 32, which is more than 5 %."""
    e = stats.median([3.0, 1.0, 2.0, 5.0, 4.0])
    assert (e.mean, e.n) == (3.0, 5)
    assert isnan(e.low)
    assert isnan(e.high)


def test_shares_of_runs_have_wilson_s_interval_and_measures_student_s():
    ends = [1.0, 1.0, 0.0, 1.0]
    for name in ("converged", "cycle_1_share", "cycle_2_share", "cycle_3plus_share", "both/grim"):
        assert stats.estimate(name, ends) == stats.wilson(3, 4)
    for name in ("winner_share", "profit/best", "rounds_to_stop"):
        assert stats.estimate(name, ends) == stats.student(np.array(ends))


@pytest.mark.parametrize("n", [6, 7, 9, 100, 1_001, 125_000])
def test_the_median_s_interval_is_that_of_scipy_s_binomial(n):
    """The lower end is the k-th of n ascending values, k the 2.5 % quantile of a binomial."""
    k = int(reference.binom.ppf((1 - stats.LEVEL) / 2, n, 0.5))
    e = stats.median(np.arange(1.0, n + 1))
    assert (e.low, e.mean, e.high) == (k, (n + 1) / 2, n + 1 - k)


def test_quantiles_are_those_of_scipy_bit_for_bit():
    from scipy.special import stdtrit

    for n in range(2, 400):
        assert student_quantile(n) == float(stdtrit(n - 1, 0.975)), n
