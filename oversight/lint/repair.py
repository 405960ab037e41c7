"""The smallest change of one weight that removes a finding, by bisection.

Tried are, one at a time: every weight of a group's table, towards 0, and where several groups have
a term of one name and weight, of all of them together; the weight of a group's fundamental,
upwards; and a term that the table lacks, from 0 upwards: the fundamental, and measures of which
less is better and which are worse in stable play than under the fundamentals. Of those that remove
the finding, the one that changes a weight least is reported, with the interval that bisection has
left. Bisection finds one border between "found" and "gone" on the way; if there are several, not
necessarily the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Bools, Floats
from tacit.oversight.lint.stable.pricing import Pricing, SeatGroup

from .report import Repair

RAISED = (1.0, 4.0, 16.0, 64.0)  # of the largest weight of a table: added to its fundamental's
ADDED = (0.25, 1.0, 4.0, 16.0)  # of the largest weight: weights of a missing term
COARSE = 1 / 4  # precision while changes are compared
MOST_ADDED = 3  # missing terms that are tried, the fundamental among them

Bad = Callable[[Floats], bool]  # weights float64 [T] -> whether the finding is there


@dataclass(frozen=True)
class _Try:
    """A weight to change.

    Attributes:
        owner: whose.
        missing: whether the table lacks the term.
        term: the name of the term.
        places: its entries, bool `[T]`.
        start: the weight as it is.
        ends: values to try, one after the other, until the finding is gone.
    """

    owner: str
    missing: bool
    term: str
    places: Bools
    start: float
    ends: tuple[float, ...]


def smallest_repair(
    pricing: Pricing, bad: Bad, precision: float, worse: Sequence[str] = ()
) -> Repair | None:
    """The smallest change of one weight at which `bad` is False; None: none of those tried.

    Args:
        pricing: the market and its terms; `bad` must hold at its weights.
        bad: whether the finding is there.
        precision: width of the interval that is left, as a share of the change or the weight.
        worse: measures that are worse than under the fundamentals, the gravest first.
    """
    best: tuple[_Try, Repair] | None = None
    for trial in _trials(pricing, worse):
        found = _bisect(pricing, trial, bad, max(precision, COARSE), best and best[1])
        if found is not None and (best is None or _size(found) < _size(best[1])):
            best = trial, found
    if best is None:
        return None
    trial, found = best
    return _narrow(pricing, trial, bad, precision, (_still_there(found), found.to))


def changed(pricing: Pricing, places: Bools, weight: float) -> Floats:
    """The weights float64 `[T]` with those at `places` bool `[T]` set to a value."""
    return np.where(places, weight, pricing.weights)


def _still_there(repair: Repair) -> float:
    """The last weight at which the finding was seen."""
    return repair.to - repair.within * float(np.sign(repair.to - repair.weight))


def _size(repair: Repair) -> float:
    return abs(repair.to - repair.weight)


def _trials(pricing: Pricing, worse: Sequence[str]) -> Iterator[_Try]:
    """What is tried: existing weights first."""
    shared: dict[tuple[str, float], list[SeatGroup]] = {}
    for group in pricing.groups:
        terms = pricing.kpi[pricing.market.seats[group.seats[0]].name]
        weights = {name: term.weight for name, term in terms.items() if term.weight}
        # A table of one term asks for the same at every weight above 0.
        if len(weights) > 1:
            for name, weight in weights.items():
                places = pricing.places(group, name)
                yield _Try(group.name, False, name, places, weight, (0.0,))
                shared.setdefault((name, weight), []).append(group)
                if pricing.ideal[places].any() and weight > 0:
                    ends = tuple(weight + x * max(map(abs, weights.values())) for x in RAISED)
                    yield _Try(group.name, False, name, places, weight, ends)
    for (name, weight), groups in shared.items():
        if len(groups) > 1:
            places = np.any([pricing.places(group, name) for group in groups], axis=0)
            yield _Try(" and ".join(g.name for g in groups), False, name, places, weight, (0.0,))
    for group in pricing.groups:
        terms = pricing.kpi[pricing.market.seats[group.seats[0]].name]
        largest = max((abs(term.weight) for term in terms.values() if term.weight), default=1.0)
        for name, sign in _addable(pricing, group, worse):
            ends = tuple(sign * largest * x for x in ADDED)
            yield _Try(group.name, True, name, pricing.places(group, name), 0.0, ends)


def _addable(pricing: Pricing, group: SeatGroup, worse: Sequence[str]) -> list[tuple[str, int]]:
    """Terms that a group's table lacks and that may help, each with the sign of its weight."""
    market, seat = pricing.market, pricing.market.seats[group.seats[0]]
    found: list[tuple[int, str, int]] = []
    for name in pricing.added(group):
        measure = market.measures[market.columns[pricing.table[seat.name][name].measure]]
        if measure.name == seat.role.fundamental:
            found.append((-1, name, measure.sign or 1))
        elif measure.sign < 0 and measure.name in worse:
            found.append((worse.index(measure.name), name, measure.sign))
    return [(name, sign) for _, name, sign in sorted(found)[:MOST_ADDED]]


def _bisect(
    pricing: Pricing, trial: _Try, bad: Bad, precision: float, best: Repair | None
) -> Repair | None:
    """The nearest weight on a way at which the finding is gone; None if it never is, or only by a
    change that is no smaller than the best one so far."""
    there = trial.start
    for end in _ends(trial, best):
        if not bad(changed(pricing, trial.places, end)):
            break
        there = end
    else:
        return None
    return _narrow(pricing, trial, bad, precision, (there, end))


def _narrow(
    pricing: Pricing, trial: _Try, bad: Bad, precision: float, ends: tuple[float, float]
) -> Repair:
    """Halve the interval between a weight with the finding and one without, `ends`."""
    there, gone = ends
    # At least a share of the weight itself: a finding may begin right beside it.
    while abs(gone - there) > precision * max(abs(gone - trial.start), abs(trial.start)):
        middle = (there + gone) / 2
        if bad(changed(pricing, trial.places, middle)):
            there = middle
        else:
            gone = middle
    return Repair(trial.owner, trial.term, trial.start, gone, abs(gone - there), trial.missing)


def _ends(trial: _Try, best: Repair | None) -> tuple[float, ...]:
    """The values to try; no further than the best change so far, which is then tried alone."""
    if best is None or abs(trial.ends[-1] - trial.start) <= _size(best):
        return trial.ends
    return (trial.start + np.copysign(_size(best), trial.ends[-1] - trial.start),)
