"""Rotation: does the last winner determine the next one?

    winner_dependence   I(W_t; W_t+1) / H(W), winners of successive rounds; less the bias
                        (k - 1)^2 / 2T of a sample; 0 independent, 1 determined by the last winner
    winner_turns        P(W_t+1 != W_t) / (1 - sum_i p_i^2): how often another seat wins next, over
                        what independence gives; 1 independent, above: alternation, below: streaks
    winner_imbalance    max_i |p_i - 1/k|: how far the winners' shares are from equal ones

On the limit path (`tacit.emergence.play.limit_path`): a cycle is closed, so its last round precedes
its first. Rounds without exactly one winner are left out. NaN where one seat always wins. Rotation
alone is no sign of a cartel: capacity and costs make winners alternate as well, and deterministic
learners cycle.

Sources: rotation, McAfee, McMillan, AER 82(3), 1992; transition test of winners against
independence, Anderson, Goodman, Annals of Mathematical Statistics 28(1), 1957.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.information import entropy, mutual_information
from tacit.emergence.play.applicability import why_no_analysis
from tacit.emergence.play.limit_path import LimitPath, limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Role
from tacit.envs.types import Floats, Ints

FIGURES = {
    "winner_dependence": "how far the last winner fixes the next one, 0 .. 1",
    "winner_turns": "how often another wins next, over what independence makes it",
    "winner_imbalance": "distance of the winners' shares from equal ones",
}
NO_WINNER = -1


def rotation(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market, path = population.market, limit_path(population)
    role = _winning_role(market)
    assert role is not None  # `why_no_rotation` was asked before
    seats = [s.index for s in market.seats if s.role is role]
    # Where a tie is shared, nobody's measure is 1, and the round has no winner.
    wins = path.measures[:, seats, market.columns[market.analysis.wins[role.name]]] == 1.0
    winner = np.where(wins.sum(axis=1) == 1, wins.argmax(axis=1), NO_WINNER)
    before, after = _successive(winner, path)
    both = (before != NO_WINNER) & (after != NO_WINNER)
    counts = np.zeros((len(seats), len(seats)))
    np.add.at(counts, (before[both], after[both]), 1.0)
    dependence, alternation = transition_figures(counts, exact=path.period > 0)
    won = np.bincount(winner[winner != NO_WINNER], minlength=len(seats))
    share = won / won.sum() if won.any() else np.full(len(seats), np.nan)
    return {
        "winner_dependence": dependence,
        "winner_turns": alternation,
        "winner_imbalance": float(np.abs(share - 1.0 / len(seats)).max()),
    }


def transition_figures(counts: Floats, exact: bool) -> tuple[float, float]:
    """`winner_dependence` and `winner_turns`; NaN where all wins are one seat's.

    Args:
        counts: how often winner j follows winner i, float64 `[k, k]`.
        exact: the counts are of a whole limit cycle; else of a sample, whose bias is taken off.
    """
    total = counts.sum()
    share = counts.sum(axis=1) / max(total, 1.0)
    independent = 1.0 - float((share**2).sum())  # P(another wins next) under independence
    if total == 0 or independent < 1e-12:
        return float("nan"), float("nan")
    p = counts / total
    information = mutual_information(p)
    if not exact:
        # The mutual information of a sample of independent winners is positive by this on average.
        information -= (np.count_nonzero(share) - 1) ** 2 / (2.0 * total)
    dependence = max(0.0, information) / entropy(share)
    return dependence, float(1.0 - np.trace(p)) / independent


def _successive(values: Ints, path: LimitPath) -> tuple[Ints, Ints]:
    """Values of each round and of the round after it; a cycle is closed."""
    if path.period:
        return values, np.roll(values, -1, axis=0)
    return values[:-1], values[1:]


def _winning_role(market: Market) -> Role | None:
    """The role whose seats compete for wins, if there is one."""
    return next((r for r in market.roles if r.name in market.analysis.wins and r.seats > 1), None)


def why_no_rotation(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why winners are not followed here, and what is measured instead; None: they are."""
    if (reason := why_no_analysis(market, "wins")) is not None:
        return reason
    if _winning_role(market) is None:
        return f"nobody wins a round of {market.name} alone; leadership follows prices"
    return None
