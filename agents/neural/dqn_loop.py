"""Template: batches of replay as cells of a table, for double DQN.

n samples of a batch, R rows, A actions; `number` int32 `[O]` gives an observation's row.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.neural.idqn import Replay
from tacit.envs.jit.decorators import loop
from tacit.envs.rng import below


@loop
def append(samples: SeatSamples, weights: Any, replay: Replay, stored: Any) -> Any:
    """Add an update's samples to the ring `replay` (see `idqn.Replay`); returns how many samples
    were ever stored, `stored` before."""
    room = len(replay.seen)
    for n in range(samples.counts.max()):
        for r in range(len(samples.counts)):
            if n >= samples.counts[r]:
                continue
            i = stored % room
            replay.seen[i] = samples.seen[n, r]
            replay.did[i] = samples.did[n, r]
            replay.following[i] = samples.following[n, r]
            replay.gap[i] = samples.gap[n, r]
            reward = 0.0
            for h in range(len(weights)):
                reward += weights[h] * samples.reward[n, r, h]
            replay.reward[i] = reward
            stored += 1
    return stored


@loop
def choose(picks: Any, key: Any, stored: Any, room: Any, latest: Any, step: Any) -> None:
    """Fill `picks` [n] with places in the ring: uniform draws, or the latest samples first."""
    held = min(stored, room)
    for j in range(len(picks)):
        if latest:
            picks[j] = (stored - 1 - (step * len(picks) + j) % held) % room
        else:
            picks[j] = below(key, j, held)


@loop
def met(picks: Any, replay: Replay, number: Any, rows: Any) -> Any:
    """Number the observations of a batch in the order they are met; fill `rows` with them.

    `number` is -1 everywhere before (see `forget`). Returns how many there are.
    """
    count = 0
    for i in picks:
        for o in (replay.seen[i], replay.following[i]):
            if number[o] < 0:
                number[o] = count
                rows[count] = o
                count += 1
    return count


@loop
def slopes(picks: Any, replay: Replay, number: Any, rows: Any, legal: Any, online: Any, target: Any,
           discount: Any, out: Any) -> Any:  # fmt: skip
    """Fill `out` `[R, A]` with the slopes of the mean of (Q - y)^2 / 2, y = reward +
    discount^gap Q_target(o', argmax Q(o')), and set `number` back. Returns that mean."""
    out[:] = 0.0
    loss = 0.0
    for i in picks:
        o, after, a = number[replay.seen[i]], number[replay.following[i]], replay.did[i]
        first, count = legal[replay.following[i], 0], legal[replay.following[i], 1]
        best = first
        for other in range(first + 1, first + count):
            if online[after, other] > online[after, best]:
                best = other
        y = replay.reward[i] + discount ** replay.gap[i] * target[after, best]
        error = online[o, a] - y
        out[o, a] += error / len(picks)
        loss += error * error / 2.0
    for k in range(len(out)):
        number[rows[k]] = -1
    return loss / len(picks)


@loop
def greedy(values: Any, legal: Any, epsilon: Any, table: Any) -> None:
    """The policy `[O, A]` that takes the first best action, or any with probability epsilon."""
    for i in range(len(values)):
        first, count = legal[i, 0], legal[i, 1]
        best = first
        for a in range(table.shape[1]):
            inside = first <= a < first + count
            table[i, a] = epsilon / count if inside else 0.0
            if inside and values[i, a] > values[i, best]:
                best = a
        table[i, best] += 1.0 - epsilon
