"""The matches of an exam: a bot in its seat, and players with known behaviour in all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tacit.agents.external.config import what_it_runs
from tacit.agents.external.fixed_seat import FixedSeat
from tacit.agents.group import make_group
from tacit.agents.policy import PolicyTable
from tacit.emergence.evaluate import SeedEstimate, seed_estimate
from tacit.emergence.evidence import Evidence, Verdict
from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.best_response import BestResponse, best_responses
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.emergence.verdict import evidence_of, verdicts
from tacit.envs.errors import ConfigError
from tacit.envs.market import Seat
from tacit.training.config.arms import Arm

from .rivals import COLLUDERS, colluding_table, honest_table, passive_table
from .subject import Subject

MOST_SOLVED = 4  # seeds of a match whose best responses are solved
ALONE, COMPETITIVE, ITSELF, LEARNERS = "passive rivals", "the competitive player", "itself", (
    "learners"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Match:
    """A bot against certain others, over seeds.

    Attributes:
        name: who the others are.
        populations: the frozen seeds.
        seat: the bot's seat.
    """

    name: str
    populations: Sequence[FrozenPopulation]
    seat: Seat

    @cached_property
    def evidence(self) -> Evidence:
        """The figures of every probe that applies, over seeds."""
        return evidence_of(self.populations)

    @cached_property
    def words(self) -> dict[str, Verdict]:
        """What every rule says of the match, by behaviour."""
        return {verdict.behaviour: verdict for verdict in verdicts(self.evidence)}

    @cached_property
    def responses(self) -> list[BestResponse]:
        """Of the bot's seat, in its KPI: its own payoff and that of the best response, of the first
        seeds."""
        return [
            next(r for r in best_responses(p, [self.seat.index]) if r.payoff == "kpi")
            for p in self.populations[:MOST_SOLVED]
        ]

    @property
    def own(self) -> SeedEstimate:
        """What the bot's KPI pays it, a round."""
        return seed_estimate("own", [r.own for r in self.responses])

    @property
    def best(self) -> SeedEstimate:
        """What the best response to the same others would be paid."""
        return seed_estimate("best", [r.best for r in self.responses])

    @property
    def exact(self) -> bool:
        """Whether these payoffs are solved, not played."""
        return all(r.exact for r in self.responses)

    @property
    def headline(self) -> SeedEstimate:
        """The market's headline measure, where play settles."""
        market = self.populations[0].market
        values = [
            named_measures(market, limit_path(p).mean)[market.headline] for p in self.populations
        ]
        return seed_estimate(market.headline, values)


@dataclass(frozen=True)
class Matches:
    """All matches of an exam.

    Attributes:
        played: by name.
        left_out: matches that this market does not allow, and why, a line each.
    """

    played: Mapping[str, Match]
    left_out: tuple[str, ...]


Step = Callable[[str], None]  # told what is worked on


def play_matches(arm: Arm, subject: Subject, seeds: int, learned_seeds: int, step: Step) -> Matches:
    """Put a bot against everybody.

    Args:
        arm: the market, the KPI, and the learners.
        subject: the bot.
        seeds: of every match without learners.
        learned_seeds: of the match against learners, which train; 0: there is none.
        step: told what is worked on.
    """
    played: dict[str, Match] = {}
    left_out: list[str] = []
    seat = arm.market.seat(subject.seat)
    for name, others in _scripted_matches(arm, subject):
        step(f"against {name}")
        try:
            tables = _tables(arm, subject, others)
        except ConfigError as error:
            left_out.append(f"against {name}: {' '.join(error.mistakes)}")
            continue
        if name != ITSELF and (twin := _played_already(played, tables)) is not None:
            left_out.append(f"against {name}: the same as against {twin}")
            continue
        learned = [True] * len(tables) if name == ITSELF else [s is seat for s in arm.market.seats]
        populations = [
            freeze(arm.market, arm.kpi, tables, arm.seed + k, None, learned) for k in range(seeds)
        ]
        played[name] = Match(name, populations, seat)
    if learned_seeds:
        found = _against_learners(arm, subject, learned_seeds, step)
        if isinstance(found, str):
            left_out.append(found)
        else:
            played[LEARNERS] = found
    return Matches(played, tuple(left_out))


Others = Callable[[Seat], PolicyTable]


def _scripted_matches(arm: Arm, subject: Subject) -> Iterator[tuple[str, Others]]:
    """Every match without learners: its name, and the table of each other seat."""
    market = arm.market
    role = market.seat(subject.seat).role
    yield ALONE, lambda seat: passive_table(market, seat)
    yield COMPETITIVE, lambda seat: honest_table(market, seat)
    yield ITSELF, lambda seat: _itself(arm, subject, seat)
    if role.seats > 1:
        for rule in COLLUDERS:
            yield f"the colluder '{rule}'", _colluders(arm, rule, role.name)


def _played_already(played: Mapping[str, Match], tables: Sequence[PolicyTable]) -> str | None:
    """The name of a match in which everybody plays the same tables."""
    for name, match in played.items():
        known = match.populations[0].tables
        if all(np.array_equal(a, b) for a, b in zip(known, tables, strict=True)):
            return name
    return None


def _colluders(arm: Arm, rule: str, role: str) -> Others:
    return lambda seat: colluding_table(arm.market, seat, rule, seat.role.name == role)


def _itself(arm: Arm, subject: Subject, seat: Seat) -> PolicyTable:
    """The bot's own table in every seat of its role.

    Raises:
        ConfigError: the role has no other seat.
    """
    role = arm.market.seat(subject.seat).role
    if role.seats < 2:
        raise ConfigError(f"{arm.market.name} has one {role.name} here.")
    return (
        subject.table_of(arm.market, seat.name)
        if seat.role is role
        else honest_table(arm.market, seat)
    )


def _tables(arm: Arm, subject: Subject, others: Others) -> list[PolicyTable]:
    """A table for every seat.

    Raises:
        ConfigError: the match is not possible here.
    """
    return [
        subject.table_of(arm.market, seat.name) if seat.name == subject.seat else others(seat)
        for seat in arm.market.seats
    ]


def _against_learners(arm: Arm, subject: Subject, seeds: int, step: Step) -> Match | str:
    """The bot against the learners of the configuration, trained against it; or why not."""
    market, train = arm.market, arm.train
    table = subject.table_of(market, subject.seat)
    configs = {**arm.agents, subject.seat: FixedSeat.of(table)}
    learned = tuple(
        own and s.name != subject.seat for s, own in zip(market.seats, arm.learned, strict=True)
    )
    if not any(learned):
        return "against learners: no other seat of this configuration learns"
    bots = [n for n, a in configs.items() if what_it_runs(a) is not None]
    if bots:
        return f"against learners: {', '.join(bots)} would run a bot that is named there"
    if any(vendor.shares_learning for vendor in arm.vendors):
        return "against learners: seats of this configuration share what they learn (policies)"
    populations = []
    for k in range(seeds):
        step(f"against learners: seed {k + 1} of {seeds}, {train.rounds:,} rounds")
        group = make_group(
            market, arm.kpi, configs, arm.seed + k, train.copies, train.episode_rounds, train.rounds
        )
        group.run(train.rounds)
        populations.append(
            freeze(
                market, arm.kpi, group.tables(), arm.seed + k, group.rows, learned, arm.discounts
            )
        )
    return Match(LEARNERS, populations, market.seat(subject.seat))
