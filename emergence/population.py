"""What a probe measures: the policies of one seed, frozen, and the state in which training ended.

A probe never learns, never explores and uses no draw of training. Policy tables are those without
exploration; where they are stochastic (a neural policy, a mixed strategy), so is play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from tacit.agents.anchor import Anchored
from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs.analysis import Analysis
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.engine.policy_tables import by_seat
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

# Named figures of one population. NaN: this population does not have the figure.
Figures = Mapping[str, float]


# `eq=False`: a population is compared and hashed by identity, so that what is derived from it (its
# limit path, its deviations) can be kept in a weak dictionary for as long as the population lives.
@dataclass(frozen=True, eq=False)
class FrozenPopulation:
    """One frozen seed of S seats.

    Attributes:
        market: the market that is played.
        kpi: the resolved KPI table that the seats were trained on.
        tables: one policy table per seat without exploration, float64 `[O, A]` each.
        seed: the number from which the probe's own draws are derived.
        rows: one copy of the market as training left it; None: play starts from the market's reset.
        discount: weight of a round relative to the round before it, in every sum that a probe takes
            over time. It belongs to the market, not to the learners.
        learned: whether each seat's table was learned; False: it was written by hand, a script.
        discounts: the discount that each seat itself plays by: of its learner, or the probe's.
        anchors: to what prior each seat's learner was held; by default to none.
    """

    market: Market
    kpi: kpis.KpiTable
    tables: tuple[PolicyTable, ...]
    seed: int
    rows: CopyRows | None = None
    discount: float = 0.95
    learned: tuple[bool, ...] = ()
    discounts: tuple[float, ...] = ()
    anchors: tuple[Anchored, ...] = ()

    def __post_init__(self) -> None:
        # Nothing said: every seat is a script that looks as far ahead as probes do.
        if not self.learned:
            object.__setattr__(self, "learned", (False,) * len(self.tables))
        if not self.discounts:
            object.__setattr__(self, "discounts", (self.discount,) * len(self.tables))
        if not self.anchors:
            object.__setattr__(self, "anchors", (Anchored(),) * len(self.tables))


def freeze(
    market: Market,
    kpi: Mapping[str, Any] | None,
    tables: Sequence[PolicyTable] | Mapping[str, PolicyTable],
    seed: int,
    rows: CopyRows | None = None,
    learned: bool | Sequence[bool] = False,
    discounts: Sequence[float] | None = None,
    anchors: Sequence[Anchored] | None = None,
) -> FrozenPopulation:
    """Freeze one seed's policies under the probe discount of their market.

    Whether a table was learned cannot be seen from it, and some words are only of seats that learn
    (`KPI-made`, `learned`). So it must be said: by default no seat has learned anything, and such a
    word is withheld. Runs of `tacit train` say it by themselves.

    Args:
        market: the market that is played.
        kpi: a KPI table by role or seat, resolved or as in a configuration; None: the default.
        tables: policy tables float64 `[O, A]`, one a seat in order, or by role or seat name.
        seed: the number from which the probe's own draws are derived.
        rows: copies of the market as training left them. Only the first one is kept.
        learned: whether tables were learned, of all seats or of each one; False: by hand.
        discounts: the discount of each seat's learner; by default the probe's.
        anchors: to what prior each seat's learner was held; by default to none.

    Returns:
        The population that probes measure.

    Raises:
        ConfigError: a KPI or tables that do not fit the market, all mistakes at once; or not one
            entry of `learned`, `discounts` or `anchors` for each seat.
    """
    if not isinstance(tables, Mapping):
        tables = {seat.name: own for seat, own in zip(market.seats, tables, strict=True)}
    if rows is not None:
        rows = CopyRows._make(array[:1].copy() for array in rows)
    discount = (market.analysis_class or Analysis).probe_discount
    resolved = resolved_kpi(market, kpi)
    checked = tuple(by_seat(market, tables))
    who = (learned,) * len(checked) if isinstance(learned, bool) else tuple(learned)
    patience = (discount,) * len(checked) if discounts is None else tuple(discounts)
    held = (Anchored(),) * len(checked) if anchors is None else tuple(anchors)
    given: dict[str, tuple[Any, ...]] = {"learned": who, "discounts": patience, "anchors": held}
    for name, own in given.items():
        if len(own) != len(checked):
            raise ConfigError(f"{name}: {len(own)} entries for {len(checked)} seats.")
    return FrozenPopulation(market, resolved, checked, seed, rows, discount, who, patience, held)


def resolved_kpi(market: Market, kpi: Mapping[str, Any] | None) -> kpis.KpiTable:
    """A KPI as a resolved table: one that is so already is returned as it is.

    Raises:
        ConfigError: mistakes in it.
    """
    return kpi if _is_resolved(kpi, market) else kpis.resolve(market, kpi)


def _is_resolved(kpi: Mapping[str, Any] | None, market: Market) -> TypeGuard[kpis.KpiTable]:
    """Whether a KPI is a table that `kpi.resolve` made. Populations of an arm then share it, and
    with it what is derived from it."""
    if kpi is None or set(kpi) != {seat.name for seat in market.seats}:
        return False
    return all(
        isinstance(terms, Mapping) and all(isinstance(term, kpis.Term) for term in terms.values())
        for terms in kpi.values()
    )
