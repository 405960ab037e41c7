"""What all repetitions of an arm have read at its evaluation points.

A repetition gives its readings at a point and plays on when all others have given theirs, so none
is ever more than one point ahead. Each of them then judges by itself, from the same readings: so
nothing depends on which of them came last, nor on the number of threads.

A *generation* begins with a rollback of the whole arm: points before the trip are then read anew.
Within a generation a repetition gives its readings at a point once, when it first comes there.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tacit.training.acts.gate import COMPLETE, HOPELESS

WAITS = "waits"  # of a point, beside COMPLETE and HOPELESS

Values = dict[str, float | None]  # readings by breaker; None: withheld


@dataclass
class Given:
    """What a repetition has given in a generation.

    Attributes:
        rounds: of its points, ascending.
        values: readings there, one table a point.
        kept: states to which it could go back at the last of them: rounds -> the branch that kept
            the state.
    """

    rounds: list[int] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    kept: dict[int, int] = field(default_factory=dict)

    def place(self, rounds: int) -> int | None:
        """Which of the points it is; None: none was given there."""
        place = bisect_left(self.rounds, rounds)
        return place if self.rounds[place : place + 1] == [rounds] else None

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"rounds": self.rounds, "values": self.values, "kept": list(self.kept.items())}


def given_from(plain: Mapping[str, Any]) -> Given:
    """What `Given.plain` gave.

    Raises:
        LookupError, TypeError, ValueError: it is not that.
    """
    kept = {int(rounds): int(branch) for rounds, branch in plain["kept"]}
    values = [dict(own) for own in plain["values"]]
    return Given([int(rounds) for rounds in plain["rounds"]], values, kept)


class Reading(NamedTuple):
    """What one repetition has given at a point.

    Attributes:
        values: by breaker.
        kept: as in `Given`.
    """

    values: Values
    kept: Mapping[int, int]


class ArmPoints:
    """The readings of all repetitions of one arm; used by the threads that train them."""

    def __init__(self, seeds: int, ended: Mapping[int, list[Given]] | None = None) -> None:
        """Nobody has begun.

        Args:
            seeds: how many repetitions the arm has.
            ended: what those that are finished have given, by repetition; an item a generation.
        """
        self._lock = threading.Lock()
        self._seeds = seeds
        self._given: dict[int, list[Given]] = dict(ended or {})
        self._ended, self._left = set(self._given), set[int]()
        self._wakers: dict[int, Callable[[], None]] = {}
        self._complete: set[tuple[int, int]] = set()  # generation, rounds
        self._written: set[tuple[int, int]] = set()  # repetition, generation

    # --- a repetition's own ----------------------------------------------------------------------

    def begin(self, k: int, given: list[Given], wake: Callable[[], None]) -> None:
        """Repetition k takes part from now on.

        Args:
            k: the repetition.
            given: what it has given so far; added to by `give` and `next_generation` only.
            wake: called when a point is complete, from another thread.
        """
        with self._lock:
            self._given[k], self._wakers[k] = given, wake
        self._wake()

    def give(self, k: int, rounds: int, reading: Reading) -> None:
        """Give what repetition k has read at a point."""
        with self._lock:
            generation, own = len(self._given[k]) - 1, self._given[k][-1]
            own.rounds.append(rounds)
            own.values.append(reading.values)
            own.kept = dict(reading.kept)
        if self.state(generation, rounds) == COMPLETE:
            self._wake()

    def next_generation(self, k: int) -> None:
        """Repetition k has gone back with the whole arm."""
        with self._lock:
            self._given[k].append(Given())
        self._wake()

    def wrote(self, k: int, generation: int) -> None:
        """Repetition k has its kept states on the disk, where others can read them."""
        with self._lock:
            self._written.add((k, generation))
        self._wake()

    def end(self, k: int) -> None:
        """Repetition k has ended: no later point waits for it."""
        with self._lock:
            self._ended.add(k)
        self._wake()

    def leave(self, k: int) -> None:
        """Repetition k is saved and not trained on now: who waits for it waits in vain."""
        with self._lock:
            self._left.add(k)
        self._wake()

    # --- what follows ----------------------------------------------------------------------------

    def state(self, generation: int, rounds: int) -> str:
        """WAITS, COMPLETE, or HOPELESS where somebody is missing who is not trained any more."""
        with self._lock:
            if (generation, rounds) in self._complete:
                return COMPLETE
            missing = [k for k in range(self._seeds) if not self._has_given(k, generation, rounds)]
            if not missing:
                self._complete.add((generation, rounds))
                return COMPLETE
            return HOPELESS if self._left & set(missing) else WAITS

    def all_wrote(self, generation: int, rounds: int) -> str:
        """The same for `wrote`, of those that have given readings at a point."""
        with self._lock:
            # After an interruption one may not have begun, or have begun at an earlier point and
            # not have come there again: it will give the readings that it gave before.
            missing = [k for k in range(self._seeds) if not self._has_given(k, generation, rounds)]
            missing += [
                k
                for k, given in self._given.items()
                if generation < len(given)
                and given[generation].place(rounds) is not None
                and not ((k, generation) in self._written or len(given) > generation + 1)
            ]
            if not missing:
                return COMPLETE
            return HOPELESS if self._left & set(missing) else WAITS

    def readings(self, generation: int, rounds: int) -> dict[int, Reading]:
        """What was given at a complete point, by repetition, ascending.

        A repetition that had ended by then is not among them. `kept` is right only for the last
        point that it has given.
        """
        with self._lock:
            found = {}
            for k in sorted(self._given):
                if generation < len(self._given[k]):
                    own = self._given[k][generation]
                    if (place := own.place(rounds)) is not None:
                        found[k] = Reading(own.values[place], dict(own.kept))
            return found

    # --- within ----------------------------------------------------------------------------------

    def _has_given(self, k: int, generation: int, rounds: int) -> bool:
        """Whether a repetition has come to a point, or never will, as it has ended."""
        if k in self._ended:
            return True
        given = self._given.get(k, [])
        if generation >= len(given):
            return False
        own = given[generation].rounds
        return bool(own) and own[-1] >= rounds

    def _wake(self) -> None:
        """Have everybody look again. Called without the lock, since they ask for the state."""
        for wake in list(self._wakers.values()):
            wake()
