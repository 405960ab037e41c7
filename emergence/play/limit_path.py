"""Where frozen policies settle: the limit cycle of the market's states, else a stretch of play.

Play continues from where training ended, with tables alone, on draws of the stream PROBE. If the
last 1,024 of 2,048 rounds repeat with a period of at most 512, the path is one period, and exact:
means over it are means over all later rounds. Else it is the last 1,024 rounds, a sample.

The market's states may repeat while its measures do not, because `play` draws (ties, shocks). The
measures at a place of the cycle are then means over all rounds at that place: one round's would be
one draw. Where a market has an expected form (`Analysis.expected`), probes ask for its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tacit.agents.policy import cumulative
from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.types import Floats

TRACE_ROUNDS = 2_048  # rounds in which a limit cycle is looked for
LONGEST_CYCLE = 512


@dataclass(frozen=True)
class LimitPath:
    """T rounds of play in the long run.

    Attributes:
        period: the length T of the limit cycle; 0 where no cycle was found.
        states: the state before each round, float64 `[T, W]`.
        measures: the measures of each round, float64 `[T, S + 1, M]`; row S is the market's own.
            On a cycle of a market that draws in `play`, their means over the times it was played.
    """

    period: int
    states: Floats
    measures: Floats

    @property
    def mean(self) -> Floats:
        """Measures averaged over the rounds, float64 `[S + 1, M]`."""
        mean: Floats = self.measures.mean(axis=0)
        return mean


def cycle_length(states: Floats, longest: int = LONGEST_CYCLE) -> int:
    """The period with which the last 2 x `longest` states repeat; 0 if they do not.

    Args:
        states: market states in order of rounds, float64 `[T, W]`.
        longest: the longest period that is tried.
    """
    tail = states[-2 * longest :]
    for period in range(1, longest + 1):
        if np.array_equal(tail[period:], tail[:-period]):
            return period
    return 0


def limit_path(population: FrozenPopulation) -> LimitPath:
    """The path on which a population settles; computed once for each population."""
    if population not in _KNOWN:
        _KNOWN[population] = _limit_path(population)
    return _KNOWN[population]


_KNOWN: WeakKeyDictionary[FrozenPopulation, LimitPath] = WeakKeyDictionary()


def _limit_path(population: FrozenPopulation) -> LimitPath:
    market = population.market
    engine = Engine(market, population.kpi, seeds=[population.seed], stream=rng.PROBE)
    engine.reset()
    if population.rows is not None:
        for own, trained in zip(engine.rows, population.rows, strict=True):
            own[:] = trained  # in place: the engine's loops hold these arrays
    states, measures = engine.trace(cumulative(market, population.tables)[None], TRACE_ROUNDS)
    period = cycle_length(states)
    if not period:
        return LimitPath(0, states[-TRACE_ROUNDS // 2 :], measures[-TRACE_ROUNDS // 2 :])
    times = TRACE_ROUNDS // 2 // period if market.play_draws else 1
    played = measures[-times * period :].reshape(times, period, *measures.shape[1:])
    return LimitPath(period, states[-period:], played.mean(axis=0))
