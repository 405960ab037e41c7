"""One seat leaves the path for a round, and what follows: the material of two probes.

At a state x of the limit path (`tacit.emergence.play.limit_path`), for every seat i:

    g  = max_a payoff_i(x, a) - payoff_i(x, own action)                what the best reply gains
    L  = sum_{t>=1} d^t [payoff_i(path_t) - payoff_i(after_t)]         what it costs later
    L_repent = the same when i goes back to its path actions at once: the others' doing alone

with d the probe discount and fundamentals as payoffs. After the one round everybody plays its table
again; for L_repent all but the deviator. What play is like long after the deviation, and whether it
meets its path again, says what form the answer has. The same is played with a deviation of as many
steps the other way (in prices: up), as far as the grid goes. Exact where tables and market draw
nothing and the path is a cycle; else 16 states of the path, and 16 paired replays of each where
something is drawn, are a sample, and `exact` is False.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.population import FrozenPopulation
from tacit.envs.market import Market
from tacit.envs.types import Bools, Floats, Ints

from .deviation_replays import DeviationReplays
from .limit_path import limit_path
from .one_step_payoffs import draws_to_average, one_step_payoffs, plays_deterministically
from .replays import observations_in

SAMPLED_STATES = 16  # of a path without a cycle
ROUNDING = 1e-9  # gains below this, in units of the range, are rounding


@dataclass(frozen=True)
class Deviations:
    """Deviations from the limit path by a static best reply, one for each state and seat: D in all.

    Gains and losses are in units of profit_M - profit_N. R rounds from the deviation on, S seats.

    Attributes:
        seat: the seat that deviates, int64 `[D]`.
        steps: steps of conduct from the path down to the best reply (negative: up), int64 `[D]`.
        gain: g, float64 `[D]`.
        loss: L, float64 `[D]`.
        repented_loss: L_repent, float64 `[D]`.
        state: the number of the deviation's state, 0 .. X - 1, int64 `[D]`.
        before: everybody's conduct in the round before, float64 `[D, S]`.
        path: everybody's conduct without the deviation, float64 `[D, R, S]`.
        after: everybody's conduct after the best reply, float64 `[D, R, S]`.
        opposite: the same after the opposite step; NaN where there is none, float64 `[D, R, S]`.
        returned: the first round, 1 being the deviation's, after which the state is on the path
            again; float64 `[D]`, NaN: not within the horizon.
        returns: whether it is so within 100 rounds (of most replays), bool `[D]`.
        rest: mean measures of play long after the best reply, float64 `[D, S + 1, M]`.
        settled: play then stands still or goes round among at most S states, bool `[D]`.
        exact: nothing was drawn, and every state of the limit cycle was used.
    """

    seat: Ints
    steps: Ints
    gain: Floats
    loss: Floats
    repented_loss: Floats
    state: Ints
    before: Floats
    path: Floats
    after: Floats
    opposite: Floats
    returned: Floats
    returns: Bools
    rest: Floats
    settled: Bools
    exact: bool

    @property
    def profitable(self) -> Bools:
        """Where the best reply gains anything in its round, bool `[D]`."""
        return self.gain > ROUNDING


def deviations(population: FrozenPopulation) -> Deviations:
    """Every deviation from the limit path by a static best reply; computed once per population."""
    if population not in _KNOWN:
        _KNOWN[population] = _deviations(population)
    return _KNOWN[population]


_KNOWN: WeakKeyDictionary[FrozenPopulation, Deviations] = WeakKeyDictionary()


def _deviations(population: FrozenPopulation) -> Deviations:
    market = population.market.analysis.expected()
    frozen = replace(population, market=market, rows=None)
    still = plays_deterministically(population) and not market.play_draws
    path = limit_path(population)
    # A whole cycle without draws is exact; else evenly spaced states are a sample of the path. They
    # begin with the second one where the round before the first is not on it.
    chosen, exact = np.arange(len(path.states)), still and path.period > 0
    if not exact:
        first = 0 if path.period else 1
        chosen = np.linspace(first, chosen[-1], min(len(chosen) - first, SAMPLED_STATES)).astype(
            int
        )
    states, seats = path.states[chosen], len(market.seats)
    conduct_column = market.columns[market.analysis.rivalry[market.roles[0].name].measure]
    # Index -1 of the first round occurs on a cycle only, where the last round precedes it.
    before = path.measures[chosen - 1, :seats, conduct_column]
    seat = np.tile(np.arange(seats), len(states))
    gain, own, best = _best_replies(frozen, states)
    steps, opposite = opposite_actions(market, own, best)
    start = np.repeat(np.arange(len(states)), seats)
    replays = DeviationReplays(frozen, states, start, seat, still)
    after = replays.run(best, path.states)
    reverse = replays.run(opposite, path.states)
    low, high = benchmark_range(market)
    no_opposite = (opposite == own)[:, None, None]
    return Deviations(
        seat=seat,
        steps=steps,
        gain=gain / (high - low),
        loss=after.loss / (high - low),
        repented_loss=after.repented_loss / (high - low),
        state=start,
        before=np.repeat(before, seats, axis=0),
        path=after.path,
        after=after.conduct,
        opposite=np.where(no_opposite, np.nan, reverse.conduct),
        returned=after.returned,
        returns=after.returns,
        rest=after.rest,
        settled=after.settled,
        exact=exact,
    )


def _best_replies(population: FrozenPopulation, states: Floats) -> tuple[Floats, Ints, Ints]:
    """Of every seat in `states` `[X, W]`, state by state, `[X * S]` each: the gain of the static
    best reply float64, the most likely own action int64, and the best reply int64."""
    market = population.market
    observations = observations_in(market, population.kpi, states)
    shape = (len(states), len(market.seats))
    gain, own, best = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    draws = draws_to_average(market)
    for i, table in enumerate(population.tables):
        payoffs = one_step_payoffs(population, states, observations, i, draws)
        probability = table[observations[:, i]]
        # Where the probability is 0 the payoff may be -inf, and 0 x -inf would be NaN.
        products = np.zeros(probability.shape)
        np.multiply(probability, payoffs.fundamental, out=products, where=probability > 0)
        earned = products.sum(axis=1)
        gain[:, i] = payoffs.fundamental.max(axis=1) - earned
        own[:, i], best[:, i] = probability.argmax(axis=1), payoffs.fundamental.argmax(axis=1)
    return gain.ravel(), own.ravel(), best.ravel()


def opposite_actions(market: Market, own: Ints, best: Ints) -> tuple[Ints, Ints]:
    """Deviations of the same size in the other direction.

    Args:
        market: a market of one role.
        own: actions on the path, int64 `[D]`.
        best: best replies, int64 `[D]`.

    Returns:
        Steps of conduct from `own` down to `best`, int64 `[D]`, and the action that lies as many
        steps on the other side of `own`, or as far as the grid goes, int64 `[D]`.
    """
    role = market.roles[0]
    parts = role.choices[0]
    names = [part.name for part in parts]
    k = names.index(market.analysis.rivalry[role.name].part)
    size, stride = len(parts[k].values), prod(len(part.values) for part in parts[k + 1 :])
    position = own // stride % size
    steps = position - best // stride % size
    return steps, own + (np.clip(position + steps, 0, size - 1) - position) * stride
