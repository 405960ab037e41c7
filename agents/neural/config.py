"""Keys of learners with networks of tacit's own. (No torch here: `--help` and `list` read this.)"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from tacit.agents.anchor import AnchorConfig, Anchored
from tacit.agents.batch.config import BatchConfig
from tacit.envs.errors import InvalidKey
from tacit.envs.market import Market, Seat
from tacit.envs.types import Count, NonNegative, Positive, Share

MAX_HEADS = 8  # value heads of a critic: one for every term of the seat's KPI


class NeuralConfig(BatchConfig):
    """Keys that PPO and DQN have in common."""

    hidden: tuple[Count, ...] = Field((64, 64), description="widths of the hidden layers")
    activation: Literal["tanh", "relu"] = Field("tanh", description="of the hidden layers")
    encoding: Literal["digits", "observation"] = Field(
        "digits", description="ones for every part of an observation, or one for it as a whole"
    )
    max_gradient: NonNegative = Field(
        0.5, description="largest norm of a network's gradient; 0: any"
    )
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
    entropy: NonNegative = Field(0.01, description="weight of the policy's entropy")
    entropy_end: NonNegative | None = Field(
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
    anchor: AnchorConfig | None = Field(
        None, description="{policy, weight, floor}: hold the policy to a prior"
    )

    @property
    def anchor_weight(self) -> float:
        """Of the divergence from the prior, in units of the KPI; 0 without an anchor."""
        return 0.0 if self.anchor is None else float(self.anchor.weight)

    def bound(self, market: Market, seat: Seat) -> IppoConfig:
        """The same with the hash of the prior's table.

        Raises:
            ConfigError: as `AnchorConfig.prior`.
        """
        anchor = self.anchor and self.anchor.bound(market, seat)
        return self.model_copy(update={"anchor": anchor})


class IdqnConfig(NeuralConfig):
    """Independent double DQN with replay and a target network."""

    name: Literal["idqn"] = "idqn"
    epsilon: Share = Field(1.0, description="share of random actions at t = 0")
    epsilon_decay: NonNegative = Field(
        2e-5, description="epsilon exp(-epsilon_decay t), t in rounds"
    )
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
            raise InvalidKey(
                "epsilon_min",
                f"must be at most epsilon ({self.epsilon:g}), got {self.epsilon_min:g}.",
            )
        if self.batch > self.replay:
            raise InvalidKey("batch", f"must be at most replay ({self.replay}), got {self.batch}.")
        return self


def too_many_heads(seat: str, terms: int) -> str:
    """The message about a KPI with more terms than a critic has heads."""
    return (
        f"kpi.{seat}: {terms} terms; ippo has a value head for each, and at most {MAX_HEADS}. "
        "Drop some, or use idqn or q_learning in this seat."
    )


def anchored(config: BaseModel, market: Market, seat: Seat) -> Anchored:
    """To what prior an agent is held in a seat; to none if it has no anchor.

    Raises:
        ConfigError: as `AnchorConfig.prior`.
    """
    if not isinstance(config, IppoConfig) or config.anchor is None:
        return Anchored()
    return Anchored(config.anchor.prior(market, seat), config.anchor_weight)
