"""Groups: all seats of one market for one seed, whatever agents are in them.

Training knows a group only by `Group`. An external learner that needs the whole market for itself
is trained like any other once it has these methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray
from pydantic import BaseModel

from tacit.envs import kpi as kpis
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

from .batch.config import BatchConfig
from .batch.learner import Learner
from .external.config import is_live
from .policy import PolicyTable
from .registry import batches_at_once, make_learner
from .tabular.group import TabularGroup
from .tabular.recording import Recording
from .tabular.shared.shared_group import SharedGroup
from .vendor import Vendors
from .vendors import wrong_updates

if TYPE_CHECKING:
    from .batch.group import BatchGroup


class Group(Protocol):
    """What training asks of the agents of one seed. Rounds are counted per copy of the market."""

    @property
    def market(self) -> Market:
        """The market that is played."""
        ...

    @property
    def rows(self) -> CopyRows:
        """The copies of the market as they are now; probes go on from here."""
        ...

    @property
    def figures(self) -> dict[str, float]:
        """Figures of the learners' last updates for charts, by `learner/<seat>/<name>`."""
        ...

    @property
    def halt(self) -> Ints:
        """Another thread sets it to 1 to have `run` return after the round under way; int64 `[1]`.

        It stays set until it is set to 0 again, and then `run` plays one round a call.
        """
        ...

    # --- progress --------------------------------------------------------------------------------

    @property
    def rounds(self) -> int:
        """Rounds since training began."""
        ...

    @property
    def stop_after(self) -> int:
        """Rounds of unchanged greedy policies after which the group stops; 0: never."""
        ...

    @property
    def stable_rounds(self) -> int:
        """Rounds since a greedy policy last changed; 0 where `stop_after` is 0 for all learners."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the group has stopped by itself."""
        ...

    def run(self, rounds: int, recording: Recording | None = None) -> int:
        """Play and learn up to so many rounds; fewer if the group stops, or is told to halt.

        Args:
            rounds: how many.
            recording: filled with the rounds (`build_recording` makes room for them). It changes
                nothing of what is played and learned.

        Returns:
            Rounds played.

        Raises:
            ConfigError: a learner's weights or losses are no finite numbers any more.
        """
        ...

    # --- results ---------------------------------------------------------------------------------

    @property
    def rounds_since_read(self) -> int:
        """Rounds since the last reading."""
        ...

    def read(self) -> tuple[Floats, Floats]:
        """Means per round since the last reading; the next reading begins here.

        Returns:
            Measures float64 `[S + 1, M]` (row S is the market's own), then unweighted KPI terms and
            rewards, float64 `[T + S]`.
        """
        ...

    def tables(self) -> list[PolicyTable]:
        """Every seat's policy without exploration, float64 `[O, A]` each."""
        ...

    # --- saving ----------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by the names used in checkpoints."""
        ...

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken, bit for bit.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        ...

    def warm_start_from(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Begin training where another group in this market ended.

        Args:
            state: the other group's `state()`. Its learners' knowledge and the state of the market
                are taken over; t is 0 again, so schedules begin anew, and sums are empty.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        ...

    def branch_from(self, state: Mapping[str, NDArray[Any]], forget: bool = False) -> None:
        """Go on where another group was, at the same round, under this group's KPI and market.

        Only repetitions that a breaker rolls back, or a person redirects, need it.

        Args:
            state: the other group's `state()`. Seats see and do the same in both groups, and are
                paid by the same terms.
            forget: only the market, the counters and the sums are taken over; learned values begin
                anew.

        Raises:
            ValueError: the state does not fit this configuration.
        """
        ...

    def learner_part(self, state: Mapping[str, NDArray[Any]], seat: str) -> dict[str, NDArray[Any]]:
        """What the learner of a seat knows in a `state()`, by the names of the state's arrays.

        Only breakers that exchange partners need it (`agents/exchange.py`).

        Returns:
            The arrays themselves where all of one is the learner's, else views of its part. None of
            a seat that does not learn.
        """
        ...


def make_group(
    market: Market,
    kpi: kpis.KpiTable,
    configs: Mapping[str, BaseModel],
    seed: int,
    copies: int = 1,
    episode_rounds: int | None = None,
    total_rounds: int | None = None,
    vendors: Vendors = (),
) -> Group:
    """The group of a seed: tabular, or with learners that update between batches; around it one
    that asks live agents, where there are any.

    Args:
        market: the market.
        kpi: its resolved KPI.
        configs: agents by seat name.
        seed: the number that all draws come from.
        copies: how many copies of the market are played at once.
        episode_rounds: rounds of an episode; None: endless.
        total_rounds: rounds per copy of the whole training, which annealed rates need.
        vendors: seats that share weights, data or draws.

    Raises:
        ConfigError: an agent that cannot play this market.
    """
    if any(vendor.shares_learning for vendor in vendors):
        if wrong := wrong_updates(vendors, configs):
            raise ConfigError(wrong)
        return SharedGroup(market, kpi, configs, seed, vendors, copies, episode_rounds)
    if any(map(is_live, configs.values())):
        from .live.group import LiveGroup, as_fixed

        within = as_fixed(market, configs)
        inner = _group(market, kpi, within, seed, copies, episode_rounds, total_rounds)
        return LiveGroup(inner, configs)
    return _group(market, kpi, configs, seed, copies, episode_rounds, total_rounds)


def _group(
    market: Market,
    kpi: kpis.KpiTable,
    configs: Mapping[str, BaseModel],
    seed: int,
    copies: int,
    episode_rounds: int | None,
    total_rounds: int | None,
) -> TabularGroup | BatchGroup:
    """`make_group`, without live agents."""
    if not any(isinstance(config, BatchConfig) for config in configs.values()):
        return TabularGroup(market, kpi, configs, seed, copies, episode_rounds)
    from .batch.group import BatchGroup  # its linear algebra takes a moment to import

    def make(config: BaseModel, seat: Seat, terms: Mapping[str, kpis.Term], seed: int) -> Learner:
        return make_learner(config, seat, terms, seed, market)

    return BatchGroup(
        market, kpi, configs, seed, make, copies, episode_rounds, total_rounds, batches_at_once
    )
