"""The weights of a KPI as one vector: a round is played once for all weights that are tried.

Every seat's table is extended by terms of weight 0: its fundamental, and each measure of its role
for which more or less is better. The values of terms are then known at every end of a round, and a
KPI with other weights, or with a term more, is another vector of weights over the same terms:

    payoff_i = sum over terms t of seat i:  weights[t] x value[t]

Seats of one role whose tables are equal form a *group*; a repair changes a weight for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tacit.emergence.payoffs import gain_unit
from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Measure
from tacit.envs.types import Bools, Floats, Ints


@dataclass(frozen=True)
class SeatGroup:
    """Seats of one role with equal KPI tables.

    Attributes:
        name: the role's name if all its seats are in the group, else the seats' names.
        seats: their indices.
    """

    name: str
    seats: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Pricing:
    """A market under a KPI whose weights can be changed; T terms of S seats.

    Attributes:
        market: the market.
        kpi: the KPI as it was given.
        table: the KPI with the added terms of weight 0.
        owner: index of the seat of each term, int64 `[T]`.
        names: the name of each term.
        weights: of the KPI, float64 `[T]`.
        ideal: weight 1 on each seat's fundamental and 0 elsewhere, float64 `[T]`.
        groups: seats by role and table.
        negligible: by role, up to which a loss or gain in the fundamental is none, in its unit
            (`tacit.emergence.payoffs.gain_unit`); 0 where the market gives no unit.
    """

    market: Market
    kpi: kpis.KpiTable
    table: kpis.KpiTable
    owner: Ints
    names: tuple[str, ...]
    weights: Floats
    ideal: Floats
    groups: tuple[SeatGroup, ...]
    negligible: Mapping[str, float]

    def payoffs(self, scores: Floats, weights: Floats) -> Floats:
        """Every seat's payoff, float64 `[L, S]`.

        Args:
            scores: terms unweighted, then rewards, float64 `[L, T + S]`.
            weights: float64 `[T]`.
        """
        seats = len(self.market.seats)
        by_seat = np.zeros((len(weights), seats))
        by_seat[np.arange(len(weights)), self.owner] = weights
        found: Floats = scores[:, : len(weights)] @ by_seat
        return found

    def places(self, group: SeatGroup, term: str) -> Bools:
        """Which entries of a vector of weights a group's term has, bool `[T]`."""
        own = np.isin(self.owner, group.seats)
        found: Bools = own & (np.array(self.names) == term)
        return found

    def added(self, group: SeatGroup) -> list[str]:
        """The terms that were added to a group's table."""
        seat = self.market.seats[group.seats[0]].name
        return [name for name in self.table[seat] if name not in self.kpi[seat]]


def price(market: Market, kpi: kpis.KpiTable) -> Pricing:
    """The KPI of a market as weights over its own and the added terms."""
    table = {
        seat.name: {**kpi[seat.name], **_added_terms(market, kpi, seat.name)}
        for seat in market.seats
    }
    owner, names, weights, ideal = [], [], [], []
    for seat in market.seats:
        marked = False
        for name, term in table[seat.name].items():
            own = term.measure == seat.role.fundamental and term.scope == "own"
            ideal.append(float(own and term.transform == "value" and not marked))
            marked = marked or bool(ideal[-1])
            owner.append(seat.index)
            names.append(name)
            weights.append(float(term.weight))
    return Pricing(
        market,
        kpi,
        table,
        np.array(owner, np.int64),
        tuple(names),
        np.array(weights),
        np.array(ideal),
        tuple(_groups(market, kpi)),
        _negligible(market),
    )


def _negligible(market: Market) -> dict[str, float]:
    if market.analysis_class is None:
        return {role.name: 0.0 for role in market.roles}
    units = {role.name: gain_unit(market, role) for role in market.roles}
    return {
        role: unit.negligible * unit.size if isfinite(unit.size) else 0.0
        for role, unit in units.items()
    }


def judged_measures(market: Market, role: str) -> list[Measure]:
    """The measures of a role for which more, or less, is better; none that looks back."""
    return [m for m in market.measured(role) if m.sign and not m.past]


def _added_terms(market: Market, kpi: kpis.KpiTable, seat_name: str) -> dict[str, kpis.Term]:
    """Terms of weight 0 that a seat's table lacks."""
    seat, terms = market.seat(seat_name), kpi[seat_name]
    plain = {t.measure for t in terms.values() if (t.scope, t.transform) == ("own", "value")}
    wanted = [m.name for m in judged_measures(market, seat.role.name)]
    wanted += [seat.role.fundamental] * (seat.role.fundamental not in wanted)
    return {
        name if name not in terms else f"{name} (own)": kpis.Term(measure=name, weight=0.0)
        for name in wanted
        if name not in plain
    }


def _groups(market: Market, kpi: kpis.KpiTable) -> list[SeatGroup]:
    """Seats by role and table, in the order of seats."""
    found: dict[tuple[str, str], list[int]] = {}
    for seat in market.seats:
        table = kpis.canonical({seat.name: kpi[seat.name]})[seat.name]
        found.setdefault((seat.role.name, repr(table)), []).append(seat.index)
    groups = []
    for (role, _), seats in found.items():
        whole = len(seats) == market.role(role).seats
        name = role if whole else ", ".join(market.seats[i].name for i in seats)
        groups.append(SeatGroup(name, tuple(seats)))
    return groups
