"""One round of a market in which a person holds a seat: what everybody saw and did.

A round is played whole, from the state before it, as often as it takes: once to find what the
person sees when it first decides, once more with that decision in place to find what it sees next,
and so on. Every time the draws are the same, so what came before a decision stays as it was. What
the person's seat does where nothing is in place yet is what its trained policy would do there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from tacit.agents.group import Group, make_group
from tacit.agents.policy import PolicyTable, cumulative
from tacit.agents.tabular.recording import NOTHING, build_recording
from tacit.emergence.population import FrozenPopulation
from tacit.envs import rng
from tacit.envs.engine.engine import Engine, Sums
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.types import Floats, Ints
from tacit.training.config.arms import Arm

LARGEST_SEED = 2**31  # libraries of learners take no larger seed


class PlayedRound(NamedTuple):
    """A round of P phases and S seats.

    Attributes:
        observations: what each seat saw when it decided, int64 `[P, S]`; NOTHING where it does not.
        actions: what it did, int64 `[P, S]`; NOTHING where it does not decide.
        probabilities: with which its policy did that, float64 `[P, S]`.
        measures: of the finished round, float64 `[S + 1, M]`; row S is the market's.
        scores: unweighted KPI terms, then rewards, float64 `[T + S]`.
    """

    observations: Ints
    actions: Ints
    probabilities: Floats
    measures: Floats
    scores: Floats


class Rounds(Protocol):
    """Plays the next round, with some of the person's actions in place."""

    def play(self, forced: Mapping[int, int]) -> PlayedRound:
        """The next round; `forced` holds the person's actions by phase."""
        ...

    def keep(self) -> None:
        """The round that was played last has happened: go on behind it."""
        ...


def session_number(name: str) -> int:
    """A number that follows from a session's name, 0 .. 2^63 - 1."""
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def session_key(seed: int, name: str) -> np.uint64:
    """The key that all draws of a session come from: a child of the seed's stream PLAY."""
    return rng.child_key(rng.seed_key(seed, rng.PLAY), session_number(name))


# --- frozen policies -----------------------------------------------------------------------------


def engine_of(population: FrozenPopulation, name: str) -> Engine:
    """An engine of one copy where training left the market, with the draws of a session."""
    engine = Engine(population.market, population.kpi, [population.seed], stream=rng.PLAY)
    key = session_key(population.seed, name)
    engine.nature = np.array([rng.child_key(key, 0)], np.uint64)
    engine.actor = np.array([rng.child_key(key, 1)], np.uint64)
    engine.reset()
    if population.rows is not None:
        engine.rows.state[:] = population.rows.state
        engine.rows.observations[:] = population.rows.observations
    return engine


def earned_by(population: FrozenPopulation, name: str, rounds: int) -> Sums:
    """What the tables of a population earn in the rounds of a session, with the same draws."""
    tables = cumulative(population.market, population.tables)[None]
    return engine_of(population, name).play(tables, rounds)


class FrozenRounds:
    """Rounds in which everybody else plays a fixed policy table."""

    def __init__(self, population: FrozenPopulation, seat: int, name: str) -> None:
        """Begin where training ended.

        Args:
            population: everybody's tables.
            seat: the index of the person's seat.
            name: of the session.
        """
        self._market, self._seat = population.market, seat
        self._tables = population.tables
        self._cumulative = _by_seat(population)
        self._engine = engine_of(population, name)
        self._before = self._engine.get_state()

    def play(self, forced: Mapping[int, int]) -> PlayedRound:
        """The next round, with the draws that `Engine.play` makes."""
        engine, seats = self._engine, len(self._market.seats)
        engine.set_state(self._before)
        shape = (len(self._market.phases), seats)
        observations = np.full(shape, NOTHING, np.int64)
        actions = np.full(shape, NOTHING, np.int64)
        probabilities = np.ones(shape)
        for phase in range(shape[0]):
            draws = rng.draws(self._key(phase), seats)
            for s in np.flatnonzero(engine.game.acts[phase]).tolist():
                o = int(engine.observations[0, s])
                action = self._drawn(s, o, float(draws[s]))
                if s == self._seat:
                    action = forced.get(phase, action)
                observations[phase, s], actions[phase, s] = o, action
                probabilities[phase, s] = self._tables[s][o, action]
                engine.rows.actions[0, s] = action
            engine.advance()
        measures, scores = engine.rows.measures[0].copy(), engine.rows.scores[0].copy()
        return PlayedRound(observations, actions, probabilities, measures, scores)

    def keep(self) -> None:
        """Go on behind the round that was played last."""
        self._before = self._engine.get_state()

    def _key(self, phase: int) -> np.uint64:
        """`rng.moment` of the stream of actions."""
        key = rng.child_key(self._engine.actor[0], self._engine.episode)
        return rng.child_key(rng.child_key(key, self._engine.round), phase)

    def _drawn(self, seat: int, observation: int, draw: float) -> int:
        """The action that a seat's table gives at an observation, as the engine draws it."""
        first, count = (int(x) for x in self._market.seats[seat].role.legal[observation])
        upto = self._cumulative[seat][observation, first : first + count - 1]
        return first + int((draw >= upto).sum())


def _by_seat(population: FrozenPopulation) -> list[PolicyTable]:
    """Cumulative probabilities of every seat, float64 `[O, A]` each."""
    market = population.market
    sizes = [s.role.observations * s.role.actions for s in market.seats]
    parts = np.split(cumulative(market, population.tables), np.cumsum(sizes)[:-1])
    shapes = [(s.role.observations, s.role.actions) for s in market.seats]
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


# --- learners that go on -------------------------------------------------------------------------


class LearningRounds:
    """Rounds in which all learners go on from their checkpoint, in memory only.

    They explore as they would in training. The learner of the person's seat is told what the person
    did as if it had done that itself, and nobody asks it. The person sits in the first copy of the
    market; in the others the learners play among themselves, as in training.
    """

    def __init__(self, arm: Arm, k: int, group: Group, seat: int, name: str) -> None:
        """Begin where training ended.

        Args:
            arm: what was trained.
            k: which repetition.
            group: the repetition, as training left it; it is only read.
            seat: the index of the person's seat.
            name: of the session, from which the draws follow.
        """
        # The rule that ends training when policies are stable would end the session as well.
        configs = {
            own: config.model_copy(update={"stop_after": None})
            if getattr(config, "stop_after", None) is not None
            else config
            for own, config in arm.agents.items()
        }
        train = arm.train
        seed = int(session_key(arm.seed + k, name)) % LARGEST_SEED
        self._group = make_group(
            arm.market,
            arm.kpi,
            configs,
            seed,
            train.copies,
            train.episode_rounds,
            train.rounds,
            arm.vendors,
        )
        self._game, self._seat = build_game(arm.market, arm.kpi), seat
        self._before = group.state()

    def play(self, forced: Mapping[int, int]) -> PlayedRound:
        """The next round of all copies, learned from."""
        self._group.load(self._before)
        recording = build_recording(self._game, self._group.rows, 1)
        for phase, action in forced.items():
            recording.forced[0, 0, phase, self._seat] = action
        self._group.run(1, recording)
        return PlayedRound(
            recording.observations[0, 0].astype(np.int64),
            recording.actions[0, 0].astype(np.int64),
            recording.probabilities[0, 0].copy(),
            recording.measures[0, 0].copy(),
            recording.scores[0, 0].copy(),
        )

    def keep(self) -> None:
        """Go on behind the round that was played last."""
        self._before = self._group.state()
