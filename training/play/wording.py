"""Names of values and of actions, and what was typed as one of them.

An action is typed by its number among those that are legal (`3` or `#3`), or by its name:
`bid 0.45`, `price 0.4, claim scarce`, or the values alone, `0.4 scarce`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from tacit.agents.external.words_of_values import MOST_DIGITS, value_texts
from tacit.envs.market import Part, Role
from tacit.training.show.policy_table_text import part_name

DECIMALS = 12  # to which a difference of equal amounts is 0
WHOLE = 1000  # from here on amounts are whole numbers
LONGEST = 60  # characters of an answer that are repeated in a message


class AnswerError(ValueError):
    """What was typed is no legal action; the message is one line for whoever typed it."""


@dataclass(frozen=True)
class Choice:
    """A legal action.

    Attributes:
        number: its place among the legal ones, from 1.
        action: its index in the policy table.
        parts: its parts, by name.
        text: its name.
    """

    number: int
    action: int
    parts: dict[str, Any]
    text: str


def value_text(part: Part, value: Any) -> str:
    """One value of a part, as `value_texts` writes it."""
    return value_texts(part)[part.index(value)]


def amount_text(amount: float) -> str:
    """A sum of rewards: four digits, from 1,000 on in whole numbers; rounding is no amount."""
    rounded = round(amount, DECIMALS) + 0.0
    return f"{rounded:,.0f}" if abs(rounded) >= WHOLE else f"{rounded:.4g}"


def choices(role: Role, observation: int) -> tuple[Choice, ...]:
    """The legal actions at an observation, in the order of their indices."""
    first, count = (int(x) for x in role.legal[observation])
    return _choices(role, first, count)


@lru_cache(maxsize=64)
def _choices(role: Role, first: int, count: int) -> tuple[Choice, ...]:
    found = []
    for k in range(count):
        parts = role.decode_action(first + k)
        found.append(Choice(k + 1, first + k, parts, action_text(role, first + k)))
    return tuple(found)


def action_text(role: Role, action: int) -> str:
    """`bid 0.45`, or `accept supplier_0` where the only part of an action is a word."""
    parts = role.decode_action(action)
    known = parts_of_action(role, action)
    if len(known) == 1 and isinstance(parts[known[0].name], str):
        return str(parts[known[0].name])
    return ", ".join(f"{part_name(p.name)} {value_text(p, parts[p.name])}" for p in known)


def parts_of_action(role: Role, action: int) -> tuple[Part, ...]:
    """The parts that an action has, with all their values."""
    names = tuple(role.decode_action(action))
    return next(
        parts
        for parts in role.choices
        if tuple(p.name for p in parts) == names
        and all(_has(p, role.decode_action(action)[p.name]) for p in parts)
    )


def _has(part: Part, value: Any) -> bool:
    return any(value is known or value == known for known in part.values)


# --- answers -------------------------------------------------------------------------------------


def choice_of(known: Sequence[Choice], role: Role, text: str) -> Choice:
    """The legal action that was typed.

    Args:
        known: the legal actions, at least one.
        role: whose they are.
        text: what was typed.

    Raises:
        AnswerError: none of them; the message names the nearest one.
    """
    answer = text.strip()
    place = _names(role, known[0].action, len(known)).get(_canonical(answer))
    named = None if place is None else known[place]
    if (number := _number_of(answer)) is not None:
        numbered = known[number - 1] if 1 <= number <= len(known) else None
        only_number = answer.startswith("#")
        if named and numbered and named != numbered and not only_number:
            raise AnswerError(
                f"{answer} may mean '#{number}' ({numbered.text}) or '{named.text}': type one of "
                "them."
            )
        if numbered is None and (only_number or named is None):
            raise AnswerError(f"there is no number {_shown(answer)}: type 1 to {len(known)}.")
        named = numbered or named
    if named is not None:
        return named
    raise AnswerError(
        f"'{_shown(answer)}' is no action here. Did you mean '{_nearest(known, answer)}'?"
    )


def _number_of(answer: str) -> int | None:
    """The number of an action that an answer is, `3` or `#3`; 0 of one that no action has."""
    digits = answer.removeprefix("#").strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0")
    return int(digits) if digits and len(digits) <= MOST_DIGITS else 0


def _shown(answer: str) -> str:
    """The beginning of an answer, for a message."""
    return answer if len(answer) <= LONGEST else f"{answer[:LONGEST]}..."


@lru_cache(maxsize=64)
def _names(role: Role, first: int, count: int) -> dict[str, int]:
    """Every name of the legal actions in canonical form, and the place of its action."""
    found: dict[str, int] = {}
    doubtful: set[str] = set()
    for choice in _choices(role, first, count):
        for name in {_canonical(name) for name in _spellings(role, choice)}:
            if name in found:
                doubtful.add(name)
            found[name] = choice.number - 1
    return {name: place for name, place in found.items() if name not in doubtful}


def _spellings(role: Role, choice: Choice) -> Iterator[str]:
    """With and without the names of parts, numbers as shown and in full."""
    parts = parts_of_action(role, choice.action)
    shown = [value_text(p, choice.parts[p.name]) for p in parts]
    for values in (shown, [str(choice.parts[p.name]) for p in parts]):
        yield " ".join(values)
        yield " ".join(f"{p.name} {v}" for p, v in zip(parts, values, strict=True))
        yield " ".join(f"{part_name(p.name)} {v}" for p, v in zip(parts, values, strict=True))


def _canonical(text: str) -> str:
    """A name with one spelling of every number: `Bid = .450` is `bid 0.45`."""
    words = text.lower().replace(",", " ").replace("=", " ").split()
    return " ".join(repr(x) if (x := _number(word)) is not None else word for word in words)


def _number(word: str) -> float | None:
    """The number that a word is, to 12 digits; None if it is none."""
    try:
        value = float(word)
    except ValueError:
        return None
    return float(f"{value:.12g}") + 0.0 if isfinite(value) and "_" not in word else None


def _nearest(known: Sequence[Choice], answer: str) -> str:
    """The name of the action that is nearest to what was typed."""
    words = answer.split()
    wanted = _number(words[-1]) if words else None
    values = [next(iter(choice.parts.values())) for choice in known]
    if wanted is not None and len(known[0].parts) == 1 and isinstance(values[0], int | float):
        return min(zip(known, values, strict=True), key=lambda pair: abs(pair[1] - wanted))[0].text
    begun = _canonical(answer)
    for choice in known:  # a part is missing, say
        if begun and _canonical(choice.text).startswith(begun):
            return choice.text
    texts = [choice.text for choice in known]
    close = difflib.get_close_matches(answer[:LONGEST].lower(), texts, n=1, cutoff=0.0)
    return close[0] if close else texts[0]
