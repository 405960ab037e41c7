"""Template: a ring of samples: adding an update's samples, and drawing from the ring."""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.arrays import Replay, SeatSamples
from tacit.envs.jit.decorators import loop
from tacit.envs.rng import below


@loop
def append(samples: SeatSamples, weights: Any, replay: Replay, stored: Any) -> Any:
    """Add an update's samples, in the order of time; KPI `weights` `[H]` make one reward of terms.

    `stored` is how many samples were ever stored before; returns how many are now.
    """
    room = len(replay.observation)
    for n in range(samples.counts.max()):
        for c in range(len(samples.counts)):
            if n >= samples.counts[c]:
                continue
            i = stored % room
            replay.observation[i] = samples.observation[n, c]
            replay.action[i] = samples.action[n, c]
            replay.next_observation[i] = samples.next_observation[n, c]
            replay.rounds_between[i] = samples.rounds_between[n, c]
            reward = 0.0
            for h in range(len(weights)):
                reward += weights[h] * samples.reward[n, c, h]
            replay.reward[i] = reward
            stored += 1
    return stored


@loop
def draw_places(places: Any, key: Any, stored: Any, room: Any, latest: Any, step: Any) -> None:
    """Fill `places` int64 `[n]` with places in a ring of `room` places.

    Uniform draws by key, with replacement; or, if `latest`, the samples that were stored last, from
    the newest backwards, gradient step after gradient step (`step` = 0, 1, ... of an update).
    """
    held = min(stored, room)
    for j in range(len(places)):
        if latest:
            places[j] = (stored - 1 - (step * len(places) + j) % held) % room
        else:
            places[j] = below(key, j, held)
