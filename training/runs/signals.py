"""Ctrl-C, SIGTERM and SIGHUP while a run trains: save and stop; a second one ends the process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tacit.training.plain_text import say

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
# Signals that have raised `Stopped`, for callers whom it reaches as an exit with 130: Typer makes
# that of every interruption.
RAISED: list[int] = []


class Stopped(KeyboardInterrupt):
    """The process was asked to stop.

    Attributes:
        exit_code: what a process that stops for this signal exits with: 128 + its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Within, the first signal raises `Stopped` in the main thread; a second ends the process.

    At the second everything that was saved is on disk, and files are written all or not at all. It
    is needed while something is being compiled, which nothing can interrupt. Signals that the
    process ignores (SIGHUP under `nohup`) stay ignored. In other threads nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        getattr(signal, name): signal.getsignal(getattr(signal, name))
        for name in NAMES
        if hasattr(signal, name)
    }
    handled = [number for number, handler in before.items() if handler != signal.SIG_IGN]

    def end(number: int, frame: FrameType | None) -> None:
        say("ended at once; what was saved is kept", is_error=True)
        os._exit(128 + number)

    def stop(number: int, frame: FrameType | None) -> None:
        for each in handled:
            signal.signal(each, end)
        RAISED.append(number)
        raise Stopped(number)

    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
