"""What the command line draws: tables and progress, on standard error where data may follow."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tacit.training.runs.seed_run import Progress as Told

WIDTH = 500  # of a page that is no terminal
FOLDED = 48  # columns that are wider are folded
GAP = 2  # between columns
KEPT = ("95 %", "n")  # columns that stay beside what they tell of


def console(stderr: bool = False) -> Console:
    """A console; away from a terminal it is wide, so that tables stay whole in files."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class TextTable:
    """Rows of cells as a plain table; a missing cell is blank.

    On a page too narrow for it, the columns that do not fit stand in a second table below, and so
    on, each of them behind the first column. Only columns of long text are folded.
    """

    rows: Sequence[Mapping[str, str]]
    title: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for k, names in enumerate(self.pages(options.max_width)):
            if k:
                yield ""
            elif self.title:
                yield Text(self.title, style="bold")
            made = Table(box=None, pad_edge=False)
            for name in names:
                made.add_column(name, overflow="fold", no_wrap=self._width(name) <= FOLDED)
            for row in self.rows:
                made.add_row(*(row.get(name, "") for name in names))
            yield made

    def pages(self, width: int) -> list[list[str]]:
        """The columns of every table, so that none is wider than the page if that can be."""
        first, *others = list(dict.fromkeys(k for row in self.rows for k in row)) or [""]
        groups: list[list[str]] = []
        for name in others:
            if name in KEPT and groups:
                groups[-1].append(name)
            else:
                groups.append([name])
        pages, room = [[first]], width - self._need(first)
        for group in groups:
            need = sum(GAP + self._need(name) for name in group)
            if need > room and len(pages[-1]) > 1:
                pages.append([first])
                room = width - self._need(first)
            pages[-1] += group
            room -= need
        return pages

    def _width(self, name: str) -> int:
        return max([len(name), *(len(row.get(name, "")) for row in self.rows)])

    def _need(self, name: str) -> int:
        """The width that a column asks for."""
        return self._width(name) if self._width(name) <= FOLDED else FOLDED // 2


def amount(x: float) -> str:
    """A large number in short: `132 M`, `4.1 M`, `850 k`."""
    size, unit = (x / 1e6, "M") if x >= 1e6 else (x / 1e3, "k")
    return f"{size:.{0 if size >= 10 else 1}f} {unit}"


class ProgressBar:
    """A progress bar: share done, rounds, rate, the headline measure, time left."""

    def __init__(self, headline: str, quiet: bool = False) -> None:
        self.headline, self.quiet = headline.replace("_", " "), quiet
        self._lock = threading.Lock()
        self._done, self._began, self._value = 0, time.perf_counter(), float("nan")
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> ProgressBar:
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
            text = f"{amount(self._done)} rounds  {amount(rate)}/s"
            if isfinite(self._value):
                text += f"  {self.headline} {self._value:.2f}  ({arm})"
            self._progress.update(self._task, advance=progress.rounds, description=text)

    def note(self, text: str) -> None:
        if not self.quiet:
            console(stderr=True).print(text)
