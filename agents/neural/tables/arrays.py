"""Arrays of learners without hidden layers as compiled loops take them.

A loop's entry in the compile cache depends on every module that the loop imports. So this module
imports nothing of tacit but names of array types.

Letters in shapes: O observations and A actions of the seat, D positions of ones in an encoded
observation, H value heads, P parameters, U updates of a call, T steps of Adam at most. *Real* is
the dtype of the networks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.neural.arrays import Reals
from tacit.envs.types import Floats, Ints

# Entries of `TableLearner.numbers`.
DISCOUNT, GAE_LAMBDA, CLIP, VALUE_WEIGHT = range(4)

# Entries of `TableLearner.counters`. STEPS are those of Adam in this call, ROWS the observations
# that the last update met; 0 until there was one.
UPDATES, AVERAGED, STEPS, ROWS, EPOCHS, MINIBATCHES, NORMALISES = range(7)


class TableNetwork(NamedTuple):
    """A network of one layer: a sum of D rows of weights, and a bias.

    Attributes:
        parameters: weights `[inputs, outputs]`, then biases `[outputs]`, Real `[P]`.
        gradient: working memory, Real `[P]`.
        first_moment: of Adam, Real `[P]`.
        second_moment: of Adam, Real `[P]`.
        settings: of the steps of Adam to come, but for their rates, Real `[T, 9]`.
    """

    parameters: Reals
    gradient: Reals
    first_moment: Reals
    second_moment: Reals
    settings: Reals


class TableLearner(NamedTuple):
    """One seat.

    Attributes:
        actor: the network of the policy.
        critic: the network of the values.
        digits: all encoded observations, int32 `[O, D]`.
        legal: their first legal action and how many there are, int32 `[O, 2]`.
        row_numbers: working memory, int32 `[O]`.
        policy: the table that plays, float64 `[O, A]`.
        policy_sum: sum of the policies that are averaged, float64 `[O, A]`.
        weights: of the value heads, float64 `[H]`.
        scale: the unit of each value head, float64 `[H]`.
        first_cell: where the seat's table begins among the cumulative tables of all seats.
        key: of the draws of all updates, uint64.
        numbers: DISCOUNT and the names behind it, float64 `[4]`.
        counters: UPDATES and the names behind it, int64 `[7]`.
        figures: objective, entropy and value loss of the last update, float64 `[3]`.
        rates: learning rate of each update, float64 `[U]`.
        entropy_weights: weight of the entropy in each update, float64 `[U]`.
        averages: whether the policy after each update is averaged, bool `[U]`.
    """

    actor: TableNetwork
    critic: TableNetwork
    digits: NDArray[np.int32]
    legal: NDArray[np.int32]
    row_numbers: NDArray[np.int32]
    policy: Floats
    policy_sum: Floats
    weights: Floats
    scale: Floats
    first_cell: int
    key: np.uint64
    numbers: Floats
    counters: Ints
    figures: Floats
    rates: Floats
    entropy_weights: Floats
    averages: NDArray[np.bool_]
