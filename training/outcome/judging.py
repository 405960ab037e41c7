"""Verdicts of a run: rules applied to the figures of every arm, with its control arms beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tacit.emergence.evidence import UNDECIDED, Evidence, Verdict
from tacit.emergence.verdict import verdicts
from tacit.envs.analysis import Analysis
from tacit.training.config.arms import Arm, live_reason
from tacit.training.config.references import AdoptionConfig

from .adopters import adoption_by_arm
from .summary import unconverged_seeds
from .training_curve import read_training_curves
from .tripped import counts_text, tripped_seeds

BY = ("breakers", "people")  # who may have ended or redirected seeds
ADOPTION = "adoption"  # the behaviour whose rule looks at several arms

# Share of an arm's seeds that `train.rounds` may cut off, or that breakers may end or redirect.
# Above it no word is given: a word about what was learned would be a word about that bound.
MOST_UNCONVERGED = 0.05


def judge(
    arms: Mapping[str, Arm],
    summaries: Mapping[str, dict[str, Any]],
    adoption: AdoptionConfig | None = None,
) -> None:
    """Write the verdicts of all arms into their summaries.

    Of an arm of which too many seeds were cut off by `train.rounds`, or ended or redirected by
    breakers, every word is `undecided`.

    Args:
        arms: of one run.
        summaries: of the same arms; changed in place.
        adoption: which of them are series of adopters.
    """
    series = adoption_by_arm(adoption, arms, summaries)
    evidence = {name: _evidence(arm, summaries[name]) for name, arm in arms.items()}
    for name, arm in arms.items():
        controls = {kind: evidence[control] for kind, control in _control_arms(arm, arms).items()}
        own = replace(evidence[name], controls=controls, adoption=series.get(name))
        found = []
        for verdict in verdicts(own):
            about = [name]  # the arms that it speaks of
            if adoption is not None and own.adoption is not None and verdict.behaviour == ADOPTION:
                about = adoption.arms_of(own.adoption.series)
            found.append(_allowed(verdict, about, arms, summaries))
        summaries[name]["verdicts"] = [verdict.plain() for verdict in found]


def _allowed(
    verdict: Verdict,
    about: Sequence[str],
    arms: Mapping[str, Arm],
    summaries: Mapping[str, Mapping[str, Any]],
) -> Verdict:
    """A verdict, without its word where an arm that it speaks of allows none."""
    for name in about:
        if arms[name].live:
            return _of_live(verdict, live_reason(arms[name].live))
        if are_withheld(summaries[name]):
            return _withheld(verdict, summaries[name], arms[name].train.rounds)
    return verdict


def _of_live(verdict: Verdict, reason: str) -> Verdict:
    """The verdict on an arm with a live agent: no word, as no policy of that agent is known."""
    return replace(verdict, word=UNDECIDED, evidence=(), missing=(reason,), qualifiers=())


def are_withheld(summary: Mapping[str, Any]) -> bool:
    """Whether so many of an arm's seeds were cut off, or ended or redirected on the way, that no
    word is said of it."""
    most = MOST_UNCONVERGED * summary["seeds"]
    return bool((unconverged_seeds(summary) or 0) > most or tripped_seeds(summary) > most)


def _withheld(verdict: Verdict, summary: Mapping[str, Any], rounds: int) -> Verdict:
    """The verdict on an arm of which too many seeds were cut off: `undecided`, with the reason.

    Args:
        verdict: what the rule gives; its evidence is kept.
        summary: of the arm.
        rounds: `train.rounds`, at which they were cut off.
    """
    if tripped_seeds(summary) > MOST_UNCONVERGED * summary["seeds"]:
        told = [f"{by}: {text}" for by in BY if (text := counts_text(summary, by))]
        reason = f"{'; '.join(told)} seeds, so not all learned what the arm says"
    else:
        reason = (
            f"{unconverged_seeds(summary)} of {summary['seeds']} seeds had not converged when "
            f"train.rounds ended; train.rounds={2 * rounds} may be enough"
        )
    if not verdict.word.startswith(UNDECIDED):
        reason += f" (by these: {verdict.word})"
    missing = (reason, *verdict.missing)
    return replace(verdict, word=UNDECIDED, missing=missing, qualifiers=())


def _control_arms(arm: Arm, arms: Mapping[str, Arm]) -> dict[str, str]:
    """By kind of control, the first arm that is this one without memory, or without hearing."""
    analysis = arm.market.analysis_class or Analysis
    changes = {"memoryless": analysis.memoryless, "unheard": analysis.unheard}
    found: dict[str, str] = {}
    for kind, keys in changes.items():
        names = [name for name, other in arms.items() if _differs_by(arm, other, keys)]
        if names:
            found[kind] = names[0]
    return found


def _differs_by(arm: Arm, other: Arm, keys: Mapping[str, Any]) -> bool:
    """Whether the other arm is this one with these keys of the market, and this one lacks them."""
    plain = {**arm.plain, "market": {**arm.plain["market"], **keys}}
    return bool(keys) and plain != arm.plain and other.same(plain | {"seeds": other.seeds})


def _evidence(arm: Arm, summary: Mapping[str, Any]) -> Evidence:
    figures = {
        name: [float("nan") if x is None else x for x in measure["per_seed"]]
        for name, measure in summary["measures"].items()
    }
    curves = read_training_curves(summary.get("training_curve", {}))
    return Evidence(
        arm.market, arm.kpi, figures, summary["seeds"], training_curves=curves, learned=arm.learned
    )
