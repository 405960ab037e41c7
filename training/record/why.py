"""Why a deal was done: the facts, by playing its round again from just before it.

For every decision: what the seat saw and did, how likely that was, what it claimed and what was
true; what would have followed, in this very round and with the same draws, had it spoken the truth
or done what it held for second best; what it believed of both, and what both are worth under the
policies that everybody had then (`tacit.oversight.true_values`). `training/show/why_text.py` puts
it into words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tacit.agents.batch.learner import Beliefs
from tacit.agents.tabular.arrays import LEARNS, SUMS
from tacit.agents.tabular.recording import Recording, learner_probability
from tacit.agents.tabular.seed_state import SeedState
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.envs.engine.game_arrays import ACTION_COUNT
from tacit.envs.errors import ConfigError
from tacit.envs.market import Claim, Market, Part, Seat
from tacit.envs.types import Floats
from tacit.oversight.true_values import EXPLORING, Worth, worth_of_actions
from tacit.training.config.arms import Arm
from tacit.training.outcome.probing import population_of

from .deals import EVALUATION, DealName
from .replay import Report, SeedReplay

MOST_ROWS = 5_000  # of all policy tables, up to which those that explore are computed


@dataclass(frozen=True)
class Outcome:
    """What a round brought each seat.

    Attributes:
        fundamental: by seat name, what harm to it is judged by.
        reward: by seat name, what its KPI paid.
    """

    fundamental: dict[str, float]
    reward: dict[str, float]


@dataclass(frozen=True)
class Alternative:
    """Another action in the same round, everything else as it was.

    Attributes:
        action: its index.
        did: its parts.
        outcome: what the round would have brought, with the same draws.
        probability: with which the seat's policy would have done it.
    """

    action: int
    did: dict[str, Any]
    outcome: Outcome
    probability: float


@dataclass(frozen=True)
class SpokenClaim:
    """A claim that was part of a decision.

    Attributes:
        claim: what the market declares of it.
        said: the claim's value.
        so: the value of what it is about.
        is_false: whether it was not so.
        frequency: with which probability the policy says this when that is so.
        honest: the same action with the true claim; None where the claim was true.
    """

    claim: Claim
    said: Any
    so: Any
    is_false: bool
    frequency: float
    honest: Alternative | None


@dataclass(frozen=True)
class ExplainedDecision:
    """What one seat decided in one phase.

    Attributes:
        seat: whose decision.
        phase: when, an index.
        saw: the parts of its observation.
        did: the parts of its action.
        action: the action's index.
        probability: with which its policy did this.
        learned: whether it learns; else it is scripted.
        ordered_by: the person who ordered this in place of what it would have done; None: nobody.
        claims: what it claimed.
        second: what it held for second best: by its Q values, else what it was likeliest to do
            instead; None where there was no choice.
        beliefs: what its learner expected here; None: it tells nothing.
        worth: what the action and the second best are worth in truth.
        discount: of its learner.
    """

    seat: Seat
    phase: int
    saw: dict[str, Any]
    did: dict[str, Any]
    action: int
    probability: float
    learned: bool
    ordered_by: str | None
    claims: tuple[SpokenClaim, ...]
    second: Alternative | None
    beliefs: Beliefs | None
    worth: Worth
    discount: float


@dataclass(frozen=True)
class Explanation:
    """Why a deal was done.

    Attributes:
        arm: of which arm.
        deal: which deal.
        of: rounds of its seed's training.
        lines: the deal in the market's words.
        decisions: in the order in which they were made.
        outcome: what it brought.
    """

    arm: Arm
    deal: DealName
    of: int
    lines: list[str]
    decisions: list[ExplainedDecision]
    outcome: Outcome


def explain(replay: SeedReplay, deal: DealName, report: Report | None = None) -> Explanation:
    """The facts about a deal.

    Args:
        replay: of the deal's seed.
        deal: which deal.
        report: receives progress of the replay.

    Raises:
        ConfigError: there is no such deal.
    """
    arm, copies = replay.arm, replay.arm.train.copies
    if deal.copy >= copies or not replay.first <= deal.round < replay.end:
        own = f"branch {replay.branch} of " if replay.branch else ""
        raise ConfigError(
            f"DEAL: {deal} does not exist; {own}seed {deal.seed} of arm {arm.name} has rounds "
            f"{replay.first:,} to "
            f"{replay.end - 1:,} of {copies:,} cop{'y' if copies == 1 else 'ies'}."
        )
    replay.go_to(deal.round, report)
    return _Explainer(replay, deal).explanation()


def check_is_of_training(deal: DealName) -> None:
    """Check that somebody learned in a deal's round.

    Raises:
        ConfigError: it is a round of evaluation.
    """
    if deal.branch == EVALUATION:
        raise ConfigError(
            f"DEAL: {deal} is a round of evaluation, in which nobody learned; why explains rounds "
            "of training."
        )


class _Explainer:
    """Plays one round again and again from the same state."""

    def __init__(self, replay: SeedReplay, deal: DealName) -> None:
        self.replay, self.deal, self.arm = replay, deal, replay.arm
        self.market: Market = replay.arm.market
        self.ordered_by = replay.ordered_by(deal.round, deal.copy)
        self.before = replay.group.state()
        self.tables_before = replay.group.tables()
        self.recording = self._played({})
        self.seed_state = _seed_state(replay)
        replay.group.load(self.before)
        self.population = self._population()

    def explanation(self) -> Explanation:
        """All facts of the round."""
        market, copy = self.market, self.deal.copy
        actions = np.maximum(self.recording.actions[0, copy], 0).astype(np.int64)
        lines = market.transcript(actions, self.recording.measures[0, copy])
        decisions = [
            self._decision(seat, phase)
            for phase in range(len(market.phases))
            for seat in market.seats
            if self._chose(seat, phase)
        ]
        outcome = self._outcome(self.recording)
        return Explanation(self.arm, self.deal, self.replay.end, lines, decisions, outcome)

    def _population(self) -> FrozenPopulation:
        """Everybody's policies as they were, without exploration."""
        trained = population_of(self.arm, self.deal.seed, self.replay.group)
        return freeze(
            self.market, self.arm.kpi, self.tables_before, trained.seed, self.replay.group.rows,
            learned=trained.learned, discounts=trained.discounts,
        )  # fmt: skip

    def _played(self, forced: dict[tuple[int, int], int]) -> Recording:
        """The round, with some actions (by phase and seat) put in the place of what was chosen."""
        return self.replay.record_forced(self.deal.copy, forced)

    # --- one decision ----------------------------------------------------------------------------

    def _chose(self, seat: Seat, phase: int) -> bool:
        """Whether a seat had a choice in a phase of this round."""
        o = int(self.recording.observations[0, self.deal.copy, phase, seat.index])
        return o >= 0 and int(seat.role.legal[o, 1]) > 1

    def _decision(self, seat: Seat, phase: int) -> ExplainedDecision:
        copy, role = self.deal.copy, seat.role
        o = int(self.recording.observations[0, copy, phase, seat.index])
        action = int(self.recording.actions[0, copy, phase, seat.index])
        policy = self._policy(seat, o, self._values(seat, phase))
        beliefs = self._beliefs(seat, phase, o)
        second = self._second(seat, o, action, policy, beliefs)
        asked = [action] if second is None else [action, second]
        state = self.recording.states[0, copy]
        return ExplainedDecision(
            seat=seat,
            phase=phase,
            saw={k: v for k, v in role.decode_observation(o).items() if k != "phase"},
            did=role.decode_action(action),
            action=action,
            probability=float(self.recording.probabilities[0, copy, phase, seat.index]),
            learned=self.population.learned[seat.index],
            ordered_by=self.ordered_by.get((phase, seat.index)),
            claims=tuple(self._claims(seat, phase, o, action, policy)),
            second=None if second is None else self._instead(seat, phase, second, policy),
            beliefs=beliefs,
            worth=self._worth(seat, phase, o, state, asked),
            discount=self.population.discounts[seat.index],
        )

    def _worth(self, seat: Seat, phase: int, o: int, state: Floats, actions: list[int]) -> Worth:
        """What actions are worth: without exploring, or else, where that never comes here, with."""
        worth = worth_of_actions(self.population, seat, phase, o, state, actions)
        rows = sum(s.role.observations for s in self.market.seats)
        if worth.is_never_reached and rows <= MOST_ROWS:
            exploring = [
                np.stack([self._policy(s, row) for row in range(s.role.observations)])
                for s in self.market.seats
            ]
            population = replace(self.population, tables=tuple(exploring))
            again = worth_of_actions(population, seat, phase, o, state, actions, EXPLORING)
            return worth if again.reason else again
        return worth

    def _claims(
        self, seat: Seat, phase: int, o: int, action: int, policy: Floats
    ) -> list[SpokenClaim]:
        """What a decision claimed about what the seat saw.

        A claim's k-th value means the k-th value of what it is about, in whatever words.
        """
        saw, did = seat.role.decode_observation(o), seat.role.decode_action(action)
        found = []
        for claim, part, about in self._channels(seat, phase):
            if part.name not in did or about.name not in saw:
                continue
            said, truth = part.index(did[part.name]), about.index(saw[about.name])
            same = [
                a
                for a in np.flatnonzero(policy > 0)
                if seat.role.decode_action(int(a)).get(part.name) == did[part.name]
            ]
            honest = None
            if said != truth and truth < len(part.values):
                honest = self._instead(
                    seat,
                    phase,
                    seat.role.encode_action(**{**did, part.name: part.values[truth]}),
                    policy,
                )
            frequency = float(policy[same].sum())
            found.append(
                SpokenClaim(
                    claim, did[part.name], saw[about.name], said != truth, frequency, honest
                )
            )
        return found

    def _channels(self, seat: Seat, phase: int) -> Iterator[tuple[Claim, Part, Part]]:
        """Every claim that a seat may make in a phase: what is said, and what it is about."""
        for claim in self.market.claims:
            for block in seat.role.blocks if claim.role == seat.role.name else ():
                said = [part for part in block.does if part.name == claim.part]
                about = [part for part in block.sees if part.name == claim.about]
                if block.phase == phase and said and about:
                    yield claim, said[0], about[0]
                    break

    def _instead(self, seat: Seat, phase: int, action: int, policy: Floats) -> Alternative:
        """What another action would have brought in this round, with the same draws."""
        recording = self._played({(phase, seat.index): action})
        self.replay.group.load(self.before)
        did = seat.role.decode_action(action)
        return Alternative(action, did, self._outcome(recording), float(policy[action]))

    def _second(
        self, seat: Seat, o: int, action: int, policy: Floats, beliefs: Beliefs | None
    ) -> int | None:
        """The best other action by Q values; without them the likeliest other one."""
        first, count = (int(x) for x in seat.role.legal[o])
        others = [a for a in range(first, first + count) if a != action]
        if not others:
            return None
        if beliefs is not None and beliefs.of == "actions":
            return max(others, key=lambda a: (float(beliefs.values[a]), -a))
        return max(others, key=lambda a: (float(policy[a]), -a))

    # --- policies and beliefs --------------------------------------------------------------------

    def _policy(self, seat: Seat, o: int, values: Floats | None = None) -> Floats:
        """The seat's policy at an observation, exploration included, float64 `[A]`.

        Args:
            seat: whose.
            o: the observation.
            values: Q values when it decided there, float64 `[A]`; None: those before the round.
        """
        game, arrays, i = self.seed_state.game, self.seed_state.q_arrays, seat.index
        width = int(game.per_seat[i, ACTION_COUNT])
        cell = int(arrays.first_cell[i]) + o * width
        first, count = (int(x) for x in seat.role.legal[o])
        policy = np.zeros(width)
        if arrays.settings[i, LEARNS] == 1.0:
            q = arrays.q[cell : cell + width] if values is None else values
            greedy = first + int(np.argmax(q[first : first + count]))  # the first of the highest
            t = int(self.recording.clock[0, 0])
            for a in range(first, first + count):
                policy[a] = learner_probability(
                    q, 0, first, count, greedy, arrays.settings[i], t, a
                )
        else:
            upto = arrays.cumulative[cell + first : cell + first + count]
            policy[first : first + count] = np.diff(upto, prepend=0.0)
        return policy

    def _values(self, seat: Seat, phase: int) -> Floats | None:
        """Q values when a seat decided in a phase, float64 `[A]`; None where it has none."""
        values = self.recording.values[0, self.deal.copy, phase, seat.index, : seat.role.actions]
        return None if np.isnan(values).all() else values

    def _beliefs(self, seat: Seat, phase: int, o: int) -> Beliefs | None:
        """What the seat's learner expected; None of a scripted seat, or where it is not told."""
        values = self._values(seat, phase)
        if values is not None:
            if self.seed_state.q_arrays.settings[seat.index, SUMS] == 1.0:
                return None  # logarithms of weights are no expectations
            return Beliefs("actions", values)
        learners = getattr(self.replay.group, "learners", {})
        return learners[seat.name].beliefs(o) if seat.name in learners else None

    def _outcome(self, recording: Recording) -> Outcome:
        """Fundamentals and rewards of the deal's copy."""
        market, copy = self.market, self.deal.copy
        measures, scores = recording.measures[0, copy], recording.scores[0, copy]
        first = len(scores) - len(market.seats)
        return Outcome(
            {
                s.name: float(measures[s.index, market.columns[s.role.fundamental]])
                for s in market.seats
            },
            {s.name: float(scores[first + s.index]) for s in market.seats},
        )


def _seed_state(replay: SeedReplay) -> SeedState:
    """What the learners of a group know.

    Raises:
        ConfigError: a group that is not tacit's own, into which nobody can look.
    """
    replay.arm.check_policies_known()
    state = getattr(replay.group, "seed_state", None)
    if not isinstance(state, SeedState):
        raise ConfigError(
            f"agents of arm {replay.arm.name}: cannot be asked; they are not tacit's."
        )
    return state
