"""Figures along training: what quick probes find at every evaluation point.

In a repetition's record: `{"rounds": [...], "figures": {name: [...]}}`, null where a figure is not
defined. In the summary, over repetitions: `{"rounds": [...], "figures": {name: [{"mean", "ci95",
"n"}, ...]}}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from tacit.emergence import evidence, stats
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.registry import training_curve_figures

SeedCurve = dict[str, Any]  # as a record holds it; empty where no probe is taken on the way


def add_curve_point(
    curve: SeedCurve, population: FrozenPopulation, rounds: int
) -> dict[str, float]:
    """Add an evaluation point to a repetition's curve.

    Args:
        curve: the curve so far; changed in place.
        population: the repetition as it is now, frozen.
        rounds: rounds played so far.

    Returns:
        The figures that are defined there.
    """
    figures = training_curve_figures(population)
    if not figures:
        return {}
    curve.setdefault("rounds", []).append(rounds)
    for name, x in figures.items():
        values = curve.setdefault("figures", {}).setdefault(name, [])
        values.append(float(x) if isfinite(x) else None)
    return {name: x for name, x in figures.items() if isfinite(x)}


def summarise_curves(curves: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Curves of all repetitions as one, as the summary holds it.

    Agents that stop by themselves have curves of different length: the result ends with the
    shortest. It is empty where a repetition has no curve.
    """
    if not curves or not all(curves):
        return {}
    shared = min((curve["rounds"] for curve in curves), key=len)
    figures: dict[str, list[dict[str, object]]] = {}
    for name in curves[0]["figures"]:
        for k in range(len(shared)):
            values = [curve["figures"][name][k] for curve in curves]
            known = [x for x in values if x is not None]
            estimate = stats.student(known).plain() if known else {"mean": None, "n": 0}
            figures.setdefault(name, []).append({"ci95": [None, None], **estimate})
    return {"rounds": list(shared), "figures": figures}


def read_training_curves(summary: Mapping[str, Any]) -> dict[str, evidence.TrainingCurve]:
    """The summary's `training_curve` as verdicts' rules read it, by figure."""
    rounds = tuple(summary.get("rounds", ()))
    return {
        name: evidence.TrainingCurve(rounds, tuple(_estimate(point) for point in points))
        for name, points in summary.get("figures", {}).items()
    }


def _estimate(point: Mapping[str, Any]) -> stats.Estimate:
    mean, low, high = (float("nan") if x is None else x for x in (point["mean"], *point["ci95"]))
    return stats.Estimate(mean, low, high, point["n"])
