"""KPI tables: terms, their checks against a market, and the hash of a table.

The keys of a resolved table are seats, so two ways of writing one KPI have one hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market, Seat

TRANSFORMS = ("value", "absolute", "square", "above", "below")
HINGES = ("above", "below")  # transforms max(0, .) beyond a threshold
SCOPES = ("own", "rivals", "role", "market")


class Term(BaseModel):
    """One line of a KPI.

    Attributes:
        measure: the measure that it weighs.
        weight: money per unit of the transformed measure; 0 reports the term without paying it.
        transform: one of TRANSFORMS.
        scope: one of SCOPES, or the name of a seat: whose measure.
        threshold: of `above` and `below`; None for the others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    weight: Annotated[float, Field(strict=True)]
    transform: str = "value"
    scope: str = "own"
    threshold: float | None = None


KpiTable = dict[str, dict[str, Term]]  # seat -> term name -> term


def resolve(market: Market, table: Mapping[str, Any] | None, prefix: str = "kpi") -> KpiTable:
    """Every seat's terms, checked against the market; a missing role gets its default KPI.

    Args:
        market: whose roles, seats and measures the table names.
        table: as a user writes it, by role or seat.
        prefix: what error messages put before a key.

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
    # A role's table that all its seats replace is not used, but its mistakes are reported.
    for role in market.roles:
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
            check_term(market, seat, term, where)
            parsed[str(name)] = term
        except ConfigError as error:
            mistakes += error.mistakes
    return parsed, mistakes


def parse_term(name: str, raw: Any, prefix: str) -> Term:
    """A term from the short form `measure: weight` or the long `{weight: .., measure: .., ...}`.

    Raises:
        ConfigError: unknown or missing fields, or a weight that is no number.
    """
    values = dict(raw) if isinstance(raw, Mapping) else {"weight": raw}
    return build(Term, {"measure": name, **values}, prefix)


def check_term(market: Market, seat: Seat, term: Term, where: str) -> None:
    """Check a term of a seat against the market.

    Raises:
        ConfigError: all that is wrong with it, each line beginning with `where`.
    """
    mistakes = _check_numbers(term, where)
    available = [m.name for m in market.measured(seat.role.name)]
    seats = {s.name: s for s in market.seats}
    if term.scope not in SCOPES and term.scope not in seats:
        known = [*SCOPES, *seats]
        mistakes.append(f"{where}.scope: unknown '{term.scope}'. {nearest(term.scope, known)}")
    elif term.scope in seats:
        available = [m.name for m in market.measured(seats[term.scope].role.name)]
    elif term.scope == "market":
        available = [m.name for m in market.measures if set(m.roles) - {"market"}]
    elif term.scope == "rivals" and seat.role.seats < 2:
        mistakes.append(f"{where}.scope: '{seat.name}' has no rivals in its role.")
    if term.measure not in available:
        advice = nearest(term.measure, available)
        mistakes.append(f"{where}: unknown measure of {market.name}. {advice}")
    if mistakes:
        raise ConfigError(mistakes)


def _check_numbers(term: Term, where: str) -> list[str]:
    """Mistakes in a term's weight, transform and threshold."""
    mistakes = []
    if not math.isfinite(term.weight):
        mistakes.append(f"{where}: weight must be a finite number, got {term.weight}.")
    if term.transform not in TRANSFORMS:
        mistakes.append(
            f"{where}.transform: unknown '{term.transform}'. {nearest(term.transform, TRANSFORMS)}"
        )
    hinge = term.transform in HINGES
    if term.transform in TRANSFORMS and hinge != (term.threshold is not None):
        need = "needs a threshold" if hinge else "takes no threshold"
        mistakes.append(f"{where}.threshold: transform '{term.transform}' {need}.")
    elif term.threshold is not None and not math.isfinite(term.threshold):
        mistakes.append(f"{where}.threshold: must be a finite number, got {term.threshold}.")
    return mistakes


def canonical(table: KpiTable) -> dict[str, dict[str, dict[str, Any]]]:
    """The resolved table as plain data, every field present, in the order it was written."""
    return {
        seat: {name: term.model_dump() for name, term in terms.items()}
        for seat, terms in table.items()
    }


def kpi_hash(table: KpiTable) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    text = json.dumps(canonical(table), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
