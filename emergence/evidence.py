"""What a rule judges and what it returns: the figures of one arm over its seeds; a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.types import Floats

from . import stats
from .stats import Estimate, interval, number

DISCLAIMER = "This describes behaviour in a simulation; it is not a legal finding."
MIN_SEEDS = 48  # below that no rule gives a word about what was learned
UNDECIDED = "undecided"


@dataclass(frozen=True)
class TrainingCurve:
    """One figure along training, over the seeds of an arm.

    Attributes:
        rounds: rounds of the evaluation points, in order.
        means: the mean over seeds with its interval, one for each of `rounds`.
    """

    rounds: tuple[int, ...]
    means: tuple[Estimate, ...]


@dataclass(frozen=True)
class Adoption:
    """What adopters of one vendor's software do, by how many they are: a series of arms of one run.

    Attributes:
        series: its name.
        measure: what is looked at, a measure of seats by which rivals compete.
        numbers: adopters of each arm, ascending.
        adopters: the measure's mean over the adopters of each arm, by repetition, float64 `[K]`.
        alone: the measure where everybody learns for itself, by repetition and seat of the role,
            float64 `[K, N]`.
        full: (collusive - competitive) / (N - 1) of the market's benchmarks, in the measure's unit;
            NaN where it has none.
    """

    series: str
    measure: str
    numbers: tuple[int, ...]
    adopters: tuple[Floats, ...]
    alone: Floats
    full: float


@dataclass(frozen=True)
class Evidence:
    """The figures of one arm.

    Attributes:
        market: the market of the arm.
        kpi: its resolved KPI table.
        figures: figure name -> one number per seed; NaN where that seed does not have the figure.
        n: the number of seeds.
        controls: other arms of the run that differ from this one in one setting, by what they lack:
            'memoryless' (seats remember nothing), 'unheard' (nobody hears a claim).
        training_curves: figure name -> the figure along training, for those that are taken there.
        learned: whether each seat learned; empty: none did. Some words are only of seats that do.
        adoption: the series of arms that ends in this one, if one does.
    """

    market: Market
    kpi: kpis.KpiTable
    figures: Mapping[str, Sequence[float]]
    n: int
    controls: Mapping[str, Evidence] = field(default_factory=dict)
    training_curves: Mapping[str, TrainingCurve] = field(default_factory=dict)
    learned: tuple[bool, ...] = ()
    adoption: Adoption | None = None

    def defined(self, name: str) -> list[float]:
        """The values of a figure in the seeds that have it."""
        return [x for x in self.figures.get(name, ()) if isfinite(x)]

    def mean(self, name: str) -> Estimate:
        """Mean with t interval over the seeds that have the figure; all NaN, n = 0 if none has."""
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
    """A word about one behaviour of one arm.

    Attributes:
        behaviour: what is judged: 'collusion', 'KPI', 'claims', 'coalition', 'inheritance',
            'adoption'.
        word: the word that the rule gives.
        evidence: lines with the figures that the rule used.
        missing: lines that name what could not be measured, and how to get it.
        qualifiers: remarks that stand beside the word and never contradict it.
    """

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


def undecided_at(n: int) -> str:
    """The word of an arm that has too few seeds for any other."""
    return f"{UNDECIDED} at n = {n}"


def too_few_seeds(n: int, word: str) -> str:
    """The line of `Verdict.missing` that names the word these few seeds would give."""
    return f"n = {n} of the {MIN_SEEDS} seeds that a word needs (by these: {word})"
