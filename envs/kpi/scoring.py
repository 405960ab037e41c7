"""From a KPI table to rewards: the table as an array, and the kernels that score a round.

Letters: S seats, T terms of all seats, M measures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.array_views import at
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats

from .table import TRANSFORMS, KpiTable, Term

# Columns of a compiled term, float64 `[T, COEFFICIENTS + S]`.
SEAT = 0  # index of the seat whose term it is
MEASURE = 1  # column of its measure
TRANSFORM = 2  # position in TRANSFORMS
THRESHOLD = 3  # 0 where there is none
WEIGHT = 4
FIRST_SEAT, LAST_SEAT = 5, 6  # seats outside this range have coefficient 0 and are not read
COEFFICIENTS = 7  # from here on, each seat's share in the mean over the scope

VALUE, ABSOLUTE, SQUARE, ABOVE, BELOW = range(len(TRANSFORMS))


def coefficients(market: Market, seat: Seat, term: Term) -> Floats:
    """A term's scope as each seat's share in its mean, float64 `[S]`; they sum to 1."""
    owners = [
        s for s in market.seats if term.measure in {m.name for m in market.measured(s.role.name)}
    ]
    peers = [s for s in owners if s.role.name == seat.role.name]
    scopes = {
        "own": [seat],
        "rivals": [s for s in peers if s.name != seat.name],
        "role": peers,
        "market": owners,
    }
    chosen = scopes.get(term.scope) or [market.seat(term.scope)]
    row = np.zeros(len(market.seats))
    row[[s.index for s in chosen]] = 1.0 / len(chosen)
    return row


def compile_kpi(market: Market, table: KpiTable) -> Floats:
    """A resolved table as float64 `[T, COEFFICIENTS + S]`, seats in order, then terms as written.

    The columns are the constants of this module.
    """
    compiled = []
    for seat in market.seats:
        for term in table[seat.name].values():
            scope = coefficients(market, seat, term)
            within = np.flatnonzero(scope)
            row = np.zeros(COEFFICIENTS + len(market.seats))
            row[SEAT] = seat.index
            row[MEASURE] = market.columns[term.measure]
            row[TRANSFORM] = TRANSFORMS.index(term.transform)
            row[THRESHOLD] = 0.0 if term.threshold is None else term.threshold
            row[WEIGHT] = term.weight
            row[FIRST_SEAT], row[LAST_SEAT] = within[0], within[-1]
            row[COEFFICIENTS:] = scope
            compiled.append(row)
    return np.array(compiled, np.float64).reshape(len(compiled), COEFFICIENTS + len(market.seats))


@kernel
def transformed(transform: Any, threshold: Any, x: Any) -> Any:
    """A number under a transform, given as its position in TRANSFORMS."""
    if transform == ABSOLUTE:
        return abs(x)
    if transform == SQUARE:
        return x * x
    if transform == ABOVE:
        return max(0.0, x - threshold)
    if transform == BELOW:
        return max(0.0, threshold - x)
    return x


@kernel
def term_value(terms: Any, t: Any, measures: Any) -> Any:
    """Term t of `terms` `[T, COEFFICIENTS + S]`, unweighted, under `measures` `[S + 1, M]`."""
    column = at(int(terms[t, MEASURE]))
    transform = terms[t, TRANSFORM]
    value = 0.0
    for j in range(int(terms[t, FIRST_SEAT]), int(terms[t, LAST_SEAT]) + 1):
        x = measures[j, column]
        # The plain transform is the usual one: test for it before the chain in `transformed`.
        x = x if transform == VALUE else transformed(transform, terms[t, THRESHOLD], x)
        value += terms[t, COEFFICIENTS + j] * x
    return value


@kernel
def score(terms: Any, measures: Any, scores: Any) -> None:
    """Score a round: fill `scores` `[T + S]` with every term, unweighted, then every reward.

    Args:
        terms: the compiled KPI, float64 `[T, COEFFICIENTS + S]`.
        measures: of the round, float64 `[S + 1, M]`.
        scores: float64 `[T + S]`.
    """
    count = terms.shape[0]
    for j in range(count, scores.shape[0]):
        scores[j] = 0.0
    for t in range(count):
        value = term_value(terms, t, measures)
        scores[t] = value
        scores[at(count + int(terms[t, SEAT]))] += terms[t, WEIGHT] * value


@kernel
def reward(terms: Any, first: Any, last: Any, measures: Any) -> Any:
    """One seat's reward from its terms first .. last - 1 of `terms` `[T, COEFFICIENTS + S]`.

    `measures` float64 `[S + 1, M]`. The sum runs in the order of `score`: the bits are the same.
    """
    total = 0.0
    for t in range(first, last):
        total += terms[t, WEIGHT] * term_value(terms, t, measures)
    return total
