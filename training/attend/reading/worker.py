"""A process that looks into a run's folder for the page: one line of JSON in, one out.

    {"look": "deals", "arm": "second_1", "seed": 0}     {"found": {"round": 120031, "deals": [...]}}

What takes seconds is done here, so that the page goes on meanwhile, and can end it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import load_plugins
from tacit.training.config.arms import Arm
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

from .last_deals import last_deals, why
from .so_far import verdict_so_far

PATIENT = 10  # added to the process's niceness: training goes first


def look(run: RunFolder, arms: Mapping[str, Arm], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """One look into a run.

    Args:
        run: the run.
        arms: all of it.
        wanted: `look`, `arm`, `seed`, and what belongs to them (`training/attend/looks.py`).

    Raises:
        ConfigError: there is no such arm or seed, or it cannot be told.
    """
    arm, k = arms.get(wanted["arm"]), int(wanted["seed"])
    if arm is None or not 0 <= k < arm.seeds:
        raise ConfigError(f"look: there is no seed {k} of an arm {wanted['arm']!r}.")
    if wanted["look"] == "deals":
        return last_deals(run, arm, k, int(wanted["count"]))
    if wanted["look"] == "why":
        return why(run, arm, wanted["deal"])
    return verdict_so_far(run, arms, arm.name)


def main(folder: str) -> None:
    """Answer until the input ends."""
    load_plugins()
    run = RunFolder(Path(folder))
    arms = read_experiment(run).arms
    with suppress(OSError):
        os.nice(PATIENT)
    _tell({"ready": True})
    for line in sys.stdin:
        try:
            _tell({"found": look(run, arms, json.loads(line))})
        except ConfigError as error:
            _tell({"mistakes": error.mistakes})


def _tell(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
