"""How many units of KPI payoff weigh as much as one unit of the fundamental.

    scale_i = sd(KPI payoff of seat i) / sd(fundamental of seat i)

over rounds in which every seat draws each action from its legal ones with equal probability: what
either payoff varies by when nobody has learned anything. A gain in KPI payoff divided by the scale
is a gain in the unit of the fundamental, so one tolerance serves both payoffs.

Why a ratio: a KPI is a sum of weights, and its numbers mean nothing by themselves. Multiplied by a
constant, all weights ask for the same play; the scale is multiplied by it too, and regrets stay the
same. Where the KPI is the fundamental times a constant, both regrets are equal. And why a standard
deviation: the distance from the largest payoff to the smallest, the other unit at hand, is set by
the rarest round (one bids everything after a round in which all bid nothing).

The rounds are a sample, 65,536 of them, with draws that depend on nothing but their number.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np

from tacit.emergence.found_once import found_once, kept_for_others, weighted_key
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market
from tacit.envs.types import Floats

KEPT = "kpi_scales"  # the kind of what is kept on disk
COPIES, ROUNDS = 1_024, 64
ROUNDING = 1e-9  # of the largest payoff: a standard deviation up to this is none


def kpi_scales(market: Market, kpi: kpis.KpiTable) -> Floats:
    """The scale of every seat's KPI payoff, float64 `[S]`; computed once for each market and KPI.

    0 where the KPI pays the same whatever happens, NaN where the fundamental is always the same.
    """
    weighted, key = weighted_key(market, kpi)
    question = [*key, COPIES, ROUNDS, ROUNDING]
    return found_once(
        _KNOWN,
        key,
        lambda: kept_for_others(
            KEPT,
            market,
            question,
            lambda: _kpi_scales(market, weighted),
            lambda scales: scales.tolist(),
            lambda plain: _from_plain(plain, len(market.seats)),
        ),
    )


_KNOWN: dict[tuple[str, str, str], Future[Floats]] = {}


def _from_plain(plain: Any, seats: int) -> Floats:
    scales = np.array(plain, np.float64)
    if scales.shape != (seats,):
        raise ValueError("not one scale for each seat")
    return scales


def _kpi_scales(market: Market, kpi: kpis.KpiTable) -> Floats:
    rewards, fundamentals = random_payoffs(market.analysis.expected(), kpi)
    in_kpi, in_fundamental = _deviation(rewards), _deviation(fundamentals)
    scales = np.full(len(in_kpi), np.nan)
    np.divide(in_kpi, in_fundamental, out=scales, where=in_fundamental > 0)
    return scales


def random_payoffs(market: Market, kpi: kpis.KpiTable) -> tuple[Floats, Floats]:
    """KPI payoffs and fundamentals of random rounds, float64 `[N, S]` each."""
    engine = Engine(market, kpi, copies=COPIES, stream=rng.PROBE)
    engine.reset()
    seats = range(len(market.seats))
    columns = [market.columns[seat.role.fundamental] for seat in market.seats]
    root = rng.seed_key(0, rng.PROBE)
    rewards, fundamentals = [], []
    for t in range(ROUNDS + 1):
        for phase in range(len(market.phases)):
            key = rng.child_key(rng.child_key(root, t), phase)
            draws = rng.draws(key, COPIES * len(seats)).reshape(len(seats), COPIES)
            for seat in market.seats:
                legal = seat.role.legal[engine.observations[:, seat.index]]
                chosen = legal[:, 0] + (draws[seat.index] * legal[:, 1]).astype(np.int64)
                engine.rows.actions[:, seat.index] = chosen
            engine.advance()
        # The first round has no past, which a KPI may look back at: it is not counted.
        if t:
            rewards.append(engine.rewards.copy())
            fundamentals.append(engine.measures[:, seats, columns])
    return np.concatenate(rewards), np.concatenate(fundamentals)


def _deviation(payoffs: Floats) -> Floats:
    """Standard deviations of `payoffs` `[N, S]` by seat, float64 `[S]`; rounding is 0."""
    deviation = payoffs.std(axis=0)
    size = np.abs(payoffs).max(axis=0)
    return np.where(deviation > ROUNDING * size, deviation, 0.0)
