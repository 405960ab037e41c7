"""The joint chain: every state that frozen policies, or one seat leaving them, can come to.

Nodes are the market's state rows, found by playing: from the given states on, every seat in turn
does each of its actions against the others' tables, until nothing new appears. What a seat would
know of a node is no question here: a best responder on this chain knows the state.

    V_i(x)  = sum_a table_i[o_i(x), a] (r_i(x, a) + d sum_r chance(r) V_i(next(x, a, r)))
    V_i*(x) = max_a (r_i(x, a) + d sum_r chance(r) V_i*(next(x, a, r)))

with r_i expected over the others' joint actions (`tacit.emergence.play.one_step_payoffs`), to
1e-10 by value
iteration (Puterman, Markov Decision Processes, Wiley 1994, chapter 6). Exact for markets of one
phase whose next state depends on state and actions only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

from .one_step_payoffs import (
    LUCKY,
    Moves,
    own_moves,
    width,
)
from .replays import Array, Indices, seen

TEMPLATE = "tacit.emergence.play.value_loop"
MOST_STATES = 2**16  # beyond, or beyond so many plays to find them, there is no chain
MOST_PLAYS = 2**22
TOLERANCE = 1e-10
SWEEPS = 100_000


@dataclass(frozen=True)
class DecisionProblem:
    """A seat's decision problem: expected `fundamental` and `kpi` float64 `[N, A]` (-inf: illegal),
    `successor` int32 `[N, A, R]`, `chance` `[N, R]` of the others' R joint actions, and what the
    seat's own `table` does, `[N, A]`."""

    fundamental: Array
    kpi: Array
    successor: NDArray[np.int32]
    chance: Array
    table: Array


@dataclass(frozen=True)
class Chain:
    """`states` float64 `[N, W]`, the given ones first; `observations` int64 `[N, S]`."""

    market: Market
    discount: float
    states: Array
    observations: Indices
    seats: tuple[DecisionProblem, ...]

    def best(self, seat: int, payoff: str) -> Array:
        """V* `[N]` of a seat in 'fundamental' or 'kpi'."""
        own = self.seats[seat]
        return self._solve(getattr(own, payoff), own.successor, own.chance)

    def value(self, seat: int, payoff: str) -> Array:
        """V `[N]` of a seat's own table."""
        own = self.seats[seat]
        expected = np.where(own.table > 0, own.table * getattr(own, payoff), 0.0).sum(axis=1)
        count = len(self.states)
        chance = (own.table[:, :, None] * own.chance[:, None, :]).reshape(count, -1)
        return self._solve(expected[:, None], own.successor.reshape(count, 1, -1), chance)

    def advantage(self, seat: int, payoff: str, value: Array) -> Array:
        """What one other action gains if the own table, worth `value` `[N]`, is played ever after,
        `[N, A]`."""
        own = self.seats[seat]
        later = np.einsum("nar,nr->na", value[own.successor], own.chance)
        gain: Array = getattr(own, payoff) + self.discount * later - value[:, None]
        return gain

    def stationary(self, start: int = 0) -> Array:
        """Long-run share of time in each node `[N]`, from node `start`, if all play their tables.

        Powers of the lazy chain (P + I)/2, which has the same long run and no cycle.
        """
        own = self.seats[0]
        count = len(self.states)
        chance = (own.table[:, :, None] * own.chance[:, None, :]).ravel()
        target, source = own.successor.ravel(), np.repeat(np.arange(count), chance.size // count)
        law = np.zeros(count)
        law[start] = 1.0
        for _ in range(SWEEPS):
            moved = np.bincount(target, law[source] * chance, minlength=count)
            if np.abs(moved - law).sum() < TOLERANCE:
                break
            law = 0.5 * (law + moved)
        return law

    def _solve(self, payoff: Array, successor: NDArray[np.int32], chance: Array) -> Array:
        values = np.zeros(len(payoff))
        arrays = [np.ascontiguousarray(x) for x in (successor, chance, payoff)]
        compiled(TEMPLATE, None).iterate(*arrays, self.discount, TOLERANCE, SWEEPS, values)
        return values


def chain(population: FrozenPopulation, states: Array) -> Chain | None:
    """The chain from `states` `[X, W]` on; None where it is too large."""
    market = population.market
    per_state = sum(width(population, i) for i in range(len(market.seats)))
    index = Index(states.shape[1])
    index.add(states)
    found: list[list[tuple[Moves, Array]]] = []
    seen_by: list[Indices] = []
    done = 0
    while done < index.count:
        if index.count > MOST_STATES or index.count * per_state > MOST_PLAYS:
            return None
        frontier = index.states[done : index.count]
        done = index.count
        observations = seen(market, population.kpi, frontier)
        seen_by.append(observations)
        level = []
        for i in range(len(market.seats)):
            luck = LUCKY if market.play_draws else 1
            moves = own_moves(population, frontier, observations, i, luck)
            index.add(moves.following.reshape(-1, states.shape[1]))
            level.append((moves, population.tables[i][observations[:, i]]))
        found.append(level)
    seats = tuple(_seat([level[i] for level in found], index) for i in range(len(market.seats)))
    every = index.states[: index.count]
    return Chain(market, population.discount, every, np.concatenate(seen_by), seats)


def _seat(levels: list[tuple[Moves, Array]], index: Index) -> DecisionProblem:
    following = np.concatenate([moves.following for moves, _ in levels])
    ids = index.find(following.reshape(-1, following.shape[-1])).astype(np.int32)
    return DecisionProblem(
        np.concatenate([moves.fundamental for moves, _ in levels]),
        np.concatenate([moves.kpi for moves, _ in levels]),
        ids.reshape(following.shape[:-1]),
        np.concatenate([moves.chance for moves, _ in levels]),
        np.concatenate([table for _, table in levels]),
    )


class Index:
    """Rows of numbers by content: equal rows have one number, in order of appearance."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self.states = np.empty((0, width))
        self._hashes = np.empty(0, np.uint64)  # sorted
        self._ids = np.empty(0, np.int64)

    def add(self, rows: Array) -> None:
        """Take in rows `[K, W]`; those known already are left out."""
        hashes = hashed(rows)
        _, first = np.unique(hashes, return_index=True)
        first = np.sort(first)
        new = first[~self._known(hashes[first])]
        if not new.size:
            return
        self.states = np.concatenate([self.states, rows[new]])
        ids = np.concatenate([self._ids, np.arange(self.count, self.count + len(new))])
        every = np.concatenate([self._hashes, hashes[new]])
        order = np.argsort(every)
        self._hashes, self._ids, self.count = every[order], ids[order], self.count + len(new)

    def find(self, rows: Array) -> Indices:
        """Numbers int64 `[K]` of rows that were taken in."""
        ids: Indices = self._ids[np.searchsorted(self._hashes, hashed(rows))]
        if not np.array_equal(self.states[ids], rows):
            raise RuntimeError("two states share a hash of 64 bits")
        return ids

    def _known(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        if not self.count:
            return np.zeros(len(hashes), bool)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self.count - 1)
        known: NDArray[np.bool_] = self._hashes[at] == hashes
        return known


def hashed(rows: Array) -> NDArray[np.uint64]:
    """64 bits of every row; the finaliser is that of `tacit.envs.rng.mix`."""
    words = np.ascontiguousarray(rows + 0.0).view(np.uint64)  # (-0 becomes 0)
    hashes = np.zeros(len(rows), np.uint64)
    for column in words.T:
        hashes = (hashes ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashes ^= hashes >> np.uint64(27)
    return hashes
