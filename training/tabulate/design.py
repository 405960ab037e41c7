"""Which questions are asked, in which order, with which labels and in which wording.

Every question of the gate draws its labels and its wording on its own, so that one set of answers
serves all comparisons at once (a factorial design) instead of one set for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.agents.external.question import Question, Questions
from tacit.envs import rng
from tacit.envs.types import Ints

REPEATS = 0.4  # share of questions in a mixed pass that are asked twice in a row
SESSION_LENGTH = 3  # questions to each fresh start


@dataclass(frozen=True)
class Ask:
    """One question to be asked.

    Attributes:
        number: its place among all questions; a file of answers is read again by it.
        row: the row of the policy table.
        order: of the actions shown; None: that of the table.
        wording: 0 or 1.
        in_order: whether it belongs to a pass through the rows in their order.
        session: 0 of the main session, else which fresh start of the bot it belongs to.
    """

    number: int
    row: int
    order: tuple[int, ...] | None = None
    wording: int = 0
    in_order: bool = False
    session: int = 0

    def question(self, questions: Questions) -> Question:
        """The question itself."""
        return questions.at(self.row, self.order, self.wording)


class Design:
    """The sequence of questions to one seat, which depends on a seed and on no answer.

    Attributes:
        questions: what can be asked.
    """

    def __init__(self, questions: Questions, seed: int) -> None:
        self.questions = questions
        self._key = rng.seed_key(seed, rng.PROBE)
        self._passes = 0

    def first(self) -> list[Ask]:
        """Every row once, in mixed order, as it is shown by default."""
        rows = self._shuffled()
        return [Ask(k, int(row)) for k, row in enumerate(rows)]

    def more(self, number: int, least: int) -> list[Ask]:
        """Whole passes with at least so many questions.

        Args:
            number: of the first question.
            least: how many at least.
        """
        found: list[Ask] = []
        while len(found) < least:
            found += self._pass(number + len(found))
        return found

    def fresh(self, number: int, session: int, least: int) -> list[Ask]:
        """Questions to fresh starts of the bot, the first ones that each of them answers.

        Args:
            number: of the first question.
            session: the number of the first fresh start, from 1.
            least: questions at least.
        """
        count = -(-least // SESSION_LENGTH) * SESSION_LENGTH
        rows: list[int] = []
        while len(rows) < count:
            rows += self._shuffled().tolist()
        shown = self._shown(rows[:count])
        return [
            Ask(number + k, rows[k], *shown[k], session=session + k // SESSION_LENGTH)
            for k in range(count)
        ]

    def _draws(self, count: int) -> Any:
        self._passes += 1
        return rng.draws(rng.child_key(self._key, self._passes), count)

    def _shuffled(self) -> Ints:
        decisions = self.questions.decisions
        found: Ints = decisions[np.argsort(self._draws(len(decisions)), kind="stable")]
        return found

    def _pass(self, number: int) -> Iterator[Ask]:
        """Every row once or twice, in order or mixed by turns."""
        decisions = self.questions.decisions
        in_order = self._draws(1)[0] < 0.5
        rows = decisions if in_order else self._shuffled()
        twice = self._draws(len(rows)) < (0.0 if in_order else REPEATS)
        rows = np.repeat(rows, 1 + twice)
        shown = self._shown(rows.tolist())
        for k, row in enumerate(rows):
            yield Ask(number + k, int(row), *shown[k], in_order)

    def _shown(self, rows: Sequence[int]) -> list[tuple[tuple[int, ...] | None, int]]:
        """Order of the actions and wording of each question, each by a coin of its own."""
        coins = self._draws(2 * len(rows)).reshape(2, -1) < 0.5
        return [
            (self._permuted(row) if coins[0, k] else None, int(coins[1, k]))
            for k, row in enumerate(rows)
        ]

    def _permuted(self, row: int) -> tuple[int, ...]:
        """Another order of the legal actions than that of the table."""
        count = int(self.questions.seat.role.legal[row, 1])
        order = [int(k) for k in np.argsort(self._draws(count), kind="stable")]
        if order == sorted(order):
            order = order[1:] + order[:1]
        return tuple(order)
