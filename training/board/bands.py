"""Bands over seeds: TensorBoard aggregates nothing, so mean and interval are written as scalars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from tacit.emergence import stats
from tacit.training.config.arms import Arm

from .event_file import Curve, EventFile
from .plugin_messages import band_tags

KEY = "evaluation_points"  # in a seed's record
INDEX = "collusion_index"  # of the figures that a market derives, the one that gets a band


def banded_measures(arm: Arm) -> dict[str, str]:
    """The measures that get a band, each with its tag in the seeds' event files."""
    tags = {m.name: f"measure/market/{m.name}" for m in arm.market.measured("market")}
    return tags | {INDEX: f"probe/{INDEX}"}


def record_of(curve: Curve) -> dict[str, Any]:
    """The evaluation points of a seed as its record holds them; empty where JSON could not.

    Args:
        curve: scalars by tag and step.

    Returns:
        `{KEY: {"rounds": [...], "scalars": {tag: [...]}}}`, null where a tag has no scalar.
    """
    if not curve or not all(map(isfinite, curve.values())):
        return {}
    steps = sorted({step for _, step in curve})
    tags = dict.fromkeys(tag for tag, _ in curve)
    scalars = {tag: [curve.get((tag, step)) for step in steps] for tag in tags}
    return {KEY: {"rounds": steps, "scalars": scalars}}


def curve_of(record: Mapping[str, Any], folder: Path, arm: Arm) -> Curve:
    """The evaluation points of a seed, as far as bands need them.

    They come from its record, or from its event file where that is older
    than the record's key.

    Args:
        record: the seed's.
        folder: with its event file.
        arm: the arm that the seed is of.
    """
    tags = set(banded_measures(arm).values())
    kept = record.get(KEY)
    if kept is None:
        from .read_scalars import read_scalars  # slow to import

        return read_scalars(folder, tags)
    return {
        (tag, step): value
        for tag, values in kept["scalars"].items()
        if tag in tags
        for step, value in zip(kept["rounds"], values, strict=True)
        if value is not None
    }


def write_bands(events: EventFile, curves: Sequence[Curve], arm: Arm) -> None:
    """Write `band/<measure>/{mean,lo,hi}` at every evaluation point that all seeds share.

    Args:
        events: the arm's own event file.
        curves: evaluation points of the seeds, as `curve_of` gives them.
        arm: the arm that these seeds are of.
    """
    tags = banded_measures(arm)
    shared = set.intersection(*({step for _, step in curve} for curve in curves))
    for step in sorted(shared):
        points: dict[str, float] = {}
        for measure, tag in tags.items():
            values = [curve[tag, step] for curve in curves if (tag, step) in curve]
            if len(values) == len(curves):
                points |= _band(measure, values)
        events.scalars(step, points)


def _band(measure: str, values: Sequence[float]) -> dict[str, float]:
    """Mean and 95 % interval by tag; one seed has a band of no width."""
    e = stats.student(values)
    low, high = (e.low, e.high) if e.n > 1 else (e.mean, e.mean)
    return dict(zip(band_tags(measure), (e.mean, low, high), strict=True))
