"""Checks: each reference of an experiment beside what was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tacit.emergence import stats
from tacit.emergence.evidence import UNDECIDED
from tacit.emergence.stats import interval, number
from tacit.emergence.verdict import WORDS
from tacit.training.config.arms import Experiment
from tacit.training.config.references import NOT, REPRODUCIBLE, Reference
from tacit.training.outcome.judging import are_withheld
from tacit.training.outcome.summary import difference, estimate_of

HEAD = ("quantity", "kind", "reference", "measured", "95 %", "n", "tolerance", "within")
YES = "yes"  # in the column `within`
# Before a behaviour: its rule must leave the arm undecided, for another reason than too few seeds
# or rounds.
UNDECIDED_ABOUT = "undecided about "
MORE_SEEDS, MORE_ROUNDS = "more seeds", "more rounds"  # what a word waits for

ArmSummary = Mapping[str, Any]  # an arm's part of summary.json


@dataclass(frozen=True)
class Check:
    """One row of a reproduction table.

    Attributes:
        quantity: what is compared.
        kind: what evidence the reference is, as `Reference.label`.
        reference: the value, the direction or the verdict that it is compared with.
        measured: what was found here, or `not defined`.
        interval: 95 % interval of what was measured, or of the difference of two arms.
        n: over how many seeds.
        tolerance: how far the two may lie apart, or which rule decides.
        within: whether they agree; None if it cannot be said.
        lacks: what it would take to say it.
    """

    quantity: str
    kind: str
    reference: str
    measured: str
    interval: str
    n: int
    tolerance: str
    within: bool | None
    lacks: str = ""

    def cells(self) -> list[str]:
        """The row as text, in the order of `HEAD`."""
        within = self.lacks if self.within is None else YES if self.within else self._miss
        return [
            self.quantity, self.kind, self.reference, self.measured, self.interval, str(self.n),
            self.tolerance, within,
        ]  # fmt: skip

    @property
    def _miss(self) -> str:
        """How a miss is told: only what others can have found can fail to be reproduced."""
        return "not reproduced" if self.kind.startswith(REPRODUCIBLE) else "no"


def checks(experiment: Experiment, arms: Mapping[str, ArmSummary]) -> list[Check]:
    """Every reference whose arms were run.

    Args:
        experiment: whose references they are.
        arms: summaries of the arms that were run.
    """
    found = references_of(experiment, list(arms))
    # Words that no rule can give, such as those of planned probes, are left out.
    said = [row for row in found if row.kind != "word" or _behaviour_of(row.word) is not None]
    return [_check(reference, arms) for reference in said]


def references_of(experiment: Experiment, arms: Collection[str]) -> list[Reference]:
    """The references that speak of these arms only."""
    rows = experiment.file.all_references(arms)
    return [reference for reference in rows if set(arms).issuperset(reference.arms)]


def _check(reference: Reference, arms: Mapping[str, ArmSummary]) -> Check:
    if reference.kind == "word":
        return _check_verdict(reference, arms[reference.arm])
    if reference.versus is None:
        return _check_value(reference, arms[reference.arm])
    if isinstance(reference.versus, str):
        return _check_order(reference, arms[reference.arm], arms[reference.versus])
    return _check_bound(reference, reference.versus, arms[reference.arm])


def _check_value(reference: Reference, arm: ArmSummary) -> Check:
    """The mean (median) over seeds lies within the tolerance of the value."""
    assert reference.tolerance is not None
    own = estimate_of(arm, reference.measure)
    if own is not None and reference.statistic == "median":
        own = stats.median(arm["measures"][reference.measure]["per_seed"])
    value = _number(reference, arm)
    shown = str(reference.value) if value is None else f"{value:.4g}"
    if own is None or value is None:
        return _not_defined(reference, shown)
    within = abs(own.mean - value) <= reference.tolerance
    return Check(
        reference.quantity, reference.label, shown, f"{own.mean:.4f}", interval(own), own.n,
        f"{reference.tolerance:g}", within,
    )  # fmt: skip


def _number(reference: Reference, arm: ArmSummary) -> float | None:
    """The value, or the mean of the measure named in its place; None if the arm lacks it."""
    if not isinstance(reference.value, str):
        return reference.value
    found = estimate_of(arm, reference.value)
    return None if found is None else found.mean


def _check_order(reference: Reference, arm: ArmSummary, versus: ArmSummary) -> Check:
    """`above`, `below`: the intervals of two arms are disjoint, in this order. `same`: the mean
    paired difference is within the tolerance."""
    expected, tolerance = str(reference.expected), reference.tolerance
    own, other = (estimate_of(each, reference.measure) for each in (arm, versus))
    gap = difference(arm, versus, reference.measure)
    if own is None or other is None or gap is None:
        return _not_defined(reference, expected)
    rule = "disjoint" if tolerance is None else f"{tolerance:g}"
    if tolerance is not None:
        within = abs(gap.mean) <= tolerance
    elif expected == "above":
        within = own.low > other.high
    else:
        within = own.high < other.low
    measured = f"{number(own.mean)} against {number(other.mean)}"
    return Check(
        reference.quantity, reference.label, expected, measured, interval(gap), own.n, rule, within
    )


def _check_bound(reference: Reference, bound: float, arm: ArmSummary) -> Check:
    """The arm's interval lies wholly above, or below, a number."""
    own = estimate_of(arm, reference.measure)
    expected = f"{reference.expected} {number(bound)}"
    if own is None:
        return _not_defined(reference, expected)
    within = own.low > bound if reference.expected == "above" else own.high < bound
    return Check(
        reference.quantity, reference.label, expected, number(own.mean), interval(own), own.n,
        "interval", within,
    )  # fmt: skip


def _check_verdict(reference: Reference, arm: ArmSummary) -> Check:
    """A verdict is given; `not WORD`: the arm was judged, and the word is not among its verdicts;
    `undecided about BEHAVIOUR`: its rule had seeds and rounds enough, and gives no word.

    An arm that is undecided for want of seeds, or of rounds, supports none of them.
    """
    word = reference.word
    plain = word.removeprefix(NOT)
    given = [v["word"] for v in arm["verdicts"] if v["behaviour"] == _behaviour_of(word)]
    within, lacks = None, ""
    if any(verdict.startswith("undecided at n") for verdict in given):
        lacks = MORE_SEEDS
    elif are_withheld(arm):
        lacks = MORE_ROUNDS
    else:
        decided = bool(given) and not any(v.startswith(UNDECIDED) for v in given)
        within = decided and (plain in given) != word.startswith(NOT)
        if plain.startswith(UNDECIDED_ABOUT):
            within = bool(given) and decided == word.startswith(NOT)
    return Check(
        f"verdict of {reference.arm}", reference.label, word, ", ".join(given) or "none", "-",
        arm["seeds"], "-", within, lacks,
    )  # fmt: skip


def _behaviour_of(word: str) -> str | None:
    """The behaviour whose rule can give this word, or None."""
    plain = word.removeprefix(NOT)
    if plain.startswith(UNDECIDED_ABOUT):
        behaviour = plain.removeprefix(UNDECIDED_ABOUT)
        return behaviour if behaviour in WORDS else None
    return next((behaviour for behaviour, words in WORDS.items() if plain in words), None)


def _not_defined(reference: Reference, shown: str) -> Check:
    return Check(
        reference.quantity, reference.label, shown, "not defined", "-", 0, "-", within=False
    )
