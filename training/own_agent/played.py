"""A bot that is no table: its rounds are played, and every figure has an interval.

Each play has a fresh bot, so plays are independent. For a forced deviation two plays with the same
luck are compared, up to the round at which a rival is made to leave its action for one round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.batch.config import BatchConfig
from tacit.agents.external.config import ExternalConfig
from tacit.agents.external.doors.answers import ACTION
from tacit.agents.fixed import learns
from tacit.agents.group import make_group
from tacit.agents.live.answers import LiveAnswer, LiveDecision
from tacit.agents.live.group import LiveGroup
from tacit.agents.policy import PolicyTable
from tacit.emergence.collusion.verdict import ANSWERED
from tacit.emergence.evaluate import SeedEstimate, seed_estimate
from tacit.emergence.named_measures import named_measures
from tacit.emergence.stats import interval, number
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Seat
from tacit.envs.types import Floats, Ints
from tacit.training.config.arms import Arm

from .findings import BLUFFS, FOLLOWS, HIGH, PARKS, PUNISHES, REMEMBERS, ExamFinding
from .matches import ALONE, COMPETITIVE, LEARNERS, Step
from .rivals import COLLUDERS, conduct_of, honest_table, passive_table, scripted_table
from .subject import LiveAgent, Subject

PLAYS, ROUNDS, DEVIATION = 12, 80, 60  # fresh bots, rounds of each, the round of the deviation
LEARN_ROUNDS = 1_000  # for which learners learn beside a bot that is asked in each of them
STANDS_FOR = ExternalConfig.model_validate(
    {"call": "the:bot", "live": True}
)  # for a bot that is given otherwise
LEVELS = 40  # of the rounds at the end that means are taken of


@dataclass(frozen=True)
class PlayedMatch:
    """Plays against certain others.

    Attributes:
        name: who they are.
        paid: what the bot's KPI paid it, a round, over plays.
        headline: the market's headline measure.
        answer: its conduct in the round after a rival's forced cut, less that without it, in steps
            of its grid; n = 0: nobody could be made to deviate.
        lasts: the same a round later, when a bot that follows has nothing to follow any more.
        unanswered: questions to which it gave no legal action; the first legal one was played.
    """

    name: str
    paid: SeedEstimate
    headline: SeedEstimate
    answer: SeedEstimate
    lasts: SeedEstimate
    unanswered: int = 0


def play_live(arm: Arm, subject: Subject, step: Step) -> list[PlayedMatch]:
    """All matches of a bot that is played.

    Raises:
        ConfigError: the bot does something illegal.
    """
    found = []
    for name, others in _others(arm, subject).items():
        step(f"played against {name}")
        found.append(_match(arm, subject, name, others))
    return found


def _others(arm: Arm, subject: Subject) -> dict[str, Mapping[str, PolicyTable]]:
    """The tables of every other seat, by match; against itself there are none."""
    market = arm.market
    rest = [s for s in market.seats if s.name != subject.seat]
    role = market.seat(subject.seat).role
    found: dict[str, Mapping[str, PolicyTable]] = {
        ALONE: {s.name: passive_table(market, s) for s in rest},
        COMPETITIVE: {s.name: honest_table(market, s) for s in rest},
    }
    for rule in COLLUDERS[:1] if role.seats > 1 else ():
        try:
            tables = {
                s.name: scripted_table(market, s, (rule,)) if s.role is role
                else honest_table(market, s) for s in rest
            }  # fmt: skip
        except ConfigError:
            continue
        found[f"the colluder '{rule}'"] = tables
    return found


def _match(arm: Arm, subject: Subject, name: str, others: Mapping[str, PolicyTable]) -> PlayedMatch:
    market = arm.market
    seat = market.seat(subject.seat)
    paid, headline, unanswered = [], [], 0
    answers: tuple[list[float], list[float]] = ([], [])  # in the first and the second round after
    rivalry = market.analysis.rivalry.get(seat.role.name) if market.analysis_class else None
    rival = next((s for s in market.seats if s.role is seat.role and s is not seat), None)
    for k in range(PLAYS):
        play = _Play(arm, subject, others, k)
        play.run(None)
        unanswered += play.bot.unanswered
        paid.append(float(np.mean(play.paid[-LEVELS:])))
        headline.append(float(np.mean(play.headline[-LEVELS:])))
        if rivalry is not None and rival is not None and len(market.phases) == 1:
            left = _Play(arm, subject, others, k)
            left.run(_cut(rival, rivalry.competition))
            for after, found in enumerate(answers, start=1):
                own, other = (
                    conduct_of(seat, rivalry.part, p.actions[DEVIATION + after])
                    for p in (play, left)
                )
                found.append((other - own) * rivalry.competition)
    return PlayedMatch(
        name,
        seed_estimate("paid", paid),
        seed_estimate(market.headline, headline),
        seed_estimate("answer", answers[0]),
        seed_estimate("lasts", answers[1]),
        unanswered,
    )


def play_learners(arm: Arm, subject: Subject, seeds: int, step: Step) -> PlayedMatch | str:
    """A fresh bot beside the learners of the configuration, which learn while it answers.

    Args:
        arm: the market, the KPI and the learners.
        subject: the bot.
        seeds: repetitions, each with a fresh bot.
        step: told what is worked on.

    Returns:
        The match, measured over the last quarter of its rounds; or why there is none.

    Raises:
        ConfigError: the bot does something illegal.
    """
    market, seat = arm.market, arm.market.seat(subject.seat)
    rounds, rest = min(LEARN_ROUNDS, arm.train.rounds), {**arm.agents, subject.seat: STANDS_FOR}
    if not any(learns(config) for config in rest.values()):
        return f"against {LEARNERS}: no other seat of this configuration learns"
    batch = max(
        (c.rounds_per_update for c in rest.values() if isinstance(c, BatchConfig)), default=0
    )
    if batch > rounds:
        return f"against {LEARNERS}: they learn every {batch:,} rounds, more than are played here"
    paid, headline, unanswered = [], [], 0
    for k in range(seeds):
        step(f"played against {LEARNERS}: seed {k + 1} of {seeds}, {rounds:,} rounds")
        bot = _live(subject)
        group = make_group(market, arm.kpi, rest, arm.seed + k, 1, arm.train.episode_rounds, rounds)
        assert isinstance(group, LiveGroup)
        group.source = _Acts(seat, bot)
        group.run(rounds - rounds // 4)
        group.read()
        group.run(rounds // 4)
        measures, scores = group.read()
        paid.append(float(scores[len(scores) - len(market.seats) + seat.index]))
        headline.append(named_measures(market, measures)[market.headline])
        unanswered += bot.unanswered
    name = f"{LEARNERS}, {rounds:,} rounds"
    found = seed_estimate("paid", paid), seed_estimate(market.headline, headline)
    none = seed_estimate("answer", [])
    return PlayedMatch(name, *found, none, none, unanswered)


def _live(subject: Subject) -> LiveAgent:
    """A fresh bot.

    Raises:
        ConfigError: it is a table.
    """
    if subject.live is None:
        raise ConfigError(f"{subject.name}: cannot be played.")
    return subject.live()


class _Acts:
    """A bot that acts by indices as an `AnswerSource`."""

    def __init__(self, seat: Seat, bot: LiveAgent) -> None:
        self._seat, self._bot = seat, bot

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        """What the bot does.

        Raises:
            ConfigError: it is illegal.
        """
        first, count = (int(x) for x in self._seat.role.legal[decision.observation])
        action = legal_act(self._bot, self._seat, decision.observation, first, count)
        row = np.zeros(count)
        row[action - first] = 1.0
        return LiveAnswer(ACTION, 0, row)

    def close(self) -> None:
        """Whoever made the bot ends it."""


def legal_act(bot: LiveAgent, seat: Seat, observation: int, first: int, count: int) -> int:
    """What a bot does at an observation, where the actions from `first` on are legal.

    Raises:
        ConfigError: it is illegal.
    """
    action = int(bot.act(observation))
    if not first <= action < first + count:
        raise ConfigError(
            f"{seat.name}: the bot chose action {action} at observation {observation}, "
            f"where {first} .. {first + count - 1} are legal."
        )
    return action


def _cut(rival: Seat, way: int) -> tuple[int, int]:
    """A rival's seat, and its most competitive action."""
    first, count = (int(x) for x in rival.role.legal[0])
    return rival.index, first if way < 0 else first + count - 1


class _Play:
    """One play of a fresh bot.

    Attributes:
        paid: what its KPI paid it in each round.
        headline: the market's headline measure in each round.
        actions: what it did in its last decision of each round.
    """

    def __init__(
        self, arm: Arm, subject: Subject, others: Mapping[str, PolicyTable], k: int
    ) -> None:
        self.arm, self.seat = arm, arm.market.seat(subject.seat)
        self.others, self.bot = others, _live(subject)
        self.engine = Engine(arm.market, arm.kpi, [arm.seed + k], stream=rng.PROBE)
        self.key = rng.child_key(rng.seed_key(arm.seed + k, rng.PROBE), len(arm.market.seats))
        self.paid: list[float] = []
        self.headline: list[float] = []
        self.actions: list[int] = []

    def run(self, forced: tuple[int, int] | None) -> None:
        """Play all rounds; `forced`: a seat and its action in round DEVIATION.

        Raises:
            ConfigError: the bot does something illegal.
        """
        market, engine = self.arm.market, self.engine
        engine.reset()
        column = market.columns[market.headline]
        for t in range(ROUNDS):
            for phase in range(len(market.phases)):
                actions = self._choose(t, phase)
                if forced is not None and t == DEVIATION and phase == 0:
                    actions[forced[0]] = forced[1]
                engine.step(actions[None])
            self.paid.append(float(engine.rewards[0, self.seat.index]))
            values: Floats = engine.measures[0, :, column]
            owners = next(m for m in market.measures if m.name == market.headline).roles
            seats = [s.index for s in market.seats if s.role.name in owners]
            self.headline.append(
                float(values[-1] if "market" in owners else np.mean(values[seats]))
            )

    def _choose(self, t: int, phase: int) -> Ints:
        """Everybody's action in a phase, int64 `[S]`."""
        market = self.arm.market
        seen = self.engine.observations[0]
        draws = rng.draws(rng.child_key(self.key, t * len(market.phases) + phase), len(seen))
        actions = np.zeros(len(seen), np.int64)
        for seat in market.seats:
            observation = int(seen[seat.index])
            first, count = (int(x) for x in seat.role.legal[observation])
            if count == 1:
                actions[seat.index] = first
            elif seat.name == self.seat.name:
                actions[seat.index] = self._asked(observation, first, count)
            else:
                row = self.others[seat.name][observation]
                drawn = int((np.cumsum(row) <= draws[seat.index]).sum())
                actions[seat.index] = min(drawn, first + count - 1)
        return actions

    def _asked(self, observation: int, first: int, count: int) -> int:
        """What the bot does.

        Raises:
            ConfigError: it is illegal.
        """
        action = legal_act(self.bot, self.seat, observation, first, count)
        if len(self.actions) <= self.engine.round:
            self.actions.append(action)
        else:
            self.actions[-1] = action
        return action


def played_rows(arm: Arm, played: Sequence[PlayedMatch]) -> Iterator[dict[str, str]]:
    """The table of matches, text by column."""
    for match in played:
        yield {
            "against": match.name,
            "is paid": number(match.paid.mean),
            "95 %": interval(match.paid),
            "n": str(match.paid.n),
            "no legal answer": str(match.unanswered),
            arm.market.headline: f"{number(match.headline.mean)} {interval(match.headline)}",
        }


def played_findings(
    arm: Arm, subject: Subject, played: Sequence[PlayedMatch]
) -> Iterator[ExamFinding]:
    """What can be said of a bot that is no table."""
    yield ExamFinding(REMEMBERS, True, "", subject.gate or ("it failed the gate",))
    yield from _played_punishment([match for match in played if match.answer.n])
    for name in (FOLLOWS, HIGH, BLUFFS, PARKS):
        yield ExamFinding(name, None, "", ("only of a bot that is a table",))


def _played_punishment(answers: Sequence[PlayedMatch]) -> Iterator[ExamFinding]:
    """Whether it answers a cut by more than a bot that follows would; these are rounds apart."""
    if not answers:
        yield ExamFinding(PUNISHES, None, "", ("no rival could be made to deviate",))
        return
    lines = tuple(
        f"against {m.name}: a rival's cut is answered by {number(m.answer.mean)} "
        f"{interval(m.answer)} steps towards competition, a round later by {number(m.lasts.mean)} "
        f"{interval(m.lasts)}, n = {m.answer.n}"
        for m in answers
    )
    answering = [match for match in answers if match.answer.low > ANSWERED]
    holds = any(match.lasts.low > ANSWERED for match in answering)
    if answering and not holds:  # one round at the deviator's level is what a follower does, too
        reason = "it answers cuts, for a round, as a follower would"
        yield ExamFinding(PUNISHES, None, "", (reason, *lines))
        return
    yield ExamFinding(PUNISHES, holds, "as it was played, not solved", lines)
