"""A bot behind a door (a function, a command, an endpoint) as the subject of an exam.

Every row is asked first, and the gate says whether the bot is a function of what it sees. If it is,
its table is examined, exactly. If not, the bot itself is played, a fresh one in each play where it
can be started anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tacit.agents.external.config import ChatConfig, what_it_runs
from tacit.agents.external.doors import Door, DoorClosed, open_door
from tacit.agents.external.question import Questions
from tacit.envs import rng
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.training.config import files
from tacit.training.tabulate import Budget, tabulate
from tacit.training.tabulate.agent_words import agent_config
from tacit.training.tabulate.words import result_lines

from .matches import Step
from .subject import LiveAgent, Subject, scripted_names


class Limit:
    """How many questions may still be asked, all plays together."""

    def __init__(self, calls: int | None) -> None:
        self._left = calls

    def take(self) -> None:
        """Count one question.

        Raises:
            ConfigError: there is none left.
        """
        if self._left is None:
            return
        if self._left <= 0:
            raise ConfigError("--calls: no question is left for playing it; give more of them.")
        self._left -= 1


class DoorAgent:
    """A bot behind a door that acts by indices; a `LiveAgent`.

    Attributes:
        unanswered: questions to which no legal action came back; the first legal one was played.
    """

    def __init__(self, door: Door, questions: Questions, limit: Limit, key: int) -> None:
        self._door, self._questions, self._limit = door, questions, limit
        self._key = rng.child_key(rng.seed_key(0, rng.PROBE), key)
        self._asked = 0
        self.unanswered = 0

    def act(self, observation: int) -> int:
        """An action; drawn where the bot gives probabilities.

        Raises:
            ConfigError: nothing more may or can be asked.
        """
        self._limit.take()
        try:
            answer = self._door.ask(self._questions.at(observation))
        except DoorClosed as closed:
            raise ConfigError(f"AGENT: {closed}") from None
        self._asked += 1
        first = int(self._questions.seat.role.legal[observation, 0])
        total = float(answer.row.sum())
        if total <= 0:
            self.unanswered += 1
            return first
        draw = rng.draws(rng.child_key(self._key, self._asked), 1)[0] * total
        place = int((np.cumsum(answer.row) <= draw).sum())
        return first + min(place, len(answer.row) - 1)


@contextmanager
def asked_subject(
    word: str,
    market: Market,
    seat: str,
    step: Step,
    allowed: tuple[str, ...] = (),
    calls: int | None = None,
) -> Iterator[Subject]:
    """The bot that a word of the command line names, asked at every row; its door is then closed.

    Args:
        word: a YAML file, `module:function`, or a command. It is run.
        market: the market.
        seat: the seat that it plays.
        step: told what is worked on.
        allowed: hosts to which requests may go, beside this machine.
        calls: questions at most; None: any number. An endpoint needs one.

    Raises:
        ConfigError: it does not start, or asking it ended early.
    """
    _check_word(word)
    config = agent_config(word)
    if (what := what_it_runs(config)) is None:
        raise ConfigError(f"AGENT: {word}: no bot behind a door.")
    if isinstance(config, ChatConfig) and calls is None:
        raise ConfigError(
            "--calls: is needed for an endpoint: how many questions may be asked. `tacit tabulate` "
            "shows beforehand what they cost, and writes a policy file that can be examined too."
        )
    try:
        door = open_door(config, allowed)
    except DoorClosed as closed:
        raise ConfigError(f"AGENT: {closed}") from None
    opened = [door]
    try:
        yield _subject(door, opened, word, what, market, seat, step, calls)
    finally:
        for each in opened:
            each.close()


def _check_word(word: str) -> None:
    """Refuse a single word that names nothing, which is rather a name written wrongly.

    Raises:
        ConfigError: no scripted player, file, program or preset has this name.
    """
    named = (":" in word, " " in word, os.sep in word, word.endswith((".yaml", ".yml")))
    if any(named) or word in files.names("agents") or shutil.which(word):
        return
    raise ConfigError(
        f"AGENT: '{word}' is no policy file (.safetensors), scripted player, YAML file, "
        f"module:function or command. {nearest(word, scripted_names())}"
    )


def _subject(
    door: Door,
    opened: list[Door],
    word: str,
    what: str,
    market: Market,
    seat: str,
    step: Step,
    calls: int | None,
) -> Subject:
    """A table if it passes the gate, else a bot that is played; doors that it opens are listed."""
    questions = Questions(market, seat)
    found = tabulate(
        door, market, seat, budget=Budget(calls),
        progress=lambda count: step(f"asked {count:,} times"),
    )  # fmt: skip
    if found.stopped:
        raise ConfigError(
            f"AGENT: asking ended early: {found.stopped} `tacit tabulate` keeps answers and goes "
            "on where it was."
        )
    told = tuple(result_lines(found, questions))
    if found.passes_gate:
        return Subject(word, seat, found.table, (what, *told))
    limit = Limit(None if calls is None else calls - found.calls)
    can_begin_anew = True

    def live() -> LiveAgent:
        nonlocal can_begin_anew
        try:
            another = door.fresh() if can_begin_anew else None
        except DoorClosed as closed:
            raise ConfigError(f"AGENT: {closed}") from None
        if another is None:
            can_begin_anew = False
            return DoorAgent(door, questions, limit, len(opened))
        for old in opened[1:]:  # one play at a time, and commands are processes
            old.close()
        opened[1:] = [another]
        plays[0] += 1
        return DoorAgent(another, questions, limit, plays[0])

    plays = [0]
    return Subject(word, seat, None, (what,), live, told)
