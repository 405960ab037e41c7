"""A group of one seed in which some learners update between batches; others may sit beside them.

    group = BatchGroup(market, kpi, configs, 0, make_learner, copies=64, total_rounds=128_000)
    group.run(12_800)                   # plays; learns after every `rounds_per_update` rounds
    group.tables()                      # policies, one [O, A] per seat

Policies of learners with networks, tacit's own or those of Stable-Baselines3, stay fixed for
`rounds_per_update` rounds; Q-learners beside them learn after every round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable
from tacit.agents.tabular.arrays import EPISODE_ROUND, TRAINED_ROUNDS
from tacit.agents.tabular.config import TABULAR
from tacit.agents.tabular.recording import Recording
from tacit.agents.tabular.seed_state import SeedState, copy_into
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .config import BatchConfig, Clock, annealed, batch_rounds
from .learner import BatchesAtOnce, Learner, LearnerFactory
from .lookup.lookup import LookupRollout
from .rollout_buffer import (
    FROM_CONFIG,
    build_rollout_buffer,
    decides_every_round,
    samples_of,
)
from .single_thread import one_thread
from .state_names import join_parts, part_of

ROLLOUT_TEMPLATE = "tacit.agents.batch.rollout_loop"
TABLE_TEMPLATE = "tacit.agents.batch.policy_table_loop"
# Saved arrays that a learner may lack: PyTorch's optimisers, which Stable-Baselines3 uses, have no
# state before their first step.
OPTIONAL = ".optimizer."
# Of an episode, kernels play the first round and the last; a single one between is not looked up.
LEAST_EPISODE = 4


class BatchGroup:
    """Seats of one market for one seed, some of whose learners update between batches.

    A `tacit.agents.group.Group`.

    Attributes:
        seed_state: the copies of the market, and what Q-learners know.
        market, rows: those of `seed_state`.
        learners: the learners that update between batches, by seat name.
        figures: of their last update, by `learner/<seat>/<name>`.
        rollout_buffer: samples since the last update.
        batch_rounds: rounds per copy between two updates.
        total_rounds: rounds per copy of the whole training.
        episode_rounds: rounds of an episode; None: endless.
        has_q_learners: whether some seats learn after every round.
        looks_ahead: whether samples that are cut need their next decision.
        batches_at_once: plays and learns from many batches in one call; None: batch by batch.
        stop_after, stable_rounds, stopped: the rule that stops a group whose policies are stable
            applies to tabular learners only, so these stay 0 and False.
    """

    stop_after = 0
    stable_rounds = 0
    stopped = False

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable,
        configs: Mapping[str, BaseModel],
        seed: int,
        make_learner: LearnerFactory,
        copies: int = 1,
        episode_rounds: int | None = None,
        total_rounds: int | None = None,
        batches_at_once: Callable[[BatchGroup], BatchesAtOnce | None] | None = None,
    ) -> None:
        """Put learners and tables into their seats.

        Args:
            market: the market.
            kpi: its resolved KPI.
            configs: agents by seat name.
            seed: the number that all draws come from.
            make_learner: makes the learner of a seat whose config is a `BatchConfig`.
            copies: how many copies of the market are played at once.
            episode_rounds: rounds of an episode; None: endless.
            total_rounds: rounds per copy of the whole training, which annealed rates need.
            batches_at_once: makes what plays and learns from many batches in one call, where the
                learners allow it.

        Raises:
            ConfigError: an agent that cannot play this market, agents whose batches differ, or an
                annealed rate without `total_rounds`.
        """
        if total_rounds is None and (names := annealed(configs)):
            raise ConfigError(f"total_rounds: is needed: {names} falls over training.")
        one_thread()
        self.seed_state = SeedState(market, kpi, configs, seed, copies)
        self.market, self.rows = market, self.seed_state.rows
        self.figures: dict[str, float] = {}
        self.episode_rounds = episode_rounds
        self._seats = [s for s in market.seats if isinstance(configs[s.name], BatchConfig)]
        self.learners: dict[str, Learner] = {
            seat.name: make_learner(configs[seat.name], seat, kpi[seat.name], seed)
            for seat in self._seats
        }
        one_thread()  # once more: a learner may have imported torch, which has threads of its own
        self.batch_rounds = batch_rounds(configs)
        self.total_rounds = total_rounds or 1
        self.rollout_buffer = build_rollout_buffer(
            market, kpi, self._seats, copies, self.batch_rounds
        )
        # (views: whatever is loaded is copied into the buffer's arrays)
        self._samples = [samples_of(self.rollout_buffer, k) for k in range(len(self._seats))]
        self._rollout = compiled(ROLLOUT_TEMPLATE, market.kernels).rollout
        self._cumulate = compiled(TABLE_TEMPLATE).cumulate
        self.has_q_learners = any(isinstance(c, TABULAR) for c in configs.values())
        self._q_learners = True if self.has_q_learners else None  # see `rollout_loop.rollout`
        self._lookup = None
        if not self.has_q_learners:
            self._lookup = LookupRollout(market, kpi, self.seed_state, self.rollout_buffer)
        # A sample that is cut needs its next decision where its learner reads it, or where a seat
        # does not decide in every round: if none follows within a round, the sample is dropped.
        self.looks_ahead = any(
            getattr(self.learners[seat.name], "looks_ahead", True)
            or not decides_every_round(market, seat)
            for seat in self._seats
        )
        self.batches_at_once = batches_at_once and batches_at_once(self)
        self._play_acting_tables()

    def _play_acting_tables(self) -> None:
        """Let the learners' seats play their tables from now on."""
        q_arrays = self.seed_state.q_arrays
        for seat in self._seats:
            first = q_arrays.first_cell[seat.index]
            size = seat.role.observations * seat.role.actions
            table = self.learners[seat.name].acting()
            self._cumulate(table, seat.role.legal, q_arrays.cumulative[first : first + size])

    @property
    def may_look_up(self) -> bool:
        """Whether the rounds of a batch are looked up, if a table of them is worth making."""
        return self.batch_rounds > 1 and self._lookup is not None and self._lookup.allowed

    # --- rounds ----------------------------------------------------------------------------------

    def run(self, rounds: int, recording: Recording | None = None) -> int:
        """Play so many rounds, fewer if told to halt, and learn whenever a batch is full.

        Args:
            rounds: how many.
            recording: filled with the rounds; it must have room for them.

        Returns:
            Rounds played.

        Raises:
            Diverged: a learner's weights or losses are no finite numbers any more.
        """
        done = 0
        while done < rounds and not (done and self.halt[0]):
            position = self.rounds % self.batch_rounds
            batches = (rounds - done) // self.batch_rounds
            if self.batches_at_once and position == 0 and batches > 1 and recording is None:
                done += self.batches_at_once.run(batches)
                continue
            done += self._play(min(rounds - done, self.batch_rounds - position), recording)
            if self.rounds % self.batch_rounds == 0:
                self._learn()
        return done

    def _play(self, rounds: int, recording: Recording | None) -> int:
        """Play up to so many rounds of the batch under way, looked up or by the kernels.

        Copies may begin an episode in states that no copy comes back to, other ones in every seed.
        A table made for them would serve nobody else, so the kernels play that round first. They
        also play the last round of an episode, which begins the next one.

        Returns:
            Rounds played, at least one.
        """
        state, looked_up = self.seed_state, 0
        if recording is None and self._lookup and self.may_look_up:
            length, episode_round = self.episode_rounds, int(state.q_arrays.clock[EPISODE_ROUND])
            span = min(rounds, length - episode_round - 1) if length else rounds
            plays_first = episode_round == 0 and (not length or length >= LEAST_EPISODE)
            ends_batch = (self.rounds + span) % self.batch_rounds == 0
            looked_up = self._lookup.play(
                span, rounds, ends_batch, self.looks_ahead, makes=not plays_first
            )
            if looked_up == rounds or (looked_up and self.halt[0]):
                return looked_up
            if looked_up or plays_first:
                rounds = 1  # the next call looks up what follows
            elif self._lookup.table:
                rounds = min(rounds, span + 1)  # too few were left of this episode
        is_full = self.rounds % self.batch_rounds + rounds == self.batch_rounds
        played: int = self._rollout(
            state.game, state.rows, state.keys, state.episode_keys, state.q_arrays,
            state.scratch, self.rollout_buffer, rounds, self.episode_rounds or 0, is_full,
            self.looks_ahead, self._q_learners, recording,
        )  # fmt: skip
        return looked_up + played

    def _learn(self) -> None:
        """Every learner's update from the full buffer, which is empty afterwards."""
        clock = Clock(self.rounds, self.batch_rounds, self.total_rounds)
        for seat, samples in zip(self._seats, self._samples, strict=True):
            figures = self.learners[seat.name].learn(samples, clock)
            self.figures |= {f"learner/{seat.name}/{name}": x for name, x in figures.items()}
        self.rollout_buffer.counts[:] = 0
        self._play_acting_tables()

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
    def rounds_since_read(self) -> int:
        """Rounds per copy since the last reading."""
        return self.seed_state.rounds_since_read

    def read(self) -> tuple[Floats, Floats]:
        """Mean measures `[S + 1, M]` and scores `[T + S]` per round since the last reading."""
        return self.seed_state.read()

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration, float64 `[O, A]` each."""
        tables = self.seed_state.tables()
        for seat in self._seats:
            tables[seat.index] = self.learners[seat.name].table()
        return tables

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by the names used in checkpoints.

        The buffer is in it only within a batch: between two batches it holds nothing.
        """
        buffer = self._buffer_arrays() if self.rounds % self.batch_rounds else {}
        copies = {name: array.copy() for name, array in buffer.items()}
        return self.seed_state.state() | copies | self._learner_state()

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken.

        Raises:
            ValueError: the state does not fit this configuration; then nothing has changed.
        """
        self._check_learners(state)
        own = self.seed_state.arrays()
        if state["q_arrays.clock"][TRAINED_ROUNDS] % self.batch_rounds:
            own |= self._buffer_arrays()
        copy_into(own, state)
        if self.rounds % self.batch_rounds == 0:
            self.rollout_buffer.counts[:], self.rollout_buffer.open[:] = 0, 0
        for name, learner in self.learners.items():
            learner.load(part_of(state, f"learner.{name}"))
        self._play_acting_tables()

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin training where another group ended, as `Group.warm_start_from` says.

        Raises:
            ValueError: the state does not fit this configuration, or was saved within a batch,
                whose samples would then be counted twice.
        """
        if state["q_arrays.clock"][TRAINED_ROUNDS] % self.batch_rounds:
            raise ValueError("a warm start needs a state that was saved between two batches")
        self.load(self.seed_state.as_warm_start(state))
        self.seed_state.restart_clock()

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Go on at the round of another group's state, as `Group.branch_from` says.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        kept = self.seed_state.as_branch(state, forget)
        if forget:
            # Samples of the forgotten policies are dropped: the batch under way begins empty.
            kept = {name: array for name, array in kept.items() if not name.startswith("learner.")}
            kept |= self._buffer_arrays() | self._learner_state()
        self.load(kept)

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What the learner of a seat knows in a state, as `Group.learner_part` says.

        Of a learner with networks also its samples, where the state was taken within a batch.
        """
        if seat not in self.learners:
            return self.seed_state.learner_part(state, seat)
        k = list(self.learners).index(seat)
        whole = {name: a for name, a in state.items() if name.startswith(f"learner.{seat}.")}
        samples = {name: state[name][k] for name in self._buffer_arrays() if name in state}
        return whole | samples

    def _buffer_arrays(self) -> dict[str, NDArray[Any]]:
        """The buffer's own arrays, by the names used in checkpoints."""
        fields = self.rollout_buffer._asdict().items()
        return {f"rollout_buffer.{k}": array for k, array in fields if k not in FROM_CONFIG}

    def _learner_state(self) -> dict[str, NDArray[Any]]:
        return join_parts({f"learner.{name}": one.state() for name, one in self.learners.items()})

    def _check_learners(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Whether a state holds these learners' arrays, and no others.

        Raises:
            ValueError: names the first array, in order of names, that does not fit.
        """
        own = self.seed_state.arrays() | self._learner_state()
        saved = {name for name in state if name.startswith("learner.")}
        misfits = [name for name in own if name in state and not _alike(state[name], own[name])]
        unpaired = own.keys() - state.keys() | saved - own.keys()
        misfits += [name for name in unpaired if OPTIONAL not in name]
        if misfits:
            raise ValueError(f"{min(misfits)}: the saved state does not fit this configuration")


def _alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are of the same dtype and shape."""
    return one.dtype == other.dtype and one.shape == other.shape
