"""Paired replays of deviations: one seat takes another action for one round, beside its path.

Every deviation is played twice. In the first replay the others see it and answer by their tables.
In the second they repeat what they do on the path, as if they had not seen it. What the deviator
loses in the second one, its own table does to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Floats, Ints

from .replay_columns import FORCED_ACTION, FORCED_SEAT, REPEATED_COPY
from .replays import replay, unforced

SAMPLED_REPLAYS = 16  # of each deviation, where something is drawn
SAMPLED_ROUNDS = 135  # of the later loss where it is sampled: .95^135 = .001
KEPT_ROUNDS = 16  # of which conduct is kept


@dataclass(frozen=True)
class DeviationOutcome:
    """What follows D deviations; R rounds, S seats.

    Attributes:
        loss: later loss of the deviator, sum_{t>=1} d^t [payoff on the path - payoff], when the
            others answer; in the fundamental's unit, float64 `[D]`.
        own_loss: the same when the others do as on the path, float64 `[D]`.
        path: everybody's conduct without the deviation, rounds 0 .. R-1, float64 `[D, R, S]`.
        conduct: everybody's conduct with it, the others answering, float64 `[D, R, S]`.
        returned: the first round, 1 being the deviation's, after which the state is on the path
            again; float64 `[D]`, NaN: not within the horizon.
    """

    loss: Floats
    own_loss: Floats
    path: Floats
    conduct: Floats
    returned: Floats


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
        # Copies in three groups: the X paths, the D deviations that are answered, and the same D
        # with the others' actions repeated from the path (copies 0 .. X * replays - 1).
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
        )
        sums = found.sums.reshape(len(begin), replays, -1).mean(axis=1)
        conduct = found.conduct.reshape(len(begin), replays, *found.conduct.shape[1:])
        conduct = conduct.mean(axis=1)
        answered = x + np.arange(d)
        unanswered = x + d + np.arange(d)
        on_path = sums[self.start, self.seat]
        # The round of return is the first replay's: a mean of rounds some of which are NaN says
        # little.
        returned = found.returned.reshape(len(begin), replays)[x : x + d, 0].astype(float)
        return DeviationOutcome(
            loss=on_path - sums[answered, self.seat],
            own_loss=on_path - sums[unanswered, self.seat],
            path=conduct[self.start],
            conduct=conduct[answered],
            returned=np.where(returned < 0, np.nan, returned + 1.0),
        )
