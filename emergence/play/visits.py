"""How often seats meet each of their observations, counted over play with frozen tables.

Play starts where training ended (else from reset) and uses the probe's own draws: a sample.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.types import Floats

COPIES = 1_024
SETTLING_ROUNDS = 8  # played before counting begins
COUNTED_ROUNDS = 8


def visits(population: FrozenPopulation) -> tuple[Floats, ...]:
    """Mean number of times per round that each seat meets each observation: float64 `[O]` a seat.

    A seat that decides in several phases meets several observations a round.
    """
    market, seats = population.market, population.market.seats
    engine = Engine(market, population.kpi, [population.seed], COPIES, stream=rng.PROBE)
    engine.reset()
    if population.rows is not None:
        for own, trained in zip(engine.rows, population.rows, strict=True):
            own[:] = trained
    root = rng.seed_key(population.seed, rng.PROBE)
    cumulated = [np.cumsum(table, axis=1) for table in population.tables]
    counts = tuple(np.zeros(seat.role.observations) for seat in seats)
    for t in range(SETTLING_ROUNDS + COUNTED_ROUNDS):
        for phase in range(len(market.phases)):
            key = rng.child_key(rng.child_key(root, t), phase)
            draws = rng.draws(key, COPIES * len(seats)).reshape(len(seats), COPIES)
            for s, seat in enumerate(seats):
                observed = engine.observations[:, s]
                if t >= SETTLING_ROUNDS:
                    counts[s][:] += np.bincount(observed, minlength=len(counts[s]))
                # Inverse transform sampling. Rounding may leave the cumulated row below 1, so the
                # last legal action is the limit.
                last = seat.role.legal[observed].sum(axis=1) - 1
                drawn = (cumulated[s][observed] <= draws[s][:, None]).sum(axis=1)
                engine.rows.actions[:, s] = np.minimum(drawn, last)
            engine.advance()
    for count in counts:
        count /= COPIES * COUNTED_ROUNDS
    return counts
