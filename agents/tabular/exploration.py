"""Compiled exploration: which action a Q-learner takes, given one uniform draw.

`settings` is a seat's row of `QArrays.settings`; t counts rounds since training began. The row of Q
values is the stretch of `q` from `cell` on, its legal actions `first` .. `first + count - 1`.
"""

from __future__ import annotations

from math import exp
from typing import Any

from tacit.agents.tabular.arrays import (
    BOLTZMANN,
    BOUND_ROUNDS,
    CONSTANT,
    EPSILON,
    EPSILON_DECAY,
    EPSILON_MIN,
    EXPLORATION_BOUND,
    EXPLORATION_FLOOR,
    EXPONENTIAL,
    LEAST_SCALE,
    MOST_SCALE,
    RANDOM_TIES,
    SCHEDULE,
    TEMPERATURE,
    TEMPERATURE_DECAY,
)
from tacit.agents.tabular.q_values import rank
from tacit.envs.jit.array_views import at
from tacit.envs.jit.decorators import called_kernel, kernel

ROUNDING = 1e-12  # of a bound: what rounding may add to a quotient, and much more


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
def renew_bounds(settings: Any, t: Any) -> None:
    """Bound epsilon in the rounds t .. t + BOUND_ROUNDS - 1, so that few draws need it exactly.

    A draw at or above EXPLORATION_BOUND does not explore; one below EXPLORATION_FLOOR does. A draw
    divided by epsilon lies between its products with LEAST_SCALE and MOST_SCALE. With Boltzmann
    exploration every draw matters, so the bound is 1 and the floor 0; of the smallest epsilons
    nothing is said but the bound.
    """
    settings[EXPLORATION_FLOOR] = settings[LEAST_SCALE] = settings[MOST_SCALE] = 0.0
    if int(settings[SCHEDULE]) == BOLTZMANN:
        settings[EXPLORATION_BOUND] = 1.0
        return
    highest, lowest = epsilon_at(settings, t), epsilon_at(settings, t + BOUND_ROUNDS)
    settings[EXPLORATION_BOUND] = highest
    if lowest > ROUNDING:
        settings[EXPLORATION_FLOOR] = lowest * (1.0 - ROUNDING)
        settings[LEAST_SCALE] = (1.0 - ROUNDING) / highest
        settings[MOST_SCALE] = (1.0 + ROUNDING) / lowest


@kernel
def boltzmann(q: Any, cell: Any, first: Any, count: Any, temperature: Any, draw: Any) -> Any:
    """Sample an action, its probability proportional to exp(Q / temperature); Q in `q` `[C]`."""
    _, highest, _ = rank(q, cell, first, count)  # subtracted, so that no exp overflows
    total = 0.0
    for a in range(first, first + count):
        total += exp((q[cell + a] - highest) / temperature)
    rest = draw * total
    for a in range(first, first + count - 1):
        rest -= exp((q[cell + a] - highest) / temperature)
        if rest < 0.0:
            return a
    return first + count - 1


@called_kernel
def explore(
    q: Any, cell: Any, first: Any, count: Any, greedy: Any, settings: Any, draw: Any, t: Any
) -> Any:
    """A learner's action, from one draw, whatever the bounds say; Q values `q` `[C]`.

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


@kernel
def quick_choice(
    draw: Any,
    explores_below: Any,
    surely_below: Any,
    least_scale: Any,
    most_scale: Any,
    count: Any,
    greedy: Any,
    is_clear: Any,
) -> Any:
    """Which of `count` actions is taken, as far as bounds of epsilon say; -1: `explore` must.

    A draw explores below `explores_below` if at all, and surely below `surely_below`. Between the
    two bounds of draw / epsilon lies mostly no integer, and then no exponential has to be computed.
    `is_clear` says that no tie is to be broken if the greedy action is taken.
    """
    if draw >= explores_below:
        if is_clear:
            return greedy
    elif draw < surely_below:
        least = int(draw * least_scale * count)
        if least == int(draw * most_scale * count):
            return min(least, count - 1)
    return -1


@kernel
def choose(
    q: Any,
    cell: Any,
    first: Any,
    count: Any,
    greedy: Any,
    runner_up: Any,
    settings: Any,
    draw: Any,
    t: Any,
) -> Any:
    """`explore` with Q values `q` `[C]`, where mostly bounds of epsilon say enough.

    `runner_up` is at least every other Q of the row: where it lies below the greedy action's there
    is no tie to break.
    """
    is_clear = settings[RANDOM_TIES] == 0.0 or runner_up < q[at(cell + greedy)]
    action = quick_choice(
        draw,
        settings[EXPLORATION_BOUND],
        settings[EXPLORATION_FLOOR],
        settings[LEAST_SCALE],
        settings[MOST_SCALE],
        count,
        greedy - first,
        is_clear,
    )
    if action >= 0:
        return first + action
    return explore(q, cell, first, count, greedy, settings, draw, t)
