"""The folder of a sweep is its state: how far each cell is, by which files there are."""

from __future__ import annotations

import json
import shlex

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.storage.run_folder import existing_run
from tacit.training.sweep.axes import Axis
from tacit.training.sweep.plan import SweepPlan
from tacit.training.sweep.sweep_folder import CellState, SweepFolder, existing_sweep, is_sweep

RAW = {"market": "ad_auction"}


@pytest.fixture
def sweep(tmp_path):
    plan = SweepPlan("e", "hash", axes=(Axis("market.x", tuple(range(1_002))),))
    folder = SweepFolder(tmp_path / "mine")
    folder.write_plan(plan, RAW)
    return folder, plan


def finish(folder, plan, k, text="{}"):
    run = folder.cell(plan, k)
    run.path.mkdir(parents=True, exist_ok=True)
    run.summary.write_text(text)
    folder.mark_done(plan, k)


def test_states_of_cells(sweep):
    folder, plan = sweep
    assert set(folder.states(plan)) == {CellState.WAITING}
    finish(folder, plan, 3)
    folder.mark_failed(plan, 4, "no\n")
    folder.cell(plan, 1_001).path.mkdir(parents=True)
    states = folder.states(plan)
    assert len(states) == 1_002
    assert {k: s for k, s in enumerate(states) if s} == {
        3: CellState.DONE, 4: CellState.FAILED, 1_001: CellState.BEGUN,
    }  # fmt: skip
    assert folder.failure_log(plan, 4).read_text() == "no\n"


def test_a_thousand_cells_a_folder(sweep):
    folder, plan = sweep
    parents = [folder.cell(plan, k).path.parent.name for k in (0, 999, 1_000)]
    assert parents == ["0000", "0000", "0001"]


def test_a_cell_is_done_with_the_summary_that_was_written(sweep):
    folder, plan = sweep
    assert not folder.is_done(plan, 5)
    finish(folder, plan, 5)
    assert folder.is_done(plan, 5)
    assert json.loads((folder.cell(plan, 5).path / "cell.json").read_text())["settings"] == {
        "market.x": 5
    }
    folder.cell(plan, 5).summary.write_text("{} ")
    assert not folder.is_done(plan, 5)
    folder.cell(plan, 5).summary.unlink()
    assert not folder.is_done(plan, 5)


def test_what_is_no_cell_of_the_plan_is_passed_over(sweep):
    folder, plan = sweep
    finish(folder, plan, 0)
    folder.cell(plan, 0).path.rename(folder.cell(plan, 0).path.with_name("000000-other"))
    (folder.path / "cells" / "0000" / "note.txt").write_text("mine")
    assert set(folder.states(plan)) == {CellState.WAITING}


def test_a_plan_is_found_by_name_and_path(sweep):
    folder, plan = sweep
    assert existing_sweep("mine", folder.path.parent).read_plan() == plan
    assert existing_sweep(str(folder.path)).read_plan() == plan
    assert is_sweep("mine", folder.path.parent)
    assert not is_sweep("other", folder.path.parent)


def test_there_is_no_such_sweep(sweep, tmp_path):
    folder, _ = sweep
    with pytest.raises(ConfigError, match=r"no sweep 'mien' in .* Did you mean 'mine'"):
        existing_sweep("mien", folder.path.parent)
    with pytest.raises(ConfigError, match="there is no sweep in"):
        SweepFolder(tmp_path / "none").read_plan()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("arms: {}")
    with pytest.raises(ConfigError, match="is a run of its own, not a sweep"):
        existing_sweep("run", tmp_path)


def test_commands_about_runs_say_that_it_is_a_sweep(sweep):
    folder, _ = sweep
    with pytest.raises(ConfigError, match="is a sweep, each of whose cells is a run"):
        existing_run("mine", folder.path.parent)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_an_experiment_whose_name_leads_elsewhere_is_refused(sweep, name):
    folder, plan = sweep
    (folder.path / "sweep.json").write_text(json.dumps({**plan.plain(), "experiment": name}))
    with pytest.raises(ConfigError, match="the experiment's name"):
        folder.experiment_file(folder.read_plan())


def test_advice_can_be_pasted(tmp_path):
    told = SweepFolder(tmp_path / "my sweep").command("sweep")
    assert shlex.split(told) == ["tacit", "sweep", str(tmp_path / "my sweep")]
