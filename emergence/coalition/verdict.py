"""The word for coalitions: a rule over an arm's seeds, and over its training.

With 95 % t intervals, and at least 48 seeds (below that `undecided at n`):

- *allied*, a pair i, j: lower(min(w_ij, w_ji)) > .1, and min(w_ij, w_ji) lies above the mean of
  what both reveal towards third parties (paired over seeds).
- *betrayed*, j by i: at an evaluation point both lower(w_ij) and lower(w_ji) were above .1; after
  the last such point lower(w_ji) always is and lower(w_ij) never; and at the end upper(w_ij) < .1.
  The date is the first point after it with upper(w_ij) < .1.

1. a pair is betrayed: `betrayal`; 2. else a pair is allied: `alliance`;
3. else `no alliance shown`.

Where a seed lacks a weight no word is given: a pair that is judged by some seeds only would be
another pair.

Weights are as if: an alliance is what policies do, not what was agreed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from tacit.emergence import stats
from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.stats import interval, number
from tacit.envs.types import Floats

from .revealed_weights import why_no_weights

CARES = 0.1  # a weight above it counts as care
BETRAYAL, ALLIANCE, NO_ALLIANCE = "betrayal", "alliance", "no alliance shown"
WORDS = (BETRAYAL, ALLIANCE, NO_ALLIANCE, UNDECIDED)


@dataclass(frozen=True)
class Betrayal:
    """One seat gave up its partner in the course of training.

    Attributes:
        traitor: the seat that left.
        loyal: the seat that stayed.
        rounds: rounds of the arm after which it was seen.
    """

    traitor: str
    loyal: str
    rounds: int


def coalition(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where no weights are revealed."""
    names = [seat.name for seat in e.market.seats]
    if why_no_weights(e.market, e.kpi) is not None or not e.defined(_weight(*names[:2])):
        return None
    if (lacking := _seeds_without(e, names)) > 0:
        reason = f"{lacking} of {e.n} seeds have no weight of some pair"
        return Verdict("coalition", UNDECIDED, (), (reason,))
    betrayals = [b for i, j in permutations(names, 2) if (b := betrayed(e, i, j)) is not None]
    allies = [pair for pair in combinations(names, 2) if allied(e, *pair)]
    word = BETRAYAL if betrayals else ALLIANCE if allies else NO_ALLIANCE
    lines = [
        f"{b.traitor} left {b.loyal}: seen after {b.rounds:,} rounds of this arm" for b in betrayals
    ]
    lines += [f"allied: {i} and {j}" for i, j in allies]
    lines += [line for pair in combinations(names, 2) for line in _lines(e, *pair)]
    missing = [] if e.training_curves else ["the course of training: no evaluation points"]
    if e.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(e.n, word))
        word = undecided_at(e.n)
    return Verdict("coalition", word, tuple(lines), tuple(missing))


def _weight(i: str, j: str) -> str:
    """The figure that holds the weight of seat i on seat j."""
    return f"weight/{i}/{j}"


def _seeds_without(e: Evidence, names: list[str]) -> int:
    """How many seeds lack the weight of some seat on some other."""
    weights = [e.figures.get(_weight(i, j), [np.nan] * e.n) for i, j in permutations(names, 2)]
    return int((~np.isfinite(weights).all(axis=0)).sum())


def _mutual(e: Evidence, i: str, j: str) -> Floats:
    """min(w_ij, w_ji) of every seed, float64 `[n]`."""
    return np.minimum(e.figures[_weight(i, j)], e.figures[_weight(j, i)])


def allied(e: Evidence, i: str, j: str) -> bool:
    """Whether two seats care for each other, and more than for third parties."""
    mutual = _mutual(e, i, j)
    thirds = [s.name for s in e.market.seats if s.name not in (i, j)]
    others = [e.figures[_weight(a, k)] for a in (i, j) for k in thirds]
    beyond = mutual - np.mean(others, axis=0)
    cares, more = stats.student(list(mutual)), stats.student(list(beyond))
    return cares.low > CARES and more.low > 0


def betrayed(e: Evidence, i: str, j: str) -> Betrayal | None:
    """Whether seat i left seat j in the course of training, and when."""
    own, other = e.training_curves.get(_weight(i, j)), e.training_curves.get(_weight(j, i))
    if own is None or other is None:
        return None
    points = list(zip(own.means, other.means, strict=True))
    together = [k for k, (a, b) in enumerate(points) if a.low > CARES and b.low > CARES]
    if not together or not points[-1][0].high < CARES:
        return None
    after = range(together[-1] + 1, len(points))
    if any(points[k][0].low > CARES or not points[k][1].low > CARES for k in after):
        return None
    date = next(k for k in after if points[k][0].high < CARES)
    return Betrayal(i, j, own.rounds[date])


def _lines(e: Evidence, i: str, j: str) -> Iterator[str]:
    yield e.line(f"weight of {i} on {j}", _weight(i, j))
    yield e.line(f"weight of {j} on {i}", _weight(j, i))
    mutual = stats.student(list(_mutual(e, i, j)))
    yield f"the lesser of both {number(mutual.mean)} {interval(mutual)}"
