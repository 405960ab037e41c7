"""Keys of neural learners. (No torch here: `--help` and `list` read this.)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.agents.tabular.config import Rate, Share
from tacit.envs.errors import ConfigError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
MAX_HEADS = 8  # value heads of a critic: one for every term of the seat's KPI


class BatchConfig(BaseModel):
    """What learners have in common whose policy stands still between two updates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: Positive = Field(1e-3, description="of Adam")
    learning_rate_end: Rate | None = Field(
        None, description="what it falls to, linearly over training; null: it stays"
    )
    discount: Annotated[float, Field(ge=0, lt=1)] = Field(0.95, description="factor per round")
    rounds_per_update: Count = Field(
        128, description="rounds per copy that policies stand still; one for all learners of a run"
    )


class NeuralConfig(BatchConfig):
    """What all learners with networks of our own have in common."""

    hidden: tuple[Count, ...] = Field((64, 64), description="widths of the hidden layers")
    activation: Literal["tanh", "relu"] = Field("tanh", description="of the hidden layers")
    encoding: Literal["digits", "observation"] = Field(
        "digits", description="ones for every part of an observation, or one for it as a whole"
    )
    max_gradient: Rate = Field(0.5, description="largest norm of a network's gradient; 0: any")
    adam_betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (
        Field((0.9, 0.999), description="of Adam")
    )
    adam_epsilon: Positive = Field(1e-5, description="of Adam")
    engine: Literal["compiled", "torch"] = Field(
        "compiled", description="compiled passes, or PyTorch's autograd over the table"
    )
    precision: Literal["float32", "float64"] = Field("float32", description="of the networks")


class IppoConfig(NeuralConfig):
    """Independent PPO: own actor and critic per seat and seed."""

    name: Literal["ippo"] = "ippo"
    gae_lambda: Share = Field(0.95, description="lambda of generalised advantage estimation")
    clip: Positive = Field(0.2, description="how far the ratio of probabilities counts")
    entropy: Rate = Field(0.01, description="weight of the policy's entropy")
    entropy_end: Rate | None = Field(
        None, description="what it falls to, linearly over training; null: it stays"
    )
    value_weight: Positive = Field(0.5, description="weight of the critic's loss")
    epochs: Count = Field(4, description="passes over the samples of an update")
    minibatches: Annotated[int, Field(ge=1, le=64)] = Field(4, description="parts of a pass")
    normalise_advantages: bool = Field(
        True, description="to mean 0 and deviation 1, once per update"
    )
    average_from: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None,
        description="report the mean policy of the updates after this share of training",
    )


class IdqnConfig(NeuralConfig):
    """Independent double DQN with replay and a target network."""

    name: Literal["idqn"] = "idqn"
    epsilon: Share = Field(1.0, description="share of random actions at t = 0")
    epsilon_decay: Rate = Field(2e-5, description="epsilon exp(-epsilon_decay t), t in rounds")
    epsilon_min: Share = Field(0.01, description="floor of epsilon")
    replay: Count = Field(100_000, description="samples that are kept")
    batch: Count = Field(256, description="samples of a gradient step")
    steps: Count = Field(16, description="gradient steps per update")
    sampling: Literal["uniform", "latest"] = Field(
        "uniform", description="from all that is kept, or the latest first"
    )
    target_every: Count = Field(64, description="gradient steps between copies into the target")

    @model_validator(mode="after")
    def _fits(self) -> IdqnConfig:
        if self.epsilon_min > self.epsilon:
            raise ValueError(f"epsilon_min {self.epsilon_min} is above epsilon {self.epsilon}")
        if self.batch > self.replay:
            raise ValueError(f"batch {self.batch} is above replay {self.replay}")
        return self


class Clock(NamedTuple):
    """When an update takes place: rounds per copy so far, those of its batch, those in all."""

    rounds: int
    batch: int
    total: int

    @property
    def progress(self) -> float:
        """Share of training that was done when the batch began."""
        return min(1.0, (self.rounds - self.batch) / max(1, self.total))


def schedule(start: float, end: float | None, progress: float) -> float:
    """A rate that goes linearly from start to end over training; constant without an end."""
    return start if end is None else start + (end - start) * progress


def annealed(configs: Mapping[str, BaseModel]) -> str:
    """Which of the agents' keys change with the share of training that is done; '' if none."""
    found = [
        f"agents.{seat}.{key}"
        for seat, config in configs.items()
        for key in ("learning_rate_end", "entropy_end", "average_from")
        if getattr(config, key, None) is not None
    ]
    return ", ".join(found)


def batch_rounds(configs: Mapping[str, BaseModel]) -> int:
    """Rounds between two updates: one number for all networks of a run; 1 without any.

    Raises:
        ConfigError: they differ.
    """
    own = {n: c.rounds_per_update for n, c in configs.items() if isinstance(c, BatchConfig)}
    if len(set(own.values())) > 1:
        told = ", ".join(f"{name} {rounds}" for name, rounds in own.items())
        raise ConfigError(f"agents: rounds_per_update must be the same for all networks: {told}.")
    return next(iter(own.values()), 1)


def too_many_heads(seat: str, terms: int) -> str:
    """What is told of a KPI with more terms than a critic has heads."""
    return (
        f"kpi.{seat}: {terms} terms; ippo has a value head for each, and at most {MAX_HEADS}. "
        "Drop some, or use idqn or q_learning in this seat."
    )


def check_batches(
    table: Mapping[str, Mapping[str, object]], configs: Mapping[str, BaseModel], rounds: int
) -> None:
    """Whether learners of a run can learn from this KPI, and within so many rounds.

    Raises:
        ConfigError: all mistakes.
    """
    mistakes = [
        too_many_heads(seat, len(table[seat]))
        for seat, config in configs.items()
        if isinstance(config, IppoConfig) and len(table[seat]) > MAX_HEADS
    ]
    batch = max(
        (c.rounds_per_update for c in configs.values() if isinstance(c, BatchConfig)), default=0
    )
    if rounds < batch:
        mistakes.append(
            f"train.rounds: must be at least the agents' rounds_per_update ({batch}), got "
            f"{rounds}: nothing would be learned."
        )
    if mistakes:
        raise ConfigError(mistakes)
