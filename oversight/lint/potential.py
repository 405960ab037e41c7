"""Terms that cannot change a best reply: is there a potential that explains them?

    term(s, a, s') = d Phi(s') - Phi(s) + c   for every state s, joint action a, following state s'

A payoff of this form shifts the value of every plan by the same amount, so it changes no best reply
at the discount d, whatever the others do (Ng, Harada, Russell, "Policy invariance under reward
transformations", ICML 1999). The states are those that play can come to, less what nature draws
anew. Phi and c solve one linear least-squares system; the term is harmless if what is left is at
most 1e-9 of its size. A difference of successive values passes, its absolute value does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tacit.emergence.play.state_index import StateIndex
from tacit.emergence.tree.enumeration import count_ends, enumerate_round
from tacit.emergence.tree.initial_states import state_without_past, without_draws
from tacit.emergence.tree.round_tree import legal_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.kpi.scoring import coefficients
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

HARMLESS = 1e-9  # of the term's size: a residual up to this is rounding
MOST_STEPS = 2**18  # steps of the chain
MOST_STATES = 1_500  # the system has one unknown a state, and is solved densely
RIDGE, REFINEMENTS = 1e-8, 20


@dataclass(frozen=True, eq=False)
class ChainSteps:
    """Every step of the chain; K steps between N states.

    Attributes:
        market: in its expected form.
        source: the state before each step, int64 `[K]`.
        target: the state after it, int64 `[K]`.
        measures: of the step, float64 `[K, S + 1, M]`.
        count: N.
        exact: payoffs do not depend on draws within a round.
    """

    market: Market
    source: Ints
    target: Ints
    measures: Floats
    count: int
    exact: bool


class _SameMarket:
    """A market that equals another one of the same config: arms that differ in weights share it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.key = (type(market), market.config.model_dump_json())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameMarket) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def term_residual(market: Market, seat: int, term: kpis.Term, discount: float) -> float:
    """What the best potential leaves of a term, as a share of its largest value.

    What no potential explains in the first round, none explains at all; only where the first round
    says nothing is the whole chain looked at.

    Args:
        market: the market.
        seat: index of the seat whose term it is.
        term: the term; its weight does not matter.
        discount: of the seat's learner.

    Raises:
        ConfigError: the chain has more than 262,144 steps or 1,500 states, or only means over draws
            are known of what the term transforms.
    """
    unweighted = term.model_copy(update={"weight": 1.0})
    return _residual(_SameMarket(market), seat, unweighted, discount)


@lru_cache(maxsize=64)
def _residual(same: _SameMarket, seat: int, term: kpis.Term, discount: float) -> float:
    left = 0.0
    for first_only in (True, False):
        steps = _steps(same, first_only)
        if not steps.exact and term.transform != "value":
            raise ConfigError("only means over draws are known of what the term transforms")
        owner = steps.market.seats[seat]
        values = term_values(steps.market, owner, term, steps.measures)
        left = residual(values, steps.source, steps.target, steps.count, discount)
        if left > HARMLESS:
            break
    return left


@lru_cache(maxsize=2)
def _steps(same: _SameMarket, first_only: bool) -> ChainSteps:
    """Every joint action in every state that play can come to, or in the first state only.

    Raises:
        ConfigError: there are more than 262,144 steps or 1,500 states.
    """
    market = same.market
    kpi = kpis.resolve(market, None)
    ends = count_ends(market)
    index = StateIndex(market.state_width)
    index.add(without_draws(market, state_without_past(market, kpi)))
    legal, done = legal_actions(market), 0
    source, following, measures, exact = [], [], [], True
    while done < (1 if first_only else index.count):
        if index.count * ends > MOST_STEPS or index.count > MOST_STATES:
            raise ConfigError(
                f"the chain has more than {MOST_STEPS:,} steps or {MOST_STATES:,} states"
            )
        frontier = index.states[done : index.count]
        tree = enumerate_round(market, kpi, legal, frontier, np.ones(len(frontier)))
        root = np.arange(len(frontier))
        for layer in tree.layers:
            root = root[layer.origin][layer.node]
        left_behind = without_draws(market, tree.states)
        index.add(left_behind)
        source.append(done + root)
        following.append(left_behind)
        measures.append(tree.measures)
        exact = exact and tree.exact
        done += len(frontier)
    return ChainSteps(
        tree.market,
        np.concatenate(source),
        index.find(np.concatenate(following)),
        np.concatenate(measures),
        index.count,
        exact,
    )


def term_values(market: Market, seat: Seat, term: kpis.Term, measures: Floats) -> Floats:
    """A term, unweighted, under measures float64 `[K, S + 1, M]`: float64 `[K]`."""
    x = measures[:, :-1, market.columns[term.measure]]
    threshold = term.threshold or 0.0
    values = {
        "value": x,
        "absolute": np.abs(x),
        "square": x * x,
        "above": np.maximum(0.0, x - threshold),
        "below": np.maximum(0.0, threshold - x),
    }[term.transform]
    found: Floats = values @ coefficients(market, seat, term)
    return found


def residual(values: Floats, source: Ints, target: Ints, count: int, discount: float) -> float:
    """What the best potential leaves of a term, as a share of the term's largest value.

    Args:
        values: the term at each step, float64 `[K]`.
        source: the state before each step, int64 `[K]`.
        target: the state after it, int64 `[K]`.
        count: N, the number of states.
        discount: d.

    Returns:
        The largest |term - (d Phi(s') - Phi(s) + c)| over steps, divided by the largest |term|; 0
        for a term that is 0 everywhere.
    """
    size = float(np.abs(values).max(initial=0.0))
    if size == 0.0:
        return 0.0
    from scipy import linalg, sparse  # slow to import

    steps, scaled = np.arange(len(values)), values / size
    entries = np.concatenate([
        np.full(len(values), discount), np.full(len(values), -1.0), np.ones(len(values))
    ])  # fmt: skip
    columns = np.concatenate([target, source, np.full(len(values), count)])
    shape = (len(values), count + 1)
    system = sparse.csr_matrix((entries, (np.tile(steps, 3), columns)), shape)
    # Normal equations: K may be a hundred times N. Phi is determined up to a constant only, so a
    # little is added to the diagonal; what this and rounding leave is solved for again.
    normal = (system.T @ system).toarray()
    normal[np.diag_indices_from(normal)] += RIDGE * len(values) / count
    factor = linalg.cho_factor(normal)
    solution, left = np.zeros(count + 1), scaled
    for _ in range(REFINEMENTS):
        solution += linalg.cho_solve(factor, system.T @ left)
        left = scaled - system @ solution
    return float(np.abs(left).max())
