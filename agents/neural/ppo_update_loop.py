"""Template: a whole update of PPO in one compiled call.

It makes the steps of `tacit.agents.neural.ppo.Ippo.learn` in their order, by the same loops, and so
has the same bits. Small tables are updated so often that calls from Python, one a step, would take
longer than the steps.

Letters in shapes: n samples, O observations and A actions of the seat, R rows (observations that
the samples met), H value heads, D positions of ones in an encoded observation, E epochs.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from tacit.agents.batch.advantages_loop import (
    generalised_advantages,
    move_scale,
    normalise,
    number_observations,
)
from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.neural.arrays import (
    OUTPUTS,
    AnchorArrays,
    MinibatchCells,
    NetworkArrays,
    UpdateMemory,
)
from tacit.agents.neural.minibatch_loop import deal_and_sum, epochs_at_once
from tacit.agents.neural.network_loop import finite, forward
from tacit.agents.neural.ppo_loop import softmax, train_epoch
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import fold


@inlined
def evaluate(network: NetworkArrays, kind: Any, digits: Any) -> Any:
    """The outputs `[R, K]` of a network at encoded observations `[R, D]`."""
    layers, rows = network.layers, len(digits)
    width = layers[len(layers) - 1, OUTPUTS]
    begin = forward(digits, network.parameters, layers, kind, network.outputs)
    return network.outputs[begin : begin + rows * width].reshape((rows, width))


@inlined
def scaled_values(critic: NetworkArrays, kind: Any, digits: Any, scale: Any) -> Any:
    """The critic's values at encoded observations `[R, D]` in units of rewards, float64 `[R, H]`.

    It answers in units of its heads, `scale` `[H]`.
    """
    answers = evaluate(critic, kind, digits)
    values = np.empty(answers.shape)
    for i in range(len(values)):
        for h in range(len(scale)):
            values[i, h] = np.float64(answers[i, h]) * scale[h]
    return values


@inlined
def first_part(memory: Any, shape: Any) -> Any:
    """An array of this shape at the beginning of an array's memory."""
    size = 1
    for length in shape:
        size *= length
    return memory.reshape(-1)[:size].reshape(shape)


@inlined
def cells_of(
    observations: Any, digits: Any, legal: Any, policy: Any, parts: Any, room: MinibatchCells
) -> MinibatchCells:
    """Cells of so many minibatches of an update that met these observations, int64 `[R]`, in the
    memory of `room`."""
    rows, actions, ones = len(observations), policy.shape[1], digits.shape[1]
    heads = room.return_sums.shape[2]
    cells = MinibatchCells(
        first_part(room.digits, (rows, ones)), first_part(room.legal, (rows, 2)),
        first_part(room.old_policy, (rows, actions)), room.sizes[:parts], room.row_counts[:parts],
        first_part(room.rows, (parts, rows)), first_part(room.visits, (parts, rows)),
        first_part(room.return_sums, (parts, rows, heads)),
        first_part(room.advantage_sums, (2, parts, rows, actions)),
    )  # fmt: skip
    for i in range(rows):
        o = observations[i]
        for d in range(ones):
            cells.digits[i, d] = digits[o, d]
        cells.legal[i, 0], cells.legal[i, 1] = legal[o, 0], legal[o, 1]
        for a in range(actions):
            cells.old_policy[i, a] = policy[o, a]
    return cells


@inlined
def anchor_of(anchor: AnchorArrays, observations: Any, unit: Any) -> AnchorArrays:
    """The anchor in the rows of these observations, int64 `[R]`, where advantages were scaled."""
    rows = len(observations) if len(anchor.log_prior) else 0
    log_prior = np.empty((rows, anchor.log_prior.shape[1]))
    for i in range(rows):
        log_prior[i] = anchor.log_prior[observations[i]]
    return AnchorArrays(log_prior, anchor.weight * unit)


@inlined
def epoch_keys(key: Any, epochs: Any) -> Any:
    """The keys of the draws of an update's epochs, uint64 `[E]`, from that of the update."""
    keys = np.empty(epochs, np.uint64)
    for epoch in range(epochs):
        keys[epoch] = fold(key, epoch)
    return keys


@loop
def update(
    samples: SeatSamples,
    count: Any,
    memory: UpdateMemory,
    row_numbers: Any,
    digits: Any,
    legal: Any,
    policy: Any,
    actor: NetworkArrays,
    critic: NetworkArrays,
    kind: Any,
    actor_settings: Any,
    critic_settings: Any,
    weights: Any,
    scale: Any,
    key: Any,
    updates: Any,
    epochs: Any,
    minibatches: Any,
    normalises: Any,
    rates: Any,
    anchor: AnchorArrays,
) -> Any:
    """Learn from the samples, and write the new policy.

    Args:
        samples: of the seat; at least one.
        count: how many they are, n.
        memory: working memory, with room for them.
        row_numbers: working memory, int32 `[O]`.
        digits: all encoded observations, int32 `[O, D]`.
        legal: their legal actions, int32 `[O, 2]`.
        policy: the table that played, overwritten by the next one, float64 `[O, A]`.
        actor: the network of the policy, with room for O rows.
        critic: the network of the values, with room for O rows.
        kind: of activation.
        actor_settings: of all steps of Adam, an epoch behind the other, Real `[E * steps, 9]`.
        critic_settings: the same for the critic.
        weights: of the value heads, float64 `[H]`.
        scale: the unit of each value head, moved on to these returns, float64 `[H]`.
        key: of the draws of all updates, uint64.
        updates: so far.
        epochs: E.
        minibatches: of an epoch.
        normalises: whether advantages are normalised.
        rates: discount, lambda of the advantages, share of these returns in the units, clip range,
            weight of the entropy, weight of the value loss; a tuple of float64.
        anchor: to the prior, a row for each observation or none at all.

    Returns:
        Objective, entropy and value loss of the last minibatch, the number of rows, and whether all
        numbers are finite.
    """
    discount, gae_lambda, share, clip_range, entropy_weight, value_weight = rates
    observations = number_observations(samples, row_numbers)
    at_once = epochs_at_once(epochs, minibatches, len(observations) * policy.shape[1], count)
    cells = cells_of(observations, digits, legal, policy, at_once * minibatches, memory.cells)
    values = scaled_values(critic, kind, cells.digits, scale)
    rows, actions = memory.rows[:count], memory.actions[:count]
    advantages, returns = memory.advantages[:count], memory.returns[:count]
    squares, total = generalised_advantages(
        samples, row_numbers, values, weights, discount, gae_lambda, rows, actions, advantages,
        returns,
    )  # fmt: skip
    unit = normalise(advantages, total) if normalises else 1.0
    own_anchor = anchor_of(anchor, observations, unit)
    move_scale(scale, squares, count, share)
    steps, keys = len(actor_settings) // epochs, epoch_keys(fold(key, updates), epochs)
    objective = entropy = value_loss = 0.0
    for begin in range(0, epochs, at_once):
        first, last = begin * steps, (begin + at_once) * steps
        deal_and_sum(rows, actions, advantages, returns, keys[begin : begin + at_once], cells)
        objective, entropy, value_loss = train_epoch(
            actor, critic, kind, actor_settings[first:last], critic_settings[first:last], cells,
            scale, clip_range, entropy_weight, value_weight, own_anchor,
        )  # fmt: skip
    softmax(evaluate(actor, kind, digits), legal, policy)
    is_sound = isfinite(objective + entropy + value_loss) and finite(policy.reshape(-1))
    is_sound = is_sound and finite(actor.parameters) and finite(critic.parameters)
    return objective, entropy, value_loss, len(observations), is_sound
