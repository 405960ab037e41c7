"""Paired replays: the same start, the same luck, one act changed.

A copy plays from a given state with the frozen tables of everybody. In round 0 one seat may be made
to take another action; or it is, and all others go on doing what they did in another copy, as if
they had not seen it. Copies of one pair share every draw. Where nothing is drawn, in the market and
from the tables, one replay is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import cumulative
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.game_arrays import (
    CopyRows,
    GameArrays,
    build_game,
    build_rows,
)
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

TEMPLATE = "tacit.emergence.play.replay_loop"
# columns of `forced`: who is made to act (-1: nobody), its action in round 0, and the earlier copy
# whose actions the others repeat in every round (-1: none, they see and answer)
SEAT, ACTION, COPIES = range(3)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Replays:
    """`sums` float64 `[K, S]`: discounted fundamentals; `conduct` `[K, R, S]` of rounds 0 .. R-1;
    `returned` int64 `[K]`: the first round after which the state was at `home`, -1: none."""

    sums: Array
    conduct: Array
    returned: Indices


def horizon(discount: float, rest: float = 1e-9) -> int:
    """Rounds until all that is left out weighs less than `rest` of one round's payoff."""
    if discount <= 0:
        return 1
    return max(1, ceil(log(rest * (1 - discount)) / log(discount)))


def keys(seed: int, luck: Indices) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys of nature and of sampled actions, uint64 `[K]` each, for copies of luck 0, 1, ..."""
    root = np.uint64(rng.seed_key(seed, rng.PROBE))
    own = [np.uint64(rng.fold(root, n)) for n in range(int(luck.max()) + 1)]
    actors = [np.uint64(rng.fold(key, 1)) for key in own]
    return np.array(own, np.uint64)[luck], np.array(actors, np.uint64)[luck]


def game_of(market: Market, kpi: kpis.KpiTable) -> GameArrays:
    """The constant part of a market under a KPI, built once."""
    known = _GAMES.setdefault(market, [])
    for table, game in known:
        if table is kpi:
            return game
    known.append((kpi, build_game(market, kpi)))
    return known[-1][1]


_GAMES: WeakKeyDictionary[Market, list[tuple[kpis.KpiTable, GameArrays]]] = WeakKeyDictionary()


def play_once(
    market: Market, kpi: kpis.KpiTable, states: Array, actions: Indices, seed: int, luck: Indices
) -> CopyRows:
    """One round from `states` `[K, W]` with joint `actions` `[K, S]`; the rows after it."""
    game = game_of(market, kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:], rows.actions[:] = states, actions
    compiled(TEMPLATE, market.kernels).play_once(game, keys(seed, luck)[0], rows)
    return rows


def seen(market: Market, kpi: kpis.KpiTable, states: Array) -> Indices:
    """Observations int64 `[K, S]` in states `[K, W]`."""
    game = game_of(market, kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:] = states
    compiled(TEMPLATE, market.kernels).look(game, rows)
    return rows.observations


def replay(
    population: FrozenPopulation,
    states: Array,
    forced: Indices,
    luck: Indices,
    home: Array,
    keep: int = 0,
    first: int = 1,
    rounds: int | None = None,
) -> Replays:
    """Replay K copies from `states` `[K, W]`; `forced` int64 `[K, 3]` (a copy repeats only copies
    before it); copies of equal `luck` int64 `[K]` draw alike; `home` `[C, W]`.

    Fundamentals are added up from round `first` on, with the population's discount, over `rounds`
    (by default until nothing is left that counts).
    """
    market = population.market
    game = game_of(market, population.kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:] = states
    seats = len(market.seats)
    nature, actor = keys(population.seed, luck)
    sums, conduct = np.zeros((len(states), seats)), np.zeros((len(states), keep, seats))
    returned = np.full(len(states), -1, np.int64)
    columns = np.array([
        [market.columns[s.role.fundamental], market.columns[market.analysis.conduct[s.role.name]]]
        for s in market.seats
    ])  # fmt: skip
    compiled(TEMPLATE, market.kernels).replay(
        game, nature, actor, cumulative(market, population.tables)[None], rows, forced, columns,
        home, population.discount, first, rounds or horizon(population.discount), sums, conduct,
        returned,
    )  # fmt: skip
    return Replays(sums, conduct, returned)
