"""What each action of one seat leads to in given states, the others playing their frozen tables.

    payoff_i(x, a) = sum over a_-i of prod_j table_j[o_j(x), a_j] x payoff_i(x, a, a_-i)

by playing every combination once: exact where `play` draws nothing, else the mean of 32 draws.
For markets of one phase whose next state depends on state and actions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .replays import play_once

AVERAGED_DRAWS = 32  # where a round's payoffs depend on draws within `play`


@dataclass(frozen=True)
class OneStepPayoffs:
    """What one seat's actions lead to in N states.

    A: the seat's actions; R: joint actions of the others (1 where all tables are deterministic).

    Attributes:
        fundamental: expected fundamental of the round, float64 `[N, A]`; -inf: illegal action.
        kpi: expected KPI payoff of the round, float64 `[N, A]`; -inf: illegal action.
        following: the state that follows, float64 `[N, A, R, W]`.
        probability: probability of the others' joint action, float64 `[N, R]`.
    """

    fundamental: Floats
    kpi: Floats
    following: Floats
    probability: Floats


def plays_deterministically(population: FrozenPopulation) -> bool:
    """Whether every row of every table puts probability 1 on one action."""
    return all(bool(np.all(table.max(axis=1) == 1.0)) for table in population.tables)


def draws_to_average(market: Market) -> int:
    """How many draws of a round are averaged: 1 where `play` draws nothing."""
    return AVERAGED_DRAWS if market.play_draws else 1


def combinations(population: FrozenPopulation, seat: int) -> int:
    """Joint actions that are played in one state: the seat's actions x those of the others."""
    own = population.market.seats[seat].role.actions
    if plays_deterministically(population):
        return own
    return prod(table.shape[1] for table in population.tables)


def one_step_payoffs(
    population: FrozenPopulation, states: Floats, observations: Ints, seat: int, draws: int = 1
) -> OneStepPayoffs:
    """Play every action of one seat against every joint action of the others.

    Args:
        population: the frozen tables.
        states: N states of the market, float64 `[N, W]`.
        observations: what every seat observes there, int64 `[N, S]`.
        seat: the index of the seat.
        draws: how many sets of draws payoffs are averaged over.

    Returns:
        Payoffs and following states of the seat's actions.
    """
    market, count = population.market, len(states)
    role = market.seats[seat].role
    others, probability = _joint_actions_of_others(population, observations, seat)
    own, joint = role.actions, probability.shape[1]
    first, legal_count = role.legal[observations[:, seat]].T
    last = first + legal_count
    legal = (np.arange(own) >= first[:, None]) & (np.arange(own) < last[:, None])
    actions = np.empty((count, own, joint, len(market.seats)), np.int64)
    actions[...] = others[:, None]
    # In place of an illegal action the first legal one is played, so that the array stays full;
    # its payoff becomes -inf below.
    actions[..., seat] = np.where(legal, np.arange(own), first[:, None])[:, :, None]
    flat = actions.reshape(-1, len(market.seats))
    initial_states = np.repeat(states, own * joint, axis=0)
    column = market.columns[role.fundamental]
    fundamental, kpi = np.zeros(len(flat)), np.zeros(len(flat))
    for n in range(draws):
        draw = np.full(len(flat), n)
        rows = play_once(market, population.kpi, initial_states, flat, population.seed, draw)
        reward = rows.scores.shape[1] - len(market.seats) + seat  # rewards lie behind the terms
        fundamental += rows.measures[:, seat, column] / draws
        kpi += rows.scores[:, reward] / draws
    shape = (count, own, joint)

    def expected(values: Floats) -> Floats:
        """Means over the others' joint actions, `[N, A]`, of values `[N * A * R]`."""
        mean = np.einsum("nar,nr->na", values.reshape(shape), probability)
        return np.where(legal, mean, -np.inf)

    # The following state is the same under every set of draws; the last one is as good as any.
    following = rows.state.reshape(*shape, -1)
    return OneStepPayoffs(expected(fundamental), expected(kpi), following, probability)


def _joint_actions_of_others(
    population: FrozenPopulation, observations: Ints, seat: int
) -> tuple[Ints, Floats]:
    """The others' joint actions int64 `[N, R, S]` (the seat's own entry is 0), and their
    probabilities float64 `[N, R]`."""
    seats = range(len(population.tables))
    rows = [population.tables[j][observations[:, j]] for j in seats]  # [N, A] each
    if plays_deterministically(population):
        actions = np.stack([row.argmax(axis=1) for row in rows], axis=1)
        return actions[:, None, :], np.ones((len(observations), 1))
    sizes = [1 if j == seat else rows[j].shape[1] for j in seats]
    grid = np.indices(sizes).reshape(len(sizes), -1).T  # [R, S]
    probability = np.ones((len(observations), len(grid)))
    for j in seats:
        if j != seat:
            probability *= rows[j][:, grid[:, j]]
    return np.broadcast_to(grid, (len(observations), *grid.shape)), probability
