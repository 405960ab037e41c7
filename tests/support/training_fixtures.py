"""Small configurations and runs for the tests of training."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train

SMALL = ("train.rounds=20000", "train.measure_last=5000", "train.evaluate_every=2500", "seeds=2")
EVERY_POINT = "train.evaluate_every=null"  # 24 of them, as by default; each takes a millisecond


def arm(*settings: str, config: Any = "ad_auction", **options: Any) -> Arm:
    """The first arm of a configuration."""
    return next(iter(load(config, settings, **options).arms.values()))


def weights(of: Arm, seat: str = "bidder_0") -> dict[str, float]:
    """A seat's KPI in short."""
    return {name: term.weight for name, term in of.kpi[seat].items()}


def mistakes(*settings: str, config: Any = "ad_auction", **options: Any) -> list[str]:
    """All that is wrong with a configuration."""
    with pytest.raises(ConfigError) as error:
        load(config, settings, **options)
    return error.value.mistakes


def small(results: Path, *settings: str, config: Any = "ad_auction", **options: Any) -> Any:
    """The summary of a run of two seeds and 20,000 rounds; other settings come on top."""
    return train(config, [*SMALL, *settings], results=results, **options)


def write(path: Path, text: str) -> str:
    """A file with its folders; returns its path as a word of the command line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def files_of(folder: Path, names: Sequence[str] = ("*.safetensors",)) -> dict[str, bytes]:
    """Contents of the files that match, by path within the folder."""
    paths = sorted(path for name in names for path in folder.rglob(name))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


class InterruptAfter(NoProgress):
    """Ctrl-C at the n-th report of progress, from whichever seed it comes."""

    def __init__(self, reports: int) -> None:
        self.left, self._lock = reports, threading.Lock()

    def advance(self, arm: str, progress: Any) -> None:
        with self._lock:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
