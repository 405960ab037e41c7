"""The collusion index: where the frozen policies' path lies between two benchmarks.

    (sum over seats profit - profit_N) / (sum over seats profit_M - profit_N)

N the static Nash, M the joint optimum; 0 is competition, 1 full collusion. Sums before the ratio: a
mean of seats' ratios explodes where a weak firm earns less at the joint optimum. In auctions from
the seller's side: (R_N - R)/(R_N - R_M). A market computes it (`Market.derived`); here it is that
of the limit path, without exploration, ties and the like in expectation. It is a scale, not a
finding: learners without memory, who cannot punish anything, can have a higher one than those with.

Source: Calvano, Calzolari, Denicolo, Pastorello, AER 110(10), 2020 (their profit gain).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.play.limit_path import limit
from tacit.emergence.play.named_measures import named_measures
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import Market

FIGURES = {"frozen_index": "collusion index on the limit path of the frozen policies"}


def frozen_index(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market.analysis.expected()
    expected = population if market is population.market else replace(population, market=market)
    known = named_measures(expected.market, limit(expected).mean)
    return {"frozen_index": known.get("collusion_index", float("nan"))}


def no_index(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why a market has no collusion index; None: it has one."""
    if (reason := no_analysis(market, "expected")) is not None:
        return reason
    ones = np.ones((len(market.seats) + 1, len(market.measures)))
    if "collusion_index" in named_measures(market, ones):
        return None
    return (
        f"{market.name} has no competitive and collusive benchmark of rivals here; "
        "welfare and the seats' fundamentals tell who gains"
    )
