"""Asking: answers are kept in a file as they come, within a budget, and read again on the next try.

The file has a line of JSON for each answer. Its name is that of the policy file with `.asked.jsonl`
behind it; a command that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from tacit.agents.external.doors.answers import FAILED, TIME_OUT, BotAnswer
from tacit.agents.external.doors.door import Door
from tacit.agents.external.question import Questions
from tacit.envs.errors import ConfigError

from .design import Ask

SUFFIX = ".asked.jsonl"
VERSION = 1
MOST_WITHOUT = 5  # questions in a row without an answer, after which nothing more is asked


class BudgetSpent(Exception):
    """No more may be asked: the message says of what there is no more."""


@dataclass(frozen=True)
class Budget:
    """What may be spent in one call.

    Attributes:
        calls: questions that may be asked; None: any number.
        money: that they may cost together; None: any amount.
    """

    calls: int | None = None
    money: float | None = None


Progress = Callable[[int], None]  # told the number of answers so far


class Asker:
    """Asks planned questions, keeps the answers, counts what was spent.

    Attributes:
        answers: of every question asked so far, by its number.
        asks: the questions, by their numbers.
        calls: questions asked in this call, without those whose answers were in the file.
        money: that they cost.
    """

    def __init__(
        self,
        questions: Questions,
        budget: Budget | None = None,
        file: Path | None = None,
        about: Mapping[str, Any] | None = None,
        parallel: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Read what is known.

        Args:
            questions: what can be asked.
            budget: what may be spent; None: anything.
            file: where answers are kept; None: in memory only.
            about: what the answers belong to; a file about anything else is refused.
            parallel: questions under way at once.
            progress: told the number of answers.

        Raises:
            ConfigError: the file belongs to other questions, or cannot be read or written.
        """
        self.questions, self.budget, self.parallel = questions, budget or Budget(), parallel
        self.answers: dict[int, BotAnswer] = {}
        self.asks: dict[int, Ask] = {}
        self.calls, self.money = 0, 0.0
        self._started, self._without = 0, 0
        self._progress = progress or (lambda count: None)
        self._lock = threading.Lock()
        self._stored: dict[int, dict[str, Any]] = {}
        self._file: IO[str] | None = None
        if file is not None:
            self._file = self._opened(file, {"version": VERSION, **(about or {})})

    # --- the file --------------------------------------------------------------------------------

    def _opened(self, file: Path, about: Mapping[str, Any]) -> IO[str]:
        """The file, open to add to it, with what it held read.

        Raises:
            ConfigError: it belongs to other questions, or the system refuses.
        """
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            whole = text[: text.rfind("\n") + 1]  # a last line may be half written
            lines = whole.splitlines()
            if lines:
                self._stored = _read_lines(file, lines, about)
                # What ended the last try is asked again.
                while lines[1:] and json.loads(lines[-1])["kind"] in (TIME_OUT, FAILED):
                    del self._stored[json.loads(lines.pop())["number"]]
                whole = "".join(line + "\n" for line in lines)
            with file.open("w" if not lines else "r+", encoding="utf-8") as stream:
                stream.truncate(len(whole.encode()))
            found = file.open("a", encoding="utf-8")
            if not lines:
                found.write(json.dumps(about) + "\n")
                found.flush()
        except UnicodeDecodeError:
            raise ConfigError(f"{file}: is no file of answers.") from None
        except OSError as error:
            raise ConfigError(f"{file}: cannot be used: {error.strerror or error}.") from None
        return found

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    # --- asking ----------------------------------------------------------------------------------

    def ask(self, asks: Sequence[Ask], door: Door) -> None:
        """Have questions answered, in their order where one is under way at a time.

        Raises:
            DoorClosed: nothing more can be asked.
            BudgetSpent: nothing more may be asked.
        """
        if self.parallel <= 1 or len(asks) <= 1:
            for ask in asks:
                self._one(ask, door)
            return
        with ThreadPoolExecutor(self.parallel) as pool:
            # Where one fails, those that are not yet under way are left out.
            futures = [pool.submit(self._one, ask, door) for ask in asks]
            try:
                for future in futures:
                    future.result()
            finally:
                for future in futures:
                    future.cancel()

    def knows(self, asks: Sequence[Ask]) -> bool:
        """Whether the file holds the answers to all of these questions."""
        return all(self._known(ask) is not None for ask in asks)

    def _known(self, ask: Ask) -> dict[str, Any] | None:
        known = self._stored.get(ask.number)
        return known if known is not None and known["ask"] == _ask_key(ask) else None

    def _one(self, ask: Ask, door: Door) -> None:
        if (known := self._known(ask)) is not None:
            self._keep(ask, _stored_answer(known))
            return
        with self._lock:
            self._check_budget()
            self._started += 1
        question = ask.question(self.questions)
        answer = door.ask(question)
        with self._lock:
            self.calls += 1
            self.money += answer.cost
            if self._file is not None:
                self._file.write(_line(ask, answer, question.words()) + "\n")
                self._file.flush()
        self._keep(ask, answer)
        with self._lock:
            self._without = 0 if answer.is_answer else self._without + 1

    def _check_budget(self) -> None:
        """Whether one more question may be asked.

        Raises:
            BudgetSpent: it may not, or asking is of no use.
        """
        calls, money = self.budget.calls, self.budget.money
        if calls is not None and self._started >= calls:
            raise BudgetSpent(f"the budget of {calls:,} calls is spent")
        if money is not None and self.money >= money:
            raise BudgetSpent(f"the budget of {money:g} is spent ({self.money:g})")
        if self._without >= MOST_WITHOUT:
            last = list(self.answers.values())[-1]
            raise BudgetSpent(
                f"{self._without} questions in a row had no answer, the last one: {last.problem}"
            )

    def _keep(self, ask: Ask, answer: BotAnswer) -> None:
        with self._lock:
            self.answers[ask.number], self.asks[ask.number] = answer, ask
            count = len(self.answers)
        self._progress(count)

    def answered(self) -> list[tuple[Ask, BotAnswer]]:
        """Questions with their answers, in the order of their numbers."""
        return [(self.asks[n], self.answers[n]) for n in sorted(self.answers)]


# --- lines of the file ---------------------------------------------------------------------------


def _ask_key(ask: Ask) -> list[Any]:
    order = None if ask.order is None else list(ask.order)
    return [ask.row, order, ask.wording, ask.session]


def _line(ask: Ask, answer: BotAnswer, words: str) -> str:
    """An answer as a line; JSON writes every character that is not ASCII as an escape."""
    return json.dumps(
        {
            "number": ask.number, "ask": _ask_key(ask), "kind": answer.kind,
            "row": answer.row.tolist(), "problem": answer.problem, "answer": answer.text,
            "seconds": round(answer.seconds, 6), "model": answer.model, "cost": answer.cost,
            "tries": answer.tries, "question": words,
        },
        allow_nan=False,
    )  # fmt: skip


def _stored_answer(known: Mapping[str, Any]) -> BotAnswer:
    return replace(
        BotAnswer(str(known["kind"]), np.array(known["row"], np.float64), str(known["problem"])),
        text=str(known["answer"]), seconds=float(known["seconds"]), model=str(known["model"]),
        cost=float(known["cost"]), tries=int(known["tries"]),
    )  # fmt: skip


def _read_lines(
    file: Path, lines: Sequence[str], about: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    """The answers in a file, by number.

    Raises:
        ConfigError: they belong to other questions, or are none.
    """
    try:
        head, *rest = (json.loads(line) for line in lines)
        found = {int(entry["number"]): entry for entry in rest}
        for entry in found.values():
            _stored_answer(entry)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigError(f"{file}: is no file of answers.") from None
    if head != json.loads(json.dumps(about)):
        named = [key for key in about if not isinstance(head, dict) or head.get(key) != about[key]]
        raise ConfigError(
            f"{file}: holds answers to other questions ({', '.join(named)} differ); remove it, or "
            "write to another file with -o."
        )
    return found
