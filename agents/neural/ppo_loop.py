"""Template: the slopes of PPO's losses by the outputs of the networks, cell by cell.

`tacit.agents.neural.ppo` has the loss in words, `torch_engine` in PyTorch; these are its
derivatives. R rows that a minibatch met, A actions, H heads. Probabilities are zero outside a row's
legal actions, `legal` int32 `[., 2]`.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

import numpy as np

from tacit.agents.neural.network import OUTPUTS, Arrays
from tacit.agents.neural.network_loop import (
    adam,
    backward,
    exp_all,
    forward,
)
from tacit.agents.neural.ppo import Cells
from tacit.envs.jit.array_views import borrow
from tacit.envs.jit.decorators import inlined, loop

LEAST = 1e-300  # an action that was never played has no gains and no losses


@inlined
def raised(logits: Any, legal: Any, met: Any, tops: Any, powers: Any) -> None:
    """Fill `tops` [R] with each row's largest legal logit, and `powers` float64 `[R, A]` with
    e^(logit - top), 0 where it is not legal."""
    actions = logits.shape[1]
    for i in range(len(met)):
        first, end = legal[met[i], 0], legal[met[i], 0] + legal[met[i], 1]
        top = -inf
        for a in range(first, end):
            top = max(top, logits[i, a])
        tops[i] = top
        for a in range(actions):
            powers[i, a] = min(logits[i, a] - top, 0.0)
    exp_all(powers.reshape(-1))
    for i in range(len(met)):
        first, end = legal[met[i], 0], legal[met[i], 0] + legal[met[i], 1]
        for a in range(first):
            powers[i, a] = 0.0
        for a in range(end, actions):
            powers[i, a] = 0.0


@loop
def softmax(logits: Any, legal: Any, table: Any) -> None:
    """Probabilities `table` `[R, A]` of logits `[R, A]`."""
    raised(logits, legal, np.arange(len(logits)), np.empty(len(logits)), table)
    for i in range(len(table)):
        total = 0.0
        for a in range(table.shape[1]):
            total += table[i, a]
        for a in range(table.shape[1]):
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


@inlined
def policy_slopes(logits: Any, cells: Cells, b: Any, clip: Any, entropy: Any, slopes: Any) -> Any:
    """Fill `slopes` `[R, A]` for minibatch b; returns the clipped objective and the mean entropy,
    per sample.

    p is the softmax of the logits l, r its ratio to the table that played, A the sum of advantages
    that the clip lets through, H the entropy. The slope by l_a, per sample, is
    p_a sum_k A_k r_k - A_a r_a + weight cnt p_a (ln p_a + H); ln p_a + H = l_a - sum_k p_k l_k.
    """
    before, met = borrow(cells.before), borrow(cells.met[b])
    gains, losses = borrow(cells.sides[0, b]), borrow(cells.sides[1, b])
    size, (rows, actions) = cells.size[b], slopes.shape
    tops, powers, pull = np.empty(rows), np.empty((rows, actions)), np.empty(actions)
    raised(logits, cells.legal, met[:rows], tops, powers)
    objective, uncertainty = 0.0, 0.0
    for i in range(rows):
        o, count = met[i], cells.visits[b, met[i]]
        total, mean = 0.0, 0.0
        for a in range(actions):
            total += powers[i, a]
            mean += powers[i, a] * logits[i, a]
        mean /= total
        pushed = 0.0
        for a in range(actions):
            gain, loss = gains[o, a], losses[o, a]
            pull[a] = 0.0
            if gain - loss > 0.0:  # (in a small minibatch most cells have neither)
                ratio = powers[i, a] / (total * max(before[o, a], LEAST))
                objective += gain * min(ratio, 1.0 + clip) + loss * max(ratio, 1.0 - clip)
                through = gain if ratio < 1.0 + clip else 0.0
                through += loss if ratio > 1.0 - clip else 0.0
                pull[a] = through * ratio
                pushed += pull[a]
        uncertainty += count * (log(total) + tops[i] - mean)
        share, weight = 1.0 / (total * size), entropy * count
        for a in range(actions):
            push = pushed + weight * (logits[i, a] - mean)
            slopes[i, a] = powers[i, a] * share * push - pull[a] / size
    return objective / size, uncertainty / size


@inlined
def value_slopes(values: Any, cells: Cells, b: Any, scale: Any, weight: Any, slopes: Any) -> Any:
    """Fill `slopes` `[R, H]` for minibatch b; `scale` [H] is the unit of each head. Returns the sum
    of v^2/2 - v return, per sample."""
    loss, size = 0.0, cells.size[b]
    for i in range(len(slopes)):
        o = cells.met[b, i]
        count = cells.visits[b, o]
        for h in range(values.shape[1]):
            v, target = values[i, h], cells.total[b, o, h] / scale[h]
            loss += count * v * v / 2.0 - v * target
            slopes[i, h] = weight * (count * v - target) / size
    return loss / size


@inlined
def outputs_of(net: Arrays, kind: Any, digits: Any) -> Any:
    """A forward pass: (work, slopes, the last outputs, and the slopes by them, to be filled)."""
    rows, last = len(digits), net.layers[len(net.layers) - 1, OUTPUTS]
    end = rows * int(net.layers[:, OUTPUTS].sum())
    work, slopes = net.work[:end], net.slopes[:end]
    at = forward(digits, net.parameters, net.layers, kind, net.numbers, work)
    shape = (rows, last)
    return work, slopes, work[at:].reshape(shape), slopes[at:].reshape(shape)


@inlined
def descend_by(net: Arrays, kind: Any, setting: Any, digits: Any, work: Any, slopes: Any) -> None:
    """A step against the slopes by the last outputs."""
    backward(digits, net.parameters, net.layers, kind, net.numbers, work, slopes, net.gradient)
    adam(net.parameters, net.gradient, net.first, net.second, setting)


@loop
def descend(
    actor: Arrays,
    critic: Arrays,
    kind: Any,
    actor_settings: Any,
    critic_settings: Any,
    cells: Cells,
    scale: Any,
    clip: Any,
    entropy: Any,
    value_weight: Any,
) -> Any:
    """A gradient step of actor and critic (`network.Arrays`) for every minibatch of `ppo.Cells`;
    `settings` `[B, 9]`: of Adam. Returns objective, entropy and value loss of the last."""
    step, objective, uncertainty, loss = 0, 0.0, 0.0, 0.0
    for b in range(len(cells.size)):
        if cells.size[b] == 0:
            continue
        digits = np.empty((cells.found[b], cells.digits.shape[1]), np.int32)
        for i in range(len(digits)):
            for d in range(digits.shape[1]):
                digits[i, d] = cells.digits[cells.met[b, i], d]
        work, slopes, logits, out = outputs_of(actor, kind, digits)
        objective, uncertainty = policy_slopes(logits, cells, b, clip, entropy, out)
        descend_by(actor, kind, actor_settings[step], digits, work, slopes)
        work, slopes, values, out = outputs_of(critic, kind, digits)
        loss = value_slopes(values, cells, b, scale, value_weight, out)
        descend_by(critic, kind, critic_settings[step], digits, work, slopes)
        step += 1
    return objective, uncertainty, loss
