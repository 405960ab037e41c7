"""Timing that survives a busy machine: CPU time, interleaved repeats, medians of ratios.

Cases of one race run one after the other, again and again, so that a slow minute hits all of
them; a ratio is taken within a repeat, never between two runs. Where a repeat takes seconds, the
machine may change its speed within it: `race_by_turns` lets cases take turns in small pieces.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

Work = Callable[[], int]  # plays, and returns how many steps it played


@dataclass(frozen=True)
class Case:
    """Something to time. `prepare` is not timed; the work that it returns is."""

    name: str
    prepare: Callable[[], Work]


@dataclass(frozen=True)
class CaseInPieces:
    """Something to time whose work falls into pieces. Nothing but the pieces is timed."""

    name: str
    prepare: Callable[[], Iterator[Work]]


def race(cases: Sequence[Case], repeats: int) -> dict[str, list[float]]:
    """Steps per CPU-second of every case, one entry per repeat; a first round only warms up."""
    speeds: dict[str, list[float]] = {case.name: [] for case in cases}
    for repeat in range(repeats + 1):
        for case in cases:
            work = case.prepare()
            before = time.process_time()
            steps = work()
            elapsed = time.process_time() - before
            if repeat:
                speeds[case.name].append(steps / elapsed)
    return speeds


def race_by_turns(cases: Sequence[CaseInPieces], repeats: int) -> dict[str, list[float]]:
    """`race`, but within a repeat every case does a piece of its work, then every case the next."""
    speeds: dict[str, list[float]] = {case.name: [] for case in cases}
    for repeat in range(repeats + 1):
        waiting = {case.name: case.prepare() for case in cases}
        steps, elapsed = dict.fromkeys(waiting, 0), dict.fromkeys(waiting, 0.0)
        while waiting:
            for name, pieces in list(waiting.items()):
                if (work := next(pieces, None)) is None:
                    del waiting[name]
                    continue
                before = time.process_time()
                steps[name] += work()
                elapsed[name] += time.process_time() - before
        if repeat:
            for name, own in speeds.items():
                own.append(steps[name] / elapsed[name])
    return speeds


@dataclass(frozen=True)
class Target:
    """What a figure should reach: `at_least` or `below`, on its ratio or on the figure itself."""

    at_least: float | None = None
    below: float | None = None
    ratio: bool = False

    def words(self, unit: str) -> str:
        bound = f"< {self.below:g}" if self.at_least is None else f">= {self.at_least:,g}"
        return f"{bound}x" if self.ratio else f"{bound} {unit}"

    def met(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        return self.below is not None and value < self.below


@dataclass(frozen=True)
class Figure:
    """One line of the table: values of all repeats, and of the peer in the same repeats."""

    what: str
    values: Sequence[float]
    unit: str
    digits: int = 0
    peer: str = ""
    peer_values: Sequence[float] = field(default_factory=tuple)
    target: Target | None = None

    def ratio(self) -> float | None:
        """Median over repeats of this figure by its peer's."""
        if not self.peer_values:
            return None
        pairs = zip(self.values, self.peer_values, strict=True)
        return median(own / other for own, other in pairs)

    def cells(self) -> list[str]:
        """What, median, lowest, highest, unit, ratio, peer, target, whether it is met."""
        shown = [f"{x:,.{self.digits}f}" for x in self._marks()]
        ratio = self.ratio()
        by = "" if ratio is None else f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"
        target = self.target.words(self.unit) if self.target else ""
        return [self.what, *shown, self.unit, by, self.peer, target, self._verdict(ratio)]

    def _marks(self) -> tuple[float, float, float]:
        return median(self.values), min(self.values), max(self.values)

    def _verdict(self, ratio: float | None) -> str:
        if self.target is None:
            return ""
        value = ratio if self.target.ratio else self._marks()[0]
        return "met" if value is not None and self.target.met(value) else "missed"


HEAD = ["figure", "median", "lowest", "highest", "unit", "ratio", "to", "target", ""]
NUMBERS = (1, 2, 3, 5)  # columns set to the right


def table(figures: Sequence[Figure]) -> str:
    """All figures as aligned plain text."""
    lines = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.rjust(width) if k in NUMBERS else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
