"""A question to an agent: what its seat sees and may do, as named parts and in words.

    questions = Questions(market, "provider_0")
    question = questions.at(17)
    question.plain()                    # what a bot gets: JSON values
    question.words()                    # the same for a language model
    read_words(market, seat.role, question.words())    # the parts again

An observation has two wordings and its actions any order: answers that depend on either are no
function of what is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import numpy as np

from tacit.envs.market import Block, Market, Part, Role, Seat
from tacit.envs.market.roles import PHASE
from tacit.envs.types import Floats, Ints

from .words_of_values import value_texts

LETTERS = ascii_uppercase + ascii_lowercase  # labels of actions, where there are enough
WORDINGS = 2
MARKS = "\"'`*()[]"  # around a word of an answer
SEEN = ("You see:", "Known to you now:")  # the line before what is seen, by wording
NOTHING = ("- nothing in this phase", "* nothing in this phase")
MAY = ("You may do one of these:", "Your options are:")  # the line before the actions


@dataclass(frozen=True)
class Question:
    """What one seat is asked at one observation.

    Attributes:
        market: the market's name.
        title: the market in a line.
        seat: the seat's name.
        role: its role's name.
        phase: the name of the decision.
        observation: the row of the policy table.
        seen: the parts that are seen, each with its value.
        actions: the legal actions as parts by name, in the order in which they are shown.
        names: the same in words.
        order: which legal action stands at each place, counted from the first one in the table.
        wording: 0 or 1, the same facts in other words.
    """

    market: str
    title: str
    seat: str
    role: str
    phase: str
    observation: int
    seen: tuple[tuple[Part, Any], ...]
    actions: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    order: tuple[int, ...]
    wording: int = 0

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What stands before each action: letters, or numbers where letters do not suffice."""
        count = len(self.actions)
        if count <= len(LETTERS):
            return tuple(LETTERS[:count])
        return tuple(str(k + 1) for k in range(count))

    def plain(self) -> dict[str, Any]:
        """The question as JSON values: the protocol of external agents."""
        seen = {part.name: json_value(value) for part, value in self.seen}
        return {
            "market": self.market,
            "seat": self.seat,
            "observation": {PHASE: self.phase, **seen},
            "actions": [
                {name: json_value(value) for name, value in parts.items()} for parts in self.actions
            ],
            "words": self.words(),
        }

    def words(self) -> str:
        """The question in words, without a request to answer in a certain form."""
        return f"{self.situation()}\n{self.options()}"

    def situation(self) -> str:
        """Who is asked, and what is seen."""
        if self.wording == 0:
            head = [
                f"Market: {self.market} ({self.title})",
                f"Your seat: {self.seat}, a {self.role}",
                f"Phase: {self.phase}",
            ]
        else:
            head = [
                f"You play {self.seat}, a {self.role}, in {self.market} ({self.title})",
                f"It is phase: {self.phase}",
            ]
        seen = [_seen_line(part, value, self.wording) for part, value in self.seen]
        return "\n".join([*head, SEEN[self.wording], *(seen or [NOTHING[self.wording]])])

    def options(self) -> str:
        """The legal actions, a line each."""
        mark = ".)"[self.wording]
        lines = (
            f"{label}{mark} {name}" for label, name in zip(self.labels, self.names, strict=True)
        )
        return "\n".join([MAY[self.wording], *lines])

    def in_table_order(self, shown: Floats) -> Floats:
        """Probabilities `[L]` by place as probabilities `[L]` in the order of the table."""
        found = np.zeros(len(self.order))
        found[list(self.order)] = shown
        return found


class Questions:
    """The questions that one seat of a market can be asked.

    Attributes:
        market: the market.
        seat: the seat.
        decisions: the observations at which it has a choice, int64 `[D]`.
    """

    def __init__(self, market: Market, seat: str) -> None:
        """Questions to a seat.

        Raises:
            KeyError: no such seat.
        """
        self.market = market
        self.seat: Seat = market.seat(seat)
        self.decisions: Ints = np.flatnonzero(self.seat.role.legal[:, 1] > 1).astype(np.int64)
        self._known: dict[tuple[int, int], tuple[tuple[dict[str, Any], ...], tuple[str, ...]]] = {}

    def at(
        self, observation: int, order: Sequence[int] | None = None, wording: int = 0
    ) -> Question:
        """The question at an observation.

        Args:
            observation: the row of the policy table.
            order: of the legal actions, each counted from the first one; None: that of the table.
            wording: 0 or 1.

        Raises:
            ValueError: no such observation.
        """
        role = self.seat.role
        block = block_at(role, observation)
        first, count = (int(x) for x in role.legal[observation])
        actions, names = self._actions(first, count)
        places = tuple(range(count)) if order is None else tuple(int(k) for k in order)
        return Question(
            self.market.name, self.market.title, self.seat.name, role.name,
            self.market.phases[block.phase], int(observation), _seen(role, block, observation),
            tuple(actions[k] for k in places), tuple(names[k] for k in places), places, wording,
        )  # fmt: skip

    def _actions(
        self, first: int, count: int
    ) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
        """The legal actions from `first` on, as parts and in words."""
        key = (first, count)
        if key not in self._known:
            role = self.seat.role
            actions = range(first, first + count)
            self._known[key] = (
                tuple(role.decode_action(a) for a in actions),
                tuple(action_name(role, a) for a in actions),
            )
        return self._known[key]


def json_value(value: Any) -> Any:
    """A value of a part as JSON holds it; what JSON has no form for is written as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def block_at(role: Role, observation: int) -> Block:
    """The block to which an observation belongs.

    Raises:
        ValueError: no such observation.
    """
    start = 0
    for block in role.blocks:
        if start <= observation < start + block.size:
            return block
        start += block.size
    raise ValueError(
        f"observation {observation} of a {role.name} is not in 0 .. {role.observations - 1}"
    )


def _seen(role: Role, block: Block, observation: int) -> tuple[tuple[Part, Any], ...]:
    """The parts that are seen at an observation of a block, those of the whole block first."""
    values = role.decode_observation(observation)
    return (*block.given, *((part, values[part.name]) for part in block.sees))


def action_name(role: Role, action: int) -> str:
    """An action in words: `price 0.4, claim scarce`; the value alone of a single part of words."""
    parts = next(
        own
        for own, start in _choices(role)
        if start <= action < start + int(np.prod([len(p.values) for p in own]))
    )
    values = role.decode_action(action)
    if len(parts) == 1 and isinstance(values[parts[0].name], str):
        return str(values[parts[0].name])
    return ", ".join(f"{p.name} {value_texts(p)[p.index(values[p.name])]}" for p in parts)


def _choices(role: Role) -> list[tuple[tuple[Part, ...], int]]:
    """The kinds of actions of a role, each with its first action."""
    found, start = [], 0
    for parts in role.choices:
        found.append((parts, start))
        start += int(np.prod([len(p.values) for p in parts]))
    return found


# --- reading words back --------------------------------------------------------------------------


def _seen_line(part: Part, value: Any, wording: int) -> str:
    text = value_texts(part)[part.index(value)]
    if wording == 0:
        return f"- {part.name}: {text} ({part.meaning})"
    return f"* {part.name} [{part.meaning}] is {text}"


def read_words(market: Market, role: Role, words: str) -> dict[str, Any]:
    """The parts of the observation that a question in words describes.

    Args:
        market: the market.
        role: whose question it is.
        words: what `Question.words` gave, in either wording.

    Returns:
        As `Role.decode_observation`: the index of the phase, then every part with its value.

    Raises:
        ValueError: the words describe no observation of this role.
    """
    lines = words.splitlines()
    wording = next((k for k in range(WORDINGS) if SEEN[k] in lines), None)
    if wording is None:
        raise ValueError(f"no line '{SEEN[0]}' or '{SEEN[1]}'")
    start = lines.index(SEEN[wording])
    phase = lines[start - 1].partition("hase: ")[2]
    shown = [
        line for line in lines[start + 1 : lines.index(MAY[wording])] if line != NOTHING[wording]
    ]
    for block in role.blocks:
        if market.phases[block.phase] == phase:
            found = _as_parts(block, shown, wording)
            if found is not None:
                return {PHASE: block.phase, **found}
    raise ValueError(f"no {role.name} sees this in phase '{phase}': {shown}")


def _as_parts(block: Block, shown: Sequence[str], wording: int) -> dict[str, Any] | None:
    """The parts of a block that lines describe; None: they describe none of its observations."""
    parts = [*(part for part, _ in block.given), *block.sees]
    if len(parts) != len(shown):
        return None
    found = {}
    for part, line in zip(parts, shown, strict=True):
        if wording == 0:
            head, tail = f"- {part.name}: ", f" ({part.meaning})"
        else:
            head, tail = f"* {part.name} [{part.meaning}] is ", ""
        if not (line.startswith(head) and line.endswith(tail)):
            return None
        text = line[len(head) : len(line) - len(tail)]
        if text not in value_texts(part):
            return None
        found[part.name] = part.values[value_texts(part).index(text)]
    if any(found[part.name] != value for part, value in block.given):
        return None
    return found


def read_name(question: Question, text: str) -> int | None:
    """The place of the action that a text names, by its label, its name or its values.

    Args:
        question: what was asked.
        text: the answer.

    Returns:
        The place among the actions as they were shown; None: it names none of them, or several.
    """
    wanted = _plain_words(text)
    if not wanted:
        return None
    stripped = text.strip().strip("\"'`*.:()[] ")
    if stripped in question.labels:
        return question.labels.index(stripped)
    by_name = [k for k, name in enumerate(question.names) if _plain_words(name) == wanted]
    if len(by_name) == 1:
        return by_name[0]
    if by_name:
        return None
    for label, name in zip(question.labels, question.names, strict=True):  # "B. price 0.4"
        if wanted == _plain_words(f"{label} {name}"):
            return question.labels.index(label)
    values = [
        k
        for k, (name, parts) in enumerate(zip(question.names, question.actions, strict=True))
        if wanted == [word for word in _plain_words(name) if word not in parts]
        or wanted == _plain_words(" ".join(map(str, parts.values())))
    ]
    return values[0] if len(values) == 1 else None


def _plain_words(text: str) -> list[str]:
    """The words of a text; punctuation around them, case and spelling of numbers are dropped."""
    words = text.lower().replace(",", " ").replace("=", " ").replace(":", " ").split()
    bare = (word.strip(MARKS).rstrip(".") for word in words)
    return [_plain_number(word) for word in bare if word]


def _plain_number(word: str) -> str:
    try:
        return f"{float(word):.12g}"
    except ValueError:
        return word


def as_parts(question: Question, action: Mapping[str, Any]) -> int | None:
    """The place of the action that has these parts; None: none has."""
    for k, parts in enumerate(question.actions):
        if parts.keys() == action.keys() and all(_same(parts[n], action[n]) for n in parts):
            return k
    return None


def _same(known: Any, given: Any) -> bool:
    if isinstance(known, bool) or isinstance(given, bool):
        return known is given
    if isinstance(known, int | float) and isinstance(given, int | float):
        return abs(known - given) < 1e-9
    return bool(json_value(known) == given)
