"""Learned chances beside the curve of their closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.board.bands import by_role
from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.references import Figure
from tacit.training.runs.summary import estimate_of

from .figure_style import COLOURS, new_figure, put_title

POINTS = 241  # of a curve


def theory_panels(experiment: Experiment, arms: Mapping[str, dict[str, Any]], spec: Figure) -> Any:
    """A panel for each of `spec.panels`; None where no arm of theirs was run."""
    shown = [(p, [a for a in p.arms if a in experiment.arms and a in arms]) for p in spec.panels]
    shown = [(panel, names) for panel, names in shown if names]
    if not shown:
        return None
    figure, axes = new_figure(len(shown))
    seeds = set()
    for axis, (panel, names) in zip(axes, shown, strict=True):
        x = [float(np.ravel(by_role(experiment.arms[a])[panel.x])[0]) for a in names]
        for y, colour in zip(panel.y, COLOURS, strict=False):
            low, high = min(x), max(x)
            room = 0.15 * (high - low) or 0.1
            at = np.linspace(max(0.0, low - room), high + room, POINTS)
            axis.plot(at, curve(experiment.arms[names[0]], panel.x, y, at), color=colour)
            points = [(v, estimate_of(arms[a], y)) for v, a in zip(x, names, strict=True)]
            found = [(v, e) for v, e in points if e is not None]
            seeds |= {e.n for _, e in found}
            spread = [[e.mean - e.low for _, e in found], [e.high - e.mean for _, e in found]]
            axis.errorbar(
                [v for v, _ in found], [e.mean for _, e in found], spread, color=colour, fmt="o",
                ms=5, capsize=3, label=y.replace("_", " "),
            )  # fmt: skip
        axis.set(xlabel=panel.x_label or panel.x, ylabel=panel.y_label, ylim=(-0.03, 1.03))
        axis.legend(frameon=False, fontsize=9)
    n = "/".join(str(k) for k in sorted(seeds))
    put_title(figure, experiment, f"lines: closed form; points: learned, 95 %, n = {n} seeds")
    return figure


def curve(arm: Arm, key: str, figure: str, at: Any) -> list[float]:
    """The closed form over one key of the market; NaN where it does not hold."""
    group, _, name = key.partition(".")
    if group != "market":
        raise ConfigError(f"figure.panels: x must be a key of the market, got {key}.")
    values = []
    for x in at.tolist():
        settings = {**arm.plain["market"], name: x}
        try:
            market = make_market(settings.pop("name"), settings)
            values.append(market.analysis.theory().get(figure, np.nan))
        except ConfigError:
            values.append(np.nan)
    return values
