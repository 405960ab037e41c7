"""KPIs are data: per role or seat a table of terms, each a weight on a named measure.

    bidder:
      profit: 1.0
      price_change: -1.0                                     # short form  measure: weight
      partner: {measure: profit, weight: 0.5, scope: bidder_0}
    bidder_1:                                                # a seat replaces its role's table
      fill: {weight: -0.5, transform: below, threshold: 0.9}

A term's value is its measure, first transformed, then averaged over its scope; the seat's reward
is the sum of weight x value, scored once a round after the last phase. Keys of the table that a
run keeps are seats, so two ways of writing one KPI have one hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from .errors import ConfigError, build, nearest
from .jit.array_views import at
from .jit.decorators import kernel
from .market import Market, Seat

TRANSFORMS = ("value", "absolute", "square", "above", "below")
SCOPES = ("own", "rivals", "role", "market")
HEADER = 7  # columns of a compiled term before its coefficients: see `compile_kpi`

KpiTable = dict[str, dict[str, "Term"]]  # seat -> term name -> term


class Term(BaseModel):
    """One line of a KPI. `threshold` belongs to `above` and `below`: hinges max(0, .)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    weight: Annotated[float, Field(strict=True)]
    transform: str = "value"
    scope: str = "own"
    threshold: float | None = None


def resolve(market: Market, table: Mapping[str, Any] | None, prefix: str = "kpi") -> KpiTable:
    """Every seat's terms, checked against the market; a missing role gets its default KPI.

    Raises:
        ConfigError: all mistakes at once.
    """
    mistakes: list[str] = []
    owners = {r.name for r in market.roles} | {s.name for s in market.seats}
    table = table or {}
    if not isinstance(table, Mapping):
        raise ConfigError(f"{prefix}: must be a table of roles or seats, got {table!r}.")
    mistakes += [
        f"{prefix}.{owner}: unknown role or seat. {nearest(owner, owners)}"
        for owner in table
        if owner not in owners
    ]
    resolved: KpiTable = {}
    for seat in market.seats:
        owner = seat.name if seat.name in table else seat.role.name
        terms = table.get(owner, {seat.role.default_kpi: 1.0})
        if not isinstance(terms, Mapping):
            mistakes.append(f"{prefix}.{owner}: must be a table of terms, got {terms!r}.")
            continue
        resolved[seat.name], wrong = _parse(market, seat, owner, terms, prefix)
        mistakes += wrong
    for role in market.roles:  # a role's table that every seat replaces is still read
        if isinstance(table.get(role.name), Mapping):
            seat = next(s for s in market.seats if s.role.name == role.name)
            mistakes += _parse(market, seat, role.name, table[role.name], prefix)[1]
    if mistakes:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return resolved


def _parse(
    market: Market, seat: Seat, owner: str, terms: Mapping[str, Any], prefix: str
) -> tuple[dict[str, Term], list[str]]:
    """A seat's terms by name, and the mistakes among them."""
    parsed: dict[str, Term] = {}
    mistakes: list[str] = []
    for name, raw in terms.items():
        where = f"{prefix}.{owner}.{name}"
        try:
            term = parse_term(str(name), raw, where)
            _check(market, seat, term, where)
            parsed[str(name)] = term
        except ConfigError as error:
            mistakes += error.mistakes
    return parsed, mistakes


def parse_term(name: str, raw: Any, prefix: str) -> Term:
    """The short form `measure: weight` or the long form `{weight: .., measure: .., ...}`."""
    values = dict(raw) if isinstance(raw, Mapping) else {"weight": raw}
    return build(Term, {"measure": name, **values}, prefix)


def _check(market: Market, seat: Seat, term: Term, where: str) -> None:
    mistakes = []
    own = [m.name for m in market.measured(seat.role.name)]
    seats = {s.name: s for s in market.seats}
    if not math.isfinite(term.weight):
        mistakes.append(f"{where}: weight must be a finite number, got {term.weight}.")
    if term.transform not in TRANSFORMS:
        mistakes.append(
            f"{where}.transform: unknown '{term.transform}'. {nearest(term.transform, TRANSFORMS)}"
        )
    hinge = term.transform in ("above", "below")
    if term.transform in TRANSFORMS and hinge != (term.threshold is not None):
        need = "needs a threshold" if hinge else "takes no threshold"
        mistakes.append(f"{where}.threshold: transform '{term.transform}' {need}.")
    elif term.threshold is not None and not math.isfinite(term.threshold):
        mistakes.append(f"{where}.threshold: must be a finite number, got {term.threshold}.")
    if term.scope not in SCOPES and term.scope not in seats:
        known = [*SCOPES, *seats]
        mistakes.append(f"{where}.scope: unknown '{term.scope}'. {nearest(term.scope, known)}")
    elif term.scope in seats:
        own = [m.name for m in market.measured(seats[term.scope].role.name)]
    elif term.scope == "market":
        own = [m.name for m in market.measures if set(m.roles) - {"market"}]
    elif term.scope == "rivals" and seat.role.seats < 2:
        mistakes.append(f"{where}.scope: '{seat.name}' has no rivals in its role.")
    if term.measure not in own:
        mistakes.append(f"{where}: unknown measure of {market.name}. {nearest(term.measure, own)}")
    if mistakes:
        raise ConfigError(mistakes)


def canonical(table: KpiTable) -> dict[str, dict[str, dict[str, Any]]]:
    """The resolved table as plain data, every field present, in the order it was written."""
    return {
        seat: {name: term.model_dump() for name, term in terms.items()}
        for seat, terms in table.items()
    }


def kpi_hash(table: KpiTable) -> str:
    """SHA-256 of the canonical JSON."""
    text = json.dumps(canonical(table), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def coefficients(market: Market, seat: Seat, term: Term) -> NDArray[np.float64]:
    """The scope as one coefficient per seat, float64 [S]; they sum to 1."""
    has = [
        s for s in market.seats if term.measure in {m.name for m in market.measured(s.role.name)}
    ]
    peers = [s for s in has if s.role.name == seat.role.name]
    chosen = {
        "own": [seat],
        "rivals": [s for s in peers if s.name != seat.name],
        "role": peers,
        "market": has,
    }.get(term.scope) or [market.seat(term.scope)]
    row = np.zeros(len(market.seats))
    row[[s.index for s in chosen]] = 1.0 / len(chosen)
    return row


def compile_kpi(market: Market, table: KpiTable) -> NDArray[np.float64]:
    """Terms as float64 [T, HEADER + S].

    Columns: seat, measure, transform, threshold, weight, first and last seat of the scope, then
    the scope's coefficient of every seat.
    """
    rows = []
    for seat in market.seats:
        for term in table[seat.name].values():
            scope = coefficients(market, seat, term)
            within = np.flatnonzero(scope)
            head = [
                seat.index,
                market.columns[term.measure],
                TRANSFORMS.index(term.transform),
                0.0 if term.threshold is None else term.threshold,
                term.weight,
                within[0],
                within[-1],
            ]
            rows.append(np.concatenate([head, scope]))
    return np.array(rows, np.float64).reshape(len(rows), HEADER + len(market.seats))


@kernel
def transformed(kind: Any, threshold: Any, x: Any) -> Any:
    """A measure under transform number `kind` (position in TRANSFORMS)."""
    if kind == 1:
        return abs(x)
    if kind == 2:
        return x * x
    if kind == 3:
        return max(0.0, x - threshold)
    if kind == 4:
        return max(0.0, threshold - x)
    return x


@kernel
def term_value(terms: Any, t: Any, measures: Any) -> Any:
    """Term t unweighted, from `measures` [S + 1, M]."""
    column = at(int(terms[t, 1]))
    kind = terms[t, 2]
    value = 0.0
    for j in range(int(terms[t, 5]), int(terms[t, 6]) + 1):
        x = measures[j, column]
        x = x if kind == 0.0 else transformed(kind, terms[t, 3], x)
        value += terms[t, HEADER + j] * x
    return value


@kernel
def score(terms: Any, measures: Any, scores: Any) -> None:
    """Fill `scores` [T + S], unweighted terms then rewards, from `measures` [S + 1, M]."""
    count = terms.shape[0]
    for j in range(count, scores.shape[0]):
        scores[j] = 0.0
    for t in range(count):
        value = term_value(terms, t, measures)
        scores[t] = value
        scores[at(count + int(terms[t, 0]))] += terms[t, 4] * value


@kernel
def reward(terms: Any, first: Any, last: Any, measures: Any) -> Any:
    """One seat's reward from its terms first .. last - 1, as `score` adds them up."""
    total = 0.0
    for t in range(first, last):
        total += terms[t, 4] * term_value(terms, t, measures)
    return total


def words(terms: Mapping[str, Term]) -> str:
    """A seat's KPI as the end of a sentence: `is paid 1 x its own profit, less ...`."""
    whose = {"own": "its own", "rivals": "its rivals' mean", "role": "its role's mean",
             "market": "the market's mean"}  # fmt: skip
    paid: list[str] = []
    watched: list[str] = []
    for name, term in terms.items():
        above, below = f" above {term.threshold}", f" short of {term.threshold}"
        how = dict(zip(TRANSFORMS, ("", " (absolute)", " (squared)", above, below), strict=True))
        label = "" if name == term.measure else f" (called {name})"
        scope = whose.get(term.scope, f"{term.scope}'s")
        what = f"{scope} {term.measure}{how[term.transform]}{label}"
        if term.weight == 0:
            watched.append(what)
        else:
            sign = "less " if term.weight < 0 else "plus " if paid else ""
            paid.append(f"{sign}{abs(term.weight):g} x {what}")
    text = f"is paid {', '.join(paid)}" if paid else "is paid nothing"
    return text + (f"; watched at no weight: {', '.join(watched)}" if watched else "") + "."


def short(terms: Mapping[str, Term]) -> str:
    """`profit 1, price_change -1`, for tables."""
    shown = []
    for name, term in terms.items():
        extra = [x for x in (term.transform, term.scope) if x not in ("value", "own")]
        shown.append(f"{name} {term.weight:g}" + (f" ({', '.join(extra)})" if extra else ""))
    return ", ".join(shown) or "none"
