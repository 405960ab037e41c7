"""Paired replays of deviations: one seat takes another action for one round, beside its path.

Every deviation is played twice. In the first replay everybody plays its table afterwards, the
deviator too. In the second the deviator goes back to its actions on the path at once, as if it
repented. What it loses in the second one is the others' doing alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Bools, Floats, Ints

from .one_step_payoffs import plays_deterministically
from .replay_columns import FORCED_ACTION, FORCED_SEAT, REPEATED_COPY
from .replays import replay, unforced

SAMPLED_REPLAYS = 16  # of each deviation, where something is drawn
SAMPLED_ROUNDS = 199  # of the later loss where it is sampled: .95^135 = .001, then RESTING_ROUNDS
RESTING_ROUNDS = 64  # the last rounds of a replay, which show where play comes to rest
RETURN_ROUNDS = 100  # within which play is back on its path, or it does not return
KEPT_ROUNDS = 16  # of which conduct is kept


@dataclass(frozen=True)
class DeviationOutcome:
    """What follows D deviations; R rounds, S seats, M measures.

    Attributes:
        loss: later loss of the deviator, sum_{t>=1} d^t [payoff on the path - payoff], when all
            play their tables; in the fundamental's unit, float64 `[D]`.
        repented_loss: the same when the deviator goes back to its path actions, float64 `[D]`.
        path: everybody's conduct without the deviation, rounds 0 .. R-1, float64 `[D, R, S]`.
        conduct: everybody's conduct with it, float64 `[D, R, S]`.
        returned: the first round, 1 being the deviation's, after which the state is on the path
            again, a mean over the replays in which it is; float64 `[D]`, NaN: in none.
        returns: in most replays the path is met again within RETURN_ROUNDS rounds, bool `[D]`.
        rest: measures after the deviation, averaged over the last RESTING_ROUNDS rounds and over
            replays, float64 `[D, S + 1, M]`.
        settled: play then stands still or goes round among at most S states. Where acts are drawn
            states need not repeat, and it is True; bool `[D]`.
    """

    loss: Floats
    repented_loss: Floats
    path: Floats
    conduct: Floats
    returned: Floats
    returns: Bools
    rest: Floats
    settled: Bools


@dataclass(frozen=True)
class DeviationReplays:
    """D deviations from X states of a path.

    Attributes:
        population: the frozen tables.
        states: states in which a deviation begins, float64 `[X, W]`.
        start: the number of each deviation's state, int64 `[D]`.
        seat: the seat that deviates, int64 `[D]`.
        exact: nothing is drawn, so that one replay of each deviation is enough.
    """

    population: FrozenPopulation
    states: Floats
    start: Ints
    seat: Ints
    exact: bool

    def run(self, actions: Ints, path_states: Floats) -> DeviationOutcome:
        """Force each deviation's action for one round, then let all tables play.

        Args:
            actions: the action of each deviation, int64 `[D]`.
            path_states: the states of the path, float64 `[C, W]`.

        Returns:
            Means over the replays of each deviation.
        """
        replays = 1 if self.exact else SAMPLED_REPLAYS
        x, d = len(self.states), len(self.seat)
        # Copies in three groups: the X paths (copies 0 .. X * replays - 1), the D deviations after
        # which all play tables, and the same D with the deviator back on its path.
        paths = unforced(x, replays)
        forced = unforced(2, d, replays)
        forced[..., FORCED_SEAT], forced[..., FORCED_ACTION] = self.seat[:, None], actions[:, None]
        forced[1, ..., REPEATED_COPY] = self.start[:, None] * replays + np.arange(replays)
        begin = np.concatenate([np.arange(x), self.start, self.start])
        found = replay(
            self.population,
            np.repeat(self.states[begin], replays, axis=0),
            np.concatenate([paths.reshape(-1, 3), forced.reshape(-1, 3)]),
            np.tile(np.arange(replays), len(begin)),
            path_states,
            keep=KEPT_ROUNDS,
            rounds=None if self.exact else SAMPLED_ROUNDS,
            resting=RESTING_ROUNDS,
        )

        def by_replay(values: Floats | Ints | Bools) -> Floats:
            """`[X + D + D, replays, ..]` of `[K, ..]`."""
            return values.reshape(len(begin), replays, *values.shape[1:]).astype(float)

        sums, conduct = by_replay(found.sums).mean(axis=1), by_replay(found.conduct).mean(axis=1)
        tables, repenting = x + np.arange(d), x + d + np.arange(d)
        on_path = sums[self.start, self.seat]
        returned = by_replay(found.returned)[tables]
        still = plays_deterministically(self.population)
        came_back = returned >= 0
        rounds = np.where(came_back, returned + 1.0, 0.0).sum(axis=1)
        times = came_back.sum(axis=1)
        soon = (came_back & (returned < RETURN_ROUNDS)).mean(axis=1)
        return DeviationOutcome(
            loss=on_path - sums[tables, self.seat],
            repented_loss=on_path - sums[repenting, self.seat],
            path=conduct[self.start],
            conduct=conduct[tables],
            returned=np.where(times > 0, rounds / np.maximum(times, 1), np.nan),
            returns=soon > 0.5,
            rest=by_replay(found.rest)[tables].mean(axis=1),
            settled=(by_replay(found.settled)[tables, 0] > 0) | (not still),
        )
