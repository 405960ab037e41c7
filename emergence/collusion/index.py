"""The collusion index: where the frozen policies' path lies between two benchmarks.

    (sum over seats profit - profit_N) / (sum over seats profit_M - profit_N)

N the static Nash equilibrium, M the joint optimum; 0 is competition, 1 full collusion. Sums before
the ratio: a mean of seats' ratios explodes where a weak firm earns less at the joint optimum. In
auctions from the seller's side: (R_N - R)/(R_N - R_M). A market computes it (`Market.derived`);
here it is that of the limit path, without exploration, draws within a round in expectation. It is a
scale, not a finding: learners without memory, who cannot punish anything, can have a higher index
than those with memory.

Source: Calvano, Calzolari, Denicolo, Pastorello, AER 110(10), 2020 (their profit gain).
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import numpy as np

from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.applicability import why_no_analysis
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.play.one_step_payoffs import plays_deterministically
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import Market

INDEX = "collusion_index"  # as markets name it in `derived`
HALF_WAY = 0.5
FIGURES = {
    "frozen_index": "collusion index on the limit path of the frozen policies",
    "nearer_collusive": "1 if that index is above .5: nearer to collusion than to competition",
    "path_too_long": "1 if nothing is drawn and yet no limit cycle was found; else 0",
}


def frozen_index(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market.analysis.expected()
    expected = population if market is population.market else replace(population, market=market)
    path = limit_path(expected)
    measures = named_measures(expected.market, path.mean)
    drawn = expected.market.play_draws or not plays_deterministically(expected)
    index = measures.get(INDEX, float("nan"))
    return {
        "frozen_index": index,
        "nearer_collusive": float(index > HALF_WAY) if isfinite(index) else index,
        "path_too_long": float(not path.period and not drawn),
    }


def why_no_index(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why a market has no collusion index, and what is measured instead; None: it has one."""
    if (reason := why_no_analysis(market, "expected")) is not None:
        return reason
    # Whether the market derives an index shows in the names it derives from any measures.
    ones = np.ones((len(market.seats) + 1, len(market.measures)))
    if INDEX in named_measures(market, ones):
        return None
    return (
        f"{market.name} has no competitive and collusive benchmark of rivals here; "
        "welfare and the seats' fundamentals tell who gains"
    )
