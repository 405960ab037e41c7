"""The figure of `tacit screen`: margins with the hole at zero, D(rho), and cv over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.training.board.plot_style import BLUE, RED, new_figure, save

from .screening import WINDOW, Screening

REACH, BINS = 0.02, 40  # margins from -2 % to 2 %, further where bids lie further apart
CURVE = np.linspace(-0.1, 0.1, 81)  # the rho at which D is drawn
TICKS = 5  # dates named on the axis of time


def draw(done: Screening, path: Path) -> None:
    """Draw it as PNG; the folder is made.

    Raises:
        ConfigError: it cannot be written.
    """
    dated = len(done.rolling[1]) > 0
    figure, axes = new_figure(2 + dated)
    _margins(axes[0], done)
    _demand(axes[1], done)
    if dated:
        _rolling(axes[2], done)
    found = done.survey
    figure.suptitle(f"{done.path.name}: {found.bids:,} bids in {found.tenders:,} tenders")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(figure, path, dpi=140)
    except OSError as error:
        raise ConfigError(f"--results: {path} cannot be written: {error.strerror}.") from None


def _margins(axis: Any, done: Screening) -> None:
    """How far bids were from winning or losing, beside the control."""
    found = done.survey
    # At least a quarter of the bids is shown.
    reach = max(REACH, float(np.quantile(np.abs(found.margins), 0.25)))
    edges = np.linspace(-reach, reach, BINS + 1)
    own, _ = np.histogram(found.margins, edges)
    control, _ = np.histogram(found.control_margins, edges)
    axis.stairs(own, edges, fill=True, color=BLUE, alpha=0.85, label="bids")
    # The control is of several deals: scaled to the number of bids of one.
    share = len(found.margins) / len(found.control_margins)
    axis.stairs(control * share, edges, color=RED, lw=1.6, label="dealt anew (control)")
    axis.axvline(0.0, color="black", lw=0.8, ls=":")
    axis.set(xlabel="margin: best other bid / bid - 1", ylabel="bids")
    axis.set_title("losing by a margin  |  winning by a margin", fontsize=10)
    axis.legend(frameon=False, fontsize=8)


def _demand(axis: Any, done: Screening) -> None:
    """D(rho): the share of bids that would still win alone if they were multiplied by 1 + rho."""
    for margins, colour, label in (
        (done.survey.margins, BLUE, "bids"),
        (done.survey.control_margins, RED, "dealt anew (control)"),
    ):
        ordered = np.sort(margins)
        left = np.searchsorted(ordered, CURVE, "left")
        right = np.searchsorted(ordered, CURVE, "right")
        # A tie counts half.
        axis.plot(CURVE, 1.0 - (left + right) / (2 * len(ordered)), color=colour, label=label)
    for reading in done.survey.readings:
        if reading.name.startswith("D("):
            rho, e = float(reading.name[2:-1]), reading.value
            axis.errorbar([rho], [e.mean], [[e.mean - e.low], [e.high - e.mean]],
                          color="black", marker="o", ms=3, capsize=3)  # fmt: skip
    axis.set(xlabel="rho", ylabel="D(rho)")
    axis.set_title("share of bids that win alone, times 1 + rho", fontsize=10)
    axis.set_xlim(CURVE[0], CURVE[-1])
    axis.legend(frameon=False, fontsize=8)


def _rolling(axis: Any, done: Screening) -> None:
    """The cv of bids over time."""
    last, values = done.rolling
    axis.plot(last, values, color=BLUE)
    dates = done.bids.dates or []
    places = np.linspace(int(last[0]), int(last[-1]), TICKS).astype(int)
    axis.set_xticks(places, [dates[k] for k in places], fontsize=8, rotation=20)
    axis.set(xlabel="last tender of the window", ylabel=f"median cv of {WINDOW} tenders")
    axis.set_ylim(bottom=0)
