"""Compiled exploration: which action a Q-learner takes, given one uniform draw.

`settings` is a seat's row of `QArrays.settings`; t counts rounds since training began. The row of Q
values is the stretch of `q` from `cell` on, its legal actions `first` .. `first + count - 1`.
"""

from __future__ import annotations

from math import exp
from typing import Any

from tacit.agents.tabular.arrays import (
    BOLTZMANN,
    CONSTANT,
    EPSILON,
    EPSILON_DECAY,
    EPSILON_MIN,
    EXPONENTIAL,
    RANDOM_TIES,
    SCHEDULE,
    TEMPERATURE,
    TEMPERATURE_DECAY,
)
from tacit.agents.tabular.q_values import rank
from tacit.envs.jit.decorators import kernel


@kernel
def epsilon_at(settings: Any, t: Any) -> Any:
    """Share of random actions in round t."""
    schedule = int(settings[SCHEDULE])
    if schedule == EXPONENTIAL:
        return max(settings[EPSILON_MIN], settings[EPSILON] * exp(-settings[EPSILON_DECAY] * t))
    if schedule == CONSTANT:
        return settings[EPSILON]
    return 0.0


@kernel
def exploration_bound(settings: Any, t: Any) -> Any:
    """A draw at or above this bound means the greedy action, in round t and later.

    Most draws are above it, and then no exponential has to be computed. With Boltzmann exploration
    and with random ties every draw matters, so the bound is 1.
    """
    if int(settings[SCHEDULE]) == BOLTZMANN or settings[RANDOM_TIES] == 1.0:
        return 1.0
    return epsilon_at(settings, t)


@kernel
def boltzmann(q: Any, cell: Any, first: Any, count: Any, temperature: Any, draw: Any) -> Any:
    """Sample an action, its probability proportional to exp(Q / temperature); Q in `q` `[C]`."""
    highest = q[cell + rank(q, cell, first, count)[0]]  # subtracted, so that no exp overflows
    total = 0.0
    for a in range(first, first + count):
        total += exp((q[cell + a] - highest) / temperature)
    rest = draw * total
    for a in range(first, first + count - 1):
        rest -= exp((q[cell + a] - highest) / temperature)
        if rest < 0.0:
            return a
    return first + count - 1


@kernel
def explore(
    q: Any, cell: Any, first: Any, count: Any, greedy: Any, settings: Any, draw: Any, t: Any
) -> Any:
    """A learner's action, where the draw lies below the exploration bound; Q values `q` `[C]`.

    One draw answers every question: below epsilon it explores, and its position below epsilon says
    which action; above epsilon, its position in the rest breaks a tie at random.
    """
    if int(settings[SCHEDULE]) == BOLTZMANN:
        temperature = settings[TEMPERATURE] * exp(-settings[TEMPERATURE_DECAY] * t)
        return boltzmann(q, cell, first, count, temperature, draw)
    epsilon = epsilon_at(settings, t)
    if draw < epsilon:
        return first + min(int(draw / epsilon * count), count - 1)
    if settings[RANDOM_TIES] == 0.0:
        return greedy
    ties = 0
    for a in range(first, first + count):
        if q[cell + a] == q[cell + greedy]:
            ties += 1
    pick = int((draw - epsilon) / (1.0 - epsilon) * ties)
    for a in range(first, first + count):
        if q[cell + a] == q[cell + greedy]:
            if pick == 0:
                return a
            pick -= 1
    return greedy
