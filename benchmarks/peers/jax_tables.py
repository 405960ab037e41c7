"""Independent PPO in JAX over policy tables: the yardstick of `benchmarks.training`.

The same game, networks, rounds, epochs, minibatches and Adam as in `jax_ippo`, and tacit's own
idea: an observation is evaluated once in a gradient step, however many samples met it. So a rollout
draws from tables, and a minibatch is summed by cell (observation, action) before the networks see
it (`tacit.agents.neural.ppo` says why the gradient is the same). `tests/benchmarks` holds the
gradient of `loss` against tacit's.

One call of `train` is one XLA program, and `jax.lax.scan` runs over everything. What was tried and
kept, because it was faster on one core: networks one after the other (`lax.map`), not batched;
all sums of a cell in one scatter of four numbers; the first layer of all pairs of last actions as
a broadcast sum of two tables, not as a product with one-hot rows; minibatches dealt in blocks, one
sample to each in random order, which needs no sorting.

tacit computes only rows that a batch has met, which become few as policies do. XLA's shapes are
fixed, so with `Settings.buckets` an update is compiled for several numbers of rows, and takes the
least that holds the observations met. That is slower while all are met.

Letters in shapes: K networks (seeds * seats), N copies, T rounds, A actions, O = A^2 observations,
R rows of a table (O, or a bucket), B minibatches.
"""

from __future__ import annotations

from functools import partial
from itertools import permutations
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers.jax_ippo import SEATS, Run, Settings, adam, advantages


class Cells(NamedTuple):
    """A minibatch summed by cell: sums of positive and of negative advantages `[R, A]`; samples,
    sums of returns, both `[R]`; the number of samples."""

    gains: Any
    losses: Any
    visits: Any
    returns: Any
    size: Any


def table(layers: Any, actions: int, rows: Any = None) -> Any:
    """A network's outputs `[R, outputs]` at every pair of last actions, or only at `rows` `[R]`."""
    (weights, bias), *others = layers
    own, other = weights[:actions], weights[actions:]
    if rows is None:
        seen = (own[:, None, :] + other[None, :, :] + bias).reshape(actions**2, -1)
    else:
        seen = own[rows // actions] + other[rows % actions] + bias
    for weights, bias in others:
        seen = jnp.tanh(seen) @ weights + bias
    return seen


def loss(weights: Any, settings: Settings, cells: Cells, old: Any, rows: Any = None) -> Any:
    """PPO's loss of one network on one minibatch; `old` `[R, A]` is the policy that played."""
    logs = jax.nn.log_softmax(table(weights["actor"], settings.actions, rows))
    policy = jnp.exp(logs)
    ratio = policy / old
    gain = cells.gains * jnp.minimum(ratio, 1 + settings.clip)
    gain += cells.losses * jnp.maximum(ratio, 1 - settings.clip)
    entropy = -(cells.visits * (policy * logs).sum(axis=1)).sum()
    value = table(weights["critic"], settings.actions, rows)[:, 0]
    error = (cells.visits * value**2 / 2 - value * cells.returns).sum()
    whole = -gain.sum() - settings.entropy * entropy + settings.value_weight * error
    return whole / cells.size


def play(settings: Settings, payoff: Any, cumulative: Any, last: Any, draw: Any) -> tuple[Any, Any]:
    """One round of every copy. `last` `[seeds, N]` are observations, `draw` `[K, N]` is uniform."""
    seen = jnp.repeat(last, SEATS, axis=0)
    rows = jax.vmap(lambda rows, which: rows[which])(cumulative, seen)
    did = (rows < draw[..., None]).sum(axis=-1, dtype=jnp.int32)
    joint = did[0::2] * settings.actions + did[1::2]
    return joint, (last, did, payoff[joint])


def deal(settings: Settings, samples: int, key: Any) -> Any:
    """The minibatch of every sample, `[samples]`: blocks of B, one to each in random order."""
    parts = settings.minibatches
    orders = jnp.asarray(np.array(list(permutations(range(parts))), np.int32))
    return orders[jax.random.randint(key, (samples // parts,), 0, len(orders))].reshape(-1)


def sum_by_cell(
    settings: Settings, size: int, seen: Any, did: Any, numbers: Any, parts: Any
) -> Cells:
    """The samples of one network and epoch, summed into `size` rows; leaves begin with `[B]`.

    `numbers` `[samples, 4]`: positive and negative part of the advantage, 1, return.
    """
    actions, count = settings.actions, settings.minibatches
    places = (parts * size + seen) * actions + did
    sums = jnp.zeros((count * size * actions, 4))
    sums = sums.at[places].add(numbers, mode="promise_in_bounds")
    sums = sums.reshape(count, size, actions, 4)
    rows = sums[..., 2:].sum(axis=2)
    size = jnp.full(count, len(parts) // count, jnp.float32)
    return Cells(sums[..., 0], sums[..., 1], rows[..., 0], rows[..., 1], size)


def learn(settings: Settings, run: Run, batch: tuple[Any, ...], old: Any, key: Any) -> Run:
    """All epochs of one update; leaves of `batch` are `[K, samples, ...]`, `old` is `[K, O, A]`."""
    samples = batch[1].shape[1]
    keys = jax.random.split(key, settings.epochs)
    dealt = jnp.stack([deal(settings, samples, k) for k in keys])

    counts = run.steps + 1 + jnp.arange(settings.epochs * settings.minibatches)
    steps = dealt, counts.reshape(settings.epochs, -1)

    def one(own: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """One network's gradient steps."""
        *start, samples, played = own
        if not settings.buckets:
            return all_steps(settings, tuple(start), samples, played, None, steps)
        seen, *others = samples
        met = jnp.zeros(len(played), jnp.int32).at[seen].set(1)
        (rows,) = jnp.nonzero(met, size=len(played), fill_value=0)  # (what fills weighs nothing)
        found = ((jnp.cumsum(met) - 1)[seen], *others)

        def within(size: int) -> tuple[Any, Any, Any]:
            few = rows[:size]
            return all_steps(settings, tuple(start), found, played[few], few, steps)

        bucket = jnp.searchsorted(jnp.array(settings.buckets), met.sum())
        return lax.switch(bucket, [partial(within, size) for size in settings.buckets])

    networks = (run.weights, run.first, run.second, batch, old)
    moved = jax.vmap(one)(networks) if settings.batched else lax.map(one, networks)
    return Run(*moved, run.steps + len(counts), run.last, run.key)


def all_steps(
    settings: Settings, start: tuple[Any, ...], samples: tuple[Any, ...], played: Any, rows: Any,
    steps: tuple[Any, Any],
) -> tuple[Any, Any, Any]:  # fmt: skip
    """All epochs of one network; `played` `[R, A]`; `steps`: minibatches, numbers of steps."""
    seen, did, numbers = samples

    def epoch(moving: tuple[Any, ...], given: tuple[Any, Any]) -> tuple[tuple[Any, ...], None]:
        parts, counts = given
        cells = sum_by_cell(settings, len(played), seen, did, numbers, parts)
        return lax.scan(step, moving, (cells, counts))

    def step(moving: tuple[Any, ...], given: tuple[Any, Any]) -> tuple[tuple[Any, ...], None]:
        cells, count = given
        slope = jax.grad(loss)(moving[0], settings, cells, played, rows)
        moved = {k: adam(settings, *(x[k] for x in (*moving, slope)), count) for k in slope}
        return tuple({k: moved[k][n] for k in moved} for n in range(3)), None

    return lax.scan(epoch, start, steps)[0]


def update(settings: Settings, payoff: Any, run: Run, _: Any) -> tuple[Run, Any]:
    """One update: tables, rollout, advantages, epochs. Also returns mean rewards `[K]`."""
    key, play_key, learn_key = jax.random.split(run.key, 3)
    actions, networks = settings.actions, settings.seeds * SEATS
    old = jax.nn.softmax(lax.map(partial(table, actions=actions), run.weights["actor"]))
    values = lax.map(partial(table, actions=actions), run.weights["critic"])[..., 0]
    shape = (settings.rounds, networks, settings.copies)
    draws = jax.random.uniform(play_key, shape)
    cumulative = jnp.cumsum(old, axis=-1)[..., :-1]
    play_one = partial(play, settings, payoff, cumulative)
    last = run.last[..., 0] * actions + run.last[..., 1]
    last, (seen, did, paid) = lax.scan(play_one, last, draws)
    paid = jnp.moveaxis(paid, -1, 2).reshape(shape)
    seen = jnp.repeat(seen, SEATS, axis=1)
    value_at = jax.vmap(lambda row, which: row[which], in_axes=(0, 0))
    after = value_at(values, jnp.repeat(last, SEATS, axis=0))
    worth = jax.vmap(lambda which: value_at(values, which))(seen)
    advantage = advantages(settings, worth, after, paid)
    returns = advantage + worth
    spread = advantage.std(axis=(0, 2), keepdims=True) + 1e-8
    advantage = (advantage - advantage.mean(axis=(0, 2), keepdims=True)) / spread
    positive, negative = jnp.maximum(advantage, 0), jnp.minimum(advantage, 0)
    numbers = jnp.stack([positive, negative, jnp.ones_like(returns), returns], axis=-1)

    def flat(x: Any) -> Any:
        """`[T, K, N, ...]` as `[K, samples, ...]`."""
        x = x.swapaxes(0, 1)
        return x.reshape(x.shape[0], -1, *x.shape[3:])

    batch = tuple(flat(x) for x in (seen, did, numbers))
    now = jnp.stack([last // actions, last % actions], axis=-1)
    run = learn(settings, run._replace(last=now, key=key), batch, old, learn_key)
    return run, paid.mean(axis=(0, 2))


@partial(jax.jit, static_argnums=(0, 3), donate_argnums=2)
def train(settings: Settings, payoff: Any, run: Run, updates: int) -> tuple[Run, Any]:
    """So many updates; mean rewards `[updates, K]`. `payoff` `[A * A, 2]`."""
    return lax.scan(partial(update, settings, payoff), run, None, length=updates)
