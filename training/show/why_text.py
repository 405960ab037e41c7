"""Why a deal was done, in words. Every number in them is one of `training/record/why.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tacit.oversight.true_values import EVER_AFTER
from tacit.training.record.why import (
    Alternative,
    ExplainedDecision,
    Explanation,
    Outcome,
    SpokenClaim,
)

from .policy_table_text import value_text

SURE = 0.9995  # a probability that is printed as certain
EQUAL = 1e-9  # differences below it are rounding
WHOLE = 1000.0  # from here on figures are whole numbers


def why_lines(told: Explanation) -> Iterator[str]:
    """The explanation of a deal, line by line; decisions are indented."""
    yield f"{told.deal} of arm {told.arm.name}: round {told.deal.round:,} of {told.of:,}"
    yield "What happened:"
    for line in told.lines:
        yield f"  {line}"
    yield f"  It brought {_outcome_text(told, told.outcome)}."
    for decision in told.decisions:
        phase = told.arm.market.phases[decision.phase]
        yield f"{decision.seat.name}, {phase}: {_parts_text(decision.did)}"
        for line in _decision_lines(told, decision):
            yield f"  {line}"


def _decision_lines(told: Explanation, decision: ExplainedDecision) -> Iterator[str]:
    """Sentences about one decision."""
    yield f"{_saw_text(decision)} {_probability_text(decision)}"
    for claim in decision.claims:
        yield from _claim_lines(told, claim)
    if decision.second is None:
        return
    yield _instead_text(told, decision, decision.second)
    yield from _belief_lines(told, decision)
    yield from _truth_lines(told, decision)


def _saw_text(decision: ExplainedDecision) -> str:
    if not decision.saw:
        return "It saw nothing that differs from round to round."
    return f"It saw {_parts_text(decision.saw)}."


def _probability_text(decision: ExplainedDecision) -> str:
    who = "Its policy" if decision.learned else "Its script"
    if decision.probability >= SURE:
        return f"{who} does nothing else there."
    return f"{who} did this with probability {decision.probability:.3f}."


def _claim_lines(told: Explanation, claim: SpokenClaim) -> Iterator[str]:
    """What was claimed, what was so, how often it says so, and what the truth would have done."""
    name, about = _name(claim.claim.part), _name(claim.claim.about)
    said, so = value_text(claim.said), value_text(claim.so)
    if claim.claim.free:
        yield (
            f"It said {name} {said} when its {about} was {so}; the words mean only what players "
            f"make of them. When that is so, it says this in {claim.frequency:.0%} of cases."
        )
    elif claim.is_false:
        yield (
            f"Its {name} was {said}, but its {about} was {so}: the claim was false. When that is "
            f"so, its policy claims {said} in {claim.frequency:.0%} of cases."
        )
    else:
        yield f"Its {name} was {said}, and its {about} was {so}: the claim was true."
    if claim.honest is not None:
        yield (
            f"The true {name}, {value_text(claim.honest.did[claim.claim.part])}, with all else as "
            f"it was and the same draws, would have changed "
            f"{_change_text(told, claim.honest.outcome)}."
        )


def _instead_text(told: Explanation, decision: ExplainedDecision, second: Alternative) -> str:
    held = (
        "The second best by its own values"
        if decision.beliefs is not None and decision.beliefs.of == "actions"
        else "What it was likeliest to do instead"
    )
    return (
        f"{held}: {_parts_text(second.did)}. In this round, with the same draws, that would have "
        f"changed {_change_text(told, second.outcome)}."
    )


def _belief_lines(told: Explanation, decision: ExplainedDecision) -> Iterator[str]:
    """What the learner expected."""
    beliefs, second = decision.beliefs, decision.second
    if beliefs is None or second is None:
        if decision.learned:
            yield "What it believed cannot be read from its learner."
        return
    if beliefs.of == "actions":
        own, other = (float(beliefs.values[a]) for a in (decision.action, second.action))
        tried = own < other - EQUAL  # a Q-learner does so only when it explores
        yield (
            f"It believed that what it did would bring {_number(own)}, and the other "
            f"{_number(other)}{', so it was exploring' * tried} (rewards from here on, discount "
            f"{decision.discount:g})."
        )
        return
    terms = told.arm.kpi[decision.seat.name]
    heads = ", ".join(
        f"{_name(n)} {_number(x)}" for n, x in zip(terms, beliefs.values, strict=False)
    )
    yield (
        f"Its critic expected of this situation, from here on, discount {decision.discount:g}: "
        f"{heads}."
    )


def _truth_lines(told: Explanation, decision: ExplainedDecision) -> Iterator[str]:
    """What both actions are worth under everybody's policies."""
    worth, second = decision.worth, decision.second
    if worth.reason is not None or second is None:
        yield f"What both are worth in truth is not told: {worth.reason}."
        return
    terms = told.arm.kpi[decision.seat.name]
    own, other = worth.terms[decision.action], worth.terms[second.action]
    listed = ", ".join(
        f"{_name(name)} {_number(a)} against {_number(b)}"
        for name, a, b in zip(terms, own, other, strict=True)
    )
    weights = np.array([term.weight for term in terms.values()])
    gain = float(weights @ (own - other))
    span = worth.covers
    if span == EVER_AFTER:
        span += f", discount {decision.discount:g}"
    if not worth.exact:
        span += "; means over sampled draws, not exact"
    yield (f"In truth, {worth.policies}: {listed} ({span}). Its KPI pays {_gain_text(gain)}.")


def _gain_text(gain: float) -> str:
    if abs(gain) < EQUAL:
        return "the same for both"
    return f"{_number(abs(gain))} {'more' if gain > 0 else 'less'} for what it did"


# --- outcomes ------------------------------------------------------------------------------------


def _outcome_text(told: Explanation, outcome: Outcome) -> str:
    """`supplier_0 a margin of 0.35, buyer_0 a surplus of 0.6`."""
    return ", ".join(
        f"{seat.name} a {_name(seat.role.fundamental)} of {_number(outcome.fundamental[seat.name])}"
        for seat in told.arm.market.seats
    )


def _change_text(told: Explanation, outcome: Outcome) -> str:
    """What differs from what happened, seat by seat; rewards only where they say something else."""
    texts = []
    for seat in told.arm.market.seats:
        fundamental = _name(seat.role.fundamental)
        pairs = [
            (fundamental, told.outcome.fundamental[seat.name], outcome.fundamental[seat.name]),
            ("reward", told.outcome.reward[seat.name], outcome.reward[seat.name]),
        ]
        if all(abs(a - b) < EQUAL for a, b in zip(pairs[0][1:], pairs[1][1:], strict=True)):
            pairs = pairs[:1]
        changed = [
            f"{name} from {_number(was)} to {_number(now)}"
            for name, was, now in pairs
            if abs(was - now) > EQUAL
        ]
        if changed:
            texts.append(f"{seat.name}'s {' and '.join(changed)}")
    return "; ".join(texts) or "nothing for anybody"


def _parts_text(parts: Mapping[str, Any]) -> str:
    """`price 0.8, claim scarce`."""
    return ", ".join(f"{_name(name)} {value_text(value)}" for name, value in parts.items())


def _name(name: str) -> str:
    """`last price_0` for `last_price_0`: the number of a seat stays attached."""
    words, _, number = name.rpartition("_")
    return f"{words.replace('_', ' ')}_{number}" if number.isdigit() else name.replace("_", " ")


def _number(x: float) -> str:
    """A figure to four digits, large ones in whole numbers; what is 0 but for rounding is 0."""
    if abs(x) >= WHOLE:
        return f"{x:,.0f}"
    return f"{0.0 if abs(x) < EQUAL else x:.4g}"
