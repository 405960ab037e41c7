"""In which states a round may begin in the long run of memoryless tables, under a KPI that looks
back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.play.chain import SETTLED, long_run_shares
from tacit.emergence.play.state_index import StateIndex
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.expectations import edge_probability
from tacit.emergence.tree.initial_states import state_without_past, without_draws
from tacit.emergence.tree.payoff_history import looks_back
from tacit.emergence.tree.round_tree import RoundTree, played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats, Ints

MOST_BEGINNINGS = 4_096


def round_beginnings(
    market: Market, kpi: kpis.KpiTable, tables: Sequence[PolicyTable]
) -> tuple[Floats, Floats | None]:
    """States in which a round may begin: where the KPI looks back, those that rounds of the same
    tables leave behind in the long run; else one without a past.

    What a round leaves behind may depend on the round before (the last price stays if nothing is
    sold), so rounds are followed until no new state appears, and each is weighted by the long-run
    share of time, from the market's reset on.

    Args:
        market: a market in which seats remember nothing.
        kpi: the resolved KPI table.
        tables: one policy table per seat, float64 `[O, A]` each.

    Returns:
        The states float64 `[R, W]` and their probabilities float64 `[R]`; None: there is one.

    Raises:
        ConfigError: a round is too large to enumerate, or there are more than 4,096 states.
    """
    start = state_without_past(market, kpi)
    if not looks_back(market, kpi):
        return start, None
    allowed = played_actions(market, tables)
    index = StateIndex(start.shape[1])
    index.add(without_draws(market, start))
    source, following, probability = [], [], []
    done = 0
    while done < index.count:
        if index.count > MOST_BEGINNINGS:
            raise ConfigError(
                f"a KPI that looks back: rounds begin in more than {MOST_BEGINNINGS:,} states."
            )
        frontier = index.states[done : index.count]
        tree = enumerate_round(market, kpi, allowed, frontier, np.ones(len(frontier)))
        # The next round draws anew, so leaves that differ in this round's draws only are one state.
        left_behind = without_draws(market, tree.states)
        index.add(left_behind)
        source.append(done + roots_of_leaves(tree))
        following.append(left_behind)
        probability.append(edge_probability(tree, tables)[-1])
        done += len(frontier)
    target = index.find(np.concatenate(following))
    share = long_run_shares(
        np.concatenate(source), target, np.concatenate(probability), index.count
    )
    kept = share > SETTLED
    return index.states[kept], share[kept] / share[kept].sum()


def roots_of_leaves(tree: RoundTree) -> Ints:
    """The root from which each leaf of a tree comes, int64 `[L]`."""
    root = tree.layers[0].origin[tree.layers[0].node]
    for layer in tree.layers[1:]:
        root = root[layer.origin][layer.node]
    return root
