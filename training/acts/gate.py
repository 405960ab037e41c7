"""The gate of a repetition: between two rounds it can be held still, let go on, or let do steps.

    gate.attach(group)
    while (most := gate.wait(group.rounds)):     # the repetition's thread
        group.run(min(most, ...))

    gate.shut(); gate.step(10); gate.open()       # any other thread

Whoever shuts a gate does not wait for a stretch of rounds to end: the group is told to halt, and
returns after the round under way. Where it halts changes no bit of what is learned.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from tacit.agents.group import Group
from tacit.envs.types import Ints

STOP = "stop"  # to a worker process
UNLIMITED = 1 << 62  # rounds
LOOK = 0.1  # seconds between two looks at whether to stop, while a gate is shut

Changed = Callable[[int, bool], None]  # receives the rounds played, and whether it is held


class Gate:
    """Where a repetition is held still.

    Attributes:
        rounds: that were played per copy when the repetition was last here.
        is_held: whether the repetition waits here.
        is_shut: whether it may not begin a round, steps aside.
    """

    def __init__(
        self, stopping: Callable[[], bool] = lambda: False, changed: Changed | None = None
    ) -> None:
        """An open gate.

        Args:
            stopping: whether the repetition is to save and return.
            changed: told when the repetition begins and ends to wait.
        """
        self.rounds, self.is_held, self.is_shut = 0, False, False
        self._stopping, self._changed, self._is_stopped = stopping, changed, False
        self._condition = threading.Condition(threading.RLock())
        self._until = 0  # rounds up to which it may step though the gate is shut
        self._halt: Ints | None = None

    # --- the repetition --------------------------------------------------------------------------

    def attach(self, group: Group) -> None:
        """The group that is told to halt from now on; one that cannot ends its stretch first."""
        with self._condition:
            self._halt = getattr(group, "halt", None)
            self._tell_to_halt(self.is_shut)

    def wait(self, rounds: int) -> int:
        """Wait while the gate is shut.

        Args:
            rounds: played so far, per copy.

        Returns:
            How many rounds may be played until the next call; 0: save and return.
        """
        with self._condition:
            self.rounds = rounds
            while self.is_shut and rounds >= self._until and not self._must_return():
                self._hold(True)
                self._condition.wait(LOOK)
            self._hold(False)
            if self._must_return():
                return 0
            self._tell_to_halt(False)
            return self._until - rounds if self.is_shut else UNLIMITED

    def _must_return(self) -> bool:
        return self._is_stopped or self._stopping()

    def _hold(self, held: bool) -> None:
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
            self._tell_to_halt(False)
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
                lambda: self.is_shut and self.is_held and self.rounds >= self._until, seconds
            )


class RemoteGate(Gate):
    """The gate of a repetition in another process: what is done to it is passed on."""

    def __init__(self) -> None:
        """An open gate of a process that has not begun."""
        super().__init__()
        self._process: IO[str] | None = None

    def connect(self, process: IO[str]) -> None:
        """Pass on to a process's standard input from now on, and how the gate stands.

        Raises:
            BrokenPipeError: the process has ended.
        """
        with self._condition:
            self._process = process
            self._pass_on({"gate": "shut" if self.is_shut else "open"})
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

    def _pass_on(self, message: object) -> None:
        with self._condition, suppress(BrokenPipeError, ValueError):
            if self._process is not None:
                print(json.dumps(message), file=self._process, flush=True)
