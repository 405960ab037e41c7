"""What each action of one seat leads to in given states, the others playing their frozen tables.

    payoff_i(x, a) = sum over a_-i of prod_j table_j[o_j(x), a_j] x payoff_i(x, a, a_-i)

by playing every combination once: exact where `play` draws nothing, else the mean of a few draws.
For markets of one phase whose next state depends on state and actions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation

from .replays import Array, Indices, play_once

LUCKY = 32  # draws averaged where a round's payoffs depend on luck


@dataclass(frozen=True)
class Moves:
    """Of one seat in N states: expected `fundamental` and `kpi` float64 `[N, A]` (-inf: illegal),
    states that follow `[N, A, R, W]`, and the chance `[N, R]` of the others' R joint actions."""

    fundamental: Array
    kpi: Array
    following: Array
    chance: Array


def deterministic(population: FrozenPopulation) -> bool:
    """Whether no table leaves anything to chance."""
    return all(bool(np.all(table.max(axis=1) == 1.0)) for table in population.tables)


def width(population: FrozenPopulation, seat: int) -> int:
    """Combinations that one state asks of one seat: its actions x the others' joint actions."""
    own = population.market.seats[seat].role.actions
    return own if deterministic(population) else prod(t.shape[1] for t in population.tables)


def own_moves(
    population: FrozenPopulation, states: Array, observations: Indices, seat: int, luck: int = 1
) -> Moves:
    """The moves of a seat in `states` `[N, W]`, where everybody sees `observations` `[N, S]`."""
    market, count = population.market, len(states)
    role = market.seats[seat].role
    others, chance = _others(population, observations, seat)
    own, joint = role.actions, chance.shape[1]
    first, legal = role.legal[observations[:, seat]].T
    inside = (np.arange(own) >= first[:, None]) & (np.arange(own) < (first + legal)[:, None])
    actions = np.empty((count, own, joint, len(market.seats)), np.int64)
    actions[...] = others[:, None]
    actions[..., seat] = np.where(inside, np.arange(own), first[:, None])[:, :, None]
    flat = actions.reshape(-1, len(market.seats))
    starts = np.repeat(states, own * joint, axis=0)
    column = market.columns[role.fundamental]
    fundamental, paid = np.zeros(len(flat)), np.zeros(len(flat))
    for draw in range(luck):
        same = np.full(len(flat), draw)
        rows = play_once(market, population.kpi, starts, flat, population.seed, same)
        fundamental += rows.measures[:, seat, column] / luck
        paid += rows.scores[:, rows.scores.shape[1] - len(market.seats) + seat] / luck
    shape = (count, own, joint)

    def expected(values: Array) -> Array:
        mean = np.einsum("nar,nr->na", values.reshape(shape), chance)
        return np.where(inside, mean, -np.inf)

    following = rows.state.reshape(*shape, -1)
    return Moves(expected(fundamental), expected(paid), following, chance)


def _others(
    population: FrozenPopulation, observations: Indices, seat: int
) -> tuple[NDArray[np.int64], Array]:
    """The others' joint actions int64 `[N, R, S]` (the seat's own entry 0) and their chances."""
    seats = range(len(population.tables))
    rows = [population.tables[j][observations[:, j]] for j in seats]  # [N, A] each
    if deterministic(population):
        actions = np.stack([row.argmax(axis=1) for row in rows], axis=1)
        return actions[:, None, :], np.ones((len(observations), 1))
    sizes = [1 if j == seat else rows[j].shape[1] for j in seats]
    grid = np.indices(sizes).reshape(len(sizes), -1).T  # [R, S]
    chance = np.ones((len(observations), len(grid)))
    for j in seats:
        if j != seat:
            chance *= rows[j][:, grid[:, j]]
    return np.broadcast_to(grid, (len(observations), *grid.shape)), chance
