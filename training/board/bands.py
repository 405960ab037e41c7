"""Bands over seeds: TensorBoard aggregates nothing, so mean and interval are written as scalars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tacit.emergence import stats
from tacit.training.config.arms import Arm

from .event_file import EventFile
from .plugin_messages import band_tags
from .read_scalars import read_scalars

INDEX = "collusion_index"  # of the figures that a market derives, the one that gets a band


def banded_measures(arm: Arm) -> dict[str, str]:
    """The measures that get a band, each with its tag in the seeds' event files."""
    tags = {m.name: f"measure/market/{m.name}" for m in arm.market.measured("market")}
    return tags | {INDEX: f"probe/{INDEX}"}


def write_bands(events: EventFile, seeds: Sequence[Path], arm: Arm) -> None:
    """Write `band/<measure>/{mean,lo,hi}` at every evaluation point that all seeds share.

    Args:
        events: the arm's own event file.
        seeds: folders with the seeds' event files.
        arm: the arm that these seeds are of.
    """
    tags = banded_measures(arm)
    curves = [read_scalars(folder, set(tags.values())) for folder in seeds]
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
