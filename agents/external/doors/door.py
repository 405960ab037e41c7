"""What all doors have in common: one question in, one answer out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from tacit.agents.external.question import Question

from .answers import FAILED, BotAnswer, read_answer, shortened, without


class Door(Protocol):
    """A way to ask an agent.

    Attributes:
        where: what stands behind it, in words.
    """

    where: str

    def ask(self, question: Question) -> BotAnswer:
        """The answer to a question; it may be asked from several threads at once.

        Raises:
            DoorClosed: nothing more can be asked.
        """
        ...

    def fresh(self) -> Door | None:
        """A door to the same agent that has answered nothing yet; None: it cannot begin anew.

        Raises:
            DoorClosed: it does not start again.
        """
        ...

    def close(self) -> None:
        """End what stands behind the door, if the door has started it."""
        ...


class FunctionDoor:
    """A function of this process; for use from Python and in tests.

    Attributes:
        where: its name.
    """

    def __init__(
        self,
        function: Callable[[dict[str, Any]], Any],
        make: Callable[[], Callable[[dict[str, Any]], Any]] | None = None,
    ) -> None:
        """A door to a function.

        Args:
            function: takes `Question.plain()`, returns an answer of the protocol.
            make: makes another such function that has answered nothing yet; None: there is none.
        """
        self._function, self._make = function, make
        self.where = f"the Python function {getattr(function, '__qualname__', repr(function))}"

    def ask(self, question: Question) -> BotAnswer:
        """The function's answer; an exception is a failed answer."""
        begun = time.perf_counter()
        try:
            answer = read_answer(question, self._function(question.plain()))
        except Exception as error:
            answer = without(question, FAILED, shortened(f"{type(error).__name__}: {error}"))
        return replace(answer, seconds=time.perf_counter() - begun)

    def fresh(self) -> FunctionDoor | None:
        """A door to another such function."""
        return None if self._make is None else FunctionDoor(self._make(), self._make)

    def close(self) -> None:
        """Nothing was started."""
