"""The sealed sample: the last rounds of every repetition as they were played, in a file.

Any round can be played again where bits are the same, on one type of machine with one set of
versions. On others, the sample still says what the agents did at the end of training. Its SHA-256
is in the ledger; where rounds can be played again, every row of it is compared.

`sample.safetensors` in a repetition's folder holds the fields of a `Recording` (R rounds): clock,
states, observations, actions, probabilities, measures, scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.agents.tabular.recording import Recording, recording_bytes
from tacit.envs.errors import ConfigError
from tacit.training.storage.atomic_files import read_file, write_atomically

from .replay import SeedReplay

NAME = "sample.safetensors"
MOST_BYTES = 1_000_000  # of a repetition's sample
NOT_KEPT = ("recorded", "forced", "values")  # room for questions, not what happened
FIELDS = tuple(name for name in Recording._fields if name not in NOT_KEPT)

Sample = dict[str, NDArray[Any]]  # by field of a `Recording`, a row a round


def last_rounds(replay: SeedReplay, rounds: int) -> Sample:
    """The last rounds of a repetition, played again; fewer where so many take more than MOST_BYTES,
    as they do of many copies, but at least one.

    Raises:
        ConfigError: a kept state does not fit the configuration.
    """
    per_round = recording_bytes(replay.game, replay.group.rows)
    count = min(rounds, replay.end - replay.first, max(1, MOST_BYTES // per_round))
    replay.go_to(replay.end - count)
    recording = replay.record(count)
    return {field: np.ascontiguousarray(getattr(recording, field)) for field in FIELDS}


def write_sample(folder: Path, sample: Sample) -> Path:
    """Write a sample into a repetition's folder; returns its path.

    Raises:
        ConfigError: the system refuses.
    """
    path = folder / NAME
    write_atomically(path, save_tensors(sample))
    return path


def read_sample(path: Path) -> Sample:
    """A sample.

    Raises:
        ConfigError: it is missing, or no sample.
    """
    try:
        sample = dict(load_tensors(read_file(path)))
    except FileNotFoundError:
        raise ConfigError(f"{path}: is missing.") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: holds no sample that can be read ({error}).") from None
    if set(sample) != set(FIELDS) or len({len(array) for array in sample.values()}) != 1:
        raise ConfigError(f"{path}: holds no sample: it must have one row a round of {FIELDS}.")
    return sample


def sample_differences(stored: Sample, played: Sample) -> list[str]:
    """Where a stored sample is not what is played, a line for each array.

    Args:
        stored: as read, `[R, ...]` by field.
        played: the same rounds, played again.
    """
    rows, own = len(stored["clock"]), len(played["clock"])
    if rows != own:
        return [f"has {rows} rounds instead of {own}"]
    return [line for field in FIELDS if (line := _difference(field, stored, played))]


def _difference(field: str, stored: Sample, played: Sample) -> str:
    """Which rounds of an array differ; empty if none do."""
    mine, other = np.ascontiguousarray(stored[field]), played[field]
    if mine.dtype != other.dtype or mine.shape != other.shape:
        return f"{field}: is {mine.dtype}{list(mine.shape)}, not {other.dtype}{list(other.shape)}"
    if len(mine) == 0:
        return ""
    # Compared as bytes: -0.0 is not 0.0, and NaN is NaN.
    width = max(1, mine.nbytes // len(mine))
    bits = [a.reshape(-1).view(np.uint8).reshape(len(mine), width) for a in (mine, other)]
    rows = np.flatnonzero((bits[0] != bits[1]).any(axis=1))
    if not len(rows):
        return ""
    rounds = [f"{int(played['clock'][row, 0]):,}" for row in rows[:3]]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"{field}: round{'s' * (len(rows) > 1)} {', '.join(rounds)}{more}"
