"""A repetition as its last save, or its checkpoint, holds it.

A save is written every few seconds, at once when the repetition is held, and at every trip of a
breaker. So what is read here belongs to one moment, which `rounds` names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from tacit.envs.errors import ConfigError
from tacit.oversight.breakers import CLEAN, Streak
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import Trip, arm_in_force
from tacit.training.outcome.final_measures import Points
from tacit.training.runs.branches import Branch, branches_in, trips_of
from tacit.training.runs.partial import KEYFRAMES, NAME, POINTS
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import file_name
from tacit.training.storage.run_folder import RunFolder


@dataclass(frozen=True)
class SavedSeed:
    """A repetition at the moment of its last save.

    Attributes:
        arm: with the market and the KPI that were in force.
        k: which repetition.
        rounds: played then, per copy.
        is_finished: whether training is over.
        points: evaluation points on the way there: the rounds that each covers, and mean measures,
            float64 `[S + 1, M]`; empty of a finished one.
        measures: of a finished one, by the names of a summary; else empty.
        curve: figures of quick probes along training.
        trips: of breakers, in order.
        streaks: readings outside, by breaker.
        paused: the breaker that holds it; None: none does.
        branches: all so far, by number; the last one is the present one.
        left: readings of branches that were left, as the record keeps them.
        kept: rounds of kept states by branch, ascending.
        arm_means: of breakers with `scope: arm`, the mean over seeds that was judged last.
    """

    arm: Arm
    k: int
    rounds: int
    is_finished: bool
    points: Points
    measures: Mapping[str, float | None]
    curve: Mapping[str, Any]
    trips: list[Trip]
    streaks: Mapping[str, Streak]
    paused: str | None
    branches: list[Branch]
    left: list[Mapping[str, Any]]
    kept: Mapping[int, list[int]]
    arm_means: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the run's socket calls it."""
        return f"{self.arm.name}/s{self.k}"

    @property
    def read_at(self) -> int:
        """Rounds played at the last evaluation point."""
        if self.is_finished:
            return self.rounds
        return self.arm.first_round + sum(count for count, _ in self.points)


def saved_seed(run: RunFolder, arm: Arm, k: int) -> SavedSeed | None:
    """Repetition k of an arm as it was saved last; None where nothing is saved.

    Args:
        run: the run.
        arm: as it was configured.
        k: the repetition.

    Raises:
        ConfigError: what is saved is not of this arm, or cannot be read.
    """
    path, record = _record(run, arm, k)
    if record is None:
        return None
    if not arm.same(record.get("arm", {})):
        raise ConfigError(f"{path}: is of another configuration than arm {arm.name}.")
    is_finished = path.name != NAME
    saved = record if is_finished else record.get("breakers", {})
    trips = trips_of(saved)
    branches = branches_in(trips, arm, path)
    try:
        streaks = saved.get("streaks", {})
        return SavedSeed(
            arm_in_force(arm, trips), k, int(record["rounds"]), is_finished,
            [] if is_finished else _points(path),
            dict(record["measures"]) if is_finished else {},
            dict(record.get("training_curve", {})), trips,
            {name: Streak(*streaks.get(name, CLEAN)) for name in arm.breakers},
            saved.get("paused"), branches, list(saved.get("left", [])),
            dict(_kept(path.parent, branches, None if is_finished else path)),
            dict(saved.get("arm_points" if is_finished else "arm", {}).get("last", {})),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error!r}).") from None


def save_stamp(run: RunFolder, arm: str, k: int) -> tuple[int, ...]:
    """What changes whenever a repetition is saved or finished."""
    found: list[int] = []
    for path in (run.inside(arm, f"s{k}", NAME), run.checkpoint(arm, k)):
        try:
            about = path.with_suffix(".json").stat()
            found += [about.st_mtime_ns, about.st_size, about.st_ino]
        except OSError:
            found.append(0)
    return tuple(found)


def _record(run: RunFolder, arm: Arm, k: int) -> tuple[Path, dict[str, Any] | None]:
    """The checkpoint's record if there is one, else the save's."""
    path = run.checkpoint(arm.name, k)
    record = checkpoint.read_record(path)
    if record is not None:
        return path, record
    path = run.inside(arm.name, f"s{k}", NAME)
    return path, checkpoint.read_record(path)


def _points(path: Path) -> Points:
    """The evaluation points in a save."""
    try:
        with safe_open(path, "np") as arrays:
            rounds, measures = (arrays.get_tensor(name) for name in POINTS)
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from None
    return [(int(n), np.asarray(own)) for n, own in zip(rounds, measures, strict=True)]


def _kept(
    folder: Path, branches: list[Branch], save: Path | None
) -> Iterator[tuple[int, list[int]]]:
    """Rounds of the kept states of every branch; of one under way they are in the save."""
    for branch in branches:
        is_under_way = branch.number == len(branches) - 1 and save is not None
        path = save if save is not None and is_under_way else folder / file_name(branch.number)
        prefix = KEYFRAMES if is_under_way else ""
        try:
            with safe_open(path, "np") as arrays:
                every = list(arrays.keys())
            names = [name.removeprefix(prefix) for name in every if name.startswith(prefix)]
        except (SafetensorError, OSError):
            names = []
        yield branch.number, sorted({int(name.partition("/")[0]) for name in names})
