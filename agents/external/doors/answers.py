"""What came back for a question: probabilities, an action, a refusal, or something else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tacit.agents.external.question import Question, as_parts, read_name
from tacit.envs.engine.action_index import as_integer
from tacit.envs.types import Floats

LONGEST = 500  # characters of an answer that are kept
NEAR = 1e-9  # by how much probabilities may miss 1 and still count as whole
MOST_SUM = 1e-6  # by how much they may exceed it

PROBABILITIES, ACTION = "probabilities", "action"
REFUSAL, TIME_OUT, ILLEGAL, FAILED = "refusal", "time-out", "illegal", "failed"


@dataclass(frozen=True)
class BotAnswer:
    """One answer, read.

    Attributes:
        kind: probabilities, action, refusal, time-out, illegal, or failed (there was none).
        row: probability of each legal action in the order of the table, float64 `[L]`. It sums to
            less than 1 where mass fell on no legal action, and is 0 without an answer.
        problem: what was wrong, in words; empty if nothing was.
        text: the answer itself, at most 500 characters.
        seconds: that it took.
        model: the name of the model, as the endpoint gives it.
        cost: of the request, in money.
        tries: requests that were made for it.
    """

    kind: str
    row: Floats = field(repr=False)
    problem: str = ""
    text: str = ""
    seconds: float = 0.0
    model: str = ""
    cost: float = 0.0
    tries: int = 1

    @property
    def illegal(self) -> float:
        """The mass that fell on no legal action, 0 .. 1."""
        missing = 1.0 - float(self.row.sum())
        return missing if missing > NEAR else 0.0

    @property
    def is_answer(self) -> bool:
        """Whether something was said, be it a refusal."""
        return self.kind not in (TIME_OUT, FAILED)


class DoorClosed(Exception):
    """Nothing more can be asked: the message says why, in a line."""


def shortened(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def without(question: Question, kind: str, problem: str, text: str = "") -> BotAnswer:
    """An answer that names no legal action."""
    return BotAnswer(kind, np.zeros(len(question.actions)), problem, shortened(text))


def of_place(question: Question, place: int, text: str = "") -> BotAnswer:
    """The answer that names the action at a place, counted as actions were shown."""
    shown = np.zeros(len(question.actions))
    shown[place] = 1.0
    return BotAnswer(ACTION, question.in_table_order(shown), text=shortened(text))


def of_probabilities(question: Question, shown: Floats, text: str = "") -> BotAnswer:
    """The answer that gives probabilities `[L]`, in the order in which actions were shown."""
    return BotAnswer(PROBABILITIES, question.in_table_order(shown), text=shortened(text))


def read_answer(question: Question, given: Any, text: str = "") -> BotAnswer:
    """An answer of the protocol: an object, or an action alone.

    Args:
        question: what was asked.
        given: `{"action": ...}`, `{"probabilities": [...]}` or `{"refuse": "why"}`; a whole number
            or a text stands for the action alone.
        text: the answer as it came.
    """
    text = text or shortened(repr(given))
    if not isinstance(given, Mapping):
        return _read_action(question, given, text)
    if "refuse" in given:
        return without(question, REFUSAL, "refused", str(given["refuse"]))
    if "probabilities" in given:
        return _read_probabilities(question, given["probabilities"], text)
    if "action" in given:
        return _read_action(question, given["action"], text)
    return without(question, ILLEGAL, "an object without action, probabilities or refuse", text)


def _read_action(question: Question, action: Any, text: str) -> BotAnswer:
    place: int | None = None
    if isinstance(action, Mapping):
        place = as_parts(question, action)
    elif isinstance(action, str):
        place = read_name(question, action)
    elif not isinstance(action, bool) and (number := as_integer(action)) is not None:
        place = number if 0 <= number < len(question.actions) else None
    if place is None:
        return without(question, ILLEGAL, "names no legal action", text)
    return of_place(question, place, text)


def _read_probabilities(question: Question, given: Any, text: str) -> BotAnswer:
    count = len(question.actions)
    try:
        numbers = [float(x) for x in given]
    except (TypeError, ValueError):
        return without(question, ILLEGAL, "probabilities that are no list of numbers", text)
    if len(numbers) != count:
        return without(question, ILLEGAL, f"{len(numbers)} probabilities for {count} actions", text)
    if any(not math.isfinite(x) or x < 0 for x in numbers):
        return without(question, ILLEGAL, "probabilities that are not finite and >= 0", text)
    if sum(numbers) > 1 + MOST_SUM:
        return without(question, ILLEGAL, f"probabilities that sum to {sum(numbers):g}", text)
    return of_probabilities(question, np.array(numbers), text)
