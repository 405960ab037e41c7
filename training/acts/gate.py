"""The gate of a repetition: between two rounds it can be held still, let go on, or let do steps.

    gate.attach(group)                                      # in the thread that trains
    while (most := gate.wait(group.rounds, carry_out)):
        group.run(min(most, ...))

    gate.shut(); gate.step(10); gate.open()                 # in any other thread
    with gate.reserved():
        reply = gate.ask({"do": "look", ...})               # `carry_out` runs where it trains

A stretch of rounds need not end before a shut gate has its effect: the group is told to halt, and
returns after the round under way. Where it halts changes no bit of what is learned.

A repetition that a thread of this process trains has a `Gate`. One in a worker process has a `Gate`
there and a `RemoteGate` here (`remote_gate.py`). Rounds are counted per copy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.envs.types import Ints

# Of other repetitions that this one waits for: they have come, or do not come any more.
COMPLETE, HOPELESS = "complete", "hopeless"
STOP = "stop"  # the message that has a worker process save and exit
UNLIMITED = 1 << 62  # rounds: more than any training has, and still an int64
LOOK = 0.1  # seconds after which a repetition that is held checks again whether it must stop
ANSWERED = 10.0  # seconds that an order waits for the repetition to come to a round's end
# For what an order waits, as far as the repetition has not told (`facts["doing"]`).
ROUND_UNDER_WAY = "it waits for a long round, or for an evaluation point that is being read"
PACED = 0.05  # seconds of play between two waits at a set pace: rounds come in groups this long

Changed = Callable[[int, bool], None]  # receives the rounds played, and whether it is held
Facts = dict[str, Any]  # what a repetition reports of itself, as JSON: branch, kept, breaker
# What it is asked to do between two rounds, as JSON: "do" (look, apply or release), "arm", "seed".
Order = Mapping[str, Any]
Reply = dict[str, Any]  # to an order, as JSON; `mistakes` where it was refused
CarryOut = Callable[[Order], Reply]


class Gate:
    """Where a repetition is held still.

    Attributes:
        rounds: played when the repetition last called `wait`; in a `RemoteGate` also those that the
            process has reported since.
        is_held: whether the repetition waits because the gate is shut or reserved, or because of a
            breaker; waiting for its next round at a set pace does not count.
        is_shut: whether no round may begin but those that `step` allows.
        pace: rounds a second that it may play; None: as many as it can.
        facts: what the repetition has reported of itself, such as its branch.
        breaker: the breaker that holds the repetition here; empty: none does. Not set in a
            `RemoteGate`, where `facts["breaker"]` says it.
        is_stopped: whether `stop` was called.
        is_attended: whether somebody can reach the run while it trains (`RunControl(serve)`), so
            that a breaker may wait here for its release.
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
            changed: called when `is_held` changes.
            told: receives all facts of the repetition when one changes.
        """
        self.rounds, self.is_held, self.is_shut = 0, False, False
        self.pace: float | None = None
        self.facts: Facts = {}
        self.breaker, self.is_attended = "", False
        self._others: Callable[[], str] = lambda: COMPLETE
        self._stopping, self._changed, self.is_stopped = stopping, changed, False
        self._is_ended, self._closed = False, ""
        self._told = told
        self._condition = threading.Condition(threading.RLock())
        self._more = 0  # rounds of `step` that are counted from where it will be held
        self._until = 0  # `step` lets it play up to this count of rounds though the gate is shut
        self._halt: Ints | None = None  # `Group.halt` of the group that is played, int64 [1]
        self._reserved = 0  # how many acts hold it between their look and their change
        self._orders: list[tuple[Order, Future[Reply]]] = []
        self._next = 0.0  # by time.monotonic(), when the next round may begin at a set pace

    # --- the thread that trains the repetition ---------------------------------------------------

    def attach(self, group: Group) -> None:
        """Halt this group from now on, by its flag `halt`.

        A group without one is not interrupted: it ends its stretch of rounds first.
        """
        with self._condition:
            self._halt = getattr(group, "halt", None)
            self._tell_to_halt(self._must_halt())

    def wait(self, rounds: int, carry_out: CarryOut | None = None) -> int:
        """Wait while no round may begin, and carry out orders.

        Args:
            rounds: played so far, per copy.
            carry_out: does what is asked, in this thread; None: nothing can be asked. It may begin
                a branch, which puts the repetition at other rounds; then it calls `moved`.

        Returns:
            How many rounds may be played until the next call; 0: save and return.
        """
        with self._condition:
            self.rounds, self._closed = rounds, ""
        while True:
            with self._condition:
                while self._holds() and not self._must_return() and not self._orders:
                    # A wait for the next round at a set pace is not a hold.
                    self._hold(bool(self.is_shut or self._reserved or self.breaker))
                    if self._holds():  # no step was added
                        self._condition.wait(self._patience())
                if not self._orders:
                    self._hold(False)
                    return 0 if self._must_return() else self._room()
                order, future = self._orders.pop(0)
            # Without the lock, so that other threads can use the gate meanwhile.
            self._carry_out(order, future, carry_out)

    def tell(self, **facts: Any) -> None:
        """Report facts about the repetition, as JSON can hold them."""
        if (known := {**self.facts, **facts}) == self.facts:
            return
        self.facts = known
        if self._told is not None:
            self._told(self.facts)

    def latch(self, breaker: str) -> None:
        """Hold the repetition here until a breaker is released.

        Args:
            breaker: its name; empty: it has been released.
        """
        with self._condition:
            self.breaker = breaker
            self._condition.notify_all()
        self.tell(breaker=breaker)

    def moved(self, rounds: int) -> None:
        """The repetition is in another state now: rounds of `step` that are left are dropped."""
        with self._condition:
            self.rounds, self._until, self._more = rounds, 0, 0

    def close(self, why: str) -> None:
        """Refuse every order, with these words, until the next repetition begins here."""
        with self._condition:
            self._closed, orders, self._orders = why, self._orders, []
        for _, future in orders:
            _end(future, why)

    def end_orders(self) -> None:
        """The repetition has ended: answer the orders that wait by an error."""
        with self._condition:
            orders, self._orders = self._orders, []
            self.facts, self.pace, self.breaker, self._closed = {}, None, "", ""
        for _, future in orders:
            _end(future)

    def end(self) -> None:
        """`end_orders`, and refuse every order from now on."""
        with self._condition:
            self._is_ended = True
        self.end_orders()

    def _carry_out(self, order: Order, future: Future[Reply], carry_out: CarryOut | None) -> None:
        """Carry out an order and answer it.

        A `ConfigError` becomes an answer. Any other exception goes to whoever asked, and ends the
        repetition as well.
        """
        if not future.set_running_or_notify_cancel():
            return  # `ask` has withdrawn it
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
        return self.is_stopped or self._stopping() or self._others() == HOPELESS

    def _holds(self) -> bool:
        """Whether no round may begin now."""
        if self._reserved or self.breaker or (self.is_shut and self.rounds >= self._until):
            return True
        if self._others() != COMPLETE:
            return True
        return self.pace is not None and time.monotonic() < self._next

    def _patience(self) -> float:
        """Seconds after which `wait` checks again whether a round may begin."""
        if self._reserved or self.breaker or self.is_shut or self.pace is None:
            return LOOK
        return min(LOOK, max(0.0, self._next - time.monotonic()))

    def _room(self) -> int:
        """How many rounds may be played until the next call of `wait`."""
        self._tell_to_halt(False)
        most = self._until - self.rounds if self.is_shut else UNLIMITED
        if self.pace is None:
            return most
        most = min(most, max(1, round(self.pace * PACED)))
        # A repetition that has fallen behind its pace catches up by at most LOOK seconds of play.
        self._next = max(self._next, time.monotonic() - LOOK) + most / self.pace
        return most

    def _hold(self, held: bool) -> None:
        if held:
            self._until, self._more = max(self._until, self.rounds) + self._more, 0
        if held != self.is_held:
            self.is_held = held
            if self._changed is not None:
                self._changed(self.rounds, held)
            self._condition.notify_all()

    def _must_halt(self) -> bool:
        """Whether the stretch of rounds under way is to end."""
        return bool(self.is_shut or self._reserved or self._orders or self.is_stopped)

    def _tell_to_halt(self, halt: bool) -> None:
        if self._halt is not None:
            self._halt[0] = int(halt)

    def await_others(self, state: Callable[[], str]) -> None:
        """Let no round begin while other repetitions are waited for.

        Args:
            state: COMPLETE: nobody is; HOPELESS: somebody who does not come, so it is to save and
                return. Whoever changes it calls `look_again`.
        """
        self._others = state

    # --- all other threads -----------------------------------------------------------------------

    def shut(self) -> None:
        """Let no round begin; the one under way is played to its end.

        Rounds of `step` that were not played are dropped.
        """
        with self._condition:
            self.is_shut, self._until, self._more = True, 0, 0
            self._tell_to_halt(True)

    def open(self) -> None:
        """Let the repetition go on."""
        with self._condition:
            self.is_shut = False
            self._tell_to_halt(self._must_halt())
            self._condition.notify_all()

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Within, no round begins, so that an act is looked at and applied in the same state."""
        self.reserve(1)
        try:
            yield
        finally:
            self.reserve(-1)

    def reserve(self, more: int) -> None:
        """Have one act more hold the repetition, or one less.

        Args:
            more: 1 or -1.
        """
        with self._condition:
            self._reserved += more
            self._tell_to_halt(self._must_halt())
            self._condition.notify_all()

    def submit(self, order: Order) -> Future[Reply]:
        """Have the repetition's thread carry out an order after the round under way."""
        future: Future[Reply] = Future()
        with self._condition:
            if self._is_ended or self._closed:
                _end(future, self._closed or "has ended.")
            else:
                self._take(order, future)
        return future

    def _take(self, order: Order, future: Future[Reply]) -> None:
        """Keep an order until it is carried out."""
        self._orders.append((order, future))
        self._tell_to_halt(True)
        self._condition.notify_all()

    def _withdraw(self, future: Future[Reply]) -> None:
        """Forget an order that was cancelled."""
        with self._condition:
            self._orders = [own for own in self._orders if own[1] is not future]

    def ask(self, order: Order, seconds: float = ANSWERED) -> Reply:
        """`submit`, and wait for the answer; errors are those of `answer`.

        Args:
            order: what is to be done.
            seconds: as in `answer`.
        """
        return self.answer(self.submit(order), seconds)

    def answer(self, future: Future[Reply], seconds: float = ANSWERED) -> Reply:
        """Wait for the answer to an order.

        Args:
            future: what `submit` gave.
            seconds: that it waits to be taken up; once it is, its end is waited for. A process
                does not say when it takes an order up, so there it is the time for the answer.

        Raises:
            ConfigError: the mistakes in the order; or it was not taken up in time, and is
                withdrawn. One that was passed on to a process may still be carried out there.
        """
        try:
            reply = future.result(None if future.running() else seconds)
        except TimeoutError:
            if future.cancel():
                self._withdraw(future)
                raise ConfigError(
                    f"seed: did not come to a round's end within {seconds:g} seconds: "
                    f"{self.facts.get('doing') or ROUND_UNDER_WAY}; nothing was done. Try again."
                ) from None
            reply = future.result()
        if "mistakes" in reply:
            raise ConfigError(reply["mistakes"])
        return reply

    def set_pace(self, pace: float | None) -> None:
        """Let so many rounds be played a second; None: as many as it can."""
        with self._condition:
            self.pace, self._next = pace, 0.0
            self._tell_to_halt(True)  # the stretch under way may be longer than the pace allows
            self._condition.notify_all()

    def step(self, rounds: int) -> None:
        """Let a repetition that is held, or about to be, play so many rounds, and hold it again."""
        with self._condition:
            # Rounds of an earlier step that are not played yet are added.
            if self.is_held or self.rounds < self._until:
                self._until = max(self._until, self.rounds) + rounds
            else:  # at which round it will be held is not known yet
                self._more += rounds
            self._condition.notify_all()

    def stop(self) -> None:
        """Have the repetition save and return."""
        with self._condition:
            self.is_stopped = True
            self._tell_to_halt(True)
            self._condition.notify_all()

    def look_again(self) -> None:
        """Others have done something for which the repetition may be waiting."""
        with self._condition:
            self._condition.notify_all()

    def wait_until_held(self, seconds: float) -> bool:
        """Wait until the gate is shut, and the repetition is held with no round of `step` left.

        Args:
            seconds: at most.

        Returns:
            Whether it is.
        """
        with self._condition:
            return self._condition.wait_for(
                lambda: self.is_shut and self.is_held and self._has_no_step_left(), seconds
            )

    def _has_no_step_left(self) -> bool:
        # A breaker that holds it, or others that it waits for, keep it from the rest of a step.
        is_kept = bool(self.facts.get("breaker")) or self._others() != COMPLETE
        return self.rounds >= self._until or is_kept


def _end(future: Future[Reply], why: str = "has ended.") -> None:
    """Answer an order of a repetition that takes none, unless it was withdrawn."""
    if future.set_running_or_notify_cancel():
        future.set_exception(ConfigError(f"seed: {why}"))
