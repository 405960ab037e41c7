"""Whether answers depend on what they must not depend on, tested within the rows of a table.

Answers are vectors of probabilities (an action alone is a unit vector). For two groups of them, say
questions with and without permuted labels, the statistic is

    D = sum over rows  n1 n0 / n  sum over actions  (m1 - m0)^2 / m

with group sizes n, means m1, m0 of the two groups and m of both; of unit vectors it is Pearson's
chi-square. If the answers are a function of the row and of chance alone, groups are exchangeable
within a row. The mean of D is then exactly the sum of tr(WS), its variance about that of
2 tr((WS)^2), with S the covariance of a row's answers and W the diagonal of 1 / m; D is compared
with a multiple of chi-square of this mean and variance (Satterthwaite 1946). Actions that are too
rare in a row for that get weight 0 there.

Where a row has few answers, triples are compared instead: two answers of one group and one of the
other, all to the same row. If groups are exchangeable, the one that differs most from the other two
is the lone one in a third of the triples, exactly, however few they are.

A group whose answers lie a total variation s away from the other's raises the mean of D by at least
4 s^2 times the sum of n1 n0 / n (Cauchy and Schwarz). From this follow the number of questions
that finds it, and the change that is reported.
"""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, chi2

from tacit.envs.types import Bools, Floats, Ints

LEVEL = 1e-3  # probability that an honest bot is refused, over all comparisons together
TRIPLES = 4  # of a row that are compared at most
SAME = 1e-9  # distances that differ by less are equal
MISSED = 1e-4  # probability that a bot without any chance in its answers hides a change
DISTANCE = 8.5  # standard deviations between level and mean of D at the change that must be found
BALANCE = 1.6  # more questions for groups that are not equally large
VARIES = 1e-12  # a variance below it is rounding
FEWEST = (
    4.0  # answers that a cell must lead one to expect in the smaller group, else it is left out
)


class Spread(NamedTuple):
    """How much answers vary within rows.

    Attributes:
        rows: the row of each answer, int64 `[N]`, counted from 0.
        answers: float64 `[N, K]`.
        mean: of each row, float64 `[R, K]`.
        covariance: of each row, float64 `[R, K, K]`.
        sizes: answers of each row, float64 `[R]`.
    """

    rows: Ints
    answers: Floats
    mean: Floats
    covariance: Floats
    sizes: Floats

    def weights(self, smaller: Floats) -> Floats:
        """The diagonal of W, float64 `[R, K]`.

        Args:
            smaller: answers of each row in the smaller group, float64 `[R]`.
        """
        used = self.mean * smaller[:, None] >= FEWEST
        return np.where(used, 1.0 / np.where(used, self.mean, 1.0), 0.0)

    def moments(self, weights: Floats) -> tuple[float, float]:
        """Sums over rows of tr(WS) and tr((WS)^2), for weights `[R, K]`."""
        diagonal = np.einsum("rkk->rk", self.covariance)
        square = np.einsum("ra,rb,rab->", weights, weights, self.covariance**2)
        return float((weights * diagonal).sum()), float(square)


class Contrast(NamedTuple):
    """A comparison of two groups.

    Attributes:
        p: probability of a D this large under exchangeability.
        change: the total variation between the groups, averaged over rows, 0 .. 1: what D exceeds
            its mean by, as the largest change that explains it.
    """

    p: float
    change: float


def spread(rows: Ints, answers: Floats) -> Spread:
    """What does not depend on the groups.

    Args:
        rows: the row of each answer, int64 `[N]`, counted from 0.
        answers: float64 `[N, K]`.
    """
    count = np.bincount(rows).astype(np.float64)
    mean = _sums(rows, answers, len(count)) / np.maximum(count, 1)[:, None]
    covariance = np.zeros((*mean.shape, mean.shape[1]))
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum(count).astype(np.int64)
    for r in range(len(count)):
        own = answers[order[ends[r] - int(count[r]) : ends[r]]] - mean[r]
        if len(own) > 1:
            covariance[r] = own.T @ own / (len(own) - 1)
    covariance[np.abs(covariance) < VARIES] = 0.0
    return Spread(rows, answers, mean, covariance, count)


def _sums(rows: Ints, values: Floats, count: int) -> Floats:
    """Sums of vectors `[N, K]` by row, float64 `[R, K]`."""
    columns = [np.bincount(rows, values[:, k], count) for k in range(values.shape[1])]
    found: Floats = np.stack(columns, axis=1)
    return found


def contrast(found: Spread, group: Bools) -> Contrast:
    """Compare the answers of a group with all others.

    Args:
        found: the answers.
        group: which belong to the group, bool `[N]`.
    """
    n, size = found.sizes, len(found.sizes)
    n1 = np.bincount(found.rows, group, size).astype(np.float64)
    n0 = n - n1
    used = (n1 > 0) & (n0 > 0)
    if not used.any():
        return Contrast(1.0, 0.0)
    weights = found.weights(np.where(used, np.minimum(n1, n0), 0.0))
    mean, square = found.moments(weights)
    if mean <= VARIES:
        return Contrast(1.0, 0.0)
    total = _sums(found.rows, found.answers, size)
    first = _sums(found.rows, found.answers * group[:, None], size)
    m1 = first[used] / n1[used, None]
    m0 = (total - first)[used] / n0[used, None]
    pairs = n1[used] * n0[used] / n[used]
    d = float((pairs * ((m1 - m0) ** 2 * weights[used]).sum(axis=1)).sum())
    scale = square / mean
    p = float(chi2.sf(d / scale, mean / scale))
    return Contrast(p, min(1.0, sqrt(max(0.0, d - mean) / (4 * float(pairs.sum())))))


def odd_ones(found: Spread, group: Bools) -> Contrast:
    """Compare a group with all others by triples.

    Args:
        found: the answers.
        group: which belong to the group, bool `[N]`.
    """
    triples = _triples(found.rows, group)
    if not len(triples):
        return Contrast(1.0, 0.0)
    one, other, lone = (found.answers[triples[:, k]] for k in range(3))
    pair = np.abs(one - other).sum(axis=1)
    with_one, with_other = np.abs(one - lone).sum(axis=1), np.abs(other - lone).sum(axis=1)
    # The two nearest answers leave the third one over; without a nearest pair nothing is told.
    lone_is_odd = pair < np.minimum(with_one, with_other) - SAME
    other_is_odd = np.minimum(with_one, with_other) < pair - SAME
    other_is_odd &= np.abs(with_one - with_other) > SAME
    lonely, told = int(lone_is_odd.sum()), int(lone_is_odd.sum() + other_is_odd.sum())
    p = float(binom.sf(lonely - 1, told, 1 / 3)) if told else 1.0
    # By how much answers lie farther apart between the groups than within one.
    farther = float(((with_one + with_other) / 2 - pair).mean()) / 2
    return Contrast(p, max(0.0, farther))


def _triples(rows: Ints, group: Bools) -> Ints:
    """Two answers of one group and one of the other, each used once, int64 `[T, 3]`."""
    found: list[tuple[int, int, int]] = []
    order = np.argsort(rows, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        sides = [own[~group[own]].tolist(), own[group[own]].tolist()]
        for _ in range(TRIPLES):
            large, small = sorted(sides, key=len, reverse=True)
            if len(large) < 2 or not small:
                break
            found.append((large.pop(), large.pop(), small.pop()))
    return np.array(found, np.int64).reshape(-1, 3)


def questions_without_chance(resolution: float) -> int:
    """Questions to a bot whose answers never vary, half of them in each group of a comparison."""
    return 2 * ceil(log(MISSED) / log1m(resolution))


def fresh_without_chance(resolution: float) -> int:
    """Questions to fresh starts of a bot whose answers never vary."""
    return questions_without_chance(resolution) // 2


def log1m(x: float) -> float:
    """log(1 - x), kept away from minus infinity."""
    return log(max(1e-12, 1.0 - x))


def questions_with_chance(found: Spread, resolution: float) -> int:
    """Questions to a bot whose answers vary by chance, that find a change of this size."""
    # Rare actions count here: with more answers they will not be rare.
    used = found.mean > 0
    mean, square = found.moments(np.where(used, 1.0 / np.where(used, found.mean, 1.0), 0.0))
    return _questions(square, square / mean, resolution) if mean > VARIES else 0


def most_questions(freedom: int, resolution: float) -> int:
    """The same for a bot that mixes over all actions.

    Args:
        freedom: legal actions beyond the first, over all rows.
        resolution: the change that is to be found.
    """
    return _questions(freedom, 1.0, resolution)


def _questions(square: float, scale: float, resolution: float) -> int:
    """Questions at which a change lifts D by DISTANCE standard deviations."""
    needed = DISTANCE * sqrt(2 * square) + DISTANCE**2 / 2 * scale
    return ceil(BALANCE * needed / resolution**2)


def fresh_questions(wanted: int) -> int:
    """How many of them must be asked of fresh starts, which is the smaller group by far."""
    return ceil(wanted / BALANCE / 4)
