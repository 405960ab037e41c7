"""What every group of learners holds for one seed: the copies of its market, and `QArrays`.

A group is all seats of one market for one seed (`tacit.agents.group`). `TabularGroup` and
`BatchGroup` both hold a `SeedState` and run different loops over it; `BatchGroup` needs one too,
since Q-learners may sit beside its networks.

Letters in shapes: N copies of the market, S seats, M measures, T KPI terms of all seats, O
observations and A actions of a seat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.fixed import fixed_policy
from tacit.agents.policy import PolicyTable, cumulative, deterministic, uniform
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.game_arrays import FIRST_ROW, build_game, build_rows
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats

from .arrays import (
    BOLTZMANN,
    CLOCK,
    LEARNS,
    PENDING_ROUND,
    ROUNDS_SINCE_READ,
    SCHEDULES,
    SETTINGS,
    STABLE_ROUNDS,
    SUMS,
    TRAINED_ROUNDS,
    QArrays,
)
from .config import TABULAR, check_synchronous
from .initial_q import initial_q
from .multiplicative_weights import MultiplicativeWeightsConfig, weights_table

TEMPLATE = "tacit.agents.tabular.q_learning_loop"
# Fields of `QArrays` that follow from the configuration, or hold nothing between two calls: these
# are not saved.
NOT_SAVED = ("settings", "first_cell", "cumulative", "targets", "halt")
# Arrays with an entry for each KPI term: their lengths differ between two arms with other KPIs.
SUMS_OF_KPI_TERMS = ("rows.scores", "q_arrays.score_sums")
CLOCK_NAME = "q_arrays.clock"  # of the counters, in saved states


class SeedState:
    """The copies of a market, and all that its tabular learners know, for one seed.

    Attributes:
        market: the market.
        kpi: its resolved KPI.
        configs: agents by seat name; a seat without one plays its table in `fixed_tables`.
        seed: the number that all draws come from.
        game: the constant arrays of the market, for compiled loops.
        rows: the copies, one row each.
        scratch: one more copy, for rounds that must not change the others: of an action that was
            not taken, and in a `BatchGroup` past the end of an episode or a batch.
        keys: each copy's keys of four streams of draws, in the order of `arrays.NATURE_KEYS` and
            its neighbours, uint64 `[4, N]`.
        episode_keys: the same keys in the running episode, uint64 `[4, N]`; the first round that a
            loop plays fills them, so before it they mean nothing.
        q_arrays: Q values, greedy policies, counters and sums.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        copies: int,
        fixed_tables: Mapping[str, PolicyTable] | None = None,
    ) -> None:
        """Start the first episode of every copy.

        Args:
            market: the market.
            kpi: its resolved KPI.
            configs: agents by seat name.
            seed: the number that all draws come from.
            copies: how many copies of the market are played at once.
            fixed_tables: policies float64 `[O, A]` of seats that play them whatever their config.

        Raises:
            ConfigError: an agent that cannot play this market.
        """
        check_synchronous(market, configs)
        self.market, self.kpi, self.configs, self.seed = market, kpi, configs, seed
        self._fixed_tables = dict(fixed_tables or {})
        self.game = build_game(market, kpi)
        self.rows = build_rows(market, self.game, copies)
        self.scratch = build_rows(market, self.game, 1)
        # In the order of NATURE_KEYS, EXPLORATION_KEYS, ACTION_KEYS, LOOKAHEAD_KEYS.
        streams = (rng.NATURE, rng.EXPLORATION, rng.ACTION, rng.LOOKAHEAD)
        self.keys = np.stack([rng.copy_keys([seed], copies, stream) for stream in streams])
        self.episode_keys = np.empty_like(self.keys)
        self.q_arrays = self._build_q_arrays(copies)
        loops = compiled(TEMPLATE, market.kernels)
        # Starts the first episode, and finds `greedy` and `runner_up` of the initial Q values.
        loops.begin_training(self.game, self.rows, self.keys, self.q_arrays)

    def _build_q_arrays(self, copies: int) -> QArrays:
        """Arrays of the initial Q values; `greedy` and `runner_up` are not yet found."""
        market, kpi, seats = self.market, self.kpi, self.market.seats
        learning = [None if s.name in self._fixed_tables else self.configs[s.name] for s in seats]
        sizes = [s.role.observations * s.role.actions for s in seats]
        return QArrays(
            settings=np.array([settings_row(config) for config in learning]),
            first_cell=np.cumsum([0, *sizes])[:-1].astype(np.int64),
            q=np.concatenate(
                [
                    initial_q(market, kpi, seat, config, self.seed)
                    for seat, config in zip(seats, learning, strict=True)
                ]
            ),
            cumulative=cumulative(market, [self.fixed_table(seat) for seat in seats]),
            greedy=np.zeros(len(self.game.legal), np.int32),
            runner_up=np.zeros(len(self.game.legal)),
            pending=np.full((copies, len(seats), 3), -1, np.int64),
            pending_reward=np.zeros((copies, len(seats))),
            clock=np.zeros(CLOCK, np.int64),
            measure_sums=np.zeros((len(seats) + 1, len(market.measures))),
            score_sums=np.zeros(len(self.game.terms) + len(seats)),
            targets=np.zeros(max(s.role.actions for s in seats)),
            halt=np.zeros(1, np.int64),
        )

    # --- policies --------------------------------------------------------------------------------

    def fixed_table(self, seat: Seat) -> PolicyTable:
        """The policy of a seat that does not learn, float64 `[O, A]`.

        For a learner it is uniform. That only fills its place: a Q-learner plays by its Q values,
        and `BatchGroup` replaces the table of a seat with a network.
        """
        if seat.name in self._fixed_tables:
            return self._fixed_tables[seat.name]
        fixed = fixed_policy(self.configs[seat.name], self.market, seat)
        return uniform(seat.role) if fixed is None else fixed

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration, float64 `[O, A]` each.

        A Q-learner's is greedy. Multiplicative weights are a mixed policy, which is what they play.
        Any other seat's is its `fixed_table`.
        """
        tables = []
        for seat, settings in zip(self.market.seats, self.q_arrays.settings, strict=True):
            if settings[SUMS] == 1.0:
                cell = self.q_arrays.first_cell[seat.index]
                size = seat.role.observations * seat.role.actions
                tables.append(weights_table(seat.role, self.q_arrays.q[cell : cell + size]))
            elif settings[LEARNS] == 1.0:
                first = self.game.per_seat[seat.index, FIRST_ROW]
                actions = self.q_arrays.greedy[first : first + seat.role.observations]
                tables.append(deterministic(seat.role, actions.astype(np.int64)))
            else:
                tables.append(self.fixed_table(seat))
        return tables

    # --- counters and sums -----------------------------------------------------------------------

    @property
    def rounds(self) -> int:
        """Rounds per copy since training began."""
        return int(self.q_arrays.clock[TRAINED_ROUNDS])

    @property
    def stable_rounds(self) -> int:
        """Rounds per copy since a greedy policy last changed."""
        return int(self.q_arrays.clock[STABLE_ROUNDS])

    @property
    def rounds_since_read(self) -> int:
        """Rounds per copy since the last reading."""
        return int(self.q_arrays.clock[ROUNDS_SINCE_READ])

    def read(self) -> tuple[Floats, Floats]:
        """Means per round since the last reading; the sums begin anew.

        Returns:
            Measures float64 `[S + 1, M]`, then unweighted KPI terms and rewards `[T + S]`.
        """
        sums, rounds = self.q_arrays, max(1, self.rounds_since_read) * len(self.rows.state)
        means = sums.measure_sums / rounds, sums.score_sums / rounds
        self._clear_sums()
        return means

    def _clear_sums(self) -> None:
        self.q_arrays.measure_sums[:], self.q_arrays.score_sums[:] = 0.0, 0.0
        self.q_arrays.clock[ROUNDS_SINCE_READ] = 0

    # --- saving ----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes while a seed is trained, by the names used in checkpoints.

        These are the arrays themselves. What follows from the configuration is left out.
        """
        rows = {f"rows.{name}": array for name, array in self.rows._asdict().items()}
        learning = self.q_arrays._asdict().items()
        return rows | {f"q_arrays.{k}": array for k, array in learning if k not in NOT_SAVED}

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of `arrays()`."""
        return {name: array.copy() for name, array in self.arrays().items()}

    def as_warm_start(self, state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Another group's state, but with this group's own sums of KPI terms.

        The other group may have been paid by another number of terms, so its sums do not fit.
        """
        own = self.arrays()
        return {**state, **{name: own[name] for name in SUMS_OF_KPI_TERMS}}

    def as_branch(self, state: Mapping[str, NDArray[Any]], forget: bool) -> dict[str, NDArray[Any]]:
        """Another group's state, for going on under this group's KPI and market at the same round.

        Args:
            state: the other group's.
            forget: keep this group's own learned values and pending decisions: only the copies of
                the market and the counters are taken over.
        """
        own, kept = self.arrays(), dict(state)
        if forget:
            # A person may redirect a repetition between two readings: the sums go on.
            counted = (CLOCK_NAME, "q_arrays.measure_sums", "q_arrays.score_sums")
            learned = [n for n in own if n.startswith("q_arrays.") and n not in counted]
            kept |= {name: own[name] for name in learned}
            clock = state[CLOCK_NAME].copy()
            clock[STABLE_ROUNDS] = 0
            kept[CLOCK_NAME] = clock
        return kept

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What a learner of a table knows in a state: views; empty for all other seats.

        Args:
            state: as `state()` gives it.
            seat: the seat's name.
        """
        own = next(s for s in self.market.seats if s.name == seat)
        n, rows = own.index, own.role.observations
        if self.q_arrays.settings[n, LEARNS] != 1.0:
            return {}
        cell, row = self.q_arrays.first_cell[n], self.game.per_seat[n, FIRST_ROW]
        return {
            "q_arrays.q": state["q_arrays.q"][cell : cell + rows * own.role.actions],
            "q_arrays.greedy": state["q_arrays.greedy"][row : row + rows],
            "q_arrays.runner_up": state["q_arrays.runner_up"][row : row + rows],
            "q_arrays.pending": state["q_arrays.pending"][:, n],
            "q_arrays.pending_reward": state["q_arrays.pending_reward"][:, n],
        }

    def restart_clock(self) -> None:
        """Let training begin anew with what is known: t is 0 again, sums are empty.

        The numbers of episode and round, from which draws are made, go on, so that no draw is made
        twice. A pending decision stays as many rounds back as it was, so its round becomes
        negative.
        """
        clock = self.q_arrays.clock
        self.q_arrays.pending[:, :, PENDING_ROUND] -= clock[TRAINED_ROUNDS]
        clock[[TRAINED_ROUNDS, STABLE_ROUNDS]] = 0
        self._clear_sums()


def settings_row(config: BaseModel | None) -> Sequence[float]:
    """A seat's row of `QArrays.settings`, in the order of its columns in `arrays.py`.

    All are zeros if the seat is no learner of a table.
    """
    if not isinstance(config, TABULAR):
        return [0.0] * SETTINGS
    # EXPLORATION_BOUND and its neighbours bound the draws that explore (`renew_bounds`). Loops
    # compute them in the first round of a call; until then no draw is outside of the bounds.
    learns, no_bound_yet, averages, no_floor_yet = 1.0, 1.0, 0.0, (0.0, 0.0, 0.0)
    if isinstance(config, MultiplicativeWeightsConfig):
        discount, synchronous, temperature, sums, summed = 0.0, 1.0, 1.0, 1.0, 0.0
        return [
            learns, config.learning_rate, discount, synchronous, BOLTZMANN, 0.0, 0.0, 0.0,
            temperature, 0.0, 0.0, no_bound_yet, sums, summed, *no_floor_yet,
        ]  # fmt: skip
    return [
        learns, config.learning_rate, config.discount, float(config.update == "synchronous"),
        SCHEDULES.index(config.exploration), config.epsilon, config.epsilon_decay,
        config.epsilon_min, config.temperature, config.temperature_decay,
        float(config.tie_break == "random"), no_bound_yet, averages,
        float(config.rewards_between == "discounted"), *no_floor_yet,
    ]  # fmt: skip


def copy_into(own: Mapping[str, NDArray[Any]], state: Mapping[str, NDArray[Any]]) -> None:
    """Write saved arrays into a group's own.

    Raises:
        ValueError: an array is missing or has another shape or type; then nothing was written.
    """
    # All are checked before the first is written, so that a mistake leaves the group as it was.
    for name, array in own.items():
        saved = state.get(name)
        if saved is None or saved.shape != array.shape or saved.dtype != array.dtype:
            raise ValueError(f"{name}: the saved state does not fit this configuration")
    for name, array in own.items():
        array[:] = state[name]
