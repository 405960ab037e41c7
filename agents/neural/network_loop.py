"""Template: dense networks over rows of observations, forwards and backwards, and Adam.

A network is one flat array of parameters; `layers` int64 `[L, 4]` says where its layers lie
(inputs, outputs, first weight, first bias). What it sees of an observation is `digits` int32
`[R, D]`, the positions of ones in a one-hot row, so that the first layer is a sum of D rows of
weights. `work` and `slopes` `[R * sum of outputs]` hold every layer's outputs `[R, outputs]` one
behind the other, and the loss's slopes by them. All real numbers of a call are of one kind,
float32 or float64; `numbers` holds its constants in that kind (see `constants`), because a literal
would make float64 of everything.

Sources: tanh by Lambert's continued fraction (1761), cut after eleven terms: within 7e-7 on the
whole line. Adam: Kingma, Ba, ICLR 2015.
"""

from __future__ import annotations

from math import cos, factorial, inf, log, pi, sqrt
from typing import Any

import numpy as np

from tacit.agents.neural.network import (
    BIASES,
    INPUTS,
    OUTPUTS,
    TANH,
    WEIGHTS,
)
from tacit.envs.jit.array_views import row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import u

# of `exp_all`: 1 / ln 2; what rounds a sum with it to an integer; ln 2, its first 32 bits and the
# rest; 1 / n!
LOG2E, ROUND = 1.4426950408889634, 1.5 * 2.0**52
LN2 = (0.693147180369123816490, 1.90821492927058770002e-10)
E = tuple(1.0 / factorial(n) for n in range(12))


@loop
def normals(out: Any, key: Any) -> None:
    """Fill `out` [n] with standard normal draws (Box, Muller, 1958)."""
    for k in range(len(out)):
        radius = sqrt(-2.0 * log(1.0 - u(key, 2 * k)))
        out[k] = radius * cos(2.0 * pi * u(key, 2 * k + 1))


@inlined
def tanh_all(x: Any, c: Any) -> None:
    """tanh of every entry, in place."""
    for k in range(len(x)):
        z = max(min(x[k], c[12]), -c[12])
        y = z * z
        over = c[0] + y * (c[1] + y * (c[2] + y * (c[3] + y * (c[4] + y * c[5]))))
        under = c[6] + y * (c[7] + y * (c[8] + y * (c[9] + y * (c[10] + y * c[11]))))
        x[k] = z * over / under


@inlined
def exp_all(x: Any) -> None:
    """e to the power of every entry, in place: float64, at most 0, below -700 it counts as 0;
    within 1e-14 of its value.

    x = k ln 2 + r, |r| <= ln(2) / 2; the series of e^r to its 11th power; k is added to the bits of
    the exponent. (The library's exp takes one entry at a time, this several at once.)
    """
    for i in range(len(x)):
        z = max(x[i], -700.0)
        shifted = z * LOG2E + ROUND  # (its last bits hold k)
        k = shifted - ROUND
        r = (z - k * LN2[0]) - k * LN2[1]
        y = E[6] + r * (E[7] + r * (E[8] + r * (E[9] + r * (E[10] + r * E[11]))))
        y = E[0] + r * (E[1] + r * (E[2] + r * (E[3] + r * (E[4] + r * (E[5] + r * y)))))
        bits = np.float64(y).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
        x[i] = np.int64(bits).view(np.float64) if x[i] >= -700.0 else 0.0


@inlined
def bend(x: Any, kind: Any, numbers: Any) -> None:
    """The activation of every entry, in place."""
    if kind == TANH:
        tanh_all(x, numbers)
    else:
        for k in range(len(x)):
            x[k] = max(x[k], x[k] - x[k])


@loop
def forward(digits: Any, parameters: Any, layers: Any, kind: Any, numbers: Any, work: Any) -> Any:
    """Fill `work`; the outputs of the last layer are its last R * K entries (returned: where)."""
    rows, seen = digits.shape
    end = 0
    for layer in range(len(layers)):
        inputs, outputs = layers[layer, INPUTS], layers[layer, OUTPUTS]
        start, end = end, end + rows * outputs
        y = work[start:end].reshape((rows, outputs))
        w, b = layers[layer, WEIGHTS], layers[layer, BIASES]
        bias = parameters[b : b + outputs]
        weights = parameters[w : w + inputs * outputs].reshape((inputs, outputs))
        if layer == 0:
            for r in range(rows):
                out = row(y, r)
                for k in range(outputs):
                    out[k] = bias[k]
                for d in range(seen):
                    more = row(weights, digits[r, d])
                    for k in range(outputs):
                        out[k] += more[k]
        else:
            x = work[start - rows * inputs : start].reshape((rows, inputs))
            np.dot(x, weights, y)
            for r in range(rows):
                out = row(y, r)
                for k in range(outputs):
                    out[k] += bias[k]
        if layer < len(layers) - 1:
            bend(work[start:end], kind, numbers)
    return end - rows * layers[len(layers) - 1, OUTPUTS]


@inlined
def column_sums(table: Any, out: Any) -> None:
    """Fill `out` [K] with the sums of the columns of `[R, K]`."""
    for k in range(table.shape[1]):
        out[k] = table[0, k]
    for r in range(1, table.shape[0]):
        for k in range(table.shape[1]):
            out[k] += table[r, k]


@inlined
def unbend(slopes: Any, x: Any, kind: Any, numbers: Any) -> None:
    """Slopes by a layer's outputs x become slopes by what went into its activation."""
    one = numbers[13]
    if kind == TANH:
        for k in range(len(slopes)):
            slopes[k] *= one - x[k] * x[k]
    else:
        for k in range(len(slopes)):
            if x[k] <= one - one:
                slopes[k] = one - one


@loop
def backward(digits: Any, parameters: Any, layers: Any, kind: Any, numbers: Any, work: Any,
             slopes: Any, gradient: Any) -> None:  # fmt: skip
    """Fill `gradient`, from `work` of a forward pass and the slopes by the last layer's outputs,
    which stand at the end of `slopes`."""
    rows, seen = digits.shape
    end = rows * int(layers[:, OUTPUTS].sum())
    for layer in range(len(layers) - 1, -1, -1):
        inputs, outputs = layers[layer, INPUTS], layers[layer, OUTPUTS]
        start = end - rows * outputs
        dy = slopes[start:end].reshape((rows, outputs))
        w, b = layers[layer, WEIGHTS], layers[layer, BIASES]
        column_sums(dy, gradient[b : b + outputs])
        dw = gradient[w : w + inputs * outputs].reshape((inputs, outputs))
        if layer == 0:
            dw[:] = numbers[13] - numbers[13]
            for r in range(rows):
                for d in range(seen):
                    into = row(dw, digits[r, d])
                    for k in range(outputs):
                        into[k] += dy[r, k]
            dw[inputs - 1] = numbers[13] - numbers[13]  # what is not seen stays so
        else:
            before = start - rows * inputs
            x, dx = work[before:start], slopes[before:start]
            weights = parameters[w : w + inputs * outputs].reshape((inputs, outputs))
            np.dot(x.reshape((rows, inputs)).T, dy, dw)
            np.dot(dy, weights.T, dx.reshape((rows, inputs)))
            unbend(dx, x, kind, numbers)
        end = start


@loop
def finite(x: Any) -> bool:
    """Whether every entry is a number, and not too large to be squared."""
    beyond = 0
    for k in range(len(x)):
        beyond += 0 if x[k] * x[k] < inf else 1
    return beyond == 0


@loop
def adam(parameters: Any, gradient: Any, first: Any, second: Any, setting: Any) -> None:
    """One step. `setting`: learning rate, beta 1, beta 2, epsilon, largest norm of the gradient
    (0: any), 1 - beta1^step, sqrt(1 - beta2^step), 1, 1e-6."""
    beta1, beta2, epsilon, one = setting[1], setting[2], setting[3], setting[7]
    norm = np.sqrt(np.dot(gradient, gradient))
    shrink = one
    if setting[4] > 0.0 and norm > setting[4]:
        shrink = setting[4] / (norm + setting[8])
    pace, root = setting[0] / setting[5], one / setting[6]
    keep1, keep2 = one - beta1, one - beta2
    for k in range(len(gradient)):
        g = gradient[k] * shrink
        m = beta1 * first[k] + keep1 * g
        v = beta2 * second[k] + keep2 * g * g
        first[k], second[k] = m, v
        parameters[k] -= pace * m / (np.sqrt(v) * root + epsilon)
