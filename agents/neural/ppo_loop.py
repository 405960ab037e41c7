"""Template: the slopes of PPO's losses by the outputs of the networks, cell by cell.

`tacit.agents.neural.ppo` has the loss in words and in PyTorch; these are its derivatives. R rows
that a minibatch met, A actions, H heads; `met` int64 `[R]` are their places in the tables of the
update. Probabilities are zero outside a row's legal actions, `legal` int32 `[., 2]`.
"""

from __future__ import annotations

from math import exp, inf, log
from typing import Any

import numpy as np

from tacit.agents.neural.network import OUTPUTS
from tacit.agents.neural.network_loop import adam, backward, forward
from tacit.envs.kernel import inlined, loop

LEAST = 1e-300  # an action that was never played has no gains and no losses


@loop
def softmax(logits: Any, legal: Any, table: Any) -> None:
    """Probabilities `table` `[R, A]` of logits `[R, A]`."""
    for i in range(len(logits)):
        first, end = legal[i, 0], legal[i, 0] + legal[i, 1]
        top = -inf
        for a in range(first, end):
            top = max(top, logits[i, a])
        total = 0.0
        for a in range(table.shape[1]):
            table[i, a] = 0.0
        for a in range(first, end):
            table[i, a] = exp(logits[i, a] - top)
            total += table[i, a]
        for a in range(first, end):
            table[i, a] /= total


@loop
def cumulate(table: Any, legal: Any, out: Any) -> None:
    """Cumulative rows of a policy table, end to end; the last legal entry is exactly 1."""
    actions = table.shape[1]
    for i in range(len(table)):
        total, end = 0.0, legal[i, 0] + legal[i, 1]
        for a in range(actions):
            total += table[i, a]
            out[i * actions + a] = 1.0 if a >= end - 1 else total


@loop
def policy_slopes(logits: Any, met: Any, legal: Any, before: Any, count: Any, gains: Any,
                  losses: Any, size: Any, clip: Any, entropy: Any, slopes: Any) -> Any:  # fmt: skip
    """Fill `slopes` `[R, A]`; `before` `[., A]` is the table that played.

    Returns the clipped objective and the mean entropy, per sample.
    """
    objective, uncertainty = 0.0, 0.0
    pull = np.zeros(slopes.shape[1])
    for i in range(len(met)):
        o = met[i]
        first, end = legal[o, 0], legal[o, 0] + legal[o, 1]
        top = -inf
        for a in range(first, end):
            top = max(top, logits[i, a])
        total = 0.0
        for a in range(slopes.shape[1]):
            slopes[i, a] = 0.0
        for a in range(first, end):
            slopes[i, a] = exp(logits[i, a] - top)
            total += slopes[i, a]
        lift = log(total) + top
        pushed, mean_log = 0.0, 0.0
        for a in range(first, end):
            p = slopes[i, a] / total
            mean_log += p * (logits[i, a] - lift)
            ratio = p / max(before[o, a], LEAST)
            gain, loss = gains[o, a], losses[o, a]
            objective += gain * min(ratio, 1.0 + clip) + loss * max(ratio, 1.0 - clip)
            gain = gain if ratio < 1.0 + clip else 0.0
            loss = loss if ratio > 1.0 - clip else 0.0
            moved = (gain + loss) * ratio
            pushed += moved
            pull[a] = moved
        uncertainty -= count[o] * mean_log
        weight = entropy * count[o]
        for a in range(first, end):
            p = slopes[i, a] / total
            slopes[i, a] = p * (pushed + weight * (logits[i, a] - lift - mean_log)) - pull[a]
        for a in range(slopes.shape[1]):
            slopes[i, a] /= size
    return objective / size, uncertainty / size


@loop
def value_slopes(values: Any, met: Any, count: Any, total: Any, scale: Any, size: Any, weight: Any,
                 slopes: Any) -> Any:  # fmt: skip
    """Fill `slopes` `[R, H]`; `scale` [H] is the unit of each head. Returns sum v^2/2 - v return,
    per sample."""
    loss = 0.0
    for i in range(len(met)):
        o = met[i]
        for h in range(values.shape[1]):
            v, target = values[i, h], total[o, h] / scale[h]
            loss += count[o] * v * v / 2.0 - v * target
            slopes[i, h] = weight * (count[o] * v - target) / size
    return loss / size


@inlined
def outputs_of(net: Any, kind: Any, digits: Any, met: Any) -> Any:
    """A forward pass at the rows met: (their digits, work, slopes, outputs and slopes by them)."""
    rows = len(met)
    seen = np.empty((rows, digits.shape[1]), np.int32)
    for i in range(rows):
        for d in range(digits.shape[1]):
            seen[i, d] = digits[met[i], d]
    last = net.layers[len(net.layers) - 1, OUTPUTS]
    end = rows * int(net.layers[:, OUTPUTS].sum())
    work, slopes = net.work[:end], net.slopes[:end]
    at = forward(seen, net.parameters, net.layers, kind, net.numbers, work)
    shape = (rows, last)
    return seen, work, slopes, work[at:].reshape(shape), slopes[at:].reshape(shape)


@loop
def actor_step(net: Any, kind: Any, setting: Any, digits: Any, met: Any, legal: Any, before: Any,
               count: Any, gains: Any, losses: Any, size: Any, clip: Any,
               entropy: Any) -> Any:  # fmt: skip
    """One gradient step of an actor (a `network.Arrays`) on a minibatch; as `policy_slopes`."""
    seen, work, slopes, logits, out = outputs_of(net, kind, digits, met)
    told = policy_slopes(logits, met, legal, before, count, gains, losses, size, clip, entropy, out)
    backward(seen, net.parameters, net.layers, kind, net.numbers, work, slopes, net.gradient)
    adam(net.parameters, net.gradient, net.first, net.second, setting)
    return told


@loop
def critic_step(net: Any, kind: Any, setting: Any, digits: Any, met: Any, count: Any, total: Any,
                scale: Any, size: Any, weight: Any) -> Any:  # fmt: skip
    """One gradient step of a critic on a minibatch; as `value_slopes`."""
    seen, work, slopes, values, out = outputs_of(net, kind, digits, met)
    told = value_slopes(values, met, count, total, scale, size, weight, out)
    backward(seen, net.parameters, net.layers, kind, net.numbers, work, slopes, net.gradient)
    adam(net.parameters, net.gradient, net.first, net.second, setting)
    return told
