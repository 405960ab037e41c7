"""Arrays of the loop that looks rounds of several phases up; those of a single phase are in
`tacit.agents.tabular.arrays`.

Letters in shapes: P phases, S seats, D decisions of a round (a seat in a phase), N nodes, C cells,
L lots of a phase, K draws of all phases, R kinds of rounds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Floats, Ints


class PhaseArrays(NamedTuple):
    """Phases of a market by node, joint action and lot, as a compiled loop reads them.

    A *node* is a state of the market in which a phase begins, with the measures of the round so
    far. Its *cells* are what can be done and drawn there: joint actions of the seats that act (the
    last seat's action varies fastest), each with every lot of the phase (which varies faster
    still). A cell of the last phase ends a round, whose measures and scores are its *kind*.

    Attributes:
        observations: what each seat observes in a node, int32 `[N, S]`.
        first_cell: the first cell of a node, int64 `[N]`.
        next_node: where a cell leads, int32 `[C]`.
        kinds: the kind of round that a cell ends, int32 `[C]`; 0 before the last phase.
        rewards: of each kind, float64 `[R, S]`.
        figures: of each kind, COLUMNS_AT_ONCE in a block, float64 `[B, R, 16]`.
        deciders: the seats that act in each phase, phases end to end, int64 `[D]`.
        first_decider: the first of them in each phase, int64 `[P + 1]`.
        first_lot: the first draw of each phase, int64 `[P + 1]`.
        lot_counts: how many lots each phase has, int64 `[P]`.
        lot_slots: the slots that nature draws with, int64 `[K]`.
        lot_edges: of each draw's outcomes, float64 `[K, E]`; see `lots.LotArrays`.
        outcomes: how many outcomes each draw has, int64 `[K]`.
    """

    observations: NDArray[np.int32]
    first_cell: Ints
    next_node: NDArray[np.int32]
    kinds: NDArray[np.int32]
    rewards: Floats
    figures: Floats
    deciders: Ints
    first_decider: Ints
    first_lot: Ints
    lot_counts: Ints
    lot_slots: Ints
    lot_edges: Floats
    outcomes: Ints


class PhaseScratch(NamedTuple):
    """Working memory of one call that looks rounds up in `PhaseArrays`.

    Attributes:
        moments: keys of the coming rounds, and of one phase of each, uint64 `[2, BOUND_ROUNDS]`.
        draws: uniform draws of each decision in these rounds, then one draw of nature, float64
            `[D + 1, BOUND_ROUNDS]`.
        lots: what nature draws in each phase of these rounds, int64 `[P, BOUND_ROUNDS]`.
        visited: the kinds of these rounds, int64 `[BOUND_ROUNDS]`.
        sums: running sums of figures, block by block, float64 `[16 * B]`.
        nodes: the first nodes of the last round and of the next one, int64 `[2]`.
        actions: what each seat did in each phase of the last round, int64 `[P, S]`.
    """

    moments: NDArray[np.uint64]
    draws: Floats
    lots: Ints
    visited: Ints
    sums: Floats
    nodes: Ints
    actions: Ints
