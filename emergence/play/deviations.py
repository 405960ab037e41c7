"""One seat leaves the path for a round, and what follows: the material of two probes.

At a state x of the limit path (`tacit.emergence.play.limit_path`), for every seat i:

    g  = max_a payoff_i(x, a) - payoff_i(x, own action)                what the best reply gains
    L  = sum_{t>=1} d^t [payoff_i(path_t) - payoff_i(after_t)]         what it costs later
    L_own = the same, rivals held on the path: what its own reaction to its deviation costs

with d the probe discount and fundamentals as payoffs; after the one round everybody, the deviator
too, plays its table again. The same is played with a deviation of as many steps the other way (in
prices: up), as far as the grid goes. Exact where tables and market leave nothing to chance: else
16 states of the path and 16 paired replays of each are a sample, and `exact` is False.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Market

from .applicability import benchmark_range
from .limit_path import limit
from .one_step_payoffs import LUCKY, deterministic, own_moves
from .replays import (
    ACTION,
    COPIES,
    SEAT,
    Array,
    Indices,
    replay,
    seen,
)

STATES = 16  # of a path without a cycle
REPLAYS = 16  # where something is drawn
ROUNDS = 16  # rounds of conduct that are kept
NOTHING = 1e-9  # of the range
SAMPLED_ROUNDS = 135  # of the later loss where it is sampled: .95^135 = .001


@dataclass(frozen=True)
class Deviations:
    """One line per state of the path and seat, D in all.

    `seat`, `steps` int64 `[D]`: steps of conduct from the path down to the best reply (negative:
    up); `gain`, `loss`, `own_loss` `[D]` in units of profit_M - profit_N; conduct of everybody in
    the round before, `[D, S]`, and from the deviation on undeviated (`path`), after the best reply
    (`after`) and after the opposite step (`opposite`, NaN where there is none), `[D, R, S]`;
    `returned` `[D]`: the first round, 1 being the deviation's, whose outcome is on the path again
    (NaN: not within the horizon).
    """

    seat: Indices
    steps: Indices
    gain: Array
    loss: Array
    own_loss: Array
    before: Array
    path: Array
    after: Array
    opposite: Array
    returned: Array
    exact: bool

    @property
    def leaves(self) -> NDArray[np.bool_]:
        """Where the best reply gains anything: elsewhere the path is left for nothing."""
        return self.gain > NOTHING


def deviations(population: FrozenPopulation) -> Deviations:
    """Every deviation from the limit path by a static best reply."""
    if population not in _KNOWN:
        _KNOWN[population] = _deviations(population)
    return _KNOWN[population]


_KNOWN: WeakKeyDictionary[FrozenPopulation, Deviations] = WeakKeyDictionary()


def _deviations(population: FrozenPopulation) -> Deviations:
    market = population.market.analysis.expected()
    frozen = replace(population, market=market, rows=None)
    exact = deterministic(population) and not market.play_draws
    path = limit(population)
    chosen = np.arange(len(path.states))
    if not (exact and path.period):
        chosen = np.linspace(0, chosen[-1], min(len(chosen), STATES)).astype(int)
    states, seats = path.states[chosen], len(market.seats)
    column = market.columns[market.analysis.conduct[market.roles[0].name]]
    before = path.measures[chosen - 1, :seats, column]  # (the round before the first is the last)
    seat = np.tile(np.arange(seats), len(states))
    gain, own, best = _best_replies(frozen, states)
    steps, opposite = other_way(market, own, best)
    plays = Plays(frozen, states, np.repeat(np.arange(len(states)), seats), seat, exact)
    after = plays.run(best, path.states)
    up = plays.run(opposite, path.states)
    low, high = benchmark_range(market)
    blank = (opposite == own)[:, None, None]
    return Deviations(
        seat, steps, gain / (high - low), after.loss / (high - low), after.own_loss / (high - low),
        np.repeat(before, seats, axis=0), after.path, after.conduct,
        np.where(blank, np.nan, up.conduct), after.returned, exact,
    )  # fmt: skip


def _best_replies(population: FrozenPopulation, states: Array) -> tuple[Array, Indices, Indices]:
    """Gain of the best reply, the likeliest own action and the best reply, `[X * S]` each."""
    market = population.market
    observations = seen(market, population.kpi, states)
    shape = (len(states), len(market.seats))
    gain, own, best = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for i, table in enumerate(population.tables):
        moves = own_moves(population, states, observations, i, LUCKY if market.play_draws else 1)
        chances = table[observations[:, i]]
        expected = np.where(chances > 0, chances * moves.fundamental, 0.0).sum(axis=1)
        gain[:, i] = moves.fundamental.max(axis=1) - expected
        own[:, i], best[:, i] = chances.argmax(axis=1), moves.fundamental.argmax(axis=1)
    return gain.ravel(), own.ravel(), best.ravel()


def other_way(market: Market, own: Indices, best: Indices) -> tuple[Indices, Indices]:
    """Steps of conduct from the own action down to the best reply, and the action that lies as many
    steps the other way, or as far as the grid goes."""
    role = market.roles[0]
    parts = role.choices[0]
    name = market.analysis.conduct[
        role.name
    ]  # (where grids differ, an action is a step on the own one)
    k = next(k for k, part in enumerate(parts) if part.name in (name, f"{name}_step"))
    size, stride = len(parts[k].values), prod(len(part.values) for part in parts[k + 1 :])
    at = own // stride % size
    steps = at - best // stride % size
    return steps, own + (np.clip(at + steps, 0, size - 1) - at) * stride


@dataclass(frozen=True)
class _After:
    loss: Array
    own_loss: Array
    path: Array
    conduct: Array
    returned: Array


@dataclass(frozen=True)
class Plays:
    """Replays of D deviations: of `seat` `[D]` from `states[start]`, each beside its path."""

    population: FrozenPopulation
    states: Array
    start: Indices
    seat: Indices
    exact: bool

    def run(self, actions: Indices, home: Array) -> _After:
        """Force `actions` `[D]` for one round."""
        luck = 1 if self.exact else REPLAYS
        x, d = len(self.states), len(self.seat)
        paths = np.full((x, luck, 3), -1, np.int64)
        forced = np.full((2, d, luck, 3), -1, np.int64)  # answered, then not seen by the others
        forced[..., SEAT], forced[..., ACTION] = self.seat[:, None], actions[:, None]
        forced[1, ..., COPIES] = self.start[:, None] * luck + np.arange(luck)
        begin = np.concatenate([np.arange(x), self.start, self.start])
        found = replay(
            self.population,
            np.repeat(self.states[begin], luck, axis=0),
            np.concatenate([paths.reshape(-1, 3), forced.reshape(-1, 3)]),
            np.tile(np.arange(luck), len(begin)),
            home,
            keep=ROUNDS,
            rounds=None if self.exact else SAMPLED_ROUNDS,
        )
        sums = found.sums.reshape(len(begin), luck, -1).mean(axis=1)
        conduct = found.conduct.reshape(len(begin), luck, *found.conduct.shape[1:]).mean(axis=1)
        rows = np.arange(d)
        on_path = sums[self.start, self.seat]
        returned = found.returned.reshape(len(begin), luck)[x : x + d].astype(float)
        returned = np.where(returned < 0, np.nan, returned + 1.0)
        return _After(
            on_path - sums[x + rows, self.seat], on_path - sums[x + d + rows, self.seat],
            conduct[self.start], conduct[x + rows], returned[:, 0],
        )  # fmt: skip
