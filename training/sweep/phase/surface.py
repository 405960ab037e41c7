"""The measure between the points of a plane, and where it crosses a level.

Between points the measure is taken as linear on the triangles of a Delaunay triangulation, whose
axes are scaled to [0, 1]. So the crossing is exact where the measure is linear, and its error falls
with the square of the distance between points where it is smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Floats

from .closed_form import ClosedForm
from .points import Points

LINES = 61  # values of x at which the crossing is looked for
STEPS = 2_001  # values of y that are looked at along each
COARSE = 20  # steps along y in which the crossing of a closed form is looked for
HALVED = 20  # times that the step with the crossing is halved


@dataclass(frozen=True)
class Onset:
    """Where the measure first crosses the level, from below along y.

    Attributes:
        x: where, float64 `[M]`: only those at which it or its closed form crosses.
        y: the crossing of the mean, float64 `[M]`; NaN where only the closed form crosses.
        low: the lower end of its interval, float64 `[M]`: where one end of the mean's interval
            crosses the level; NaN where it does not within the diagram.
        high: the upper end of its interval, float64 `[M]`, likewise.
        theory: the crossing of the closed form, float64 `[M]`; NaN where there is none.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats
    theory: Floats


def interpolate(points: Points, values: Floats, x: Floats, y: Floats) -> Floats:
    """Values at other places of the plane.

    Args:
        points: where the values are known.
        values: there, float64 `[N]`.
        x: of the other places, float64 `[...]`.
        y: of the other places, float64 `[...]`.

    Returns:
        float64 `[...]`; NaN outside the points' convex hull.
    """
    from scipy.interpolate import LinearNDInterpolator

    known = np.column_stack([_scaled(points.x, points.x), _scaled(points.y, points.y)])
    wanted = np.stack([_scaled(x, points.x), _scaled(y, points.y)], axis=-1)
    found: Floats = LinearNDInterpolator(known, values)(wanted)
    return found


def _scaled(values: Floats, of: Floats) -> Floats:
    scaled: Floats = (values - of.min()) / (of.max() - of.min())
    return scaled


def onset(points: Points, level: float, closed: ClosedForm | None = None) -> Onset:
    """Where the measure crosses a level, at evenly spaced x.

    Args:
        points: where the measure is known.
        level: that is crossed.
        closed: its closed form; by default what `points` know of it, interpolated likewise.
    """
    x = np.linspace(points.x.min(), points.x.max(), LINES)
    y = np.linspace(points.y.min(), points.y.max(), STEPS)
    grid_x, grid_y = np.meshgrid(x, y, indexing="ij")

    def crossing(values: Floats) -> Floats:
        return first_crossing(y, interpolate(points, values, grid_x, grid_y), level)

    mean = crossing(points.mean)
    ends = np.stack([crossing(points.low), crossing(points.high)])
    theory = np.full(len(x), np.nan)
    if closed is not None:
        theory = np.array([_closed_crossing(closed, each, y, level) for each in x])
    elif points.theory is not None:
        theory = crossing(points.theory)
    # A missing end stays unknown: an interval that leaves the diagram has no end within it.
    low, high = np.minimum(*ends), np.maximum(*ends)
    has = np.isfinite(mean) | np.isfinite(theory)
    return Onset(x[has], mean[has], low[has], high[has], theory[has])


def _closed_crossing(closed: ClosedForm, x: float, y: Floats, level: float) -> float:
    """The first y at which a closed form crosses a level: looked for in steps, then halved."""
    coarse = y[:: len(y) // COARSE]
    values = np.array([closed(x, each) for each in coarse])
    above, known = values >= level, np.isfinite(values)
    steps = np.flatnonzero((above[:-1] != above[1:]) & known[:-1] & known[1:])
    if not steps.size:
        return float("nan")
    low, high, is_above = coarse[steps[0]], coarse[steps[0] + 1], above[steps[0]]
    for _ in range(HALVED):
        middle = (low + high) / 2
        low, high = (middle, high) if (closed(x, middle) >= level) == is_above else (low, middle)
    return float((low + high) / 2)


def first_crossing(y: Floats, values: Floats, level: float) -> Floats:
    """The first place along the second axis at which values cross a level.

    Args:
        y: places, ascending, float64 `[K]`.
        values: float64 `[M, K]`; NaN where unknown.
        level: that is crossed, in either direction.

    Returns:
        float64 `[M]`, interpolated linearly; NaN where it is not crossed.
    """
    found = np.full(len(values), np.nan)
    for row, line in enumerate(values):
        above = line >= level
        known = np.isfinite(line)
        steps = np.flatnonzero((above[:-1] != above[1:]) & known[:-1] & known[1:])
        if steps.size:
            k = steps[0]
            share = (level - line[k]) / (line[k + 1] - line[k])
            found[row] = y[k] + share * (y[k + 1] - y[k])
    return found


def distance_to_theory(found: Onset) -> tuple[float, float, int] | None:
    """Mean and largest distance along y of the crossing from that of the closed form, and at how
    many x; None where the closed form does not cross."""
    apart = np.abs(found.y - found.theory)
    apart = apart[np.isfinite(apart)]
    return (float(apart.mean()), float(apart.max()), len(apart)) if apart.size else None
