"""Lots: what a market draws within `play`, as one number for each round.

Every draw that a market declares in `Market.play_lots` has a few outcomes. All outcomes of a phase
together are its *lot*, a number in 0 .. L-1; the last draw's outcome varies fastest. Whoever
enumerates rounds needs a key for each lot, because rules are only ever called with keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError
from tacit.envs.market import Lot, Market
from tacit.envs.rng import child_keys, draws_of
from tacit.envs.types import Floats, Ints

CANDIDATES = 2**16  # keys that are tried at once
MOST_CANDIDATES = 2**20


class LotArrays(NamedTuple):
    """K draws as a compiled loop reads them.

    Attributes:
        slots: of the draws, int64 `[K]`.
        edges: of each draw's outcomes, ascending, then infinities, float64 `[K, E]`.
        counts: of each draw's outcomes, int64 `[K]`.
    """

    slots: Ints
    edges: Floats
    counts: Ints


def lots_by_phase(market: Market) -> list[tuple[Lot, ...]]:
    """The draws of each phase of a market that declares them.

    Raises:
        ConfigError: a draw of a phase that the market has not.
    """
    last = len(market.phases) - 1
    lots = market.play_lots or ()
    phases = [last if lot.phase is None else lot.phase for lot in lots]
    if wrong := [phase for phase in phases if not 0 <= phase <= last]:
        raise ConfigError(
            f"{type(market).__name__}.play_lots: phase {wrong[0]}: phases are 0 .. {last}."
        )
    return [
        tuple(lot for lot, own in zip(lots, phases, strict=True) if own == phase)
        for phase in range(last + 1)
    ]


def count_lots(lots: Sequence[Lot]) -> int:
    """L, the number of lots; 1 where nothing is drawn."""
    return prod(len(lot.edges) + 1 for lot in lots)


def lot_arrays(lots: Sequence[Lot]) -> LotArrays:
    """These draws as arrays."""
    longest = max((len(lot.edges) for lot in lots), default=0)
    edges = np.full((len(lots), longest), inf)
    for own, lot in zip(edges, lots, strict=True):
        own[: len(lot.edges)] = lot.edges
    counts = np.array([len(lot.edges) + 1 for lot in lots], np.int64)
    return LotArrays(np.array([lot.slot for lot in lots], np.int64), edges, counts)


def lot_keys(lots: Sequence[Lot], phase: int = 0) -> NDArray[np.uint64] | None:
    """A key of the stream NATURE for each lot, uint64 `[L]`: this phase of round 0 of episode 0
    draws that lot with it.

    Returns:
        None if a lot is so improbable that none of MOST_CANDIDATES keys draws it.
    """
    keys, missing = np.zeros(count_lots(lots), np.uint64), np.ones(count_lots(lots), bool)
    for begin in range(0, MOST_CANDIDATES, CANDIDATES):
        candidates = np.arange(begin, begin + CANDIDATES, dtype=np.uint64)
        moments = candidates
        for number in (0, 0, phase):  # episode, round
            moments = child_keys(moments, np.array([number]))
        drawn = np.zeros(CANDIDATES, np.int64)
        for lot in lots:
            drawn *= len(lot.edges) + 1
            drawn += np.searchsorted(lot.edges, draws_of(moments, lot.slot), side="right")
        found, first = np.unique(drawn, return_index=True)
        fresh = missing[found]
        keys[found[fresh]] = candidates[first[fresh]]
        missing[found] = False
        if not missing.any():
            return keys
    return None
