"""Where a run keeps what.

`results/<run>/{config.yaml, incentives.json, summary.json, ledger.jsonl}`, `signatures/`,
`<arm>/s<k>/` for every seed (events, checkpoint) and `<arm>/_band/` for what is over all seeds.

A run folder may come from anywhere, so what its files say is not trusted. Every path of a run is
made by `RunFolder.inside`, which refuses one that leads out of the folder.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files
from tacit.training.config.names import folder_mistake

from .atomic_files import write_atomically

CHECKPOINT = "checkpoint.safetensors"
FORBIDDEN = frozenset("/\\\0")  # in the name of a file or folder
DEFAULT_RESULTS = Path("results")  # where the commands look for runs without --results


def named(results: Path, name: str) -> RunFolder:
    """The folder of a run by its name, which may have several parts: `study/first`.

    Raises:
        ConfigError: the name leads out of `results`, or a part of it cannot be a folder's name.
    """
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(
            f"--name: must name a folder within {results}, got {name!r}. (--results DIR puts it "
            "elsewhere.)"
        )
    for part in path.parts:
        if (mistake := folder_mistake(part)) is not None:
            raise ConfigError(f"--name: {part!r} cannot name a folder: it {mistake}.")
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

    def command(self, name: str, *options: str) -> str:
        """A command about the run, as its user types it: `tacit resume mine --results there`."""
        parent = self.path.parent
        where = "" if parent == DEFAULT_RESULTS else f" --results {shlex.quote(str(parent))}"
        run = shlex.quote(self.name)
        where += "".join(f" {shlex.quote(option)}" for option in options)
        # Behind `--` a name that begins with a dash is no option.
        return f"tacit {name}{where} -- {run}" if run[0] == "-" else f"tacit {name} {run}{where}"

    @property
    def resume(self) -> str:
        """The command that goes on with the run."""
        return self.command("resume")

    def inside(self, *parts: str) -> Path:
        """A path within the folder.

        Args:
            parts: names of folders, one within the other, and of a file.

        Raises:
            ConfigError: it leads out of the folder, by a part that is no plain name or by a link.
        """
        path = self.path.joinpath(*parts)
        plain = all(part not in ("", ".", "..") and FORBIDDEN.isdisjoint(part) for part in parts)
        if not plain or self._leads_out(parts):
            raise ConfigError(
                f"{self.path}: {'/'.join(parts)!r} leads out of the run's folder. Nothing was read "
                "or written there."
            )
        return path

    def _leads_out(self, parts: Sequence[str]) -> bool:
        """Whether links on the way to a path within the folder lead out of it."""
        place = str(self.path)
        for part in parts:
            place = os.path.join(place, part)
            if os.path.islink(place):
                root, end = os.path.realpath(self.path), self.path.joinpath(*parts)
                return os.path.commonpath([root, os.path.realpath(end)]) != root
        return False  # without a link below the folder nothing does

    @property
    def config(self) -> Path:
        """Question, and every arm fully resolved."""
        return self.inside("config.yaml")

    @property
    def incentives(self) -> Path:
        """Every seat's KPI in numbers and words."""
        return self.inside("incentives.json")

    @property
    def summary(self) -> Path:
        """The result."""
        return self.inside("summary.json")

    @property
    def ledger(self) -> Path:
        """What was done to the run."""
        return self.inside("ledger.jsonl")

    @property
    def seals(self) -> Path:
        """Hashes of what was written over all seeds."""
        return self.inside("seals.json")

    @property
    def signatures(self) -> Path:
        """Who stands behind the objectives, anchors of the ledger, and signatures of both."""
        return self.inside("signatures")

    def figure(self, experiment: str) -> Path:
        """The figure that an experiment asks for."""
        return self.inside(f"{experiment}.png")

    def seed(self, arm: str, k: int) -> Path:
        """The folder of repetition k of an arm."""
        return self.inside(arm, f"s{k}")

    def checkpoint(self, arm: str, k: int) -> Path:
        """The checkpoint of repetition k of an arm, once it is finished."""
        self.inside(arm, f"s{k}", CHECKPOINT.replace(".safetensors", ".json"))  # its record
        return self.inside(arm, f"s{k}", CHECKPOINT)

    def band(self, arm: str) -> Path:
        """The folder of what is over all seeds of an arm."""
        return self.inside(arm, "_band")

    def controls(self, arm: str) -> Path:
        """Figures of the probes that need all seeds of an arm."""
        return self.inside(arm, "_band", "controls.json")

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
        if (path / "sweep.json").is_file():
            raise ConfigError(
                f"RUN: {path} is a sweep, each of whose cells is a run: tacit compare "
                f"{shlex.quote(str(path))}; or name a cell, a folder below {path / 'cells'}."
            )
    for parent in Path(run).parents:
        if (parent / "config.yaml").is_file() and (parent / "incentives.json").is_file():
            raise ConfigError(f"RUN: '{run}' lies within a run. Name the run itself: {parent}.")
    if results != DEFAULT_RESULTS and not results.is_dir():
        raise ConfigError(f"--results: there is no folder {results}.")
    known = [p.parent.name for p in results.glob("*/config.yaml")]
    advice = nearest(run, known)
    if run in files.names("experiments") + files.names("markets"):
        advice = f"`tacit train {run}` makes it."
    raise ConfigError(f"RUN: there is no run '{run}' in {results}. {advice}")
