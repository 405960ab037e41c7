"""The script for a scheduler, run by a loop over its task numbers."""

from __future__ import annotations

import re
import subprocess

import pytest

from tacit.training.sweep import slurm
from tacit.training.sweep.slurm import array_script
from tacit.training.sweep.sweep_folder import SweepFolder


def run_as_scheduler(script, folder, replacing):
    """Run every task of an array script; returns exit codes.

    Args:
        script: the script.
        folder: to run it in.
        replacing: the words in it that train a cell, and those that stand for them.
    """
    tasks = re.search(r"--array=0-(\d+)", script)
    old, new = replacing
    assert old in script
    text = script.replace(old, new)
    return [
        subprocess.run(
            ["bash", "-c", text], cwd=folder, check=False,
            env={"PATH": "/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": str(task)},
        ).returncode
        for task in range(int(tasks[1]) + 1)
    ]  # fmt: skip


@pytest.fixture
def train(tmp_path):
    """The words of a script that train a cell."""
    import shlex
    import sys

    path = shlex.quote(str((tmp_path / "mine").resolve()))
    return f"{shlex.quote(sys.executable)} -P -m tacit train {path} --cell"


@pytest.mark.parametrize(("cells", "tasks"), [([0, 1, 2], 3), ([5], 1), (list(range(7)), 4)])
def test_every_cell_is_trained_by_one_task(tmp_path, monkeypatch, train, cells, tasks):
    monkeypatch.setattr(slurm, "MOST_TASKS", 4)
    script = array_script(SweepFolder(tmp_path / "mine"), cells)
    codes = run_as_scheduler(script, tmp_path, (train, f"echo >> {tmp_path}/told"))
    assert codes == [0] * tasks
    assert [int(line) for line in (tmp_path / "told").read_text().split()] == cells


def test_a_cell_that_fails_fails_its_task_and_stops_no_other(tmp_path, monkeypatch, train):
    monkeypatch.setattr(slurm, "MOST_TASKS", 2)
    script = array_script(SweepFolder(tmp_path / "mine"), [0, 1, 2, 3])
    stub = tmp_path / "stub"
    stub.write_text(f'#!/bin/bash\necho "$1" >> {tmp_path}/told\n[ "$1" != 0 ]\n')
    stub.chmod(0o755)
    assert run_as_scheduler(script, tmp_path, (train, str(stub))) == [1, 0]
    assert (tmp_path / "told").read_text().split() == ["0", "1", "2", "3"]


def test_paths_with_blanks_are_quoted(tmp_path):
    script = array_script(SweepFolder(tmp_path / "my sweep's"), [0])
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
    assert "my sweep'\"'\"'s'" in script
