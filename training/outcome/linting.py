"""Lint of an arm: the arm as `tacit.oversight.lint` takes it.

As a program it reads an arm as JSON from standard input, `{"name": ..., "plain": ...}`, and prints
the known ways to game its objectives as a list: lint of a larger game takes long, and a process can
be given up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tacit.agents.fixed import fixed_policy
from tacit.envs.errors import ConfigError
from tacit.envs.plugins import hand_over, load_plugins
from tacit.oversight.lint import ArmReport, known_ways, lint
from tacit.training.config.arms import Arm, arm_from_plain

SECONDS = 10.0  # that a preview may take


def lint_arm(arm: Arm) -> ArmReport:
    """What lint says of an arm; seats that do not learn keep to their scripts and files.

    Raises:
        ConfigError: the rule or the policy file of a seat does not fit it.
    """
    scripts = [fixed_policy(arm.agents[seat.name], arm.market, seat) for seat in arm.market.seats]
    return lint(arm.name, arm.market, arm.kpi, arm.learned, scripts, arm.discounts)


def preview(arm: Arm, seconds: float = SECONDS) -> list[str]:
    """Known ways to game the objectives of an arm, or why they were not looked for.

    Args:
        arm: the arm.
        seconds: that it may take.
    """
    words = [sys.executable, "-P", "-m", "tacit.training.outcome.linting"]
    text = json.dumps({"name": arm.name, "plain": arm.plain})
    try:
        done = subprocess.run(
            words, input=text, capture_output=True, text=True, timeout=seconds, check=True,
            env={**os.environ, **hand_over()},
        )  # fmt: skip
        return [str(line) for line in json.loads(done.stdout)]
    except subprocess.TimeoutExpired:
        return [f"not examined, because lint takes more than {seconds:g} seconds here"]
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        return [f"not examined, because lint has failed ({type(error).__name__})"]


def main() -> None:
    """Lint the arm that standard input holds."""
    load_plugins()
    asked = json.load(sys.stdin)
    try:
        lines = known_ways(lint_arm(arm_from_plain(asked["name"], asked["plain"])))
    except ConfigError as error:
        lines = [f"not examined, because {line}" for line in error.mistakes]
    json.dump(lines, sys.stdout)


if __name__ == "__main__":
    main()
