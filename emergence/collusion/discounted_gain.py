"""What the frozen policies earn above the competitive level from a market's first round on.

    (1 - d) E sum_{t>=1} d^(t-1) (profit_t - profit_N) / (profit_M - profit_N)

over the market's own initial states, mean of the seats. A high index shows where a path ends; a
patient owner also pays for the way there (den Boer, Meylahn, Schinkel, "Artificial collusion:
examining supracompetitive pricing by Q-learning algorithms", 2022). The way is that of the
*trained* tables: what was lost while they were learning is not in it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.play.replays import replay, unforced
from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine

INITIAL_STATES = 64  # sampled

FIGURES = {
    "discounted_gain": "profit above competition from round 1 on, discounted, share of range"
}


def discounted_gain(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market.analysis.expected()
    engine = Engine(market, population.kpi, [population.seed], INITIAL_STATES, stream=rng.PROBE)
    engine.reset()
    found = replay(
        replace(population, market=market, rows=None),
        engine.rows.state,
        unforced(INITIAL_STATES),
        np.arange(INITIAL_STATES),
        path_states=engine.rows.state[:0],
        first=0,
    )
    low, high = benchmark_range(market)
    earned = (1.0 - population.discount) * float(found.sums.mean())
    return {"discounted_gain": (earned - low) / (high - low)}
