"""Where a run keeps what.

`results/<run>/{config.yaml, incentives.json, summary.json, ledger.jsonl}`, `<arm>/s<k>/` for every
seed (events, checkpoint) and `<arm>/_band/` for the bands.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files

from . import checkpoint

CHECKPOINT = "checkpoint.safetensors"


def named(results: Path, name: str) -> RunFolder:
    """The folder of a run by its name, which does not lead out of `results`.

    Raises:
        ConfigError: it does.
    """
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(
            f"--name: must name a folder within {results}, got '{name}'. (--results DIR puts it "
            "elsewhere.)"
        )
    return RunFolder(results / path)


class RunFolder:
    """The paths of one run and what stands in them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.jsonl"

    def seed(self, arm: str, k: int) -> Path:
        return self.path / arm / f"s{k}"

    def checkpoint(self, arm: str, k: int) -> Path:
        return self.seed(arm, k) / CHECKPOINT

    def band(self, arm: str) -> Path:
        return self.path / arm / "_band"

    def controls(self, arm: str) -> Path:
        return self.band(arm) / "controls.json"

    def prepare(self) -> None:
        """Make the folder and find out now, not after an hour, whether it can be written."""
        probe = self.path / f".write.{os.getpid()}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"results: {self.path} cannot be written: {error.strerror}."
            ) from None

    def stored(self) -> dict[str, Any] | None:
        """The config that stands here, or None for a new run."""
        if not self.config.exists():
            return None
        stored = files.read_yaml(self.config)
        if not isinstance(stored.get("arms"), dict) or not stored["arms"]:
            raise ConfigError(
                f"{self.config}: does not describe a run. Choose another --name, or move it away."
            )
        return stored

    def write_config(self, data: dict[str, Any]) -> None:
        checkpoint.write_atomically(self.config, files.dump_yaml(data).encode())


def existing_run(run: str, results: Path) -> RunFolder:
    """The run that a command means: a path, or a name under results."""
    for path in (results / run, Path(run)):
        if (path / "config.yaml").is_file():
            return RunFolder(path)
    known = [p.parent.name for p in results.glob("*/config.yaml")] if results.is_dir() else []
    raise ConfigError(f"RUN: there is no run '{run}' in {results}. {nearest(run, known)}")
