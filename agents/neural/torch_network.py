"""A PyTorch module as a network: its parameters in one flat array, moved by tacit's Adam.

A module takes encoded observations, positions of ones int32 `[R, D]`, and returns `[R, K]`. *Real*
is the dtype of the network, float32 or float64.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from tacit.agents.batch.encoding import Digits, Encoding

from .arrays import Reals
from .config import NeuralConfig
from .network import Adam, initial_parameters, layers_of


class Dense(torch.nn.Module):
    """The same layers as the compiled network, with the same parameters in the same order."""

    def __init__(self, widths: list[int], activation: str) -> None:
        super().__init__()
        shapes = [s for a, b in pairwise(widths) for s in ((a, b), (b,))]
        self.layers = torch.nn.ParameterList([torch.zeros(shape) for shape in shapes])
        self.activate = {"tanh": torch.tanh, "relu": torch.relu}[activation]

    def forward(self, digits: torch.Tensor) -> torch.Tensor:
        """Real `[R, K]` of digits `[R, D]`: the first layer is a sum of rows of its weights."""
        weights, bias, *rest = self.layers
        x: torch.Tensor = weights[digits].sum(1) + bias
        for weights, bias in zip(rest[::2], rest[1::2], strict=True):
            x = self.activate(x) @ weights + bias
        return x


class TorchNetwork(Adam):
    """A module whose parameters are views of one flat array.

    Attributes:
        module: what computes.
        unseen: parameters of the first layer's row for parts that are not seen, which stay 0.
    """

    def __init__(
        self,
        encoding: Encoding,
        outputs: int,
        config: NeuralConfig,
        key: np.uint64,
        last_gain: float,
        module: torch.nn.Module | None = None,
    ) -> None:
        """Make dense layers, drawn by key as `network.Network` has them, or take a module as it is.

        Args:
            encoding: what it sees of an observation.
            outputs: K.
            config: layers, dtype, and settings of Adam.
            key: of the initial weights of dense layers.
            last_gain: gain of the last layer's initial weights.
            module: a module of one's own, with its own initial weights.
        """
        widths = [encoding.width + 1, *config.hidden, outputs]
        if module is None:
            self.module: torch.nn.Module = Dense(widths, config.activation)
            flat = initial_parameters(layers_of(widths), config, key, last_gain)
            self.unseen = slice(encoding.width * widths[1], (encoding.width + 1) * widths[1])
        else:
            self.module = module
            flat = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
            self.unseen = slice(0, 0)
        super().__init__(flat.astype(np.dtype(config.precision)), config)
        begin = 0
        for p in self.module.parameters():
            view = self.parameters[begin : begin + p.numel()].reshape(p.shape)
            p.data = torch.from_numpy(view)
            begin += p.numel()

    def __call__(self, digits: Digits) -> torch.Tensor:
        """Outputs `[R, K]` with their graph."""
        out: torch.Tensor = self.module(torch.from_numpy(digits))
        return out

    def forward(self, digits: Digits) -> Reals:
        """Outputs Real `[R, K]` at encoded observations `[R, D]`."""
        self._out = self(digits)
        return self._out.detach().numpy()

    def output_gradients(self, shape: tuple[int, ...]) -> Reals:
        """Where to write gradients of the loss by the last outputs, Real `[R, K]`."""
        self._output_gradients = np.empty(shape, self.parameters.dtype)
        return self._output_gradients

    def descend(self, learning_rate: float) -> None:
        """One step of Adam against the loss whose `output_gradients` were written."""
        gradients = torch.from_numpy(self._output_gradients)
        self._out.backward(gradients)  # type: ignore[no-untyped-call]
        self.step_by_autograd(learning_rate)

    def step_by_autograd(self, learning_rate: float) -> None:
        """One step of Adam against the gradients that autograd left in the parameters."""
        gradients = [  # a module may leave a parameter unused: it has no gradient
            torch.zeros_like(p) if p.grad is None else p.grad for p in self.module.parameters()
        ]
        gradient = torch.cat([part.reshape(-1) for part in gradients]).numpy()
        gradient[self.unseen] = 0.0
        self.module.zero_grad()
        self.step(gradient, learning_rate)
