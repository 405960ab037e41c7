"""How figures look."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from tacit.training.config.arms import Experiment

COLOURS = ("#1b6ca8", "#c8553d", "#3c8d5a", "#8e5ea2", "#b8860b", "#555555")


def new_figure(panels: int, width: float = 5.6) -> tuple[Any, Any]:
    """A figure and its axes, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * panels, 4.2), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, axes


def put_title(figure: Any, experiment: Experiment, note: str, letters: int = 60) -> None:
    """The question above all panels, wrapped to their width."""
    title = f"{experiment.file.question or experiment.name}  ({note})"
    figure.suptitle(fill(title, letters * len(figure.axes)))
