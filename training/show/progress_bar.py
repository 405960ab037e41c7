"""The progress bar of training, on standard error."""

from __future__ import annotations

import threading
import time
from math import isfinite

from rich.progress import BarColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar as Bar
from rich.text import Text

from tacit.envs.jit import compiling
from tacit.training.runs.progress import SeedProgress, unconverged_text

from .terminal import console

SHORT = 1.0  # seconds of compilation that are not shown
TELL_EVERY = 2.0  # seconds between two lines about finishing, where no bar is shown


def short_number(x: float) -> str:
    """A large number in short: `132 M`, `4.1 M`, `850 k`."""
    size, unit = (x / 1e6, "M") if x >= 1e6 else (x / 1e3, "k")
    return f"{size:.{0 if size >= 10 else 1}f} {unit}"


class _Bar(BarColumn):
    """The share done; while loops are compiled, which nobody knows the end of, it moves."""

    def render(self, task: Task) -> Bar:
        """The bar as it is now."""
        found = super().render(task)
        if compiling.WATCH.seconds() > SHORT:
            found.total, found.pulse = None, True
        return found


class _Description(TextColumn):
    """What goes on; while loops are compiled, that they are, and for how long."""

    def render(self, task: Task) -> Text:
        """The text as it is now."""
        seconds = compiling.WATCH.seconds()
        if seconds <= SHORT:
            return super().render(task)
        return Text(f"{compiling.TEXT}: {seconds:.0f} s")


class ProgressBar:
    """Shows the share done, rounds, their rate, the headline measure and the time left.

    A context, so that the terminal is restored however training ends.
    """

    def __init__(self, headline: str, quiet: bool = False) -> None:
        """A bar that is not shown yet.

        Args:
            headline: the measure whose last value is shown.
            quiet: show nothing at all.
        """
        self.headline, self.quiet = headline.replace("_", " "), quiet
        self._lock = threading.Lock()
        self._trained, self._began = 0, time.perf_counter()  # rounds trained since `begin`
        self._value = float("nan")
        self._ended: dict[str, int] = {}  # finished seeds, by arm
        self._cut_off: dict[str, int] = {}  # of these, seeds whose agents had not stopped
        self._told = time.monotonic()  # when the last line about finishing was printed
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
            for line in self._unconverged():
                self.note(f"{line} when train.rounds ended")

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        """Show the bar."""
        self._began = time.perf_counter()
        if self.quiet:
            return
        self._progress = Progress(
            _Bar(26), TextColumn("{task.percentage:3.0f} %"), _Description("{task.description}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console(stderr=True),
        )  # fmt: skip
        self._task = self._progress.add_task("", total=total_rounds, completed=finished_rounds)
        self._progress.start()

    def advance(self, arm: str, progress: SeedProgress) -> None:
        """Move it on; called from the threads that train."""
        if self._progress is None:
            return
        with self._lock:
            # Rounds that were not played count as done, but not for the rate.
            self._trained += 0 if progress.skipped else progress.rounds
            self._ended[arm] = self._ended.get(arm, 0) + progress.ended
            self._cut_off[arm] = self._cut_off.get(arm, 0) + progress.cut_off
            if isfinite(progress.headline):
                self._value = progress.headline
            rate = self._trained / max(1e-9, time.perf_counter() - self._began)
            text = f"{short_number(self._trained)} rounds  {short_number(rate)}/s"
            if isfinite(self._value):
                text += f"  {self.headline} {self._value:.2f}  ({arm})"
            text += "".join(f"  {line}" for line in self._unconverged())
            self._progress.update(self._task, advance=progress.rounds, description=text)

    def _unconverged(self) -> list[str]:
        """A line for each arm of which seeds have ended before their agents had stopped."""
        return [
            f"{arm}: {unconverged_text(count, self._ended[arm])}"
            for arm, count in self._cut_off.items()
            if count
        ]

    def finishing(self, what: str, done: int, of: int) -> None:
        """Show what of the results is being written, once that takes a moment."""
        if self._progress is not None:
            self._progress.update(self._task, description=f"results: {what}, {done} of {of}")
        elif not self.quiet and done < of and time.monotonic() - self._told > TELL_EVERY:
            self._told = time.monotonic()
            self.note(f"results: {what}, {done} of {of}")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if not self.quiet:
            console(stderr=True).print(text)
