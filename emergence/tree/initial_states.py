"""In which states rounds begin in the long run of frozen tables, and what seats remember there."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market
from tacit.envs.types import Floats


def state_without_past(market: Market, kpi: kpis.KpiTable) -> Floats:
    """The state in which an episode begins, float64 `[1, W]`.

    What nature draws anew in a round is drawn once here; the enumeration overwrites it.
    """
    engine = Engine(market, kpi, stream=rng.PROBE)
    engine.reset()
    return engine.rows.state.copy()


def without_draws(market: Market, states: Floats) -> Floats:
    """States float64 `[N, W]` with everything that nature draws anew set to 0."""
    kept = states.copy()
    for phase in range(len(market.phases)):
        kept[:, [draw.column for draw in market.analysis.draws(phase)]] = 0.0
    return kept


def without_memory(market: Market) -> Market:
    """The same market in which seats remember nothing; the market itself if they do not anyway."""
    if market not in _MEMORYLESS:
        memoryless = type(market)({**market.config.model_dump(), **market.analysis.memoryless})
        pairs = zip(memoryless.roles, market.roles, strict=True)
        same = all(own.observations == other.observations for own, other in pairs)
        # A value that refers to its key would keep the key alive for ever: None stands for it.
        _MEMORYLESS[market] = None if same else memoryless
    return _MEMORYLESS[market] or market


_MEMORYLESS: WeakKeyDictionary[Market, Market | None] = WeakKeyDictionary()


def initial_states(population: FrozenPopulation) -> tuple[Floats, Floats, bool]:
    """States in which rounds begin in the long run, up to nature's draws.

    Returns:
        The states float64 `[R, W]`, their probabilities float64 `[R]`, and whether these are exact.
        One state where nobody remembers anything, else those of the limit path.
    """
    market = population.market
    if without_memory(market) is market:
        return state_without_past(market, population.kpi), np.ones(1), True
    path = limit_path(population)
    states, counts = np.unique(without_draws(market, path.states), axis=0, return_counts=True)
    return states, counts / counts.sum(), path.period > 0
