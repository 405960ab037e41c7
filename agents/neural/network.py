"""A network over the observations of a role: its parameters, and passes over rows of a table.

    net = Network(encoding, outputs, config, key, last_gain=1.0)
    out = net.forward(digits)                   # Real [R, K], for encoded observations int32 [R, D]
    net.output_gradients(out.shape)[:] = ...    # gradients of the loss by `out`
    net.descend(learning_rate)                  # one step of Adam

Parameters, and Adam's two moments, are one flat array each: that is what a checkpoint holds. *Real*
is the network's dtype, float32 or float64.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Digits, Encoding
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.types import Floats, Ints

from .arrays import (
    ADAM_SETTINGS,
    CORRECTION1,
    LEARNING_RATE,
    OUTPUTS,
    RELU,
    ROOT_CORRECTION2,
    TANH,
    NetworkArrays,
    Reals,
)
from .config import NeuralConfig

TEMPLATE = "tacit.agents.neural.network_loop"
KINDS = {"tanh": TANH, "relu": RELU}
ACTOR, CRITIC = range(2)  # of a pair of networks; also folded into their initial keys
# Gains of the last layer's initial weights: a new actor is nearly uniform.
INITIAL_GAINS = {ACTOR: 0.01, CRITIC: 1.0}


@lru_cache(maxsize=16)
def _settings(
    betas: tuple[float, float],
    epsilon: float,
    largest: float,
    done: int,
    steps: int,
    dtype: np.dtype[Any],
) -> Reals:
    """Settings of the steps behind `done`, without a learning rate: actors and critics of all
    seats ask for the same. Powers of beta are computed in float64, whatever the dtype."""
    (beta1, beta2), times = betas, range(done + 1, done + steps + 1)
    rows = np.empty((steps, ADAM_SETTINGS))
    rows[:] = (0.0, beta1, beta2, epsilon, largest, 0.0, 0.0, 1.0, 1e-6)
    rows[:, CORRECTION1] = [1 - beta1**t for t in times]
    rows[:, ROOT_CORRECTION2] = [sqrt(1 - beta2**t) for t in times]
    return rows.astype(dtype)


class Adam:
    """Adam over one flat array of parameters.

    Attributes:
        parameters: Real `[P]`.
        config: rates and bounds of its steps.
        first_moment, second_moment: Real `[P]`.
        steps: taken so far.
    """

    def __init__(self, parameters: Reals, config: NeuralConfig) -> None:
        self.parameters, self.config = parameters, config
        self.first_moment, self.second_moment = np.zeros_like(parameters), np.zeros_like(parameters)
        self.steps = 0
        self._loops = compiled(TEMPLATE)

    def next_settings(self, learning_rate: float, steps: int = 1) -> Reals:
        """Settings of the next steps, which then count as taken, Real `[steps, 9]`.

        Columns: `tacit.agents.neural.arrays.LEARNING_RATE` and the names behind it.
        """
        done, self.steps = self.steps, self.steps + steps
        config = self.config
        rows = _settings(
            config.adam_betas, config.adam_epsilon, config.max_gradient, done, steps,
            self.parameters.dtype,
        ).copy()  # fmt: skip
        rows[:, LEARNING_RATE] = learning_rate
        return rows

    def step(self, gradient: Reals, learning_rate: float) -> None:
        """Move the parameters against the gradient `[P]`, clipped to the largest norm allowed."""
        settings = self.next_settings(learning_rate)[0]
        self._loops.adam(self.parameters, gradient, self.first_moment, self.second_moment, settings)

    def finite(self) -> bool:
        """Whether all parameters are numbers, and small enough to be squared."""
        return bool(self._loops.finite(self.parameters))

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        return {
            "parameters": self.parameters.copy(),
            "first_moment": self.first_moment.copy(),
            "second_moment": self.second_moment.copy(),
            "steps": np.array([self.steps], np.int64),
        }

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.parameters[:] = state["parameters"]
        self.first_moment[:] = state["first_moment"]
        self.second_moment[:] = state["second_moment"]
        self.steps = int(state["steps"][0])


# --- the start -----------------------------------------------------------------------------------


def layers_of(widths: list[int]) -> Ints:
    """Where the layers lie in the parameters: INPUTS, OUTPUTS, WEIGHTS, BIASES, int64 `[L, 4]`."""
    rows, begin = [], 0
    for inputs, outputs in pairwise(widths):
        rows.append((inputs, outputs, begin, begin + inputs * outputs))
        begin += (inputs + 1) * outputs
    return np.array(rows, np.int64)


def orthogonal(shape: tuple[int, int], gain: float, key: np.uint64) -> Floats:
    """A random matrix with orthonormal rows or columns, times the gain, float64 `[rows, columns]`.

    Source: Saxe, McClelland, Ganguli, ICLR 2014.
    """
    tall = (max(shape), min(shape))
    draws = np.empty(tall[0] * tall[1])
    compiled(TEMPLATE).normals(draws, key)
    q, r = np.linalg.qr(draws.reshape(tall))
    q = q * np.sign(np.diag(r))
    return gain * (q if shape[0] >= shape[1] else q.T)


def initial_parameters(
    layers: Ints, config: NeuralConfig, key: np.uint64, last_gain: float
) -> Floats:
    """Parameters at the start, float64 `[P]`.

    Orthogonal weights of gain sqrt 2, of gain `last_gain` in the last layer; biases 0. All are 0
    without hidden layers, which is the uniform policy. The last row of the first layer stays 0: it
    is for parts that are not seen.
    """
    parameters = np.zeros(layers[-1, 3] + layers[-1, 1])
    for k, (inputs, width, first, bias) in enumerate(layers.tolist() if config.hidden else []):
        gain = last_gain if k == len(layers) - 1 else np.sqrt(2.0)
        weights = orthogonal((inputs - (k == 0), width), gain, rng.child_key(key, k))
        parameters[first:bias].reshape(inputs, width)[: len(weights)] = weights
    return parameters


# --- the network ---------------------------------------------------------------------------------


class Network(Adam):
    """Dense layers, forwards and backwards in compiled loops.

    Attributes:
        encoding: what it sees of an observation.
        layers: see `layers_of`, int64 `[L, 4]`.
        kind: of activation, TANH or RELU.
        width: outputs of all layers together.
        gradient: of the last loss by the parameters, Real `[P]`.
    """

    def __init__(
        self,
        encoding: Encoding,
        outputs: int,
        config: NeuralConfig,
        key: np.uint64,
        last_gain: float,
    ) -> None:
        """Draw the first weights by key; `last_gain` is the gain of the last layer's."""
        dtype = np.dtype(config.precision)
        self.encoding = encoding
        self.layers = layers_of([encoding.width + 1, *config.hidden, outputs])
        self.kind = KINDS[config.activation]
        parameters = initial_parameters(self.layers, config, key, last_gain)
        super().__init__(parameters.astype(dtype), config)
        self.width = int(self.layers[:, OUTPUTS].sum())
        self._digits = encoding.digits(np.zeros(0, np.int64))
        self._outputs = self._output_gradients = np.zeros(0, dtype)
        self.gradient = np.zeros_like(self.parameters)
        self._arrays: NetworkArrays | None = None

    def arrays(self, rows: int) -> NetworkArrays:
        """All arrays for a compiled loop, with room for so many rows."""
        if len(self._outputs) < rows * self.width:
            self._outputs = np.empty(rows * self.width, self.parameters.dtype)
            self._output_gradients = np.empty(rows * self.width, self.parameters.dtype)
        return NetworkArrays(
            parameters=self.parameters,
            layers=self.layers,
            outputs=self._outputs,
            output_gradients=self._output_gradients,
            gradient=self.gradient,
            first_moment=self.first_moment,
            second_moment=self.second_moment,
        )

    def arrays_with(self, outputs: Reals, output_gradients: Reals) -> NetworkArrays:
        """`arrays` with these for outputs and gradients; they are kept for the next call."""
        if self._arrays is None or self._arrays.outputs is not outputs:
            self._arrays = NetworkArrays(
                self.parameters, self.layers, outputs, output_gradients, self.gradient,
                self.first_moment, self.second_moment,
            )  # fmt: skip
        return self._arrays

    def forward(self, digits: Digits) -> Reals:
        """Outputs Real `[R, K]` at encoded observations `[R, D]`; valid until the next pass."""
        self._digits = digits
        size = len(digits) * self.width
        self.arrays(len(digits))
        begin = self._loops.forward(
            digits, self.parameters, self.layers, self.kind, self._outputs[:size]
        )
        return self._outputs[begin:size].reshape(len(digits), -1)

    def output_gradients(self, shape: tuple[int, ...]) -> Reals:
        """Where to write gradients of the loss by the last outputs, Real `[R, K]`."""
        size = len(self._digits) * self.width
        return self._output_gradients[size - shape[0] * shape[1] : size].reshape(shape)

    def backward(self) -> Reals:
        """The gradient by all parameters, Real `[P]`, from the last pass and `output_gradients`."""
        size = len(self._digits) * self.width
        self._loops.backward(
            self._digits, self.parameters, self.layers, self.kind,
            self._outputs[:size], self._output_gradients[:size], self.gradient,
        )  # fmt: skip
        return self.gradient

    def descend(self, learning_rate: float) -> None:
        """One step of Adam against the loss whose `output_gradients` were written."""
        self.step(self.backward(), learning_rate)
