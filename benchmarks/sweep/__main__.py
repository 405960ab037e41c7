"""What sweeps cost: `python -m benchmarks.sweep`.

Writes `sweep.md`. The same cells trained by two processes, by one, and by two that share nothing,
by the clock (the machine must have two free cores); a plan of 10,000 cells made, and its folder
listed; the parent's memory; files and bytes of a cell. Nothing is asserted.

`--quick` measures plan and listing alone; `--copies` what is done with 5,000 finished cells, copies
of one: checked before a sweep goes on, read, written for TensorBoard. Neither writes a page.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.engine import machine
from benchmarks.timing import Figure, Target, table
from tacit.training.sweep.board.cells_board import write_board
from tacit.training.sweep.cell import CellOutcome, train_cell
from tacit.training.sweep.cell_table import read_results
from tacit.training.sweep.plan import SweepPlan
from tacit.training.sweep.processes import Processes
from tacit.training.sweep.sweep_folder import SweepFolder
from tacit.training.sweep.sweeping import make_plan, to_train, train_cells

PAGE = Path(__file__).parent / "sweep.md"
REPEATS = 3
SIDE = 8  # values along each axis of the sweep that is trained
SEEDS = 8
MANY = 100  # values along each axis of the sweep that is planned only


class Silent:
    """A listener that shows nothing."""

    def share(self, k: int, share: float) -> None: ...

    def ended(self, outcome: CellOutcome) -> None: ...

    def note(self, text: str) -> None: ...


def sweep_of(side: int, seeds: int) -> tuple[SweepPlan, dict[str, object]]:
    """A square of price changes and price mixes."""
    weights = ",".join(str(-k / side) for k in range(side))
    mixes = ",".join(str(k / side) for k in range(side))
    grids = [f"kpi.bidder.price_change={weights}", f"market.price_mix={mixes}"]
    return make_plan("volatility_kpi", grids, settings=[f"seeds={seeds}"], arms=["first_0"])


def trained(processes: int, cells: list[int]) -> tuple[float, Path]:
    """Cells a second, and the folder that was written."""
    plan, raw = sweep_of(SIDE, SEEDS)
    folder = SweepFolder(Path(tempfile.mkdtemp()) / "sweep")
    folder.write_plan(plan, raw)
    began = time.perf_counter()
    failed, _ = train_cells(folder, plan, Processes(processes), Silent(), cells)
    seconds = time.perf_counter() - began
    if failed:
        raise RuntimeError(f"cells failed: {failed}")
    return len(cells) / seconds, folder.path


def trained_apart() -> tuple[float, Path]:
    """Cells a second of two processes that know nothing of each other, each with half of them."""
    halves = [list(range(k, SIDE * SIDE, 2)) for k in (0, 1)]
    with ThreadPoolExecutor(2) as threads:
        began = time.perf_counter()
        paths = [path for _, path in threads.map(lambda half: trained(1, half), halves)]
        seconds = time.perf_counter() - began
    shutil.rmtree(paths[1].parent)
    return SIDE * SIDE / seconds, paths[0]


def side_by_side() -> list[Figure]:
    """The same cells by two processes, by one, and by two that share nothing but the machine."""
    every = list(range(SIDE * SIDE))
    one, first = trained(1, every)
    two, second = trained(2, every)
    apart, third = trained_apart()
    files = [path for path in (second / "cells").rglob("*") if path.is_file()]
    count = SIDE * SIDE
    figures = [
        Figure(
            f"{count} cells x {SEEDS} seeds of volatility_kpi, two processes",
            [60 * two], "cells/min", 1, "twice one process", [60 * 2 * one],
            Target(at_least=0.9, ratio=True),
        ),
        Figure(
            "the same", [60 * two], "cells/min", 1, "two processes apart, half each", [60 * apart],
            Target(at_least=0.9, ratio=True),
        ),
        Figure(f"files of a cell of {SEEDS} seeds", [len(files) / count], "files", 1),
        Figure(
            f"bytes of a cell of {SEEDS} seeds",
            [sum(path.stat().st_size for path in files) / count / 1e6], "MB", 2,
        ),
    ]  # fmt: skip
    for path in (first, second, third):
        shutil.rmtree(path.parent)
    return figures


def planned() -> list[Figure]:
    """A plan of many cells made and checked; its folder listed when all are done; memory."""
    making, listing = [], []
    for _ in range(REPEATS):
        began = time.perf_counter()
        plan, raw = sweep_of(MANY, SEEDS)
        making.append(time.perf_counter() - began)
    folder = SweepFolder(Path(tempfile.mkdtemp()) / "sweep")
    folder.write_plan(plan, raw)
    before = memory()
    for k in range(plan.count):
        run = folder.cell(plan, k)
        run.path.mkdir(parents=True)
        (run.path / "cell.json").touch()
    for _ in range(REPEATS):
        began = time.perf_counter()
        done = sum(folder.states(plan)) // 2
        listing.append(time.perf_counter() - began)
    if done != plan.count:
        raise RuntimeError(f"{done} cells are listed as done")
    grown = memory() - before
    shutil.rmtree(folder.path.parent)
    name = f"{plan.count:,} cells"
    return [
        Figure(f"{name}, planned and checked", making, "s", 2, target=Target(below=2.0)),
        Figure(f"{name}, listed", listing, "s", 2, target=Target(below=1.0)),
        Figure(f"{name}: memory that the parent grew by", [grown], "MB", 1),
    ]


def copied() -> list[Figure]:
    """Copies of a cell that was trained: checked, read, written for TensorBoard."""
    plan, raw = sweep_of(MANY, SEEDS)
    second = plan.axes[1]
    half = replace(second, values=second.values[: MANY // 2])
    plan = replace(plan, axes=(plan.axes[0], half))
    folder = SweepFolder(Path(tempfile.mkdtemp()) / "sweep")
    folder.write_plan(plan, raw)
    train_cell(folder, plan, 0, lambda _: None)
    trained_one, arm = folder.cell(plan, 0), plan.arms[0]
    no_pictures = shutil.ignore_patterns("*.png")
    for k in range(1, plan.count):
        copy = folder.cell(plan, k)
        shutil.copytree(
            trained_one.path / arm / "_band", copy.path / arm / "_band", ignore=no_pictures
        )
        shutil.copy(trained_one.summary, copy.summary)
        shutil.copy(trained_one.path / "cell.json", copy.path / "cell.json")
    name = f"{plan.count:,} cells of {SEEDS} seeds"
    tasks = {
        "checked before a sweep goes on": lambda: to_train(folder, plan),
        "summaries read": lambda: sum(1 for _ in read_results(folder, plan)),
        "written for TensorBoard": lambda: write_board(folder, plan),
        "written for TensorBoard, again": lambda: write_board(folder, plan),
    }
    figures = []
    for what, task in tasks.items():
        began = time.perf_counter(), time.process_time()
        task()
        spent = time.perf_counter() - began[0], time.process_time() - began[1]
        figures += [
            Figure(f"{name}, {what}", [spent[0]], "s", 2),
            Figure("  of one core", [spent[1]], "s", 2),
        ]
    board = [path for path in (folder.path / "board").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in board) / 1e6
    shutil.rmtree(folder.path.parent)
    return [*figures, Figure(f"{name}, bytes of the board", [size], "MB", 1)]


def memory() -> float:
    """The most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure, print, and write the page."""
    os.environ["TACIT_THREADS"] = "1"
    if "--copies" in sys.argv:
        print(table(copied()))
        return
    figures = planned()
    if "--quick" not in sys.argv:
        figures += side_by_side()
    text = table(figures)
    print(text)
    if "--quick" in sys.argv:
        return
    head = (
        "# What sweeps cost\n\n`python -m benchmarks.sweep` writes this page, in five minutes "
        f"on two free cores.\n\n{machine()}\n"
    )
    PAGE.write_text(f"{head}\n```\n{text}\n```\n", encoding="utf-8")


if __name__ == "__main__":
    main()
