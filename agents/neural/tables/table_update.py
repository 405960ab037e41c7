"""An update of PPO without hidden layers, in parts of a compiled loop.

It makes the steps of `tacit.agents.neural.ppo_update_loop.update` in their order, by the same
functions, and so has the same bits. What is left out is what only deeper networks need, for that
takes most of the time in which an update is compiled, and these parts are compiled once for each
market.

Letters in shapes: as in `tacit.agents.neural.tables.arrays`, R rows (observations that the samples
met), n samples, B minibatches.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from tacit.agents.batch import advantages_loop, policy_table_loop
from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.neural import network_loop, ppo_loop
from tacit.agents.neural.arrays import LEARNING_RATE, LEAST_SHARE, MinibatchCells
from tacit.agents.neural.minibatch_loop import deal_and_sum
from tacit.agents.neural.network_loop import column_sums, first_layer_gradient
from tacit.agents.neural.ppo_loop import float64_policy_gradient, value_gradient
from tacit.agents.neural.ppo_update_loop import cells_of
from tacit.agents.neural.simd.products import sum_rows
from tacit.agents.neural.tables.arrays import (
    AVERAGED,
    CLIP,
    DISCOUNT,
    EPOCHS,
    GAE_LAMBDA,
    MINIBATCHES,
    NORMALISES,
    ROWS,
    STEPS,
    UPDATES,
    VALUE_WEIGHT,
    TableLearner,
    TableNetwork,
)
from tacit.envs.jit.decorators import called_kernel, inlined
from tacit.envs.rng import fold


def as_part(loop: Any) -> Any:
    """A loop of a template as a part of the loop that calls it.

    The loop itself is cached in a generated file and must not be called from elsewhere, so its
    function is compiled once more.
    """
    return called_kernel(loop.py_func)


number_observations = as_part(advantages_loop.number_observations)
generalised_advantages = as_part(advantages_loop.generalised_advantages)
normalise, move_scale = as_part(advantages_loop.normalise), as_part(advantages_loop.move_scale)
adam, finite = as_part(network_loop.adam), as_part(network_loop.finite)
softmax, cumulate = as_part(ppo_loop.softmax), as_part(policy_table_loop.cumulate)


@inlined
def outputs_of(network: TableNetwork, digits: Any, width: Any) -> Any:
    """The outputs Real `[R, width]` of a network at encoded observations int32 `[R, D]`."""
    rows, ones = digits.shape
    parameters = network.parameters
    out = np.empty(rows * width, parameters.dtype)
    bias = len(parameters) - width
    sum_rows(digits.reshape(-1), ones, parameters, 0, bias, out, 0, rows, width)
    return out.reshape((rows, width))


@inlined
def adam_step(network: TableNetwork, digits: Any, gradients: Any, step: Any, rate: Any) -> None:
    """A step of Adam from `gradients` Real `[R, outputs]` by the outputs at `digits` `[R, D]`."""
    gradient, width = network.gradient, gradients.shape[1]
    bias = len(gradient) - width
    column_sums(gradients, gradient[bias:])
    first_layer_gradient(digits, gradients, gradient[:bias].reshape((bias // width, width)))
    settings = network.settings[step]
    settings[LEARNING_RATE] = rate
    adam(network.parameters, gradient, network.first_moment, network.second_moment, settings)


@inlined
def room_for(learner: TableLearner) -> MinibatchCells:
    """Memory for cells of all observations; it holds nothing yet."""
    (observations, actions), ones = learner.policy.shape, learner.digits.shape[1]
    parts, heads = learner.counters[MINIBATCHES], len(learner.weights)
    return MinibatchCells(
        np.empty((observations, ones), np.int32), np.empty((observations, 2), np.int32),
        np.empty((observations, actions)), np.empty(parts, np.int64), np.empty(parts, np.int64),
        np.empty((parts, observations), np.int64), np.empty((parts, observations)),
        np.empty((parts, observations, heads)), np.empty((2, parts, observations, actions)),
    )  # fmt: skip


@inlined
def train_epoch(learner: TableLearner, cells: MinibatchCells, rate: Any, entropy: Any) -> None:
    """One step of Adam of actor and critic for every minibatch; fills the learner's figures."""
    actions, heads = learner.policy.shape[1], len(learner.weights)
    actor, critic, numbers = learner.actor, learner.critic, learner.numbers
    for b in range(len(cells.sizes)):
        if cells.sizes[b] == 0:
            continue
        digits = np.empty((cells.row_counts[b], cells.digits.shape[1]), np.int32)
        for i in range(len(digits)):
            for d in range(digits.shape[1]):
                digits[i, d] = cells.digits[cells.rows[b, i], d]
        step = learner.counters[STEPS]
        logits = outputs_of(actor, digits, actions)
        gradients = np.empty_like(logits)
        objective, mean_entropy = float64_policy_gradient(
            logits, cells, b, numbers[CLIP], entropy, gradients
        )
        adam_step(actor, digits, gradients, step, rate)
        values = outputs_of(critic, digits, heads)
        gradients = np.empty_like(values)
        loss = value_gradient(values, cells, b, learner.scale, numbers[VALUE_WEIGHT], gradients)
        adam_step(critic, digits, gradients, step, rate)
        learner.counters[STEPS] = step + 1
        learner.figures[0], learner.figures[1], learner.figures[2] = objective, mean_entropy, loss


@inlined
def scaled_values(learner: TableLearner, digits: Any) -> Any:
    """The critic's values at encoded observations `[R, D]`, in units of rewards, float64 `[R, H]`.

    It answers in units of its heads.
    """
    answers = outputs_of(learner.critic, digits, len(learner.weights))
    values = np.empty(answers.shape)
    for i in range(len(values)):
        for h in range(len(learner.scale)):
            values[i, h] = np.float64(answers[i, h]) * learner.scale[h]
    return values


@inlined
def update(learner: TableLearner, samples: SeatSamples, count: Any, n: Any) -> bool:
    """Learn from `count` > 0 samples of the call's update n, and write the new policy.

    Returns whether all numbers are finite.
    """
    numbers, counters, policy = learner.numbers, learner.counters, learner.policy
    observations = number_observations(samples, learner.row_numbers)
    cells = cells_of(
        observations, learner.digits, learner.legal, policy, counters[MINIBATCHES],
        room_for(learner),
    )  # fmt: skip
    values = scaled_values(learner, cells.digits)
    rows, actions = np.empty(count, np.int32), np.empty(count, np.int32)
    advantages, returns = np.empty(count), np.empty((count, len(learner.weights)))
    squares, total = generalised_advantages(
        samples, learner.row_numbers, values, learner.weights, numbers[DISCOUNT],
        numbers[GAE_LAMBDA], rows, actions, advantages, returns,
    )  # fmt: skip
    if counters[NORMALISES]:
        normalise(advantages, total)
    share = max(1.0 / (counters[UPDATES] + 1), LEAST_SHARE)
    move_scale(learner.scale, squares, count, share)
    key, keys = fold(learner.key, counters[UPDATES]), np.empty(1, np.uint64)
    for epoch in range(counters[EPOCHS]):
        keys[0] = fold(key, epoch)
        deal_and_sum(rows, actions, advantages, returns, keys, cells)
        train_epoch(learner, cells, learner.rates[n], learner.entropy_weights[n])
    softmax(outputs_of(learner.actor, learner.digits, policy.shape[1]), learner.legal, policy)
    counters[UPDATES] += 1
    counters[ROWS] = len(observations)
    figures = learner.figures
    is_sound = isfinite(figures[0] + figures[1] + figures[2]) and finite(policy.reshape(-1))
    return is_sound and finite(learner.actor.parameters) and finite(learner.critic.parameters)


@inlined
def average(learner: TableLearner, n: Any) -> None:
    """Add the policy to those that are averaged, if that is due after the call's update n."""
    if learner.averages[n]:
        learner.counters[AVERAGED] += 1
        for o in range(learner.policy.shape[0]):
            for a in range(learner.policy.shape[1]):
                learner.policy_sum[o, a] += learner.policy[o, a]


@inlined
def play_table(learner: TableLearner, cumulative: Any) -> None:
    """Write the policy among the tables that play, float64 `[sum of O * A]`."""
    first = learner.first_cell
    cumulate(learner.policy, learner.legal, cumulative[first : first + learner.policy.size])
