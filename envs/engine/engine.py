"""Many copies of one market, stepped phase by phase in compiled loops.

    engine = Engine(make_market("ad_auction"), seeds=[0, 1], copies=512)
    engine.reset()
    engine.step(actions)          # int64 [seeds * copies, seats]; one phase of every copy
    engine.rewards                # float64 [seeds * copies, seats], valid at a round's end

Row r is copy `r % copies` of seed `seeds[r // copies]`. What happens in it depends only on the
market, its seed, its copy number, episode and round, never on the other rows.

Letters: N = seeds x copies rows, P phases, S seats, T KPI terms of all seats, M measures, W numbers
of a state row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats

from .action_index import as_integers
from .game_arrays import CopyRows, build_game, build_rows

TEMPLATE = "tacit.envs.engine.engine_loop"


@dataclass(frozen=True)
class Snapshot:
    """Everything that moves: an exact copy of an engine's state.

    Attributes:
        rows: a copy of the engine's rows.
        episode: its episode's number.
        round: the number of finished rounds.
        phase: the phase that comes next.
    """

    rows: CopyRows
    episode: int
    round: int
    phase: int


@dataclass(frozen=True)
class Sums:
    """Sums over rounds.

    Attributes:
        measures: float64 `[N, S + 1, M]`.
        scores: KPI terms unweighted, then rewards, float64 `[N, T + S]`.
    """

    measures: Floats
    scores: Floats


class Engine:
    """A batch of N copies of a market under a KPI.

    Attributes:
        market: the market.
        kpi: the resolved KPI table.
        seeds: one for each group of `copies` rows.
        copies: rows of a seed.
        game: the constant arrays (`tacit.envs.engine.game_arrays.GameArrays`).
        rows: the arrays that move (`CopyRows`).
        observations: what each seat sees in the coming phase, int64 `[N, S]`.
        rewards: of the last finished round, float64 `[N, S]`.
        measures: of the round so far, float64 `[N, S + 1, M]`; row S is the market's own.
        nature: keys of the engine's own stream, uint64 `[N]`.
        actor: keys of the stream ACTION, uint64 `[N]`.
        loops: the compiled loops of this market.
        episode: the episode's number; -1 before the first reset.
        round: the number of finished rounds of the episode.
        phase: the phase that comes next.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable | None = None,
        seeds: Sequence[int] = (0,),
        copies: int = 1,
        stream: int = rng.NATURE,
    ) -> None:
        """Make rows for every copy of every seed; `reset` fills them.

        Args:
            market: the market.
            kpi: a resolved table; None: every role's default.
            seeds: numbers >= 0.
            copies: rows of each seed.
            stream: the stream of the market's own draws; evaluations use PROBE.

        Raises:
            ValueError: no seed, no copy, or a seed below 0.
        """
        if copies < 1 or not len(seeds):
            raise ValueError(f"an engine needs a seed and a copy, got {len(seeds)} and {copies}")
        self.market = market
        self.kpi = kpis.resolve(market, None) if kpi is None else kpi
        self.rows = build_rows(market, build_game(market, self.kpi), len(seeds) * copies)
        self.copies, self.stream = copies, stream
        self._names = [seat.name for seat in market.seats]
        self._action_counts = [seat.role.actions for seat in market.seats]
        self.reseed(seeds)
        self._connect()

    # --- copies and pickles ---------------------------------------------------------------------

    # Attributes that `_connect` makes from the others. They are left out of pickles and copies:
    # compiled loops cannot be pickled, and views of rows would become copies of them.
    _MADE = ("game", "loops", "observations", "measures", "rewards")

    def _connect(self) -> None:
        """Make what follows from market, KPI and rows."""
        self.game = build_game(self.market, self.kpi)
        self.loops = compiled(TEMPLATE, self.market.kernels)
        self.observations, self.measures = self.rows.observations, self.rows.measures
        self.rewards = self.rows.scores[:, len(self.game.terms) :]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in self._MADE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()

    # --- stepping -------------------------------------------------------------------------------

    def reseed(self, seeds: Sequence[int]) -> None:
        """Start over with other seeds, as many as before: the next reset begins episode 0.

        Raises:
            ValueError: a seed below 0, or another number of seeds.
        """
        if any(seed < 0 for seed in seeds):
            raise ValueError(f"seeds must be >= 0, got {min(seeds)}")
        needed = len(self.rows.state) // self.copies
        if len(seeds) != needed:
            raise ValueError(f"{needed} seeds are needed, got {len(seeds)}")
        self.seeds = tuple(seeds)
        self.nature = rng.copy_keys(seeds, self.copies, self.stream)
        self.actor = rng.copy_keys(seeds, self.copies, rng.ACTION)
        self.episode = -1
        self.round = self.phase = 0

    def reset(self, episode: int | None = None) -> None:
        """Begin the next episode (or the given one) in every copy."""
        self.episode = self.episode + 1 if episode is None else episode
        self.round = self.phase = 0
        self.loops.start(self.game, self.nature, self.rows, self.episode)

    def step(self, actions: NDArray[Any]) -> None:
        """One phase in every copy.

        Args:
            actions: integers `[N, S]` (`as_integers`); those of seats that do not act are ignored.

        Raises:
            ValueError: an acting seat's action is outside its space or masked, or the shape is
                wrong, or no episode has begun. Nothing has moved then.
        """
        if self.episode < 0:
            raise ValueError("step() before an episode: call reset() first")
        own = self.rows.actions
        shape = (own.shape[0], own.shape[1])
        given = as_integers(actions, shape, self._names, self._action_counts)
        before = own.copy()
        own[:] = given
        illegal = self.loops.first_illegal(self.game, self.rows, self.phase)
        if illegal:
            row, seat = divmod(illegal - 1, len(self.market.seats))
            message = self._refusal(row, seat)
            own[:] = before
            raise ValueError(message)
        self.advance()

    def advance(self) -> None:
        """One phase with the actions that are in `rows.actions`, unchecked."""
        self.loops.step(self.game, self.nature, self.rows, self.episode, self.round, self.phase)
        self.tick()

    def tick(self) -> bool:
        """Count a played phase; True when it ended a round."""
        self.phase += 1
        if self.phase < len(self.market.phases):
            return False
        self.phase = 0
        self.round += 1
        return True

    def _refusal(self, r: int, index: int) -> str:
        """What is wrong with the action of seat number `index` in row r.

        Raises:
            ConfigError: it is the observation that is wrong: the market's rules made a mistake.
        """
        seat = self.market.seats[index]
        action = int(self.rows.actions[r, index])
        seen = int(self.observations[r, index])
        if not 0 <= seen < seat.role.observations:
            raise ConfigError(
                f"{seat.name} (row {r}, phase '{self.market.phases[self.phase]}'): `observe` "
                f"returned {seen}, not in 0 .. {seat.role.observations - 1}."
            )
        first, count = seat.role.legal[seen]
        kind = "masked" if 0 <= action < seat.role.actions else "outside its space"
        return (
            f"{seat.name} (row {r}, phase '{self.market.phases[self.phase]}'): action {action} "
            f"is {kind}; legal are {first} .. {first + count - 1}"
        )

    # --- whole rounds ---------------------------------------------------------------------------

    def play(self, cumulative: Floats, rounds: int) -> Sums:
        """Play whole rounds with policy tables, from a round's start.

        Args:
            cumulative: the tables as `tacit.envs.engine.policy_tables.cumulative` makes them,
                float64 `[1, sum of O * A]` for all copies, or `[N, sum of O * A]`.
            rounds: how many.

        Raises:
            ValueError: another shape, or a round has begun, or no episode has.
        """
        self._check_tables(cumulative)
        sums = Sums(np.zeros_like(self.rows.measures), np.zeros_like(self.rows.scores))
        self.loops.play_tables(
            self.game, self.nature, self.actor, cumulative, self.rows,
            self.episode, self.round, rounds, sums.measures, sums.scores,
        )  # fmt: skip
        self.round += rounds
        return sums

    def trace(self, cumulative: Floats, rounds: int) -> tuple[Floats, Floats]:
        """Play whole rounds of copy 0 with policy tables and record them; other copies stay.

        Args:
            cumulative: as in `play`, float64 `[1 or N, sum of O * A]`.
            rounds: how many.

        Returns:
            The state before each round, float64 `[rounds, W]`, and the measures of each round,
            float64 `[rounds, S + 1, M]`.

        Raises:
            ValueError: another shape, or a round has begun, or no episode has.
        """
        self._check_tables(cumulative)
        states = np.zeros((rounds, self.rows.state.shape[1]))
        measures = np.zeros((rounds, *self.rows.measures.shape[1:]))
        self.loops.trace(
            self.game, self.nature, self.actor, cumulative, self.rows,
            self.episode, self.round, states, measures,
        )  # fmt: skip
        self.round += rounds
        return states, measures

    def _check_tables(self, cumulative: Floats) -> None:
        if self.episode < 0 or self.phase:
            raise ValueError(
                "whole rounds begin at a round's start: call reset() or finish the round"
            )
        width = sum(s.role.observations * s.role.actions for s in self.market.seats)
        shapes = [(1, width), (len(self.rows.state), width)]
        if cumulative.shape not in shapes:
            raise ValueError(
                f"tables must be of shape {shapes[0]} or {shapes[1]}, got {cumulative.shape}"
            )

    # --- snapshots ------------------------------------------------------------------------------

    def get_state(self) -> Snapshot:
        """An exact copy, also in the middle of a round."""
        return Snapshot(self.rows.copy(), self.episode, self.round, self.phase)

    def set_state(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; what follows is then the same again.

        Raises:
            ValueError: it is of an engine of another shape; nothing has changed then.
        """
        pairs = list(zip(self.rows, snapshot.rows, strict=True))
        for own, kept in pairs:
            if own.shape != kept.shape:
                raise ValueError(f"a snapshot of shape {kept.shape} does not fit {own.shape}")
        for own, kept in pairs:
            own[:] = kept
        self.episode, self.round, self.phase = snapshot.episode, snapshot.round, snapshot.phase
