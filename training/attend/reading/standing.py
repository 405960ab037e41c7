"""How a repetition stands: breakers, who earns what, claims against truth, branches, kept states.

All of it is of its last save, as JSON. What was read in a branch that was left is told apart, and
never as if it were the present.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from tacit.oversight.breakers import readings
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import is_by_person
from tacit.training.runs.branches import trip_text

from .saved_seed import SavedSeed

Plain = dict[str, Any]
Paid = Mapping[str, float]  # by seat
NOTHING_PAID: Paid = {}
MOST_POINTS = 100  # of the headline in a branch that was left
MOST_LEFT = 8  # branches that were left whose readings are told, the last ones
MOST_FIGURES = 24  # of quick probes


def standing_of(saved: SavedSeed, paid: Paid = NOTHING_PAID) -> Plain:
    """What the page is told of a repetition.

    Args:
        saved: the repetition.
        paid: what the KPI paid each seat at the last evaluation point, a round.
    """
    known = _readings(saved)
    return {
        "name": saved.name,
        "round": saved.rounds,
        "read_at": saved.read_at,
        "ended": saved.is_finished,
        "paused": saved.paused,
        "branch": len(saved.branches) - 1,
        "branches": [branch.plain(saved.rounds) for branch in saved.branches],
        "breakers": list(_breakers(saved, known)),
        "seats": list(_seats(saved, known, paid)),
        "claims": list(_claims(saved, known)),
        "figures": _figures(saved),
        "kept": [[number, at] for number, own in saved.kept.items() for at in own],
        "trips": [_mark(trip) for trip in saved.trips],
        "left": list(_left(saved)),
        "weights": weights_of(saved.arm),
    }


def is_read_in_branch(standing: Plain) -> bool:
    """Whether an evaluation point was read in the branch that a repetition was in."""
    branches = standing.get("branches", [])
    return bool(branches) and standing["read_at"] > branches[-1]["start"]


def weights_of(arm: Arm) -> dict[str, dict[str, float]]:
    """The weights of all KPI terms in force: by role where its seats have the same, else by
    seat."""
    found: dict[str, dict[str, float]] = {}
    for role in arm.market.roles:
        own = {
            seat.name: {name: term.weight for name, term in arm.kpi[seat.name].items()}
            for seat in arm.market.seats
            if seat.role.name == role.name
        }
        first = next(iter(own.values()), {})
        is_shared = all(weights == first for weights in own.values())
        found |= {role.name: first} if is_shared and own else own
    return found


def _readings(saved: SavedSeed) -> Mapping[str, float]:
    """What was read at the last evaluation point, by the names that a breaker may watch."""
    if saved.is_finished:
        return {name: x for name, x in saved.measures.items() if x is not None}
    if not saved.points:
        return {}
    figures = {name: x for name, x in _figures(saved, None).items() if x is not None}
    return readings(saved.arm.market, saved.points[-1][1], figures)


def _figures(saved: SavedSeed, most: int | None = MOST_FIGURES) -> dict[str, float | None]:
    """The last figures of the quick probes; those over all seats before those of single ones."""
    found = {name: values[-1] for name, values in saved.curve.get("figures", {}).items() if values}
    names = sorted(found, key=lambda name: "/" in name)
    return {name: found[name] for name in names[:most]}


def _breakers(saved: SavedSeed, known: Mapping[str, float]) -> Iterator[Plain]:
    """Every breaker in force: its reading, its band, and how far it is from tripping."""
    for name, breaker in saved.arm.breakers.items():
        value = known.get(breaker.watch, float("nan"))
        if breaker.is_of_arm:
            mean = saved.arm_means.get(name)
            value = float("nan") if mean is None else mean
        distance = breaker.band.distance(value)
        own = [trip for trip in saved.trips if trip.get("breaker") == name]
        yield {
            "name": name,
            "watch": breaker.watch,
            "band": str(breaker.band),
            "value": _finite(value),
            "distance": _finite(distance),
            "outside": saved.streaks[name].points,
            "needed": breaker.points,
            "action": breaker.action,
            "trips": len(own),
            "holds": saved.paused == name,
            "sentence": breaker.sentence,
        }


def _seats(saved: SavedSeed, known: Mapping[str, float], paid: Paid) -> Iterator[Plain]:
    """What every seat earned at the last point: its fundamental, and what its KPI paid."""
    for seat in saved.arm.market.seats:
        what = seat.role.fundamental
        yield {
            "seat": seat.name,
            "what": what,
            "earned": _finite(known.get(f"{what}/{seat.name}")),
            "paid": _finite(paid.get(seat.name)),
        }


def _claims(saved: SavedSeed, known: Mapping[str, float]) -> Iterator[Plain]:
    """Every claim that a seat can make: what the market's measures say of how often, or by how
    much, it is not so. A claim that no measure reports is named as well."""
    market = saved.arm.market
    units = {measure.name: measure for measure in market.measures}
    for claim in market.claims:
        for seat in market.seats:
            if seat.role.name != claim.role:
                continue
            for measure in dict.fromkeys((claim.above, claim.below)):
                if measure is None:
                    continue
                yield {
                    "seat": seat.name,
                    "says": claim.part,
                    "about": claim.about,
                    "measure": measure,
                    "value": _finite(known.get(f"{measure}/{seat.name}")),
                    "unit": units[measure].unit,
                    "meaning": units[measure].meaning,
                    "free": claim.free,
                }


def _mark(trip: Mapping[str, Any]) -> Plain:
    """A trip of a breaker, or an act of a person from which a branch began, on the time line."""
    names = ("branch", "round", "action", "to", "into")
    mark = {name: trip[name] for name in names if name in trip}
    return {**mark, "by_person": is_by_person(trip), "text": trip_text(trip)}


def _left(saved: SavedSeed) -> Iterator[Plain]:
    """Branches that were left: what the headline and the watched figures were there."""
    headline = saved.arm.market.headline
    watched = dict.fromkeys([headline, *(b.watch for b in saved.arm.breakers.values())])
    for own in saved.left[-MOST_LEFT:]:
        figures, rounds = own.get("figures", {}), list(own.get("rounds", []))
        values = figures.get(headline, [None] * len(rounds))
        points = [[at, x] for at, x in zip(rounds, values, strict=False) if x is not None]
        yield {
            "branch": own.get("branch"),
            "points": len(rounds),
            "headline": points[:: 1 + len(points) // MOST_POINTS],
            "last": {name: figures[name][-1] for name in watched if figures.get(name)},
        }


def _finite(value: float | None) -> float | None:
    """A number as JSON has it; null for one that is withheld."""
    return float(value) if value is not None and isfinite(value) else None
