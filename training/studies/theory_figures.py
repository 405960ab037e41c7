"""Learned probabilities beside the curve of their closed form, or of what is computed for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tacit.emergence.anchored.equilibrium import equilibria
from tacit.emergence.stats import Estimate
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.types import Floats
from tacit.training.board.plot_style import COLOURS, new_figure, put_title
from tacit.training.config.arm_settings import settings_by_role
from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.references import Figure, Panel
from tacit.training.outcome.summary import estimate_of

ArmSummaries = Mapping[str, Mapping[str, Any]]  # parts of summary.json by arm
POINTS = 241  # of a curve
ANCHOR = ".anchor.weight"  # ends the key of an anchor's weight
TICK_ROOM = 0.07  # of the axis, that a label takes
ANCHORED_POINTS = 41  # of a curve of computed anchored equilibria
MARGIN = 0.15  # of the range of x, that a curve reaches beyond the first and the last arm
PROBABILITY = (-0.03, 1.03)  # the y-axis, with room for the markers at 0 and 1


def theory_panels(experiment: Experiment, arms: ArmSummaries, spec: Figure) -> Any:
    """A Matplotlib figure, a panel for each of `spec.panels`; None if none of their arms ran."""
    run = [(panel, [a for a in panel.arms if a in experiment.arms and a in arms])
           for panel in spec.panels]  # fmt: skip
    run = [(panel, names) for panel, names in run if names]
    if not run:
        return None
    figure, axes = new_figure(len(run))
    seeds: set[int] = set()
    for axis, (panel, names) in zip(axes, run, strict=True):
        seeds |= _draw_panel(axis, panel, {a: experiment.arms[a] for a in names}, arms)
    n = "/".join(str(k) for k in sorted(seeds))
    what = "computed" if any(p.x.endswith(ANCHOR) for p, _ in run) else "closed form"
    put_title(figure, experiment, f"lines: {what}; points: learned, 95 %, n = {n} seeds")
    return figure


def _draw_panel(axis: Any, panel: Panel, run: Mapping[str, Arm], arms: ArmSummaries) -> set[int]:
    """One panel; returns the numbers of seeds of its points."""
    # A setting that is a list stands for its first entry.
    x = {name: float(np.ravel(settings_by_role(arm)[panel.x])[0]) for name, arm in run.items()}
    low, high = min(x.values()), max(x.values())
    first = next(iter(run.values()))
    is_weight = panel.x.endswith(ANCHOR)
    if is_weight:
        at = np.geomspace(low, high, ANCHORED_POINTS)
        curves = anchored_curves(first, at)
        axis.set_xscale("log")
        # Plain labels: Matplotlib writes powers of ten as formulas, which figures here do not set.
        axis.set_xticks(sorted(x.values()), tick_labels(sorted(x.values())))
        axis.minorticks_off()
    else:
        room = MARGIN * (high - low) or 0.1
        at = np.linspace(max(0.0, low - room), high + room, POINTS)
        curves = {y: theory_curve(first, panel.x, y, at) for y in panel.y}
    seeds: set[int] = set()
    for y, colour in zip(panel.y, COLOURS, strict=False):
        axis.plot(at, curves[y], color=colour)
        if is_weight:  # dotted: the closed form without anchors
            level = first.market.analysis.theory().get(y, np.nan)
            axis.axhline(level, color=colour, ls=":", lw=1)
        points: list[tuple[float, Estimate]] = []
        for name in run:
            estimate = estimate_of(arms[name], y)
            if estimate is not None:
                points.append((x[name], estimate))
        seeds |= {e.n for _, e in points}
        spread = [[e.mean - e.low for _, e in points], [e.high - e.mean for _, e in points]]
        axis.errorbar(
            [v for v, _ in points], [e.mean for _, e in points], spread, color=colour, fmt="o",
            ms=5, capsize=3, label=y.replace("_", " "),
        )  # fmt: skip
    axis.set(xlabel=panel.x_label or panel.x, ylabel=panel.y_label, ylim=PROBABILITY)
    axis.legend(frameon=False, fontsize=9)
    return seeds


def tick_labels(weights: Sequence[float]) -> list[str]:
    """Labels of ascending weights on a log axis; none where it would touch the one before it."""
    span, last = np.log(weights[-1] / weights[0]), -np.inf
    labels = []
    for at, weight in zip(np.log(weights), weights, strict=True):
        is_free = at - last >= TICK_ROOM * span
        labels.append(f"{weight:g}" if is_free else "")
        last = at if is_free else last
    return labels


def anchored_curves(arm: Arm, at: Floats) -> dict[str, list[float]]:
    """Figures of the computed anchored equilibrium over the weight of an arm's priors.

    Args:
        arm: whose market and priors they are.
        at: weights of all its priors, ascending, float64 `[n]`.

    Returns:
        By name, as `Analysis.theory` names them, the figure at each weight.

    Raises:
        ConfigError: the equilibrium cannot be computed there.
    """
    found = equilibria(arm.market, arm.kpi, arm.anchors, at[::-1].tolist())[::-1]
    rows = [arm.market.analysis.policy_figures(tables) for tables in found]
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def theory_curve(arm: Arm, key: str, figure: str, at: Floats) -> list[float]:
    """A figure of the market's closed form over one of the market's keys.

    Args:
        arm: whose market it is, all other keys as they are there.
        key: `market.NAME`.
        figure: as `Analysis.theory` names it.
        at: values of the key, float64 `[n]`.

    Returns:
        The figure at each value; NaN where the closed form does not hold.

    Raises:
        ConfigError: `key` is no key of a market.
    """
    group, _, name = key.partition(".")
    if group != "market":
        raise ConfigError(f"figure.panels: x must be a key of the market, got {key}.")
    values = []
    for x in at.tolist():
        settings = {**arm.plain["market"], name: x}
        try:
            market = make_market(settings.pop("name"), settings)
            values.append(market.analysis.theory().get(figure, np.nan))
        except ConfigError:  # a value that the market does not allow
            values.append(np.nan)
    return values
