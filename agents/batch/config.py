"""Keys that all learners share whose policies stay fixed between two updates, and their schedule.

(No torch here: `--help` and `list` read this.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.errors import ConfigError
from tacit.envs.types import Count, NonNegative, Positive

# Keys of learners whose values change with the share of training that is done.
ANNEALED = ("learning_rate_end", "entropy_end", "average_from")


class BatchConfig(BaseModel):
    """Keys of every learner whose policy stays fixed between two updates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: Positive = Field(1e-3, description="of Adam")
    learning_rate_end: NonNegative | None = Field(
        None, description="what it falls to, linearly over training; null: it stays"
    )
    discount: Annotated[float, Field(ge=0, lt=1)] = Field(0.95, description="factor per round")
    rounds_per_update: Count = Field(
        128, description="rounds per copy that policies stay fixed; one for all learners of a run"
    )


class Clock(NamedTuple):
    """When an update takes place.

    Attributes:
        rounds: rounds per copy since training began.
        batch: rounds per copy of the batch that is learned from.
        total: rounds per copy of the whole training.
    """

    rounds: int
    batch: int
    total: int

    @property
    def progress(self) -> float:
        """Share of training that was done when the batch began, 0 .. 1."""
        return min(1.0, (self.rounds - self.batch) / max(1, self.total))


def schedule(start: float, end: float | None, progress: float) -> float:
    """A rate that goes linearly from start to end over training; constant without an end."""
    return start if end is None else start + (end - start) * progress


def annealed(configs: Mapping[str, BaseModel]) -> str:
    """Which of the agents' keys change with the share of training that is done; '' if none."""
    found = [
        f"agents.{seat}.{key}"
        for seat, config in configs.items()
        for key in ANNEALED
        if getattr(config, key, None) is not None
    ]
    return ", ".join(found)


def batch_rounds(configs: Mapping[str, BaseModel]) -> int:
    """Rounds between two updates: one number for all such learners of a run; 1 without any.

    Raises:
        ConfigError: they differ.
    """
    own = {n: c.rounds_per_update for n, c in configs.items() if isinstance(c, BatchConfig)}
    if len(set(own.values())) > 1:
        found = ", ".join(f"{name} {rounds}" for name, rounds in own.items())
        raise ConfigError(f"agents: rounds_per_update must be the same for all networks: {found}.")
    return next(iter(own.values()), 1)
