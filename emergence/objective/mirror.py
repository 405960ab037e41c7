"""The mirror of a KPI: what memoryless best responders settle on under it.

    x_0 ~ Dirichlet(1);   x_(t+1) = x_t + (best reply to x_t - x_t) / (t + 2),   t = 0 .. 3,999

for all seats at once (simultaneous fictitious play in expectation; Brown, "Iterative Solution of
Games by Fictitious Play", in: Activity Analysis of Production and Allocation, 1951), best replies
spread evenly over ties, from 32 starts. The discount is 0: a reply looks at its own round only. A
KPI that looks back (at the last price, say) meets a last round that is drawn from the same play, as
it would in the long run; only where seats see that past do they have one table for each of it.

So nothing in the mirror remembers, punishes or explores: what harm it shows, the KPI has made
alone. The equilibria of a KPI may be a set, and starts may settle on different ones: reported are
mean and 10-90 % range over starts, in the units of each measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from threading import Lock

import numpy as np

from tacit.emergence.play.named_measures import named_measures
from tacit.emergence.tree.payoff_history import Pasts, pasts
from tacit.emergence.tree.tree import Array
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

from .mirror_game import FictitiousPlayGame, build

TEMPLATE = "tacit.emergence.objective.mirror_loop"
STEPS, STARTS = 4_000, 32
MOST = 60_000  # ends of a round, after all pasts that are told apart
OWN_KEY = 2**20  # of the first tables, in the stream PROBE of seed 0


@dataclass(frozen=True)
class Mirror:
    """By measure (named as in summary.json): its long-run value for each start, float64 `[B]`."""

    outcomes: Mapping[str, Array]
    exact: bool

    def mean(self, measure: str) -> float:
        """Over starts."""
        return float(self.outcomes[measure].mean())

    def range(self, measure: str) -> tuple[float, float]:
        """10 and 90 % of the starts."""
        low, high = np.quantile(self.outcomes[measure], (0.1, 0.9))
        return float(low), float(high)


def mirror(market: Market, kpi: kpis.KpiTable) -> Mirror:
    """The mirror of a KPI, worked out once for each market and KPI.

    Raises:
        ConfigError: a round is too large, or seats see a part of the past they are paid for.
    """
    paid = {s: {n: t for n, t in terms.items() if t.weight} for s, terms in kpi.items()}
    name = (market.name, market.config.model_dump_json(), kpis.kpi_hash(paid))
    with _LOCK:
        if name not in _KNOWN:
            try:
                _KNOWN[name] = _mirror(market, paid)
            except ConfigError as error:
                _KNOWN[name] = error
        found = _KNOWN[name]
    if isinstance(found, ConfigError):
        raise found
    return found


_LOCK = Lock()  # seeds of an arm end at the same time on different threads
_KNOWN: dict[tuple[str, str, str], Mirror | ConfigError] = {}


def _mirror(market: Market, kpi: kpis.KpiTable) -> Mirror:
    found = pasts(market, kpi, MOST)
    game = build(found)
    x = first_tables(game)
    law = np.zeros((1 if found.seen else found.count, STARTS))
    compiled(TEMPLATE).settle(game, x, STEPS, law)
    outcomes = [named_measures(market, mean) for mean in long_run(found, game, x, law)]
    return Mirror(
        {name: np.array([outcome[name] for outcome in outcomes]) for name in outcomes[0]},
        found.tree.exact,
    )


def first_tables(game: FictitiousPlayGame) -> Array:
    """Tables drawn from Dirichlet(1), one a start: float64 `[C, B]`."""
    x = np.empty((game.first_cell[-1], STARTS))
    root = np.uint64(rng.fold(rng.seed_key(0, rng.PROBE), OWN_KEY))
    for b in range(STARTS):
        key = np.uint64(rng.fold(root, b))
        x[:, b] = [-log1p(-rng.u(key, c)) for c in range(len(x))]
    for first, last in pairwise(game.first_cell):
        x[first:last] /= x[first:last].sum(axis=0)
    return x


def long_run(found: Pasts, game: FictitiousPlayGame, x: Array, law: Array) -> Iterator[Array]:
    """Mean measures `[S + 1, M]` of each start under its tables `x`."""
    roots = found.count if found.seen else 1
    ends = leaf_chances(game, x).reshape(roots, -1, STARTS)
    measures = found.tree.measures.reshape(found.count, -1, *found.tree.measures.shape[1:])
    for b in range(STARTS):
        if found.seen:
            weight = stationary(found, ends[:, :, b])[:, None] * ends[:, :, b]
        elif found.count > 1:
            weight = law[:, b, None] * ends[0, :, b]
        else:
            weight = ends[:, :, b]
        yield np.tensordot(weight, measures, axes=2)


def leaf_chances(game: FictitiousPlayGame, x: Array) -> Array:
    """How likely each end of the round is, given its root: float64 `[L, B]`."""
    padded = np.concatenate([x, np.ones((1, x.shape[1]))])  # (cell -1: no choice)
    edges = np.ones((0, x.shape[1]))
    for p, (first, last) in enumerate(pairwise(game.first_edge)):
        nodes = slice(game.first_node[p], game.first_node[p + 1])
        before = edges[game.origin[nodes] - game.first_edge[p - 1]] if p else 1.0
        reach = before * game.chance[nodes, None]
        edges = reach[game.node[first:last] - game.first_node[p]]
        for column in game.cell[first:last].T:
            edges = edges * padded[column]
    return edges


def stationary(found: Pasts, ends: Array) -> Array:
    """The long-run law `[G]` of pasts, from ends of a round `[G, L]` after each of them.

    The chain is made lazy, which leaves its law and takes away its cycles; 2^40 steps.
    """
    steps = np.zeros((found.count, found.count))
    following = found.following.reshape(found.count, -1)
    for g in range(found.count):
        np.add.at(steps[g], following[g], ends[g])
    steps = (steps + np.eye(found.count)) / 2
    for _ in range(40):
        steps = steps @ steps
        steps /= steps.sum(axis=1, keepdims=True)
    law: Array = steps.mean(axis=0)
    return law
