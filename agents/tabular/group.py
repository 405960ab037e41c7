"""A group of one seed: learners of tables and fixed policy tables in the seats of a market.

group = TabularGroup(market, kpi, configs, seed=0)
group.run(100_000)                  # compiled, without the interpreter lock
group.tables()                      # greedy policies, one [O, A] per seat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import TEMPLATE as ENGINE_TEMPLATE
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .arrays import (
    ACTION_KEYS,
    BOUND_ROUNDS,
    EPISODE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    LEARNS,
    NATURE_KEYS,
    STATE_BEFORE,
    LookupScratch,
)
from .config import TABULAR
from .recording import Recording
from .seed_state import TEMPLATE, SeedState, copy_into
from .transition_table import (
    MOST_CELLS,
    TransitionTable,
    allows_lookup,
    transition_table_for,
)

LOOKUP_TEMPLATE = "tacit.agents.tabular.transition_table_loop"
LOOK_UP_FROM = 10_000  # rounds of a call from which on they may be looked up


class TabularGroup:
    """Learners of tables and fixed policy tables in the seats of one market, for one seed.

    A `tacit.agents.group.Group`.

    Attributes:
        seed_state: the copies of the market, and all that is learned.
        market, rows: those of `seed_state`.
        figures: empty: learners of tables report no figures of their updates.
        episode_rounds: rounds of an episode; None: endless.
        stop_after: rounds of unchanged greedy policies after which the group stops; 0: never.
        look_up: whether rounds may be looked up in a transition table. `auto` decides by the number
            of rounds asked for; the others are for tests and benchmarks.
        can_look_up: whether market, copies and episodes allow it.
        transition_table: the table in use, if any.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        copies: int = 1,
        episode_rounds: int | None = None,
        fixed_tables: Mapping[str, PolicyTable] | None = None,
    ) -> None:
        """Put learners and tables into their seats.

        Args:
            market: the market.
            kpi: its resolved KPI.
            configs: agents by seat name.
            seed: the number that all draws come from.
            copies: how many copies of the market are played at once.
            episode_rounds: rounds of an episode; None: endless.
            fixed_tables: policies float64 `[O, A]` by seat name; these seats need no config.

        Raises:
            ConfigError: an agent that cannot play this market.
        """
        self.seed_state = SeedState(market, kpi, configs, seed, copies, fixed_tables)
        self.market, self.rows = market, self.seed_state.rows
        self.figures: dict[str, float] = {}
        self.episode_rounds = episode_rounds
        self.stop_after = _stop_after(configs)
        self.look_up: Literal["auto", "always", "never"] = "auto"
        self.can_look_up = copies == 1 and not episode_rounds and allows_lookup(market)
        self.transition_table: TransitionTable | None = None
        self._loops = compiled(TEMPLATE, market.kernels)

    # --- rounds ----------------------------------------------------------------------------------

    def run(self, rounds: int, recording: Recording | None = None) -> int:
        """Play and learn up to so many rounds; fewer if the stopping rule is met, or told to halt.

        Args:
            rounds: how many.
            recording: filled with the rounds; it must have room for them.

        Returns:
            Rounds played.
        """
        if recording is not None:
            return self._play(rounds, recording)
        is_long = self.look_up == "always" or (self.look_up == "auto" and rounds >= LOOK_UP_FROM)
        if not (self.can_look_up and is_long):
            return self._play(rounds)
        # Play one round first, so that every learner has a pending decision and the state is one
        # that play leads to: the state at the start of an episode often is not.
        done = self._play(min(rounds, 1))
        if done == rounds or self.stopped or self.halt[0]:
            return done
        if self.transition_table is None or not self.transition_table.holds(self.rows.state[0]):
            self.transition_table = transition_table_for(
                self.market,
                self.seed_state.kpi,
                self.rows,
                MOST_CELLS if self.look_up == "always" else rounds,
                wait=self.look_up == "always",
            )
        table = self.transition_table
        sums = None if table is None else table.sums_of(self._figure_sums())
        if table is None or sums is None:
            return done + self._play(rounds - done)
        return done + self._look_up(table, sums, rounds - done)

    def _figure_sums(self) -> Floats:
        """Sums of measures and scores since the last reading, laid end to end, float64 `[F]`."""
        q_arrays = self.seed_state.q_arrays
        return np.concatenate([q_arrays.measure_sums.ravel(), q_arrays.score_sums])

    def _play(self, rounds: int, recording: Recording | None = None) -> int:
        """`run` with the market's kernels."""
        state = self.seed_state
        done: int = self._loops.learn(
            state.game, state.rows, state.keys, state.episode_keys, state.q_arrays, state.scratch,
            rounds, self.episode_rounds or 0, self.stop_after, recording,
        )  # fmt: skip
        return done

    def _look_up(self, table: TransitionTable, sums: Floats, rounds: int) -> int:
        """`run` with a table that holds the present state; every learner's decision is pending.

        `sums` are those of the table's columns so far.
        """
        q_arrays, rows, arrays = self.seed_state.q_arrays, self.rows, table.arrays
        seats = len(self.market.seats)
        streams = [EXPLORATION_KEYS if x else ACTION_KEYS for x in q_arrays.settings[:, LEARNS]]
        work = LookupScratch(
            keys=self.seed_state.episode_keys[streams, 0],
            nature=self.seed_state.episode_keys[NATURE_KEYS, :1].copy(),
            draws=np.zeros((seats + 1, BOUND_ROUNDS)),
            lots=np.zeros(BOUND_ROUNDS, np.int64),
            visited=np.zeros((2, BOUND_ROUNDS), np.int64),
            pending=np.zeros((seats, 3), np.int64),
            highest=np.zeros(len(q_arrays.greedy)),
            sums=sums,
            state_numbers=np.array([-1, table.numbers[rows.state[0].tobytes()]]),
            actions=rows.actions[0],
        )
        loops = compiled(LOOKUP_TEMPLATE)
        done: int = loops.learn(arrays, q_arrays, work, rounds, self.stop_after)
        figures = table.figures_of(sums, self._figure_sums())
        q_arrays.measure_sums.flat[:], q_arrays.score_sums[:] = np.split(
            figures, [q_arrays.measure_sums.size]
        )
        self._replay_last_round(table, int(work.state_numbers[STATE_BEFORE]))
        return done

    def _replay_last_round(self, table: TransitionTable, state_before: int) -> None:
        """Play the last round once more with the kernels, which leaves `rows` as they leave it."""
        state, clock = self.seed_state, self.seed_state.q_arrays.clock
        self.rows.state[0] = table.states[state_before]
        step = compiled(ENGINE_TEMPLATE, self.market.kernels).step
        nature = state.keys[NATURE_KEYS]
        step(state.game, nature, state.rows, clock[EPISODE], clock[EPISODE_ROUND] - 1, 0)

    # --- what training asks for ------------------------------------------------------------------

    @property
    def rounds(self) -> int:
        """Rounds per copy since training began."""
        return self.seed_state.rounds

    @property
    def halt(self) -> Ints:
        """Set to 1 by another thread: `run` returns after the round under way; int64 `[1]`."""
        return self.seed_state.q_arrays.halt

    @property
    def stable_rounds(self) -> int:
        """Rounds per copy since a greedy policy last changed."""
        return self.seed_state.stable_rounds

    @property
    def stopped(self) -> bool:
        """Whether the stopping rule is met."""
        return bool(self.stop_after and self.stable_rounds >= self.stop_after)

    @property
    def rounds_since_read(self) -> int:
        """Rounds per copy since the last reading."""
        return self.seed_state.rounds_since_read

    def read(self) -> tuple[Floats, Floats]:
        """Mean measures `[S + 1, M]` and scores `[T + S]` per round since the last reading."""
        return self.seed_state.read()

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration, greedy or fixed, float64 `[O, A]` each."""
        return self.seed_state.tables()

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by the names used in checkpoints."""
        return self.seed_state.state()

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken.

        Raises:
            ValueError: the state does not fit this configuration; then nothing has changed.
        """
        copy_into(self.seed_state.arrays(), state)

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin training where another group ended, as `Group.warm_start_from` says.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self.load(self.seed_state.as_warm_start(state))
        self.seed_state.restart_clock()

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Go on at the round of another group's state, as `Group.branch_from` says.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self.load(self.seed_state.as_branch(state, forget))

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What the learner of a seat knows in a state, as `Group.learner_part` says."""
        return self.seed_state.learner_part(state, seat)


def _stop_after(configs: Mapping[str, BaseModel]) -> int:
    """A group stops when the longest demand is met, and only if every learner makes one.

    Multiplicative weights make none: a mixed policy never stands still.
    """
    stops = [getattr(c, "stop_after", None) for c in configs.values() if isinstance(c, TABULAR)]
    return 0 if None in stops or not stops else max(stop for stop in stops if stop)
