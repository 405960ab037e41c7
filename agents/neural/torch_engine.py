"""PPO by PyTorch's autograd over the table, for any module: the reference of the compiled engine.

A module takes encoded observations, positions of ones int32 `[R, D]`, and returns `[R, K]`. Its
parameters are made views of one flat array, as in the compiled engine.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Encoding
from tacit.envs import rng
from tacit.envs.market import Seat

from .config import IppoConfig, NeuralConfig
from .network import (
    INITIAL_GAINS,
    Adam,
    initial,
    layers_of,
)
from .ppo import (
    ACTOR,
    CRITIC,
    Cells,
    Rates,
    named,
    part,
)


class Dense(torch.nn.Module):
    """The same layers as the compiled network, with the same parameters in the same order."""

    def __init__(self, widths: list[int], activation: str) -> None:
        super().__init__()
        shapes = [s for a, b in pairwise(widths) for s in ((a, b), (b,))]
        self.layers = torch.nn.ParameterList([torch.zeros(shape) for shape in shapes])
        self.bend = {"tanh": torch.tanh, "relu": torch.relu}[activation]

    def forward(self, digits: torch.Tensor) -> torch.Tensor:
        """float `[R, K]` of digits `[R, D]`: the first layer is a sum of rows of its weights."""
        weights, bias, *rest = self.layers
        x: torch.Tensor = weights[digits].sum(1) + bias
        for weights, bias in zip(rest[::2], rest[1::2], strict=True):
            x = self.bend(x) @ weights + bias
        return x


class TorchNetwork(Adam):
    """A module whose parameters lie in one flat array, moved by the same Adam."""

    def __init__(
        self,
        encoding: Encoding,
        outputs: int,
        config: NeuralConfig,
        key: np.uint64,
        last: float,
        module: torch.nn.Module | None = None,
    ) -> None:
        kind = np.dtype(config.precision)
        widths = [encoding.width + 1, *config.hidden, outputs]
        self.module = Dense(widths, config.activation) if module is None else module
        if module is None:
            flat = initial(layers_of(widths), config, key, last)
        else:
            flat = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
        super().__init__(flat.astype(kind), config)
        start = 0
        for p in self.module.parameters():
            view = self.parameters[start : start + p.numel()].reshape(p.shape)
            p.data = torch.from_numpy(view)
            start += p.numel()
        self.unseen = slice(0, 0)
        if module is None:  # the row of weights for what is not seen stays zero
            self.unseen = slice(encoding.width * widths[1], (encoding.width + 1) * widths[1])

    def __call__(self, digits: NDArray[np.int32]) -> torch.Tensor:
        """Outputs with their graph."""
        out: torch.Tensor = self.module(torch.from_numpy(digits))
        return out

    def forward(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Outputs `[R, K]` at encoded observations."""
        self._out = self(digits)
        return self._out.detach().numpy()

    def slopes(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Where the loss's slopes by the last outputs `[R, K]` are to be written."""
        self._slopes = np.empty(shape, self.parameters.dtype)
        return self._slopes

    def descend(self, rate: float) -> None:
        """One step against the slopes."""
        self._out.backward(torch.from_numpy(self._slopes))  # type: ignore[no-untyped-call]
        self.move(rate)

    def move(self, rate: float) -> None:
        """One step against the gradients that stand in the parameters."""
        slopes = [  # (a module may leave a parameter unused: it has no gradient)
            torch.zeros_like(p) if p.grad is None else p.grad for p in self.module.parameters()
        ]
        gradient = torch.cat([slope.reshape(-1) for slope in slopes]).numpy()
        gradient[self.unseen] = 0.0
        self.module.zero_grad()
        self.step(gradient, rate)


def ppo_loss(
    logits: torch.Tensor,
    values: torch.Tensor,
    cells: Cells,
    b: int,
    scale: NDArray[np.float64],
    config: IppoConfig,
    entropy_weight: float,
) -> tuple[torch.Tensor, ...]:
    """The loss of minibatch b over the table (see `ppo`); also objective, entropy and value loss
    per sample. `logits` and `values` are those of the rows that it met."""
    met, size = cells.met[b, : cells.found[b]], int(cells.size[b])
    legal, kind = torch.from_numpy(cells.legal[met]), logits.dtype
    columns = torch.arange(logits.shape[1])
    inside = (columns >= legal[:, :1]) & (columns < legal[:, :1] + legal[:, 1:])

    def read(table: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(table[met]).to(kind)

    log_p = logits.masked_fill(~inside, -torch.inf).log_softmax(1)
    before = read(cells.before).masked_fill(~inside, 1.0)
    before = before.clamp(min=torch.finfo(kind).tiny)  # (0 where nobody can have acted so)
    ratio = log_p.masked_fill(~inside, 0.0).exp() / before
    gains = read(cells.sides[0, b]) * ratio.clamp(max=1 + config.clip)
    losses = read(cells.sides[1, b]) * ratio.clamp(min=1 - config.clip)
    objective = (gains + losses).masked_fill(~inside, 0.0).sum() / size
    count = read(cells.visits[b])
    uncertainty = -(log_p.exp() * log_p.masked_fill(~inside, 0.0)).sum(1)
    entropy = (count * uncertainty).sum() / size
    target = read(cells.total[b]) / torch.from_numpy(scale).to(kind)
    value = (count[:, None] * values**2 / 2 - values * target).sum() / size
    loss = -objective + config.value_weight * value - entropy_weight * entropy
    return loss, objective, entropy, value


class TorchEngine:
    """Actor and critic of one seat as PyTorch modules."""

    def __init__(
        self,
        config: IppoConfig,
        encoding: Encoding,
        seat: Seat,
        heads: int,
        key: np.uint64,
        build: Callable[[Encoding, int], torch.nn.Module] | None = None,
    ) -> None:
        outputs = (seat.role.actions, heads)
        modules = [build(encoding, k) if build else None for k in outputs]
        self.config = config
        self.actor, self.critic = (
            TorchNetwork(
                encoding, outputs[k], config, np.uint64(rng.fold(key, k)), INITIAL_GAINS[k],
                modules[k],
            )
            for k in (ACTOR, CRITIC)
        )  # fmt: skip

    @property
    def networks(self) -> tuple[Adam, ...]:
        return self.actor, self.critic

    def logits(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the actor, `[R, A]`."""
        with torch.no_grad():
            return self.actor(digits).numpy()

    def values(self, digits: NDArray[np.int32]) -> NDArray[Any]:
        """Of the critic, `[R, H]`, in units of each head's scale."""
        with torch.no_grad():
            return self.critic(digits).numpy()

    def descend(self, cells: Cells, scale: NDArray[np.float64], rates: Rates) -> tuple[float, ...]:
        """A gradient step for every minibatch; returns objective, entropy and value loss per
        sample of the last."""
        told: list[torch.Tensor] = []
        for b in np.flatnonzero(cells.size).tolist():
            digits = cells.digits[cells.met[b, : cells.found[b]]]
            logits, values = self.actor(digits), self.critic(digits)
            loss, *told = ppo_loss(logits, values, cells, b, scale, self.config, rates.entropy)
            loss.backward()  # type: ignore[no-untyped-call]
            self.actor.move(rates.learning)
            self.critic.move(rates.learning)
        return tuple(x.item() for x in told)

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters and Adam's moments of both networks."""
        return named(actor=self.actor.state(), critic=self.critic.state())

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.actor.load(part(state, "actor"))
        self.critic.load(part(state, "critic"))
