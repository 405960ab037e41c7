"""Compilation is announced: a new market's first loops take Numba about a minute.

Whoever shows something to a person looks at `seconds()`, which is above 0 while something is being
compiled, or takes the one line that is logged to `LOGGER` once compiling has taken a while. Nothing
is logged where all loops are in the cache.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

LOGGER = "tacit.compiling"  # the name of a logger; its level is INFO
PATIENCE = 2.0  # seconds of compilation in this process before it is announced
TEXT = "compiling, once, about a minute"


class CompileWatch:
    """Follows Numba's compilations in this process, and what worker processes tell of theirs.

    Attributes:
        announced: whether the line was logged already.
        tell: in a worker process, passes on that compilation begins (True) or has ended (False).
    """

    def __init__(self) -> None:
        self.announced = False
        self.tell: Callable[[bool], None] | None = None
        self._lock = threading.Lock()
        self._depth = 0  # a loop compiles kernels while it is compiled
        self._elsewhere = 0  # workers that compile
        self._began, self._before = 0.0, 0.0  # of the present compilation; seconds of earlier ones
        self._timer: threading.Timer | None = None

    def on_start(self, started: Any) -> None:
        """Numba begins to compile a function that is in no cache."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._begin()
                self._tell(True)

    def on_end(self, ended: Any) -> None:
        """It is compiled."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._end()
                self._tell(False)

    def elsewhere(self, is_compiling: bool) -> None:
        """A worker process begins to compile, or has ended."""
        with self._lock:
            self._elsewhere += 1 if is_compiling else -1
            if is_compiling and self._elsewhere == 1 and not self._depth:
                self._begin()
            elif not self._elsewhere and not self._depth:
                self._end()

    def seconds(self) -> float:
        """How long something has been compiled without a pause; 0: nothing is."""
        return time.monotonic() - self._began if self._began else 0.0

    def _tell(self, is_compiling: bool) -> None:
        if self.tell is not None:
            self.tell(is_compiling)

    def _begin(self) -> None:
        if self._began:
            return
        self._began = time.monotonic()
        if not self.announced:
            self._timer = threading.Timer(max(0.0, PATIENCE - self._before), self._announce)
            self._timer.daemon = True
            self._timer.start()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._before += self.seconds()
        self._began = 0.0

    def _announce(self) -> None:
        with self._lock:
            if self.announced or not self._began:
                return
            self.announced = True
        logging.getLogger(LOGGER).info(TEXT)


WATCH = CompileWatch()


@cache
def follow_numba() -> None:
    """From here on, `WATCH` is told of compilations in this process; this imports Numba."""
    from numba.core import event

    class Compilations(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            WATCH.on_start(event)

        def on_end(self, event: Any) -> None:
            WATCH.on_end(event)

    event.register("numba:compile", Compilations())
