"""Template: gradient steps of PPO over the cells of a table, compiled.

`tacit.agents.neural.ppo.ppo_loss` is this loss in readable form; here are its derivatives by the
outputs of the networks. Letters in shapes: R rows that a minibatch met, D positions of ones, A
actions, H value heads, B minibatches.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

import numpy as np

from tacit.agents.neural.arrays import (
    NEGATIVE,
    OUTPUTS,
    POSITIVE,
    AnchorArrays,
    MinibatchCells,
    NetworkArrays,
)
from tacit.agents.neural.network_loop import (
    adam,
    backward,
    exp_all,
    forward,
)
from tacit.agents.neural.simd.policy_rows import (
    LARGEST,
    MEAN,
    MOST,
    OBJECTIVE,
    STATS,
    TOTAL,
    policy_row,
)
from tacit.agents.neural.simd.tiles import BYTES
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop

# Guards the division by an old probability of 0: such an action has no samples, so its advantage
# sums are 0.
TINY = 1e-300
short_row, long_row = policy_row(1), policy_row(2)


@inlined
def shifted_exponentials(
    logits: Any, legal: Any, rows: Any, largest: Any, exponentials: Any
) -> None:
    """Fill `exponentials` float64 `[R, A]` with e^(logit - largest legal logit of the row).

    Illegal actions get 0. `largest` `[R]` is filled with the largest legal logits. Row i of
    `logits` `[R, A]` has the legal actions of row `rows[i]` of `legal` int32 `[., 2]`.
    """
    actions = logits.shape[1]
    for i in range(len(rows)):
        first, end = legal[rows[i], 0], legal[rows[i], 0] + legal[rows[i], 1]
        top = -inf
        for a in range(first, end):
            top = max(top, logits[i, a])
        largest[i] = top
        for a in range(actions):
            exponentials[i, a] = min(logits[i, a] - top, 0.0)  # (illegal logits may be larger)
    exp_all(exponentials.reshape(-1))
    for i in range(len(rows)):
        first, end = legal[rows[i], 0], legal[rows[i], 0] + legal[rows[i], 1]
        for a in range(first):
            exponentials[i, a] = 0.0
        for a in range(end, actions):
            exponentials[i, a] = 0.0


@loop
def softmax(logits: Any, legal: Any, table: Any) -> None:
    """Fill `table` float64 `[R, A]` with the probabilities of `logits` `[R, A]`."""
    shifted_exponentials(logits, legal, np.arange(len(logits)), np.empty(len(logits)), table)
    for i in range(len(table)):
        total = 0.0
        for a in range(table.shape[1]):
            total += table[i, a]
        for a in range(table.shape[1]):
            table[i, a] /= total


@inlined
def clip_advantages(
    cells: MinibatchCells,
    b: Any,
    exponentials: Any,
    totals: Any,
    clip_range: Any,
    objectives: Any,
    unclipped: Any,
) -> None:
    """Fill `objectives` and `unclipped` `[R, A]` with each cell's part of the clipped objective,
    and with U r (see `policy_gradient`).

    `exponentials` `[R, A]` by `totals` `[R]` is the policy in the rows that minibatch b met. A cell
    without samples has sums of 0, and so 0 in both.
    """
    rows, actions = exponentials.shape
    old_policy, met = borrow(cells.old_policy), borrow(cells.rows[b])
    positive = borrow(cells.advantage_sums[POSITIVE, b])
    negative = borrow(cells.advantage_sums[NEGATIVE, b])
    below = np.empty((rows, actions))
    for i in range(rows):
        for a in range(actions):
            below[i, a] = totals[i] * max(old_policy[met[i], a], TINY)
    if rows < len(positive):  # else the rows lie side by side as they are
        gains, losses = np.empty((rows, actions)), np.empty((rows, actions))
        for i in range(rows):
            for a in range(actions):
                gains[i, a], losses[i, a] = positive[met[i], a], negative[met[i], a]
        positive, negative = gains, losses
    # All rows in one loop without branches: LLVM makes vectors of it.
    e, below, gains = exponentials.reshape(-1), below.reshape(-1), positive.reshape(-1)
    losses, objectives = negative.reshape(-1), objectives.reshape(-1)
    unclipped = unclipped.reshape(-1)
    highest, lowest = 1.0 + clip_range, 1.0 - clip_range
    for k in range(rows * actions):
        ratio, gain, loss = e[k] / below[k], gains[k], losses[k]
        objectives[k] = gain * min(ratio, highest) + loss * max(ratio, lowest)
        advantage = gain if ratio < highest else 0.0
        advantage += loss if ratio > lowest else 0.0
        unclipped[k] = advantage * ratio


@inlined
def policy_rows(
    logits: Any,
    cells: MinibatchCells,
    b: Any,
    clip_range: Any,
    entropy_weight: Any,
    gradients: Any,
) -> Any:
    """`policy_gradient` row by row in vectors of the network's dtype."""
    rows, actions = gradients.shape
    size, met = cells.sizes[b], borrow(cells.rows[b])
    x, out = borrow(logits.reshape(-1)), borrow(gradients.reshape(-1))
    old, stats = borrow(cells.old_policy.reshape(-1)), np.empty(rows * STATS)
    sums = borrow(cells.advantage_sums.reshape(-1))
    table = cells.old_policy.size
    gains = (POSITIVE * len(cells.sizes) + b) * table
    losses = (NEGATIVE * len(cells.sizes) + b) * table
    is_short, objective, entropy = actions * logits.itemsize <= BYTES, 0.0, 0.0
    for i in range(rows):
        o, visits = met[i], cells.visits[b, met[i]]
        first, count = np.int64(cells.legal[o, 0]), np.int64(cells.legal[o, 1])
        numbers = (visits, 1.0 / size, np.float64(clip_range), np.float64(entropy_weight))
        row_at = o * actions
        if is_short:
            short_row(
                x, i * actions, out, old, row_at, sums, gains + row_at, losses + row_at, first,
                count, actions, numbers, stats, i * STATS,
            )  # fmt: skip
        else:
            long_row(
                x, i * actions, out, old, row_at, sums, gains + row_at, losses + row_at, first,
                count, actions, numbers, stats, i * STATS,
            )  # fmt: skip
    for i in range(rows):
        own = stats[i * STATS : (i + 1) * STATS]
        objective += own[OBJECTIVE]
        entropy += cells.visits[b, met[i]] * (log(own[TOTAL]) + own[LARGEST] - own[MEAN])
    return objective / size, entropy / size


@inlined
def float64_policy_gradient(
    logits: Any, cells: MinibatchCells, b: Any, clip_range: Any, entropy_weight: Any, gradients: Any
) -> Any:
    """`policy_gradient` in float64, whatever the network's dtype.

    With policy p = softmax(logits l), ratio r = p / old policy, U the sum of those advantages of a
    cell that clipping leaves a gradient, and n the row's samples out of the minibatch's M, the
    gradient by l_a is, times M,

        p_a sum_k U_k r_k - U_a r_a + entropy_weight n p_a (ln p_a + entropy)

    where ln p_a + entropy = l_a - sum_k p_k l_k.
    """
    size, (rows, actions) = cells.sizes[b], gradients.shape
    met = borrow(cells.rows[b])
    largest, exponentials = np.empty(rows), np.empty((rows, actions))
    shifted_exponentials(logits, cells.legal, met[:rows], largest, exponentials)
    totals, mean_logits = np.empty(rows), np.empty(rows)
    for i in range(rows):
        total, mean_logit = 0.0, 0.0
        for a in range(actions):
            total += exponentials[i, a]
            mean_logit += exponentials[i, a] * logits[i, a]
        totals[i], mean_logits[i] = total, mean_logit / total
    objectives, unclipped = np.empty((rows, actions)), np.empty((rows, actions))
    clip_advantages(cells, b, exponentials, totals, clip_range, objectives, unclipped)
    objective, entropy = 0.0, 0.0
    for i in range(rows):
        visits, mean_logit = cells.visits[b, met[i]], mean_logits[i]
        unclipped_sum = 0.0
        for a in range(actions):
            objective += objectives[i, a]
            unclipped_sum += unclipped[i, a]
        entropy += visits * (log(totals[i]) + largest[i] - mean_logit)
        per_sample, weight = 1.0 / (totals[i] * size), entropy_weight * visits
        for a in range(actions):
            by_probability = unclipped_sum + weight * (logits[i, a] - mean_logit)
            out = exponentials[i, a] * per_sample * by_probability - unclipped[i, a] / size
            gradients[i, a] = out
    return objective / size, entropy / size


@inlined
def policy_gradient(
    logits: Any,
    cells: MinibatchCells,
    b: Any,
    clip_range: Any,
    entropy_weight: Any,
    in_vectors: Any,
    gradients: Any,
) -> Any:
    """Fill `gradients` `[R, A]` with those of minibatch b's policy and entropy losses by `logits`.

    Returns the clipped objective and the mean entropy, per sample. `in_vectors`: by `policy_rows`
    where rows are short enough, else in float64.
    """
    if in_vectors and logits.shape[1] * logits.itemsize <= MOST * BYTES:
        return policy_rows(logits, cells, b, clip_range, entropy_weight, gradients)
    return float64_policy_gradient(logits, cells, b, clip_range, entropy_weight, gradients)


@inlined
def add_anchor_gradient(
    logits: Any, cells: MinibatchCells, b: Any, anchor: AnchorArrays, gradients: Any
) -> None:
    """Add to `gradients` `[R, A]` those of minibatch b's divergence from the prior by `logits`.

    With policy p, prior q and n of the minibatch's M samples in a row, the loss has
    weight n / M sum_k p_k ln(p_k / q_k) there. Its gradient by l_a is

        weight n / M p_a (ln(p_a / q_a) - sum_k p_k ln(p_k / q_k))
    """
    rows, actions = gradients.shape
    met = borrow(cells.rows[b])
    largest, p = np.empty(rows), np.empty((rows, actions))
    shifted_exponentials(logits, cells.legal, met[:rows], largest, p)
    for i in range(rows):
        total, divergence = p[i].sum(), 0.0
        shift = largest[i] + log(total)
        for a in range(actions):
            p[i, a] /= total
            divergence += p[i, a] * (logits[i, a] - shift - anchor.log_prior[met[i], a])
        share = anchor.weight * cells.visits[b, met[i]] / cells.sizes[b]
        for a in range(actions):
            excess = logits[i, a] - shift - anchor.log_prior[met[i], a] - divergence
            gradients[i, a] += share * p[i, a] * excess


@inlined
def value_gradient(
    values: Any, cells: MinibatchCells, b: Any, scale: Any, value_weight: Any, gradients: Any
) -> Any:
    """Fill `gradients` `[R, H]` with those of minibatch b's weighted value loss by `values`.

    `scale` `[H]` is the unit of each head. Returns the sum of v^2 / 2 - v return, per sample.
    """
    loss, size, heads = 0.0, cells.sizes[b], values.shape[1]
    met, all_visits, all_returns = (
        row(cells.rows, b),
        row(cells.visits, b),
        row(cells.return_sums, b),
    )
    for i in range(len(gradients)):
        o = at(met[i])
        visits = all_visits[o]
        for h in range(heads):
            v, return_sum = values[i, h], all_returns[o, at(h)] / scale[h]
            loss += visits * v * v / 2.0 - v * return_sum
            gradients[i, h] = value_weight * (visits * v - return_sum) / size
    return loss / size


@inlined
def digits_of(cells: MinibatchCells, b: Any) -> Any:
    """The encoded observations that minibatch b met, int32 `[R, D]`."""
    chosen = np.empty((cells.row_counts[b], cells.digits.shape[1]), np.int32)
    met, digits = row(cells.rows, b), borrow(cells.digits)
    for i in range(len(chosen)):
        for d in range(chosen.shape[1]):
            chosen[i, d] = digits[at(met[i]), d]
    return chosen


@inlined
def forward_pass(network: NetworkArrays, kind: Any, digits: Any) -> Any:
    """A pass over `digits` `[R, D]`.

    Returns outputs of all layers, the gradients by them, and views of the last layer's part of
    both, `[R, outputs]`.
    """
    layers = network.layers
    rows, width = len(digits), layers[len(layers) - 1, OUTPUTS]
    end = rows * int(layers[:, OUTPUTS].sum())
    outputs, gradients = network.outputs[:end], network.output_gradients[:end]
    begin = forward(digits, network.parameters, layers, kind, outputs)
    shape = (rows, width)
    return outputs, gradients, outputs[begin:].reshape(shape), gradients[begin:].reshape(shape)


@inlined
def adam_step(
    network: NetworkArrays, kind: Any, settings: Any, digits: Any, outputs: Any, gradients: Any
) -> None:
    """Backpropagate the gradients by the last layer's outputs, and take one step of Adam."""
    backward(
        digits, network.parameters, network.layers, kind, outputs, gradients,
        network.gradient,
    )  # fmt: skip
    adam(
        network.parameters, network.gradient, network.first_moment, network.second_moment, settings
    )


@loop
def train_epoch(
    actor: NetworkArrays,
    critic: NetworkArrays,
    kind: Any,
    actor_settings: Any,
    critic_settings: Any,
    cells: MinibatchCells,
    scale: Any,
    clip_range: Any,
    entropy_weight: Any,
    value_weight: Any,
    anchor: AnchorArrays,
) -> Any:
    """One step of Adam of actor and critic for every minibatch.

    `actor_settings` and `critic_settings` `[B, 9]` are rows of `Adam.next_settings`, one for each
    minibatch that has samples. Returns objective, entropy and value loss of the last.
    """
    step, objective, entropy, value_loss = 0, 0.0, 0.0, 0.0
    for b in range(len(cells.sizes)):
        if cells.sizes[b] == 0:
            continue
        digits = cells.digits
        if cells.row_counts[b] < len(digits):  # else all rows were met, in their order
            digits = digits_of(cells, b)
        outputs, gradients, logits, out = forward_pass(actor, kind, digits)
        objective, entropy = policy_gradient(
            logits, cells, b, clip_range, entropy_weight, len(actor.layers) > 1, out
        )
        if len(anchor.log_prior):
            add_anchor_gradient(logits, cells, b, anchor, out)
        adam_step(actor, kind, actor_settings[step], digits, outputs, gradients)
        outputs, gradients, values, out = forward_pass(critic, kind, digits)
        value_loss = value_gradient(values, cells, b, scale, value_weight, out)
        adam_step(critic, kind, critic_settings[step], digits, outputs, gradients)
        step += 1
    return objective, entropy, value_loss
