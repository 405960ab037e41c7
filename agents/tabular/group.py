"""A population of one seed: tabular learners and fixed tables in the seats of a market.

    group = TabularGroup(market, kpi, configs, seed=0)
    group.run(100_000)                  # compiled, without the interpreter lock
    group.tables()                      # greedy policies, one [O, A] per seat

Everything that moves is a handful of arrays: `state()` and `load()` are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.policy import (
    PolicyTable,
    cumulative,
    deterministic,
    uniform,
)
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import TEMPLATE as ENGINE
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.game_arrays import build_game, build_rows
from tacit.envs.jit.loops import RULES, compiled
from tacit.envs.market import Market, Seat

from .config import QLearningConfig, check_synchronous
from .transition_table import (
    MOST_CELLS,
    TransitionTable,
    fits,
    memo_of,
)

TEMPLATE, MEMO_TEMPLATE = (
    "tacit.agents.tabular.q_learning_loop",
    "tacit.agents.tabular.transition_table_loop",
)
LOOK_UP_FROM = 10_000  # rounds of a call from which on they may be looked up in a memo

# columns of QArrays.settings
(LEARNS, ALPHA, DISCOUNT, SYNCHRONOUS, SCHEDULE, EPSILON, EPSILON_DECAY, EPSILON_MIN, TEMPERATURE,
 TEMPERATURE_DECAY, RANDOM_TIES, BOUND) = range(12)  # fmt: skip
# values of SCHEDULE, in the order of `QLearningConfig.exploration`
EXPONENTIAL, CONSTANT, BOLTZMANN, NO_EXPLORATION = range(4)
SCHEDULES = ("exponential", "constant", "boltzmann", "none")
# columns of QArrays.debts: the observation (-1: none), the action, its t
OWED, TAKEN, SINCE = range(3)
# entries of QArrays.clock
T, EPISODE, ROUND, STABLE, COUNTED = range(5)
# rows of keys
NATURE_KEYS, EXPLORATION_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS = range(4)

STANDING = ("settings", "cells", "fixed", "targets")  # arrays that follow from the configuration


class QArrays(NamedTuple):
    """What a group knows and owes; C cells = sum of O * A over seats, L = sum of O.

    settings float64 `[S, 12]`; cells int64 `[S]`: each seat's first cell; q and fixed float64
    `[C]`: Q values, and cumulative probabilities of seats that do not learn; greedy int32 and
    runner (a bound on the other Q) float64 `[L]`;
    of each copy's last own decision: debts int64 `[N, S, 3]` (OWED, TAKEN, SINCE) and reward
    float64 `[N, S]`, summed so far; clock int64 `[5]`; measures float64 `[S + 1, M]` and
    scores `[T + S]`: sums since they were last read; targets float64 `[max A]`: scratch.
    """

    settings: NDArray[np.float64]
    cells: NDArray[np.int64]
    q: NDArray[np.float64]
    fixed: NDArray[np.float64]
    greedy: NDArray[np.int32]
    runner: NDArray[np.float64]
    debts: NDArray[np.int64]
    reward: NDArray[np.float64]
    clock: NDArray[np.int64]
    measures: NDArray[np.float64]
    scores: NDArray[np.float64]
    targets: NDArray[np.float64]


class TabularGroup:
    """Seats of one market filled with Q-learners and scripted players, for one seed."""

    def __init__(
        self,
        market: Market,
        table: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        copies: int = 1,
        episode_rounds: int | None = None,
    ) -> None:
        self.market, self.table, self.configs, self.seed = market, table, configs, seed
        self.episode_rounds = episode_rounds
        self.figures: dict[str, float] = {}  # of the learners' last update, for charts
        self.game = build_game(market, table)
        self.rows = build_rows(market, self.game, copies)
        self.scratch = build_rows(market, self.game, 1)
        self.loops = compiled(TEMPLATE, market.kernels)
        streams = (rng.NATURE, rng.EXPLORATION, rng.ACTION, rng.LOOKAHEAD)
        self.keys = np.stack([rng.copy_keys([seed], copies, which) for which in streams])
        self.moments = np.empty_like(self.keys)
        check_synchronous(market, configs)
        self.pop = self._tables(copies)
        stops = [c.stop_after for c in configs.values() if isinstance(c, QLearningConfig)]
        # a group stops when the longest demand is met, and only if every learner makes one
        self.stop_after = 0 if None in stops or not stops else max(s for s in stops if s)
        self.fits = copies == 1 and not episode_rounds and fits(market)
        self.look_up: Literal["auto", "always", "never"] = "auto"  # (other than auto: for tests)
        self.memo: TransitionTable | None = None
        self.loops.begin(self.game, self.rows, self.keys, self.pop)

    def _tables(self, copies: int) -> QArrays:
        market, seats = self.market, self.market.seats
        sizes = [s.role.observations * s.role.actions for s in seats]
        fixed = [self._fixed(seat) for seat in seats]
        owing = (copies, len(seats))
        return QArrays(
            settings=np.array([settings(self.configs[s.name]) for s in seats]),
            cells=np.cumsum([0, *sizes])[:-1].astype(np.int64),
            q=np.concatenate([self._initial_q(seat) for seat in seats]),
            fixed=cumulative(market, fixed),
            greedy=np.zeros(len(self.game.legal), np.int32),
            runner=np.zeros(len(self.game.legal)),
            debts=np.full((*owing, 3), -1, np.int64),
            reward=np.zeros(owing),
            clock=np.zeros(5, np.int64),
            measures=np.zeros((len(seats) + 1, len(market.measures))),
            scores=np.zeros(len(self.game.terms) + len(seats)),
            targets=np.zeros(max(s.role.actions for s in seats)),
        )

    def _fixed(self, seat: Seat) -> PolicyTable:
        config = self.configs[seat.name]
        if isinstance(config, ScriptedConfig):
            return Scripted(config, self.market, seat).table()
        return uniform(seat.role)

    def _initial_q(self, seat: Seat) -> NDArray[np.float64]:
        config, shape = self.configs[seat.name], (seat.role.observations, seat.role.actions)
        if not isinstance(config, QLearningConfig):
            return np.zeros(shape).ravel()
        if config.initial_q == "rival_uniform":
            payoff = uniform_payoffs(self.market, self.table)[seat.index]
            return np.tile(payoff / (1.0 - config.discount), shape[0])
        low, high = (
            config.initial_q if isinstance(config.initial_q, tuple) else (config.initial_q,) * 2
        )
        q = np.full(shape, float(low)).ravel()
        if high > low:
            key = rng.fold(rng.seed_key(self.seed, rng.INITIAL), seat.index)
            self.loops.fill(q, np.uint64(key), low, high)
        return q

    def run(self, rounds: int) -> int:
        """Play and learn up to so many rounds; fewer if the stopping rule is met.

        Returns: rounds played.
        """
        long = self.look_up == "always" or (self.look_up == "auto" and rounds >= LOOK_UP_FROM)
        if not (self.fits and long):
            return self._play(rounds)
        done = self._play(min(rounds, 1))  # then all learners owe a round, and its state is usual
        if done == rounds or self.stopped:
            return done
        if self.memo is None or not self.memo.holds(self.rows.state[0]):
            asked = MOST_CELLS if self.look_up == "always" else rounds
            self.memo = memo_of(self.market, self.table, self.rows, asked)
        rest = rounds - done
        return done + (self._play(rest) if self.memo is None else self._look_up(self.memo, rest))

    def _play(self, rounds: int) -> int:
        """`run` by the market's kernels."""
        done: int = self.loops.learn(
            self.game, self.rows, self.keys, self.moments, self.pop, self.scratch, rounds,
            self.episode_rounds or 0, self.stop_after,
        )  # fmt: skip
        return done

    def _look_up(self, memo: TransitionTable, rounds: int) -> int:
        """`run` by a memo that holds the present state; every learner owes the round before."""
        pop, rows, seats = self.pop, self.rows, len(self.market.seats)
        loops = compiled(MEMO_TEMPLATE, RULES)  # placeholders: this template calls no kernel
        streams = [EXPLORATION_KEYS if x else ACTION_KEYS for x in pop.settings[:, LEARNS]]
        used = memo.tables.columns >= 0
        places = memo.tables.columns[used]
        sums = np.concatenate([pop.measures.ravel(), pop.scores])
        work = loops.Scratch(
            keys=self.moments[streams, 0],
            draws=np.zeros((loops.BOUND_ROUNDS, seats)),
            visited=np.zeros((loops.BOUND_ROUNDS, 2), np.int64),
            owed=np.zeros((seats, 3), np.int64),
            sums=np.where(used, sums[memo.tables.columns], 0.0),
            where=np.array([-1, memo.numbers[rows.state[0].tobytes()]]),
            actions=rows.actions[0],
        )
        done: int = loops.learn(memo.tables, pop, work, rounds, self.stop_after)
        sums[places] = work.sums[used]
        pop.measures.flat[:], pop.scores[:] = np.split(sums, [pop.measures.size])
        # the last round once more, by the kernels: it leaves `rows` as they do
        rows.state[0] = memo.states[work.where[0]]
        step = compiled(ENGINE, self.market.kernels).step
        step(self.game, self.keys[NATURE_KEYS], rows, pop.clock[EPISODE], pop.clock[ROUND] - 1, 0)
        return done

    @property
    def rounds(self) -> int:
        """Rounds per copy so far."""
        return int(self.pop.clock[T])

    @property
    def stopped(self) -> bool:
        """Whether the stopping rule is met."""
        return bool(self.stop_after and self.pop.clock[STABLE] >= self.stop_after)

    def read(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean measures `[S + 1, M]` and scores `[T + S]` per round since the last reading."""
        pop = self.pop
        count = max(1, int(pop.clock[COUNTED])) * len(self.rows.state)
        means = pop.measures / count, pop.scores / count
        pop.measures[:], pop.scores[:], pop.clock[COUNTED] = 0.0, 0.0, 0
        return means

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration: greedy or scripted, `[O, A]` each."""
        result = []
        offset = 0
        for seat in self.market.seats:
            count = seat.role.observations
            if isinstance(self.configs[seat.name], QLearningConfig):
                actions = self.pop.greedy[offset : offset + count].astype(np.int64)
                result.append(deterministic(seat.role, actions))
            else:
                result.append(self._fixed(seat))
            offset += count
        return result

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves, by name; what the configuration says is not in it."""
        return {name: array.copy() for name, array in self._moving().items()}

    def _moving(self) -> dict[str, NDArray[Any]]:
        moving = {f"rows.{k}": v for k, v in self.rows._asdict().items()}
        tables = {k: v for k, v in self.pop._asdict().items() if k not in STANDING}
        return moving | {f"tables.{k}": v for k, v in tables.items()}

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        owned = self._moving()
        for name, own in owned.items():
            if name not in state or state[name].shape != own.shape:
                raise ValueError(f"{name}: the saved state does not fit this configuration")
        for name, own in owned.items():
            own[:] = state[name]

    def follow(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin where another group in this market ended: with all that its learners know, and with
        the market as it stands. t is 0 again, so schedules begin anew; draws go on, none is met
        twice. (Sums of KPI terms stay behind: this group may have others.)"""
        own = self._moving()
        self.load({**state, **{name: own[name] for name in ("rows.scores", "tables.scores")}})
        clock, debts = self.pop.clock, self.pop.debts
        debts[:, :, SINCE] -= clock[T]
        clock[[T, STABLE, COUNTED]] = 0
        self.pop.measures[:], self.pop.scores[:] = 0.0, 0.0


def settings(config: BaseModel) -> list[float]:
    """A seat's row of `QArrays.settings`."""
    if not isinstance(config, QLearningConfig):
        return [0.0] * 12
    return [
        1.0, config.learning_rate, config.discount, float(config.update == "synchronous"),
        SCHEDULES.index(config.exploration), config.epsilon, config.epsilon_decay,
        config.epsilon_min, config.temperature, config.temperature_decay,
        float(config.tie_break == "random"), 1.0,
    ]  # fmt: skip


def uniform_payoffs(market: Market, table: kpis.KpiTable) -> list[NDArray[np.float64]]:
    """Each seat's mean KPI payoff in a first round by own action, everybody else uniform.

    By enumeration of joint actions in markets of one phase with at most 2^18 of them (draws as they
    fall), each of them repeated where private information is drawn, so that there are 2^16 rounds;
    else from 2^16 sampled rounds, which needs seats that act once a round.
    Returns: float64 `[A]` per seat.
    """
    known = _PAYOFFS.setdefault(market, {})
    name = kpis.kpi_hash(table)
    if name not in known:
        known[name] = _uniform_payoffs(market, table)
    return known[name]


_PAYOFFS: WeakKeyDictionary[Market, dict[str, list[NDArray[np.float64]]]] = WeakKeyDictionary()


def _uniform_payoffs(market: Market, table: kpis.KpiTable) -> list[NDArray[np.float64]]:
    sizes = [seat.role.actions for seat in market.seats]
    if len(market.phases) == 1 and prod(sizes) <= 2**18:
        joint = np.indices(sizes).reshape(len(sizes), -1).T
        engine = Engine(market, table, copies=len(joint), stream=rng.PROBE)
        engine.reset()
        if np.ptp(engine.observations, axis=0).any():  # copies differ before anything is done
            joint = np.tile(joint, (-(-(2**16) // len(joint)), 1))
            engine = Engine(market, table, copies=len(joint), stream=rng.PROBE)
            engine.reset()
        engine.step(joint)
    else:
        engine = Engine(market, table, copies=2**16, stream=rng.PROBE)
        engine.reset()
        engine.play(cumulative(market, [uniform(s.role) for s in market.seats])[None], 1)
    result = []
    for i, seat in enumerate(market.seats):
        played = engine.rows.actions[:, i]
        count = np.bincount(played, minlength=seat.role.actions)
        total = np.bincount(played, engine.rewards[:, i], minlength=seat.role.actions)
        result.append(total / np.maximum(count, 1))
    return result
