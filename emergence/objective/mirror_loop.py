"""Template: expected fictitious play on the tree of one round (see
`tacit.emergence.objective.mirror`).

All starts are played side by side, start b in the last, contiguous place of every array. `game` is
`tacit.emergence.objective.mirror_game.FictitiousPlayGame`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.emergence.objective.mirror_game import FictitiousPlayGame
from tacit.envs.jit.decorators import inlined, loop

TIE = 1e-10  # of the largest payoff: best replies that differ by less are tied


@inlined
def times_others(game: FictitiousPlayGame, x: Any, e: Any, s: Any, product: Any) -> None:
    """Multiply `product` [B] by the chances of what all seats but s do on edge e."""
    for j in range(game.cell.shape[1]):
        c = game.cell[e, j]
        if j != s and c >= 0:
            for b in range(len(product)):
                product[b] *= x[c, b]


@inlined
def reach_phase(
    game: FictitiousPlayGame, x: Any, p: Any, everybody: Any, nodes: Any, edges: Any, product: Any
) -> None:
    """How likely the nodes of phase p are, and the edges there, but for seat s's own doing: for
    seats that still have a choice; behind the seats with everybody's doing, if that is asked."""
    seats = game.cell.shape[1]
    for s in range(seats + 1):
        if (s < seats and p <= game.span[s, 1]) or (s == seats and everybody):
            for n in range(game.first_node[p], game.first_node[p + 1]):
                for b in range(len(product)):
                    before = 1.0 if p == 0 else edges[game.origin[n], s, b]
                    nodes[n, s, b] = before * game.chance[n]
        if (s < seats and p < game.span[s, 1]) or (s == seats and everybody):
            for e in range(game.first_edge[p], game.first_edge[p + 1]):
                for b in range(len(product)):
                    product[b] = nodes[game.node[e], s, b]
                times_others(game, x, e, s, product)
                for b in range(len(product)):
                    edges[e, s, b] = product[b]


@inlined
def average_payoffs(game: FictitiousPlayGame, edges: Any, past: Any, values: Any) -> None:
    """Where payoffs look back at a round that nobody sees: that round is one of the same play."""
    seats = game.cell.shape[1]
    leaves = game.first_edge[-2]
    past[:] = 0.0
    for e in range(leaves, game.first_edge[-1]):
        g = game.following[e - leaves]
        for b in range(past.shape[1]):
            past[g, b] += edges[e, seats, b]
    flat = game.payoff.reshape((-1, past.shape[0]))
    np.dot(flat, past, values[leaves:].reshape((-1, past.shape[1])))


@inlined
def worth(
    game: FictitiousPlayGame, e: Any, s: Any, averaged: Any, values: Any, product: Any
) -> None:
    """Fill `product` [B] with what edge e is worth to seat s."""
    leaf = e - game.first_edge[-2]
    if leaf >= 0 and not averaged:
        product[:] = game.payoff[leaf, s, 0]
    else:
        for b in range(len(product)):
            product[b] = values[e, s, b]


@inlined
def reply(
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
    """Best replies to all that is seen in phase p, spread evenly over ties, into `best`."""
    weight[game.first_sight[p] : game.first_sight[p + 1]] = 0.0
    for n in range(game.first_node[p], game.first_node[p + 1]):
        for s in range(game.cell.shape[1]):
            i = game.sight[n, s]
            if i >= 0:
                for b in range(len(product)):
                    weight[i, b] += nodes[n, s, b]
    q[game.first_cell[game.first_sight[p]] : game.first_cell[game.first_sight[p + 1]]] = 0.0
    for e in range(game.first_edge[p], game.first_edge[p + 1]):
        n = game.node[e]
        for s in range(game.cell.shape[1]):
            c = game.cell[e, s]
            if c >= 0:
                worth(game, e, s, averaged, values, product)
                times_others(game, x, e, s, product)
                for b in range(len(product)):
                    q[c, b] += product[b] * nodes[n, s, b]
    for i in range(game.first_sight[p], game.first_sight[p + 1]):
        first, last = game.first_cell[i], game.first_cell[i + 1]
        for b in range(len(product)):
            product[b] = -np.inf
        for c in range(first, last):
            for b in range(len(product)):
                product[b] = max(product[b], q[c, b])
        for b in range(len(product)):
            near = product[b] - TIE * game.largest * weight[i, b]
            ties = 0
            for c in range(first, last):
                ties += 1 if q[c, b] >= near else 0
            for c in range(first, last):
                best[c, b] = 1.0 / ties if q[c, b] >= near else 0.0


@inlined
def go_back(
    game: FictitiousPlayGame, x: Any, p: Any, averaged: Any, best: Any, values: Any, product: Any
) -> None:
    """What the edges that lead to phase p are worth to seats with an earlier choice, each replying
    best in phase p itself."""
    values[game.first_edge[p - 1] : game.first_edge[p]] = 0.0
    for e in range(game.first_edge[p], game.first_edge[p + 1]):
        n = game.node[e]
        for s in range(game.cell.shape[1]):
            if game.span[s, 0] < p:
                worth(game, e, s, averaged, values, product)
                times_others(game, x, e, s, product)
                c = game.cell[e, s]
                if c >= 0:
                    for b in range(len(product)):
                        product[b] *= best[c, b]
                for b in range(len(product)):
                    values[game.origin[n], s, b] += game.chance[n] * product[b]


@loop
def settle(game: FictitiousPlayGame, x: Any, steps: Any, past: Any) -> None:
    """Play `steps` steps from the tables `x` [C, B], in place; `past` [G, B] is scratch, and at the
    end the law of the round before."""
    cells, starts = x.shape
    seats, phases = game.cell.shape[1], len(game.first_node) - 1
    averaged = past.shape[0] > 1
    nodes = np.zeros((game.first_node[-1], seats + 1, starts))
    edges = np.zeros((game.first_edge[-1], seats + 1, starts))
    values = np.zeros((game.first_edge[-1], seats, starts))
    q, best, product = np.zeros((cells, starts)), np.zeros((cells, starts)), np.zeros(starts)
    weight = np.zeros((len(game.first_cell) - 1, starts))
    for t in range(steps):
        for p in range(phases):
            reach_phase(game, x, p, averaged, nodes, edges, product)
        if averaged:
            average_payoffs(game, edges, past, values)
        for p in range(phases - 1, -1, -1):
            reply(game, x, p, averaged, nodes, values, weight, q, best, product)
            if p > 0:
                go_back(game, x, p, averaged, best, values, product)
        step = 1.0 / (t + 2.0)
        for c in range(cells):
            for b in range(starts):
                x[c, b] += step * (best[c, b] - x[c, b])
