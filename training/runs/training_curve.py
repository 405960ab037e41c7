"""Figures along training: what quick probes say at every evaluation point.

In a seed's record: `{"rounds": [...], "figures": {name: [...]}}`, null where one is not defined.
In the summary, over seeds: `{"rounds": [...], "figures": {name: [{"mean", "ci95", "n"}, ...]}}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from tacit.emergence import evidence, stats
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.registry import along

Course = dict[str, Any]


def follow(course: Course, population: FrozenPopulation, rounds: int) -> dict[str, float]:
    """Add an evaluation point to a seed's course; returns the figures that are defined there."""
    figures = along(population)
    if not figures:
        return {}
    course.setdefault("rounds", []).append(rounds)
    for name, x in figures.items():
        own = course.setdefault("figures", {}).setdefault(name, [])
        own.append(float(x) if isfinite(x) else None)
    return {name: x for name, x in figures.items() if isfinite(x)}


def summarise(courses: Sequence[Mapping[str, Any]]) -> Course:
    """Over seeds, at the points that all of them have; empty where one has none."""
    if not courses or not all(courses):
        return {}
    shared = min((course["rounds"] for course in courses), key=len)
    figures: dict[str, list[dict[str, object]]] = {}
    for name in courses[0]["figures"]:
        for k in range(len(shared)):
            values = [course["figures"][name][k] for course in courses]
            known = [x for x in values if x is not None]
            estimate = stats.student(known).plain() if known else {"mean": None, "n": 0}
            figures.setdefault(name, []).append({"ci95": [None, None], **estimate})
    return {"rounds": list(shared), "figures": figures}


def read(summary: Mapping[str, Any]) -> dict[str, evidence.TrainingCurve]:
    """What rules judge, from the summary."""

    def number(x: float | None) -> float:
        return float("nan") if x is None else x

    return {
        name: evidence.TrainingCurve(
            tuple(summary["rounds"]),
            tuple(
                stats.Estimate(
                    number(p["mean"]), number(p["ci95"][0]), number(p["ci95"][1]), p["n"]
                )
                for p in points
            ),
        )
        for name, points in summary.get("figures", {}).items()
    }
