"""What adopters do by how many they are: series of arms, read from their summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tacit.emergence.adoption.slope import full_slope
from tacit.emergence.evidence import Adoption
from tacit.envs.types import Floats
from tacit.training.config.arms import Arm
from tacit.training.config.references import AdoptionConfig


def adoption_by_arm(
    config: AdoptionConfig | None,
    arms: Mapping[str, Arm],
    summaries: Mapping[str, Mapping[str, Any]],
) -> dict[str, Adoption]:
    """The series of arms by the arm at which each is judged; those with an arm missing are left
    out.

    Args:
        config: what the experiment says of adopters.
        arms: of the run.
        summaries: of the arms that have one.
    """
    found = {}
    for series in config.series if config is not None else ():
        assert config is not None
        if all(arm in arms and arm in summaries for arm in config.arms_of(series)):
            found[config.widest(series)] = _adoption(config, series, arms, summaries)
    return found


def _adoption(
    config: AdoptionConfig,
    series: str,
    arms: Mapping[str, Arm],
    summaries: Mapping[str, Mapping[str, Any]],
) -> Adoption:
    """One series whose arms all have summaries."""
    adopters = config.series[series]
    ordered = sorted(adopters, key=lambda arm: len(adopters[arm]))
    market = arms[ordered[0]].market
    role = market.seat(adopters[ordered[0]][0]).role
    peers = [seat.name for seat in market.seats if seat.role is role]
    return Adoption(
        series,
        config.measure,
        tuple(len(adopters[arm]) for arm in ordered),
        tuple(
            _by_seat(summaries[arm], config.measure, adopters[arm]).mean(axis=1) for arm in ordered
        ),
        _by_seat(summaries[config.alone], config.measure, peers),
        full_slope(market, config.measure, role.name),
    )


def _by_seat(summary: Mapping[str, Any], measure: str, seats: Sequence[str]) -> Floats:
    """A measure by repetition and seat, float64 `[K, seats]`; NaN where it is not defined."""
    columns = []
    for seat in seats:
        own = summary["measures"].get(f"{measure}/{seat}")
        values = [None] * summary["seeds"] if own is None else own["per_seed"]
        columns.append([np.nan if x is None else x for x in values])
    return np.array(columns, float).T
