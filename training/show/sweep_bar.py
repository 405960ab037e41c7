"""The progress bar of a sweep, on standard error."""

from __future__ import annotations

import threading
import time

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tacit.training.sweep.cell import CellOutcome

from .terminal import console

TELL_EVERY = 10.0  # seconds between two lines, where standard error is no terminal


class SweepBar:
    """Shows how many cells are done, and the time left. A context."""

    def __init__(self, count: int, done: int, quiet: bool = False) -> None:
        """A bar that is not shown yet.

        Args:
            count: of the sweep's cells.
            done: cells that were done before.
            quiet: show nothing at all.
        """
        self._count, self._quiet = count, quiet
        self._lock = threading.Lock()
        self._ended, self._failed = done, 0
        self._shares: dict[int, float] = {}  # of cells under way
        self._console = console(stderr=True)
        self._told = time.monotonic()
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> SweepBar:
        if not self._quiet and self._console.is_terminal:
            self._progress = Progress(
                BarColumn(26), TextColumn("{task.percentage:3.0f} %"),
                TextColumn("{task.description}"),
                TimeRemainingColumn(compact=True, elapsed_when_finished=True),
                console=self._console, speed_estimate_period=600.0,
            )  # fmt: skip
            self._task = self._progress.add_task(
                self._text(), total=self._count, completed=self._ended
            )
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def share(self, k: int, share: float) -> None:
        """This share of cell k is trained."""
        with self._lock:
            self._shares[k] = share
            self._show()

    def ended(self, outcome: CellOutcome) -> None:
        """A cell is done, or failed."""
        with self._lock:
            self._shares.pop(outcome.k, None)
            if outcome.is_elsewhere:
                return
            self._ended += outcome.failure is None
            self._failed += outcome.failure is not None
            self._show()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._quiet:
            self._console.print(text)

    def _text(self) -> str:
        failed = f", {self._failed:,} failed" if self._failed else ""
        return f"{self._ended:,} of {self._count:,} cells{failed}"

    def _show(self) -> None:
        if self._progress is not None:
            done = self._ended + self._failed + sum(self._shares.values())
            self._progress.update(self._task, completed=done, description=self._text())
        elif not self._quiet and time.monotonic() - self._told > TELL_EVERY:
            self._told = time.monotonic()
            self._console.print(self._text())
