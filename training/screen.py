"""What the command line draws: tables and progress, on standard error where data may follow."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from math import isfinite

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from .group import Progress as Told


def console(stderr: bool = False) -> Console:
    """A console; away from a terminal it is wide, so that tables stay whole in files."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 200
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def table(rows: Sequence[Mapping[str, str]], title: str | None = None) -> Table:
    """Rows of cells as a plain table; a missing cell is blank."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    names = list(dict.fromkeys(k for row in rows for k in row))
    for name in names:
        made.add_column(name, overflow="fold", no_wrap=name == "verdict")
    for row in rows:
        made.add_row(*(row.get(name, "") for name in names))
    return made


class ScreenWatcher:
    """A progress bar: share done, rounds, rate, the headline measure, time left."""

    def __init__(self, headline: str, quiet: bool = False) -> None:
        self.headline, self.quiet = headline.replace("_", " "), quiet
        self._lock = threading.Lock()
        self._done, self._began, self._value = 0, time.perf_counter(), float("nan")
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> ScreenWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        """Show the bar."""
        self._began = time.perf_counter()
        if self.quiet:
            return
        self._progress = Progress(
            BarColumn(26), TextColumn("{task.percentage:3.0f} %"), TextColumn("{task.description}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console(stderr=True),
        )  # fmt: skip
        self._task = self._progress.add_task("", total=total_rounds, completed=finished_rounds)
        self._progress.start()

    def tell(self, arm: str, progress: Told) -> None:
        """Move it on."""
        if self._progress is None:
            return
        with self._lock:
            self._done += 0 if progress.skipped else progress.rounds
            if isfinite(progress.headline):
                self._value = progress.headline
            rate = self._done / max(1e-9, time.perf_counter() - self._began)
            text = f"{self._done / 1e6:.0f} M rounds  {rate / 1e6:.1f} M/s"
            if isfinite(self._value):
                text += f"  {self.headline} {self._value:.2f}  ({arm})"
            self._progress.update(self._task, advance=progress.rounds, description=text)

    def note(self, text: str) -> None:
        if not self.quiet:
            console(stderr=True).print(text)
