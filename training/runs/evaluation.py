"""Evaluation points: after which rounds a repetition is read on the way, and what is logged."""

from __future__ import annotations

from math import isfinite

from tacit.emergence.named_measures import measures_by_name
from tacit.envs.types import Floats
from tacit.training.config.arms import Arm
from tacit.training.config.experiment_file import TrainConfig

POINTS = 24  # of a run that names no interval


def evaluation_points(train: TrainConfig) -> list[int]:
    """Rounds after which a repetition is read, ascending, the last one being the end.

    Multiples of `evaluate_every`; without it 24 points. What the summary measures begins and ends
    at a point of its own, and without `evaluate_every` points lie evenly before that and in it.
    """
    end = train.rounds
    cut = end - train.measure_last  # where the summary begins to measure
    if train.evaluate_every:
        return sorted({*range(train.evaluate_every, end, train.evaluate_every), cut, end} - {0})
    after = max(1, round(POINTS * train.measure_last / end))
    before = max(1, POINTS - after)
    early = (cut * k // before for k in range(1, before + 1))
    late = (cut + train.measure_last * k // after for k in range(1, after + 1))
    return sorted({*early, *late} - {0})


def point_tags(arm: Arm, measures: Floats, scores: Floats) -> dict[str, float]:
    """TensorBoard's scalars of one evaluation point, by tag.

    Args:
        arm: what is trained.
        measures: means since the last point, float64 `[S + 1, M]`; row S is the market's own.
        scores: the same of the T terms, before their weights, seat by seat, and then of the seats'
            rewards, float64 `[T + S]`.
    """
    market = arm.market
    terms = [(seat.name, name) for seat in market.seats for name in arm.kpi[seat.name]]
    tags: dict[str, float] = {}
    for seat in market.seats:
        tags[f"reward/{seat.name}"] = float(scores[len(terms) + seat.index])
        column = market.columns[seat.role.fundamental]
        tags[f"fundamental/{seat.name}"] = float(measures[seat.index, column])
        for measure in market.measured(seat.role.name):
            value = measures[seat.index, market.columns[measure.name]]
            tags[f"measure/{seat.name}/{measure.name}"] = float(value)
    for measure in market.measured("market"):
        value = measures[-1, market.columns[measure.name]]
        tags[f"measure/market/{measure.name}"] = float(value)
    tags |= {f"kpi/{seat}/{name}": float(scores[k]) for k, (seat, name) in enumerate(terms)}
    derived = market.derived(measures_by_name(market, measures))
    return tags | {f"probe/{name}": value for name, value in derived.items() if isfinite(value)}
