"""Lint of an experiment's arms: what cards keep."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.envs.errors import ConfigError
from tacit.oversight.lint import known_ways
from tacit.training.config.arms import Arm
from tacit.training.outcome.linting import lint_arm


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
