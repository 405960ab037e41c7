"""The anchored equilibrium of one round: each seat's best policy while it is held to a prior.

Seat s is paid its KPI and charged w_s KL(pi_s(. | o), prior_s(. | o)) for each of its decisions
(see `tacit.agents.anchor`). Against frozen others its best policy is

    pi_s(a | o) proportional to prior_s(a | o) exp(Q_s(o, a) / w_s)

with Q_s(o, a) the expected payoff of the action, played on by everybody's own table, averaged over
the histories that lead to o. An anchored equilibrium is a fixed point of that map for all seats at
once: a logit equilibrium (McKelvey, Palfrey, Experimental Economics 1(1), 1998) that leans to a
prior instead of to uniform play. It is what piKL computes by regret minimisation.

**Method.** Unknowns are the logits x of all cells with a choice; the equation x = ln prior + Q / w
is solved by Newton steps from the solution at a larger weight (homotopy): where all weights are
large there is one solution, the prior, and the branch that begins there is followed down. A seat
without an anchor replies best: it is held to uniform play with the weight `UNHELD`, which its
learner's rewards cannot be told from. Whether there are other solutions is asked by `others`, from
random tables.

All numbers are exact up to rounding: a round's tree is enumerated (`tacit.emergence.tree`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from tacit.agents.anchor import Anchored, log_prior
from tacit.agents.policy import PolicyTable, mask, uniform
from tacit.emergence.tree import (
    RoundTree,
    action_probability,
    edge_probability,
    enumerate_round,
    expected_value,
    legal_actions,
)
from tacit.emergence.tree.initial_states import state_without_past, without_memory
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Bools, Floats

UNHELD = 1e-3  # weight, in units of the KPI, that stands for no anchor
LARGEST = 30.0  # weight at which the branch begins, in units of the KPI
RATIO = 0.5  # of a weight to the one before it on the way down, as long as that succeeds
NARROWEST = 0.98  # ratio at which the branch counts as lost
STEPS = 40  # of Newton's method at one weight
TOLERANCE = 1e-9  # largest distance of a probability from that of the map
MOST_CELLS = 400  # with a choice: a Newton step costs an evaluation of the tree for each


class _Round:
    """A round's tree, and the map of which an equilibrium is a fixed point."""

    def __init__(self, market: Market, kpi: kpis.KpiTable, seats: Sequence[Anchored]) -> None:
        self.market, self.seats = market, seats
        self.tree: RoundTree = enumerate_round(
            market, kpi, legal_actions(market), state_without_past(market, kpi)
        )
        self.legal: list[Bools] = [mask(seat.role) for seat in market.seats]
        self.priors = [
            uniform(seat.role) if own.prior is None else own.prior
            for seat, own in zip(market.seats, seats, strict=True)
        ]
        self.log_priors = [log_prior(prior) for prior in self.priors]
        # Cells with mass at observations with a choice, of seats that may leave their priors.
        self.free: list[Bools] = [
            legal & (legal.sum(axis=1) > 1)[:, None] & (prior > 0) & (own.weight < inf)
            for legal, prior, own in zip(self.legal, self.priors, seats, strict=True)
        ]
        self.size = int(sum(free.sum() for free in self.free))

    def tables(self, x: Floats) -> list[PolicyTable]:
        """The tables of logits float64 `[cells]`."""
        found, at = [], 0
        for prior, free in zip(self.priors, self.free, strict=True):
            count, table = int(free.sum()), prior.copy()
            rows = free.any(axis=1)
            logits = np.full(prior.shape, -inf)
            logits[free] = x[at : at + count]
            top = logits[rows].max(axis=1, keepdims=True)
            e = np.exp(logits[rows] - top)
            table[rows] = e / e.sum(axis=1, keepdims=True)
            found.append(table)
            at += count
        return found

    def logits(self, tables: Sequence[PolicyTable]) -> Floats:
        """The logits float64 `[cells]` of tables, each row with mean 0."""
        return self._packed([np.log(np.maximum(table, 1e-300)) for table in tables])

    def mapped(self, x: Floats, weights: Sequence[float]) -> Floats:
        """ln prior + Q / w at the tables of these logits, each row with mean 0."""
        values = action_values(self.tree, self.tables(x))
        return self._packed(
            [
                base + q / (w if w < inf else 1.0)
                for base, q, w in zip(self.log_priors, values, weights, strict=True)
            ]
        )

    def _packed(self, arrays: Sequence[Floats]) -> Floats:
        """Free cells one behind the other, less the mean of their row."""
        found = []
        for array, free in zip(arrays, self.free, strict=True):
            count = np.maximum(free.sum(axis=1, keepdims=True), 1)
            mean = np.where(free, array, 0.0).sum(axis=1, keepdims=True) / count
            found.append((array - mean)[free])
        return np.concatenate(found)

    def distance(self, x: Floats, weights: Sequence[float]) -> float:
        """The largest difference of a probability from that of the map."""
        one, other = self.tables(x), self.tables(self.mapped(x, weights))
        return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))

    def solve(self, x: Floats, weights: Sequence[float]) -> Floats | None:
        """Newton's method from logits, halving steps that lead away; None: it does not arrive."""
        residual = x - self.mapped(x, weights)
        for _ in range(STEPS):
            if self.distance(x, weights) < TOLERANCE:
                return x
            jacobian = np.eye(len(x)) - self._slopes(x, weights)
            step = np.linalg.lstsq(jacobian, residual, rcond=None)[0]
            size, share = float(np.abs(residual).max()), 1.0
            while share > 1e-4:
                tried = x - share * step
                left = tried - self.mapped(tried, weights)
                if float(np.abs(left).max()) < size:
                    break
                share *= 0.5
            else:
                return None
            x, residual = tried, left
        return None

    def _slopes(self, x: Floats, weights: Sequence[float], h: float = 1e-6) -> Floats:
        """Derivatives of the map by the logits, `[cells, cells]`, by forward differences."""
        here, columns = self.mapped(x, weights), []
        for k in range(len(x)):
            moved = x.copy()
            moved[k] += h
            columns.append((self.mapped(moved, weights) - here) / h)
        return np.stack(columns, axis=1)


def action_values(tree: RoundTree, tables: Sequence[PolicyTable]) -> list[Floats]:
    """What every action earns its seat in expectation if all play on by their tables.

    Args:
        tree: the tree of a round, with every legal action.
        tables: one policy table per seat, float64 `[O, A]` each.

    Returns:
        For each seat Q float64 `[O, A]` in units of its KPI, averaged over the histories that lead
        to an observation; 0 where none does.
    """
    values, reached = expected_value(tree, tables, tree.rewards), edge_probability(tree, tables)
    found = []
    for s, table in enumerate(tables):
        total, weight = np.zeros(table.shape), np.zeros(len(table))
        for p, layer in enumerate(tree.layers):
            if not layer.acts[s]:
                continue
            before = reached[p - 1][layer.origin] if p else 1.0
            arrival, observed = before * layer.probability, layer.observations[:, s]
            np.add.at(weight, observed, arrival)
            others = action_probability(layer, tables, s)
            here = arrival[layer.node] * others * values[p][:, s]
            np.add.at(total, (observed[layer.node], layer.actions[:, s]), here)
        q = np.divide(total, weight[:, None], out=np.zeros(table.shape), where=weight[:, None] > 0)
        found.append(q)
    return found


def why_no_equilibrium(market: Market) -> str | None:
    """Why an anchored equilibrium cannot be computed here; None: it can."""
    if without_memory(market) is not market:
        return "seats remember earlier rounds"
    cells = sum(int(seat.role.legal[seat.role.legal[:, 1] > 1, 1].sum()) for seat in market.seats)
    if cells > MOST_CELLS:
        return f"seats choose in {cells:,} cells, over {MOST_CELLS}"
    return None


def anchored_equilibrium(
    market: Market, kpi: kpis.KpiTable, seats: Sequence[Anchored]
) -> list[PolicyTable]:
    """The anchored equilibrium on the branch that begins at the priors.

    Args:
        market: one in which nobody remembers, and whose round can be enumerated.
        kpi: the resolved KPI table.
        seats: how each seat is held.

    Returns:
        A table float64 `[O, A]` for each seat.

    Raises:
        ConfigError: seats remember, there are too many cells, or the branch could not be followed
            down to these weights.
    """
    if why := why_no_equilibrium(market):
        raise ConfigError(f"no anchored equilibrium is computed here: {why}.")
    game = _Round(market, kpi, seats)
    return game.tables(_followed(game, _weights(seats)))


def equilibria(
    market: Market, kpi: kpis.KpiTable, seats: Sequence[Anchored], weights: Sequence[float]
) -> list[list[PolicyTable]]:
    """Anchored equilibria along the branch: one for each weight that all held seats share.

    Args:
        market: as for `anchored_equilibrium`.
        kpi: the resolved KPI table.
        seats: how each seat is held; a positive finite weight is replaced by each of `weights`.
        weights: in units of the KPI, above 0, in descending order.

    Returns:
        For each weight a table float64 `[O, A]` for each seat.

    Raises:
        ConfigError: as `anchored_equilibrium`.
    """
    if why := why_no_equilibrium(market):
        raise ConfigError(f"no anchored equilibrium is computed here: {why}.")
    game = _Round(market, kpi, seats)
    x: Floats | None = None
    found = []
    for weight in weights:
        own = [replace(s, weight=weight) if s.is_held and s.weight < inf else s for s in seats]
        target = _weights(own)
        x = None if x is None else game.solve(x, target)  # from the weight before
        x = _followed(game, target) if x is None else x
        found.append(game.tables(x))
    return found


def _followed(game: _Round, target: Sequence[float]) -> Floats:
    """The logits float64 `[cells]` at these weights, on the branch that begins at the priors.

    Raises:
        ConfigError: the branch is lost.
    """
    x, level, ratio = game.logits(game.priors), LARGEST / RATIO, RATIO
    while any(level > w for w in target):
        # Seats come down together, each until its own weight is reached.
        found = game.solve(x, [max(level * ratio, w) for w in target])
        if found is not None:
            x, level, ratio = found, level * ratio, RATIO
            continue
        ratio = ratio**0.5
        if ratio > NARROWEST:
            raise ConfigError(
                "no anchored equilibrium was found: its branch could not be followed below the "
                f"weight {level:.3g}."
            )
    return x


def others(
    market: Market, kpi: kpis.KpiTable, seats: Sequence[Anchored], starts: int
) -> list[list[PolicyTable]]:
    """Different solutions that Newton's method finds at these very weights from random tables.

    Args:
        market: as for `anchored_equilibrium`.
        kpi: the resolved KPI table.
        seats: how each seat is held.
        starts: how many random tables.

    Returns:
        Each solution once, as a table float64 `[O, A]` for each seat; empty if no start arrives.
    """
    game, target = _Round(market, kpi, seats), _weights(seats)
    key = rng.seed_key(0, rng.PROBE)
    found: list[list[PolicyTable]] = []
    for k in range(starts):
        x = 8.0 * (rng.draws(rng.child_key(key, k), game.size) - 0.5)
        solved = game.solve(game.logits(game.tables(x)), target)
        if solved is None:
            continue
        tables = game.tables(solved)
        if not any(_alike(tables, known) for known in found):
            found.append(tables)
    return found


def _alike(one: Sequence[PolicyTable], other: Sequence[PolicyTable]) -> bool:
    return all(float(np.abs(a - b).max()) < 1e-5 for a, b in zip(one, other, strict=True))


def _weights(seats: Sequence[Anchored]) -> list[float]:
    """The weight of each seat in the map."""
    return [UNHELD if own.prior is None else max(own.weight, UNHELD) for own in seats]
