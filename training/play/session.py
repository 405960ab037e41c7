"""A session of play: what the person's seat sees, what it may do, and what follows.

    session = open_session("volatility_kpi", arm="second_1", seat="bidder_0", rounds=20)
    while (view := session.view) is not None:
        events = session.act(view.choices[0].action)

Nothing is printed here: a terminal, a page or a script shows `brief`, `view` and the events. They
hold what the seat itself observes, its KPI and its reward, as its learner had them in training, and
nothing that other seats know. What others did is kept in `played`, for afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tacit.agents.tabular.recording import NOTHING
from tacit.emergence.population import FrozenPopulation
from tacit.envs.kpi.text import sentence
from tacit.envs.market import Seat
from tacit.envs.market.roles import WAITING
from tacit.training.config.arms import Arm

from .rounds import PlayedRound, Rounds
from .screen import (
    Brief,
    Event,
    KpiLine,
    NothingToDecide,
    PersonView,
    RoundEnded,
    SessionEnded,
    seen_parts,
)
from .wording import choices, parts_of_action


@dataclass(frozen=True)
class PersonDecision:
    """What the person decided.

    Attributes:
        action: its index.
        learned: what the seat's learned policy does there with the same draws, an index.
        seconds: from when it was first shown what it sees.
    """

    action: int
    learned: int
    seconds: float


@dataclass
class PlaySession:
    """A person among the agents of one repetition.

    Attributes:
        name: from which the draws follow.
        run: the run's name.
        arm: of the run.
        k: which repetition.
        seat: the person's.
        rounds: how many are played at most.
        learning: whether the others go on learning.
        population: everybody's policies as training left them.
        source: plays the rounds.
        clock: seconds, as `time.monotonic`.
        played: the finished rounds.
        opening: events before the first decision.
    """

    name: str
    run: str
    arm: Arm
    k: int
    seat: Seat
    rounds: int
    learning: bool
    population: FrozenPopulation
    source: Rounds
    clock: Callable[[], float] = time.monotonic
    played: list[PlayedRound] = field(default_factory=list)
    opening: list[Event] = field(init=False)

    def __post_init__(self) -> None:
        self._decided: list[dict[int, PersonDecision]] = [{}]  # by round, by phase
        self._trial: PlayedRound | None = None  # the round so far, and what would follow
        self._phase = -1  # the phase that is being decided
        self._view: PersonView | None = None
        self._totals = [0.0]  # what was paid in the first n rounds
        self._shown = 0.0
        self.opening = self._go_on()

    # --- for a front end -------------------------------------------------------------------------

    @property
    def brief(self) -> Brief:
        """What the person is told before the first round."""
        market, seat = self.arm.market, self.seat
        terms = self.arm.kpi[seat.name]
        known = {m.name: m for m in market.measures}
        used = dict.fromkeys(term.measure for term in terms.values())
        measures = tuple(KpiLine(name, known[name].unit, known[name].meaning) for name in used)
        return Brief(
            self.name, self.run, self.arm.name, self.k, market.title, seat.name,
            sentence(terms), measures, self.rounds, self.learning,
        )  # fmt: skip

    @property
    def view(self) -> PersonView | None:
        """What the person sees now; None: the session is over."""
        return self._view

    @property
    def total(self) -> float:
        """What the KPI paid the person in all finished rounds."""
        return self._totals[len(self.played)]

    def act(self, action: int) -> list[Event]:
        """Do a legal action.

        Args:
            action: its index in the policy table (`Choice.action`).

        Returns:
            What followed, up to the person's next decision.

        Raises:
            ValueError: the session is over, or the action is not legal; nothing has happened then.
        """
        view = self._view
        if view is None:
            raise ValueError("the session is over")
        if action not in {choice.action for choice in view.choices}:
            raise ValueError(f"{self.seat.name}: action {action} is not legal here")
        seconds = self.clock() - self._shown
        learned = self.learned_action
        self._decided[-1][self._phase] = PersonDecision(action, learned, seconds)
        return self._go_on()

    def stop(self) -> None:
        """End the session; what was played stays."""
        self._view = None

    @property
    def learned_action(self) -> int:
        """What the seat's learned policy does now, with the draws of the session: an index of an
        action. Not for the person.

        Raises:
            ValueError: the session is over.
        """
        if self._view is None or self._trial is None:
            raise ValueError("the session is over")
        return int(self._trial.actions[self._phase, self.seat.index])

    # --- for afterwards --------------------------------------------------------------------------

    def decided(self, round_: int) -> dict[int, PersonDecision]:
        """What the person decided in a round, counted from 0, by phase."""
        return self._decided[round_] if round_ < len(self._decided) else {}

    @property
    def has_decisions(self) -> bool:
        """Whether the person decided anything."""
        return any(self._decided)

    @property
    def unfinished(self) -> tuple[PlayedRound, int] | None:
        """The round that the session was left in, and how many of its phases are over; None where
        it was not left within a round."""
        return (self._trial, self._phase) if self._trial is not None else None

    # --- on the way ------------------------------------------------------------------------------

    def _go_on(self) -> list[Event]:
        """Play on to the person's next decision, or to the end."""
        events: list[Event] = []
        while len(self.played) < self.rounds:
            forced = {phase: own.action for phase, own in self._decided[-1].items()}
            self._trial = self.source.play(forced)
            for phase in range(self._phase + 1, len(self._trial.actions)):
                o = int(self._trial.observations[phase, self.seat.index])
                if o == NOTHING:
                    continue
                if self.seat.role.legal[o, 1] > 1:
                    self._phase, self._view = phase, self._see(phase, o)
                    self._shown = self.clock()
                    return events
                events += self._without_choice(phase, o)
            events.append(self._end_round(self._trial))
        self._view = None
        return [*events, SessionEnded(len(self.played))]

    def _end_round(self, played: PlayedRound) -> RoundEnded:
        reward = self._reward(played)
        self._totals.append(self.total + reward)
        self.played.append(played)
        self._decided.append({})
        self._trial, self._phase = None, -1
        self.source.keep()
        return RoundEnded(len(self.played), reward, self.total)

    def _reward(self, played: PlayedRound) -> float:
        """What a round paid the person: rewards stand behind the KPI's terms."""
        first = len(played.scores) - len(self.arm.market.seats)
        return float(played.scores[first + self.seat.index])

    def _see(self, phase: int, observation: int) -> PersonView:
        role = self.seat.role
        known = choices(role, observation)
        return PersonView(
            len(self.played) + 1,
            self.arm.market.phases[phase],
            seen_parts(role, observation),
            parts_of_action(role, known[0].action),
            known,
        )

    def _without_choice(self, phase: int, observation: int) -> list[Event]:
        """A phase with one legal action; it is told where the seat sees something in it."""
        role = self.seat.role
        seen, only = seen_parts(role, observation), choices(role, observation)[0]
        if not seen and only.parts == WAITING:
            return []
        name = self.arm.market.phases[phase]
        return [NothingToDecide(len(self.played) + 1, name, seen, only.text)]
