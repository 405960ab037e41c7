"""Where a sweep keeps what. The folder is the state: there is no other list of what is done.

    results/<sweep>/sweep.json                    the plan
    results/<sweep>/<experiment>.yaml             the experiment file, as it was when it was planned
    results/<sweep>/cells/<k // 1000>/<cell>/     a run of its own for every cell

A cell's folder is named by its number and a hash of all that its result depends on. It is done
when `cell.json`, which is written last, stands in it with the hash of the summary beside it. So any
process may be killed at any time, and whoever comes next sees what is left to do.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files
from tacit.training.config.names import folder_mistake
from tacit.training.storage.atomic_files import (
    file_hash,
    read_json,
    write_atomically,
    write_json,
)
from tacit.training.storage.run_folder import DEFAULT_RESULTS, RunFolder

from .plan import SweepPlan, plan_from

PLAN = "sweep.json"
DONE = "cell.json"
FAILED = "failed.log"
CELLS_A_FOLDER = 1_000  # file systems and people are slow with folders of many entries


class CellState(IntEnum):
    """How far a cell is."""

    WAITING = 0  # nothing of it was written
    BEGUN = 1  # interrupted, or under way
    DONE = 2
    FAILED = 3  # it was refused, or ended with an error; its log says how


class SweepFolder:
    """The paths of one sweep, and its plan.

    Attributes:
        path: the folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def plan_file(self) -> Path:
        """The plan."""
        return self.path / PLAN

    def command(self, name: str) -> str:
        """A command about the sweep, as its user types it."""
        return f"tacit {name} {shlex.quote(str(self.path))}"

    def experiment_file(self, plan: SweepPlan) -> Path:
        """The copy of the experiment file.

        Raises:
            ConfigError: its name, which may come from somebody else's file, is none.
        """
        if (mistake := folder_mistake(plan.experiment)) is not None:
            raise ConfigError(f"{self.plan_file}: the experiment's name {mistake}.")
        return self.path / f"{plan.experiment}.yaml"

    def read_plan(self) -> SweepPlan:
        """The plan.

        Raises:
            ConfigError: there is none, or it cannot be read.
        """
        data = read_json(self.plan_file)
        if not data:
            raise ConfigError(f"SWEEP: there is no sweep in {self.path}.")
        return plan_from(data, str(self.plan_file))

    def write_plan(self, plan: SweepPlan, raw: dict[str, Any]) -> None:
        """Write the plan and a copy of the experiment file.

        Args:
            plan: the plan.
            raw: the experiment file's data.

        Raises:
            ConfigError: the system refuses.
        """
        # The plan last: without it there is no sweep, and the file is written again.
        write_atomically(self.experiment_file(plan), files.dump_yaml(raw).encode())
        write_json(self.plan_file, plan.plain())

    def cell(self, plan: SweepPlan, k: int) -> RunFolder:
        """The run of cell k."""
        chunk = f"{k // CELLS_A_FOLDER:04d}"
        return RunFolder(self.path / "cells" / chunk / plan.cell_name(k))

    def mark_done(self, plan: SweepPlan, k: int) -> None:
        """Note that cell k is done; its summary is on disk."""
        run = self.cell(plan, k)
        write_json(
            run.path / DONE,
            {"settings": dict(plan.settings(k)), "summary_sha256": file_hash(run.summary)},
        )

    def mark_failed(self, plan: SweepPlan, k: int, text: str) -> None:
        """Keep why cell k failed."""
        write_atomically(self.failure_log(plan, k), text.encode("utf-8", "backslashreplace"))

    def failure_log(self, plan: SweepPlan, k: int) -> Path:
        """The log of cell k, where it failed."""
        return self.cell(plan, k).path / FAILED

    def is_done(self, plan: SweepPlan, k: int) -> bool:
        """Whether cell k is done, its summary unaltered."""
        run = self.cell(plan, k)
        known = read_json(run.path / DONE).get("summary_sha256")
        return known is not None and known == file_hash(run.summary)

    def states(self, plan: SweepPlan) -> bytearray:
        """How far every cell is, a `CellState` each, by which files there are; nothing is read."""
        found = bytearray(plan.count)
        for first in range(0, plan.count, CELLS_A_FOLDER):
            present = dict(_folders(self.cell(plan, first).path.parent))
            if not present:
                continue
            for k in range(first, min(first + CELLS_A_FOLDER, plan.count)):
                path = present.get(plan.cell_name(k))
                if path is not None:
                    found[k] = _state(path)
        return found


def _folders(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and paths of the folders in a folder; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name, entry.path
    except FileNotFoundError:
        return


def _state(cell: str) -> CellState:
    if os.path.exists(os.path.join(cell, DONE)):
        return CellState.DONE
    if os.path.exists(os.path.join(cell, FAILED)):
        return CellState.FAILED
    return CellState.BEGUN


def existing_sweep(name: str, results: Path = DEFAULT_RESULTS) -> SweepFolder:
    """The sweep that a command means.

    Args:
        name: a path, or a name below `results`.
        results: where runs are kept.

    Raises:
        ConfigError: there is no such sweep; the message names the nearest.
    """
    for path in (results / name, Path(name)):
        if (path / PLAN).is_file():
            return SweepFolder(path)
        if (path / "config.yaml").is_file():
            raise ConfigError(f"SWEEP: {path} is a run of its own, not a sweep.")
    known = [p.parent.name for p in results.glob(f"*/{PLAN}")] if results.is_dir() else []
    raise ConfigError(f"SWEEP: there is no sweep '{name}' in {results}. {nearest(name, known)}")


def is_sweep(name: str, results: Path = DEFAULT_RESULTS) -> bool:
    """Whether a command's word means a sweep: a path, or a name below `results`."""
    return any((path / PLAN).is_file() for path in (results / name, Path(name)))
