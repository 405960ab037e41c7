"""What a probe looks at: one seed's policies, frozen, and where training left the market.

A probe never learns, never explores and never touches a draw of training. Tables are policies
without exploration; if they are stochastic (neural, mixed on purpose), so is play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs.analysis import Analysis
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.market import Market

Figures = Mapping[str, float]  # what a probe reports of one population; NaN: not defined here


@dataclass(frozen=True, eq=False)
class FrozenPopulation:
    """One frozen seed.

    `tables`: float64 `[O, A]` per seat, without exploration. `rows`: where training ended, one
    copy, or None: then play starts with the market's own reset. `discount` weighs later rounds in
    whatever a probe adds up over time; it is the market's, not the learners'.
    """

    market: Market
    kpi: kpis.KpiTable
    tables: tuple[PolicyTable, ...]
    seed: int
    rows: CopyRows | None = None
    discount: float = 0.95


def freeze(
    market: Market,
    kpi: kpis.KpiTable,
    tables: Sequence[PolicyTable],
    seed: int,
    rows: CopyRows | None = None,
) -> FrozenPopulation:
    """A population under its market's probe discount; only the first copy of `rows` is kept."""
    if rows is not None:
        rows = CopyRows._make(array[:1].copy() for array in rows)
    return FrozenPopulation(
        market, kpi, tuple(tables), seed, rows, (market.analysis_class or Analysis).probe_discount
    )
