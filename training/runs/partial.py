"""A seed on its way: saved now and then, and when it is stopped, so that it goes on bit for bit.

`partial.safetensors` beside it holds the group's whole state and the points read so far, its record
where the event file ended then. It is removed once the seed's checkpoint stands.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats
from tacit.training.config.arms import Arm

from . import checkpoint
from .machine import machine
from .training_curve import SeedCurve

NAME = "partial.safetensors"
EVERY = 5.0  # seconds between two saves, at evaluation points
POINTS = ("points.rounds", "points.measures")

Points = list[tuple[int, Floats]]


class Partial(NamedTuple):
    """Where a seed was cut.

    Attributes:
        points: evaluation points read: the round, and mean measures float64 `[S + 1, M]`.
        curve: figures along the way.
        seconds: worked so far.
        events: bytes of its event file, by name.
    """

    points: Points
    curve: SeedCurve
    seconds: float
    events: dict[str, int]


class Saver:
    """Saves a seed that is on its way."""

    def __init__(self, folder: Path, arm: Arm, k: int) -> None:
        self.path, self.arm, self.seed = folder / NAME, arm, arm.seed + k
        self._last = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._last >= EVERY

    def save(self, group: Group, partial: Partial) -> None:
        """Write everything that the seed needs to go on from here."""
        rounds, measures = zip(*partial.points, strict=True) if partial.points else ((), ())
        arrays = group.state() | {
            "points.rounds": np.array(rounds, np.int64),
            "points.measures": np.array(measures, np.float64),
        }
        record = {
            "arm": self.arm.plain, "seed": self.seed, "rounds": group.rounds,
            "training_curve": partial.curve, "seconds": partial.seconds, "events": partial.events,
            "machine": machine(),
        }  # fmt: skip
        checkpoint.save(self.path, arrays, record)
        self._last = time.monotonic()

    def load(self, group: Group) -> Partial | None:
        """Put the group where it was saved; None where there is nothing to go on from.

        Raises:
            ConfigError: it was saved by another version or for another configuration.
        """
        record = checkpoint.finished(self.path)
        if record is None:
            return None
        check(record, self.arm, self.path)
        arrays, _ = checkpoint.load(self.path)
        rounds, measures = (arrays.pop(name) for name in POINTS)
        group.load(arrays)
        points = [(int(n), m) for n, m in zip(rounds, measures, strict=True)]
        seconds, events = float(record["seconds"]), dict(record["events"])
        return Partial(points, record["training_curve"], seconds, events)

    def clear(self) -> None:
        """The seed is finished: what led there is not needed any more."""
        self.path.with_suffix(".json").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def check(record: dict[str, Any], arm: Arm, path: Path) -> None:
    """Check that a save can be continued here.

    Raises:
        ConfigError: it was saved by other versions or for another configuration.
    """
    advice = "Nothing was changed. Move it away to train this seed anew."
    if not arm.same(record.get("arm", {})):
        raise ConfigError(f"{path}: was saved for another configuration. {advice}")
    here, there = machine()["versions"], record["machine"]["versions"]
    other = [f"{name} {there.get(name)} (here {here[name]})" for name in here
             if there.get(name) != here[name]]  # fmt: skip
    if other:
        raise ConfigError(f"{path}: was saved with {', '.join(other)}. {advice}")


def notes(folder: Path) -> list[str]:
    """What the user should know of the saves of a seed before it goes on or is trained anew."""
    told = []
    final = folder / "checkpoint.safetensors"
    for path in (final, folder / NAME):
        damaged = path.with_suffix(".json").exists() and checkpoint.finished(path) is None
        if damaged:
            told.append(f"{path}: was cut or altered and is left out; the seed is trained again.")
    record = checkpoint.finished(folder / NAME)
    if record and record["machine"]["flags"] != machine()["flags"]:
        told.append(f"{folder / NAME}: was saved on another type of processor; what follows is "
                    "not bit for bit what it would have been there.")  # fmt: skip
    return told
