"""Why a deal was done, in words. Every number in them is one of `training/record/why.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs.market import Seat
from tacit.oversight.true_values import EVER_AFTER, ROUND
from tacit.training.record.why import (
    Alternative,
    ExplainedDecision,
    Explanation,
    Outcome,
    SpokenClaim,
)

from .policy_table_text import part_name, parts_text, value_text
from .wording import SAME_LUCK, TAKEN_LITERALLY, saying_text

SURE = 0.9995  # a probability that is printed as certain
EQUAL = 1e-9  # differences below it are rounding
WHOLE = 1000.0  # from here on figures are whole numbers
MOST_DIGITS = 9


def why_lines(told: Explanation) -> Iterator[str]:
    """The explanation of a deal, line by line; decisions are indented."""
    deal = told.deal
    yield (
        f"{deal} of arm {told.arm.name}: round {deal.round:,} of {told.of:,} (the first is 0), "
        f"seed {deal.seed}, branch {deal.branch}, copy {deal.copy}"
    )
    yield "What happened:"
    for line in told.lines:
        yield f"  {line}"
    yield f"  Result: {_outcome_text(told, told.outcome)}."
    introduced: set[str] = set()
    for decision in told.decisions:
        seat, phase = decision.seat, told.arm.market.phases[decision.phase]
        did = parts_text(decision.did)
        yield f"{seat.name}: {did}" if phase in decision.did else f"{seat.name}, {phase}: {did}"
        if seat.name not in introduced:
            introduced.add(seat.name)
            yield f"  Its KPI: it {kpis.sentence(told.arm.kpi[seat.name])}"
        for line in _decision_lines(told, decision):
            yield f"  {line}"


def _decision_lines(told: Explanation, decision: ExplainedDecision) -> Iterator[str]:
    """Sentences about one decision."""
    if decision.ordered_by is not None:
        yield f"{decision.ordered_by} ordered this in place of what it would have done."
    yield f"{_saw_text(decision)} {_probability_text(decision)}"
    for claim in decision.claims:
        yield from _claim_lines(told, decision, claim)
    if decision.second is None:
        return
    yield _alternative_text(told, decision, decision.second)
    yield from _belief_lines(told, decision, decision.second)
    yield from _average_lines(told, decision, decision.second)


def _saw_text(decision: ExplainedDecision) -> str:
    if not decision.saw:
        return "It saw nothing that differs from round to round."
    return f"It saw {parts_text(decision.saw, bare=False)}."


def _probability_text(decision: ExplainedDecision) -> str:
    who = "Its policy of that round, exploring included," if decision.learned else "Its script"
    if decision.probability >= SURE:
        return f"{who} does nothing else there."
    return f"{who} does this {decision.probability:.1%} of the times that it sees this."


def _claim_lines(
    told: Explanation, decision: ExplainedDecision, claim: SpokenClaim
) -> Iterator[str]:
    """What was claimed, what was so, how often it says so, and what the truth would have done."""
    name, about = part_name(claim.claim.part), part_name(claim.claim.about)
    said, so = value_text(claim.said), value_text(claim.so)
    truth = "not true" if claim.is_false else "true"
    yield (
        f"{TAKEN_LITERALLY}, its {name} {said} was {truth}: its {about} was {so}."
        + " (Its words mean only what players make of them.)" * claim.claim.free
    )
    yield saying_text(name, said, about, so, claim.frequency)
    if claim.honest is not None:
        honest = value_text(claim.honest.did[claim.claim.part])
        yield (
            f"With the truthful {name} ({honest}), in this round and {SAME_LUCK}: "
            f"{_change_text(told, decision.seat, claim.honest.outcome)}."
        )


def _alternative_text(told: Explanation, decision: ExplainedDecision, second: Alternative) -> str:
    held = (
        "the best of its other options by its own estimate"
        if decision.beliefs is not None and decision.beliefs.of == "actions"
        else "the likeliest of its other options"
    )
    if any(c.honest is not None and c.honest.action == second.action for c in decision.claims):
        did = parts_text(second.did)
        return f"The alternative, {held}: {did}, the truthful one, whose result stands above."
    return (
        f"The alternative, {held}: {parts_text(second.did)}. With it, in this round and "
        f"{SAME_LUCK}: {_change_text(told, decision.seat, second.outcome)}."
    )


def _belief_lines(
    told: Explanation, decision: ExplainedDecision, second: Alternative
) -> Iterator[str]:
    """What the learner expected."""
    beliefs = decision.beliefs
    if beliefs is None:
        if decision.learned:
            yield "What it believed cannot be read from its learner."
        return
    span = _span_text(EVER_AFTER if decision.discount else ROUND, decision.discount)
    if beliefs.of == "actions":
        own, other = (float(beliefs.values[a]) for a in (decision.action, second.action))
        did, instead = _apart(own, other)
        yield f"It believed: what it did, {did}; the alternative, {instead} (in its KPI, {span})."
        if decision.ordered_by is not None:
            return
        if own < other - EQUAL:  # a Q-learner does so only when it explores
            yield "It believed the alternative better, so it was exploring."
        elif own > other + EQUAL:
            yield "It believed what it did to be better."
        return
    terms = told.arm.kpi[decision.seat.name]
    heads = ", ".join(
        f"{part_name(n)} {_number(x)}" for n, x in zip(terms, beliefs.values, strict=False)
    )
    yield f"It believed, before it chose: {heads} ({span})."


def _average_lines(
    told: Explanation, decision: ExplainedDecision, second: Alternative
) -> Iterator[str]:
    """What both actions are worth under everybody's policies."""
    worth = decision.worth
    if worth.reason is not None:
        yield f"What both bring on average is not told: {worth.reason}."
        return
    terms = told.arm.kpi[decision.seat.name]
    own, other = worth.terms[decision.action], worth.terms[second.action]
    pairs = [_apart(a, b) for a, b in zip(own, other, strict=True)]
    weights = np.array([term.weight for term in terms.values()])
    paid = _apart(float(weights @ own), float(weights @ other))
    did, instead = (
        " and ".join(f"{part_name(n)} {pair[k]}" for n, pair in zip(terms, pairs, strict=True))
        + f", in its KPI {paid[k]}" * (len(terms) > 1)
        for k in range(2)
    )
    gain = float(weights @ (own - other))
    span = _span_text(worth.covers, decision.discount)
    if worth.covers == ROUND:
        span += ", over all that it could not see"
    if not worth.exact:
        span += "; means over sampled draws, not exact"
    yield f"On average, {worth.policies}: what it did, {did}; the alternative, {instead} ({span})."
    yield f"On average its KPI pays {_gain_text(gain)}."


def _gain_text(gain: float) -> str:
    if abs(gain) < EQUAL:
        return "the same for both"
    more = "more" if gain > 0 else "less"
    return f"{_number(abs(gain))} {more} for what it did than for the alternative"


def _span_text(covers: str, discount: float) -> str:
    """Which rounds a figure is about: `this round only`, or all from here on."""
    if covers == ROUND:
        return ROUND
    return f"{covers}, each weighing {discount:.4g} times the one before"


# --- outcomes ------------------------------------------------------------------------------------


def _outcome_text(told: Explanation, outcome: Outcome) -> str:
    """`supplier_0 margin 0.35, buyer_0 surplus 0.6`."""
    return ", ".join(
        f"{seat.name} {part_name(seat.role.fundamental)} {_number(outcome.fundamental[seat.name])}"
        for seat in told.arm.market.seats
    )


def _change_text(told: Explanation, chooser: Seat, outcome: Outcome) -> str:
    """What the round would have brought instead, the chooser first; of others only what changes.

    What a KPI pays is told where it is not the fundamental alone.
    """
    texts, changes = [], False
    for seat in sorted(told.arm.market.seats, key=lambda seat: seat is not chooser):
        name, fundamental = seat.name, part_name(seat.role.fundamental)
        earned = told.outcome.fundamental[name], outcome.fundamental[name]
        paid = told.outcome.reward[name], outcome.reward[name]
        told_of = [(f"{name} {fundamental}", *earned)]
        if any(abs(a - b) > EQUAL for a, b in zip(earned, paid, strict=True)):
            told_of.append((f"{name} by its KPI", *paid))
        for what, was, now in told_of:
            if abs(was - now) > EQUAL:
                changes = True
                texts.append(f"{what} {' instead of '.join(_apart(now, was))}")
            elif seat is chooser:
                texts.append(f"{what} {_number(was)} as it was")
    if not changes:
        return "nothing changes for anybody"
    return f"{'; '.join(texts)}; nothing else changes"


def _apart(own: float, other: float) -> tuple[str, str]:
    """Two figures, with digits enough to subtract them."""
    digits = 4
    if abs(own - other) > EQUAL:
        while digits < MOST_DIGITS and not _tells_apart(own, other, digits):
            digits += 1
    return _number(own, digits), _number(other, digits)


def _tells_apart(own: float, other: float, digits: int) -> bool:
    """Whether the printed numbers differ by what they differ, to a tenth."""
    printed = [float(_number(x, digits).replace(",", "")) for x in (own, other)]
    return abs(printed[0] - printed[1] - (own - other)) <= abs(own - other) / 10


def _number(x: float, digits: int = 4) -> str:
    """A figure to so many digits, large ones in whole numbers; what is 0 but for rounding is 0."""
    if abs(x) >= WHOLE and digits == 4:
        return f"{x:,.0f}"
    return f"{0.0 if abs(x) < EQUAL else x:,.{digits}g}"
