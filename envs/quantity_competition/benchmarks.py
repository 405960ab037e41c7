"""The Cournot equilibrium and the joint-profit output, in closed form.

With demand p = d - Q and unit cost c, firm i's best reply to the others' output R is (d - R - c)/2.
Sources: Cournot, Recherches sur les principes mathématiques de la théorie des richesses, 1838.
"""

from __future__ import annotations

from .config import QuantityCompetitionConfig


def nash_output(config: QuantityCompetitionConfig) -> float:
    """Each firm's output in the Cournot equilibrium, units: (d - c)/(N + 1), d the mean demand."""
    return (config.demand - config.cost) / (config.firms + 1)


def joint_output(config: QuantityCompetitionConfig) -> float:
    """Each firm's equal part of the monopoly output, units: (d - c)/2N."""
    return (config.demand - config.cost) / (2 * config.firms)


def profit_of(config: QuantityCompetitionConfig, output: float) -> float:
    """Each firm's expected profit, money, if all produce `output` units: (d - Nq - c) q."""
    return (config.demand - config.firms * output - config.cost) * output
