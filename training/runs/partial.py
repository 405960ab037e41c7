"""Saves of a repetition that is under way, from which it continues bit for bit.

`partial.safetensors` holds the group's whole state and the evaluation points read so far;
`partial.json` beside it also holds how long the event file was then. Both are removed once the
repetition's checkpoint is written.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.outcome.final_measures import Points
from tacit.training.outcome.training_curve import SeedCurve
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import Keyframes, State, split
from tacit.training.storage.load_run import put_into
from tacit.training.storage.machine import machine
from tacit.training.storage.run_folder import CHECKPOINT

from .evaluation import evaluation_points

NAME = "partial.safetensors"
EVERY = 5.0  # seconds between two saves
ADVICE = "Nothing was changed. Move it away to train this seed anew."
# Arrays beside the group's own.
POINTS = ("points.rounds", "points.measures")
KEYFRAMES = "keyframes/"  # begins the names of those of earlier states


class PartialSeed(NamedTuple):
    """How far a repetition has come, beside the state of its group.

    Attributes:
        points: evaluation points read: the rounds that each covers, and mean measures, float64
            `[S + 1, M]`.
        curve: figures along training.
        seconds: worked on it.
        events: bytes of its event file, by name.
        keyframes: its states on the way.
        breakers: what `SeedBreakers.plain` gave; empty without breakers and branches.
        acts: what `SeedActs.plain` gave; empty where nobody has changed anything.
    """

    points: Points
    curve: SeedCurve
    seconds: float
    events: dict[str, int]
    keyframes: Keyframes
    breakers: Mapping[str, Any] = {}
    acts: Mapping[str, Any] = {}


class SavedArrays(NamedTuple):
    """What a save's arrays hold beside the group's own state.

    Attributes:
        keyframes: states of the branch under way, by rounds.
        points: evaluation points read.
    """

    keyframes: dict[int, State]
    points: Points

    @property
    def read(self) -> int:
        """Rounds that the evaluation points cover."""
        return sum(count for count, _ in self.points)


def take_apart(arrays: dict[str, NDArray[Any]], path: Path) -> SavedArrays:
    """Take out of a save's arrays all that is not the group's own state.

    Args:
        arrays: as they were read; changed in place.
        path: from where, for the message.

    Raises:
        ConfigError: they are not those of a save.
    """
    try:
        rounds, measures = (arrays.pop(name) for name in POINTS)
        points = [(int(n), own) for n, own in zip(rounds, measures, strict=True)]
        names = [name for name in arrays if name.startswith(KEYFRAMES)]
        kept = {name.removeprefix(KEYFRAMES): arrays.pop(name) for name in names}
        return SavedArrays(dict(sorted(split(kept).items())), points)
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: is not a save: {error!r}.") from None


class SeedSaver:
    """Saves a repetition that is under way.

    Attributes:
        path: the save.
        arm: whose repetition it is.
        seed: its seed.
    """

    def __init__(self, folder: Path, arm: Arm, k: int) -> None:
        """A saver for repetition k, in its folder; nothing is saved yet."""
        self.path, self.arm, self.seed = folder / NAME, arm, arm.seed + k
        self._last = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._last >= EVERY

    def save(self, group: Group, partial: PartialSeed) -> None:
        """Write everything that the repetition needs to continue."""
        rounds, measures = zip(*partial.points, strict=True) if partial.points else ((), ())
        kept = partial.keyframes.arrays()
        arrays = group.state() | {f"{KEYFRAMES}{name}": array for name, array in kept.items()}
        arrays |= {
            POINTS[0]: np.array(rounds, np.int64),
            POINTS[1]: np.array(measures, np.float64),
        }
        record = {
            "arm": self.arm.plain,
            "seed": self.seed,
            "rounds": group.rounds,
            "training_curve": partial.curve,
            "seconds": partial.seconds,
            "events": partial.events,
            "keyframe_stride": partial.keyframes.stride,
            "machine": machine(),
            **({"breakers": partial.breakers} if partial.breakers else {}),
            **({"acts": partial.acts} if partial.acts else {}),
        }
        checkpoint.save(self.path, arrays, record)
        self._last = time.monotonic()

    def load(self, group: Group) -> PartialSeed | None:
        """Put a new group into the state that was saved.

        Returns:
            The rest of the save; None where there is none, or none that is whole.

        Raises:
            ConfigError: it was saved by another version or for another configuration.
        """
        record = checkpoint.finished(self.path)
        if record is None:
            return None
        check_save(record, self.arm, self.path)
        arrays, _ = checkpoint.load(self.path)
        try:
            rounds, measures = (arrays.pop(name) for name in POINTS)
            points = [(int(n), own) for n, own in zip(rounds, measures, strict=True)]
            curve, seconds = record["training_curve"], float(record["seconds"])
            events = {str(name): int(size) for name, size in record["events"].items()}
            keyframes = self._keyframes(arrays, int(record.get("keyframe_stride", 1)))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{self.path}: is not a save: {error!r}. {ADVICE}") from None
        put_into(group, arrays, self.path)
        return PartialSeed(points, curve, seconds, events, keyframes)

    def kept(self, name: str) -> Mapping[str, Any]:
        """What the save holds of `breakers` or `acts`, before there is a group to load the rest
        into.

        Raises:
            ConfigError: it was saved by another version or for another configuration.
        """
        record = checkpoint.finished(self.path)
        if record is None:
            return {}
        check_save(record, self.arm, self.path)
        found = record.get(name, {})
        return found if isinstance(found, Mapping) else {}

    def _keyframes(self, arrays: dict[str, NDArray[Any]], stride: int) -> Keyframes:
        """The states in a save, whose arrays are taken out of `arrays`."""
        names = [name for name in arrays if name.startswith(KEYFRAMES)]
        kept = {name.removeprefix(KEYFRAMES): arrays.pop(name) for name in names}
        later = [r for r in evaluation_points(self.arm.train) if r > self.arm.first_round]
        numbers = {rounds: k for k, rounds in enumerate(later, 1)}
        keyframes = Keyframes(self.arm.record.keyframe_bytes)
        keyframes.restore(kept, numbers, stride)
        return keyframes

    def clear(self) -> None:
        """Remove the save, as the repetition is finished."""
        # The record first: an array file without a record is no save.
        self.path.with_suffix(".json").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def check_save(record: dict[str, Any], arm: Arm, path: Path) -> None:
    """Check that a save can be continued here.

    Raises:
        ConfigError: it was saved by other versions or for another configuration.
    """
    if not arm.same(record.get("arm", {})):
        raise ConfigError(f"{path}: was saved for another configuration. {ADVICE}")
    here, there = machine()["versions"], record.get("machine", {}).get("versions", {})
    other = [
        f"{name} {there.get(name)} (here {here[name]})"
        for name in here
        if there.get(name) != here[name]
    ]
    if other:
        raise ConfigError(f"{path}: was saved with {', '.join(other)}. {ADVICE}")


def save_notes(folder: Path) -> list[str]:
    """What the user should know of the saves in a repetition's folder before it is trained."""
    lines = []
    for path in (folder / CHECKPOINT, folder / NAME):
        damaged = path.with_suffix(".json").exists() and checkpoint.finished(path) is None
        if damaged:
            wrong = checkpoint.damaged_file(path)
            lines.append(f"{wrong}: was cut or altered and is left out; the seed is trained again.")
    record = checkpoint.finished(folder / NAME)
    if record and record.get("machine", {}).get("flags") != machine()["flags"]:
        lines.append(
            f"{folder / NAME}: was saved on another type of processor; what follows is not bit for "
            "bit what it would have been there."
        )
    return lines
