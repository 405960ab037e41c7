"""A group of one seed: learners of tables and fixed policy tables in the seats of a market.

group = TabularGroup(market, kpi, configs, seed=0)
group.run(100_000)                  # compiled, without the interpreter lock
group.tables()                      # greedy policies, one [O, A] per seat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .config import TABULAR
from .lookup.looked_up import AnyTable, can_be_looked_up, look_up, table_for
from .recording import Recording
from .seed_state import TEMPLATE, SeedState, copy_into

LOOK_UP_FROM = 10_000  # rounds of a call from which on they may be looked up
ANY = 2**30  # rounds that are worth any table


class TabularGroup:
    """Learners of tables and fixed policy tables in the seats of one market, for one seed.

    A `tacit.agents.group.Group`.

    Attributes:
        seed_state: the copies of the market, and all that is learned.
        market, rows: those of `seed_state`.
        figures: empty: learners of tables report no figures of their updates.
        episode_rounds: rounds of an episode; None: endless.
        stop_after: rounds of unchanged greedy policies after which the group stops; 0: never.
        look_up: whether rounds may be looked up in a table. `auto` decides by the number
            of rounds asked for; the others are for tests and benchmarks.
        can_look_up: whether market, copies and episodes allow it.
        lookup_table: the table in use, if any.
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
        self.can_look_up = copies == 1 and not episode_rounds and can_be_looked_up(market)
        self.lookup_table: AnyTable | None = None
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
        if self.lookup_table is None or not self.lookup_table.holds(self.rows.state[0]):
            always = self.look_up == "always"
            self.lookup_table = table_for(self.seed_state, ANY if always else rounds, wait=always)
        if self.lookup_table is not None:
            done += look_up(self.lookup_table, self.seed_state, rounds - done, self.stop_after)
        if done == rounds or self.stopped or self.halt[0]:
            return done
        return done + self._play(rounds - done)

    def _play(self, rounds: int, recording: Recording | None = None) -> int:
        """`run` with the market's kernels."""
        state = self.seed_state
        done: int = self._loops.learn(
            state.game, state.rows, state.keys, state.episode_keys, state.q_arrays, state.scratch,
            rounds, self.episode_rounds or 0, self.stop_after, recording,
        )  # fmt: skip
        return done

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
