"""Plots of arms: drawn from the measures of runs, as PNG of the size that they say."""

from __future__ import annotations

import struct

import pytest
from matplotlib.figure import Figure
from support.boards import Board
from support.training_fixtures import small

from tacit.envs.registry import SHIPPED
from tacit.training.board.plots import (
    DPI,
    HEIGHT,
    PLOTS,
    WIDTH,
    curve,
    draw_plots,
    mirror_against_learned,
)

pytestmark = [pytest.mark.plots("rendered"), pytest.mark.full_mirror]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SHORT = ("train.rounds=2000", "train.measure_last=500")
# The plots of a market's default experiment; of a market that is not named here, whatever it has.
ALLOWED = {
    "ad_auction": [*PLOTS],
    "cloud_bandwidth": [*PLOTS],
    "procurement": ["mirror_against_learned"],
    "quantity_competition": [*PLOTS],
    "cheap_talk": [],
    "hiring": ["mirror_against_learned"],
    "delivery_slots": ["mirror_against_learned"],
}


def size(png: bytes) -> tuple[int, int]:
    """Width and height, from a PNG's first chunk."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.slow
@pytest.mark.parametrize("market", sorted(SHIPPED))
def test_every_plot_that_the_measures_allow_lies_beside_the_band(market, tmp_path):
    found = small(tmp_path, *SHORT, config={"market": market}, name="one")
    allowed = [
        name
        for name, (prefix, _) in PLOTS.items()
        if any(measure.startswith(prefix) for measure in found["measures"])
    ]
    assert allowed == ALLOWED.get(market, allowed)
    band = tmp_path / "one/base/_band"
    assert sorted(path.stem for path in band.glob("*.png")) == sorted(allowed)
    board = Board(tmp_path / "one")
    for name in allowed:
        png = (band / f"{name}.png").read_bytes()
        assert png.startswith(SIGNATURE)
        assert size(png) == (int(WIDTH * DPI), int(HEIGHT * DPI))
        (event,) = board.events.Tensors("base/_band", name)
        width, height, shown = event.tensor_proto.string_val
        assert (int(width), int(height), shown) == (*size(png), png)


def test_without_measures_nothing_is_drawn():
    assert draw_plots("base", {"profit": {"mean": 1.0, "ci95": [0.5, 1.5], "n": 2}}) == {}


def test_a_curve_of_one_seed_has_no_width():
    def entry(mean: float, ends: list[float | None]) -> dict[str, object]:
        return {"mean": mean, "ci95": ends, "n": 1}

    measures = {"a/0": entry(1.0, [0.5, 2.0]), "a/1": entry(3.0, [None, None]), "a/3": {}}
    mean, low, high = curve(measures, "a")
    assert (mean.tolist(), low.tolist(), high.tolist()) == ([1.0, 3.0], [0.5, 3.0], [2.0, 3.0])


def test_the_mirror_lies_between_what_the_owner_wants_and_what_was_learned():
    """Harm counts down from the mirror of the fundamental: .5 + .3 = .8, and .8 - .35 = .45."""
    interval = {"mirror": 0.5, "mirror_low": 0.4, "mirror_high": 0.6, "harm_kpi": 0.3}
    measures = {
        f"{name}/profit": {"mean": x, "ci95": [x, x], "n": 4} for name, x in interval.items()
    }
    measures["harm/profit"] = {"mean": 0.35, "ci95": [0.3, 0.4], "n": 4}
    axis = Figure().subplots()
    assert mirror_against_learned(axis, measures)
    ideal, mirror, learned = (float(line.get_ydata()[0]) for line in axis.lines)
    assert (ideal, mirror, learned) == pytest.approx((0.8, 0.5, 0.45))
    ends = [lines.get_segments()[0][:, 1].tolist() for lines in axis.collections]
    assert ends == [pytest.approx(x) for x in ([0.8, 0.8], [0.4, 0.6], [0.4, 0.5])]
