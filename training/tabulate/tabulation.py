"""A bot behind a door as a policy table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from tacit.agents.external.doors.answers import FAILED, ILLEGAL, REFUSAL, TIME_OUT, DoorClosed
from tacit.agents.external.doors.door import Door
from tacit.agents.external.question import Questions
from tacit.agents.policy import PolicyTable
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats

from .asking import Asker, Budget, BudgetSpent, Progress
from .contrasts import (
    fresh_questions,
    fresh_without_chance,
    most_questions,
    questions_without_chance,
)
from .design import REPEATS, Design
from .gate import FunctionGate, GateResult

RESOLUTION = 0.05  # the change of a bot's answers that must be found
MOST = 250_000  # questions to a bot that mixes


@dataclass(frozen=True)
class Tabulation:
    """What a bot answered, and whether it is a function of what it sees.

    Attributes:
        table: action probabilities, float64 `[O, A]`. Of mass on legal actions alone where
            `illegal_by_row` is not 0. A row that never got a legal answer is NaN, and then the bot
            does not pass.
        asked: questions that were asked, those of earlier tries included.
        moved: rows at which not all answers were the same.
        illegal_mass: the mean over rows of the mass on no legal action, refusals included.
        refusals: answers that refused.
        time_outs: questions without an answer in time.
        passes_gate: whether the table stands for the bot.
        largest_change: 0 .. 1; of a bot that mixes and passes, the largest estimated change of a
            comparison, else the largest total variation between two answers to the same question.
        reasons: why it does not pass, a line each.
        illegal_by_row: mass on no legal action, float64 `[O]`.
        illegal_answers: answers that named no legal action, refusals not included.
        failures: questions without an answer for another reason than time.
        mixes: whether its answers vary by chance; then a row is a mean over its answers.
        answers_by_row: how many answers a row is made of, float64 `[O]`.
        changes: by comparison, the estimated change of the answers.
        resolution: the change that would have been found.
        calls: questions asked in this call.
        money: that these cost.
        models: names of models, as the endpoint gives them.
        stopped: why asking ended early; empty if it did not.
        notes: what could not be looked at, and other remarks.
        ended: whether it was the bot that ended the asking, by ending itself.
    """

    table: PolicyTable = field(repr=False)
    asked: int
    moved: int
    illegal_mass: float
    refusals: int
    time_outs: int
    passes_gate: bool
    largest_change: float
    reasons: list[str]
    illegal_by_row: Floats = field(repr=False)
    illegal_answers: int
    failures: int
    mixes: bool
    answers_by_row: Floats = field(repr=False)
    changes: Mapping[str, float]
    resolution: float
    calls: int
    money: float
    models: Sequence[str]
    stopped: str
    notes: list[str]
    ended: bool = False

    @property
    def answers(self) -> int:
        """Questions that had any answer, legal or not."""
        return self.asked - self.failures - self.time_outs


def tabulate(
    door: Door,
    market: Market,
    seat: str,
    *,
    resolution: float = RESOLUTION,
    most: int = MOST,
    budget: Budget | None = None,
    file: Path | None = None,
    about: Mapping[str, Any] | None = None,
    parallel: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tabulation:
    """Ask a bot at every row of its seat's table, and whether it is a function of what it sees.

    Args:
        door: to the bot.
        market: the market.
        seat: the seat's name.
        resolution: the change of its answers that must be found, 0 .. 1.
        most: questions at most, to a bot that mixes.
        budget: what may be spent in this call.
        file: where answers are kept; a call with the same arguments goes on there.
        about: what the answers in the file belong to, plain JSON values.
        parallel: questions under way at once; 1 keeps their order for sure.
        seed: the number from which order, labels and wordings are drawn.
        progress: told the number of answers.

    Returns:
        What was found. A bot that dies or a budget that is spent end the asking, not the call:
        `stopped` says so.

    Raises:
        ConfigError: a seat that decides nothing, arguments out of range, or a file that belongs to
            other questions.
        KeyError: no such seat.
    """
    questions = Questions(market, seat)
    check_arguments(questions, resolution, most, parallel)
    given = {"seat": seat, "seed": seed, "resolution": resolution, **(about or {})}
    asker = Asker(questions, budget, file, given, parallel, progress)
    gate = FunctionGate(asker, Design(questions, seed), door, resolution, most)
    stopped, ended, result = "", False, None
    try:
        result = gate.run()
    except (DoorClosed, BudgetSpent) as end:
        stopped, ended = str(end), isinstance(end, DoorClosed)
    finally:
        asker.close()
    if result is None:
        result = GateResult(False, {}, 0, 0.0, False, [f"asking ended early: {stopped}"])
    found = _tabulation(asker, questions, result, resolution, stopped, gate.notes)
    return replace(found, ended=ended)


def check_arguments(questions: Questions, resolution: float, most: int, parallel: int) -> None:
    """Whether a seat can be asked about like this.

    Raises:
        ConfigError: a seat that decides nothing, or arguments out of range: all mistakes.
    """
    mistakes = []
    if not len(questions.decisions):
        mistakes.append(f"--seat: {questions.seat.name} has nothing to decide here.")
    if not 0.001 <= resolution <= 0.5:
        mistakes.append(f"--resolution: must be .001 to .5, got {resolution:g}.")
    if most < 1:
        mistakes.append(f"--most: must be at least 1, got {most}.")
    if not 1 <= parallel <= 256:
        mistakes.append(f"--parallel: must be 1 to 256, got {parallel}.")
    if mistakes:
        raise ConfigError(mistakes)


def estimate(questions: Questions, resolution: float, can_start_anew: bool) -> tuple[int, int]:
    """How many questions will be asked.

    Args:
        questions: what can be asked.
        resolution: the change that must be found.
        can_start_anew: whether the bot can be started again.

    Returns:
        Of a bot whose answers never vary about so many; of one that mixes over all its actions at
        most so many.
    """
    rows = len(questions.decisions)
    fresh = fresh_without_chance(resolution) if can_start_anew else 0
    a_pass = rows * (1 + REPEATS / 2)  # half of the passes ask some rows twice
    passes = ceil(max(2 * rows, questions_without_chance(resolution)) / a_pass)
    least = rows + fresh + round(passes * a_pass)
    freedom = int((questions.seat.role.legal[questions.decisions, 1] - 1).sum())
    most = most_questions(freedom, resolution)
    return least, max(least, most + (fresh_questions(most) if can_start_anew else 0))


def _tabulation(
    asker: Asker,
    questions: Questions,
    result: GateResult,
    resolution: float,
    stopped: str,
    notes: list[str],
) -> Tabulation:
    """Rows of the answers, with all that was counted."""
    answered = asker.answered()
    kinds = [answer.kind for _, answer in answered]
    sums, count = _sums(asker, questions, result.mixes)
    role = questions.seat.role
    table = np.zeros((role.observations, role.actions))
    forced = np.setdiff1d(np.arange(role.observations), questions.decisions)
    table[forced, role.legal[forced, 0]] = 1.0
    illegal, reasons = np.zeros(role.observations), list(result.reasons)
    lacking = []
    for row in (int(r) for r in questions.decisions):
        first, legal = (int(x) for x in role.legal[row])
        mass = sums[row] / max(count[row], 1.0)
        total = float(mass.sum())
        if count[row]:  # a row that had no answer at all says nothing of this mass
            illegal[row] = 1.0 - total if 1.0 - total > 1e-9 else 0.0
        if total <= 0:
            lacking.append(row)
            table[row, first : first + legal] = np.nan
        else:
            table[row, first : first + legal] = mass[:legal] / (total if illegal[row] else 1.0)
    if lacking and not stopped:
        reasons.append(_lacking_text(questions, lacking))
    heard = questions.decisions[count[questions.decisions] > 0]
    models = dict.fromkeys(answer.model for _, answer in answered if answer.model)
    return Tabulation(
        table, len(answered), result.moved, float(illegal[heard].mean()) if len(heard) else 0.0,
        kinds.count(REFUSAL), kinds.count(TIME_OUT), result.passes and not lacking,
        result.largest, reasons, illegal, kinds.count(ILLEGAL), kinds.count(FAILED),
        result.mixes, count, result.changes, resolution, asker.calls, asker.money, list(models),
        stopped, notes,
    )  # fmt: skip


def _sums(asker: Asker, questions: Questions, mixes: bool) -> tuple[Floats, Floats]:
    """Sums of a row's answers `[O, L]`, and how many they are `[O]`.

    Where a bot does not mix, a row is its first answer: a mean would add rounding.
    """
    role = questions.seat.role
    sums = np.zeros((role.observations, int(role.legal[:, 1].max())))
    count = np.zeros(role.observations)
    for ask, answer in asker.answered():
        if answer.is_answer and (mixes or not count[ask.row]):
            sums[ask.row, : len(answer.row)] += answer.row
            count[ask.row] += 1
    return sums, count


def _lacking_text(questions: Questions, lacking: Sequence[int]) -> str:
    seen = questions.at(lacking[0]).plain()["observation"]
    shown = ", ".join(f"{name} {value}" for name, value in seen.items())
    return (
        f"{len(lacking)} of {len(questions.decisions)} rows never got a legal answer, the first at "
        f"{shown}"
    )
