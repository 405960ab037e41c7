"""Bots that answer while others learn, behind their doors: opened when their user trusts them.

A bot is started when its first answer is due, one for each repetition and seat. If it dies, it is
started anew, so it has forgotten what it knew; that is counted. Time-outs, refusals and answers
that are not legal are answers like others: what they mean is decided by `tacit.agents.live.group`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tacit.agents.external.config import ChatConfig, LiveConfig, what_it_runs
from tacit.agents.external.doors import BotAnswer, Door, DoorClosed, open_door
from tacit.agents.external.doors.answers import FAILED
from tacit.agents.external.question import Question, Questions
from tacit.agents.live.answers import AnswerSource, LiveAnswer, LiveDecision
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm, Experiment

MOST_RESTARTS = 3  # without an answer in between; then the repetition stops, and can go on later
TRIALS = 5  # questions by which the time of an answer is measured


class LiveDoors:
    """The live bots of one repetition; an `AnswerSource`."""

    def __init__(self, arm: Arm, allowed: tuple[str, ...]) -> None:
        """Nothing is started before the first answer is due."""
        self._arm, self._allowed = arm, allowed
        self._doors: dict[str, Door] = {}
        self._questions: dict[str, Questions] = {}

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        """The bot's answer.

        Raises:
            ConfigError: it does not start, or dies again and again.
        """
        seat, question = decision.seat, self._at(decision)
        for restarts in range(MOST_RESTARTS + 1):
            try:
                if seat not in self._doors:
                    self._doors[seat] = open_door(self._arm.agents[seat], self._allowed)
                found = self._doors[seat].ask(question)
            except DoorClosed as closed:
                reason = str(closed)
                self._end(seat)
                continue
            return LiveAnswer(found.kind, restarts, found.row)
        raise ConfigError(
            f"agents.{seat}: {reason} It was started {MOST_RESTARTS + 1} times for this question. "
            "Everything is kept; the same command goes on from here, with --trust-agents."
        )

    def close(self) -> None:
        """End all that was started."""
        for seat in list(self._doors):
            self._end(seat)

    def _at(self, decision: LiveDecision) -> Question:
        if decision.seat not in self._questions:
            self._questions[decision.seat] = Questions(self._arm.market, decision.seat)
        return self._questions[decision.seat].at(decision.observation)

    def _end(self, seat: str) -> None:
        if (door := self._doors.pop(seat, None)) is not None:
            door.close()


MakeSource = Callable[[Arm, int], AnswerSource]  # an arm and a repetition -> who answers there


def live_doors(allowed: tuple[str, ...]) -> MakeSource:
    """What opens the doors of a repetition's live bots; its user has said that they are trusted.

    Args:
        allowed: hosts to which requests may go, beside this machine.
    """
    return lambda arm, k: LiveDoors(arm, allowed)


# --- what it will cost ---------------------------------------------------------------------------


@dataclass(frozen=True)
class LiveCost:
    """What the live bot of a seat will be asked.

    Attributes:
        arm: which one.
        seat: which one of its seats.
        what: what is run or called.
        config: its config.
        questions: at most, of all repetitions.
        seeds: repetitions.
    """

    arm: Arm
    seat: str
    what: str
    config: LiveConfig
    questions: int
    seeds: int

    @property
    def text(self) -> str:
        """The number of questions, in words."""
        seeds = f"{self.seeds} seed{'s' * (self.seeds > 1)}"
        return (
            f"live, {self.arm.name}: {self.seat} ({self.what}) is asked up to {self.questions:,} "
            f"times ({seeds} of {self.questions // self.seeds:,})"
        )


def live_costs(experiment: Experiment) -> list[LiveCost]:
    """How many questions each live bot of an experiment will be asked, at most; nothing is run."""
    found = []
    for arm in experiment.arms.values():
        for name in arm.live:
            config, seat = arm.agents[name], arm.market.seat(name)
            assert isinstance(config, LiveConfig)
            phases = sum(arm.market.acts(seat, p) for p in range(len(arm.market.phases)))
            questions = arm.train.rounds * phases * arm.seeds
            what = what_it_runs(config) or ""
            found.append(LiveCost(arm, name, what, config, questions, arm.seeds))
    return found


def untold_lines(experiment: Experiment) -> list[str]:
    """What is known of the cost of live bots before anything was run, a line each."""
    lines = [
        f"{cost.text}; how long an answer takes is measured before training, with --trust-agents"
        for cost in live_costs(experiment)
    ]
    return [*lines, NO_PROMISE] if lines else []


NO_PROMISE = (
    "a run with a live agent cannot be trained again bit for bit by asking it again; its answers "
    "are kept, and audits play the run again from these"
)


def trial_lines(experiment: Experiment, allowed: tuple[str, ...], side_by_side: int) -> list[str]:
    """What live bots will cost, by a few trial questions to fresh ones, which are then ended.

    Args:
        experiment: whose bots its user trusts.
        allowed: hosts to which requests may go, beside this machine.
        side_by_side: how many repetitions are trained at once.

    Raises:
        ConfigError: a bot does not start, or answers nothing at all.
    """
    lines = []
    for cost in live_costs(experiment):
        answers = _trial(cost, allowed)
        seconds = float(np.mean([a.seconds for a in answers]))
        whole = seconds * cost.questions / min(side_by_side, cost.seeds)
        legal = sum(a.row.sum() > 0 for a in answers)
        line = (
            f"{cost.text}: {_time(seconds)} an answer in {len(answers)} trial questions ({legal} "
            f"legal), so up to about {_time(whole)}, beside the rounds themselves"
        )
        if isinstance(cost.config, ChatConfig):
            each = float(np.mean([a.cost for a in answers]))
            line += f"; money: about {each * cost.questions:.4g}, by the prices in its config"
        lines.append(line)
    return [*lines, NO_PROMISE] if lines else []


def _trial(cost: LiveCost, allowed: tuple[str, ...]) -> list[BotAnswer]:
    """Answers to a few questions, spread over what the seat can see.

    Raises:
        ConfigError: the bot does not start, or answers nothing at all.
    """
    questions = Questions(cost.arm.market, cost.seat)
    rows = questions.decisions
    if not len(rows):
        raise ConfigError(f"agents.{cost.seat}: has nothing to decide here.")
    chosen = rows[np.linspace(0, len(rows) - 1, TRIALS).astype(np.int64)]
    try:
        door = open_door(cost.config, allowed)
        try:
            door.ask(questions.at(int(chosen[0])))  # a start is no answer
            answers = [door.ask(questions.at(int(o))) for o in chosen]
        finally:
            door.close()
    except DoorClosed as closed:
        raise ConfigError(f"agents.{cost.seat}: {closed}") from None
    if all(answer.kind == FAILED for answer in answers):
        problem = answers[-1].problem
        raise ConfigError(f"agents.{cost.seat}: no trial question had an answer: {problem}")
    return answers


def _time(seconds: float) -> str:
    """A time with a unit that fits."""
    for size, unit in ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else "1.0 s"
