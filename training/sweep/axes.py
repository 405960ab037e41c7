"""What a sweep varies: lists of values (`--grid`) and ranges that are drawn from (`--range`).

--grid kpi.bidder.price_change=0,-0.5,-1      every one of these
--range train.epsilon=0.01:0.2:log            draws, evenly spread in the logarithm
--range market.bidders=2:6:int                draws of whole numbers, both ends among them
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, TypeVar

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files
from tacit.training.config.experiment_file import GROUPS
from tacit.training.config.mistakes import MistakeList

T = TypeVar("T")
KINDS = ("log", "int")  # of a range, behind its ends


@dataclass(frozen=True)
class Axis:
    """A key and the values that it takes.

    Attributes:
        key: dotted, as on the command line of `tacit train`.
        values: in the order in which they were given, no two equal.
    """

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """A key and the range that its values are drawn from.

    Attributes:
        key: dotted.
        low: the least value.
        high: the greatest value.
        kind: `log`, `int`, or empty for evenly spread real numbers.
    """

    key: str
    low: float
    high: float
    kind: str = ""

    def at(self, share: float) -> float | int:
        """The value at a share of the range, 0 <= share < 1."""
        if self.kind == "int":
            return int(self.low) + int(share * (int(self.high) - int(self.low) + 1))
        if self.kind == "log":
            return exp(log(self.low) + share * (log(self.high) - log(self.low)))
        return self.low + share * (self.high - self.low)


def parse_grids(words: Sequence[str]) -> tuple[Axis, ...]:
    """Axes of `key=value,value,...` words.

    Raises:
        ConfigError: every mistake in them at once.
    """
    return _each(words, _axis)


def parse_ranges(words: Sequence[str]) -> tuple[Range, ...]:
    """Ranges of `key=low:high`, `key=low:high:log` and `key=low:high:int` words.

    Raises:
        ConfigError: every mistake in them at once.
    """
    return _each(words, _range)


def _each(words: Sequence[str], read: Callable[[str], T]) -> tuple[T, ...]:
    """What every word means; the mistakes of all are told at once."""
    found: list[T] = []
    mistakes = MistakeList()
    for word in words:
        with mistakes.collecting():
            found.append(read(word))
    mistakes.raise_if_any()
    return tuple(found)


def _axis(word: str) -> Axis:
    key, text = _split(word, "--grid", "kpi.bidder.price_change=0,-0.5,-1")
    # Commas part the entries of a YAML list, in which a value may be a list itself.
    values = files.parse(f"[{text}]", f"--grid {key}")
    if not values or None in values:
        raise ConfigError(f"--grid {key}: a value is missing between two commas.")
    if len({repr(value) for value in values}) < len(values):
        raise ConfigError(f"--grid {key}: a value stands twice.")
    return Axis(key, tuple(values))


def _range(word: str) -> Range:
    key, text = _split(word, "--range", "train.epsilon=0.01:0.2:log")
    ends, kind = text.split(":")[:2], "".join(text.split(":")[2:3])
    if len(ends) < 2 or text.count(":") > 2:
        raise ConfigError(f"--range {key}: must be LOW:HIGH or LOW:HIGH:log, got '{text}'.")
    if kind and kind not in KINDS:
        raise ConfigError(f"--range {key}: unknown kind '{kind}'. {nearest(kind, KINDS)}")
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        raise ConfigError(f"--range {key}: its ends must be numbers, got '{text}'.") from None
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ConfigError(f"--range {key}: the first end must be below the second, got '{text}'.")
    if kind == "log" and low <= 0:
        raise ConfigError(f"--range {key}: the ends of a log range must be above 0, got '{text}'.")
    if kind == "int" and not (low.is_integer() and high.is_integer()):
        raise ConfigError(f"--range {key}: the ends must be whole numbers, got '{text}'.")
    return Range(key, low, high, kind)


def _split(word: str, option: str, example: str) -> tuple[str, str]:
    """Key and text of `key=text`."""
    key, separator, text = word.partition("=")
    if not separator or not key or not text:
        raise ConfigError(f"{option} {word}: must be key=values, as in {option} {example}.")
    group = key.split(".")[0]
    if group not in GROUPS:
        raise ConfigError(f"{option} {key}: unknown key. {nearest(group, GROUPS)}")
    return key, text


def check_distinct(axes: Sequence[Axis], ranges: Sequence[Range], settings: Sequence[str]) -> None:
    """Check that no key is given twice, nor one within another.

    Raises:
        ConfigError: every key that is.
    """
    varied = [a.key for a in axes] + [r.key for r in ranges]
    fixed = [word.partition("=")[0] for word in settings]
    lines = [f"{key}: is varied twice." for key in dict.fromkeys(varied) if varied.count(key) > 1]
    lines += [f"{key}: is varied, and set to one value as well." for key in varied if key in fixed]
    lines += [
        f"{inner}: lies within {outer}, which is varied as well."
        for outer in varied
        for inner in varied
        if inner.startswith(f"{outer}.")
    ]
    if lines:
        raise ConfigError(lines)
