"""Agents that run code or send requests of somebody else's: never without being told to.

A config or a run folder can come from anywhere. What it names is shown, and is neither imported
nor executed nor called by any command but `tacit train --trust-agents`, `tacit tabulate` and
`tacit exam`, whose user names it.
"""

from __future__ import annotations

from tacit.agents.external.config import what_it_runs
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Experiment


def outside_agents(experiment: Experiment) -> dict[str, list[str]]:
    """What the agents of an experiment would have run or called: where each of it stands."""
    found: dict[str, list[str]] = {}
    for arm in experiment.arms.values():
        for seat, config in arm.agents.items():
            if (what := what_it_runs(config)) is not None:
                found.setdefault(what, []).append(f"{arm.name}.agents.{seat}")
    return found


def would_run(experiment: Experiment) -> list[str]:
    """A line for everything that the agents of an experiment would have run or called."""
    return [
        f"{places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}: would run {what}."
        for what, places in outside_agents(experiment).items()
    ]


def check_no_outside_agents(experiment: Experiment) -> None:
    """Whether all agents of an experiment are tacit's own, or tables.

    Raises:
        ConfigError: some would run or call something else; all of it is named, nothing was run.
    """
    lines = would_run(experiment)
    if lines:
        raise ConfigError(
            [
                *lines,
                "agents: nothing was run. If you trust all of this: tacit train CONFIG "
                "--trust-agents, which makes policy files of it; or tacit tabulate.",
            ]
        )
