"""Agents that do not learn: their policy is fixed before a run begins."""

from __future__ import annotations

from pydantic import BaseModel

from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

from .external.config import ChatConfig, ExternalConfig, is_live, what_it_runs
from .external.fixed_seat import FixedSeat
from .external.table_agent import TableConfig
from .policy import PolicyTable
from .prior.config import PriorConfig
from .scripted import Scripted, ScriptedConfig


def fixed_policy(config: BaseModel | None, market: Market, seat: Seat) -> PolicyTable | None:
    """The policy of a seat whose agent does not learn, float64 `[O, A]`; None: it learns.

    Raises:
        ConfigError: a rule, a policy file or a prior that does not fit the seat; or an agent from
            outside, whose policy nobody knows before it is asked. Nothing of it is run here.
    """
    if isinstance(config, ScriptedConfig):
        return Scripted(config, market, seat).table()
    if isinstance(config, TableConfig | PriorConfig):
        return config.policy(market, seat)
    if isinstance(config, FixedSeat):
        return config.table
    if (what := what_it_runs(config)) is not None:
        if is_live(config):
            raise ConfigError(
                f"agents.{seat.name}: does not apply: this agent is live ({what}): it answers "
                "while others learn, and its policy is not known."
            )
        raise ConfigError(
            f"agents.{seat.name}: {what}: its policy is not known, and nothing was run. Make a "
            "policy file of it (tacit tabulate), or train with --trust-agents."
        )
    return None


def learns(config: BaseModel) -> bool:
    """Whether an agent learns."""
    fixed = ScriptedConfig | TableConfig | PriorConfig | FixedSeat | ExternalConfig | ChatConfig
    return not isinstance(config, fixed)
