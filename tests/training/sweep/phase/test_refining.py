"""Refinement: the next points are a function of the table, and lie where the level is crossed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.training.sweep.axes import Axis
from tacit.training.sweep.cell import CellOutcome
from tacit.training.sweep.cell_table import CellResult
from tacit.training.sweep.phase.points import Points, points_of
from tacit.training.sweep.phase.refined import refine_crossing
from tacit.training.sweep.phase.refining import next_points
from tacit.training.sweep.phase.surface import onset
from tacit.training.sweep.plan import SweepPlan
from tacit.training.sweep.sweep_folder import SweepFolder

pytest.importorskip("adaptive")


def steep(x, y):
    """Rises from 0 to 1 around the curve y = .2 + .6 x^2."""
    return 1 / (1 + np.exp(-40 * (y - 0.2 - 0.6 * x * x)))


def known(places):
    x, y = np.array(sorted(places)).T
    mean = steep(x, y)
    return Points("market.x", "market.y", "m", x, y, mean, mean, mean, [2] * len(x))


GRID = [(x, y) for x in np.linspace(0, 1, 4) for y in np.linspace(0, 1, 4)]


def test_the_next_points_are_a_function_of_the_table():
    first = next_points(known(GRID), 0.5, 8)
    assert first == next_points(known(GRID[::-1]), 0.5, 8)
    assert len(set(first)) == 8
    assert not set(first) & set(GRID)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in first)


@pytest.mark.slow
def test_another_process_asks_for_the_same():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from test_refining import GRID, known; from tacit.training.sweep.phase.refining import "
        "next_points; print(next_points(known(GRID), 0.5, 8))"
    )
    from pathlib import Path

    folder = str(Path(__file__).parent)
    told = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(next_points(known(GRID), 0.5, 8))


def test_refined_cells_draw_the_curve_better_than_a_grid_of_as_many():
    places = list(GRID)
    for _ in range(6):
        places += next_points(known(places), 0.5, 8)
    assert len(places) == 64
    even = [(x, y) for x in np.linspace(0, 1, 8) for y in np.linspace(0, 1, 8)]

    def error(points):
        found = onset(points, 0.5)
        return np.abs(found.y - 0.2 - 0.6 * found.x**2).mean()

    assert error(known(places)) < 0.5 * error(known(even))


def test_a_grid_comes_first():
    with pytest.raises(ConfigError, match="at least 16 cells comes first, this one has 15"):
        next_points(known(GRID[:15]), 0.5, 8)


def test_the_library_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "adaptive.learner", None)
    with pytest.raises(ConfigError, match=r"pip install 'tacit\[sweep\]'"):
        next_points(known(GRID), 0.5, 8)


# --- cells are added, and trained, some at a time -------------------------------------------------


class Engine:
    """Trains cells by the formula; is interrupted after so many."""

    def __init__(self, most=1_000, failing=()):
        self.left, self.failing, self.trained = most, failing, []

    def train(self, folder, plan, cells, listener):
        for k in cells:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.trained.append(k)
            if k in self.failing:
                folder.mark_failed(plan, k, "no")
                listener.ended(CellOutcome(k, "no"))
                continue
            run = folder.cell(plan, k)
            run.path.mkdir(parents=True)
            run.summary.write_text("{}")
            folder.mark_done(plan, k)
            listener.ended(CellOutcome(k))


class Listener:
    def share(self, k, share): ...

    def note(self, text): ...

    def ended(self, outcome): ...


def a_sweep(path):
    values = tuple(np.linspace(0, 1, 4).tolist())
    plan = SweepPlan("e", "h", axes=(Axis("market.x", values), Axis("market.y", values)))
    folder = SweepFolder(path)
    folder.write_plan(plan, {"market": "ad_auction"})
    Engine().train(folder, plan, range(16), Listener())

    def read():
        plan = folder.read_plan()
        rows = []
        for k in range(plan.count):
            if folder.is_done(plan, k):
                settings = dict(plan.settings(k))
                value = float(steep(settings["market.x"], settings["market.y"]))
                measures = {"m": {"per_seed": [value, value]}}
                rows.append(CellResult(k, settings, "base", {"measures": measures}))
        return points_of(rows, "market.x", "market.y", "m")

    return folder, read


def test_an_interrupted_refinement_ends_with_the_same_cells(tmp_path):
    whole, read = a_sweep(tmp_path / "whole")
    assert refine_crossing(whole, read, 0.5, 20, {}, Engine(), Listener()) == {}
    assert whole.read_plan().count == 36
    cut, read = a_sweep(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        refine_crossing(cut, read, 0.5, 20, {}, Engine(most=11), Listener())
    assert cut.read_plan().count == 32
    # 8 of the 20 cells are trained, and of the next 8 three: what is left is 12.
    engine = Engine()
    assert refine_crossing(cut, read, 0.5, 9, {}, engine, Listener()) == {}
    assert engine.trained[:5] == [27, 28, 29, 30, 31]
    assert cut.read_plan() == whole.read_plan()


def test_a_cell_that_fails_ends_the_refinement(tmp_path):
    folder, read = a_sweep(tmp_path / "mine")
    failed = refine_crossing(folder, read, 0.5, 20, {}, Engine(failing=[17]), Listener())
    assert failed == {17: "no"}
    assert folder.read_plan().count == 24
