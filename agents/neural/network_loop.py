"""Template: dense networks over rows of observations, forwards and backwards, and Adam.

A network is one flat array of parameters; `layers` int64 `[L, 4]` says where its layers lie. What
it sees of an observation is `digits` int32 `[R, D]`, the positions of ones in a one-hot row, so the
first layer is a sum of D rows of weights. `outputs` holds every layer's outputs `[R, outputs]`, one
layer behind the other, and `output_gradients` the gradients of the loss by them. All real numbers
of a call have one dtype, float32 or float64. Products of matrices and tanh are in
`tacit.agents.neural.simd`.

Source of Adam: Kingma, Ba, ICLR 2015.
"""

from __future__ import annotations

from math import cos, factorial, inf, log, pi, sqrt
from typing import Any

import numpy as np

from tacit.agents.neural.arrays import (
    ADAM_ONE,
    BETA1,
    BETA2,
    BIASES,
    CORRECTION1,
    EPSILON,
    INPUTS,
    LEARNING_RATE,
    MAX_NORM,
    NORM_EPSILON,
    OUTPUTS,
    ROOT_CORRECTION2,
    TANH,
    WEIGHTS,
)
from tacit.agents.neural.simd.products import (
    affine,
    affine_tanh,
    product,
    product_of_transpose,
    product_tanh_grad,
    sum_rows,
    sum_rows_tanh,
)
from tacit.agents.neural.simd.transpose import SIDE, transpose_block
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, loop
from tacit.envs.rng import u

# Of `exp_all`: 1 / ln 2; a number that rounds what is added to it to an integer, because the last
# bit of its mantissa is worth 1; ln 2 as its first 32 bits and the rest; 1 / n!.
LOG2E, ROUNDING = 1.4426950408889634, 1.5 * 2.0**52
LN2 = (0.693147180369123816490, 1.90821492927058770002e-10)
E = tuple(1.0 / factorial(n) for n in range(12))

# Of `adam`: moments count as 0 below so many times the smallest normal number, so that their
# products with rates are normal numbers too.
FIRST_MARGIN, SECOND_MARGIN = 1e8, 1e4


# --- functions of arrays -------------------------------------------------------------------------


@loop
def normals(out: Any, key: Any) -> None:
    """Fill `out` float64 `[n]` with standard normal draws (Box, Muller, 1958)."""
    for k in range(len(out)):
        radius = sqrt(-2.0 * log(1.0 - u(key, 2 * k)))
        out[k] = radius * cos(2.0 * pi * u(key, 2 * k + 1))


@inlined
def exp_all(x: Any) -> None:
    """e to the power of every entry, in place, within 1e-14 of its value.

    Entries are float64 and at most 0; below -700 the power counts as 0.

    x = k ln 2 + r with |r| <= ln(2) / 2; the series of e^r to its 11th power; then k is added to
    the bits of the exponent, which multiplies by 2^k. The library's exp takes one entry at a time,
    this several at once.
    """
    for i in range(len(x)):
        z = max(x[i], -700.0)
        shifted = z * LOG2E + ROUNDING  # its last bits hold k
        k = shifted - ROUNDING
        r = (z - k * LN2[0]) - k * LN2[1]
        y = E[6] + r * (E[7] + r * (E[8] + r * (E[9] + r * (E[10] + r * E[11]))))
        y = E[0] + r * (E[1] + r * (E[2] + r * (E[3] + r * (E[4] + r * (E[5] + r * y)))))
        bits = np.float64(y).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
        x[i] = np.int64(bits).view(np.float64) if x[i] >= -700.0 else 0.0


@inlined
def relu_all(x: Any) -> None:
    """The larger of every entry and 0, in place."""
    for k in range(len(x)):
        # (x - x is a zero of the array's own dtype, and NaN where x diverged)
        x[k] = max(x[k], x[k] - x[k])


@inlined
def relu_grad(gradients: Any, x: Any, zero: Any) -> None:
    """Turn gradients by the outputs `x` of `relu_all` into gradients by its inputs, in place."""
    for k in range(len(gradients)):
        if x[k] <= zero:
            gradients[k] = zero


@inlined
def column_sums(table: Any, out: Any) -> None:
    """Fill `out` `[K]` with the sums of the columns of `table` `[R, K]`."""
    for k in range(table.shape[1]):
        out[k] = table[0, k]
    for r in range(1, table.shape[0]):
        for k in range(table.shape[1]):
            out[k] += table[r, k]


# --- passes --------------------------------------------------------------------------------------


@loop
def forward(digits: Any, parameters: Any, layers: Any, kind: Any, outputs: Any) -> Any:
    """Fill `outputs`; returns where the outputs of the last layer begin in it."""
    digits, parameters, outputs = borrow(digits), borrow(parameters), borrow(outputs)
    (rows, ones), last = digits.shape, len(layers) - 1
    chosen, end = digits.reshape(-1), 0
    for layer in range(len(layers)):
        inputs, width = layers[layer, INPUTS], layers[layer, OUTPUTS]
        start, end = end, end + rows * width
        w, b = layers[layer, WEIGHTS], layers[layer, BIASES]
        ends_in_tanh = kind == TANH and layer < last
        if layer == 0 and ends_in_tanh:
            sum_rows_tanh(chosen, ones, parameters, w, b, outputs, start, rows, width)
        elif layer == 0:
            sum_rows(chosen, ones, parameters, w, b, outputs, start, rows, width)
        elif ends_in_tanh:
            affine_tanh(
                outputs, start - rows * inputs, inputs, 1, parameters, w, width, outputs, start,
                width, rows, width, inputs, parameters, b,
            )  # fmt: skip
        else:
            affine(
                outputs, start - rows * inputs, inputs, 1, parameters, w, width, outputs, start,
                width, rows, width, inputs, parameters, b,
            )  # fmt: skip
        if kind != TANH and layer < last:
            relu_all(outputs[start:end])
    return end - rows * layers[last, OUTPUTS]


@inlined
def transpose(parameters: Any, w: Any, inputs: Any, width: Any, out: Any) -> None:
    """Fill `out` `[width * inputs]` with the transpose of a layer's weights."""
    rows, columns = inputs // SIDE * SIDE, width // SIDE * SIDE
    for i in range(0, rows, SIDE):
        for k in range(0, columns, SIDE):
            transpose_block(parameters, w + i * width + k, width, out, k * inputs + i, inputs)
    for i in range(inputs):
        for k in range(columns if i < rows else 0, width):
            out[at(k * inputs + i)] = parameters[at(w + i * width + k)]


@inlined
def first_layer_gradient(digits: Any, dy: Any, dw: Any) -> None:
    """Fill the gradient `dw` `[inputs, K]` by the weights of a layer that sees `digits` `[R, D]`,
    from that by its outputs, `dy` `[R, K]`."""
    dw[:] = 0.0
    for r in range(len(dy)):
        own = row(dy, r)
        for d in range(digits.shape[1]):
            weight_row = row(dw, digits[r, d])
            for k in range(dy.shape[1]):
                weight_row[k] += own[k]
    # The last row is for parts that are not seen: its weights are 0 and stay 0.
    dw[len(dw) - 1] = 0.0


@loop
def backward(
    digits: Any,
    parameters: Any,
    layers: Any,
    kind: Any,
    outputs: Any,
    output_gradients: Any,
    gradient: Any,
) -> None:
    """Fill `gradient` `[P]`, from the `outputs` of a forward pass and the gradients by the outputs
    of the last layer, which are at the end of `output_gradients`."""
    digits, parameters, outputs = borrow(digits), borrow(parameters), borrow(outputs)
    slopes, gradient = borrow(output_gradients), borrow(gradient)
    rows = len(digits)
    end = rows * int(layers[:, OUTPUTS].sum())
    zero = gradient[0] - gradient[0]
    for layer in range(len(layers) - 1, -1, -1):
        inputs, width = layers[layer, INPUTS], layers[layer, OUTPUTS]
        start = end - rows * width
        dy = slopes[start:end].reshape((rows, width))
        w, b = layers[layer, WEIGHTS], layers[layer, BIASES]
        column_sums(dy, gradient[b : b + width])
        if layer == 0:
            first_layer_gradient(digits, dy, gradient[w:b].reshape((inputs, width)))
        else:
            before = start - rows * inputs
            product_of_transpose(
                outputs, before, inputs, slopes, start, width, gradient, w, inputs, width, rows
            )
            turned = np.empty_like(parameters[w:b])
            transpose(parameters, w, inputs, width, turned)
            if kind == TANH:
                product_tanh_grad(
                    slopes, start, width, 1, turned, 0, inputs, slopes, before, inputs, rows,
                    inputs, width, outputs, before,
                )  # fmt: skip
            else:
                product(
                    slopes, start, width, 1, turned, 0, inputs, slopes, before, inputs, rows,
                    inputs, width, outputs, before,
                )  # fmt: skip
                relu_grad(slopes[before:start], outputs[before:start], zero)
        end = start


# --- steps ---------------------------------------------------------------------------------------


@loop
def finite(x: Any) -> bool:
    """Whether every entry is a number, and small enough to be squared."""
    beyond = 0
    for k in range(len(x)):
        beyond += 0 if x[k] * x[k] < inf else 1
    return beyond == 0


@loop
def adam(
    parameters: Any, gradient: Any, first_moment: Any, second_moment: Any, settings: Any
) -> None:
    """One step of Adam against the gradient, whose norm is clipped first; all Real `[P]`.

    `settings` Real `[9]` is a row of `tacit.agents.neural.network.Adam.next_settings`.

    The moments of a weight that is no longer used become 0 near the end of the number range. They
    would sink below the smallest normal number, where a product takes some 150 cycles instead of
    four, and stay there: nine tenths of the smallest number are rounded to itself. What they move
    a parameter by is far below its last bit.
    """
    beta1, beta2, epsilon = settings[BETA1], settings[BETA2], settings[EPSILON]
    one = settings[ADAM_ONE]
    norm = np.sqrt(np.dot(gradient, gradient))
    shrink = one
    if settings[MAX_NORM] > 0.0 and norm > settings[MAX_NORM]:
        shrink = settings[MAX_NORM] / (norm + settings[NORM_EPSILON])
    step_size = settings[LEARNING_RATE] / settings[CORRECTION1]
    inverse_root = one / settings[ROOT_CORRECTION2]
    rest1, rest2 = one - beta1, one - beta2
    zero, smallest = one - one, np.finfo(gradient.dtype).tiny
    least1, least2 = smallest * FIRST_MARGIN, smallest * SECOND_MARGIN
    for k in range(len(gradient)):
        g = gradient[k] * shrink
        m = beta1 * first_moment[k] + rest1 * g
        v = beta2 * second_moment[k] + rest2 * g * g
        m = m if abs(m) >= least1 else zero
        v = v if v >= least2 or m != zero else zero
        first_moment[k], second_moment[k] = m, v
        parameters[k] -= step_size * m / (np.sqrt(v) * inverse_root + epsilon)
