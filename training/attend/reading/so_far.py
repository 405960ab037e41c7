"""What the rules of verdicts say of an arm as it is now: its repetitions as they were saved last.

It is no result. Measures are means over the last evaluation points, as they are at the end of
training, of repetitions that still learn. Probes that need all seeds together are left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from math import isfinite
from typing import Any

from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.registry import CONTROLS
from tacit.emergence.verdict import DISCLAIMER
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import arm_in_force
from tacit.training.outcome.final_measures import end_figures, final_measures
from tacit.training.outcome.judging import judge
from tacit.training.outcome.probing import Record, population_of, probe_seed
from tacit.training.outcome.summary import arm_summary
from tacit.training.runs.branches import trips_of
from tacit.training.runs.partial import NAME, take_apart
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import put_into
from tacit.training.storage.run_folder import RunFolder

MOST_SECONDS = 6.0  # after which no further repetition is probed


def verdict_so_far(run: RunFolder, arms: Mapping[str, Arm], name: str) -> dict[str, Any]:
    """The verdicts on an arm as of its last saves.

    Arms that are finished stand beside it, as controls and references.

    Args:
        run: the run.
        arms: all of the run.
        name: of the arm.

    Returns:
        `verdicts` as a summary holds them; `seeds` that were probed, `of` how many; `rounds`: the
        fewest and the most rounds that they have played; `left_out`: probes that need the end;
        `disclaimer`.

    Raises:
        ConfigError: no repetition of the arm has come to an evaluation point.
    """
    began, records = time.monotonic(), list[Record]()
    arm = arms[name]
    for k in range(arm.seeds):
        if records and time.monotonic() - began > MOST_SECONDS:
            break
        record = record_so_far(run, arm, k)
        if record is not None:
            records.append(record)
    if not records:
        raise ConfigError(f"verdict: no seed of arm {name} has come to an evaluation point yet.")
    summaries = {name: arm_summary("so far", arm, records)}
    for other, its in arms.items():
        finished = [checkpoint.read_record(run.checkpoint(other, k)) for k in range(its.seeds)]
        if other != name and all(finished):
            summaries[other] = arm_summary("so far", its, [r for r in finished if r is not None])
    judge({other: its for other, its in arms.items() if other in summaries}, summaries)
    rounds = [int(record["rounds"]) for record in records]
    return {
        "arm": name,
        "verdicts": summaries[name]["verdicts"],
        "seeds": len(records),
        "of": arm.seeds,
        "rounds": [min(rounds), max(rounds)],
        "left_out": [n for n, control in CONTROLS.items() if control.applies(arm.market, arm.kpi)],
        "disclaimer": DISCLAIMER,
    }


def record_so_far(run: RunFolder, arm: Arm, k: int) -> Record | None:
    """The record that repetition k of an arm would have if it had ended with its last save; that of
    its checkpoint if it is finished; None where it has come to no evaluation point.

    Raises:
        ConfigError: what is saved does not fit the arm.
    """
    record = checkpoint.read_record(run.checkpoint(arm.name, k))
    if record is not None and "probes" in record:
        return record
    path = run.inside(arm.name, f"s{k}", NAME)
    if checkpoint.read_record(path) is None:
        return None
    arrays, record = checkpoint.load(path)
    if not arm.same(record.get("arm", {})):
        raise ConfigError(f"{path}: is of another configuration than arm {arm.name}.")
    saved = take_apart(arrays, path)
    if not saved.points:
        return None
    own = arm_in_force(arm, trips_of(record.get("breakers", {})))
    group = own.group(k)
    put_into(group, arrays, path)
    population = None if own.live else population_of(own, k, group)
    settled = None if population is None else limit_path(population)
    measures = named_measures(
        own.market, final_measures(group, settled, saved.points, arm.train.measure_last)
    )
    figures = measures | end_figures(group, settled)
    trips = {"trips": record["breakers"]["trips"]} if record.get("breakers") else {}
    return {
        "seed": arm.seed + k,
        "rounds": int(record["rounds"]),
        "agent_steps": 0,
        "seconds": 0.0,
        "measures": {each: x if isfinite(x) else None for each, x in figures.items()},
        "probes": {} if population is None else probe_seed(population),
        **({"training_curve": curve} if (curve := record.get("training_curve")) else {}),
        **trips,
    }
