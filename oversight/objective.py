"""Who stands behind an objective: a document that names somebody, and what it is worth now.

The document holds the incentive cards of one or more arms, who validated them, why, and until when.
It is signed as a whole, in canonical JSON. Everywhere else its state is one of three:

    unvalidated objective
    named by X, not signed
    signed by X (key SHA256:...)

A signature ends when the KPI is no longer the one that was signed, on the day that the document
says, or with its key: then the state is `unvalidated objective`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from . import signatures
from .card import terms_hash
from .signatures import SignatureCheck

FORM = "tacit objective 1"
UNVALIDATED = "unvalidated objective"
# Letters of every script, digits, and what addresses have. No brackets, commas or quotes, which
# would let a name look like a part of the sentence around it.
NAME = re.compile(r"[^\W_][\w .@+'’-]{0,99}")
LONGEST_REASON = 1_000  # characters
DATE = re.compile(r"\d{4}-\d\d-\d\d")


class ObjectiveState(NamedTuple):
    """Who stands behind the objective of an arm.

    Attributes:
        text: in words, to be shown.
        is_signed: whether it holds a signature by a key that the verifier lists for this name.
        wrong: what does not fit, where somebody has altered something or signed for another; empty
            if nothing.
    """

    text: str
    is_signed: bool = False
    wrong: str = ""


NOBODY = ObjectiveState(UNVALIDATED)


def is_name(name: object) -> TypeGuard[str]:
    """Whether something can be shown as a name."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def objective_document(
    cards: Mapping[str, Mapping[str, Any]],
    experiment: str,
    by: str,
    reason: str,
    date: str,
    owner: str = "",
    expires: str = "",
) -> dict[str, Any]:
    """What is signed, or what names somebody without a signature.

    Args:
        cards: incentive cards by arm.
        experiment: what the arms belong to.
        by: who validated the objective.
        reason: why.
        date: when, in ISO 8601.
        owner: who answers for the objective; empty: nobody is named.
        expires: the last day on which it holds, `YYYY-MM-DD`; empty: none.
    """
    return {
        "form": FORM, "experiment": experiment, "by": by, "reason": reason, "date": date,
        "owner": owner, "expires": expires, "arms": {arm: dict(own) for arm, own in cards.items()},
    }  # fmt: skip


def text_mistakes(by: str, reason: str, owner: str, expires: str, today: str) -> list[str]:
    """What is wrong in the words of an objective's document, a line each."""
    mistakes = []
    for option, name in (("--by", by), ("--owner", owner)):
        if (name or option == "--by") and not is_name(name):
            mistakes.append(
                f"{option}: must be a name on one line, of letters, digits, spaces and .@+-_', "
                f"got {name!r}."
            )
    if not reason.strip() or not reason.isprintable() or len(reason) > LONGEST_REASON:
        mistakes.append(
            f"--reason: must be one line of at most {LONGEST_REASON:,} characters that can be "
            f"printed, got {reason[:80]!r}."
        )
    if expires and not _is_day(expires):
        mistakes.append(f"--expires: must be a day as YYYY-MM-DD, got {expires!r}.")
    elif expires and expires < today[:10]:
        mistakes.append(f"--expires: {expires} is past.")
    return mistakes


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        return bool(DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def objective_state(
    document: Mapping[str, Any],
    arm: str,
    terms: Mapping[str, Any],
    signature: SignatureCheck | None,
    today: str,
    has_list: bool = False,
) -> ObjectiveState:
    """Who stands behind an arm's objective, by the last document about it.

    Args:
        document: as `objective_document` made it, read from a file.
        arm: the arm's name.
        terms: the arm's KPI as it is now, by seat and term (`kpi.canonical`).
        signature: what its signature is worth; None if it has none.
        today: the day, `YYYY-MM-DD`.
        has_list: whether the verifier has a list of signers, so that a key that is not on it is
            wrong and not only unknown.
    """
    arms = document.get("arms")
    card = arms.get(arm) if isinstance(arms, Mapping) else None
    by, expires = document.get("by"), str(document.get("expires", ""))
    if document.get("form") != FORM or not isinstance(card, Mapping) or not is_name(by):
        return _ended("a document about it cannot be read", "is no document about this objective")
    wrong = card_mistake(card)
    if wrong:
        return _ended(f"the card that names {by} {wrong}", wrong)
    if card.get("kpi_hash") != terms_hash(terms):
        changed = "; ".join(changed_terms(signed_terms(card), terms))
        what = "signature" if signature else "name"
        text = f"the {what} of {by} ended, because the KPI was changed: {changed}"
        return _ended(text, f"the KPI was changed after {by} validated it: {changed}")
    if expires and expires < today:
        return ObjectiveState(f"{UNVALIDATED} (the word of {by} ended on {expires})")
    who = f"{by}{_owner_words(str(document.get('owner', '')), by)}"
    until = f", until {expires}" if expires else ""
    if signature is None:
        return ObjectiveState(f"named by {who}, not signed{until}")
    if signature.kind == signatures.LISTED:
        text = f"signed by {by} (key {signature.key}){until}"
        return ObjectiveState(text + who.removeprefix(by), is_signed=True)
    if signature.kind == signatures.EXPIRED:
        return ObjectiveState(f"{UNVALIDATED} (the signature of {by} {signature.text})")
    if signature.kind in (signatures.UNLISTED, signatures.UNCHECKED):
        text = f"named by {who}; the signature {signature.text}"
        is_unknown = signature.kind == signatures.UNLISTED and has_list
        return ObjectiveState(text, wrong=f"the signature {signature.text}" if is_unknown else "")
    return _ended(f"the signature of {by} {signature.text}", f"the signature {signature.text}")


def _ended(text: str, wrong: str) -> ObjectiveState:
    return ObjectiveState(f"{UNVALIDATED} ({text})", wrong=wrong)


def _owner_words(owner: str, by: str) -> str:
    """Who the owner is, to follow the name of who validated; nothing where nobody is named."""
    if not is_name(owner):
        return ""
    return " (its owner as well)" if owner == by else f" (its owner: {owner})"


def state_lines(states: Mapping[str, str]) -> list[str]:
    """Who stands behind the objectives of several arms, a line for each different answer.

    Args:
        states: `ObjectiveState.text` by arm.
    """
    arms: dict[str, list[str]] = {}
    for arm, text in states.items():
        arms.setdefault(text, []).append(arm)
    if len(arms) == 1:
        return [f"{text[:1].upper()}{text[1:]}." for text in arms]
    return [f"{', '.join(names)}: {text}." for text, names in arms.items()]


# --- cards ---------------------------------------------------------------------------------------


def signed_terms(card: Mapping[str, Any]) -> dict[str, Any]:
    """The KPI of a card by seat and term, as far as it can be read."""
    seats = card.get("seats")
    return {
        str(seat): own.get("terms")
        for seat, own in (seats.items() if isinstance(seats, Mapping) else ())
        if isinstance(own, Mapping)
    }


def card_mistake(card: Mapping[str, Any]) -> str:
    """What is wrong with a card in itself; empty if its hash is that of its terms."""
    if card.get("kpi_hash") != terms_hash(signed_terms(card)):
        return "does not fit its own KPI hash: a term or the hash was altered"
    return ""


def changed_terms(signed: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """In which terms two KPIs differ, a line each: `bidder_0.profit.weight 1.0, now 0.9`."""
    one, two = _flat(signed), _flat(present)
    keys = [key for key in dict.fromkeys([*one, *two]) if one.get(key) != two.get(key)]
    lines = [f"{key} {one.get(key, 'missing')}, now {two.get(key, 'missing')}" for key in keys[:3]]
    return lines + ([f"and {len(keys) - 3} more"] if len(keys) > 3 else [])


def _flat(table: object, prefix: str = "") -> dict[str, str]:
    """Leaves of nested tables, by dotted keys."""
    if not isinstance(table, Mapping):
        return {prefix: repr(table)[:40]}
    found: dict[str, str] = {}
    for key, value in table.items():
        found |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return found
