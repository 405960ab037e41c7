"""What a seat keeps of its prior: the rates of play, of the prior, of theory, and of the computed
anchored equilibrium, side by side.

| figure | is | unit |
|---|---|---|
| `played/NAME` | the rate NAME of the frozen tables | probability |
| `prior/NAME` | b0: the same of the prior of the seat that decides it, if any | probability |
| `equilibrium/NAME` | b*: the same in the market's closed form, without anchors | probability |
| `anchored/NAME` | the same in the anchored equilibrium (`equilibrium.py`) | probability |

NAME is a figure of which the market has a closed form (`Analysis.theory`), such as `bluff_rate`.
All are exact. A population without an anchor has none of them.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future
from typing import Any

import numpy as np

from tacit.agents.anchor import Anchored
from tacit.agents.policy import PolicyTable, table_hash
from tacit.emergence.found_once import found_once, kept_for_others
from tacit.emergence.play.applicability import why_no_analysis
from tacit.emergence.population import Figures, FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

from .equilibrium import anchored_equilibrium

FIGURES = {
    "played/": "a rate of the frozen tables of which the market has a closed form; probability",
    "prior/": "the same of the prior of the seat that decides it; probability",
    "equilibrium/": "the same in the closed form, without anchors; probability",
    "anchored/": "the same in the computed anchored equilibrium; probability",
}
_KNOWN: dict[Any, Future[list[PolicyTable]]] = {}  # equilibria by the hash of the question


def why_no_inheritance(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why nothing is said of what is inherited: there is no closed form; None: there is one."""
    if (reason := why_no_analysis(market, "theory")) is not None or _names(market):
        return reason
    return f"{market.name} has no closed form of a rate here to compare priors with"


def inheritance(population: FrozenPopulation) -> Figures:
    """The figures of one population; none where no seat is held to a prior."""
    held = [own.is_held for own in population.anchors]
    if not any(held):
        return {}
    market = population.market
    nobody = [np.full(table.shape, np.nan) for table in population.tables]
    priors = [
        none if own.prior is None or not own.is_held else own.prior
        for own, none in zip(population.anchors, nobody, strict=True)
    ]
    found = {
        "played": market.analysis.policy_figures(population.tables),
        "prior": market.analysis.policy_figures(priors),
        "equilibrium": market.analysis.theory(),
    }
    try:
        found["anchored"] = market.analysis.policy_figures(equilibrium_of(population))
    except ConfigError:  # the round is too large, or somebody remembers
        found["anchored"] = {}
    return {
        f"{kind}/{name}": float(figures.get(name, np.nan))
        for name in _names(market)
        for kind, figures in found.items()
    }


def equilibrium_of(population: FrozenPopulation) -> list[PolicyTable]:
    """The anchored equilibrium of a population's seats, float64 `[O, A]` each.

    A seat that did not learn plays its table.

    Raises:
        ConfigError: it cannot be computed here.
    """
    seats = [
        own if learned else Anchored(table, float("inf"))
        for own, learned, table in zip(
            population.anchors, population.learned, population.tables, strict=True
        )
    ]
    return known_equilibrium(population.market, population.kpi, seats)


def known_equilibrium(
    market: Market, kpi: kpis.KpiTable, seats: list[Anchored]
) -> list[PolicyTable]:
    """`anchored_equilibrium`, found once for all repetitions of an arm, and kept on disk.

    Returns:
        A table float64 `[O, A]` for each seat.

    Raises:
        ConfigError: it cannot be computed here.
    """
    question = [
        [market.name, market.config.model_dump_json(), kpis.kpi_hash(kpi)],
        [["" if s.prior is None else table_hash(s.prior), str(s.weight)] for s in seats],
    ]

    def find() -> list[PolicyTable]:
        return kept_for_others(
            "anchored equilibrium", market, question,
            lambda: anchored_equilibrium(market, kpi, seats),
            lambda tables: [table.tolist() for table in tables],
            lambda plain: _tables(market, plain),
        )  # fmt: skip

    key = hashlib.sha256(json.dumps(question).encode()).hexdigest()
    return found_once(_KNOWN, key, find)


def _tables(market: Market, plain: Any) -> list[PolicyTable]:
    """Tables as they were kept.

    Raises:
        ValueError: they are not of this market's shapes.
    """
    found = [np.array(table, np.float64) for table in plain]
    shapes = [(seat.role.observations, seat.role.actions) for seat in market.seats]
    if [table.shape for table in found] != shapes:
        raise ValueError("kept tables are of another shape")
    return found


def _names(market: Market) -> list[str]:
    """The rates of which the market has a closed form and which policies have."""
    nobody = [np.zeros((seat.role.observations, seat.role.actions)) for seat in market.seats]
    theory = market.analysis.theory()
    return [name for name in market.analysis.policy_figures(nobody) if name in theory]
