"""The price over time in a run of `breaker_drill`, arm by arm, from its event files.

Curves are those of the branch that went on. A seed that was stopped keeps its last reading from
there on, drawn as part of the mean: nobody learns on in it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tacit.emergence.stats import student
from tacit.training.board.plot_style import BLUE, GREEN, GREY, RED, new_figure
from tacit.training.board.read_scalars import read_scalars
from tacit.training.runs.evaluation import evaluation_points
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

TAG = "measure/market/clearing_price"
ARMS = {
    "unguarded": ("no breaker", GREY),
    "again": ("breaker, no redirect (stopped in the end)", RED),
    "redirected": ("breaker, another KPI", BLUE),
    "forgotten": ("breaker, another KPI, memory reset", GREEN),
}


def draw_over_time(run: Path, path: Path) -> None:
    """Draw mean clearing price and 95 % interval over rounds.

    Args:
        run: the folder of a finished run.
        path: of the PNG.
    """
    folder = RunFolder(run)
    arms = read_experiment(folder).arms
    figure, (axis,) = new_figure(1, width=8.0)
    for name, (label, colour) in ARMS.items():
        arm = arms[name]
        points = evaluation_points(arm.train)
        curves = []
        for k in range(arm.seeds):
            found = read_scalars(folder.seed(name, k), {TAG})
            known = {step: value for (_, step), value in found.items()}
            values, last = [], float("nan")
            for point in points:
                last = known.get(point, last)
                values.append(last)
            curves.append(values)
        bands = [student(column) for column in np.array(curves).T]
        axis.plot(points, [b.mean for b in bands], color=colour, label=f"{label} (n = {arm.seeds})")
        low, high = [b.low for b in bands], [b.high for b in bands]
        axis.fill_between(points, low, high, color=colour, alpha=0.15, lw=0)
    axis.set_xlabel("rounds")
    axis.set_ylabel("clearing price (competition: .95)")
    axis.set_ylim(0, 1)
    axis.legend(fontsize=8, frameon=False, loc="lower left")
    figure.suptitle("A KPI on price volatility, with and without a breaker", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    print(path)
