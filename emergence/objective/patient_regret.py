"""What a seat would gain by the best reply within what it sees, all rounds to come counted.

    gain = (1 - d) max over tables of sum_n w_n [V_table(n) - V_own(n)],   d the seat's own discount

on the joint chain of the frozen tables (`tacit.emergence.play.chain`), w the share of time that the
limit path spends in node n. A table gives every observation one action, so a seat that sees less
than the state cannot do more than what it sees allows. In this order:

1. Where no round touches a later one (nobody remembers, no payoff looks back), the gain is that of
   one round.
2. Value iteration finds V*, the best reply of a seat that knew the state. If at each observation
   one action is best in all nodes that look so, a table attains V*, and none does better.
3. Else every table over the observations that the seat can come to is tried, as long as tables x
   nodes are at most 262,144; mixed tables are not.
4. Else, and where there is no chain, the gain is not measured.

Source of value iteration: Puterman, Markov Decision Processes, Wiley 1994, chapter 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from tacit.emergence.play.applicability import why_no_analysis, why_no_chain
from tacit.emergence.play.best_response import is_linear, joint_chain, path_weights
from tacit.emergence.play.chain import MOST_PLAYS, MOST_STATES, Chain
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.initial_states import without_memory
from tacit.emergence.tree.payoff_history import looks_back
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.types import Bools, Floats, Ints

MOST_TRIED = 2**18  # tables x nodes
TIE = 1e-6  # of the largest payoff: actions that are worse by less are as good as the best
PAYOFFS = ("kpi", "fundamental")


@dataclass(frozen=True)
class PatientGains:
    """What patient best replies gain, of K seats.

    Attributes:
        kpi: in KPI payoff per round, one number a seat.
        fundamental: in the fundamental per round, one number a seat.
        exact: nothing was drawn, and the limit path is a whole cycle.
    """

    kpi: tuple[float, ...]
    fundamental: tuple[float, ...]
    exact: bool


def rounds_are_independent(market: Market, kpi: kpis.KpiTable) -> bool:
    """Whether nothing that seats do in a round matters in a later one."""
    past = {measure.name for measure in market.measures if measure.past}
    if looks_back(market, kpi) or past & {role.fundamental for role in market.roles}:
        return False
    return without_memory(market) is market


def patient_gains(population: FrozenPopulation, seats: Sequence[int]) -> PatientGains | None:
    """The gains of some seats; None where one of them cannot be measured.

    For markets whose rounds are not independent (`rounds_are_independent`).
    """
    chain = joint_chain(population)
    if chain is None:
        return None
    weight = path_weights(population, chain)
    gains: dict[str, list[float]] = {payoff: [] for payoff in PAYOFFS}
    for seat in seats:
        discount, problem = population.discounts[seat], chain.seats[seat]
        same = np.array_equal(problem.kpi, problem.fundamental)
        for payoff in PAYOFFS:
            if same and payoff != PAYOFFS[0]:  # paid for the fundamental: there is one problem
                gains[payoff].append(gains[PAYOFFS[0]][-1])
                continue
            own, size = in_largest_payoffs(replace(chain, discount=discount), seat, payoff)
            best = best_within_sight(own, seat, payoff, weight)
            if best is None:
                return None
            value = float(weight @ own.value(seat, payoff))
            # Staying is a reply too: rounding may not make the best one worse.
            gains[payoff].append((1.0 - discount) * size * max(0.0, best - value))
    exact = not chain.market.play_draws and limit_path(population).period > 0
    return PatientGains(tuple(gains["kpi"]), tuple(gains["fundamental"]), exact)


def why_no_patient_gains(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why patient gains are not measured in any population; None: nothing speaks against them."""
    if (reason := why_no_analysis(market, "memoryless")) is not None:
        return reason
    if rounds_are_independent(market, kpi):
        return None
    if (reason := why_no_chain(market, kpi)) is not None:
        return reason
    if market.analysis.expected() is not market and not is_linear(kpi):
        return "the KPI transforms a measure of which only the mean over draws is computed"
    return None


TOO_LARGE = (
    f"the joint chain has more than {MOST_STATES:,} states or takes more than {MOST_PLAYS:,} "
    f"rounds, or a seat that sees less than the state has too many tables to try ({MOST_TRIED:,})"
)


def in_largest_payoffs(chain: Chain, seat: int, payoff: str) -> tuple[Chain, float]:
    """The chain with one of a seat's payoffs as shares of the largest, and that largest one.

    Values are then computed to the same share of what is at stake, whatever weights a KPI has.
    """
    problem = chain.seats[seat]
    payoffs: Floats = getattr(problem, payoff)
    size = float(np.abs(payoffs[np.isfinite(payoffs)]).max()) or 1.0
    seats = list(chain.seats)
    in_kpi = payoff == "kpi"
    seats[seat] = (
        replace(problem, kpi=payoffs / size)
        if in_kpi
        else replace(problem, fundamental=payoffs / size)
    )
    return replace(chain, seats=tuple(seats)), size


def best_within_sight(chain: Chain, seat: int, payoff: str, weight: Floats) -> float | None:
    """The largest value that a table of a seat attains, discounted sums averaged over the path.

    Args:
        chain: the joint chain under the seat's own discount, in shares of its largest payoff.
        seat: the index of the seat.
        payoff: 'kpi' or 'fundamental'.
        weight: the share of time in each node, float64 `[N]`.

    Returns:
        The value; None where there are too many tables to try.
    """
    best = chain.best_value(seat, payoff)
    payoffs: Floats = getattr(chain.seats[seat], payoff)
    reached = reachable(chain, seat, weight > 0)
    observed = chain.observations[reached, seat]
    seen, group = np.unique(observed, return_inverse=True)
    as_good = chain.advantage(seat, payoff, best)[reached] >= -TIE
    if _good_everywhere(as_good, group.ravel(), len(seen)).any(axis=1).all():
        return float(weight @ best)
    # Nodes that look alike have the same legal actions.
    first = np.array([reached[np.flatnonzero(group.ravel() == g)[0]] for g in range(len(seen))])
    choices = [np.flatnonzero(np.isfinite(payoffs[node])) for node in first]
    if prod(len(own) for own in choices) * len(reached) > MOST_TRIED:
        return None
    actions = np.zeros(len(payoffs), np.int64)
    legal = np.isfinite(payoffs)
    actions[:] = legal.argmax(axis=1)  # of nodes that are not reached
    largest = -np.inf
    for table in product(*choices):
        actions[reached] = np.array(table)[group.ravel()]
        largest = max(largest, float(weight @ chain.value_of_actions(seat, payoff, actions)))
    return largest


def _good_everywhere(as_good: Bools, group: Ints, groups: int) -> Bools:
    """Which actions are good in all nodes of a group, bool `[G, A]`.

    Args:
        as_good: whether each action is good in each of N nodes, bool `[N, A]`.
        group: the group of each node, int64 `[N]`.
        groups: G, how many there are.
    """
    found = np.ones((groups, as_good.shape[1]), bool)
    np.logical_and.at(found, group, as_good)
    return found


def reachable(chain: Chain, seat: int, start: Bools) -> Ints:
    """The nodes that a seat can come to by its own actions from the `start` nodes bool `[N]`, in
    order, int64 `[K]`."""
    own = chain.seats[seat]
    legal, possible = np.isfinite(own.fundamental), own.probability > 0
    found = start.copy()
    frontier: Ints = np.flatnonzero(start)
    while frontier.size:
        chosen = legal[frontier][:, :, None] & possible[frontier][:, None, :]
        following = np.unique(own.successor[frontier][chosen]).astype(np.int64)
        frontier = following[~found[following]]
        found[frontier] = True
    return np.flatnonzero(found)
