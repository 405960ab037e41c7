"""Control: seats rematched with partners from other seeds of the same arm.

Seeds are taken in groups of as many as a population has seats, in order. Seat i of population k
plays the table that it learned in the i-th next seed of its group (counted round). So nobody meets
the partner it learned with, and everything else is as before; other seeds beside a group change
nothing in it. What learners of one kind do with any partner survives this; what one population has
worked out among its seats does not. Seeds that fill no group have no figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tacit.emergence.population import FrozenPopulation

from .impulse import impulse
from .index import frozen_index
from .temptation import temptation

PREFIX = "rematched/"
KEPT = (
    "frozen_index",
    "tempted_states",
    "deterred_deviations",
    "upheld_deviations",
    "rival_response",
)

FIGURES = {PREFIX + name: f"as `{name}`, with exchanged partners" for name in KEPT}


def rematch(populations: Sequence[FrozenPopulation]) -> list[FrozenPopulation]:
    """Population k with tables of its whole group, from where k ended; whole groups only, in order.

    All populations must be of one arm, in order of seed.
    """
    found = []
    seats = len(populations[0].tables) if populations else 1
    for k in range(len(populations) - len(populations) % seats):
        group = populations[k - k % seats : k - k % seats + seats]
        tables = tuple(group[(k + i) % seats].tables[i] for i in range(seats))
        found.append(replace(populations[k], tables=tables))
    return found


def rematched(populations: Sequence[FrozenPopulation]) -> list[dict[str, float]]:
    """Per population: see `FIGURES`; NaN for those that fill no group."""
    found = []
    for population in rematch(populations):
        figures = frozen_index(population) | temptation(population) | impulse(population)
        found.append({PREFIX + name: figures[name] for name in KEPT})
    nothing = dict.fromkeys(FIGURES, float("nan"))
    return found + [nothing] * (len(populations) - len(found))
