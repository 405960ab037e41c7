"""The figure of a phase diagram."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.training.board.plot_style import GREY, RED, new_figure

from .points import Points
from .surface import Onset, interpolate

CELLS = 241  # colours along each axis of the heat map
BLACK = "black"


def draw_phase(points: Points, level: float, found: Onset, title: str) -> Any:
    """Heat map of the measure, its crossing of the level with an interval, and the cells.

    Args:
        points: the cells.
        level: that is crossed.
        found: where.
        title: above the figure.

    Returns:
        A Matplotlib figure.
    """
    figure, (axis,) = new_figure(1, width=6.4)
    x = np.linspace(points.x.min(), points.x.max(), CELLS)
    y = np.linspace(points.y.min(), points.y.max(), CELLS)
    grid_x, grid_y = np.meshgrid(x, y)
    values = interpolate(points, points.mean, grid_x, grid_y)
    heat = axis.pcolormesh(x, y, values, cmap="viridis", shading="nearest", rasterized=True)
    figure.colorbar(heat, ax=axis, label=points.measure.replace("_", " "))
    interval = (interpolate(points, v, grid_x, grid_y) >= level for v in (points.low, points.high))
    low, high = interval
    # Where one end of the interval is above the level and the other below, it is undecided.
    axis.contourf(x, y, (low != high).astype(float), levels=[0.5, 1.5], colors="white", alpha=0.35)
    axis.contour(x, y, values, levels=[level], colors=RED, linewidths=2)
    axis.plot([], [], color=RED, lw=2, label=f"{points.measure.replace('_', ' ')} = {level:g}")
    axis.fill_between([], [], color=GREY, alpha=0.3, label="its interval holds the level")
    if np.isfinite(found.theory).any():
        axis.plot(found.x, found.theory, "--", color=BLACK, lw=1.5, label="closed form")
    axis.plot(
        points.x,
        points.y,
        ".",
        color="white",
        ms=4,
        clip_on=False,
        mec=GREY,
        mew=0.4,
        label="cells",
    )
    axis.set(xlabel=_label(points.x_key), ylabel=_label(points.y_key))
    axis.grid(visible=False)
    axis.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    figure.legend(fontsize=8, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(title)
    return figure


def _label(key: str) -> str:
    """`kpi.bidder.price_change` as it is read: `bidder: price change`."""
    *group, last = key.split(".")[1:] or [key]
    where = f"{' '.join(group)}: " if group else ""
    return (where + last).replace("_", " ")
