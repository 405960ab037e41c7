"""Plots of one arm, drawn from its measures. To add one: a function, and a line in `PLOTS`.

Such a function takes axes and the measures of summary.json, and returns whether there was anything
to draw.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.envs.types import Floats

from .plot_style import BLUE, GREY, RED, plain_axis, save

Measures = Mapping[str, Mapping[str, Any]]
WIDTH, HEIGHT, DPI = 6.0, 4.0, 100  # inches, inches, pixels per inch
APART = 0.2  # between the three markers of one measure; measures lie 1 apart


@dataclass(frozen=True)
class Picture:
    """A plot as PNG.

    Attributes:
        png: the file's bytes.
        width: pixels.
        height: pixels.
    """

    png: bytes
    width: int
    height: int


def curve(measures: Measures, prefix: str) -> tuple[Floats, Floats, Floats]:
    """Mean and lower and upper end of the interval of `prefix/0`, `prefix/1`, ..., float64 `[n]`.

    With a single seed, whose interval has no ends, all three are the mean.
    """
    rows: list[tuple[float, float, float]] = []
    while (found := measures.get(f"{prefix}/{len(rows)}")) is not None:
        low, high = (found["mean"] if end is None else end for end in found["ci95"])
        rows.append((found["mean"], low, high))
    mean, low, high = np.array(rows).reshape(-1, 3).T
    return mean, low, high


def impulse_response(axis: Any, measures: Measures) -> bool:
    """Conduct after a deviation in round 1: of the deviator, of rivals, of the path without it."""
    if "impulse/path/0" not in measures:
        return False
    drawn = (("rival", "rivals", BLUE, "-"), ("deviator", "deviator", RED, "--"))
    for part, label, colour, style in drawn:
        mean, low, high = curve(measures, f"impulse/{part}")
        rounds = np.arange(len(mean))
        axis.plot(rounds, mean, style, color=colour, marker="o", ms=4, label=label)
        axis.fill_between(rounds, low, high, color=colour, alpha=0.15, lw=0)
    mean, _, _ = curve(measures, "impulse/path")
    axis.plot(np.arange(len(mean)), mean, ":", color=GREY, label="path without the deviation")
    axis.set(xlabel="round (1: the deviation)", ylabel="conduct (price, bid)")
    return True


def mirror_against_learned(axis: Any, measures: Measures) -> bool:
    """What best responders to the fundamental and to the KPI settle on, beside what was learned."""
    names = [name.removeprefix("mirror/") for name in measures if name.startswith("mirror/")]
    if not names:
        return False
    for place, name in enumerate(names):
        mirror, low, high, harm_kpi, harm = (
            measures[f"{part}/{name}"]["mean"]
            for part in ("mirror", "mirror_low", "mirror_high", "harm_kpi", "harm")
        )
        # Harm is counted from the mirror of the fundamental, the KPI's share and the whole alike.
        ideal = mirror + harm_kpi
        harm_low, harm_high = (
            harm if end is None else end for end in measures[f"harm/{name}"]["ci95"]
        )
        markers = (
            (-APART, ideal, (ideal, ideal), "D", GREY, "mirror of the fundamental"),
            (0.0, mirror, (low, high), "s", BLUE, "mirror of the KPI, 10-90 % of starts"),
            (APART, ideal - harm, (ideal - harm_high, ideal - harm_low), "o", RED, "learned, 95 %"),
        )
        for shift, mean, ends, marker, colour, label in markers:
            axis.vlines(place + shift, *ends, color=colour, lw=1.5)
            # The legend has every label once, from the first measure.
            own_label = label if place == 0 else None
            axis.plot(place + shift, mean, marker, color=colour, label=own_label)
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="long-run mean")
    return True


# name: what the names of its measures begin with, and the function that draws it (see `READ`)
PLOTS: dict[str, tuple[str, Callable[[Any, Measures], bool]]] = {
    "impulse_response": ("impulse/", impulse_response),
    "mirror_against_learned": ("mirror/", mirror_against_learned),
}


# What the names of all measures begin with that functions of `PLOTS` read.
READ = ("impulse/", "mirror/", "mirror_low/", "mirror_high/", "harm/", "harm_kpi/")


def drawn_from(measures: Measures) -> dict[str, dict[str, Any]]:
    """What plots are drawn from: of the measures that they read, all but the single seeds."""
    return {
        name: {part: own[part] for part in ("mean", "ci95", "n")}
        for name, own in measures.items()
        if name.startswith(READ)
    }


def draw_plots(arm: str, measures: Measures) -> dict[str, Picture]:
    """Every plot that an arm's measures allow, by name."""
    pictures, measures = {}, drawn_from(measures)
    for name in PLOTS:
        picture = _draw(arm, name, measures)
        if picture is not None:
            pictures[name] = picture
    return pictures


def _draw(arm: str, name: str, measures: Measures) -> Picture | None:
    from matplotlib.figure import Figure

    prefix, draw_on = PLOTS[name]
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    plain_axis(axis)
    if not draw_on(axis, measures):
        return None
    seeds = max(measure["n"] for key, measure in measures.items() if key.startswith(prefix))
    axis.set_title(f"{arm}: {name.replace('_', ' ')}, mean, 95 %, n = {seeds}", fontsize=10)
    axis.legend(frameon=False, fontsize=8)
    buffer = io.BytesIO()
    save(figure, buffer, format="png")
    return Picture(buffer.getvalue(), int(WIDTH * DPI), int(HEIGHT * DPI))
