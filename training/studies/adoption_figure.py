"""The figure of adopters: their mean by how many they are, beside drawn independent adoption."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np

from tacit.emergence.adoption.slope import null_means
from tacit.emergence.evidence import Adoption
from tacit.emergence.stats import student
from tacit.training.board.plot_style import COLOURS, new_figure, put_title
from tacit.training.config.arms import Experiment
from tacit.training.outcome.adopters import adoption_by_arm
from tacit.training.outcome.judging import ADOPTION


def adoption_panels(experiment: Experiment, arms: Mapping[str, Mapping[str, Any]]) -> Any:
    """One panel a series: adopters' means with 95 % intervals, and the middle 95 % of the null.

    Args:
        experiment: its series of adopters.
        arms: summaries of the arms that were run.

    Returns:
        The figure; None where no series has all its arms.
    """
    found = adoption_by_arm(experiment.file.adoption, experiment.arms, arms)
    if not found:
        return None
    figure, axes = new_figure(len(found), width=3.6)
    for axis, (arm, own), colour in zip(axes, found.items(), cycle(COLOURS), strict=False):
        _panel(axis, own, colour)
        words = [v["word"] for v in arms[arm]["verdicts"] if v["behaviour"] == ADOPTION]
        axis.set(title="\n".join([own.series, *words]), xlabel="adopters")
    axes[0].set(ylabel=f"adopters' mean {own.measure}")
    axes[0].legend(frameon=False, fontsize=8, loc="best")
    low = min(axis.get_ylim()[0] for axis in axes)
    high = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)
    count = "/".join(sorted({str(len(own.adopters[0])) for own in found.values()}))
    put_title(figure, experiment, f"mean, 95 %, n = {count} seeds", 38)
    return figure


def _panel(axis: Any, own: Adoption, colour: str) -> None:
    """One series."""
    repetitions = min(len(arm) for arm in own.adopters)
    alone = own.alone[np.isfinite(own.alone).all(axis=1)]
    if len(alone):
        low, high = np.quantile(null_means(own.numbers, repetitions, alone), (0.025, 0.975), axis=1)
        axis.fill_between(own.numbers, low, high, color="0.85", label="independent adoption, drawn")
    for number, arm in zip(own.numbers, own.adopters, strict=True):
        e = student(arm.tolist())
        axis.errorbar(
            [number], [e.mean], [[e.mean - e.low], [e.high - e.mean]], color=colour, marker="o",
            ms=5, capsize=4,
        )  # fmt: skip
    axis.plot(own.numbers, [float(arm.mean()) for arm in own.adopters], color=colour, lw=1)
    axis.set_xticks(sorted(set(own.numbers)))
