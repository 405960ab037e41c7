"""Figures of experiments, as PNG: lines over a setting, arms side by side, histograms."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib

from tacit.training.board import plots as portraits
from tacit.training.board.bands import by_role
from tacit.training.config.arms import Experiment
from tacit.training.config.references import Figure
from tacit.training.runs.summary import estimate_of

from .figure_style import COLOURS, new_figure, put_title
from .theory_figures import theory_panels


def draw(experiment: Experiment, arms: Mapping[str, dict[str, Any]], path: Path) -> bool:
    """Draw what the experiment's `figure` asks for; False if it asks for none or lacks an arm."""
    spec = experiment.file.figure
    if not spec:
        return False
    matplotlib.use("Agg")
    if spec.panels:
        figure = theory_panels(experiment, arms, spec)
    elif spec.histogram:
        figure = _histogram(experiment, arms, spec)
    elif spec.compare:
        figure = _compare(experiment, arms, spec)
    elif spec.path:
        figure = _path(experiment, arms, spec.path)
    else:
        figure = _lines(experiment, arms, spec)
    if figure is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    return True


def _with_measure(
    experiment: Experiment, arms: Mapping[str, dict[str, Any]], measure: str
) -> list[str]:
    """The experiment's arms that were run and have this measure."""
    return [a for a in experiment.arms if a in arms and measure in arms[a]["measures"]]


def _lines(experiment: Experiment, arms: Mapping[str, dict[str, Any]], spec: Figure) -> Any:
    """Left: the measure with its 95 % interval over x. Right: what the best and worst seat earn."""
    there = _with_measure(experiment, arms, spec.y)
    lines = {label: [a for a in names if a in there] for label, names in spec.lines.items()}
    lines = {label: names for label, names in lines.items() if names}
    if not lines:
        return None
    figure, (left, right) = new_figure(2)
    seeds, shown = set(), [0.0]
    roles = next(iter(experiment.arms.values())).market.roles
    fundamental = max(
        roles, key=lambda role: role.seats > 1
    ).fundamental  # of the first with rivals
    for (label, names), colour in zip(lines.items(), COLOURS, strict=False):
        x = [by_role(experiment.arms[a]).get(spec.x, 0.0) for a in names]
        shown += x
        found = [estimate_of(arms[a], spec.y) for a in names]
        points = [e for e in found if e is not None]
        seeds |= {e.n for e in points}
        mean = [e.mean for e in points]
        spread = [[e.mean - e.low for e in points], [e.high - e.mean for e in points]]
        left.errorbar(x, mean, spread, color=colour, marker="o", ms=4, capsize=3, label=label)
        for end, style in (("best", "-"), ("worst", "--")):
            earned = [arms[a]["measures"][f"{fundamental}/{end}"]["mean"] for a in names]
            right.plot(x, earned, style, color=colour, marker="o", ms=4)
    left.set(xlabel=spec.x_label or spec.x, ylabel=spec.y.replace("_", " "))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines),
                  frameon=False, fontsize=9)  # fmt: skip
    if max(shown) <= 0 > min(shown):
        left.invert_xaxis()  # weights of 0 first, then the charge grows to the right
        right.invert_xaxis()
    right.set(xlabel=spec.x_label or spec.x, ylabel=f"{fundamental} per round")
    right.plot([], [], "-", color="black", label="seat that earns most")
    right.plot([], [], "--", color="black", label="seat that earns least")
    right.legend(frameon=False, fontsize=8)
    n = "/".join(str(k) for k in sorted(seeds))
    put_title(figure, experiment, f"mean, 95 %, n = {n} seeds")
    return figure


def _compare(experiment: Experiment, arms: Mapping[str, dict[str, Any]], spec: Figure) -> Any:
    """One panel a measure: every arm's mean with its 95 % interval."""
    there = {m: _with_measure(experiment, arms, m) for m in spec.compare}
    shown = {m: [a for a in names if a in (spec.arms or names)] for m, names in there.items()}
    shown = {measure: names for measure, names in shown.items() if names}
    if not shown:
        return None
    figure, axes = new_figure(len(shown), width=3.6)
    seeds = set()
    for axis, (measure, names) in zip(axes, shown.items(), strict=True):
        for at, (name, colour) in enumerate(zip(names, cycle(COLOURS), strict=False)):
            e = estimate_of(arms[name], measure)
            assert e is not None
            seeds.add(e.n)
            spread = [[e.mean - e.low], [e.high - e.mean]]
            axis.errorbar([at], [e.mean], spread, color=colour, marker="o", ms=6, capsize=4)
        labels = [name.replace("_", "\n", 1) for name in names]
        axis.set_xticks(range(len(names)), labels, fontsize=8)
        axis.set(title=measure.replace("_", " "), xlim=(-0.5, len(names) - 0.5))
        bottom, top = axis.dataLim.intervaly
        room = 0.08 * max(top, -bottom, 1e-9)
        axis.set_ylim(min(0.0, bottom - room), max(0.0, top) + room)
    n = "/".join(str(k) for k in sorted(seeds))
    put_title(figure, experiment, f"mean, 95 %, n = {n} seeds", 38)
    return figure


def _histogram(experiment: Experiment, arms: Mapping[str, dict[str, Any]], spec: Figure) -> Any:
    """One panel an arm: the measure over seeds, with its mean and the published value."""
    names = _with_measure(experiment, arms, str(spec.histogram))
    if not names:
        return None
    figure, axes = new_figure(len(names))
    claims = [c for c in experiment.file.published if c.measure == spec.histogram]
    published = {claim.arm: claim.value for claim in claims}
    for axis, name in zip(axes, names, strict=True):
        values = arms[name]["measures"][spec.histogram]["per_seed"]
        axis.hist(values, bins=spec.bins, range=spec.range, color=COLOURS[0])
        mean = sum(values) / len(values)
        axis.axvline(mean, color=COLOURS[1], label=f"mean {mean:.3f}")
        if name in published:
            axis.axvline(
                published[name], color="black", ls=":", label=f"published {published[name]}"
            )
        axis.set(title=name, xlabel=spec.histogram, ylabel="seeds")
        axis.legend(frameon=False, fontsize=8)
    put_title(figure, experiment, f"n = {len(values)} seeds")
    return figure


def _path(experiment: Experiment, arms: Mapping[str, dict[str, Any]], path: str) -> Any:
    """One panel an arm: an impulse response, its published points as crosses."""
    first = f"{path}/path/0"
    names = _with_measure(experiment, arms, first)
    if not names:
        return None
    figure, axes = new_figure(len(names))
    for axis, name in zip(axes, names, strict=True):
        portraits.impulse_response(axis, arms[name]["measures"])
        points = [
            (int(c.measure.rpartition("/")[2]), c.value)
            for c in experiment.file.published
            if c.arm == name and c.measure.startswith(f"{path}/")
        ]
        if points:
            axis.plot(*zip(*points, strict=True), "x", color="black", label="rivals, published")
        axis.set(title=name)
        axis.legend(frameon=False, fontsize=8)
    put_title(figure, experiment, f"n = {arms[names[0]]['measures'][first]['n']} seeds")
    return figure
