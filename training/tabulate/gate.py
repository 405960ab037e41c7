"""The gate: is a bot a function of what its seat sees, up to chance?

Every row is asked, then asked again: later, in order and mixed, after other questions, with the
actions in another order under other labels, in other words, and as the first question to a fresh
start of the bot. A bot whose answers never vary passes after a few questions a row; one that mixes
is asked until a change of the wanted size would show (`contrasts.py`).

What no such examination can find: a change that comes later than its last question, or a memory
that none of the histories met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from tacit.agents.external.doors.answers import BotAnswer, DoorClosed
from tacit.agents.external.doors.door import Door
from tacit.envs.types import Bools, Floats, Ints

from .asking import Asker
from .contrasts import (
    LEVEL,
    Spread,
    contrast,
    fresh_questions,
    fresh_without_chance,
    odd_ones,
    questions_with_chance,
    questions_without_chance,
    spread,
)
from .design import SESSION_LENGTH, Ask, Design

LOOKS = 4  # times that answers which vary are tested: at 1/8, 1/4, 1/2 and all of the questions
CONTRASTS = {
    "late": "when it is asked again later",
    "odd": "with the number of the question",
    "in_order": "with the order of the questions",
    "ascending": "after a question further up in the table",
    "labels": "when the actions stand in another order",
    "words": "when the question is worded otherwise",
    "before": "with the question before",
    "before2": "with the question before the last",
    "repeat": "when a question is asked twice in a row",
    "last_answer": "with its last answer",
    "own_answer": "with its last answer to the same question",
    "fresh": "when it is started anew",
}


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    Attributes:
        passes: whether the bot is a function of what it sees, as far as was looked.
        changes: by comparison, the total variation between its two groups, averaged over rows.
        moved: rows at which not all answers were the same.
        largest: the largest distance between two answers to a row where the bot does not pass or
            does not mix, else the largest of `changes`.
        mixes: whether it passes although answers vary.
        reasons: why it does not pass, a line each.
        needed: questions that a bot which mixes would have needed; 0 if there were enough.
    """

    passes: bool
    changes: dict[str, float]
    moved: int
    largest: float
    mixes: bool
    reasons: list[str]
    needed: int = 0


class FunctionGate:
    """Asks what is needed, and judges the answers.

    Attributes:
        resolution: the change that must be found, 0 .. 1.
        most: questions at most.
        notes: what could not be looked at.
    """

    def __init__(
        self, asker: Asker, design: Design, door: Door, resolution: float, most: int
    ) -> None:
        self.asker, self.design, self.door = asker, design, door
        self.resolution, self.most = resolution, most
        self.notes: list[str] = []
        self._number, self._sessions, self._can_start_anew = 0, 0, True

    def run(self) -> GateResult:
        """Ask and judge.

        Raises:
            DoorClosed: nothing more can be asked.
            BudgetSpent: nothing more may be asked.
        """
        first = self.design.first()
        self._ask(first)
        self._fresh_starts(fresh_without_chance(self.resolution))
        least = max(2 * len(first), questions_without_chance(self.resolution))
        self._ask(self.design.more(self._number, least))
        for look in range(LOOKS):
            answers = AnswerVectors(self.asker.answered())
            if answers.largest_distance() <= self.resolution / 2:
                return answers.never_varied()
            found = answers.tested(LEVEL / (LOOKS + 1))
            if not found.passes:
                return found
            wanted = questions_with_chance(answers.spread, self.resolution)
            fresh = fresh_questions(wanted) if self._can_start_anew else 0
            if wanted + fresh > self.most:
                return answers.too_few(found, wanted + fresh, self.resolution, self.most)
            share = LOOKS - 1 - look
            self._fresh_starts((fresh >> share) - self._sessions * SESSION_LENGTH)
            main = self._number - self._sessions * SESSION_LENGTH
            self._ask(self.design.more(self._number, (wanted >> share) - main))
        return AnswerVectors(self.asker.answered()).tested(LEVEL / (LOOKS + 1))

    def _ask(self, asks: Sequence[Ask]) -> None:
        self.asker.ask(asks, self.door)
        self._number += len(asks)

    def _fresh_starts(self, least: int) -> None:
        """Ask fresh starts of the bot at least so many questions, where it can be started anew."""
        if least <= 0 or not self._can_start_anew:
            return
        asks = self.design.fresh(self._number, self._sessions + 1, least)
        for k in range(0, len(asks), SESSION_LENGTH):
            own = asks[k : k + SESSION_LENGTH]
            door = self.door if self.asker.knows(own) else self._fresh_door()
            if door is None:
                return
            self._sessions += 1
            self._number += SESSION_LENGTH
            try:
                # A fresh start that breaks down is a result of its own, and the gate goes on.
                with suppress(DoorClosed):
                    self.asker.ask(own, door)
            finally:
                if door is not self.door:
                    door.close()

    def _fresh_door(self) -> Door | None:
        """A fresh start; None where there is none, which is noted."""
        try:
            door = self.door.fresh()
            if door is not None:
                return door
            self.notes.append("it cannot be started anew, so no fresh start was looked at")
        except DoorClosed as closed:
            self.notes.append(f"it could not be started anew: {closed}")
        self._can_start_anew = False
        return None


class AnswerVectors:
    """Answers as vectors, in the order of the questions.

    Attributes:
        asks: the questions that were answered.
        rows: the row of each, counted from 0 in the order of the table, int64 `[N]`.
        vectors: probabilities of the row's legal actions, and last the mass on none of them,
            float64 `[N, K]`.
        spread: how much they vary within rows.
    """

    def __init__(self, answered: Sequence[tuple[Ask, BotAnswer]]) -> None:
        pairs = [(ask, answer) for ask, answer in answered if answer.is_answer]
        self.asks = [ask for ask, _ in pairs]
        known = sorted({ask.row for ask in self.asks})
        place = {row: k for k, row in enumerate(known)}
        self.rows: Ints = np.array([place[ask.row] for ask in self.asks], np.int64)
        width = 1 + max((len(answer.row) for _, answer in pairs), default=0)
        self.vectors: Floats = np.zeros((len(pairs), width))
        self._upper: Floats = np.zeros(len(pairs))
        for k, (_, answer) in enumerate(pairs):
            self.vectors[k, : len(answer.row)] = answer.row
            self.vectors[k, -1] = answer.illegal
            self._upper[k] = float(answer.row.argmax())
        self.spread: Spread = spread(self.rows, self.vectors)

    def largest_distance(self) -> float:
        """The largest total variation between an answer and the first one to the same row."""
        return float(self._distances().max(initial=0.0))

    def _distances(self) -> Floats:
        """The total variation between each answer and the first one to its row, `[N]`."""
        _, first = np.unique(self.rows, return_index=True)
        if not len(first):
            return np.zeros(0)
        found: Floats = np.abs(self.vectors - self.vectors[first[self.rows]]).sum(axis=1) / 2
        return found

    def _moved(self) -> int:
        return len(set(self.rows[self._distances() > 1e-9].tolist()))

    # --- groups ----------------------------------------------------------------------------------

    def groups(self) -> Iterator[tuple[str, Bools, Bools]]:
        """Name, the answers that are compared, and those of the one group, bool `[N]` each."""
        count = len(self.asks)
        numbers = np.array([ask.number for ask in self.asks])
        sessions = np.array([ask.session for ask in self.asks])
        main = sessions == 0
        every = np.ones(count, np.bool_)
        median = np.median(numbers) if count else 0
        yield "late", main, numbers > median
        yield "odd", main, numbers % 2 == 1
        yield "in_order", main, np.array([ask.in_order for ask in self.asks])
        yield "labels", every, np.array([ask.order is not None for ask in self.asks])
        yield "words", every, np.array([ask.wording == 1 for ask in self.asks])
        half = (self.rows.max(initial=0) + 1) / 2
        for name, lag in (("before", 1), ("before2", 2)):
            linked = np.zeros(count, np.bool_)
            linked[lag:] = sessions[lag:] == sessions[:-lag]
            earlier = np.roll(self.rows, lag)
            yield name, linked, earlier >= half
            if lag == 1:
                yield "ascending", linked, earlier < self.rows
                yield "repeat", linked & main, earlier == self.rows
                yield "last_answer", linked, self._above(np.roll(self._upper, 1), earlier)
        yield "own_answer", *self._own_answer()
        yield "fresh", every, ~main

    def _above(self, actions: Floats, rows: Ints) -> Bools:
        """Whether actions lie above the mean action of a row, bool `[N]`."""
        size = int(self.rows.max(initial=0)) + 1
        sums = np.bincount(self.rows, self._upper, size)
        found: Bools = actions > (sums / np.maximum(self.spread.sizes, 1))[rows]
        return found

    def _own_answer(self) -> tuple[Bools, Bools]:
        """Answers that follow one to the same row, and those that follow a high one."""
        linked = np.zeros(len(self.rows), np.bool_)
        earlier = np.zeros(len(self.rows))
        order = np.argsort(self.rows, kind="stable")
        same = np.flatnonzero(self.rows[order[1:]] == self.rows[order[:-1]])
        linked[order[same + 1]] = True
        earlier[order[same + 1]] = self._upper[order[same]]
        return linked, self._above(earlier, self.rows)

    # --- results ---------------------------------------------------------------------------------

    def never_varied(self) -> GateResult:
        """The result where all answers to a row were the same, to within half of the resolution."""
        largest = self.largest_distance()
        return GateResult(True, {}, self._moved(), largest, False, [])

    def tested(self, level: float) -> GateResult:
        """The result of all comparisons.

        Args:
            level: the probability that one of them refuses an honest bot.
        """
        changes: dict[str, float] = {}
        reasons = []
        found = list(self.groups())
        for name, compared, group in found:
            part = self.spread if compared.all() else self._part(compared)
            results = (contrast(part, group[compared]), odd_ones(part, group[compared]))
            changes[name] = results[0].change
            told = [r.change for r in results if r.p < level / len(found) / len(results)]
            if told:
                changes[name] = max(told)
                change = _percent(changes[name])
                reasons.append(f"its answers change {CONTRASTS[name]} (by about {change})")
        passes = not reasons
        largest = max(changes.values(), default=0.0) if passes else self.largest_distance()
        return GateResult(passes, changes, self._moved(), largest, passes, reasons)

    def _part(self, compared: Bools) -> Spread:
        """How much some of the answers vary within rows."""
        _, rows = np.unique(self.rows[compared], return_inverse=True)
        return spread(rows.astype(np.int64), self.vectors[compared])

    def too_few(self, found: GateResult, wanted: int, resolution: float, most: int) -> GateResult:
        """The result where answers vary, and more questions than allowed would say why."""
        reason = (
            f"its answers vary at {found.moved} of {len(self.spread.sizes)} rows; to tell chance "
            f"from a change of {_percent(resolution)} takes {wanted:,} questions, more than "
            f"{most:,} (--most, or a larger --resolution)"
        )
        return GateResult(
            False, found.changes, found.moved, self.largest_distance(), False, [reason], wanted
        )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
