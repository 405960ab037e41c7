"""Lint of an experiment's arms: an arm as `tacit.oversight.lint` takes it, and what cards keep."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.oversight.lint import ArmReport, known_ways, lint
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


def ways_to_game(arms: Mapping[str, Arm]) -> dict[str, list[str]]:
    """Known ways to game the objectives of arms, by the arm's name, as incentive cards hold them.

    Args:
        arms: whose; each takes up to some seconds.
    """
    found = {}
    for name, arm in arms.items():
        try:
            found[name] = known_ways(lint_arm(arm))
        except ConfigError as error:
            found[name] = [f"not examined: {line}" for line in error.mistakes]
    return found
