"""Rounds played in pairs: the same draws and the same acts, but for one changed action.

Whatever differs between the two afterwards, that action did: in payoffs, in measures, in what other
seats see later. N rounds are sampled, every seat choosing evenly among its legal actions, a
scripted one by its script, after two rounds of the same play. All draws depend on N only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine import engine
from tacit.envs.engine.game_arrays import CopyRows, GameArrays, build_game
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

WARM_UP = 2  # rounds before the one that is changed, so that there is a past

# (phase, observations int64 [N, S], base actions int64 [N, S]) -> actions int64 [N, S]
Change = Callable[[int, Ints, Ints], Ints]


@dataclass(frozen=True)
class Played:
    """Rounds as they were played; N copies, P phases, S seats.

    Attributes:
        observations: what seats saw in each phase of each round, int64 `[rounds * P, N, S]`.
        actions: what they did, int64 `[rounds * P, N, S]`.
        measures: of each round, float64 `[rounds, N, S + 1, M]`.
        scores: terms, then rewards, float64 `[rounds, N, T + S]`.
    """

    observations: Ints
    actions: Ints
    measures: Floats
    scores: Floats


class Trials:
    """N sampled rounds of a market, and the same rounds with one thing changed.

    Attributes:
        market: the market that is played, in its expected form if it has one.
        copies: N.
    """

    def __init__(
        self,
        market: Market,
        table: kpis.KpiTable,
        scripts: Sequence[PolicyTable | None],
        copies: int,
    ) -> None:
        """Play the rounds before; `scripts`: tables `[O, A]` of seats that have one."""
        self.market = market if market.analysis_class is None else market.analysis.expected()
        self.copies = copies
        self._game: GameArrays = build_game(self.market, table)
        self._scripts = [None if own is None else np.cumsum(own, axis=1) for own in scripts]
        begin = engine.Engine(self.market, table, copies=copies, stream=rng.PROBE)
        begin.reset()
        self._rows = begin.rows.copy()
        root = rng.seed_key(0, rng.PROBE)
        self._root = root
        self._nature = rng.child_keys(np.full(copies, root), np.arange(copies))
        self._round = 0
        for _ in range(WARM_UP):
            self._rows, _ = self._play(self._rows, self._round, None)
            self._round += 1

    def play(self, rounds: int, change: Change | None = None, held: Played | None = None) -> Played:
        """Play so many rounds from the same beginning.

        Args:
            rounds: how many.
            change: replaces actions of the first round before they are played.
            held: rounds whose actions are taken wherever they are legal.
        """
        rows, found = self._rows, []
        for t in range(rounds):
            rows, seen = self._play(rows, self._round + t, change if t == 0 else None, held, t)
            found.append((*seen, rows.measures.copy(), rows.scores.copy()))
        observations, actions, measures, scores = zip(*found, strict=True)
        return Played(
            np.concatenate(observations),
            np.concatenate(actions),
            np.stack(measures),
            np.stack(scores),
        )

    def _play(
        self,
        rows: CopyRows,
        round_: int,
        change: Change | None,
        held: Played | None = None,
        t: int = 0,
    ) -> tuple[CopyRows, tuple[Ints, Ints]]:
        """One round from `rows`, which stay as they are."""
        rows = rows.copy()
        rows.measures[:] = 0.0
        step = compiled(engine.TEMPLATE, self.market.kernels).step
        phases = len(self.market.phases)
        observations, actions = [], []
        for phase in range(phases):
            seen = rows.observations.copy()
            chosen = self._choose(seen, round_ * phases + phase)
            if held is not None:
                chosen = self._hold(seen, chosen, held.actions[t * phases + phase])
            if change is not None:
                chosen = change(phase, seen, chosen)
            rows.actions[:] = chosen
            observations.append(seen)
            actions.append(chosen.copy())
            step(self._game, self._nature, rows, 0, round_, phase)
        return rows, (np.stack(observations), np.stack(actions))

    def _choose(self, seen: Ints, moment: int) -> Ints:
        """Every seat's action, int64 `[N, S]`; `seen` int64 `[N, S]`."""
        chosen = np.zeros_like(seen)
        key = rng.child_key(rng.child_key(self._root, 2**22), moment)
        seats = self.market.seats
        draws = rng.draws(key, self.copies * len(seats)).reshape(len(seats), self.copies)
        for seat, script in zip(seats, self._scripts, strict=True):
            observed, draw = seen[:, seat.index], draws[seat.index]
            if script is None:
                legal = seat.role.legal[observed]
                chosen[:, seat.index] = legal[:, 0] + (draw * legal[:, 1]).astype(np.int64)
            else:
                below = (script[observed] <= draw[:, None]).sum(axis=1)
                chosen[:, seat.index] = np.minimum(below, script.shape[1] - 1)
        return chosen

    def _hold(self, seen: Ints, chosen: Ints, wanted: Ints) -> Ints:
        """The wanted actions where they are legal, else the chosen ones; all int64 `[N, S]`."""
        for seat in self.market.seats:
            legal, want = seat.role.legal[seen[:, seat.index]], wanted[:, seat.index]
            may = (want >= legal[:, 0]) & (want < legal[:, 0] + legal[:, 1])
            chosen[:, seat.index] = np.where(may, want, chosen[:, seat.index])
        return chosen


def decisions(market: Market) -> Iterator[tuple[int, int]]:
    """Seat and phase of every decision of a round."""
    for phase in range(len(market.phases)):
        for seat in market.seats:
            if market.acts(seat, phase):
                yield seat.index, phase
