"""What TensorBoard is given of a sweep, as TensorBoard itself reads it."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from support.boards import Board
from support.terminal import Terminal

from tacit.envs.errors import ConfigError
from tacit.training.board.server import sweep_links
from tacit.training.sweep.board.cells_board import FIRST_CELLS, shown_measures, write_board
from tacit.training.sweep.cell import train_cell
from tacit.training.sweep.cell_table import CellResult, cell_arms
from tacit.training.sweep.sweeping import make_plan, sweep_folder

SETTINGS = ["train.rounds=2000", "train.measure_last=500", "train.evaluate_every=500", "seeds=1"]
GRID = ["market.price_mix=0,0.5,1"]
ARMS = ["first_0", "first_1"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep of three cells, two of them done: one trained, one a copy with other means."""
    plan, raw = make_plan("volatility_kpi", GRID, settings=SETTINGS, arms=ARMS)
    folder = sweep_folder(tmp_path_factory.mktemp("results"), "mine")
    folder.write_plan(plan, raw)
    assert train_cell(folder, plan, 0, lambda _: None).failure is None
    copied = folder.cell(plan, 2)
    shutil.copytree(folder.cell(plan, 0).path, copied.path)
    summary = json.loads(copied.summary.read_text())
    for shift, arm in enumerate(summary["arms"].values(), 1):
        arm["measures"]["clearing_price"]["mean"] += shift
    copied.summary.write_text(json.dumps(summary))
    folder.mark_done(plan, 2)
    return folder, plan


@pytest.fixture(scope="module")
def board(sweep):
    path, new = write_board(*sweep)
    assert new == 2
    return Board(path)


def run_of(sweep, k, arm):
    _, plan = sweep
    return f"{plan.cell_name(k)}/{arm}"


def test_a_run_for_each_arm_of_a_cell_that_is_done_and_none_for_seeds(sweep, board):
    runs = {run_of(sweep, k, arm) for k in (0, 2) for arm in ARMS}
    assert set(board.runs) - {"."} == runs


def test_a_row_has_the_settings_that_the_sweep_varies_and_the_means(sweep, board):
    experiment = board.experiment()
    beside = {"clearing_price, mean [95 %]", "n", "Verdict", "arm"}
    assert {info.name for info in experiment.hparam_infos} == {"market.price_mix"} | beside
    rows = board.session_groups(experiment)
    assert len(rows) == 4
    found = {r.arm: r.summary["measures"]["clearing_price"]["mean"] for r in cell_arms(*sweep, 2)}
    shown = {
        row.hparams["arm"].string_value: metric.value
        for row in rows
        for metric in row.metric_values
        if row.hparams["market.price_mix"].number_value == 1
        and metric.name.tag == "summary/clearing_price"
    }
    assert shown == pytest.approx(found)


def test_bands_are_those_of_the_cell(sweep, board):
    folder, plan = sweep
    own = Board(folder.cell(plan, 2).path)
    for end in ("mean", "lo", "hi"):
        tag = f"band/clearing_price/{end}"
        curve = board.scalars(run_of(sweep, 2, "first_0"), tag)
        assert curve == own.scalars("first_0/_band", tag)
        assert len(curve) == 4
    (category,) = board.charts(".").category
    assert "clearing_price" in [chart.title for chart in category.chart]


def test_what_is_written_is_not_written_again(sweep, board):
    folder, plan = sweep
    files = sorted((folder.path / "board").glob("0*/*/*"))
    before = [path.stat().st_mtime_ns for path in files]
    assert write_board(folder, plan)[1] == 0
    assert [path.stat().st_mtime_ns for path in files] == before
    note = folder.path / "board" / "written.json"
    known = json.loads(note.read_text())
    known[plan.cell_name(2)] = "an older summary"
    note.write_text(json.dumps(known))
    assert write_board(folder, plan)[1] == 1
    assert sorted(path.parent for path in (folder.path / "board").glob("0*/*/*")) == [
        path.parent for path in files
    ]


def test_nothing_done_is_nothing_to_show(tmp_path):
    plan, raw = make_plan("volatility_kpi", GRID, settings=SETTINGS, arms=ARMS)
    folder = sweep_folder(tmp_path, "none")
    folder.write_plan(plan, raw)
    with pytest.raises(ConfigError, match="no cell is done"):
        write_board(folder, plan)


def test_measures_with_a_closed_form_are_shown_beside_it():
    measures = dict.fromkeys(["booking", "bluff_rate", "bluff_rate_theory", "welfare"])
    result = CellResult(0, {}, "base", {"market": "procurement", "measures": measures})
    assert shown_measures(result) == ["booking", "bluff_rate", "bluff_rate_theory"]


def test_the_first_cells_are_selected():
    names = [f"{k:06d}-0a/base" for k in range(12)]
    assert [k for k, name in enumerate(names) if re.search(FIRST_CELLS, name)] == list(range(8))
    assert all("127.0.0.1:7000" in link for link in sweep_links(7000, FIRST_CELLS).values())


def test_the_command_writes_and_serves(sweep, tmp_path, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(
        "tacit.training.board.server.serve", lambda command: served.append(command) or 0
    )
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    folder, _ = sweep
    result = terminal("board", str(folder.path))
    assert result.code == 0
    assert "HParams, one row a cell: http://127.0.0.1:" in result.out
    assert str(folder.path / "board") in served[0]
