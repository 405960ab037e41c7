"""What neural seats write down, by hand: an engine played decision by decision, with the same keys.

Real rounds go through `Engine`. A look-ahead calls the market's kernels on a copy of its state.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

import numpy as np

from tacit.agents.batch.group import NeuralGroup
from tacit.agents.policy import uniform
from tacit.envs import rng
from tacit.envs.engine.engine import Engine


@dataclass
class Decision:
    """One sample. `paid` float64 [H]: the seat's KPI terms, unweighted."""

    seen: int
    did: int
    t: int
    paid: np.ndarray
    following: int = -1
    gap: int = -1
    cut: bool = False
    open: bool = True


@dataclass
class SlowRollout:
    """Rounds of a group's first batch; seats without a network play their uniform tables."""

    group: NeuralGroup
    written: dict[tuple[str, int], list[Decision]] = field(default_factory=dict)  # (seat, copy)

    def __post_init__(self) -> None:
        group = self.group
        self.market, self.copies, self.t = group.market, len(group.rows.state), 0
        self.engine = Engine(self.market, group.table, [group.seed], self.copies)
        self.engine.reset()
        self.tables = {s.name: uniform(s.role) for s in self.market.seats}
        self.tables |= {name: one.acting() for name, one in group.learners.items()}
        self.kernels = importlib.import_module(self.market.kernels)
        for name in group.learners:
            self.written |= {(name, c): [] for c in range(self.copies)}

    def key(self, stream: int, c: int, phase: int) -> np.uint64:
        e, keys = self.engine, rng.copy_keys([self.group.seed], self.copies, stream)
        return np.uint64(rng.moment(keys[c], e.episode, e.round, phase))

    def choice(self, seat, o: int, key: np.uint64) -> int:
        """The first action whose cumulative probability exceeds the draw."""
        first, count = seat.role.legal[o].tolist()
        if count == 1:
            return first
        cumulative = np.cumsum(self.tables[seat.name][o])[first : first + count - 1]
        return first + int((rng.u(key, seat.index) >= cumulative).sum())

    def deciders(self, phase: int, seen: np.ndarray) -> list:
        """Seats whose turn it is and who have at least two legal actions."""
        return [s for s in self.market.seats
                if self.market.acts(s, phase) and s.role.legal[seen[s.index], 1] > 1]  # fmt: skip

    def meet(self, c: int, phase: int, seen: np.ndarray) -> None:
        """Open decisions of those whose turn it is find out what came of them."""
        for seat in self.deciders(phase, seen):
            for one in self.written.get((seat.name, c), [])[-1:]:
                if one.open:
                    one.following, one.gap = int(seen[seat.index]), self.t - one.t
                    one.open = False

    def phase(self, phase: int) -> None:
        actions = np.zeros((self.copies, len(self.market.seats)), np.int64)
        for c in range(self.copies):
            seen, key = self.engine.observations[c], self.key(rng.ACTION, c, phase)
            self.meet(c, phase, seen)
            for seat in self.market.seats:
                o = int(seen[seat.index])
                actions[c, seat.index] = self.choice(seat, o, key)
            for seat in self.deciders(phase, seen):
                if (seat.name, c) in self.written:
                    o, heads = int(seen[seat.index]), len(self.group.table[seat.name])
                    new = Decision(o, int(actions[c, seat.index]), self.t, np.zeros(heads))
                    self.written[seat.name, c].append(new)
        self.engine.step(actions)

    def run(self, rounds: int, episode_rounds: int | None) -> None:
        for n in range(rounds):
            for phase in range(len(self.market.phases)):
                self.phase(phase)
            self.pay()
            self.t += 1
            over = self.engine.round == episode_rounds
            if over or n == rounds - 1:
                for c in range(self.copies):
                    self.cut(c)
            if over:
                self.engine.reset()

    def pay(self) -> None:
        names = [(s.name, term) for s in self.market.seats for term in self.group.table[s.name]]
        for (seat, c), decisions in self.written.items():
            own = [k for k, (name, _) in enumerate(names) if name == seat]
            for one in decisions[-1:]:
                if one.open:
                    one.paid += self.engine.rows.scores[c, own]

    def cut(self, c: int) -> None:
        """One more round, unpaid, on a copy; who meets no decision in it forgets its last one, and
        the one before it is the last."""
        state, phases = self.engine.rows.state[c].copy(), len(self.market.phases)
        measures, params = np.zeros_like(self.engine.measures[c]), self.market.params
        seats = self.market.seats
        mine = [list_ for (_, copy), list_ in self.written.items() if copy == c and list_]
        for decisions in mine:
            decisions[-1].cut = decisions[-1].cut or decisions[-1].open
        for phase in range(phases):
            seen = np.array([self.kernels.observe(params, state, phase, s.index) for s in seats])
            self.meet(c, phase, seen)
            luck = self.key(rng.LOOKAHEAD, c, 2 * phases + phase)
            actions = np.array([self.choice(s, int(seen[s.index]), luck) for s in seats])
            nature = self.key(rng.LOOKAHEAD, c, phases + phase)
            self.kernels.play(params, state, phase, actions, measures, nature)
        for decisions in mine:
            if decisions[-1].open:
                decisions.pop()
                for one in decisions[-1:]:
                    one.cut = True
