"""Checks: each published value, prediction and expected verdict beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tacit.emergence import stats
from tacit.emergence.stats import interval, number
from tacit.emergence.verdict import WORDS
from tacit.training.config.arms import Experiment
from tacit.training.config.references import Predicted, Published, expected_words
from tacit.training.runs.summary import difference, estimate_of

HEAD = ("quantity", "published", "measured", "95 %", "n", "tolerance", "within")
NOT = "not "  # before a verdict that must not be given
# Before a behaviour: its rule must leave the arm undecided, for another reason than too few seeds.
UNDECIDED_ABOUT = "undecided about "
WITHIN = {True: "yes", False: "no", None: "more seeds"}  # a check's result as text

ArmSummary = Mapping[str, Any]  # an arm's part of summary.json


@dataclass(frozen=True)
class Check:
    """One row of a reproduction table.

    Attributes:
        quantity: what is compared.
        published: the value, the direction or the verdict that it is compared with.
        measured: what was found here, or `not defined`.
        interval: 95 % interval of what was measured, or of the difference of two arms.
        n: over how many seeds.
        tolerance: how far the two may lie apart, or which rule decides.
        within: whether they agree; None if there are too few seeds to say.
    """

    quantity: str
    published: str
    measured: str
    interval: str
    n: int
    tolerance: str
    within: bool | None

    def cells(self) -> list[str]:
        """The row as text, in the order of `HEAD`."""
        return [
            self.quantity, self.published, self.measured, self.interval, str(self.n),
            self.tolerance, WITHIN[self.within],
        ]  # fmt: skip


def checks(experiment: Experiment, arms: Mapping[str, ArmSummary]) -> list[Check]:
    """Every published value, prediction and expected verdict whose arms were run.

    Args:
        experiment: whose references they are.
        arms: summaries of the arms that were run.
    """
    published, predicted = references_of(experiment, set(arms))
    expected = expected_words(experiment.file.expected_verdict, arms)
    rows = [_check_published(reference, arms) for reference in published]
    rows += [_check_predicted(reference, arms) for reference in predicted]
    # Words that no rule can give, such as those of planned probes, are left out.
    judged = [(arm, word) for arm, word in expected if _behaviour_of(word) is not None]
    return rows + [_check_verdict(arm, word, arms[arm]) for arm, word in judged]


def references_of(
    experiment: Experiment, arms: set[str]
) -> tuple[list[Published], list[Predicted]]:
    """The published values and the predictions that speak of these arms only."""
    file = experiment.file
    published = [reference for reference in file.published if reference.arm in arms]
    return published, [reference for reference in file.predicted if arms.issuperset(reference.arms)]


def _check_published(reference: Published, arms: Mapping[str, ArmSummary]) -> Check:
    """The mean (median) over seeds lies within the tolerance of the value."""
    arm = arms[reference.arm]
    own = estimate_of(arm, reference.measure)
    if own is not None and reference.statistic == "median":
        own = stats.median(arm["measures"][reference.measure]["per_seed"])
    value = _published_value(reference, arm)
    shown = str(reference.value) if value is None else f"{value:.4g}"
    if own is None or value is None:
        return _not_defined(reference.quantity, shown)
    within = abs(own.mean - value) <= reference.tolerance
    return Check(
        reference.quantity, shown, f"{own.mean:.4f}", interval(own), own.n,
        f"{reference.tolerance:g}", within,
    )  # fmt: skip


def _published_value(reference: Published, arm: ArmSummary) -> float | None:
    """The number, or the mean of the measure named in its place; None if the arm lacks it."""
    if not isinstance(reference.value, str):
        return reference.value
    found = estimate_of(arm, reference.value)
    return None if found is None else found.mean


def _check_predicted(reference: Predicted, arms: Mapping[str, ArmSummary]) -> Check:
    """`above`, `below`: the intervals of two arms are disjoint, in this order. `same`: the mean
    paired difference is within the tolerance."""
    if not isinstance(reference.versus, str):
        return _check_bound(reference, reference.versus, arms[reference.arm])
    arm, versus = arms[reference.arm], arms[reference.versus]
    own, other = estimate_of(arm, reference.measure), estimate_of(versus, reference.measure)
    gap = difference(arm, versus, reference.measure)
    if own is None or other is None or gap is None:
        return _not_defined(reference.quantity, reference.expected)
    rule = "disjoint" if reference.tolerance is None else f"{reference.tolerance:g}"
    if reference.tolerance is not None:
        within = abs(gap.mean) <= reference.tolerance
    elif reference.expected == "above":
        within = own.low > other.high
    else:
        within = own.high < other.low
    measured = f"{number(own.mean)} against {number(other.mean)}"
    return Check(
        reference.quantity, reference.expected, measured, interval(gap), own.n, rule, within
    )


def _check_bound(reference: Predicted, bound: float, arm: ArmSummary) -> Check:
    """The arm's interval lies wholly above, or below, a number."""
    own = estimate_of(arm, reference.measure)
    expected = f"{reference.expected} {number(bound)}"
    if own is None:
        return _not_defined(reference.quantity, expected)
    within = own.low > bound if reference.expected == "above" else own.high < bound
    return Check(
        reference.quantity, expected, number(own.mean), interval(own), own.n, "interval", within
    )


def _check_verdict(name: str, word: str, arm: ArmSummary) -> Check:
    """A verdict is given; `not WORD`: the arm was judged, and the word is not among its verdicts;
    `undecided about BEHAVIOUR`: its rule had seeds enough, and gives no word.

    An arm that is undecided for want of seeds supports none of them.
    """
    plain = word.removeprefix(NOT)
    given = [v["word"] for v in arm["verdicts"] if v["behaviour"] == _behaviour_of(word)]
    within: bool | None = None
    if not any(verdict.startswith("undecided at n") for verdict in given):
        decided = bool(given) and not any(v.startswith("undecided") for v in given)
        within = decided and (plain in given) != word.startswith(NOT)
        if plain.startswith(UNDECIDED_ABOUT):
            within = bool(given) and decided == word.startswith(NOT)
    return Check(
        f"verdict of {name}", word, ", ".join(given) or "none", "-", arm["seeds"], "-", within
    )


def _behaviour_of(word: str) -> str | None:
    """The behaviour whose rule can give this word, or None."""
    plain = word.removeprefix(NOT)
    if plain.startswith(UNDECIDED_ABOUT):
        behaviour = plain.removeprefix(UNDECIDED_ABOUT)
        return behaviour if behaviour in WORDS else None
    return next((behaviour for behaviour, words in WORDS.items() if plain in words), None)


def _not_defined(quantity: str, published: str) -> Check:
    return Check(quantity, published, "not defined", "-", 0, "-", within=False)
