"""Template: expected fictitious play on the tree of one round.

See `tacit.emergence.objective.mirror`. All B starts are played side by side, start b in the last,
contiguous place of every array, so that the inner loops run over neighbouring numbers. `game` is a
`tacit.emergence.objective.mirror_game.FictitiousPlayGame`, whose letters are used here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.emergence.objective.mirror_game import FictitiousPlayGame
from tacit.envs.jit.decorators import inlined, loop

TIE = 1e-10  # of the largest payoff: best replies that differ by less are tied


@inlined
def multiply_by_others(game: FictitiousPlayGame, x: Any, e: Any, s: Any, product: Any) -> None:
    """Multiply `product` [B] by the probability of the actions of all seats but s on edge e."""
    for j in range(game.cell.shape[1]):
        c = game.cell[e, j]
        if j != s and c >= 0:
            for b in range(len(product)):
                product[b] *= x[c, b]


@inlined
def fill_reach(
    game: FictitiousPlayGame, x: Any, p: Any, everybody: Any, nodes: Any, edges: Any, product: Any
) -> None:
    """Fill `nodes` [N, S + 1, B] and `edges` [E, S + 1, B] of phase p: how likely play comes there.

    Entry s leaves out seat s's own probability; it is filled where the seat still has a choice.
    Entry S holds the probability with everybody's actions; it is filled if `everybody`.
    """
    seats = game.cell.shape[1]
    for s in range(seats + 1):
        if (s < seats and p <= game.span[s, 1]) or (s == seats and everybody):
            for n in range(game.first_node[p], game.first_node[p + 1]):
                for b in range(len(product)):
                    before = 1.0 if p == 0 else edges[game.origin[n], s, b]
                    nodes[n, s, b] = before * game.probability[n]
        if (s < seats and p < game.span[s, 1]) or (s == seats and everybody):
            for e in range(game.first_edge[p], game.first_edge[p + 1]):
                for b in range(len(product)):
                    product[b] = nodes[game.node[e], s, b]
                multiply_by_others(game, x, e, s, product)
                for b in range(len(product)):
                    edges[e, s, b] = product[b]


@inlined
def average_payoffs(game: FictitiousPlayGame, edges: Any, history: Any, values: Any) -> None:
    """Average the leaves' payoffs over histories that nobody observes, into `values` [E, S, B].

    The last round is one of the same play: `history` [G, B] is filled with its distribution.
    """
    seats = game.cell.shape[1]
    leaves = game.first_edge[-2]
    history[:] = 0.0
    for e in range(leaves, game.first_edge[-1]):
        g = game.following[e - leaves]
        for b in range(history.shape[1]):
            history[g, b] += edges[e, seats, b]
    flat = game.payoff.reshape((-1, history.shape[0]))
    np.dot(flat, history, values[leaves:].reshape((-1, history.shape[1])))


@inlined
def fill_edge_value(
    game: FictitiousPlayGame, e: Any, s: Any, averaged: Any, values: Any, product: Any
) -> None:
    """Fill `product` [B] with the payoff that seat s expects from edge e."""
    leaf = e - game.first_edge[-2]
    if leaf >= 0 and not averaged:
        product[:] = game.payoff[leaf, s, 0]
    else:
        for b in range(len(product)):
            product[b] = values[e, s, b]


@inlined
def fill_best_replies(
    game: FictitiousPlayGame,
    x: Any,
    p: Any,
    averaged: Any,
    nodes: Any,
    values: Any,
    weight: Any,
    q: Any,
    best: Any,
    product: Any,
) -> None:
    """Fill `best` [C, B] with best replies at all information sets of phase p, ties shared evenly.

    `weight` [I, B] and `q` [C, B] are overwritten: how likely others lead to the information set,
    and that times the payoff of the action.
    """
    weight[game.first_set[p] : game.first_set[p + 1]] = 0.0
    for n in range(game.first_node[p], game.first_node[p + 1]):
        for s in range(game.cell.shape[1]):
            i = game.set_at[n, s]
            if i >= 0:
                for b in range(len(product)):
                    weight[i, b] += nodes[n, s, b]
    q[game.first_cell[game.first_set[p]] : game.first_cell[game.first_set[p + 1]]] = 0.0
    for e in range(game.first_edge[p], game.first_edge[p + 1]):
        n = game.node[e]
        for s in range(game.cell.shape[1]):
            c = game.cell[e, s]
            if c >= 0:
                fill_edge_value(game, e, s, averaged, values, product)
                multiply_by_others(game, x, e, s, product)
                for b in range(len(product)):
                    q[c, b] += product[b] * nodes[n, s, b]
    for i in range(game.first_set[p], game.first_set[p + 1]):
        first, last = game.first_cell[i], game.first_cell[i + 1]
        for b in range(len(product)):
            product[b] = -np.inf
        for c in range(first, last):
            for b in range(len(product)):
                product[b] = max(product[b], q[c, b])
        for b in range(len(product)):
            # q is a payoff times `weight`, so the tolerance is weighted too.
            near = product[b] - TIE * game.largest * weight[i, b]
            ties = 0
            for c in range(first, last):
                ties += 1 if q[c, b] >= near else 0
            for c in range(first, last):
                best[c, b] = 1.0 / ties if q[c, b] >= near else 0.0


@inlined
def fill_values_before(
    game: FictitiousPlayGame, x: Any, p: Any, averaged: Any, best: Any, values: Any, product: Any
) -> None:
    """Fill `values` of the edges that lead to phase p, for seats with an earlier choice.

    Each seat replies best in phase p itself, the others play `x`.
    """
    values[game.first_edge[p - 1] : game.first_edge[p]] = 0.0
    for e in range(game.first_edge[p], game.first_edge[p + 1]):
        n = game.node[e]
        for s in range(game.cell.shape[1]):
            if game.span[s, 0] < p:
                fill_edge_value(game, e, s, averaged, values, product)
                multiply_by_others(game, x, e, s, product)
                c = game.cell[e, s]
                if c >= 0:
                    for b in range(len(product)):
                        product[b] *= best[c, b]
                for b in range(len(product)):
                    values[game.origin[n], s, b] += game.probability[n] * product[b]


@loop
def fictitious_play(game: FictitiousPlayGame, x: Any, first: Any, last: Any, history: Any) -> None:
    """Play steps `first` .. `last` - 1 from the tables `x` float64 [C, B], in place.

    `history` float64 [G, B] is overwritten; at the end it holds the distribution of the last
    round's history. G = 1 means that payoffs need not be averaged over histories.
    """
    cells, starts = x.shape
    seats, phases = game.cell.shape[1], len(game.first_node) - 1
    averaged = history.shape[0] > 1
    nodes = np.zeros((game.first_node[-1], seats + 1, starts))
    edges = np.zeros((game.first_edge[-1], seats + 1, starts))
    values = np.zeros((game.first_edge[-1], seats, starts))
    q, best, product = np.zeros((cells, starts)), np.zeros((cells, starts)), np.zeros(starts)
    weight = np.zeros((len(game.first_cell) - 1, starts))
    for t in range(first, last):
        for p in range(phases):
            fill_reach(game, x, p, averaged, nodes, edges, product)
        if averaged:
            average_payoffs(game, edges, history, values)
        for p in range(phases - 1, -1, -1):
            fill_best_replies(game, x, p, averaged, nodes, values, weight, q, best, product)
            if p > 0:
                fill_values_before(game, x, p, averaged, best, values, product)
        step = 1.0 / (t + 2.0)
        for c in range(cells):
            for b in range(starts):
                x[c, b] += step * (best[c, b] - x[c, b])
