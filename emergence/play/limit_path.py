"""Where frozen policies settle: the limit cycle of the market's states, else a stretch of it.

Play goes on from where training ended, with tables alone, on draws of the stream PROBE. If the last
1,024 of 2,048 rounds repeat with a period of at most 512, the path is one period, and exact: means
over it are means over all later rounds. Else it is the last 1,024 rounds: a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import cumulative
from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine

TRACE = 2_048  # rounds in which a limit cycle is looked for
LONGEST = 512

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """States before each round float64 `[T, W]`, its measures `[T, S + 1, M]`; `period` = T, or 0
    where none was found."""

    period: int
    states: Array
    measures: Array

    @property
    def mean(self) -> Array:
        """Mean measures `[S + 1, M]`."""
        mean: Array = self.measures.mean(axis=0)
        return mean


def cycle(states: Array, longest: int = LONGEST) -> int:
    """The period of the tail of a path `[T, W]` of market states, or 0 if it has none."""
    tail = states[-2 * longest :]
    for period in range(1, longest + 1):
        if np.array_equal(tail[period:], tail[:-period]):
            return period
    return 0


def limit(population: FrozenPopulation) -> Path:
    """The path on which a population settles."""
    if population not in _KNOWN:
        _KNOWN[population] = _limit(population)
    return _KNOWN[population]


_KNOWN: WeakKeyDictionary[FrozenPopulation, Path] = WeakKeyDictionary()


def _limit(population: FrozenPopulation) -> Path:
    market = population.market
    engine = Engine(market, population.kpi, seeds=[population.seed], stream=rng.PROBE)
    engine.reset()
    if population.rows is not None:
        for own, trained in zip(engine.rows, population.rows, strict=True):
            own[:] = trained
    states, measures = engine.trace(cumulative(market, population.tables)[None], TRACE)
    period = cycle(states)
    kept = period or TRACE // 2
    return Path(period, states[-kept:], measures[-kept:])
