"""What the fuzzers share: a time limit, how a trial is counted, and values that upset readers."""

from __future__ import annotations

import random
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

LIMIT = 20  # seconds after which a trial counts as one that hangs
CONTROL = ("\x1b", "\x07", "\u202e")  # codes that no message may send to a terminal


class Hung(BaseException):
    """A trial took too long; no `except Exception` stops it."""


@dataclass
class Outcome:
    """What became of the trials of one fuzzer.

    Attributes:
        name: what was varied, in a few words.
        expected: what must come of it.
        trials: how many.
        ends: how often each end came: `accepted`, `refused`, ....
        failures: what went wrong otherwise, a line each, with the seed that repeats it.
    """

    name: str
    expected: str
    trials: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def count(self, seed: int, trial: Callable[[], str]) -> None:
        """Run a trial, which returns how it ended; whatever it raises is a failure."""
        self.trials += 1
        try:
            with time_limit(), warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)  # an overflow that nobody noticed
                end = trial()
        except Hung:
            end = f"failed: no end after {LIMIT} s"
        except Exception as error:
            end = f"failed: {type(error).__name__}: {error}"[:400]
        if end.startswith("failed"):
            self.failures.append(f"seed {seed}: {end.removeprefix('failed: ')}")
            end = "failed"
        self.ends[end] = self.ends.get(end, 0) + 1

    @property
    def told(self) -> str:
        """`accepted 812, refused 4,188`"""
        return ", ".join(f"{end} {count:,}" for end, count in sorted(self.ends.items()))


@contextmanager
def time_limit() -> Iterator[None]:
    """Within, `Hung` is raised after LIMIT seconds."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def luck_of(fuzzer: str, seed: int) -> random.Random:
    """A generator for one trial."""
    return random.Random(f"{fuzzer} {seed}")


# What people write where something else is expected, and what breaks readers.
VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 12, 100, 10**9, 10**30, -(10**30), 2**63, 2**64 - 1,
    0.0, 0.5, -0.5, 1.5, 1e-300, 1e308, float("nan"), float("inf"), float("-inf"),
    "", " ", "1", "0.5", "010", "1_000", "0x1f", "1:30", "1e3", "yes", "no", "on", "null", "~",
    "true", "profit", "price", "bidder", "bidder_0", "../..", "/", ".", "-", "--help", "a b",
    "\u03b1\u03b2", "\x1b[31m", "\u202egpj", "a\nb", "\t", "\0", "\ud800", "\U0001f600", "x" * 300,
    "'", '"', "{", "[", "#", "*a", "&a", "!!python/none", "%", "{x}", "%s", "2021-01-01",
    [], [0], [1, 2], [0, 1], [1, [2]], ["a"], [None], [0.1] * 50, {}, {"a": 1}, {"profit": 1},
    {"name": "q_learning"}, {"name": "nobody"}, {"": ""}, {"a": {"b": {"c": 1}}},
)  # fmt: skip
