"""Agents that run code or send requests of somebody else's: never without being told to.

A config or a run folder can come from anywhere. What it names is shown, and is neither imported
nor executed nor called by any command but `tacit train`, `sweep` and `resume` with
`--trust-agents`, and `tacit tabulate` and `tacit exam`, whose user names it.
"""

from __future__ import annotations

from tacit.agents.external.config import is_live, what_it_runs
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Experiment


def outside_agents(experiment: Experiment, live: bool = True) -> dict[str, list[str]]:
    """What the agents of an experiment would have run or called: where each of it stands; `live`:
    as of `would_run`."""
    found: dict[str, list[str]] = {}
    for arm in experiment.arms.values():
        for seat, config in arm.agents.items():
            if (what := what_it_runs(config)) is not None and (live or not is_live(config)):
                found.setdefault(what, []).append(f"{arm.name}.agents.{seat}")
    return found


def would_run(experiment: Experiment, live: bool = True) -> list[str]:
    """A line for everything that the agents of an experiment would have run or called.

    `live`: those that answer while others learn, too; False: only those that are asked beforehand.
    """
    return [
        f"{places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}: would run {what}."
        for what, places in outside_agents(experiment, live).items()
    ]


ADVICE = (
    "tacit train CONFIG --trust-agents, which makes policy files of it (and asks live agents in "
    "every round); or tacit tabulate"
)
SWEEP_ADVICE = (
    "tacit sweep ... --trust-agents, which asks it once and makes policy files; or tacit tabulate"
)


def check_no_outside_agents(
    experiment: Experiment, live: bool = True, advice: str = ADVICE
) -> None:
    """Whether all agents of an experiment are tacit's own, or tables.

    Args:
        experiment: the experiment.
        live: whether agents that answer while others learn count, too.
        advice: what somebody may do who trusts them.

    Raises:
        ConfigError: some would run or call something else; all of it is named, nothing was run.
    """
    lines = would_run(experiment, live)
    if lines:
        raise ConfigError([*lines, f"agents: nothing was run. If you trust all of this: {advice}."])
