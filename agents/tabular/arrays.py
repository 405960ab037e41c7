"""Arrays that the compiled loops of tabular learners read and write, and names of their columns.

A loop's entry in the compile cache depends on every module that the loop imports. So this module
imports nothing of tacit but names of array types: an edit of a group or of a config recompiles no
loop.

Letters in shapes: N copies of the market, S seats, M measures, T KPI terms, W numbers of market
state, O observations and A actions of a seat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Floats, Ints

# Columns of `QArrays.settings`.
(LEARNS, LEARNING_RATE, DISCOUNT, SYNCHRONOUS, SCHEDULE, EPSILON, EPSILON_DECAY, EPSILON_MIN,
 TEMPERATURE, TEMPERATURE_DECAY, RANDOM_TIES, EXPLORATION_BOUND, SUMS,
 DISCOUNT_BETWEEN, EXPLORATION_FLOOR, LEAST_SCALE, MOST_SCALE) = range(17)  # fmt: skip
SETTINGS = 17

# Values of the column SCHEDULE, in the order of `QLearningConfig.exploration`.
EXPONENTIAL, CONSTANT, BOLTZMANN, NO_EXPLORATION = range(4)
SCHEDULES = ("exponential", "constant", "boltzmann", "none")

# Last axis of `QArrays.pending`: the observation (-1: nothing is pending), the action taken, and
# the number of trained rounds when it was taken.
PENDING_OBSERVATION, PENDING_ACTION, PENDING_ROUND = range(3)

# Entries of `QArrays.clock`, counted per copy: rounds since training began, the running episode,
# rounds of that episode, rounds since a greedy policy last changed, rounds since sums were read.
TRAINED_ROUNDS, EPISODE, EPISODE_ROUND, STABLE_ROUNDS, ROUNDS_SINCE_READ = range(5)
CLOCK = 5

# Rows of a group's keys: one for each stream of draws that its loops use.
NATURE_KEYS, EXPLORATION_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS = range(4)

BOUND_ROUNDS = 256  # rounds for which one pair of bounds of epsilon serves

# Columns of figures that are added up at once: of those that depend on the joint action alone, and
# of those that depend on the state too. Tables are padded to multiples of these.
COLUMNS_AT_ONCE = 16
STATE_COLUMNS_AT_ONCE = 2

# Entries of `LookupScratch.state_numbers`, rows of `visited`, columns of `pending`.
STATE_BEFORE, STATE_NOW = range(2)
VISITED_JOINT, VISITED_CELL = range(2)
ROW, CELL, ACTION = range(3)


class QArrays(NamedTuple):
    """What the seats of one group know, and what is summed up while they play.

    Tables of all seats lie end to end: a *row* is one observation of one seat, sum of O in all; a
    *cell* is one action in a row, C = sum of O * A in all.

    Attributes:
        settings: each seat's learning settings, float64 `[S, 17]`; zeros where a seat is no learner
            of a table.
        first_cell: each seat's first cell, int64 `[S]`.
        q: Q values, in units of reward, float64 `[C]`; where the column SUMS is 1, logarithms of
            multiplicative weights.
        cumulative: policies of seats that play a fixed table, as cumulative probabilities along
            each row, float64 `[C]`.
        greedy: the first action of highest Q, int32 `[sum of O]`.
        runner_up: an upper bound of every other Q in the row, float64 `[sum of O]`. Most updates
            leave the greedy action as it is, and the bound shows it without a search.
        pending: each learner's last own decision, which is updated once its next one is reached:
            PENDING_OBSERVATION, PENDING_ACTION, PENDING_ROUND, int64 `[N, S, 3]`.
        pending_reward: rewards since that decision, float64 `[N, S]`.
        clock: counters of rounds and episodes, int64 `[5]`.
        measure_sums: sums over rounds and copies since they were last read, float64 `[S + 1, M]`.
        score_sums: the same of unweighted KPI terms and rewards, float64 `[T + S]`.
        targets: working memory of one synchronous update, float64 `[largest A]`.
        halt: another thread sets it to 1 to have a loop return after the round under way, int64
            `[1]`. Compiled loops run outside the interpreter lock, so they look at memory.
    """

    settings: Floats
    first_cell: Ints
    q: Floats
    cumulative: Floats
    greedy: NDArray[np.int32]
    runner_up: Floats
    pending: Ints
    pending_reward: Floats
    clock: Ints
    measure_sums: Floats
    score_sums: Floats
    targets: Floats
    halt: Ints


class TransitionArrays(NamedTuple):
    """Rounds of a market by state and joint action, as a compiled loop reads them.

    N states; J joint actions (the last seat's action varies fastest), each with every lot that
    nature may draw (which varies faster still). A first axis of length 1 means that the entry is
    the same in all states. R are kinds of states in which all pays alike. Measures and scores of a
    round, laid end to end, are its *figures*; those that are always 0 are left out.

    Attributes:
        observations: what each seat observes in a state, int64 `[S, N]`.
        first_row: each seat's first row in the tables of all seats, int64 `[S]`.
        actions: each seat's number of actions, int64 `[S]`.
        strides: by how much the joint action grows with each seat's action, int64 `[S]`.
        next_state: int32 `[N or 1, J]`.
        next_rows: each seat's row, in the tables of all seats, of what it observes then, int32
            `[N or 1, J, S]`.
        kinds: each state's kind, int32 `[N]`.
        rewards: float64 `[S, R or 1, J]`.
        joint_figures: figures that the joint action determines, COLUMNS_AT_ONCE of them in a block,
            float64 `[B, J, 16]`.
        state_figures: figures that depend on the state too, STATE_COLUMNS_AT_ONCE of them in a
            block, float64 `[D, R * J, 2]`.
        lot_slots: the slots that nature draws with, int64 `[K]`.
        lot_edges: of each draw's outcomes, float64 `[K, E]`; see `lots.LotArrays`.
        lot_counts: how many outcomes each draw has, int64 `[K]`.
    """

    observations: Ints
    first_row: Ints
    actions: Ints
    strides: Ints
    next_state: NDArray[np.int32]
    next_rows: NDArray[np.int32]
    kinds: NDArray[np.int32]
    rewards: Floats
    joint_figures: Floats
    state_figures: Floats
    lot_slots: Ints
    lot_edges: Floats
    lot_counts: Ints


class LookupScratch(NamedTuple):
    """Working memory of one call that looks rounds up in `TransitionArrays`.

    Attributes:
        keys: each seat's key in the running episode, of the stream EXPLORATION for a learner and
            ACTION for a fixed table, uint64 `[S]`.
        nature: copy 0's key in the running episode, of the stream NATURE, uint64 `[1]`.
        moments: keys of the coming rounds, uint64 `[BOUND_ROUNDS]`.
        draws: uniform draws of these rounds, each seat's and one of nature's, float64
            `[S + 1, BOUND_ROUNDS]`.
        lots: what nature draws in these rounds, int64 `[BOUND_ROUNDS]`.
        visited: of these rounds the joint action with the lot, and the cell of `state_figures`,
            int64 `[2, BOUND_ROUNDS]`.
        pending: each seat's last decision, as its row, the first cell of that row, and the action,
            int64 `[S, 3]`.
        highest: the greedy action's Q of every row, float64 `[sum of O]`; used where two learn.
        sums: running sums of figures, block by block, float64 `[16 * B + 2 * D]`.
        state_numbers: the states before and after the last round, int64 `[2]`.
        actions: what each seat did in the last round, int64 `[S]`.
    """

    keys: NDArray[np.uint64]
    nature: NDArray[np.uint64]
    moments: NDArray[np.uint64]
    draws: Floats
    lots: Ints
    visited: Ints
    pending: Ints
    highest: Floats
    sums: Floats
    state_numbers: Ints
    actions: Ints
