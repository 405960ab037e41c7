"""The joint chain: every state that frozen policies, or one seat leaving them, can come to.

Nodes are the market's state rows, found by playing: from the given states on, every seat in turn
takes each of its actions against the others' tables, until nothing new appears. A best responder on
this chain knows the state, whatever its seat observes.

    V_i(x)  = sum_a table_i[o_i(x), a] (r_i(x, a) + d sum_r p(r) V_i(next(x, a, r)))
    V_i*(x) = max_a (r_i(x, a) + d sum_r p(r) V_i*(next(x, a, r)))

with r_i expected over the others' joint actions r (`tacit.emergence.play.one_step_payoffs`), to
1e-10 by value iteration (Puterman, Markov Decision Processes, Wiley 1994, chapter 6). Exact for
markets of one phase whose next state depends on state and actions only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.population import FrozenPopulation
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

from .one_step_payoffs import OneStepPayoffs, combinations, draws_to_average, one_step_payoffs
from .replays import observations_in
from .state_index import StateIndex

TEMPLATE = "tacit.emergence.play.value_loop"
MOST_STATES = 2**16
MOST_PLAYS = 2**22  # rounds played to find the states
TOLERANCE = 1e-10
SWEEPS = 100_000
SETTLED = 1e-13  # the change of all shares together at which the long run is reached


@dataclass(frozen=True)
class DecisionProblem:
    """One seat's Markov decision problem on N nodes, the others' tables frozen.

    A: the seat's actions; R: joint actions of the others (1 where all tables are deterministic).

    Attributes:
        fundamental: expected fundamental of a round, float64 `[N, A]`; -inf: illegal action.
        kpi: expected KPI payoff of a round, float64 `[N, A]`; -inf: illegal action.
        successor: the node that follows, int32 `[N, A, R]`.
        probability: probability of the others' joint action, float64 `[N, R]`.
        table: probability of the seat's own actions, float64 `[N, A]`.
    """

    fundamental: Floats
    kpi: Floats
    successor: NDArray[np.int32]
    probability: Floats
    table: Floats


@dataclass(frozen=True)
class Chain:
    """The joint chain of S seats on N nodes.

    Attributes:
        market: the market that was played, in its expected form.
        discount: weight of the next round.
        states: the nodes' state rows, float64 `[N, W]`; the states it was built from come first.
        observations: what every seat observes there, int64 `[N, S]`.
        seats: the decision problem of each seat.
    """

    market: Market
    discount: float
    states: Floats
    observations: Ints
    seats: tuple[DecisionProblem, ...]

    def best_value(self, seat: int, payoff: str) -> Floats:
        """V* float64 `[N]` of a seat; `payoff`: 'fundamental' or 'kpi'."""
        own = self.seats[seat]
        return self._solve(getattr(own, payoff), own.successor, own.probability)

    def value(self, seat: int, payoff: str) -> Floats:
        """V float64 `[N]` of a seat's own table; `payoff`: 'fundamental' or 'kpi'."""
        own = self.seats[seat]
        # Where the probability is 0 the payoff may be -inf, and 0 x -inf would be NaN.
        products = np.zeros(own.table.shape)
        np.multiply(own.table, getattr(own, payoff), out=products, where=own.table > 0)
        expected = products.sum(axis=1)
        count = len(self.states)
        # Policy evaluation is value iteration with one "action" whose successors are those of all
        # actions, weighted by the table.
        joint = (own.table[:, :, None] * own.probability[:, None, :]).reshape(count, -1)
        successor, probability = possible_only(own.successor.reshape(count, -1), joint)
        return self._solve(expected[:, None], successor[:, None], probability)

    def value_of_actions(self, seat: int, payoff: str, actions: Ints) -> Floats:
        """V float64 `[N]` of a seat that takes the given action in each node.

        Args:
            seat: the index of the seat.
            payoff: 'fundamental' or 'kpi'.
            actions: a legal action in each node, int64 `[N]`.
        """
        own, nodes = self.seats[seat], np.arange(len(actions))
        earned = getattr(own, payoff)[nodes, actions]
        return self._solve(earned[:, None], own.successor[nodes, actions][:, None], own.probability)

    def advantage(self, seat: int, payoff: str, value: Floats) -> Floats:
        """What one other action gains if the own table is played ever after, float64 `[N, A]`.

        Args:
            seat: the index of the seat.
            payoff: 'fundamental' or 'kpi'.
            value: V of its own table, float64 `[N]`.
        """
        own = self.seats[seat]
        later = np.einsum("nar,nr->na", value[own.successor], own.probability)
        gain: Floats = getattr(own, payoff) + self.discount * later - value[:, None]
        return gain

    def _solve(self, payoff: Floats, successor: NDArray[np.int32], probability: Floats) -> Floats:
        values = np.zeros(len(payoff))
        arrays = [np.ascontiguousarray(x) for x in (successor, probability, payoff)]
        compiled(TEMPLATE, None).iterate(*arrays, self.discount, TOLERANCE, SWEEPS, values)
        return values


def possible_only(
    successor: NDArray[np.int32], probability: Floats
) -> tuple[NDArray[np.int32], Floats]:
    """Successors and their probabilities without those of probability 0.

    What is left keeps its order, so sums over it stay the same to the last bit. Rows that have
    fewer than the longest one are filled up with some of probability 0.

    Args:
        successor: the node that follows, int32 `[N, K]`.
        probability: of each of them, float64 `[N, K]`.

    Returns:
        The same two arrays with at most K columns.
    """
    longest = int((probability > 0).sum(axis=1).max())
    if longest == probability.shape[1]:
        return successor, probability
    first = np.argsort(probability <= 0, axis=1, kind="stable")[:, :longest]
    return np.take_along_axis(successor, first, 1), np.take_along_axis(probability, first, 1)


def build_chain(population: FrozenPopulation, states: Floats) -> Chain | None:
    """The chain from `states` float64 `[X, W]` on; None where it is too large."""
    market = population.market
    seats = range(len(market.seats))
    plays_per_state = sum(combinations(population, i) for i in seats)
    draws = draws_to_average(market)
    index = StateIndex(states.shape[1])
    index.add(states)
    payoffs: list[list[OneStepPayoffs]] = [[] for _ in seats]
    observations: list[Ints] = []
    done = 0
    # Breadth first: each pass plays the states that the pass before has found.
    while done < index.count:
        if index.count > MOST_STATES or index.count * plays_per_state > MOST_PLAYS:
            return None
        frontier = index.states[done : index.count]
        done = index.count
        observed = observations_in(market, population.kpi, frontier)
        observations.append(observed)
        for i in seats:
            own = one_step_payoffs(population, frontier, observed, i, draws)
            index.add(own.following.reshape(-1, states.shape[1]))
            payoffs[i].append(own)
    seen = np.concatenate(observations)
    problems = tuple(
        _decision_problem(payoffs[i], population.tables[i][seen[:, i]], index) for i in seats
    )
    return Chain(market, population.discount, index.states[: index.count], seen, problems)


def _decision_problem(
    parts: list[OneStepPayoffs], table: Floats, index: StateIndex
) -> DecisionProblem:
    """One seat's problem from its payoffs, frontier by frontier, and its table `[N, A]`."""
    following = np.concatenate([part.following for part in parts])
    successor = index.find(following.reshape(-1, following.shape[-1])).astype(np.int32)
    return DecisionProblem(
        fundamental=np.concatenate([part.fundamental for part in parts]),
        kpi=np.concatenate([part.kpi for part in parts]),
        successor=successor.reshape(following.shape[:-1]),
        probability=np.concatenate([part.probability for part in parts]),
        table=table,
    )


def long_run_shares(source: Ints, target: Ints, probability: Floats, count: int) -> Floats:
    """Long-run shares of time of `count` states, float64 `[count]`, from the first on.

    The chain is made lazy, which leaves its long run and takes away its cycles.

    Args:
        source: where each step begins, int64 `[K]`.
        target: where it leads, int64 `[K]`.
        probability: of the step, given where it begins, float64 `[K]`.
        count: the number of states.
    """
    share = np.zeros(count)
    share[0] = 1.0
    for _ in range(SWEEPS):
        moved = np.bincount(target, share[source] * probability, minlength=count)
        if np.abs(moved - share).sum() < SETTLED:
            break
        share = 0.5 * (share + moved)
    return share
