"""The smallest change of one weight that removes a finding, by bisection.

Tried are, one at a time: every weight of a group's table, towards 0; the weight of its fundamental,
upwards; and a term that the table lacks, from 0 upwards. Of those that remove the finding, the one
that changes a weight least is reported, with the interval that bisection has left. Bisection finds
one border between "found" and "gone" on the way; if there are several, not necessarily the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Bools, Floats

from .pricing import Group, Pricing
from .report import Repair

LARGEST = 64.0  # times the largest weight of a table: further is not looked
FIRST_ADDED = 1 / 16  # of the largest weight: the first weight of a missing term

Bad = Callable[[Floats], bool]  # weights float64 [T] -> whether the finding is there


@dataclass(frozen=True)
class _Try:
    """A weight to change.

    Attributes:
        group: whose.
        term: the name of the term.
        places: its entries, bool `[T]`.
        start: the weight as it is.
        ends: values to try, one after the other, until the finding is gone.
    """

    group: Group
    term: str
    places: Bools
    start: float
    ends: tuple[float, ...]


def smallest_repair(pricing: Pricing, bad: Bad, halvings: int) -> Repair | None:
    """The smallest change of one weight at which `bad` is False; None: none of those tried.

    Args:
        pricing: the market and its terms; `bad` must hold at its weights.
        bad: whether the finding is there.
        halvings: how often the interval is halved; each asks `bad` once.
    """
    best: Repair | None = None
    for trial in _trials(pricing):
        found = _bisect(pricing, trial, bad, halvings, best)
        if found is not None and (best is None or _size(found) < _size(best)):
            best = found
    return best


def changed(pricing: Pricing, places: Bools, weight: float) -> Floats:
    """The weights float64 `[T]` with those at `places` bool `[T]` set to a value."""
    return np.where(places, weight, pricing.weights)


def _size(repair: Repair) -> float:
    return abs(repair.to - repair.weight)


def _trials(pricing: Pricing) -> Iterator[_Try]:
    """What is tried: the nearest changes first, so that later ones can be cut short."""
    for group in pricing.groups:
        seat = pricing.market.seats[group.seats[0]]
        terms = pricing.kpi[seat.name]
        weighted = [name for name, term in terms.items() if term.weight]
        largest = max((abs(terms[name].weight) for name in weighted), default=1.0)
        # A table of one term asks for the same at every weight above 0.
        for name in weighted if len(weighted) > 1 else []:
            yield _Try(group, name, pricing.places(group, name), terms[name].weight, (0.0,))
        own = [n for n in weighted if pricing.ideal[pricing.places(group, n)].any()]
        for name in own if len(weighted) > 1 else []:
            start = terms[name].weight
            if start > 0:
                yield _Try(
                    group, name, pricing.places(group, name), start,
                    tuple(start + largest * 4.0**k for k in range(4)),
                )  # fmt: skip
        for name in _addable(pricing, group):
            sign = pricing.market.measures[
                pricing.market.columns[pricing.table[seat.name][name].measure]
            ].sign
            ends = [largest * FIRST_ADDED * 4.0**k for k in range(5)]
            places = pricing.places(group, name)
            yield _Try(group, name, places, 0.0, tuple((sign or 1) * x for x in ends))


def _addable(pricing: Pricing, group: Group) -> list[str]:
    """The fundamental, if the table lacks it, then measures of which less is better."""
    found = []
    seat = pricing.market.seats[group.seats[0]]
    for name in pricing.added(group):
        places = pricing.places(group, name)
        term = pricing.table[seat.name][name]
        measure = pricing.market.measures[pricing.market.columns[term.measure]]
        if pricing.ideal[places].any():
            found.insert(0, name)
        elif measure.sign < 0:
            found.append(name)
    return found


def _bisect(
    pricing: Pricing, trial: _Try, bad: Bad, halvings: int, best: Repair | None
) -> Repair | None:
    """The nearest weight on a way at which the finding is gone; None if it never is, or if the
    change would be larger than the best one so far."""
    there = trial.start
    for end in trial.ends:
        if best is not None and abs(there - trial.start) >= _size(best):
            return None
        if not bad(changed(pricing, trial.places, end)):
            break
        there = end
    else:
        return None
    gone = end
    for _ in range(halvings):
        middle = (there + gone) / 2
        if bad(changed(pricing, trial.places, middle)):
            there = middle
        else:
            gone = middle
    missing = trial.term in pricing.added(trial.group)
    return Repair(
        trial.group.name, trial.term, trial.start, gone, abs(gone - there), missing
    )
