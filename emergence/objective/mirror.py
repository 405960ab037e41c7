"""The best-response benchmark of a KPI, called its *mirror*: what the KPI alone asks for.

It is what memoryless best responders settle on under the KPI:

    x_0 ~ Dirichlet(1);   x_(t+1) = x_t + (best reply to x_t - x_t) / (t + 2),   t = 0 .. 3,999

for all seats at once (simultaneous fictitious play in expectation; Brown, "Iterative Solution of
Games by Fictitious Play", in: Activity Analysis of Production and Allocation, 1951), best replies
spread evenly over ties, from 32 starts. The discount is 0: a reply looks at its own round only. A
KPI that looks back (at the last price, say) is paid against a last round drawn from the same play,
as in the long run; only where seats observe that past do they have one table for each history.

Nothing in it remembers, punishes or explores, so whatever harm it shows comes from the KPI alone.
The equilibria of a KPI may be a set, and starts may settle on different ones: reported are mean and
10-90 % range over starts, in the units of each measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from typing import Any

import numpy as np

from tacit.emergence.found_once import found_once, kept_for_others, weighted_key
from tacit.emergence.named_measures import named_measures
from tacit.emergence.tree.payoff_history import PayoffHistories, payoff_histories
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market
from tacit.envs.types import Floats

from .mirror_build import build_fictitious_play
from .mirror_game import FictitiousPlayGame

TEMPLATE = "tacit.emergence.objective.mirror_loop"
KEPT = "mirrors"  # the kind of what is kept on disk
STEPS, STARTS = 4_000, 32
MOST_ENDS = 60_000  # ends of a round, after all histories that are told apart
FIRST_TABLES_KEY = 2**20  # of the draws of first tables, in the stream PROBE of seed 0


@dataclass(frozen=True)
class Mirror:
    """What best responders to a KPI settle on.

    Attributes:
        outcomes: measure (named as in summary.json) -> its long-run mean for each of B starts,
            float64 `[B]`, in the measure's unit.
        exact: payoffs did not depend on draws within a round.
        moved: the largest change of a probability in the last quarter of the steps, in any start,
            times how likely play comes to that observation; .25 is the most.
    """

    outcomes: Mapping[str, Floats]
    exact: bool
    moved: float

    def mean(self, measure: str) -> float:
        """The mean over starts."""
        return float(self.outcomes[measure].mean())

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it, every bit of it."""
        outcomes = {name: values.tolist() for name, values in self.outcomes.items()}
        return {"outcomes": outcomes, "exact": self.exact, "moved": self.moved}

    def range(self, measure: str) -> tuple[float, float]:
        """The values below and above which 10 % of the starts lie."""
        low, high = np.quantile(self.outcomes[measure], (0.1, 0.9))
        return float(low), float(high)


def from_plain(plain: Any) -> Mirror:
    """A mirror that `Mirror.plain` gave.

    Raises:
        TypeError: it is none.
        LookupError: a part of it is missing.
        ValueError: it holds other numbers of starts.
    """
    outcomes = {str(n): np.array(values, np.float64) for n, values in plain["outcomes"].items()}
    if not outcomes or any(values.shape != (STARTS,) for values in outcomes.values()):
        raise ValueError("not one value for each start")
    return Mirror(outcomes, bool(plain["exact"]), float(plain["moved"]))


def mirror(market: Market, kpi: kpis.KpiTable) -> Mirror:
    """The best-response benchmark of a KPI, computed once for each market and KPI.

    It is kept for other processes in the cache folder (`tacit.emergence.found_once`).

    Raises:
        ConfigError: a round is too large to enumerate, or seats observe a part of the past that
            the KPI looks back at (`tacit.emergence.tree.payoff_history`).
    """
    weighted, key = weighted_key(market, kpi)
    question = [*key, STEPS, STARTS, MOST_ENDS, FIRST_TABLES_KEY]
    return found_once(
        _KNOWN,
        key,
        lambda: kept_for_others(
            KEPT, market, question, lambda: _mirror(market, weighted), Mirror.plain, from_plain
        ),
    )


_KNOWN: dict[tuple[str, str, str], Future[Mirror]] = {}


def _mirror(market: Market, kpi: kpis.KpiTable) -> Mirror:
    histories = payoff_histories(market, kpi, MOST_ENDS)
    game = build_fictitious_play(histories)
    x = first_tables(game)
    history = np.zeros((1 if histories.seen else histories.count, STARTS))
    loop = compiled(TEMPLATE).fictitious_play
    last_quarter = STEPS * 3 // 4  # from this step on, how far tables still move is noted
    loop(game, x, 0, last_quarter, history)
    before = x.copy()
    loop(game, x, last_quarter, STEPS, history)
    means = mean_measures(histories, game, x, history)
    outcomes = [named_measures(market, mean) for mean in means]
    return Mirror(
        {name: np.array([outcome[name] for outcome in outcomes]) for name in outcomes[0]},
        histories.tree.exact,
        movement(game, before, x),
    )


def first_tables(game: FictitiousPlayGame, starts: int = 0) -> Floats:
    """Tables drawn from Dirichlet(1), one for each of B starts: float64 `[C, B]`.

    Exponential draws, divided by their sum at each information set, are Dirichlet(1).

    Args:
        game: the game.
        starts: B; 0: as many as a mirror has.
    """
    starts = starts or STARTS
    x = np.empty((game.first_cell[-1], starts))
    root = rng.child_key(rng.seed_key(0, rng.PROBE), FIRST_TABLES_KEY)
    for b in range(starts):
        key = rng.child_key(root, b)
        x[:, b] = [-log1p(-draw) for draw in rng.draws(key, len(x))]
    for first, last in pairwise(game.first_cell):
        x[first:last] /= x[first:last].sum(axis=0)
    return x


def mean_measures(
    histories: PayoffHistories, game: FictitiousPlayGame, x: Floats, history: Floats
) -> Iterator[Floats]:
    """Long-run mean measures float64 `[S + 1, M]` of each start.

    Args:
        histories: the payoff histories, and the tree of a round after each of them.
        game: the game that was built from them.
        x: tables, float64 `[C, B]`.
        history: the distribution of the last round's history where nobody observes it,
            float64 `[G, B]`.
    """
    roots, starts = histories.count if histories.seen else 1, x.shape[1]
    ends = leaf_probability(game, x).reshape(roots, -1, starts)
    measures = histories.tree.measures
    measures = measures.reshape(histories.count, -1, *measures.shape[1:])  # [G, L, S + 1, M]
    for b in range(starts):
        if histories.seen:
            share = stationary_histories(histories, ends[:, :, b])
            weight = share[:, None] * ends[:, :, b]
        elif histories.count > 1:
            weight = history[:, b, None] * ends[0, :, b]
        else:
            weight = ends[:, :, b]
        yield np.tensordot(weight, measures, axes=2)


def movement(game: FictitiousPlayGame, before: Floats, after: Floats) -> float:
    """The largest change of a probability, times how likely play comes to the observation.

    Tables at observations that nobody comes to any more go on drifting, which changes nothing.

    Args:
        game: the game.
        before: tables at some step, float64 `[C, B]`.
        after: tables at a later step, float64 `[C, B]`.
    """
    weight = np.zeros((len(game.first_cell) - 1, after.shape[1]))
    for p, (reached, _) in enumerate(reach(game, after)):
        for own in game.set_at[game.first_node[p] : game.first_node[p + 1]].T:
            np.add.at(weight, own[own >= 0], reached[own >= 0])
    # Where histories are seen, an information set's weight is the one given its history.
    each = np.repeat(weight, np.diff(game.first_cell), axis=0)
    return float((np.abs(after - before) * each).max())


def leaf_probability(game: FictitiousPlayGame, x: Floats) -> Floats:
    """How likely each end of the round is, given its root, under tables `x` `[C, B]`: `[L, B]`."""
    *_, (_, edges) = reach(game, x)
    return edges


def reach(game: FictitiousPlayGame, x: Floats) -> Iterator[tuple[Floats, Floats]]:
    """How likely play comes to each node `[N, B]` and passes each edge `[E, B]` of every phase.

    Given the root, under tables `x` `[C, B]`.
    """
    padded = np.concatenate([x, np.ones((1, x.shape[1]))])  # cell -1, no choice: probability 1
    edges = np.ones((0, x.shape[1]))
    for p, (first, last) in enumerate(pairwise(game.first_edge)):
        nodes = slice(game.first_node[p], game.first_node[p + 1])
        before = edges[game.origin[nodes] - game.first_edge[p - 1]] if p else 1.0
        reached = before * game.probability[nodes, None]
        edges = reached[game.node[first:last] - game.first_node[p]]
        for column in game.cell[first:last].T:
            edges = edges * padded[column]
        yield reached, edges


def stationary_histories(histories: PayoffHistories, ends: Floats) -> Floats:
    """The long-run distribution of G histories, float64 `[G]`.

    The chain is made lazy, which leaves its long run and takes away its cycles; then its matrix is
    squared 40 times, which is 2^40 steps.

    Args:
        histories: the payoff histories.
        ends: probability of each end of a round after each of them, float64 `[G, L]`.
    """
    steps = np.zeros((histories.count, histories.count))
    following = histories.following.reshape(histories.count, -1)
    for g in range(histories.count):
        np.add.at(steps[g], following[g], ends[g])
    steps = (steps + np.eye(histories.count)) / 2
    for _ in range(40):
        steps = steps @ steps
        steps /= steps.sum(axis=1, keepdims=True)
    share: Floats = steps.mean(axis=0)
    return share
