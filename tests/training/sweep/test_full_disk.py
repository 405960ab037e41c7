"""A disk that fills up in the middle of a sweep: a real one of 700 kB, where one may be mounted."""

from __future__ import annotations

import subprocess

import pytest
from support.training_fixtures import files_of

from tacit.training.sweep.cell import CellOutcome, train_cell
from tacit.training.sweep.processes import Processes
from tacit.training.sweep.sweep_folder import SweepFolder
from tacit.training.sweep.sweeping import make_plan, train_cells

GRID = ["kpi.bidder.price_change=0,-1,-2,-3"]
SMALL = ["train.rounds=20000", "train.measure_last=5000", "seeds=2"]


class Silent:
    def share(self, k, share): ...

    def note(self, text): ...

    def ended(self, outcome: CellOutcome): ...


def mount(words: list[str]) -> bool:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    if not mount(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(path)]):
        pytest.skip("this system lets no disk be mounted")
    yield path
    mount(["umount", str(path)])


def planned(path):
    plan, raw = make_plan("volatility_kpi", GRID, settings=SMALL, arms=["first_0"])
    folder = SweepFolder(path)
    folder.write_plan(plan, raw)
    return folder, plan


@pytest.mark.slow
def test_cells_that_found_the_disk_full_are_trained_once_there_is_room(small_disk, tmp_path):
    folder, plan = planned(small_disk / "mine")
    failed, elsewhere = train_cells(folder, plan, Processes(2), Silent())
    assert failed
    assert not elsewhere
    assert all("No space left on device" in line for line in failed.values())
    assert [k for k in range(4) if folder.is_done(plan, k)] == sorted(set(range(4)) - set(failed))
    assert mount(["mount", "-o", "remount,size=20m", str(small_disk)])
    assert train_cells(folder, plan, Processes(2), Silent()) == ({}, [])
    whole, _ = planned(tmp_path / "whole")
    for k in range(4):
        train_cell(whole, plan, k, lambda share: None)
    names = ("checkpoint.safetensors",)
    assert files_of(folder.path / "cells", names) == files_of(whole.path / "cells", names)
