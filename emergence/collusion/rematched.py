"""Control: partners exchanged between seeds of one arm.

Seeds are taken in groups of as many as a pair has seats, in order; seat i of pair k plays the table
that it learned in the i-th next seed of its group (counted round). Nobody meets the partner it
learned with, everything else is as before; other seeds beside a group change nothing in it. What
learners of one kind do with any partner survives this; what a pair has worked out between them does
not. Seeds that fill no group have no figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tacit.emergence.population import FrozenPopulation

from .impulse import impulse
from .index import frozen_index
from .temptation import temptation

PREFIX = "repaired/"
KEPT = ("frozen_index", "tempted", "deterred", "rival_response")

FIGURES = {
    "repaired/frozen_index": "index on the limit path of exchanged partners",
    "repaired/tempted": "as `tempted`, with exchanged partners",
    "repaired/deterred": "as `deterred`, with exchanged partners",
    "repaired/rival_response": "as `rival_response`, with exchanged partners",
}


def exchanged(populations: Sequence[FrozenPopulation]) -> list[FrozenPopulation]:
    """Population k with its group's tables, from where k ended; whole groups only, in
    order.
    """
    pairs = []
    seats = len(populations[0].tables) if populations else 1
    for k in range(len(populations) - len(populations) % seats):
        group = populations[k - k % seats : k - k % seats + seats]
        tables = tuple(group[(k + i) % seats].tables[i] for i in range(seats))
        pairs.append(replace(populations[k], tables=tables))
    return pairs


def repaired(populations: Sequence[FrozenPopulation]) -> list[dict[str, float]]:
    """Per population: see `FIGURES`."""
    found = []
    for pair in exchanged(populations):
        figures = frozen_index(pair) | temptation(pair) | impulse(pair)
        found.append({PREFIX + name: figures[name] for name in KEPT})
    nothing = dict.fromkeys(FIGURES, float("nan"))
    return found + [nothing] * (len(populations) - len(found))
