"""Pictures of one arm, drawn from its measures. To add one: a function, and a line in `PORTRAITS`.

A function gets axes and the measures of summary.json, and says whether there was anything to draw.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Measures = Mapping[str, Mapping[str, Any]]
WIDTH, HEIGHT, DPI = 6.0, 4.0, 100
BLUE, RED, GREY = "#1b6ca8", "#c8553d", "#555555"


@dataclass(frozen=True)
class Picture:
    """A PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


def curve(measures: Measures, prefix: str) -> tuple[Any, Any, Any]:
    """Mean and ends of the interval of `prefix/0`, `prefix/1`, ... (a single seed has no ends)."""
    rows: list[tuple[float, float, float]] = []
    while (found := measures.get(f"{prefix}/{len(rows)}")) is not None:
        low, high = (found["mean"] if end is None else end for end in found["ci95"])
        rows.append((found["mean"], low, high))
    mean, low, high = np.array(rows).reshape(-1, 3).T
    return mean, low, high


def impulse_response(axis: Any, measures: Measures) -> bool:
    """Conduct after a deviation in round 1: deviator, rivals, and the path without it."""
    drawn = (("rival", "rivals", BLUE, "-"), ("deviator", "deviator", RED, "--"))
    if "impulse/path/0" not in measures:
        return False
    for part, label, colour, style in drawn:
        mean, low, high = curve(measures, f"impulse/{part}")
        t = np.arange(len(mean))
        axis.plot(t, mean, style, color=colour, marker="o", ms=4, label=label)
        axis.fill_between(t, low, high, color=colour, alpha=0.15, lw=0)
    mean, _, _ = curve(measures, "impulse/path")
    axis.plot(np.arange(len(mean)), mean, ":", color=GREY, label="path without the deviation")
    axis.set(xlabel="round (1: the deviation)", ylabel="conduct (price, bid)")
    return True


def mirror_against_learned(axis: Any, measures: Measures) -> bool:
    """What best responders to the fundamental and to the KPI settle on, beside what was learned."""
    names = [name.removeprefix("mirror/") for name in measures if name.startswith("mirror/")]
    if not names:
        return False
    for k, name in enumerate(names):
        mirror, low, high, kpi, harm = (
            measures[f"{part}/{name}"]["mean"]
            for part in ("mirror", "mirror_low", "mirror_high", "harm_kpi", "harm")
        )
        ideal = mirror + kpi
        ends = [harm if end is None else end for end in measures[f"harm/{name}"]["ci95"]]
        points = (
            (-0.2, ideal, (ideal, ideal), "D", GREY, "mirror of the fundamental"),
            (0.0, mirror, (low, high), "s", BLUE, "mirror of the KPI, 10-90 % of starts"),
            (0.2, ideal - harm, (ideal - ends[1], ideal - ends[0]), "o", RED, "learned, 95 %"),
        )
        for shift, mean, between, marker, colour, label in points:
            axis.vlines(k + shift, *between, color=colour, lw=1.5)
            axis.plot(k + shift, mean, marker, color=colour, label=None if k else label)
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="long-run mean")
    return True


# name -> what its measures begin with, and the function
PORTRAITS: dict[str, tuple[str, Callable[[Any, Measures], bool]]] = {
    "impulse_response": ("impulse/", impulse_response),
    "mirror_against_learned": ("mirror/", mirror_against_learned),
}


def draw(name: str, measures: Measures) -> dict[str, Picture]:
    """Every picture that an arm's measures allow, by name."""
    from matplotlib.figure import Figure

    made = {}
    for tag, (prefix, paint) in PORTRAITS.items():
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
        axis = figure.subplots()
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        if not paint(axis, measures):
            continue
        seeds = max(measure["n"] for key, measure in measures.items() if key.startswith(prefix))
        axis.set_title(f"{name}: {tag.replace('_', ' ')}, mean, 95 %, n = {seeds}", fontsize=10)
        axis.legend(frameon=False, fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        made[tag] = Picture(buffer.getvalue(), int(WIDTH * DPI), int(HEIGHT * DPI))
    return made
