"""Where a round begins, in the long run of frozen tables, and what is remembered there."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.play.limit_path import limit
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

from .tree import Array


def fresh(market: Market, kpi: kpis.KpiTable) -> Array:
    """The state of a round without a past, float64 `[1, W]` (what nature draws is not settled)."""
    start = Engine(market, kpi, stream=rng.PROBE)
    start.reset()
    return start.rows.state.copy()


def without_draws(market: Market, states: Array) -> Array:
    """States `[N, W]` with all that nature draws anew set to 0."""
    kept = states.copy()
    for phase in range(len(market.phases)):
        kept[:, [draw.column for draw in market.analysis.draws(phase)]] = 0.0
    return kept


def without_memory(market: Market) -> Market:
    """The same market in which seats remember nothing; itself if they remember nothing anyway."""
    if market not in _BLIND:
        blind = type(market)({**market.config.model_dump(), **market.analysis.memoryless})
        pairs = zip(blind.roles, market.roles, strict=True)
        same = all(a.observations == b.observations for a, b in pairs)
        _BLIND[market] = None if same else blind
    return _BLIND[market] or market


_BLIND: WeakKeyDictionary[Market, Market | None] = WeakKeyDictionary()


def starts(population: FrozenPopulation) -> tuple[Array, Array, bool]:
    """States `[R, W]` that rounds begin in, but for nature's draws, and their chances `[R]`.

    One state where nobody remembers, else those of the limit path; and whether that is exact.
    """
    market = population.market
    if without_memory(market) is market:
        return fresh(market, population.kpi), np.ones(1), True
    path = limit(population)
    states, counts = np.unique(without_draws(market, path.states), axis=0, return_counts=True)
    return states, counts / counts.sum(), path.period > 0
