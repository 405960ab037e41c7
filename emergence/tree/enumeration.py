"""Builds the tree of a round by playing it, phase by phase, for all nodes at once.

Draws within `play` (which bidder wins a tie, which request a lottery serves) have no node of their
own. The market's expected form (`Analysis.expected`) is played; where draws remain in it
(`Analysis.luck`), payoffs are means over at most 256 sets of draws, the same ones at all leaves,
and the tree is not `exact`.
"""

from __future__ import annotations

from math import prod

import numpy as np

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
from tacit.envs.types import Bools, Floats, Ints

from .round_tree import AllowedActions, PhaseLayer, RoundTree

TEMPLATE = "tacit.emergence.tree.tree_loop"
MOST_EDGES = 2**21  # of one phase; a larger tree is refused
MOST_CELLS = 2**25  # numbers in the rows of these edges
AVERAGED_DRAWS = 256  # over which payoffs are averaged
AVERAGED_LEAVES = 2**22  # leaves x draws that are played; more leaves make do with fewer draws
FEWEST_DRAWS = 16


def enumerate_round(
    market: Market,
    kpi: kpis.KpiTable,
    allowed: AllowedActions,
    roots: Floats,
    probability: Floats | None = None,
) -> RoundTree:
    """Build the tree of one round.

    Args:
        market: the market; its expected form is played.
        kpi: the resolved KPI table that is scored at the leaves.
        allowed: the actions that are followed, bool `[O, A]` per seat.
        roots: states in which the round may begin, float64 `[R, W]`.
        probability: probability of each root, float64 `[R]`; by default all are equal.

    Returns:
        The tree, roots in the order in which they were given.

    Raises:
        ConfigError: a phase has more than `MOST_EDGES` edges.
    """
    market = market.analysis.expected()
    game = build_game(market, kpi)
    if probability is None:
        probability = np.full(len(roots), 1.0 / len(roots))
    rows = build_rows(market, game, len(roots))
    rows.state[:] = roots
    most = min(MOST_EDGES, MOST_CELLS // sum(array[0].size for array in rows))
    origin, layers = np.arange(len(roots)), []
    for phase in range(len(market.phases)):
        rows, origin, drawn = _draw_nature(market, phase, rows, origin, most)
        if phase == 0:
            drawn = drawn * probability[origin]
        _fill_observations(market, game, rows, phase)
        node, actions, acts = _branch(market, phase, rows.observations, allowed, most)
        layers.append(PhaseLayer(origin, drawn, rows.observations, node, actions, acts))
        before = CopyRows._make(array[node] for array in rows)
        before.actions[:] = actions
        rows = _play_phase(market, game, before, phase)
        origin = np.arange(len(node))
    exact = not market.analysis.luck
    return RoundTree(market, tuple(layers), rows.measures, rows.scores, rows.state, exact)


def opening_observations(market: Market, kpi: kpis.KpiTable, roots: Floats) -> tuple[Ints, Floats]:
    """What seats observe when a round begins, for each of K combinations of nature's draws.

    Args:
        market: the market.
        kpi: a resolved KPI table.
        roots: states in which the round may begin, float64 `[R, W]`.

    Returns:
        Observations int64 `[R * K, S]`, root by root, and the probability of each combination
        float64 `[R * K]`.

    Raises:
        ConfigError: there are more than `MOST_EDGES` combinations.
    """
    game = build_game(market, kpi)
    rows = build_rows(market, game, len(roots))
    rows.state[:] = roots
    rows, _, drawn = _draw_nature(market, 0, rows, np.arange(len(roots)), MOST_EDGES)
    _fill_observations(market, game, rows, 0)
    return rows.observations, drawn


def _draw_nature(
    market: Market, phase: int, rows: CopyRows, origin: Ints, most: int
) -> tuple[CopyRows, Ints, Floats]:
    """Every row once for each combination of this phase's draws.

    Args:
        market: the market.
        phase: the phase that begins.
        rows: N rows.
        origin: where each row comes from, int64 `[N]`.
        most: how many rows are allowed afterwards.

    Returns:
        The rows, their origins int64 `[N']` and the probabilities of their draws float64 `[N']`;
        combinations of probability 0 are left out.
    """
    probability = np.ones(len(origin))
    nodes = len(origin) * count_draws(market, phase)
    if nodes > most:
        raise too_large(market, nodes, most)
    for draw in market.analysis.draws(phase):
        count = len(draw.values)
        table = np.array(draw.probabilities)
        given = 0 if draw.given is None else rows.state[:, draw.given].astype(int)
        of_value = np.broadcast_to(table[given], (len(origin), count)).ravel()
        rows = CopyRows._make(np.repeat(array, count, axis=0) for array in rows)
        rows.state[:, draw.column] = np.tile(draw.values, len(origin))
        origin = np.repeat(origin, count)
        probability = np.repeat(probability, count) * of_value
        possible = of_value > 0
        rows = CopyRows._make(array[possible] for array in rows)
        origin, probability = origin[possible], probability[possible]
    return rows, origin, probability


def _branch(
    market: Market, phase: int, observations: Ints, allowed: AllowedActions, most: int
) -> tuple[Ints, Ints, Bools]:
    """The edges of a phase: where each begins int64 `[E]`, its joint action int64 `[E, S]`, and
    which seats act at all, bool `[S]`; `observations` int64 `[N, S]`."""
    acts = np.array([market.acts(seat, phase) for seat in market.seats])
    # Count first: the arrays of a tree that is too large may not fit into memory.
    edges = np.ones(len(observations))
    for seat in market.seats:
        if acts[seat.index]:
            edges *= allowed[seat.index].sum(axis=1)[observations[:, seat.index]]
    if edges.sum() > most:
        raise too_large(market, int(edges.sum()), most)
    node = np.arange(len(observations))
    chosen: list[Ints] = []
    for seat in market.seats:
        if not acts[seat.index]:
            chosen.append(np.zeros(len(node), np.int64))
            continue
        possible = allowed[seat.index][observations[node, seat.index]]
        edge, action = np.nonzero(possible)
        node, chosen = node[edge], [before[edge] for before in chosen]
        chosen.append(action)
    return node, np.stack(chosen, axis=1), acts


def count_draws(market: Market, phase: int) -> int:
    """At most how many combinations of draws a phase begins with."""
    return prod(
        max(sum(p > 0 for p in row) for row in draw.probabilities)
        for draw in market.analysis.draws(phase)
    )


def count_ends(market: Market) -> int:
    """At most in how many ways a whole round can end, from one state."""
    ends = 1
    for phase in range(len(market.phases)):
        ends *= count_draws(market, phase)
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


def _fill_observations(market: Market, game: GameArrays, rows: CopyRows, phase: int) -> None:
    compiled(TEMPLATE, market.kernels).fill_observations(game, rows, phase)


def _play_phase(market: Market, game: GameArrays, rows: CopyRows, phase: int) -> CopyRows:
    """One phase of every row; after the last phase, payoffs are means over draws within `play`."""
    loops = compiled(engine.TEMPLATE, market.kernels)
    root = rng.seed_key(0, rng.PROBE)

    def play_under(n: int) -> CopyRows:
        after = rows.copy()
        nature = np.full(len(after.state), rng.child_key(root, n), np.uint64)
        loops.step(game, nature, after, 0, 0, phase)
        return after

    first = play_under(0)
    if phase < len(market.phases) - 1 or not market.analysis.luck:
        return first
    draws = min(AVERAGED_DRAWS, max(FEWEST_DRAWS, AVERAGED_LEAVES // max(1, len(rows.state))))
    for n in range(1, draws):
        other = play_under(n)
        first.measures[:] += other.measures
        first.scores[:] += other.scores
    first.measures[:] /= draws
    first.scores[:] /= draws
    return first
