"""A group whose agents play what they have learned, without exploring and without learning.

frozen = FrozenGroup(group, seed)
frozen.load(state)                  # of a group that has learned
frozen.run(1_000)                   # by fixed tables; what was learned stays
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .group import Group
from .policy import PolicyTable, cumulative
from .tabular.group import TabularGroup
from .tabular.recording import Recording
from .tabular.seed_state import CLOCK_NAME, copy_into

# What the players change, by the names in states: the copies of the market, counters and sums.
COUNTED = (CLOCK_NAME, "q_arrays.measure_sums", "q_arrays.score_sums")
LEARNED_CLOCK = "frozen.clock"  # the counters when learning ended


class FrozenGroup:
    """A `tacit.agents.group.Group` around another one, which holds what was learned.

    Attributes:
        learned: the other group; its states are this one's.
        figures: empty: nothing is learned.
        stop_after, stable_rounds, stopped: nothing changes, so it never stops by itself.
    """

    stop_after = 0
    stable_rounds = 0
    stopped = False

    def __init__(
        self,
        learned: Group,
        kpi: kpis.KpiTable,
        seed: int,
        copies: int = 1,
        episode_rounds: int | None = None,
    ) -> None:
        """Play the policies of a group.

        Args:
            learned: the group.
            kpi: its resolved KPI.
            seed: the number that all draws come from.
            copies: of the market, as the group has them.
            episode_rounds: rounds of an episode; None: endless.
        """
        self.learned, self.figures = learned, dict[str, float]()
        tables = dict(zip((s.name for s in learned.market.seats), learned.tables(), strict=True))
        self._players = TabularGroup(
            learned.market, kpi, {}, seed, copies, episode_rounds, fixed_tables=tables
        )
        self._own = {
            name: array
            for name, array in self._players.seed_state.arrays().items()
            if name.startswith("rows.") or name in COUNTED
        }
        self.load(learned.state())

    @property
    def market(self) -> Market:
        """The market that is played."""
        return self.learned.market

    @property
    def rows(self) -> CopyRows:
        """The copies of the market as they are now."""
        return self._players.rows

    @property
    def halt(self) -> Ints:
        """Set to 1 by another thread: `run` returns after the round under way; int64 `[1]`."""
        return self._players.halt

    @property
    def rounds(self) -> int:
        """Rounds per copy, those of training included."""
        return self._players.rounds

    @property
    def rounds_since_read(self) -> int:
        """Rounds per copy since the last reading."""
        return self._players.rounds_since_read

    def run(self, rounds: int, recording: Recording | None = None) -> int:
        """Play up to so many rounds; fewer if it is told to halt."""
        return self._players.run(rounds, recording)

    def read(self) -> tuple[Floats, Floats]:
        """Mean measures `[S + 1, M]` and scores `[T + S]` per round since the last reading."""
        return self._players.read()

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy, float64 `[O, A]` each."""
        return self.learned.tables()

    # --- saving ----------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, and the market as it is now, by the names used in checkpoints."""
        learned = self.learned.state()
        own = {name: array.copy() for name, array in self._own.items()}
        return learned | own | {LEARNED_CLOCK: learned[CLOCK_NAME]}

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken, or from what another group has learned.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self.learned.load(_learned(state))
        self._take_over(state)

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin where another group in this market ended, as `Group.warm_start_from` says.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self.learned.warm_start_from(_learned(state))
        self._take_over(self.learned.state())

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Go on at the round of another group's state, as `Group.branch_from` says.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        self.learned.branch_from(_learned(state), forget)
        self._take_over(state)

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What the learner of a seat knew in a state, as `Group.learner_part` says."""
        return self.learned.learner_part(state, seat)

    def _take_over(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on with the market of a state, by what is learned now."""
        copy_into(self._own, state)
        table = cumulative(self.market, self.learned.tables())
        self._players.seed_state.q_arrays.cumulative[:] = table


def _learned(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The part of a state that says what was learned, with the round at which it was.

    A learner of networks within a batch needs its own round, not that of the players.
    """
    clock = state.get(LEARNED_CLOCK, state[CLOCK_NAME])
    return {**{k: v for k, v in state.items() if k != LEARNED_CLOCK}, CLOCK_NAME: clock}
