"""Arrays that the loop of looked-up rollouts reads and writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Floats, Ints


class RolloutTable(NamedTuple):
    """Rounds of a market by state and joint action, for learners that update between batches.

    Parts of `tacit.agents.tabular.arrays.TransitionArrays`, and rewards by KPI term. N states of R
    kinds, in each of which all pays alike; J joint actions (the last seat's action varies fastest);
    S seats, L of which learn; H KPI terms at most. Measures and scores of a round, laid end to end,
    are its *figures*. An axis that is `N or 1`, or `R * J or J`, is the shorter one where the entry
    is the same in all states.

    Attributes:
        observations: what each seat observes in a state, int32 `[S, N]`.
        first_row: each seat's first row in the tables of all seats, int64 `[S]`.
        actions: each seat's number of actions, int64 `[S]`.
        strides: by how much the joint action grows with each seat's action, int64 `[S]`.
        next_state: int32 `[N or 1, J]`.
        first_cell: the first cell of a state's kind, int64 `[N]`.
        rewards: KPI terms of each learning seat, float64 `[L, R * J or J, H]`.
        joint_figures: figures that the joint action determines, in B blocks of COLUMNS_AT_ONCE,
            float64 `[B, J, 16]`.
        state_figures: figures that depend on the state too, in D blocks of STATE_COLUMNS_AT_ONCE,
            float64 `[D, R * J, 2]`.
    """

    observations: NDArray[np.int32]
    first_row: Ints
    actions: Ints
    strides: Ints
    next_state: NDArray[np.int32]
    first_cell: Ints
    rewards: Floats
    joint_figures: Floats
    state_figures: Floats
