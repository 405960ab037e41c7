"""Arrays that the compiled loops of networks read and write, and names of their positions.

A loop's entry in the compile cache depends on every module that the loop imports. So this module
imports nothing of tacit but names of array types.

*Real* stands for the dtype of a network, float32 or float64. Letters in shapes: R rows (encoded
observations), D positions of ones in an encoded observation, A actions, H value heads, B
minibatches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Floats, Ints

Reals = NDArray[Any]  # float32 or float64

# Columns of `NetworkArrays.layers`: widths, and where weights and biases begin in the parameters.
INPUTS, OUTPUTS, WEIGHTS, BIASES = range(4)

# Kinds of activation.
TANH, RELU = range(2)

# Columns of the settings of one step of Adam. The corrections are 1 - beta1^t and
# sqrt(1 - beta2^t) in step t; MAX_NORM is the largest norm of the gradient (0: any).
(LEARNING_RATE, BETA1, BETA2, EPSILON, MAX_NORM, CORRECTION1, ROOT_CORRECTION2, ADAM_ONE,
 NORM_EPSILON) = range(9)  # fmt: skip
ADAM_SETTINGS = NORM_EPSILON + 1

# Least weight of an update's returns in the unit of a head, so that it keeps following returns.
LEAST_SHARE = 0.01

# Cells of all epochs that are summed in one pass, at most: a core's own cache holds their sums.
CELLS_AT_ONCE = 2**16

# First axis of `MinibatchCells.advantage_sums`.
POSITIVE, NEGATIVE = range(2)


class Batch(NamedTuple):
    """All n samples of an update, the latest first: advantages are computed backwards in time.

    Attributes:
        rows: number of the sample's observation among those that were met, int32 `[n]`.
        actions: int32 `[n]`.
        advantages: float64 `[n]`.
        returns: of unweighted terms, float64 `[n, H]`.
    """

    rows: NDArray[np.int32]
    actions: NDArray[np.int32]
    advantages: Floats
    returns: Floats


class NetworkArrays(NamedTuple):
    """A network as compiled loops take it.

    Attributes:
        parameters: weights and biases of all layers, Real `[P]`.
        layers: INPUTS, OUTPUTS, WEIGHTS, BIASES of each layer, int64 `[L, 4]`.
        outputs: outputs of every layer `[R, outputs]`, one behind the other, Real `[R * sum of
            outputs]`.
        output_gradients: gradients of the loss by these, Real `[R * sum of outputs]`.
        gradient: of the loss by the parameters, Real `[P]`.
        first_moment: of Adam, Real `[P]`.
        second_moment: of Adam, Real `[P]`.
    """

    parameters: Reals
    layers: Ints
    outputs: Reals
    output_gradients: Reals
    gradient: Reals
    first_moment: Reals
    second_moment: Reals


class MinibatchCells(NamedTuple):
    """The samples of an epoch of PPO, dealt into B minibatches and summed by cell.

    Of several epochs that are summed at once, B are the minibatches of all, epoch by epoch.
    A row is one of the R observations that the update met, a cell an action in a row.

    Attributes:
        digits: the encoded observations, int32 `[R, D]`.
        legal: each row's first legal action and how many there are, int32 `[R, 2]`.
        old_policy: the policy table that played, float64 `[R, A]`.
        sizes: samples of each minibatch (0: nothing to learn), int64 `[B]`.
        row_counts: how many rows each minibatch met, int64 `[B]`.
        rows: which rows, in ascending order; entries behind `row_counts` mean nothing, int64
            `[B, R]`.
        visits: samples of each row, float64 `[B, R]`.
        return_sums: sums of returns in each row, float64 `[B, R, H]`.
        advantage_sums: sums of POSITIVE and of NEGATIVE advantages in each cell, float64
            `[2, B, R, A]`.
    """

    digits: NDArray[np.int32]
    legal: NDArray[np.int32]
    old_policy: Floats
    sizes: Ints
    row_counts: Ints
    rows: Ints
    visits: Floats
    return_sums: Floats
    advantage_sums: Floats


class AnchorArrays(NamedTuple):
    """What holds a policy to a prior: the loss has weight x KL(policy, prior) for every sample.

    Attributes:
        log_prior: logarithms of the prior's probabilities, 0 where an action is illegal, float64
            `[R, A]`; of a learner without a prior `[0, A]`, and nothing is added.
        weight: of the divergence in the loss, in units of the advantages.
    """

    log_prior: Floats
    weight: float

    def at(self, observations: Ints, unit: float) -> AnchorArrays:
        """In rows of observations int64 `[R]`, with advantages that were scaled by `unit`."""
        return AnchorArrays(self.log_prior[observations], self.weight * unit)


class UpdateMemory(NamedTuple):
    """Working memory of an update in one call: what is in it counts within the call only.

    O are all observations of the seat, n samples, `outputs` those of all layers of a network.

    Attributes:
        rows: number of each sample's observation among those that were met, int32 `[n]`.
        actions: int32 `[n]`.
        advantages: float64 `[n]`.
        returns: of unweighted terms, float64 `[n, H]`.
        cells: with room for the rows of all minibatches that are summed at once.
        outputs: of a network at O rows, Real `[O * outputs]`.
        output_gradients: Real `[O * outputs]`.
    """

    rows: NDArray[np.int32]
    actions: NDArray[np.int32]
    advantages: Floats
    returns: Floats
    cells: MinibatchCells
    outputs: Reals
    output_gradients: Reals
