"""How many repetitions play at once: one a processor, however many are under way.

A repetition that waits for the others of its arm gives its place up, so that these can come to the
same point. All of them are in memory then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Places in which repetitions play."""

    def __init__(self, count: int) -> None:
        """So many places, all free."""
        self.free = threading.Semaphore(count)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Within, the caller has a place; it waits for a free one."""
        with self.free:
            yield


class Slot:
    """The place of one repetition, which it takes and gives up on its way.

    Attributes:
        is_taken: whether it has one now.
    """

    def __init__(self, slots: Slots) -> None:
        """None is taken yet."""
        self._free, self.is_taken = slots.free, False

    def take(self, seconds: float | None = None) -> bool:
        """Wait for a place, at most so many seconds; returns whether there is one now."""
        if not self.is_taken:
            self.is_taken = self._free.acquire(timeout=seconds)
        return self.is_taken

    def give_up(self) -> None:
        """Leave the place to others; nothing happens where none is taken."""
        if self.is_taken:
            self.is_taken = False
            self._free.release()
