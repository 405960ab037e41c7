"""Many copies of one market, stepped phase by phase in compiled loops.

    engine = Engine(make_market("ad_auction"), seeds=[0, 1], copies=512)
    engine.reset()
    engine.step(actions)          # int64 [seeds * copies, seats]; one phase of every copy
    engine.rewards                # float64 [seeds * copies, seats], valid at a round's end

Row r is copy `r % copies` of seed `seeds[r // copies]`. What happens in it depends only on the
market, its seed, its copy number, episode and round, never on what is beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

from .game_arrays import CopyRows, build_game, build_rows

TEMPLATE = "tacit.envs.engine.engine_loop"


@dataclass(frozen=True)
class Snapshot:
    """Everything that moves: an exact copy of an engine's state."""

    rows: CopyRows
    episode: int
    round: int
    phase: int


@dataclass(frozen=True)
class Sums:
    """Sums over rounds: measures float64 `[N, S + 1, M]`, scores float64 `[N, T + S]`."""

    measures: NDArray[np.float64]
    scores: NDArray[np.float64]


class Engine:
    """A batch of N = seeds x copies copies of a market under a KPI.

    `rows` is a `tacit.envs.engine.game_arrays.CopyRows`; `observations` int64 `[N, S]` is what each
    seat
    sees in
    the coming phase, `rewards` float64 `[N, S]` and `measures` float64 `[N, S + 1, M]` are the
    finished round's, row S being the market's own.
    """

    def __init__(
        self,
        market: Market,
        kpi: kpis.KpiTable | None = None,
        seeds: Sequence[int] = (0,),
        copies: int = 1,
        stream: int = rng.NATURE,
    ) -> None:
        if copies < 1 or not len(seeds):
            raise ValueError(f"an engine needs a seed and a copy, got {len(seeds)} and {copies}")
        self.market = market
        self.kpi = kpis.resolve(market, None) if kpi is None else kpi
        self.rows = build_rows(market, build_game(market, self.kpi), len(seeds) * copies)
        self.copies, self.stream = copies, stream
        self.reseed(seeds)
        self._connect()

    def _connect(self) -> None:
        """What a copy of an engine makes anew: read-only arrays, loops, names for parts of rows."""
        self.game = build_game(self.market, self.kpi)
        self.loops = compiled(TEMPLATE, self.market.kernels)
        self.observations, self.measures = self.rows.observations, self.rows.measures
        self.rewards = self.rows.scores[:, len(self.game.terms) :]

    def __getstate__(self) -> dict[str, Any]:
        made = ("game", "loops", "observations", "measures", "rewards")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()

    def reseed(self, seeds: Sequence[int]) -> None:
        """Start over with other seeds, as many as before: the next reset begins episode 0."""
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
        """One phase in every copy; idle seats' entries are ignored.

        Raises:
            ValueError: an acting seat's action is outside its space or masked; nothing has moved.
        """
        if self.episode < 0:
            raise ValueError("call reset() before step()")
        given, own = np.asarray(actions), self.rows.actions
        if given.shape != own.shape or given.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be integers of shape {own.shape}, got {given.dtype} {given.shape}"
            )
        before = own.copy()
        own[:] = given
        bad = self.loops.first_illegal(self.game, self.rows, self.phase)
        if bad:
            message = self._refusal(*divmod(bad - 1, len(self.market.seats)))
            own[:] = before
            raise ValueError(message)
        self.advance()

    def advance(self) -> None:
        """One phase with the actions that stand in `rows.actions`, unchecked."""
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
        seat = self.market.seats[index]
        action = int(self.rows.actions[r, index])
        first, count = seat.role.legal[self.observations[r, index]]
        kind = "masked" if 0 <= action < seat.role.actions else "outside its space"
        return (
            f"{seat.name} (row {r}, phase '{self.market.phases[self.phase]}'): action {action} "
            f"is {kind}; legal are {first} .. {first + count - 1}"
        )

    def play(self, cumulative: NDArray[np.float64], rounds: int) -> Sums:
        """Play whole rounds with policy tables, `cumulative` float64 `[1 or N, .]` as made by
        `tacit.agents.policy.cumulative`."""
        self._check_tables(cumulative)
        sums = Sums(np.zeros_like(self.rows.measures), np.zeros_like(self.rows.scores))
        self.loops.play_tables(
            self.game, self.nature, self.actor, cumulative, self.rows,
            self.episode, self.round, rounds, sums.measures, sums.scores,
        )  # fmt: skip
        self.round += rounds
        return sums

    def trace(
        self, cumulative: NDArray[np.float64], rounds: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Play copy 0; its state before each round `[rounds, W]`, measures `[rounds, S + 1, M]`."""
        self._check_tables(cumulative)
        states = np.zeros((rounds, self.rows.state.shape[1]))
        measures = np.zeros((rounds, *self.rows.measures.shape[1:]))
        self.loops.trace(
            self.game, self.nature, self.actor, cumulative, self.rows,
            self.episode, self.round, states, measures,
        )  # fmt: skip
        self.round += rounds
        return states, measures

    def _check_tables(self, cumulative: NDArray[np.float64]) -> None:
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

    def get_state(self) -> Snapshot:
        """An exact copy, also in the middle of a round."""
        return Snapshot(self.rows.copy(), self.episode, self.round, self.phase)

    def set_state(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of an engine of the same shape; what follows is the same again."""
        pairs = list(zip(self.rows, snapshot.rows, strict=True))
        for own, kept in pairs:
            if own.shape != kept.shape:
                raise ValueError(f"a snapshot of shape {kept.shape} does not fit {own.shape}")
        for own, kept in pairs:
            own[:] = kept
        self.episode, self.round, self.phase = snapshot.episode, snapshot.round, snapshot.phase
