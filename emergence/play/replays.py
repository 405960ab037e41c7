"""Paired replays: the same initial state, the same draws, one action changed.

A copy plays from a given state with everybody's frozen tables. In round 0 one seat may be forced to
take another action. From the next round on it plays its table again, or it repeats what it does in
another copy, as if it repented of the deviation. The copies of one pair share every draw, so their
difference is the effect of that action. Where neither the market nor a table draws anything, one
replay is exact.
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
from tacit.envs.types import Bools, Floats, Ints

from .replay_columns import KEPT_MEASURE, SUMMED_MEASURE

TEMPLATE = "tacit.emergence.play.replay_loop"


@dataclass(frozen=True)
class Replays:
    """What K replays of S seats lead to.

    Attributes:
        sums: discounted sum of each seat's fundamental, float64 `[K, S]`.
        conduct: the measure by which each seat competes, in rounds 0 .. R-1, float64 `[K, R, S]`.
        returned: the first round after which the state was one of the given path states,
            int64 `[K]`; -1: in no round.
        rest: measures averaged over the last rounds, float64 `[K, S + 1, M]`.
        settled: whether the last state is one of the S states before it, bool `[K]`. Without draws
            play then stands still or goes round among at most S states.
    """

    sums: Floats
    conduct: Floats
    returned: Ints
    rest: Floats
    settled: Bools


def unforced(*shape: int) -> Ints:
    """The argument `forced` of `replay` for copies in which nothing is changed, `[*shape, 3]`."""
    return np.full((*shape, 3), -1, np.int64)


def horizon(discount: float, rest: float = 1e-9) -> int:
    """Rounds until everything later weighs less than `rest` of one round's payoff."""
    if discount <= 0:
        return 1
    return max(1, ceil(log(rest * (1 - discount)) / log(discount)))


def replay_keys(seed: int, draw: Ints) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys of the market's draws and of the draws of actions.

    Args:
        seed: the population's seed.
        draw: the number of each copy's set of draws, int64 `[K]`; equal numbers draw alike.

    Returns:
        Two arrays uint64 `[K]`.
    """
    nature = rng.child_keys(np.array([rng.seed_key(seed, rng.PROBE)]), draw)
    return nature, rng.child_keys(nature, np.array([1]))


def game_arrays(market: Market, kpi: kpis.KpiTable) -> GameArrays:
    """The constant part of a market under a KPI, built once for each pair of objects."""
    known = _GAMES.setdefault(market, [])
    for table, game in known:
        if table is kpi:  # a dict has no hash; the same object is asked for again and again
            return game
    known.append((kpi, build_game(market, kpi)))
    return known[-1][1]


_GAMES: WeakKeyDictionary[Market, list[tuple[kpis.KpiTable, GameArrays]]] = WeakKeyDictionary()


def play_once(
    market: Market, kpi: kpis.KpiTable, states: Floats, actions: Ints, seed: int, draw: Ints
) -> CopyRows:
    """Play one round of a one-phase market.

    Args:
        market: the market.
        kpi: the resolved KPI table whose scores the rows hold afterwards.
        states: the state of each copy before the round, float64 `[K, W]`.
        actions: the joint action of each copy, int64 `[K, S]`.
        seed: the population's seed.
        draw: the number of each copy's set of draws, int64 `[K]`.

    Returns:
        The rows of all copies after the round.
    """
    game = game_arrays(market, kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:], rows.actions[:] = states, actions
    compiled(TEMPLATE, market.kernels).play_once(game, replay_keys(seed, draw)[0], rows)
    return rows


def observations_in(market: Market, kpi: kpis.KpiTable, states: Floats) -> Ints:
    """What every seat observes in `states` float64 `[K, W]` of a one-phase market: `[K, S]`."""
    game = game_arrays(market, kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:] = states
    compiled(TEMPLATE, market.kernels).fill_observations(game, rows)
    return rows.observations


def replay(
    population: FrozenPopulation,
    states: Floats,
    forced: Ints,
    draw: Ints,
    path_states: Floats,
    keep: int = 0,
    first: int = 1,
    rounds: int | None = None,
    resting: int = 1,
) -> Replays:
    """Replay K copies of a population.

    Args:
        population: the frozen tables, and the discount of the sums.
        states: the state in which each copy begins, float64 `[K, W]`.
        forced: what is changed in each copy, int64 `[K, 3]`, with the columns of
            `tacit.emergence.play.replay_columns`. A copy may repeat only a copy before it.
        draw: the number of each copy's set of draws, int64 `[K]`.
        path_states: states that count as being back on the path, float64 `[C, W]`.
        keep: the number R of rounds of which conduct is kept.
        first: the first round that enters the sums.
        rounds: how many rounds are played; by default until what is left out is negligible.
        resting: the number of last rounds whose mean measures are kept.

    Returns:
        Sums, conduct and the round of return of every copy.
    """
    market = population.market
    game = game_arrays(market, population.kpi)
    rows = build_rows(market, game, len(states))
    rows.state[:] = states
    seats = len(market.seats)
    nature, actor = replay_keys(population.seed, draw)
    sums, conduct = np.zeros((len(states), seats)), np.zeros((len(states), keep, seats))
    returned = np.full(len(states), -1, np.int64)
    rest = np.zeros((len(states), seats + 1, len(market.measures)))
    late = np.zeros((len(states), seats + 1, market.state_width))
    columns = np.zeros((seats, 2), np.int64)
    for seat in market.seats:
        columns[seat.index, SUMMED_MEASURE] = market.columns[seat.role.fundamental]
        conduct_measure = market.analysis.rivalry[seat.role.name].measure
        columns[seat.index, KEPT_MEASURE] = market.columns[conduct_measure]
    compiled(TEMPLATE, market.kernels).replay(
        game, nature, actor, cumulative(market, population.tables)[None], rows, forced, columns,
        path_states, population.discount, first, rounds or horizon(population.discount), sums,
        conduct, returned, resting, rest, late,
    )  # fmt: skip
    settled = (late[:, :-1] == late[:, -1:]).all(axis=2).any(axis=1)
    return Replays(sums, conduct, returned, rest, settled)
