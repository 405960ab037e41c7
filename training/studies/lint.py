"""Lint of an experiment's arms: an arm as `tacit.oversight.lint` takes it."""

from __future__ import annotations

from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.oversight.lint import ArmReport, lint
from tacit.training.config.arms import Arm


def lint_arm(arm: Arm) -> ArmReport:
    """What lint says of an arm; its scripted seats keep to their scripts.

    Raises:
        ConfigError: the rule of a scripted seat does not fit it.
    """
    scripts: list[PolicyTable | None] = []
    for seat in arm.market.seats:
        config = arm.agents[seat.name]
        if isinstance(config, ScriptedConfig):
            scripts.append(Scripted(config, arm.market, seat).table())
        else:
            scripts.append(None)
    return lint(arm.name, arm.market, arm.kpi, arm.learned, scripts, arm.discounts)
