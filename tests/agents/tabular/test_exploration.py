"""Which action a draw means, on both sides of every bound."""

from __future__ import annotations

from math import exp, nextafter

import numpy as np
import pytest
from support.independent.pure import pure

from tacit.agents.tabular import arrays, exploration

epsilon_at, renew_bounds = pure(exploration.epsilon_at), pure(exploration.renew_bounds)
boltzmann, explore = pure(exploration.boltzmann), pure(exploration.explore)
# The row of Q values begins at cell 2; legal are actions 1 to 4.
Q = np.array([9.0, 9.0, 9.0, 1.0, 3.0, 3.0, 2.0, 9.0])
CELL, FIRST, COUNT, GREEDY = 2, 1, 4, 2


def settings(schedule, ties=0.0, **values):
    row = np.full(64, np.nan)
    row[arrays.SCHEDULE], row[arrays.RANDOM_TIES] = schedule, ties
    for name, value in values.items():
        row[getattr(arrays, name.upper())] = value
    return row


def chosen(row, draw, t=0):
    return explore(Q, CELL, FIRST, COUNT, GREEDY, row, draw, t)


def test_epsilon_decays_to_its_least_or_stays_or_there_is_none():
    falling = settings(arrays.EXPONENTIAL, epsilon=0.8, epsilon_decay=0.1, epsilon_min=0.2)
    assert epsilon_at(falling, 0) == 0.8
    assert epsilon_at(falling, 5) == pytest.approx(0.8 * exp(-0.5))
    assert epsilon_at(falling, 14) == 0.2  # .8 exp(-1.4) = .197
    assert epsilon_at(falling, 13) > 0.2
    assert epsilon_at(settings(arrays.CONSTANT, epsilon=0.3), 1000) == 0.3
    assert epsilon_at(settings(arrays.BOLTZMANN, epsilon=0.3), 0) == 0.0


def bounds(schedule, t, **keys):
    """What is said of epsilon in the rounds from t on: above it nobody explores, below it all."""
    row = settings(schedule, **keys)
    renew_bounds(row, t)
    return row[arrays.EXPLORATION_BOUND], row[arrays.EXPLORATION_FLOOR]


def test_the_bounds_are_the_first_epsilon_and_the_last_one():
    keys = {"epsilon": 0.5, "epsilon_decay": 0.001, "epsilon_min": 0.0}
    above, below = bounds(arrays.EXPONENTIAL, 3, **keys)
    assert above == pytest.approx(0.5 * exp(-0.003), rel=1e-15)
    last = 0.5 * exp(-0.001 * (3 + arrays.BOUND_ROUNDS))
    assert below == pytest.approx(last, rel=1e-11)
    assert below < last  # what rounding may add is taken off
    assert bounds(arrays.BOLTZMANN, 3) == (1.0, 0.0)
    above, below = bounds(arrays.CONSTANT, 7, epsilon=1e-13)
    assert (above, below) == (1e-13, 0.0)  # of the smallest nothing is said but the bound


def test_a_draw_below_epsilon_is_a_random_action():
    """Quarters of epsilon, one for each legal action; from epsilon on, the greedy one."""
    row = settings(arrays.CONSTANT, epsilon=0.5)
    for k in range(COUNT):
        assert chosen(row, k / 8) == FIRST + k
        assert chosen(row, nextafter((k + 1) / 8, 0)) == FIRST + k
    assert chosen(row, 0.5) == chosen(row, 0.999) == GREEDY
    assert chosen(settings(arrays.CONSTANT, epsilon=0.0), 0.0) == GREEDY


def test_the_rest_of_a_draw_breaks_ties():
    """Actions 2 and 3 are best: between epsilon and 1, a half each."""
    row = settings(arrays.CONSTANT, ties=1.0, epsilon=0.2)
    assert [chosen(row, x) for x in (0.2, 0.59, 0.61, 0.999)] == [2, 2, 3, 3]
    assert chosen(row, 0.199) == 4  # the last quarter of epsilon
    # What is illegal is no tie, however high its value.
    lonely = np.where(np.arange(8) == 4, 4.0, Q)
    assert explore(lonely, CELL, FIRST, COUNT, 2, row, 0.999, 0) == 2


def test_probabilities_of_boltzmann_are_those_of_the_definition():
    temperature = 0.7
    weight = np.exp(Q[CELL + FIRST : CELL + FIRST + COUNT] / temperature)
    ends = np.cumsum(weight / weight.sum())
    for k, (low, high) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        for draw in (low + 1e-9, high - 1e-9):
            assert boltzmann(Q, CELL, FIRST, COUNT, temperature, draw) == FIRST + k
    huge = Q * 1e5  # exp of these alone would overflow
    assert boltzmann(huge, CELL, FIRST, COUNT, temperature, 0.4) == 2
    assert boltzmann(huge, CELL, FIRST, COUNT, temperature, 0.6) == 3


def test_temperature_falls_with_time():
    """At t = 10 it is a tenth: the ties of 3 share all but what is left to 2 and 1."""
    row = settings(arrays.BOLTZMANN, temperature=1.0, temperature_decay=np.log(10) / 10)
    for t, temperature in ((0, 1.0), (10, 0.1)):
        first = np.exp(np.array([1.0, 3.0, 3.0, 2.0]) / temperature)
        share = first[0] / first.sum()
        assert chosen(row, share * 0.99, t) == 1
        assert chosen(row, share * 1.01, t) == 2
