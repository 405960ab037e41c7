"""Template: the gradient of double DQN's loss, over the observations that a batch met.

Letters in shapes: n samples of a batch, O observations of the seat, R observations that the batch
met, A actions. `places` int64 `[n]` says where the samples are in the ring `replay`; `row_numbers`
int32 `[O]` gives an observation's number among those met (-1: not met).
"""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.arrays import Replay
from tacit.envs.jit.decorators import loop


@loop
def number_observations(places: Any, replay: Replay, row_numbers: Any, observations: Any) -> Any:
    """Number the observations of a batch in the order in which they are met.

    `row_numbers` must be -1 everywhere, as `loss_gradient` leaves it. Fills `observations` int64
    `[2 n]` with those that were met, and returns their number R.
    """
    count = 0
    for i in places:
        for o in (replay.observation[i], replay.next_observation[i]):
            if row_numbers[o] < 0:
                row_numbers[o] = count
                observations[count] = o
                count += 1
    return count


@loop
def loss_gradient(
    places: Any,
    replay: Replay,
    row_numbers: Any,
    observations: Any,
    legal: Any,
    online: Any,
    target: Any,
    discount: Any,
    gradients: Any,
) -> Any:
    """Fill `gradients` `[R, A]` with those of the mean of (Q - y)^2 / 2 by the online network's Q.

    y = reward + discount^(rounds between) Q_target(o', argmax_a Q_online(o', a)) over legal a.
    `online` and `target` `[R, A]` are the networks' values. Returns that mean, and sets
    `row_numbers` back to -1 (for the observations met only, because O may be millions).
    """
    gradients[:] = 0.0
    loss = 0.0
    for i in places:
        o, next_o = row_numbers[replay.observation[i]], row_numbers[replay.next_observation[i]]
        a = replay.action[i]
        first, count = legal[replay.next_observation[i], 0], legal[replay.next_observation[i], 1]
        best = first
        for other in range(first + 1, first + count):
            if online[next_o, other] > online[next_o, best]:
                best = other
        y = replay.reward[i] + discount ** replay.rounds_between[i] * target[next_o, best]
        error = online[o, a] - y
        gradients[o, a] += error / len(places)
        loss += error * error / 2.0
    for k in range(len(gradients)):
        row_numbers[observations[k]] = -1
    return loss / len(places)
