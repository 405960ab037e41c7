"""How figures look: colours, axes, titles."""

from __future__ import annotations

import warnings
from textwrap import fill
from typing import Any

from tacit.training.config.arms import Experiment

BLUE, RED, GREEN, VIOLET, GOLD, GREY = COLOURS = (
    "#1b6ca8", "#c8553d", "#3c8d5a", "#8e5ea2", "#b8860b", "#555555",
)  # fmt: skip
HEIGHT = 4.2  # inches


def new_figure(panels: int, width: float = 5.6) -> tuple[Any, Any]:
    """A Matplotlib figure and its axes, side by side; width of a panel in inches."""
    # Not through pyplot: it keeps every figure alive, and it is not safe to use from threads.
    import matplotlib
    from matplotlib.figure import Figure

    # A user's question may hold a dollar sign, which would begin a formula.
    matplotlib.rcParams["text.parse_math"] = False
    figure = Figure(figsize=(width * panels, HEIGHT), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        plain_axis(axis)
    return figure, axes


def save(figure: Any, target: Any, **options: Any) -> None:
    """Write a figure to a file or a buffer; `options` as of Matplotlib's `savefig`.

    A letter that Matplotlib's font has not, of an arm in Japanese say, is drawn as a box. A user
    cannot do anything about the warning that Matplotlib gives for each.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        figure.savefig(target, **options)


def plain_axis(axis: Any) -> None:
    """No frame above and to the right, a faint grid."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)


def put_title(figure: Any, experiment: Experiment, note: str, letters: int = 60) -> None:
    """Put the experiment's question above all panels, wrapped at so many letters a panel."""
    title = f"{experiment.headline or experiment.name}  ({note})"
    figure.suptitle(fill(title, letters * len(figure.axes)))
