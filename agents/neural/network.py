"""A network over the observations of a role: its parameters, and passes over rows of a table.

    net = Network(encoding, outputs, config, key, last=1.0)
    out = net.forward(digits)           # float [R, K], for encoded observations int32 [R, D]
    net.slopes(out.shape)[:] = ...      # the loss's slopes by `out`
    net.descend(rate)                   # Adam moves the parameters

Parameters, and Adam's two moments, are one flat array each.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Encoding
from tacit.envs import rng
from tacit.envs.jit.loops import compiled

from .config import NeuralConfig

Reals = NDArray[Any]  # float32 or float64
TEMPLATE = "tacit.agents.neural.network_loop"
# columns of `layers`, and kinds of activation
INPUTS, OUTPUTS, WEIGHTS, BIASES = range(4)
TANH, RELU = range(2)
# Lambert's eleventh convergent is x p(x^2)/q(x^2); p, q from x^0 up, then where |x| is cut
P = (13749310575, 1964187225, 64324260, 675675, 2145, 1)
Q = (13749310575, 6547290750, 413513100, 7567560, 45045, 66)
CUT = 7.5
CONSTANTS = (*(k / P[0] for k in P), *(k / P[0] for k in Q), CUT, 1.0)
INITIAL_GAINS = (0.01, 1.0)  # of the last layer of actor and critic


class Adam:
    """Adam over one flat array of parameters."""

    def __init__(self, parameters: Reals, config: NeuralConfig) -> None:
        self.parameters, self.config = parameters, config
        self.first, self.second = np.zeros_like(parameters), np.zeros_like(parameters)
        self.updates = 0
        self._loops = compiled(TEMPLATE)

    def next(self, rate: float, steps: int = 1) -> Reals:
        """What the next steps go by, `[steps, 9]` (see `network_loop.adam`)."""
        (beta1, beta2), config = self.config.adam_betas, self.config
        done, self.updates = self.updates, self.updates + steps
        rows = [
            (rate, beta1, beta2, config.adam_epsilon, config.max_gradient, 1 - beta1**t,
             sqrt(1 - beta2**t), 1.0, 1e-6)
            for t in range(done + 1, self.updates + 1)
        ]  # fmt: skip
        return np.array(rows, self.parameters.dtype)

    def step(self, gradient: Reals, rate: float) -> None:
        """Move the parameters against the gradient, cut to the largest norm allowed."""
        self._loops.adam(self.parameters, gradient, self.first, self.second, self.next(rate)[0])

    def finite(self) -> bool:
        """Whether its parameters still are, and are not too large to be squared."""
        return bool(self._loops.finite(self.parameters))

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that moves, the parameters with it."""
        return {
            "parameters": self.parameters.copy(),
            "first": self.first.copy(),
            "second": self.second.copy(),
            "updates": np.array([self.updates], np.int64),
        }

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.parameters[:], self.first[:] = state["parameters"], state["first"]
        self.second[:], self.updates = state["second"], int(state["updates"][0])


def layers_of(widths: list[int]) -> NDArray[np.int64]:
    """Where the layers lie: inputs, outputs, first weight, first bias; a row each."""
    rows, at = [], 0
    for inputs, outputs in pairwise(widths):
        rows.append((inputs, outputs, at, at + inputs * outputs))
        at += (inputs + 1) * outputs
    return np.array(rows, np.int64)


def orthogonal(shape: tuple[int, int], gain: float, key: np.uint64) -> NDArray[np.float64]:
    """A random matrix with orthonormal rows or columns, times the gain (Saxe, McClelland,
    Ganguli, ICLR 2014)."""
    tall = (max(shape), min(shape))
    draws = np.empty(tall[0] * tall[1])
    compiled(TEMPLATE).normals(draws, key)
    q, r = np.linalg.qr(draws.reshape(tall))
    q = q * np.sign(np.diag(r))
    return gain * (q if shape[0] >= shape[1] else q.T)


def initial(
    layers: NDArray[np.int64], config: NeuralConfig, key: np.uint64, last: float
) -> NDArray[np.float64]:
    """Parameters at the start: orthogonal weights of gain sqrt 2, in the last layer `last`, no
    biases; all zero without hidden layers, which is the uniform policy.

    The last row of the first layer stays zero: it stands for parts that are not seen.
    """
    parameters = np.zeros(layers[-1, 3] + layers[-1, 1])
    for k, (inputs, width, first, bias) in enumerate(layers.tolist() if config.hidden else []):
        gain = last if k == len(layers) - 1 else np.sqrt(2.0)
        weights = orthogonal((inputs - (k == 0), width), gain, np.uint64(rng.fold(key, k)))
        parameters[first:bias].reshape(inputs, width)[: len(weights)] = weights
    return parameters


class Arrays(NamedTuple):
    """A network as compiled loops take it (see `network_loop`)."""

    parameters: Reals
    layers: NDArray[np.int64]
    numbers: Reals
    work: Reals
    slopes: Reals
    gradient: Reals
    first: Reals
    second: Reals


class Network(Adam):
    """Dense layers, forwards and backwards in compiled loops."""

    def __init__(
        self, encoding: Encoding, outputs: int, config: NeuralConfig, key: np.uint64, last: float
    ) -> None:
        """`last`: gain of the last layer's first weights."""
        kind = np.dtype(config.precision)
        self.encoding = encoding
        self.layers = layers_of([encoding.width + 1, *config.hidden, outputs])
        self.kind = {"tanh": TANH, "relu": RELU}[config.activation]
        self.numbers = np.array(CONSTANTS, kind)
        super().__init__(initial(self.layers, config, key, last).astype(kind), config)
        self.total = int(self.layers[:, 1].sum())
        self._digits = encoding.digits(np.zeros(0, np.int64))
        self._work = self._slopes = np.zeros(0, kind)
        self.gradient = np.zeros_like(self.parameters)

    def arrays(self, rows: int) -> Arrays:
        """All of it, with room for so many rows."""
        if len(self._work) < rows * self.total:
            self._work = np.empty(rows * self.total, self.parameters.dtype)
            self._slopes = np.empty(rows * self.total, self.parameters.dtype)
        return Arrays(
            self.parameters, self.layers, self.numbers, self._work, self._slopes, self.gradient,
            self.first, self.second,
        )  # fmt: skip

    def forward(self, digits: NDArray[np.int32]) -> Reals:
        """Outputs `[R, K]` at encoded observations; valid until the next pass."""
        self._digits = digits
        size = len(digits) * self.total
        self.arrays(len(digits))
        at = self._loops.forward(
            digits, self.parameters, self.layers, self.kind, self.numbers, self._work[:size]
        )
        return self._work[at:size].reshape(len(digits), -1)

    def slopes(self, shape: tuple[int, ...]) -> Reals:
        """Where the loss's slopes by the last outputs `[R, K]` are to be written."""
        size = len(self._digits) * self.total
        return self._slopes[size - shape[0] * shape[1] : size].reshape(shape)

    def backward(self) -> Reals:
        """The gradient by all parameters, from the last forward pass and its `slopes`."""
        size = len(self._digits) * self.total
        self._loops.backward(
            self._digits, self.parameters, self.layers, self.kind, self.numbers,
            self._work[:size], self._slopes[:size], self.gradient,
        )  # fmt: skip
        return self.gradient

    def descend(self, rate: float) -> None:
        """One step against the slopes."""
        self.step(self.backward(), rate)
