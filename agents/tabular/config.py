"""Keys of tabular Q-learning. Its rounds are played in `tacit.agents.tabular.q_learning_loop`.

    Q(o, a) <- Q(o, a) + alpha [ R + discount^k max_a' Q(o', a') - Q(o, a) ]

where o' is the seat's next own decision, k rounds later, and R the reward until then: its plain sum
or, with `rewards_between: discounted`, sum_{j<k} discount^j r_j.

Source: Watkins, Dayan, Machine Learning 8, 1992; the options are those of Calvano, Calzolari,
Denicolo, Pastorello, AER 110(10), 2020 (exponential exploration, `rival_uniform`, stopping rule),
Asker, Fershtman, Pakes, AEA P&P 112, 2022 (synchronous updates), Banchio, Skrzypacz, EC 2022, and
Klein, RAND Journal of Economics 52(3), 2021 (rewards between two decisions, as in semi-Markov
decision processes: Bradtke, Duff, NIPS 7, 1994).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.errors import ConfigError, InvalidKey
from tacit.envs.market import Market
from tacit.envs.types import Count, Finite, NonNegative, Positive, Share

from .multiplicative_weights import MultiplicativeWeightsConfig


class QLearningConfig(BaseModel):
    """Keys of a Q-learner; t counts rounds since the start of training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["q_learning"] = "q_learning"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="alpha")
    discount: Annotated[float, Field(ge=0, lt=1)] = Field(0.95, description="factor per round")
    update: Literal["asynchronous", "synchronous"] = Field(
        "asynchronous",
        description="the action taken, or all own actions against the rivals' actual ones",
    )
    exploration: Literal["exponential", "constant", "boltzmann", "none"] = Field(
        "exponential", description="how it tries other actions"
    )
    epsilon: Share = Field(1.0, description="share of random actions at t = 0")
    epsilon_decay: NonNegative = Field(2e-5, description="epsilon exp(-epsilon_decay t)")
    epsilon_min: Share = Field(0.0, description="floor of epsilon")
    temperature: Positive = Field(1.0, description="of boltzmann at t = 0")
    temperature_decay: NonNegative = Field(0.0, description="temperature exp(-temperature_decay t)")
    initial_q: Literal["rival_uniform"] | Finite | tuple[Finite, Finite] = Field(
        "rival_uniform",
        description="discounted payoff against uniformly random rivals, a number, or [lo, hi]",
    )
    rewards_between: Literal["summed", "discounted"] = Field(
        "summed", description="until the next own decision: a plain sum, or discounted by round"
    )
    tie_break: Literal["first", "random"] = Field("first", description="among equal Q")
    stop_after: Count | None = Field(
        None, description="stop once all greedy policies are unchanged for so many rounds"
    )

    @model_validator(mode="after")
    def _ordered(self) -> QLearningConfig:
        if isinstance(self.initial_q, tuple) and self.initial_q[0] > self.initial_q[1]:
            message = f"low must not be above high, got {list(self.initial_q)}."
            raise InvalidKey("initial_q", message)
        if self.epsilon_min > self.epsilon:
            message = f"must be at most epsilon ({self.epsilon:g}), got {self.epsilon_min:g}."
            raise InvalidKey("epsilon_min", message)
        return self


# Agents that learn a table after every round, in the compiled loops of this folder.
TABULAR = (QLearningConfig, MultiplicativeWeightsConfig)


def check_synchronous(market: Market, configs: Mapping[str, BaseModel]) -> None:
    """Synchronous updates replay a round with every own action: only for markets of one phase.

    Raises:
        ConfigError: a seat's agent makes them, and the market has several phases.
    """
    if len(market.phases) == 1:
        return
    for name, config in configs.items():
        if isinstance(config, MultiplicativeWeightsConfig):
            who = f"agents.{name}: {config.name}"
        elif isinstance(config, QLearningConfig) and config.update == "synchronous":
            who = f"agents.{name}.update: synchronous"
        else:
            continue
        phases = ", ".join(market.phases)
        raise ConfigError(f"{who} needs a market of one phase; {market.name} has {phases} here.")
