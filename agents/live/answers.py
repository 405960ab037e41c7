"""What a live agent answered, decision by decision, and the file that keeps it.

A run with a live agent is a function of configuration, seed and these answers. So they are kept, a
line of JSON for each, and whoever plays rounds again reads them instead of asking:

    {"form": "tacit live answers 1", "arm": "base", "seed": 0, "agents": {"provider_0": "..."}}
    [120, 0, "provider_0", 37, "action", 0, 5]

The columns are those of `LiveAnswer`, the row last: the place of the only action, or probabilities,
or null where the answer names no legal action.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from tacit.agents.external.doors.answers import (
    ACTION,
    FAILED,
    ILLEGAL,
    PROBABILITIES,
    REFUSAL,
    TIME_OUT,
)
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats

FORM = "tacit live answers 1"
KINDS = (ACTION, PROBABILITIES, REFUSAL, TIME_OUT, ILLEGAL, FAILED)
KEPT_ROUNDS = 2  # rounds whose new answers stay in memory: the one under way may be played twice


class LiveDecision(NamedTuple):
    """What is asked.

    Attributes:
        round: per copy, counted from 0 since training began.
        phase: in which the seat decides.
        seat: its name.
        observation: what it sees.
    """

    round: int
    phase: int
    seat: str
    observation: int


class LiveAnswer(NamedTuple):
    """One answer.

    Attributes:
        kind: one of `KINDS`.
        restarts: how often the agent had to be started anew before it answered.
        row: probability of each legal action in the order of the table, float64 `[L]`; what is
            missing to 1 fell on no legal action.
    """

    kind: str
    restarts: int
    row: Floats


class AnswerSource(Protocol):
    """Whoever gives a live agent's answers: the agent, or a record of them."""

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        """The answer to a decision; the same one where it is asked for twice.

        Raises:
            ConfigError: there is none.
        """
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...


class RecordedAnswers:
    """The answers in a file; an `AnswerSource`.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            ConfigError: there is none, or it holds something else.
        """
        self.path = path
        self._known = read_answers(path)

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        """The answer that was recorded.

        Raises:
            ConfigError: none was recorded for this decision.
        """
        found = self._known.get(decision)
        if found is None:
            raise ConfigError(
                f"{self.path}: holds no answer of {decision.seat} for round {decision.round:,} at "
                f"observation {decision.observation}; so it does not belong to these rounds."
            )
        return found

    def close(self) -> None:
        """Nothing was opened."""


class KeptAnswers:
    """Answers that are kept in a file as they come; an `AnswerSource`.

    What the file holds already is not asked again: after an interruption the rounds since the last
    save are played with the answers that were given.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], asked: AnswerSource | None) -> None:
        """Read what is known.

        Args:
            path: the file; it is made with the first answer.
            about: its first line, beside the form.
            asked: gives what is not known yet; None: nothing more is given.

        Raises:
            ConfigError: the file holds something else.
        """
        self.path, self._about, self._asked = path, dict(about), asked
        self._known = read_answers(path) if path.exists() else {}
        self._new: dict[LiveDecision, LiveAnswer] = {}
        self._file: IO[str] | None = None

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        """The answer that is known, or a new one, which is in the file before it is played.

        Raises:
            ConfigError: nothing more is given, or the file cannot be written.
        """
        known = self._known.get(decision) or self._new.get(decision)
        if known is not None:
            return known
        if self._asked is None:
            raise ConfigError(
                f"{decision.seat}: is a live agent, and nothing was run. Go on with --trust-agents."
            )
        found = self._asked.answer(decision)
        self._write(line_of(decision, found))
        for old in [d for d in self._new if d.round <= decision.round - KEPT_ROUNDS]:
            del self._new[old]
        self._new[decision] = found
        return found

    def close(self) -> None:
        """Close the file and whoever was asked."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._asked is not None:
            self._asked.close()

    def _write(self, line: str) -> None:
        """Add a line; a last line that was half written is cut off first.

        Raises:
            ConfigError: the system refuses.
        """
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                is_new = not _cut_to_whole_lines(self.path)
                self._file = self.path.open("a", encoding="utf-8")
                if is_new:
                    self._file.write(json.dumps({"form": FORM, **self._about}) + "\n")
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"{self.path}: cannot be written: {reason}.") from None


def _cut_to_whole_lines(path: Path) -> int:
    """Drop what was half written at the end of a file; the bytes that are left."""
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        length = file.read().rfind(b"\n") + 1
        file.truncate(length)
    return length


# --- lines of the file ---------------------------------------------------------------------------


def line_of(decision: LiveDecision, answer: LiveAnswer) -> str:
    """A decision and its answer as a line of the file."""
    return json.dumps([*decision, answer.kind, answer.restarts, _plain_row(answer)])


def _plain_row(answer: LiveAnswer) -> list[Any] | None:
    """A row as the file holds it: `[legal actions, the only one]`, or all probabilities."""
    if not answer.row.any():
        return [len(answer.row)]
    if answer.kind == ACTION:
        return [len(answer.row), int(answer.row.argmax())]
    return [len(answer.row), answer.row.tolist()]


def read_answers(path: Path) -> dict[LiveDecision, LiveAnswer]:
    """The answers in a file; a last line that was half written is passed over.

    Raises:
        ConfigError: there is no such file, or it holds something else.
    """
    try:
        data = path.read_bytes()
        lines = data[: data.rfind(b"\n") + 1].decode("utf-8").splitlines()
        if not lines:
            return {}
        if json.loads(lines[0])["form"] != FORM:
            raise ValueError("form")
        return dict(_entries(lines[1:]))
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{path}: the answers of a live agent: {reason}.") from None
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        raise ConfigError(f"{path}: holds no answers of a live agent, or was altered.") from None


def _entries(lines: Iterable[str]) -> Iterable[tuple[LiveDecision, LiveAnswer]]:
    """Decisions and answers of lines.

    Raises:
        ValueError, TypeError, LookupError: a line is no answer.
    """
    for line in lines:
        round_, phase, seat, observation, kind, restarts, row = json.loads(line)
        numbers = (round_, phase, observation, restarts)
        if any(type(x) is not int or x < 0 for x in numbers) or kind not in KINDS:
            raise ValueError(line)
        decision = LiveDecision(round_, phase, str(seat), observation)
        yield decision, LiveAnswer(kind, restarts, _row_of(row))


def _row_of(plain: Any) -> Floats:
    """The row that `_plain_row` wrote.

    Raises:
        ValueError, TypeError, LookupError: it is none.
    """
    count, *rest = plain
    if type(count) is not int or not 1 <= count <= 2**20 or len(rest) > 1:
        raise ValueError("row")
    row = np.zeros(count)
    if rest and isinstance(rest[0], list):
        row[:] = [float(x) for x in rest[0]]
        if not np.isfinite(row).all() or (row < 0).any() or row.sum() > 1 + 1e-6:
            raise ValueError("row")
    elif rest:
        if type(rest[0]) is not int or rest[0] < 0:
            raise ValueError("row")
        row[rest[0]] = 1.0
    return row
