"""Regret: what a seat would gain by a best reply to what the others do, in one round or patiently.

    regret = max over judged seats i of [best reply's u_i - own u_i] / unit

in KPI payoff (KPI regret) and in the fundamental (fundamental regret), each

- *in one round*: max_a u_i(a, x_-i) - u_i(x), x the *memoryless projection* of the learned tables:
  each seat's actions in the long run, given what it privately knows, whatever happened before.
  Under a KPI that looks back, the round before is one of the long run of x too;
- *patient*: all rounds to come, at the seat's own discount, against the others' whole tables, by
  the best table within what the seat sees (`tacit.emergence.objective.patient_regret`); a gain per
  round.

If one-round KPI regret is small and fundamental regret is not, every step is a best reply to the
KPI: the KPI explains it. If patient KPI regret is small too, nobody would leave who looks ahead.
If one-round KPI regret is large, only learning, memory or habit explains play. No selection among
equilibria is needed.

The unit is that of all gains (`tacit.emergence.payoffs.gain_unit`): profit_M - profit_N where the
market has it, else the value scale. KPI payoff is first converted to the fundamental's unit
(`tacit.emergence.objective.kpi_scale`), so that all weights times a constant are the same KPI.
Judged are the seats that learn; all where none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.payoffs import gain_unit
from tacit.emergence.play.applicability import why_no_stage_game
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.best_reply import best_reply
from tacit.emergence.tree.enumeration import enumerate_round, opening_observations
from tacit.emergence.tree.initial_states import (
    initial_states,
    state_without_past,
    without_memory,
)
from tacit.emergence.tree.payoff_history import looks_back, nature_persists
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

from .kpi_scale import kpi_scales
from .patient_regret import patient_gains, rounds_are_independent
from .round_beginnings import round_beginnings

FIGURES = {
    "kpi_regret_round": "largest one-round gain of a seat in KPI payoff, share of the unit of "
    "gains",
    "kpi_regret_patient": "largest gain a round of a seat's patient best reply in KPI payoff, "
    "share of the unit of gains",
    "fundamental_regret_round": "largest one-round gain of a seat in the fundamental, share of the "
    "unit of gains",
    "fundamental_regret_patient": "largest gain a round of a seat's patient best reply in the "
    "fundamental, share of the unit of gains",
    "regret_exact": "1 if one-round payoffs depend on no draws within a round, 0 if on a sample",
    "regret_patient_exact": "1 if patient best replies depend on no draws within a round, 0 if "
    "they do, or the path is a sample",
}


@dataclass(frozen=True)
class Regret:
    """The largest one-round regrets over seats.

    Attributes:
        kpi: in KPI payoff, as a share of the unit of gains.
        fundamental: in the fundamental, as a share of the unit of gains.
        exact: payoffs did not depend on draws within a round.
    """

    kpi: float
    fundamental: float
    exact: bool


def regrets(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN of what cannot be computed."""
    figures = dict.fromkeys(FIGURES, float("nan"))
    try:
        one_round = regret(population)
    except ConfigError:
        one_round = None
    if one_round is not None:
        figures["kpi_regret_round"] = one_round.kpi
        figures["fundamental_regret_round"] = one_round.fundamental
        figures["regret_exact"] = float(one_round.exact)
    patient = patient_regret(population, one_round)
    if patient is not None:
        figures["kpi_regret_patient"] = patient.kpi
        figures["fundamental_regret_patient"] = patient.fundamental
        figures["regret_patient_exact"] = float(patient.exact)
    return figures


def why_no_regret(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why one-round regrets are not measured here, and what is; None: they are measured."""
    if (reason := why_no_stage_game(market, "draws, memoryless")) is not None:
        return reason
    if len(market.phases) > 1 and without_memory(market) is not market:
        return (
            f"seats of {market.name} remember, and a round has several phases: no memoryless "
            "projection; the best-response gain (tacit best-response) does"
        )
    if looks_back(market, kpi) and nature_persists(market):
        return (
            f"the KPI looks back, and nature goes on from round to round in {market.name} here; "
            "the best-response gain (tacit best-response) does"
        )
    return None


def judged_seats(population: FrozenPopulation) -> list[int]:
    """The indices of the seats that learned; of all where none did."""
    learned = [seat for seat, own in enumerate(population.learned) if own]
    return learned or list(range(len(population.learned)))


def regret(population: FrozenPopulation) -> Regret:
    """The one-round regrets of a population.

    Raises:
        ConfigError: a round is too large to enumerate, or has several phases and is remembered.
    """
    market, tables = memoryless_projection(population)
    roots, probability = round_beginnings(market, population.kpi, tables)
    seats, exact = judged_seats(population), True
    in_kpi, in_fundamental = [], []
    for seat in seats:
        allowed = played_actions(market, tables, free_seat=seat)
        tree = enumerate_round(market, population.kpi, allowed, roots, probability)
        exact = exact and tree.exact
        in_kpi.append(best_reply(tree, tables, seat, tree.rewards[:, seat]).gain)
        in_fundamental.append(best_reply(tree, tables, seat, tree.fundamentals[:, seat]).gain)
    return _largest(population, seats, in_kpi, in_fundamental, exact)


def patient_regret(population: FrozenPopulation, one_round: Regret | None) -> Regret | None:
    """The patient regrets of a population; None where they cannot be measured.

    Args:
        population: the frozen population.
        one_round: its one-round regrets, which they equal where rounds are independent.
    """
    if rounds_are_independent(population.market, population.kpi):
        return one_round
    seats = judged_seats(population)
    gains = patient_gains(population, seats)
    if gains is None:
        return None
    return _largest(population, seats, gains.kpi, gains.fundamental, gains.exact)


def _largest(
    population: FrozenPopulation,
    seats: Sequence[int],
    in_kpi: Sequence[float],
    in_fundamental: Sequence[float],
    exact: bool,
) -> Regret:
    """The largest gains over seats, in the unit of gains; NaN where a seat has no unit."""
    market = population.market
    scales = kpi_scales(market, population.kpi)[seats]
    units = np.array([gain_unit(market, market.seats[seat].role).size for seat in seats])
    # Under a KPI that pays the same whatever happens, every action is a best reply.
    converted = np.divide(in_kpi, scales, out=np.zeros(len(seats)), where=scales != 0)
    # `max` of an array is NaN if an entry is, unlike that of Python.
    return Regret(
        float(np.max(converted / units)), float(np.max(np.array(in_fundamental) / units)), exact
    )


def memoryless_projection(
    population: FrozenPopulation,
) -> tuple[Market, Sequence[PolicyTable]]:
    """The same market with nothing remembered, and every seat's mean table there.

    Returns:
        The market, and one policy table per seat, float64 `[O, A]` each.

    Raises:
        ConfigError: a round has several phases and is remembered.
    """
    market = population.market
    memoryless = without_memory(market)
    if memoryless is market:
        return market, population.tables
    if (reason := why_no_regret(market, population.kpi)) is not None:
        raise ConfigError(reason)
    states, share, _ = initial_states(population)
    # The K draws of nature come in the same order in both markets, so draw k of state r in the one
    # is draw k of the only state in the other.
    observed, drawn = opening_observations(market, population.kpi, states)
    start = state_without_past(memoryless, population.kpi)
    projected, _ = opening_observations(memoryless, population.kpi, start)
    kinds = len(projected)
    weight = drawn.reshape(len(states), kinds) * share[:, None]  # P(state, draw)
    tables = []
    for seat, table in zip(memoryless.seats, population.tables, strict=True):
        mean = np.zeros((seat.role.observations, seat.role.actions))
        acts = table[observed[:, seat.index]].reshape(len(states), kinds, -1)
        rows = weight[:, :, None] * acts
        # Several draws may look the same to a seat: their rows are added up before normalising.
        np.add.at(mean, projected[:, seat.index], rows.sum(axis=0))
        total = mean.sum(axis=1, keepdims=True)
        tables.append(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))
    return memoryless, tables
