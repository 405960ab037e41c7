"""What a rule judges, and what it says: the figures of one arm over its seeds; a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from tacit.envs import kpi as kpis
from tacit.envs.market import Market

from . import stats
from .stats import Estimate, interval, number

DISCLAIMER = "This describes behaviour in a simulation; it is not a legal finding."


@dataclass(frozen=True)
class TrainingCurve:
    """A figure along training: rounds of the evaluation points, and its estimates there."""

    rounds: tuple[int, ...]
    means: tuple[Estimate, ...]


@dataclass(frozen=True)
class Evidence:
    """One arm: `figures` by name, one number a seed (NaN: that seed has none); `n` seeds;
    `controls`: other arms of the run that differ in one way from this one, by what they lack
    ('memoryless', 'unheard'); `course`: figures that were followed along training."""

    market: Market
    kpi: kpis.KpiTable
    figures: Mapping[str, Sequence[float]]
    n: int
    controls: Mapping[str, Evidence] = field(default_factory=dict)
    course: Mapping[str, TrainingCurve] = field(default_factory=dict)

    def defined(self, name: str) -> list[float]:
        """The seeds' figures that there are."""
        return [x for x in self.figures.get(name, ()) if isfinite(x)]

    def mean(self, name: str) -> Estimate:
        """Mean with t interval over the seeds that have the figure; all NaN if none has."""
        values = self.defined(name)
        nothing = Estimate(float("nan"), float("nan"), float("nan"), 0)
        return stats.student(values) if values else nothing

    def line(self, label: str, name: str) -> str:
        """A figure as a line of evidence: `index .861 [.848, .874], n = 300`."""
        found = self.mean(name)
        if not found.n:
            return f"{label}: not defined in any seed"
        return f"{label} {number(found.mean)} {interval(found)}, n = {found.n}"


@dataclass(frozen=True)
class Verdict:
    """A word about one behaviour; lines of evidence, what is missing, and what qualifies it."""

    behaviour: str
    word: str
    evidence: tuple[str, ...]
    missing: tuple[str, ...] = ()
    qualifiers: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As in summary.json."""
        return {
            "behaviour": self.behaviour,
            "word": self.word,
            "evidence": list(self.evidence),
            "missing": list(self.missing),
            "qualifiers": list(self.qualifiers),
        }
