"""Independent PPO in JAX, the whole loop compiled: the yardstick of `benchmarks.training`.

Two players of a repeated matrix game see the last joint action, one-hot. Every seat of every seed
has its own actor and critic, and nothing is shared but the order of samples in an epoch. One call
of `train` is one XLA program: environment, rollouts, advantages, epochs, Adam.

What was tried and kept, because it was faster on one core: networks one after the other in the
update (`lax.map`), not batched (`vmap`); actions by inverse cumulative probability from one draw,
not by Gumbel noise; rewards from a table. No table of policies is used: a loop in JAX that
evaluated each observation once would gain as tacit does.

Source: Schulman, Wolski, Dhariwal, Radford, Klimov, arXiv 1707.06347, 2017; de Witt et al.,
arXiv 2011.09533, 2020 (independent PPO).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

SEATS = 2
NORM, EPSILON, BETAS = 0.5, 1e-5, (0.9, 0.999)  # of gradients; of Adam


@dataclass(frozen=True)
class Settings:
    """What a run is made of; `batched`: networks side by side in the update; `buckets`: numbers of
    rows of a table, of which an update takes the least that holds the observations it met (only
    in `jax_tables`; empty: all rows always)."""

    copies: int
    seeds: int = 16
    rounds: int = 128
    actions: int = 15
    hidden: int = 64
    epochs: int = 4
    minibatches: int = 4
    discount: float = 0.95
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    value_weight: float = 0.5
    learning_rate: float = 1e-3
    batched: bool = False
    buckets: tuple[int, ...] = ()


class Run(NamedTuple):
    """Parameters of all networks with Adam's moments, leaves `[seeds * seats, ...]`; the last
    joint action int32 `[seeds, copies, 2]`; a key."""

    weights: Any
    first: Any
    second: Any
    steps: Any
    last: Any
    key: Any


def begin(settings: Settings, seed: int) -> Run:
    """Fresh networks and random first actions."""
    key, net_key, last_key = jax.random.split(jax.random.key(seed, impl="rbg"), 3)
    sizes = [(SEATS * settings.actions, settings.hidden), (settings.hidden, settings.hidden)]
    networks = settings.seeds * SEATS

    def dense(key: Any, shape: tuple[int, int], scale: float) -> tuple[Any, Any]:
        make = jax.nn.initializers.orthogonal(scale)
        weights = jnp.stack([make(k, shape) for k in jax.random.split(key, networks)])
        return weights, jnp.zeros((networks, shape[1]))

    def network(key: Any, outputs: int, scale: float) -> list[tuple[Any, Any]]:
        keys = jax.random.split(key, 3)
        hidden = [dense(k, size, 2**0.5) for k, size in zip(keys[:2], sizes, strict=True)]
        return [*hidden, dense(keys[2], (settings.hidden, outputs), scale)]

    keys = jax.random.split(net_key)
    weights = {"actor": network(keys[0], settings.actions, 0.01), "critic": network(keys[1], 1, 1)}
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    shape = (settings.seeds, settings.copies, SEATS)
    last = jax.random.randint(last_key, shape, 0, settings.actions)
    return Run(weights, first, second, jnp.zeros((), jnp.int32), last, key)


def forward(layers: Any, seen: Any) -> Any:
    """A network's outputs; tanh between dense layers."""
    for weights, bias in layers[:-1]:
        seen = jnp.tanh(seen @ weights + bias)
    weights, bias = layers[-1]
    return seen @ weights + bias


def encode(last: Any, actions: int) -> Any:
    """The last joint action `[..., 2]` as two one-hot digits."""
    return jax.nn.one_hot(last, actions).reshape(*last.shape[:-1], SEATS * actions)


def by_network(settings: Settings, x: Any) -> Any:
    """`[seeds, copies, ...]`, seen by both seats, as `[seeds * seats, copies, ...]`."""
    return jnp.repeat(x, SEATS, axis=0)


def play(settings: Settings, payoff: Any, weights: Any, last: Any, key: Any) -> tuple[Any, Any]:
    """One round of every copy: the joint action, and what was seen and done."""
    seen = by_network(settings, encode(last, settings.actions))
    logs = jax.nn.log_softmax(jax.vmap(forward)(weights["actor"], seen))
    values = jax.vmap(forward)(weights["critic"], seen)[..., 0]
    draw = jax.random.uniform(key, values.shape)[..., None]
    did = (jnp.cumsum(jnp.exp(logs), axis=-1) < draw).sum(axis=-1).clip(max=settings.actions - 1)
    joint = did.reshape(settings.seeds, SEATS, -1).swapaxes(1, 2)
    paid = payoff[joint[..., 0], joint[..., 1]].swapaxes(1, 2).reshape(values.shape)
    log = jnp.take_along_axis(logs, did[..., None], axis=-1)[..., 0]
    return joint, (last, did, log, values, paid)


def advantages(settings: Settings, values: Any, after: Any, paid: Any) -> Any:
    """Generalised advantages over the first axis, rounds."""

    def back(carry: tuple[Any, Any], step: tuple[Any, Any]) -> tuple[tuple[Any, Any], Any]:
        trace, following = carry
        value, reward = step
        delta = reward + settings.discount * following - value
        trace = delta + settings.discount * settings.gae_lambda * trace
        return (trace, value), trace

    _, result = lax.scan(back, (jnp.zeros_like(after), after), (values, paid), reverse=True)
    return result


def loss(weights: Any, settings: Settings, part: tuple[Any, ...]) -> Any:
    """PPO's loss of one network on one minibatch."""
    last, did, old, advantage, returns = part
    seen = encode(last, settings.actions)
    logs = jax.nn.log_softmax(forward(weights["actor"], seen))
    ratio = jnp.exp(jnp.take_along_axis(logs, did[:, None], axis=1)[:, 0] - old)
    clipped = ratio.clip(1 - settings.clip, 1 + settings.clip)
    gain = jnp.minimum(ratio * advantage, clipped * advantage).mean()
    entropy = -(jnp.exp(logs) * logs).sum(axis=1).mean()
    error = (forward(weights["critic"], seen)[:, 0] - returns) ** 2
    return -gain - settings.entropy * entropy + settings.value_weight * 0.5 * error.mean()


def adam(settings: Settings, weights: Any, first: Any, second: Any, slope: Any, step: Any) -> Any:
    """One step of one network, its gradient's norm at most NORM."""
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(slope)))
    slope = jax.tree.map(lambda g: g * jnp.minimum(1.0, NORM / (norm + 1e-8)), slope)
    b1, b2 = BETAS
    first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, slope)
    second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, second, slope)
    rate = settings.learning_rate * jnp.sqrt(1 - b2**step) / (1 - b1**step)
    weights = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
    )
    return weights, first, second


def learn(settings: Settings, run: Run, batch: tuple[Any, ...], key: Any) -> Run:
    """All epochs of one update; leaves of `batch` are `[seeds * seats, samples, ...]`."""
    samples = batch[1].shape[1]
    keys = jax.random.split(key, settings.epochs)
    orders = jnp.concatenate([
        jax.random.permutation(k, samples).reshape(settings.minibatches, -1) for k in keys
    ])  # fmt: skip

    def one(own: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """One network's gradient steps."""
        *start, data = own

        def step(moving: tuple[Any, ...], place: tuple[Any, Any]) -> tuple[tuple[Any, ...], None]:
            order, count = place
            slope = jax.grad(loss)(moving[0], settings, tuple(x[order] for x in data))
            return adam(settings, *moving, slope, count), None

        counts = run.steps + 1 + jnp.arange(len(orders))
        return lax.scan(step, tuple(start), (orders, counts))[0]

    networks = (run.weights, run.first, run.second, batch)
    moved = jax.vmap(one)(networks) if settings.batched else lax.map(one, networks)
    return Run(*moved, run.steps + len(orders), run.last, run.key)


def update(settings: Settings, payoff: Any, run: Run, _: Any) -> tuple[Run, Any]:
    """One update: rollout, advantages, epochs. Also returns the mean reward per seed and seat."""
    key, play_key, learn_key = jax.random.split(run.key, 3)
    keys = jax.random.split(play_key, settings.rounds)
    play_one = partial(play, settings, payoff, run.weights)
    last, (seen, did, log, values, paid) = lax.scan(play_one, run.last, keys)
    shown = by_network(settings, encode(last, settings.actions))
    after = jax.vmap(forward)(run.weights["critic"], shown)[..., 0]
    advantage = advantages(settings, values, after, paid)
    returns = advantage + values
    spread = advantage.std(axis=(0, 2), keepdims=True) + 1e-8
    advantage = (advantage - advantage.mean(axis=(0, 2), keepdims=True)) / spread

    def flat(x: Any) -> Any:
        """`[rounds, networks, copies, ...]` as `[networks, samples, ...]`."""
        x = x.swapaxes(0, 1)
        return x.reshape(x.shape[0], -1, *x.shape[3:])

    seen = jax.vmap(partial(by_network, settings))(seen)
    batch = tuple(flat(x) for x in (seen, did, log, advantage, returns))
    run = learn(settings, run._replace(last=last, key=key), batch, learn_key)
    return run, paid.mean(axis=(0, 2))


@partial(jax.jit, static_argnums=(0, 3), donate_argnums=2)
def train(settings: Settings, payoff: Any, run: Run, updates: int) -> tuple[Run, Any]:
    """So many updates; mean rewards `[updates, seeds * seats]`. `payoff` `[A, A, 2]`."""
    return lax.scan(partial(update, settings, payoff), run, None, length=updates)
