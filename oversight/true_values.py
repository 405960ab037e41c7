"""What an action is worth to a seat, term by term of its KPI, while everybody plays as they do.

    worth_k(a) = E[term_k of this round | a] + d E[sum over later rounds of d^t term_k]

with the frozen tables of all seats, d the seat's own discount, terms before their weights. Computed
exactly, in one of two ways:

- Where no round touches a later one, this round alone differs between actions. It is enumerated
  (`tacit.emergence.tree`), and the expectation is over all that the seat does not see.
- Else on the joint chain from the market's state (`tacit.emergence.play.chain`), later rounds
  included.

Draws within a round that the market has no expected form of (a lottery among requests) are sampled:
then figures are means over some sets of draws, and not `exact`. Where neither way applies, the
reason is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tacit.emergence.objective.patient_regret import rounds_are_independent
from tacit.emergence.play.applicability import why_no_chain
from tacit.emergence.play.best_response import is_linear
from tacit.emergence.play.chain import build_chain
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import (
    action_probability,
    edge_probability,
    expected_value,
)
from tacit.emergence.tree.initial_states import state_without_past
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Seat
from tacit.envs.types import Floats

GREEDY = "if everyone follows their policy of that round and nobody explores"
EXPLORING = (
    "if everyone follows their policy of that round and explores as then (otherwise nobody would "
    "come to this)"
)
NEVER = "play under the policies of that round never comes to this"
ROUND, EVER_AFTER = "this round only", "this and all later rounds"


class Worth(NamedTuple):
    """What actions are worth.

    Attributes:
        terms: by action, one number for each KPI term of the seat, unweighted, float64 `[H]`.
        covers: which rounds are counted: ROUND or EVER_AFTER.
        policies: whose policies were played, in words: GREEDY or EXPLORING.
        exact: nothing is a mean over some draws.
        reason: why it is not told; None: it is.
    """

    terms: dict[int, Floats]
    covers: str
    policies: str
    reason: str | None = None
    exact: bool = True

    @property
    def is_never_reached(self) -> bool:
        """Whether these policies never come to the observation."""
        return self.reason == NEVER


def worth_of_actions(
    population: FrozenPopulation,
    seat: Seat,
    phase: int,
    observation: int,
    state: Floats,
    actions: Sequence[int],
    policies: str = GREEDY,
) -> Worth:
    """What some actions of a seat are worth at an observation.

    Args:
        population: everybody's tables, as they play.
        seat: who acts.
        phase: when.
        observation: what it sees, 0 .. O-1.
        state: the market's state before the round, float64 `[W]`.
        actions: legal actions.
        policies: whose policies the tables are, in words.
    """
    try:
        if rounds_are_independent(population.market, population.kpi):
            found = _in_the_round(population, seat, phase, observation, actions)
        else:
            found = _on_the_chain(population, seat, state, actions)
        return found._replace(policies=policies)
    except ConfigError as error:
        return Worth({}, ROUND, GREEDY, "; ".join(error.mistakes).rstrip("."))


def _in_the_round(
    population: FrozenPopulation, seat: Seat, phase: int, observation: int, actions: Sequence[int]
) -> Worth:
    """By enumerating the round: means over what the seat does not see."""
    market, tables, i = population.market, population.tables, seat.index
    roots = state_without_past(market, population.kpi)
    allowed = played_actions(market, tables, free_seat=i)
    tree = enumerate_round(market, population.kpi, allowed, roots)
    first, count = _terms_of(population.kpi, seat)
    layer = tree.layers[phase]
    reached = layer.probability.copy()
    if phase:
        reached *= edge_probability(tree, tables)[phase - 1][layer.origin]
    # The seat's own choice in this phase is what is asked about; the others make theirs.
    weight = reached[layer.node] * action_probability(layer, tables, without_seat=i)
    values = expected_value(tree, tables, tree.scores[:, first : first + count])[phase]
    seen = layer.observations[layer.node, i] == observation
    found = {}
    for action in actions:
        edges = np.flatnonzero(seen & (layer.actions[:, i] == action))
        total = weight[edges].sum()
        if total <= 0.0:
            return Worth({}, ROUND, GREEDY, NEVER)
        found[action] = weight[edges] @ values[edges] / total
    return Worth(found, ROUND, GREEDY, exact=tree.exact)


def _on_the_chain(
    population: FrozenPopulation, seat: Seat, state: Floats, actions: Sequence[int]
) -> Worth:
    """By the joint chain from the present state on, one KPI term after the other."""
    market, i = population.market, seat.index
    if (reason := why_no_chain(market, population.kpi)) is not None:
        return Worth({}, EVER_AFTER, GREEDY, reason)
    expected = market.analysis.expected()
    if expected is not market and not is_linear(population.kpi):
        reason = "a term transforms a measure of which only the mean over draws is computed"
        return Worth({}, EVER_AFTER, GREEDY, reason)
    found = {action: np.zeros(len(population.kpi[seat.name])) for action in actions}
    for k, (name, term) in enumerate(population.kpi[seat.name].items()):
        alone = {**population.kpi, seat.name: {name: term.model_copy(update={"weight": 1.0})}}
        frozen = replace(
            population, market=expected, kpi=alone, rows=None, discount=population.discounts[i]
        )
        chain = build_chain(frozen, state[None])
        if chain is None:
            return Worth({}, EVER_AFTER, GREEDY, "the joint chain from here on is too large")
        value = chain.value(i, "kpi")
        advantage = chain.advantage(i, "kpi", value)
        for action in actions:
            found[action][k] = advantage[0, action] + value[0]
    return Worth(found, EVER_AFTER, GREEDY, exact=not expected.play_draws)


def _terms_of(kpi: kpis.KpiTable, seat: Seat) -> tuple[int, int]:
    """The first column of a seat's terms among the scores of a round, and their number."""
    names = list(kpi)
    return sum(len(kpi[name]) for name in names[: seat.index]), len(kpi[seat.name])
