"""Bots that are a function of what they see, up to chance, and bots that only look like it.

A dishonest stub has a trigger, such as "the question before this one was high up in the table", and
a strength s: where the trigger holds, its answers lie a total variation of s away from those where
it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from tacit.agents.external.doors.answers import (
    PROBABILITIES,
    BotAnswer,
    of_place,
    of_probabilities,
    without,
)
from tacit.agents.external.question import Question, Questions
from tacit.envs import rng
from tacit.envs.registry import make_market

MARKETS = {
    "auction": ("ad_auction", {"observe": "price"}, "bidder_0"),  # 20 rows of 19 actions
    "pricing": ("cloud_bandwidth", {"prices": 5}, "provider_0"),  # 25 rows of 5 actions
    "talk": ("cheap_talk", {}, "receiver_0"),  # 6 rows of 11 actions
}
STRENGTHS = (0.05, 0.1, 0.2, 0.5, 1.0)
# How an answer is given: the whole row; the row's one action; an action drawn from the row.
MODES = ("probabilities", "actions", "draws")
SEED_OF_STUBS = 77


@dataclass
class State:
    """What a stub may remember.

    Attributes:
        asked: questions so far.
        row: of the question before, counted from 0 among the rows with a choice; -1: none.
        last: the action of the answer before; -1: none.
        high: whether that action was in the upper half of its row's.
    """

    asked: int = 0
    row: int = -1
    last: int = -1
    high: bool = False


Trigger = Callable[[State, Question, int, int], bool]  # state, question, place of the row, rows
TRIGGERS: dict[str, Trigger] = {
    "counts": lambda state, question, row, rows: state.asked % 2 == 1,
    "drifts": lambda state, question, row, rows: state.asked >= 300,
    "row before": lambda state, question, row, rows: state.row >= rows / 2,
    "own answer before": lambda state, question, row, rows: state.high,
    "order": lambda state, question, row, rows: 0 <= state.row < row,
    "labels": lambda state, question, row, rows: question.order != tuple(sorted(question.order)),
    "words": lambda state, question, row, rows: question.wording == 1,
    "after three questions": lambda state, question, row, rows: state.asked >= 3,
}


@dataclass
class Stub:
    """A `tacit.agents.external.doors.Door` that answers by itself.

    Attributes:
        questions: of the seat that it plays.
        mode: one of `MODES`.
        number: which draws it makes, and what its rows are.
        noise: share of its answers that are uniform over all actions (mode draws), or the size of
            errors in probabilities.
        trigger: what changes its answers; None: nothing does.
        strength: by how much.
        by_rows: the trigger changes whole rows, a share of `strength` of them, in mode actions.
        illegal: mass on no legal action; in other modes than probabilities a share of answers.
        where: its name.
    """

    questions: Questions
    mode: str
    number: int
    noise: float = 0.0
    trigger: str | None = None
    strength: float = 0.0
    by_rows: bool = False
    illegal: float = 0.0
    where: str = "a stub"
    _starts: int = 0
    _state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        key = rng.child_key(rng.seed_key(SEED_OF_STUBS, rng.PROBE), self.number)
        self._places = {int(row): k for k, row in enumerate(self.questions.decisions)}
        rows = len(self._places)
        self._main = rng.draws(rng.child_key(key, 0), rows)
        self._share = rng.draws(rng.child_key(key, 1), rows)
        self._key = rng.child_key(key, 2 + self._starts)
        self._drawn = iter(())
        self._blocks = 0

    def _draw(self) -> float:
        found = next(self._drawn, None)
        if found is None:
            self._blocks += 1
            self._drawn = iter(rng.draws(rng.child_key(self._key, self._blocks), 4096).tolist())
            found = next(self._drawn)
        return found

    def ask(self, question: Question) -> BotAnswer:
        """The answer."""
        place, count = self._places[question.observation], len(question.actions)
        state, rows = self._state, len(self._places)
        moved = self.trigger is not None and TRIGGERS[self.trigger](state, question, place, rows)
        # Two neighbouring actions; a moved answer is half the actions further on.
        main = int(self._main[place] * (count - 1))
        row = np.zeros(count)
        if self.mode == "actions":
            row[main] = 1.0
        else:
            row[main], row[main + 1] = (
                0.3 + 0.4 * self._share[place],
                0.7 - 0.4 * self._share[place],
            )
        if self.mode == "draws" and self.noise:
            row = (1 - self.noise) * row + self.noise / count
        if moved and (self.by_rows or self.mode == "probabilities"):
            by = self.strength if not self.by_rows else float(place < self.strength * rows)
            row = (1 - by) * row + by * np.roll(row, count // 2)
        elif moved and self._draw() < self.strength:
            row = np.roll(row, count // 2)
        answer = self._given(question, row)
        state.asked, state.row = state.asked + 1, place
        state.last = int(answer.row.argmax())
        state.high = state.last >= count / 2
        return answer

    def _given(self, question: Question, row: np.ndarray) -> BotAnswer:
        """A row in the stub's way of answering."""
        if self.mode == PROBABILITIES:
            if self.noise:
                errors = np.array([self._draw() for _ in row]) - 0.5
                row = np.where(row > 0, np.maximum(row + self.noise * errors, 0), 0)
                row = row / row.sum()
            return of_probabilities(question, (1 - self.illegal) * row[list(question.order)])
        if self.illegal and self._draw() < self.illegal:
            return without(question, "refusal", "refused")
        action = int((np.cumsum(row) <= self._draw()).sum()) if self.mode == "draws" else 0
        action = min(action, len(row) - 1) if self.mode == "draws" else int(row.argmax())
        return of_place(question, question.order.index(action))

    def fresh(self) -> Stub:
        """The same stub, with nothing remembered and other draws."""
        self._starts += 1
        return Stub(
            self.questions, self.mode, self.number, self.noise, self.trigger, self.strength,
            self.by_rows, self.illegal, self.where, self._starts,
        )  # fmt: skip

    def close(self) -> None:
        """Nothing was started."""


def questions_of(market: str) -> Questions:
    """The questions to the seat that stubs play in a market."""
    name, config, seat = MARKETS[market]
    return Questions(make_market(name, config), seat)


def honest(count: int) -> Iterator[tuple[str, str, Stub]]:
    """Stubs that are functions of what they see: market, kind, stub."""
    kinds = {
        "actions": {"mode": "actions"},
        "probabilities": {"mode": "probabilities"},
        "probabilities with errors": {"mode": "probabilities", "noise": 0.01},
        "probabilities, 20 % illegal": {"mode": "probabilities", "illegal": 0.2},
        "draws": {"mode": "draws"},
        "draws with a rare third action": {"mode": "draws", "noise": 0.02},
        "draws over all actions": {"mode": "draws", "noise": 1.0},
        "actions, 5 % refused": {"mode": "actions", "illegal": 0.05},
    }
    cases = list(product(kinds.items(), MARKETS))
    for k in range(count):
        (kind, keys), market = cases[k % len(cases)]
        yield market, kind, Stub(questions_of(market), number=k, **keys)  # type: ignore[arg-type]


def dishonest() -> Iterator[tuple[str, str, Stub]]:
    """200 stubs that are none: market, kind, stub."""
    k = 10_000
    for trigger, strength in product(TRIGGERS, STRENGTHS):
        for mode, market, by_rows in (
            ("probabilities", "talk", False),
            ("actions", "auction", False),
            ("actions", "pricing", True),
            ("draws", "pricing", False),
            ("draws", "talk", False),
        ):
            k += 1
            stub = Stub(
                questions_of(market), mode, k, trigger=trigger, strength=strength, by_rows=by_rows
            )
            yield market, f"{trigger}, {mode}{' by rows' if by_rows else ''}", stub
