"""Keys of learners from Stable-Baselines3. (No torch here: `--help` and `list` read this.)"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tacit.agents.batch.config import BatchConfig
from tacit.envs.errors import nearest
from tacit.envs.types import Count, Positive, Share

ALGORITHMS = ("PPO", "A2C", "DQN")
CONTINUOUS = ("SAC", "TD3", "DDPG")  # they have no discrete actions


class Sb3Config(BatchConfig):
    """An algorithm of Stable-Baselines3, on policy tables; see `agents/sb3/learner.py`."""

    name: Literal["sb3"] = "sb3"
    algorithm: str = Field("PPO", description="PPO, A2C or DQN")
    learning_rate: Positive = Field(3e-4, description="of its optimiser")
    gae_lambda: Share = Field(0.95, description="lambda of advantages (PPO, A2C)")
    steps: Count = Field(16, description="gradient steps per update (DQN)")
    kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="more keyword arguments of its class, such as n_epochs or policy_kwargs",
    )

    @field_validator("algorithm")
    @classmethod
    def _known(cls, name: str) -> str:
        if name in CONTINUOUS:
            raise ValueError(
                f"{name} has continuous actions, a market's are discrete. One of: "
                f"{', '.join(ALGORITHMS)}."
            )
        if name not in ALGORITHMS:
            raise ValueError(
                f"unknown class '{name}' of Stable-Baselines3. {nearest(name, ALGORITHMS)}"
            )
        return name
