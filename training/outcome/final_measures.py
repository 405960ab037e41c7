"""What is measured of a repetition at its end."""

from __future__ import annotations

import numpy as np

from tacit.agents.group import Group
from tacit.emergence.play.limit_path import LimitPath
from tacit.envs.market import Market
from tacit.envs.types import Floats

NAN = float("nan")

# Evaluation points: the rounds that each covers, and mean measures, float64 `[S + 1, M]`.
Points = list[tuple[int, Floats]]


def agent_steps(market: Market, rounds: int) -> int:
    """Decisions that seats make in so many rounds of one copy."""
    deciding = sum(
        market.acts(seat, phase) for seat in market.seats for phase in range(len(market.phases))
    )
    return rounds * deciding


def final_measures(group: Group, path: LimitPath | None, points: Points, last: int) -> Floats:
    """Mean measures of a finished repetition, float64 `[S + 1, M]`.

    Agents that stopped by themselves are measured on the limit cycle of their policies without
    exploration; others over the last rounds as they were played.

    Args:
        group: as training left it.
        path: where its policies settle; None: that is not known, and rounds are taken as played.
        points: all evaluation points, float64 `[S + 1, M]` each.
        last: over how many rounds, which begin at an evaluation point.
    """
    if group.stop_after and group.stopped and path is not None:
        return path.mean
    total, weight = np.zeros_like(points[-1][1]), 0
    for count, measures in reversed(points):
        if weight >= last:
            break
        total += count * measures
        weight += count
    mean: Floats = total / weight
    return mean


def end_figures(group: Group, path: LimitPath | None) -> dict[str, float]:
    """Figures of how a repetition ended; NaN where one is not defined.

    `rounds_to_stop` counts up to the last change of a greedy policy, without the rounds in which
    the stopping rule waited. `cycle_*_share` says how long the cycle is in which policies settle.
    Then what the market's `Analysis` says of policies, and its closed forms as `NAME_theory`.
    `path` None: policies are not known.
    """
    market = group.market
    figures = {"rounds_to_stop": NAN, "converged": NAN}
    if group.stop_after:
        waited = group.stable_rounds if group.stopped else 0
        figures = {
            "rounds_to_stop": float(group.rounds - waited),
            "converged": float(group.stopped),
        }
    period = 0 if path is None else path.period
    lengths = {
        "cycle_1_share": period == 1,
        "cycle_2_share": period == 2,
        "cycle_3plus_share": period > 2,
    }
    figures |= {name: float(is_so) if period else NAN for name, is_so in lengths.items()}
    if market.analysis_class is not None:
        if path is not None:
            figures |= market.analysis.policy_figures(group.tables())
        theory = market.analysis.theory()
        figures |= {f"{name}_theory": value for name, value in theory.items()}
    return figures
