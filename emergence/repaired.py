"""Control: partners exchanged between seeds of one arm.

Seat i of pair k plays the table that it learned in seed k + i (counted round). Nobody meets the
partner it learned with, everything else is as before. What learners of one kind do with any partner
survives this; what a pair has worked out between them does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .index import frozen_index
from .population import Population
from .temptation import temptation

FIGURES = {
    "repaired/frozen_index": "index on the limit path of exchanged partners",
    "repaired/tempted": "as `tempted`, with exchanged partners",
    "repaired/deterred": "as `deterred`, with exchanged partners",
}


def exchanged(populations: Sequence[Population]) -> list[Population]:
    """Population k with seat i's table from population k + i, from where k ended.

    Fewer populations than seats cannot keep old partners apart: none is made.
    """
    n = len(populations)
    seats = len(populations[0].tables) if n else 0
    if n < max(2, seats):
        return []
    return [
        replace(own, tables=tuple(populations[(k + i) % n].tables[i] for i in range(seats)))
        for k, own in enumerate(populations)
    ]


def repaired(populations: Sequence[Population]) -> list[dict[str, float]]:
    """Per pair: see `FIGURES`."""
    found = []
    for pair in exchanged(populations):
        figures = temptation(pair)
        found.append({
            "repaired/frozen_index": frozen_index(pair)["frozen_index"],
            "repaired/tempted": figures["tempted"],
            "repaired/deterred": figures["deterred"],
        })  # fmt: skip
    return found
