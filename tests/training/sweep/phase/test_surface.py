"""Crossings of known surfaces, closed forms, intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tacit.training.sweep.phase.points import Points
from tacit.training.sweep.phase.surface import (
    distance_to_theory,
    first_crossing,
    interpolate,
    onset,
)


def surface(function, x=9, y=9, noise=0.0, x_end=1.0, y_end=2.0):
    """A measure that is a known function, at a grid of points."""
    grid_x, grid_y = np.meshgrid(np.linspace(0, x_end, x), np.linspace(0, y_end, y), indexing="ij")
    xs, ys = grid_x.ravel(), grid_y.ravel()
    mean = function(xs, ys)
    return Points(
        "market.x", "market.y", "m", xs, ys, mean, mean - noise, mean + noise, [8] * x * y
    )


def test_a_plane_is_crossed_where_it_is():
    # x + y / 2 = .6: y = 1.2 - 2 x
    found = onset(surface(lambda x, y: x + y / 2), 0.6)
    assert found.x.max() == pytest.approx(0.6, abs=1 / 60)  # the last place before y = 0
    assert found.y == pytest.approx(1.2 - 2 * found.x, abs=1e-9)


def test_the_error_on_a_curve_falls_with_the_square_of_the_distance():
    # y = level / x, as in a hyperbola
    def error(n):
        found = onset(surface(lambda x, y: (0.5 + x) * y, n, n), 0.8)
        return np.abs(found.y - 0.8 / (0.5 + found.x)).max()

    assert error(17) < error(9) / 3
    assert error(17) < 0.005


def test_the_interval_is_that_of_the_mean():
    found = onset(surface(lambda x, y: y, noise=0.1), 1.0)
    assert found.y == pytest.approx(1.0)
    assert found.low == pytest.approx(0.9)
    assert found.high == pytest.approx(1.1)


def test_an_interval_that_leaves_the_diagram_has_no_end():
    found = onset(surface(lambda x, y: y, noise=0.5), 0.2)
    assert found.y == pytest.approx(0.2)
    assert np.isnan(found.low).all()  # -.3, below the diagram


def test_a_surface_that_is_crossed_nowhere():
    assert len(onset(surface(lambda x, y: y), 5.0).x) == 0


def test_the_closed_form_is_found_by_halving():
    points = replace(surface(lambda x, y: y), theory=surface(lambda x, y: y).mean)
    found = onset(points, 1.0, lambda x, y: y * y)
    assert found.theory == pytest.approx(1.0, abs=1e-6)
    found = onset(points, 0.5, lambda x, y: y * y - x)
    assert found.theory == pytest.approx(np.sqrt(0.5 + found.x), abs=1e-6)
    # Without a function it is interpolated between the points, as the measure is.
    assert onset(points, 0.5).theory == pytest.approx(0.5)


def test_a_closed_form_that_is_undefined_in_places():
    points = surface(lambda x, y: y)
    found = onset(points, 1.0, lambda x, y: y if x < 0.5 else float("nan"))
    assert np.isfinite(found.theory).sum() == (found.x < 0.5).sum()


def test_the_distance_from_the_closed_form():
    points = surface(lambda x, y: y)
    found = onset(points, 1.0, lambda x, y: y - 0.01 * x)
    mean, most, places = distance_to_theory(found)
    assert (mean, most, places) == (
        pytest.approx(0.005, abs=1e-5),
        pytest.approx(0.01, abs=1e-5),
        61,
    )
    assert distance_to_theory(onset(points, 1.0)) is None


def test_values_between_points_do_not_depend_on_units():
    small = surface(lambda x, y: (x / 1e-5) * y, x_end=1e-5, y_end=1e5)
    at = interpolate(small, small.mean, np.array([0.33e-5]), np.array([0.5e5]))
    assert at == pytest.approx(0.33 * 0.5e5, rel=0.01)
    outside = interpolate(small, small.mean, np.array([2e-5]), np.array([0.5e5]))
    assert np.isnan(outside).all()


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ([0, 1, 2], 1.5),
        ([2, 1, 0], 0.5),
        ([0, 2, 0], 0.75),
        ([np.nan, 0, 2], 1.75),
        ([0, np.nan, 2], np.nan),
        ([0, 0, 0], np.nan),
    ],
)
def test_the_first_crossing(line, place):
    found = first_crossing(np.arange(3.0), np.array([line], float), 1.5)
    np.testing.assert_allclose(found, [place])
