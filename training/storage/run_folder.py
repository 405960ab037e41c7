"""Where a run keeps what.

`results/<run>/{config.yaml, incentives.json, summary.json, ledger.jsonl}`, `<arm>/s<k>/` for every
seed (events, checkpoint) and `<arm>/_band/` for what is over all seeds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files

from .atomic_files import write_atomically

CHECKPOINT = "checkpoint.safetensors"


def named(results: Path, name: str) -> RunFolder:
    """The folder of a run by its name.

    Raises:
        ConfigError: the name leads out of `results`.
    """
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(
            f"--name: must name a folder within {results}, got '{name}'. (--results DIR puts it "
            "elsewhere.)"
        )
    return RunFolder(results / path)


class RunFolder:
    """The paths of one run, and its config.yaml.

    Attributes:
        path: the folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    @property
    def config(self) -> Path:
        """Question, and every arm fully resolved."""
        return self.path / "config.yaml"

    @property
    def incentives(self) -> Path:
        """Every seat's KPI in numbers and words."""
        return self.path / "incentives.json"

    @property
    def summary(self) -> Path:
        """The result."""
        return self.path / "summary.json"

    @property
    def ledger(self) -> Path:
        """What was done to the run."""
        return self.path / "ledger.jsonl"

    def seed(self, arm: str, k: int) -> Path:
        """The folder of repetition k of an arm."""
        return self.path / arm / f"s{k}"

    def checkpoint(self, arm: str, k: int) -> Path:
        """The checkpoint of repetition k of an arm, once it is finished."""
        return self.seed(arm, k) / CHECKPOINT

    def band(self, arm: str) -> Path:
        """The folder of what is over all seeds of an arm."""
        return self.path / arm / "_band"

    def controls(self, arm: str) -> Path:
        """Figures of the probes that need all seeds of an arm."""
        return self.band(arm) / "controls.json"

    def prepare(self) -> None:
        """Make the folder, and find out whether it can be written before hours of training.

        Raises:
            ConfigError: it cannot be made or written.
        """
        trial = self.path / f".write.{os.getpid()}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            trial.touch()
            trial.unlink()
        except OSError as error:
            raise ConfigError(
                f"results: {self.path} cannot be written: {error.strerror}."
            ) from None

    def read_config(self) -> dict[str, Any] | None:
        """What config.yaml holds; None for a new run.

        Raises:
            ConfigError: it does not describe a run.
        """
        if not self.config.exists():
            return None
        config = files.read_yaml(self.config)
        if not isinstance(config.get("arms"), dict) or not config["arms"]:
            raise ConfigError(
                f"{self.config}: does not describe a run. Choose another --name, or move it away."
            )
        return config

    def write_config(self, config: dict[str, Any]) -> None:
        """Replace config.yaml."""
        write_atomically(self.config, files.dump_yaml(config).encode())


def existing_run(run: str, results: Path) -> RunFolder:
    """The run that a command means.

    Args:
        run: a path, or a name below `results`.
        results: where runs are kept.

    Raises:
        ConfigError: there is no such run; the message names the nearest.
    """
    for path in (results / run, Path(run)):
        if (path / "config.yaml").is_file():
            return RunFolder(path)
    known = [p.parent.name for p in results.glob("*/config.yaml")] if results.is_dir() else []
    raise ConfigError(f"RUN: there is no run '{run}' in {results}. {nearest(run, known)}")
