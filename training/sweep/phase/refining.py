"""Which cells to add, so that a crossing is drawn more exactly.

The library `adaptive` (Nijholt, Weston, Hoofwijk, Akhmerov, 2019, doi:10.5281/zenodo.1182437)
chooses points where its loss is greatest. A *fresh* learner is told the whole table, sorted, and
asked for a few points, so that the next points are a function of the table alone: not of the order
in which cells were trained, nor of where a sweep was interrupted. Triangles on which the level is
not crossed count little.
"""

from __future__ import annotations

import numpy as np

from tacit.envs.errors import ConfigError

from .points import Points

AT_A_TIME = 8  # points of a round
FIRST = 16  # points that a grid must have before: refinement misses features that it never met
DIGITS = 6  # significant digits of a setting
FAR = 0.1  # weight of a triangle that the level does not cross


def next_points(points: Points, level: float, count: int) -> list[tuple[float, float]]:
    """Points to add.

    Args:
        points: what is known.
        level: whose crossing is drawn.
        count: at most so many points.

    Returns:
        x and y of each; none that is known already.

    Raises:
        ConfigError: the library is missing, or too few points are known.
    """
    if len(points.x) < FIRST:
        raise ConfigError(
            f"--refine: a grid of at least {FIRST} cells comes first, this one has {len(points.x)}."
        )
    try:
        from adaptive.learner import learner2D
    except ImportError:
        raise ConfigError(
            "--refine: needs the library adaptive: pip install 'tacit[sweep]'."
        ) from None
    bounds = [(float(v.min()), float(v.max())) for v in (points.x, points.y)]
    loss = learner2D.thresholded_loss_function(level, level, FAR)
    learner = learner2D.Learner2D(None, bounds, loss)
    known = sorted(zip(points.x.tolist(), points.y.tolist(), points.mean.tolist(), strict=True))
    for x, y, value in known:
        learner.tell((x, y), value)
    places = {(x, y) for x, y, _ in known}
    found: list[tuple[float, float]] = []
    for x, y in learner.ask(count)[0]:
        place = (_rounded(x, bounds[0]), _rounded(y, bounds[1]))
        if place not in places:
            places.add(place)
            found.append(place)
    return found


def _rounded(value: float, bounds: tuple[float, float]) -> float:
    """A setting of few digits within its bounds."""
    return float(np.clip(float(f"{value:.{DIGITS}g}"), *bounds))
