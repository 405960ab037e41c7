"""A round's tree in the form that fictitious play runs on (see `tacit.emergence.objective.mirror`).

It lives apart so that the compiled loop depends on nothing else of this folder.
"""

from __future__ import annotations

from typing import NamedTuple

from tacit.envs.types import Floats, Ints


class FictitiousPlayGame(NamedTuple):
    """The tree of a round, all phases end to end.

    An *information set* is what a seat with a choice observes in a phase (and, where histories are
    seen, the history); a *cell* is an information set and an action. P phases, S seats, N nodes,
    E edges, L leaves (the edges of the last phase), I information sets, C cells, G histories.

    Attributes:
        first_node: the first node of each phase, and the end of the last, int64 `[P + 1]`.
        first_edge: the first edge of each phase, and the end of the last, int64 `[P + 1]`.
        first_set: the first information set of each phase, and the end of the last,
            int64 `[P + 1]`.
        first_cell: the first cell of each information set, and the end of the last,
            int64 `[I + 1]`.
        origin: the edge that leads to each node (in the first phase: the root), int64 `[N]`.
        probability: probability of nature's draws at each node, float64 `[N]`.
        set_at: each seat's information set at each node, int64 `[N, S]`; -1: no choice.
        node: the node where each edge begins, int64 `[E]`.
        cell: each seat's cell on each edge, int64 `[E, S]`; -1: no choice.
        payoff: reward at each leaf, by seat and history, float64 `[L, S, G]`.
        following: the history that each leaf makes, int64 `[L]`.
        span: first and last phase in which each seat has a choice, int64 `[S, 2]`; P and -1: none.
        largest: the largest |payoff|.
    """

    first_node: Ints
    first_edge: Ints
    first_set: Ints
    first_cell: Ints
    origin: Ints
    probability: Floats
    set_at: Ints
    node: Ints
    cell: Ints
    payoff: Floats
    following: Ints
    span: Ints
    largest: float
