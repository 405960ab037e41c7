"""One round of a market as a tree: every draw of nature, every joint action that may be taken.

    layer 0 --actions--> layer 1 --actions--> ... --actions--> leaves

Before each phase nature draws what the market declares (`Analysis.draws`): a node becomes one node
for each combination of values. Then the acting seats move, and each combination of their actions is
an edge. Whatever is asked of a round (what a deviation earns, what a claim does to its listener) is
a sum over edges, exact up to rounding.

Only actions that somebody may take are followed (`allowed`); so what one seat could do against
frozen tables is a small tree, even where the whole one would be large.

Luck within `play` (who wins a tie, whose request a lottery serves) has no node. The market's
expected form (`Analysis.expected`) is played; where luck is left in it (`Analysis.luck`), payoffs
are
means over up to `LUCKY` draws, the same ones at all leaves, and `exact` is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import PolicyTable, mask
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine import engine
from tacit.envs.engine.game_arrays import (
    CopyRows,
    GameArrays,
    build_game,
    build_rows,
)
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market

TEMPLATE = "tacit.emergence.tree.tree_loop"
MOST, CELLS = 2**21, 2**25  # edges of one phase, numbers in their rows; a larger tree is refused
LUCKY, WORK = 256, 2**22  # draws to average over; fewer where that makes more leaves

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Allowed = Sequence[NDArray[np.bool_]]  # bool [O, A] per seat


@dataclass(frozen=True, eq=False)
class Layer:
    """A phase: its N nodes, and the E edges that lead on from them.

    `origin` int64 `[N]`: the edge of the phase before that leads here (of layer 0: the root);
    `chance` float64 `[N]`: nature's, given that edge (times the root's own); `observations` int64
    `[N, S]`; `node` int64 `[E]`, ascending: where an edge begins; `actions` int64 `[E, S]`;
    `acts` bool `[S]`.
    """

    origin: Indices
    chance: Array
    observations: Indices
    node: Indices
    actions: Indices
    acts: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Tree:
    """Layers, and what the edges of the last one lead to: `measures` float64 `[L, S + 1, M]`,
    `scores` `[L, T + S]` (KPI terms, then rewards), `states` `[L, W]` after the round."""

    market: Market
    layers: tuple[Layer, ...]
    measures: Array
    scores: Array
    states: Array
    exact: bool

    @property
    def rewards(self) -> Array:
        """Every seat's KPI payoff, float64 `[L, S]`."""
        return self.scores[:, self.scores.shape[1] - len(self.market.seats) :]

    @property
    def fundamentals(self) -> Array:
        """Every seat's fundamental, float64 `[L, S]`."""
        columns = [self.market.columns[s.role.fundamental] for s in self.market.seats]
        return self.measures[:, range(len(columns)), columns]


def everything(market: Market) -> list[NDArray[np.bool_]]:
    """All legal actions of every seat."""
    legal = {role.name: mask(role) for role in market.roles}
    return [legal[seat.role.name] for seat in market.seats]


def played(market: Market, tables: Sequence[PolicyTable], free: int | None = None) -> Allowed:
    """What tables may do, and all legal actions of the seat that is `free`."""
    legal = everything(market)
    return [legal[s] if s == free else table > 0 for s, table in enumerate(tables)]


def grow(
    market: Market,
    kpi: kpis.KpiTable,
    allowed: Allowed,
    roots: Array,
    chance: Array | None = None,
) -> Tree:
    """The tree of one round from `roots` `[R, W]`, which have a `chance` `[R]` (by default equal).

    Raises:
        ConfigError: it has more than `MOST` edges.
    """
    market = market.analysis.expected()
    game = build_game(market, kpi)
    chance = np.full(len(roots), 1.0 / len(roots)) if chance is None else chance
    rows = build_rows(market, game, len(roots))
    rows.state[:] = roots
    most = min(MOST, CELLS // sum(array[0].size for array in rows))
    origin, layers = np.arange(len(roots)), []
    for phase in range(len(market.phases)):
        rows, origin, share = _draw(market, phase, rows, origin, most)
        if phase == 0:
            share = share * chance[origin]
        _look(market, game, rows, phase)
        node, actions, acts = _fan(market, phase, rows.observations, allowed, most)
        layers.append(Layer(origin, share, rows.observations, node, actions, acts))
        before = CopyRows._make(array[node] for array in rows)
        before.actions[:] = actions
        rows = _step(market, game, before, phase)
        origin = np.arange(len(node))
    return Tree(
        market, tuple(layers), rows.measures, rows.scores, rows.state, not market.analysis.luck
    )


def opening(market: Market, kpi: kpis.KpiTable, roots: Array) -> tuple[Indices, Array]:
    """What seats see when a round begins in `roots` `[R, W]`, int64 `[R * K, S]`, for each of K
    draws of nature, and the chance of that draw `[R * K]`."""
    rows = build_rows(market, build_game(market, kpi), len(roots))
    rows.state[:] = roots
    rows, _, chance = _draw(market, 0, rows, np.arange(len(roots)), MOST)
    _look(market, build_game(market, kpi), rows, 0)
    return rows.observations, chance


def _draw(
    market: Market, phase: int, rows: CopyRows, origin: Indices, most: int
) -> tuple[CopyRows, Indices, Array]:
    """Rows with every combination of this phase's draws, their origins and nature's chances."""
    chance = np.ones(len(origin))
    nodes = len(origin) * drawn(market, phase)
    if nodes > most:
        raise too_large(market, nodes, most)
    for draw in market.analysis.draws(phase):
        count = len(draw.values)
        table = np.array(draw.chances)
        which = 0 if draw.given is None else rows.state[:, draw.given].astype(int)
        law = np.broadcast_to(table[which], (len(origin), count)).ravel()
        rows = CopyRows._make(np.repeat(array, count, axis=0) for array in rows)
        rows.state[:, draw.column] = np.tile(draw.values, len(origin))
        origin, chance = np.repeat(origin, count), np.repeat(chance, count) * law
        kept = law > 0
        rows = CopyRows._make(array[kept] for array in rows)
        origin, chance = origin[kept], chance[kept]
    return rows, origin, chance


def _fan(
    market: Market, phase: int, observations: Indices, allowed: Allowed, most: int
) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Edges: the node that each begins at, its joint action, and who acts at all."""
    node = np.arange(len(observations))
    chosen: list[Indices] = []
    acts = np.array([market.acts(seat, phase) for seat in market.seats])
    fan = np.ones(len(node))
    for seat in market.seats:
        if acts[seat.index]:
            fan *= allowed[seat.index].sum(axis=1)[observations[:, seat.index]]
    if fan.sum() > most:
        raise too_large(market, int(fan.sum()), most)
    for seat in market.seats:
        if not acts[seat.index]:
            chosen.append(np.zeros(len(node), np.int64))
            continue
        may = allowed[seat.index][observations[node, seat.index]]
        edge, action = np.nonzero(may)
        node, chosen = node[edge], [before[edge] for before in chosen]
        chosen.append(action)
    return node, np.stack(chosen, axis=1), acts


def drawn(market: Market, phase: int) -> int:
    """How many combinations of draws a phase begins with, at the most."""
    return prod(
        max(sum(p > 0 for p in row) for row in d.chances) for d in market.analysis.draws(phase)
    )


def size(market: Market) -> int:
    """At least as many ends as a whole round has, without a past."""
    ends = 1
    for phase in range(len(market.phases)):
        ends *= drawn(market, phase)
        for role in market.roles:
            here = [block for block in role.blocks if block.phase == phase]
            ends *= max(prod(len(p.values) for p in block.does) for block in here) ** role.seats
    return ends


def too_large(market: Market, ends: int, most: int) -> ConfigError:
    """The refusal of a round that cannot be enumerated."""
    return ConfigError(
        f"a round of {market.name} can end in {ends:,} ways here, over {most:,}: too many to go "
        "through."
    )


def _look(market: Market, game: GameArrays, rows: CopyRows, phase: int) -> None:
    compiled(TEMPLATE, market.kernels).look(game, rows, phase)


def _step(market: Market, game: GameArrays, rows: CopyRows, phase: int) -> CopyRows:
    """One phase of every row; after the last, payoffs are means over luck, if there is any."""
    loops = compiled(engine.TEMPLATE, market.kernels)
    root = np.uint64(rng.seed_key(0, rng.PROBE))

    def once(n: int) -> CopyRows:
        after = rows.copy()
        nature = np.full(len(after.state), rng.fold(root, n), np.uint64)
        loops.step(game, nature, after, 0, 0, phase)
        return after

    first = once(0)
    if phase < len(market.phases) - 1 or not market.analysis.luck:
        return first
    draws = min(LUCKY, max(16, WORK // max(1, len(rows.state))))
    for n in range(1, draws):
        other = once(n)
        first.measures[:] += other.measures
        first.scores[:] += other.scores
    first.measures[:] /= draws
    first.scores[:] /= draws
    return first
