"""The figure of an experiment as PNG: one function a kind, chosen by the file's `figure`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from tacit.emergence.stats import Estimate
from tacit.oversight.objective import state_lines
from tacit.training.board.plot_style import BLUE, COLOURS, RED, new_figure, put_title, save
from tacit.training.board.plots import impulse_response
from tacit.training.config.arm_settings import settings_by_role
from tacit.training.config.arms import Experiment
from tacit.training.config.references import Figure
from tacit.training.outcome.summary import estimate_of
from tacit.training.plain_text import visible
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.signature_files import objective_states

from .adoption_figure import adoption_panels
from .theory_figures import theory_panels

ArmSummaries = Mapping[str, Mapping[str, Any]]  # parts of summary.json by arm
DPI = 140
MOST_LEVEL = 9  # arms in a panel whose names stand level; of more they would overlap
FOOTER_LINES = 3  # different answers to who stands behind the objectives


def draw(
    experiment: Experiment, arms: ArmSummaries, path: Path, footer: Sequence[str] = ()
) -> bool:
    """Draw what the experiment's `figure` asks for.

    Args:
        experiment: its figure, its arms, its references.
        arms: summaries of the arms that were run.
        path: the PNG to write; its folder is made.
        footer: lines in small print below it.

    Returns:
        Whether something was drawn: False if no figure is asked for, or none of its arms was run.
    """
    spec = experiment.file.figure
    if not spec:
        return False
    import matplotlib  # slow to import, and a run whose figure is there needs none

    matplotlib.use("Agg")  # draws into memory: needs no display
    if spec.panels:
        figure = theory_panels(experiment, arms, spec)
    elif spec.histogram:
        figure = _histogram(experiment, arms, spec, spec.histogram)
    elif spec.compare:
        figure = _side_by_side(experiment, arms, spec)
    elif spec.adoption:
        figure = adoption_panels(experiment, arms)
    elif spec.path:
        figure = _impulse(experiment, arms, spec.path)
    else:
        figure = _lines(experiment, arms, spec)
    if figure is None:
        return False
    for k, line in enumerate(reversed(footer)):
        figure.text(0.995, 0.005 + 0.025 * k, visible(line), ha="right", fontsize=6, color="0.4")
    path.parent.mkdir(parents=True, exist_ok=True)
    save(figure, path, dpi=DPI)
    return True


def draw_in_run(experiment: Experiment, arms: ArmSummaries, run: RunFolder) -> None:
    """Draw the experiment's figure, if it asks for one, to its place in a run's folder.

    Below it stands who stood behind the objectives when it was drawn.
    """
    shown = {name: arm for name, arm in experiment.arms.items() if name in arms}
    states = {name: state.text for name, state in objective_states(run, shown).items()}
    draw(experiment, arms, run.figure(experiment.name), state_lines(states)[:FOOTER_LINES])


def _with_measure(experiment: Experiment, arms: ArmSummaries, measure: str) -> list[str]:
    """The experiment's arms that were run and have this measure."""
    return [a for a in experiment.arms if a in arms and measure in arms[a]["measures"]]


def _spread(estimates: Sequence[Estimate]) -> list[list[float]]:
    """Error bars: distances from the means down and up to the ends of the intervals."""
    return [[e.mean - e.low for e in estimates], [e.high - e.mean for e in estimates]]


def _counts(seeds: Iterable[int]) -> str:
    """Numbers of seeds, for a title: `48`, or `16/48` where arms differ."""
    return "/".join(str(n) for n in sorted(set(seeds)))


# --- kinds of figures -----------------------------------------------------------------------------


def _lines(experiment: Experiment, arms: ArmSummaries, spec: Figure) -> Any:
    """Left: the measure with its 95 % interval over x. Right: what the best and worst seat earn."""
    there = _with_measure(experiment, arms, spec.y)
    lines = {label: [a for a in names if a in there] for label, names in spec.lines.items()}
    lines = {label: names for label, names in lines.items() if names}
    if not lines:
        return None
    figure, (left, right) = new_figure(2)
    roles = next(iter(experiment.arms.values())).market.roles
    # Of the first role with rivals, else of the first.
    fundamental = max(roles, key=lambda role: role.seats > 1).fundamental
    seeds: set[int] = set()
    shown = [0.0]  # every x, and 0
    for (label, names), colour in zip(lines.items(), COLOURS, strict=False):
        x = [settings_by_role(experiment.arms[a]).get(spec.x, 0.0) for a in names]
        shown += x
        found = [estimate_of(arms[a], spec.y) for a in names]
        points = [e for e in found if e is not None]
        seeds |= {e.n for e in points}
        left.errorbar(
            x, [e.mean for e in points], _spread(points), color=colour, marker="o", ms=4,
            capsize=3, label=label,
        )  # fmt: skip
        for end, style in (("best", "-"), ("worst", "--")):
            earned = [arms[a]["measures"][f"{fundamental}/{end}"]["mean"] for a in names]
            right.plot(x, earned, style, color=colour, marker="o", ms=4)
    left.set(xlabel=spec.x_label or spec.x, ylabel=spec.y.replace("_", " "))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines),
                  frameon=False, fontsize=9)  # fmt: skip
    if max(shown) <= 0 > min(shown):
        # x is a charge, a negative weight: 0 is on the left, and the charge grows to the right.
        left.invert_xaxis()
        right.invert_xaxis()
    right.set(xlabel=spec.x_label or spec.x, ylabel=f"{fundamental} per round")
    right.plot([], [], "-", color="black", label="seat that earns most")
    right.plot([], [], "--", color="black", label="seat that earns least")
    right.legend(frameon=False, fontsize=8)
    put_title(figure, experiment, f"mean, 95 %, n = {_counts(seeds)} seeds")
    return figure


def _side_by_side(experiment: Experiment, arms: ArmSummaries, spec: Figure) -> Any:
    """One panel a measure: every arm's mean with its 95 % interval."""
    there = {m: _with_measure(experiment, arms, m) for m in spec.compare}
    shown = {m: [a for a in names if a in (spec.arms or names)] for m, names in there.items()}
    shown = {measure: names for measure, names in shown.items() if names}
    if not shown:
        return None
    figure, axes = new_figure(len(shown), width=3.6)
    seeds: set[int] = set()
    # An arm has its colour in all panels, also beside one that lacks a measure.
    drawn = [a for a in experiment.arms if any(a in names for names in shown.values())]
    colours = dict(zip(drawn, cycle(COLOURS), strict=False))
    for axis, (measure, names) in zip(axes, shown.items(), strict=True):
        for at, name in enumerate(names):
            e = estimate_of(arms[name], measure)
            assert e is not None
            seeds.add(e.n)
            look = {"color": colours[name], "marker": "o", "ms": 6, "capsize": 4}
            axis.errorbar([at], [e.mean], _spread([e]), **look)
        many = len(names) > MOST_LEVEL
        labels = names if many else [name.replace("_", "\n") for name in names]
        axis.set_xticks(
            range(len(names)), labels, fontsize=8 if len(names) < 6 else 6.5,
            rotation=90 if many else 0,
        )  # fmt: skip
        axis.set(title=measure.replace("_", " "), xlim=(-0.5, len(names) - 0.5))
        bottom, top = axis.dataLim.intervaly
        room = 0.08 * max(top, -bottom, 1e-9)
        axis.set_ylim(min(0.0, bottom - room), max(0.0, top) + room)
    put_title(figure, experiment, f"mean, 95 %, n = {_counts(seeds)} seeds", 38)
    return figure


def _histogram(experiment: Experiment, arms: ArmSummaries, spec: Figure, measure: str) -> Any:
    """One panel an arm: the measure over seeds, with its mean and its reference."""
    names = _with_measure(experiment, arms, measure)
    if not names:
        return None
    figure, axes = new_figure(len(names))
    rows = experiment.file.all_references(arms)
    references = {r.arm: r for r in rows if r.measure == measure and r.value is not None}
    for axis, name in zip(axes, names, strict=True):
        values = arms[name]["measures"][measure]["per_seed"]
        axis.hist(values, bins=spec.bins, range=spec.range, color=BLUE)
        mean = sum(values) / len(values)
        axis.axvline(mean, color=RED, label=f"mean {mean:.3f}")
        if name in references and not isinstance(references[name].value, str):
            label = f"{references[name].kind} {references[name].value}"
            axis.axvline(references[name].value, color="black", ls=":", label=label)
        axis.set(title=name, xlabel=measure, ylabel="seeds")
        axis.legend(frameon=False, fontsize=8)
    put_title(figure, experiment, f"n = {len(values)} seeds")
    return figure


def _impulse(experiment: Experiment, arms: ArmSummaries, path: str) -> Any:
    """One panel an arm: an impulse response, points from the literature as crosses."""
    first = f"{path}/path/0"
    names = _with_measure(experiment, arms, first)
    if not names:
        return None
    figure, axes = new_figure(len(names))
    for axis, name in zip(axes, names, strict=True):
        impulse_response(axis, arms[name]["measures"])
        points = [
            (int(reference.measure.rpartition("/")[2]), reference.value)
            for reference in experiment.file.all_references(arms)
            if reference.arm == name and reference.measure.startswith(f"{path}/rival/")
        ]
        if points:
            axis.plot(*zip(*points, strict=True), "x", color="black", label="rivals, literature")
        axis.set(title=name)
        axis.legend(frameon=False, fontsize=8)
    put_title(figure, experiment, f"n = {arms[names[0]]['measures'][first]['n']} seeds")
    return figure
