"""Samples of a batch written a second time: an engine played decision by decision, by equal keys.

Rounds go through `Engine`. A look-ahead plays the market's rules in plain Python, on a copy of
its state.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

import numpy as np
from support.independent.pure import pure

from tacit.agents.batch.group import BatchGroup
from tacit.agents.policy import uniform
from tacit.envs import rng
from tacit.envs.engine.engine import Engine


@dataclass
class Decision:
    """One sample. `reward` float64 [H]: the seat's KPI terms, unweighted."""

    observation: int
    action: int
    t: int
    reward: np.ndarray
    next_observation: int = -1
    rounds_between: int = -1
    truncated: bool = False
    open: bool = True


@dataclass
class SlowRollout:
    """Rounds of a group's first batch; seats without a network play their uniform tables."""

    group: BatchGroup
    samples: dict[tuple[str, int], list[Decision]] = field(default_factory=dict)  # (seat, copy)

    def __post_init__(self) -> None:
        group = self.group
        self.market, self.copies, self.t = group.market, len(group.rows.state), 0
        self.kpi, self.seed = group.seed_state.kpi, group.seed_state.seed
        self.engine = Engine(self.market, self.kpi, [self.seed], self.copies)
        self.engine.reset()
        self.tables = {s.name: uniform(s.role) for s in self.market.seats}
        self.tables |= {name: one.acting() for name, one in group.learners.items()}
        kernels = importlib.import_module(self.market.kernels)
        self.observe, self.play = pure(kernels.observe), pure(kernels.play)
        for name in group.learners:
            self.samples |= {(name, c): [] for c in range(self.copies)}

    def key(self, stream: int, c: int, phase: int) -> np.uint64:
        e, keys = self.engine, rng.copy_keys([self.seed], self.copies, stream)
        return np.uint64(rng.moment(keys[c], e.episode, e.round, phase))

    def choice(self, seat, o: int, key: np.uint64) -> int:
        """The first action whose cumulative probability exceeds the draw."""
        first, count = seat.role.legal[o].tolist()
        if count == 1:
            return first
        cumulative = np.cumsum(self.tables[seat.name][o])[first : first + count - 1]
        return first + int((rng.u(key, seat.index) >= cumulative).sum())

    def deciders(self, phase: int, observations: np.ndarray) -> list:
        """Seats that act in this phase and have at least two legal actions."""
        return [
            seat
            for seat in self.market.seats
            if self.market.acts(seat, phase) and seat.role.legal[observations[seat.index], 1] > 1
        ]

    def close(self, c: int, phase: int, observations: np.ndarray) -> None:
        """Close the open samples of seats that reach their next decision."""
        for seat in self.deciders(phase, observations):
            for one in self.samples.get((seat.name, c), [])[-1:]:
                if one.open:
                    one.next_observation = int(observations[seat.index])
                    one.rounds_between = self.t - one.t
                    one.open = False

    def phase(self, phase: int) -> None:
        actions = np.zeros((self.copies, len(self.market.seats)), np.int64)
        for c in range(self.copies):
            observations, key = self.engine.observations[c], self.key(rng.ACTION, c, phase)
            self.close(c, phase, observations)
            for seat in self.market.seats:
                o = int(observations[seat.index])
                actions[c, seat.index] = self.choice(seat, o, key)
            for seat in self.deciders(phase, observations):
                if (seat.name, c) in self.samples:
                    o, heads = int(observations[seat.index]), len(self.kpi[seat.name])
                    new = Decision(o, int(actions[c, seat.index]), self.t, np.zeros(heads))
                    self.samples[seat.name, c].append(new)
        self.engine.step(actions)

    def run(self, rounds: int, episode_rounds: int | None) -> None:
        for n in range(rounds):
            for phase in range(len(self.market.phases)):
                self.phase(phase)
            self.add_rewards()
            self.t += 1
            over = self.engine.round == episode_rounds
            if over or n == rounds - 1:
                for c in range(self.copies):
                    self.cut(c)
            if over:
                self.engine.reset()

    def add_rewards(self) -> None:
        names = [(s.name, term) for s in self.market.seats for term in self.kpi[s.name]]
        for (seat, c), decisions in self.samples.items():
            own = [k for k, (name, _) in enumerate(names) if name == seat]
            for one in decisions[-1:]:
                if one.open:
                    one.reward += self.engine.rows.scores[c, own]

    def cut(self, c: int) -> None:
        """Truncate open samples: one more round on a copy of the state, whose rewards do not count.

        A sample whose next decision does not come in that round is dropped, and the one before it
        is truncated instead.
        """
        state, phases = self.engine.rows.state[c].copy(), len(self.market.phases)
        measures, params = np.zeros_like(self.engine.measures[c]), self.market.params
        seats = self.market.seats
        mine = [own for (_, copy), own in self.samples.items() if copy == c and own]
        for decisions in mine:
            decisions[-1].truncated = decisions[-1].truncated or decisions[-1].open
        for phase in range(phases):
            observations = np.array([self.observe(params, state, phase, s.index) for s in seats])
            self.close(c, phase, observations)
            key = self.key(rng.LOOKAHEAD, c, 2 * phases + phase)
            actions = np.array([self.choice(s, int(observations[s.index]), key) for s in seats])
            nature = self.key(rng.LOOKAHEAD, c, phases + phase)
            self.play(params, state, phase, actions, measures, nature)
        for decisions in mine:
            if decisions[-1].open:
                decisions.pop()
                for one in decisions[-1:]:
                    one.truncated = True
