"""How often seats meet each of their observations, counted over play with frozen tables.

From where training ended (else from reset), on the probe's own draws: a sample, not exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine

COPIES, SETTLE, COUNT = 1_024, 8, 8  # copies; rounds before counting; rounds counted


def visits(population: FrozenPopulation) -> tuple[NDArray[np.float64], ...]:
    """Mean number of times a round that each seat meets each observation, float64 `[O]` a seat."""
    market, seats = population.market, population.market.seats
    engine = Engine(market, population.kpi, [population.seed], COPIES, stream=rng.PROBE)
    engine.reset()
    if population.rows is not None:
        for own, trained in zip(engine.rows, population.rows, strict=True):
            own[:] = trained
    root = rng.seed_key(population.seed, rng.PROBE)
    steep = [np.cumsum(table, axis=1) for table in population.tables]
    found = tuple(np.zeros(seat.role.observations) for seat in seats)
    for t in range(SETTLE + COUNT):
        for phase in range(len(market.phases)):
            key = np.uint64(rng.fold(np.uint64(rng.fold(root, t)), phase))
            luck = rng.draws(key, COPIES * len(seats)).reshape(len(seats), COPIES)
            for s, seat in enumerate(seats):
                o = engine.observations[:, s]
                if t >= SETTLE:
                    found[s][:] += np.bincount(o, minlength=len(found[s]))
                last = seat.role.legal[o].sum(axis=1) - 1
                drawn = (steep[s][o] <= luck[s][:, None]).sum(axis=1)
                engine.rows.actions[:, s] = np.minimum(drawn, last)
            engine.advance()
    for count in found:
        count /= COPIES * COUNT
    return found
