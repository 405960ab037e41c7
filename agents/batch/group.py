"""A population of one seed with networks in some of its seats; any other learner in the others.

    group = NeuralGroup(market, kpi, configs, seed=0, copies=64, total_rounds=128_000)
    group.run(12_800)                   # plays; learns after every `rounds_per_update` rounds
    group.tables()                      # policies, one [O, A] per seat

Policies of networks stand still for `rounds_per_update` rounds; tabular learners beside them learn
after every round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.neural.config import (
    BatchConfig,
    Clock,
    IdqnConfig,
    IppoConfig,
    annealed,
    batch_rounds,
)
from tacit.agents.neural.ppo import LOOPS, named, part
from tacit.agents.policy import PolicyTable
from tacit.agents.sb3.config import Sb3Config
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import T, TabularGroup
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Seat

from .rollout_buffer import SeatSamples, build_book, of_seat
from .single_thread import one_thread

TEMPLATE = "tacit.agents.batch.rollout_loop"


class Learner(Protocol):
    """A seat that learns from its samples between two stretches of standing policies."""

    def acting(self) -> PolicyTable:
        """The table that plays until the next update, exploration included."""
        ...

    def table(self) -> PolicyTable:
        """What it has learned, without exploration."""
        ...

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update; returns figures for a chart."""
        ...

    def state(self) -> dict[str, NDArray[Any]]: ...

    def load(self, state: Mapping[str, NDArray[Any]]) -> None: ...


def make_learner(
    config: BaseModel, market: Market, seat: Seat, table: kpis.KpiTable, seed: int
) -> Learner:
    """The learner of a seat's config."""
    if isinstance(config, IppoConfig):
        from tacit.agents.neural.ippo import Ippo

        return Ippo(config, seat, table[seat.name], seed)
    if isinstance(config, IdqnConfig):
        from tacit.agents.neural.idqn import Idqn

        return Idqn(config, seat, table[seat.name], seed)
    if isinstance(config, Sb3Config):
        from tacit.agents.sb3.learner import make_sb3

        return make_sb3(config, seat, table[seat.name], seed)
    raise ConfigError(f"agents.{seat.name}: {config!r} is no learner of networks.")


class NeuralGroup(TabularGroup):
    """Seats of one market for one seed, some of them with networks."""

    def __init__(
        self,
        market: Market,
        table: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        copies: int = 1,
        episode_rounds: int | None = None,
        total_rounds: int | None = None,
    ) -> None:
        """`total_rounds`: of the whole training, which annealed rates need to know."""
        if total_rounds is None and (names := annealed(configs)):
            raise ConfigError(f"total_rounds: is needed: {names} falls over training.")
        one_thread()
        super().__init__(market, table, configs, seed, copies, episode_rounds)
        self.stop_after = 0  # (networks never stand still by themselves)
        learning = [s for s in market.seats if isinstance(configs[s.name], BatchConfig)]
        self.learners: dict[str, Learner] = {
            seat.name: make_learner(configs[seat.name], market, seat, table, seed)
            for seat in learning
        }
        one_thread()  # (once more: torch, if a learner needs it, is there by now)
        self.batch_rounds = batch_rounds(configs)
        self.total_rounds = total_rounds or 1
        self.book = build_book(market, table, learning, copies, self.batch_rounds)
        self._rollout = compiled(TEMPLATE, market.kernels).rollout
        self._cumulate = compiled(LOOPS).cumulate
        self._seats = learning
        tabular = any(isinstance(c, QLearningConfig) for c in configs.values())
        self._beside = True if tabular else None  # (compiled apart: most groups have none)
        self._act()

    def _act(self) -> None:
        """Hand the learners' tables to the seats that play."""
        for seat in self._seats:
            first = self.pop.cells[seat.index]
            size = seat.role.observations * seat.role.actions
            table = self.learners[seat.name].acting()
            self._cumulate(table, seat.role.legal, self.pop.fixed[first : first + size])

    def run(self, rounds: int) -> int:
        """Play so many rounds, and learn whenever a batch is full. Returns: rounds played."""
        left = rounds
        while left:
            position = self.rounds % self.batch_rounds
            stretch = min(left, self.batch_rounds - position)
            full = position + stretch == self.batch_rounds
            self._rollout(
                self.game, self.rows, self.keys, self.moments, self.pop, self.scratch, self.book,
                stretch, self.episode_rounds or 0, full, self._beside,
            )  # fmt: skip
            if full:
                self._learn()
            left -= stretch
        return rounds

    def _learn(self) -> None:
        clock = Clock(self.rounds, self.batch_rounds, self.total_rounds)
        for k, seat in enumerate(self._seats):
            figures = self.learners[seat.name].learn(of_seat(self.book, k), clock)
            self.figures |= {
                f"learner/{seat.name}/{name}": value for name, value in figures.items()
            }
        self.book.counts[:] = 0
        self._act()

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration, `[O, A]` each."""
        tables = super().tables()
        for seat in self._seats:
            tables[seat.index] = self.learners[seat.name].table()
        return tables

    def _moving(self) -> dict[str, NDArray[Any]]:
        moving = super()._moving()
        if self.rounds % self.batch_rounds:  # a batch that is not full yet
            moving |= {f"book.{k}": v for k, v in self.book._asdict().items() if k not in STANDING}
        return moving

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves, by name; what the configuration says is not in it."""
        learners = {f"learner.{name}": one.state() for name, one in self.learners.items()}
        return super().state() | named(**learners)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken.

        Raises:
            ValueError: it does not fit this configuration; nothing has moved.
        """
        own = {name: a for name, a in self.state().items() if not name.startswith("book.")}
        theirs = {name for name in state if name.startswith("learner.")}
        strange = [name for name in own if name in state and not alike(state[name], own[name])]
        # (PyTorch's optimisers, in SB3, have nothing to save before their first step)
        strange += [n for n in own.keys() - state.keys() | theirs - own.keys() if MAY_LACK not in n]
        if strange:
            raise ValueError(f"{min(strange)}: the saved state does not fit this configuration")
        before, self.pop.clock[T] = self.rounds, state["tables.clock"][T]
        try:
            super().load(state)
        except ValueError:
            self.pop.clock[T] = before
            raise
        if self.rounds % self.batch_rounds == 0:  # a state between two batches has no book
            self.book.counts[:], self.book.open[:] = 0, 0
        for name, one in self.learners.items():
            one.load(part(state, f"learner.{name}"))
        self._act()


def alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are of the same kind and shape."""
    return one.dtype == other.dtype and one.shape == other.shape


MAY_LACK = ".optimizer."
STANDING = ("seats", "terms")  # of a book: they follow from the configuration
