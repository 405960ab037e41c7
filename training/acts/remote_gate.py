"""The gate of a repetition in a worker process.

What is done to it is passed on to the process, a line of JSON each; what the process reports is
kept here (`training/runs/worker.py` lists both).
"""

from __future__ import annotations

import json
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import IO

from .gate import STOP, Gate, Order, Reply

# Numbers of orders, one series for all gates: a process and its pipe outlive a gate, so an answer
# that comes late must not have the number of an order to the next repetition.
NUMBERS = count(1)


class RemoteGate(Gate):
    """The gate of a repetition in a worker process.

    Attributes are those of `Gate`, as far as the process has reported them.
    """

    def __init__(self) -> None:
        """An open gate of a process that has not begun."""
        super().__init__()
        self._process: IO[str] | None = None  # its standard input
        # Orders that are not answered yet, by the number that the answer will name.
        self._asked: dict[int, tuple[Order, Future[Reply]]] = {}

    def connect(self, process: IO[str]) -> None:
        """Pass on to a process from now on, beginning with the present state of the gate.

        Args:
            process: its standard input.
        """
        with self._condition:
            self._process = process
            self._pass_on({"gate": "shut" if self.is_shut else "open"})
            if self._more:
                self._pass_on({"gate": self._more})
            if self.is_attended:
                self._pass_on({"attended": True})
            if self.pace is not None:
                self._pass_on({"pace": self.pace})
            for _ in range(self._reserved):
                self._pass_on({"reserve": 1})
            for n, (order, _) in self._asked.items():
                self._pass_on({"order": dict(order), "n": n})
            if self.is_stopped:
                self._pass_on(STOP)

    def heard(self, rounds: int, held: bool) -> None:
        """The process says that its repetition begins or ends to wait."""
        with self._condition:
            self.rounds = rounds
            self._hold(held)

    def played(self, rounds: int) -> None:
        """The process says that its repetition has played so many more rounds; below 0: a rollback
        took them back."""
        with self._condition:
            self.rounds += rounds

    def replied(self, n: int, reply: Reply) -> None:
        """The process answers an order."""
        with self._condition:
            _, future = self._asked.pop(n, ({}, None))
            if reply.get("moved"):
                self.moved(int(reply["round"]))
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(reply)

    def end_orders(self) -> None:
        """The repetition has ended: answer the orders that wait by an error."""
        with self._condition:
            self._orders, self._asked = list(self._asked.values()), {}
        super().end_orders()

    def shut(self) -> None:
        """Let no round begin; the one under way is played to its end."""
        super().shut()
        self._pass_on({"gate": "shut"})

    def open(self) -> None:
        """Let the repetition go on."""
        super().open()
        self._pass_on({"gate": "open"})

    def step(self, rounds: int) -> None:
        """Let a repetition that is held play so many rounds, and hold it again."""
        super().step(rounds)
        self._pass_on({"gate": rounds})

    def stop(self) -> None:
        """Have the process save what it trains, and exit."""
        super().stop()
        self._pass_on(STOP)

    def _take(self, order: Order, future: Future[Reply]) -> None:
        """Have the process carry out an order after the round under way."""
        n = next(NUMBERS)
        self._asked[n] = order, future
        self._pass_on({"order": dict(order), "n": n})

    def _withdraw(self, future: Future[Reply]) -> None:
        """Forget an order that was cancelled; the process may still carry it out."""
        with self._condition:
            self._asked = {n: own for n, own in self._asked.items() if own[1] is not future}

    def set_pace(self, pace: float | None) -> None:
        """Let so many rounds be played a second; None: as many as it can."""
        super().set_pace(pace)
        self._pass_on({"pace": pace})

    def reserve(self, more: int) -> None:
        """Have one act more (1) hold the repetition, or one less (-1)."""
        super().reserve(more)
        self._pass_on({"reserve": more})

    def _pass_on(self, message: object) -> None:
        """Send a message. That a process has ended is found by the thread that reads from it."""
        with self._condition, suppress(BrokenPipeError, ValueError):
            if self._process is not None:
                print(json.dumps(message), file=self._process, flush=True)
