"""The gate of a repetition: between two rounds it can be held still, let go on, or let do steps.

    gate.attach(group)
    while (most := gate.wait(group.rounds, carry_out)):     # the repetition's thread
        group.run(min(most, ...))

    gate.shut(); gate.step(10); gate.open()       # any other thread
    with gate.reserved():                         # any other thread
        reply = gate.ask({"do": "look", ...})     # what `carry_out` says, in the other's thread

Whoever shuts a gate does not wait for a stretch of rounds to end: the group is told to halt, and
returns after the round under way. Where it halts changes no bit of what is learned.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import IO, Any

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.envs.types import Ints

STOP = "stop"  # to a worker process
UNLIMITED = 1 << 62  # rounds
LOOK = 0.1  # seconds between two looks at whether to stop, while a gate is shut
ANSWERED = 10.0  # seconds in which a repetition must come to a round's end and answer
PACED = 0.05  # seconds of rounds that are played in one go at a set pace

Changed = Callable[[int, bool], None]  # receives the rounds played, and whether it is held
Facts = dict[str, Any]  # what a repetition tells of itself, as JSON
Order = Mapping[str, Any]  # what it is asked to do between two rounds, as JSON
Reply = dict[str, Any]
CarryOut = Callable[[Order], Reply]


class Gate:
    """Where a repetition is held still.

    Attributes:
        rounds: that were played per copy when the repetition was last here.
        is_held: whether the repetition waits here.
        is_shut: whether it may not begin a round, steps aside.
        pace: rounds a second that it may play; None: as many as it can.
        facts: what the repetition has told of itself, such as its branch.
        breaker: the breaker that holds the repetition here; empty: none does.
        is_attended: whether somebody can release a breaker while the run trains.
    """

    def __init__(
        self,
        stopping: Callable[[], bool] = lambda: False,
        changed: Changed | None = None,
        told: Callable[[Facts], None] | None = None,
    ) -> None:
        """An open gate.

        Args:
            stopping: whether the repetition is to save and return.
            changed: told when the repetition begins and ends to wait.
            told: receives the repetition's facts when they change.
        """
        self.rounds, self.is_held, self.is_shut = 0, False, False
        self.pace: float | None = None
        self.facts: Facts = {}
        self.breaker, self.is_attended = "", False
        self._stopping, self._changed, self._is_stopped = stopping, changed, False
        self._told = told
        self._condition = threading.Condition(threading.RLock())
        self._until = 0  # rounds up to which it may step though the gate is shut
        self._halt: Ints | None = None
        self._reserved = 0  # acts that hold it while they look and change
        self._orders: list[tuple[Order, Future[Reply]]] = []
        self._next = 0.0  # when the next round may begin at a set pace

    # --- the repetition --------------------------------------------------------------------------

    def attach(self, group: Group) -> None:
        """The group that is told to halt from now on; one that cannot ends its stretch first."""
        with self._condition:
            self._halt = getattr(group, "halt", None)
            self._tell_to_halt(bool(self.is_shut or self._reserved or self._orders))

    def wait(self, rounds: int, carry_out: CarryOut | None = None) -> int:
        """Wait while the gate is shut, and carry out orders.

        Args:
            rounds: played so far, per copy.
            carry_out: does what is asked, in this thread; None: nothing can be asked. It may put
                the repetition at other rounds, and then calls `moved`.

        Returns:
            How many rounds may be played until the next call; 0: save and return.
        """
        with self._condition:
            self.rounds = rounds
        while True:
            with self._condition:
                while self._holds() and not self._must_return() and not self._orders:
                    self._hold(True)
                    self._condition.wait(self._patience())
                if not self._orders:
                    self._hold(False)
                    return 0 if self._must_return() else self._room()
                order, future = self._orders.pop(0)
            # Without the lock: others may shut the gate, or ask how it stands, meanwhile.
            self._carry_out(order, future, carry_out)

    def tell(self, **facts: Any) -> None:
        """The repetition tells of itself, as JSON can hold it."""
        if (known := {**self.facts, **facts}) == self.facts:
            return
        self.facts = known
        if self._told is not None:
            self._told(self.facts)

    def latch(self, breaker: str) -> None:
        """The repetition waits here until a breaker is released; empty: it is."""
        with self._condition:
            self.breaker = breaker
            self._condition.notify_all()
        self.tell(breaker=breaker)

    def moved(self, rounds: int) -> None:
        """The repetition has gone on from another state: steps that were left are given up."""
        with self._condition:
            self.rounds, self._until = rounds, 0

    def end_orders(self) -> None:
        """The repetition has ended: whoever waits for an answer is told so."""
        with self._condition:
            orders, self._orders = self._orders, []
            self.facts, self.pace, self.breaker = {}, None, ""
        for _, future in orders:
            future.set_exception(ConfigError("seed: has ended."))

    def _carry_out(self, order: Order, future: Future[Reply], carry_out: CarryOut | None) -> None:
        """Do what is asked; mistakes are an answer, everything else ends the repetition too."""
        if not future.set_running_or_notify_cancel():
            return  # whoever asked has stopped waiting
        try:
            if carry_out is None:
                raise ConfigError("seed: takes no such act.")
            future.set_result(carry_out(order))
        except ConfigError as error:
            future.set_result({"mistakes": error.mistakes})
        except BaseException as error:
            future.set_exception(error)
            raise

    def _must_return(self) -> bool:
        return self._is_stopped or self._stopping()

    def _holds(self) -> bool:
        """Whether no round may begin now."""
        if self._reserved or self.breaker or (self.is_shut and self.rounds >= self._until):
            return True
        return self.pace is not None and time.monotonic() < self._next

    def _patience(self) -> float:
        """Seconds until it is to be looked at again whether a round may begin."""
        if self._reserved or self.is_shut or self.pace is None:
            return LOOK
        return min(LOOK, max(0.0, self._next - time.monotonic()))

    def _room(self) -> int:
        """Rounds that may be played now."""
        self._tell_to_halt(False)
        most = self._until - self.rounds if self.is_shut else UNLIMITED
        if self.pace is None:
            return most
        most = min(most, max(1, round(self.pace * PACED)))
        self._next = max(self._next, time.monotonic() - LOOK) + most / self.pace
        return most

    def _hold(self, held: bool) -> None:
        # Not while it keeps to its pace.
        held = held and (self.is_shut or bool(self._reserved or self.breaker))
        if held != self.is_held:
            self.is_held = held
            if self._changed is not None:
                self._changed(self.rounds, held)
            self._condition.notify_all()

    def _tell_to_halt(self, halt: bool) -> None:
        if self._halt is not None:
            self._halt[0] = int(halt)

    # --- everybody else --------------------------------------------------------------------------

    def shut(self) -> None:
        """Let no round begin; the one under way is played to its end. Steps left are given up."""
        with self._condition:
            self.is_shut, self._until = True, 0
            self._tell_to_halt(True)

    def open(self) -> None:
        """Let the repetition go on."""
        with self._condition:
            self.is_shut = False
            self._tell_to_halt(bool(self._reserved or self._orders))
            self._condition.notify_all()

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Within, no round begins, so that what is asked and what is done are about one state."""
        self.reserve(1)
        try:
            yield
        finally:
            self.reserve(-1)

    def reserve(self, more: int) -> None:
        """Let so many acts more, or less, hold the repetition while they look and change."""
        with self._condition:
            self._reserved += more
            self._tell_to_halt(bool(self.is_shut or self._reserved or self._orders))
            self._condition.notify_all()

    def submit(self, order: Order) -> Future[Reply]:
        """Have the repetition's thread carry out an order after the round under way."""
        future: Future[Reply] = Future()
        with self._condition:
            self._orders.append((order, future))
            self._tell_to_halt(True)
            self._condition.notify_all()
        return future

    def ask(self, order: Order, seconds: float = ANSWERED) -> Reply:
        """`submit`, and wait for the answer.

        Raises:
            ConfigError: the mistakes in the order, or no answer in time; then it is not done later.
        """
        future = self.submit(order)
        try:
            # Once it is under way, its end is waited for.
            reply = future.result(None if future.running() else seconds)
        except TimeoutError:
            if future.cancel():
                raise ConfigError(
                    f"seed: did not come to a round's end within {seconds:g} seconds (it compiles, "
                    "or has ended); try again."
                ) from None
            reply = future.result()
        if "mistakes" in reply:
            raise ConfigError(reply["mistakes"])
        return reply

    def set_pace(self, pace: float | None) -> None:
        """Let so many rounds be played a second; None: as many as it can."""
        with self._condition:
            self.pace, self._next = pace, 0.0
            self._tell_to_halt(True)  # a long stretch under way ends here
            self._condition.notify_all()

    def step(self, rounds: int) -> None:
        """Let a repetition that is held play so many rounds, and hold it again."""
        with self._condition:
            # Steps that are not played yet are not lost.
            self._until = max(self._until, self.rounds) + rounds
            self._condition.notify_all()

    def stop(self) -> None:
        """Have the repetition save and return."""
        with self._condition:
            self._is_stopped = True
            self._tell_to_halt(True)
            self._condition.notify_all()

    def wait_until_held(self, seconds: float) -> bool:
        """Wait until the repetition is held and has no step left; whether it is, after so long."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self.is_shut and self.is_held and self._has_no_step_left(), seconds
            )

    def _has_no_step_left(self) -> bool:
        return self.rounds >= self._until or bool(self.facts.get("breaker"))


class RemoteGate(Gate):
    """The gate of a repetition in another process: what is done to it is passed on."""

    def __init__(self) -> None:
        """An open gate of a process that has not begun."""
        super().__init__()
        self._process: IO[str] | None = None
        self._asked: dict[int, tuple[Order, Future[Reply]]] = {}
        self._count = 0

    def connect(self, process: IO[str]) -> None:
        """Pass on to a process's standard input from now on, and how the gate stands.

        Raises:
            BrokenPipeError: the process has ended.
        """
        with self._condition:
            self._process = process
            self._pass_on({"gate": "shut" if self.is_shut else "open"})
            if self.is_attended:
                self._pass_on({"attended": True})
            if self.pace is not None:
                self._pass_on({"pace": self.pace})
            for _ in range(self._reserved):
                self._pass_on({"reserve": 1})
            for n, (order, _) in self._asked.items():
                self._pass_on({"order": dict(order), "n": n})
            if self._is_stopped:
                self._pass_on(STOP)

    def heard(self, rounds: int, held: bool) -> None:
        """The process says that its repetition begins or ends to wait."""
        with self._condition:
            self.rounds = rounds
            self._hold(held)

    def played(self, rounds: int) -> None:
        """The process says that its repetition has played so many more rounds per copy."""
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
        """The repetition has ended: whoever waits for an answer is told so."""
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

    def submit(self, order: Order) -> Future[Reply]:
        """Have the process carry out an order after the round under way."""
        future: Future[Reply] = Future()
        with self._condition:
            self._count += 1
            self._asked[self._count] = order, future
            self._pass_on({"order": dict(order), "n": self._count})
        return future

    def set_pace(self, pace: float | None) -> None:
        """Let so many rounds be played a second; None: as many as it can."""
        super().set_pace(pace)
        self._pass_on({"pace": pace})

    def reserve(self, more: int) -> None:
        """Let so many acts more, or less, hold the repetition while they look and change."""
        super().reserve(more)
        self._pass_on({"reserve": more})

    def _pass_on(self, message: object) -> None:
        with self._condition, suppress(BrokenPipeError, ValueError):
            if self._process is not None:
                print(json.dumps(message), file=self._process, flush=True)
